// bitloom: few-bit networks to hardware for open FPGAs. Exit status 0: done; 1: a comparison failed; 2: bad usage or input; 3: the board
// does not answer or was unplugged.
#include <fmt/format.h>

#include <cstdio>

#include "cli/commands.hpp"
#include "cli/common.hpp"

int main(int argc, char** argv) {
  CLI::App program{"Bitloom turns a few-bit neural network (ONNX/QONNX) into hardware for open FPGAs, and proves what it costs."};
  program.name("bitloom");
  program.set_version_flag("--version", "bitloom " BITLOOM_VERSION);
  program.require_subcommand(1);
  program.get_formatter()->column_width(34);
  using namespace bitloom::cli;
  add_info(program);
  add_decompose(program);
  add_compile(program);
  add_run(program);
  add_sim(program);
  add_synth(program);
  add_power(program);
  add_board(program);
  add_infer(program);
  add_patch(program);
  add_explore(program);
  add_report(program);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : 2;
  } catch (const ComparisonFailed&) {
    return 1;
  } catch (const BoardFailed& error) {
    fmt::print(stderr, "bitloom: {}\n", error.text);
    return 3;
  } catch (const bitloom::Error& error) {
    fmt::print(stderr, "bitloom: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "bitloom: internal error: {}; please report this with the command line\n", error.what());
    return 2;
  }
  return 0;
}
