// The subcommands of `bitloom`, a file each. Each adds itself to the program; its callback does the work.
#pragma once

#include <CLI/CLI.hpp>

namespace bitloom::cli {

void add_info(CLI::App& program);
void add_decompose(CLI::App& program);
void add_compile(CLI::App& program);
void add_run(CLI::App& program);
void add_sim(CLI::App& program);
void add_synth(CLI::App& program);
void add_power(CLI::App& program);
void add_board(CLI::App& program);
void add_infer(CLI::App& program);
void add_patch(CLI::App& program);
void add_explore(CLI::App& program);
void add_report(CLI::App& program);

}  // namespace bitloom::cli
