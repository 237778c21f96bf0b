#!/usr/bin/env python3
"""A sweep through workflow/Snakefile: every point computed once, and the same tables as `bitloom explore` alone gives.

usage: cluster_check.py BITLOOM SOURCE_TREE

Skipped (status 77) where there is no snakemake: apt-get install snakemake, or pip install snakemake.
"""
import collections
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

bitloom, root = sys.argv[1], pathlib.Path(sys.argv[2])
snakemake = shutil.which("snakemake")
if snakemake is None:
    print("skipped: snakemake is not on PATH")
    sys.exit(77)

SWEEP = "--layer C=4,K=4,map=5x5 --weight-bits 1..3 --activation-bits 1,2 --engine parallel --board ice40-hx8k --fit 1"


def points(folder):
    found = json.loads((folder / "explore.json").read_text())["points"]
    for point in found:
        del point["seconds"]
    return found


with tempfile.TemporaryDirectory() as scratch:
    alone, cluster = pathlib.Path(scratch) / "alone", pathlib.Path(scratch) / "cluster"
    subprocess.run([bitloom, "explore", *SWEEP.split(), "--out", alone], check=True, stdout=subprocess.DEVNULL)
    # One point is there already when the workflow begins.
    listing = subprocess.run([bitloom, "explore", *SWEEP.split(), "--out", cluster, "--list", "--json"], check=True, stdout=subprocess.PIPE).stdout
    first = json.loads(listing)["points"][0]["id"]
    subprocess.run([bitloom, "explore", *SWEEP.split(), "--out", cluster, "--only", first], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([snakemake, "--snakefile", root / "workflow/Snakefile", "--cores", "2", "--quiet", "all",
                    "--config", f"bitloom={bitloom}", f"out={cluster}", f"sweep={SWEEP}"], check=True, cwd=scratch)
    begun = collections.Counter(entry["id"] for entry in map(json.loads, (cluster / "cache/log.jsonl").read_text().splitlines())
                                if entry["event"] == "begun")
    assert len(begun) == 6 and set(begun.values()) == {1}, begun
    assert points(cluster) == points(alone)
    assert points(cluster)[0]["state"] == "done"
    print("6 points, each computed once, equal to those of a plain sweep")
