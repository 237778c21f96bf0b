// Memory images of the compute modules: control programs, weight planes, thresholds (formats: docs/architecture.md, 3).
#pragma once

#include <functional>

#include "core/network.hpp"
#include "emit/design.hpp"
#include "map/basis_program.hpp"
#include "map/program.hpp"
#include "map/raw.hpp"

namespace bitloom {

/// What the program of a plane layer becomes, with the parameters of rtl/layer/plane_layer that go with it.
struct ProgramImages {
  MemoryImage control;  ///< {last, offset}, as few as repeat themselves through the program
  MemoryImage runs;     ///< {group, repeats, factor, pass}, likewise; empty where every run is a group
  MemoryImage weights;  ///< group by group, run by run
  std::int64_t run_count = 0;
};
ProgramImages program_images(const Stage& stage, const Convolution& conv, const PlaneMasks& masks, const Program& program, int offset_bits);

/// What a decomposed convolution stores in the basis engine, with the parameters of rtl/basis that go with it.
struct BasisImages {
  std::map<std::string, MemoryImage> lanes;                       ///< "lane<ll>", of a bitmap also "signs<ll>"
  std::vector<std::size_t> lane_words, lane_tasks, lane_signs;    ///< by lane
  MemoryImage order;                                              ///< {gap, lane}; no words where both have no bits
  MemoryImage basis;                                              ///< a word for each kernel and step of `rows` kernel rows, the last rows first
};
BasisImages basis_images(const BasisProgram& program, const Decomposition& decomposition, const Window& window, int in_channels, int rows);

/// Control words of a pool: each chunk of a pixel is a run over its window's words.
MemoryImage pool_image(const WindowPlan& window, int offset_bits);

/// Images by the ends of their names, "level<j>_lane<ll>": one for each lane and search level. `threshold(channel, i)` are the ascending
/// thresholds in the comparator's domain; `never` is one above every value.
std::map<std::string, MemoryImage> threshold_images(const Threshold& op, int channels, int lanes, int bits, std::int64_t never,
                                                    const std::function<std::int64_t(std::size_t, std::size_t)>& threshold);
/// Bias of each channel, for raw scores: one image for each lane, "level0_lane<ll>".
std::map<std::string, MemoryImage> bias_images(const std::vector<std::int64_t>& bias, int lanes, int bits);

/// {summand, factor} of each channel, or one for all: one image for each lane, "lane<ll>".
std::map<std::string, MemoryImage> requantize_images(const RequantizeConstants& constants, int lanes);

/// Bits to count 0 .. n-1, at least 1.
int index_bits(std::int64_t n);

}  // namespace bitloom
