# shellcheck shell=bash
# What the scripts share. Sourced by bash, from the repository root.

say() { printf '%s: %s\n' "${0##*/}" "$*"; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 2
}

# The comment at the head of the calling script is its help.
usage() {
  sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "scripts/${0##*/}"
  exit "${1:-0}"
}

usage_error() {
  usage 2 >&2
}

# Takes --jobs N and --help out of the arguments: sets jobs, and rest to what remains.
parse_jobs() {
  jobs=$(nproc)
  rest=()
  while (($#)); do
    case $1 in
      -h | --help) usage ;;
      -j | --jobs)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 needs a number"
        jobs=$2
        shift
        ;;
      --jobs=*)
        jobs=${1#*=}
        [[ $jobs =~ ^[1-9][0-9]*$ ]] || die "--jobs needs a number"
        ;;
      *) rest+=("$1") ;;
    esac
    shift
  done
}
