// SPDX-License-Identifier: Apache-2.0
// How often the neighbours of a stream module are willing, as data: every test of random traffic runs through these.
#pragma once

struct Stalls {
  double in, out;
  bool sink_waits = false;  // the sink is ready only after it has seen valid
};
inline constexpr Stalls stall_cases[] = {{1.0, 1.0}, {1.0, 0.5}, {0.5, 1.0}, {0.5, 0.5},
                                         {0.1, 1.0}, {1.0, 0.1}, {0.7, 0.3}, {1.0, 0.8, true}};

/// The same for modules with inputs a and b.
struct PairStalls {
  double a, b, out;
  bool sink_waits = false;
};
inline constexpr PairStalls pair_stall_cases[] = {{1.0, 1.0, 1.0}, {1.0, 1.0, 0.5}, {0.5, 0.6, 1.0}, {1.0, 0.1, 1.0},      {0.1, 1.0, 1.0},
                                                  {0.4, 0.5, 0.6}, {1.0, 0.5, 0.1}, {0.7, 1.0, 0.3}, {1.0, 0.9, 0.8, true}};
