// Memory images of the compute modules: control programs, weight planes, thresholds (formats: docs/architecture.md, 3).
#pragma once

#include <functional>

#include "core/network.hpp"
#include "emit/design.hpp"
#include "map/raw.hpp"

namespace bitloom {

/// Control words of a window's program: each output group's words, planes from the top down. One group stands for all `groups` where all
/// read the same words.
MemoryImage control_image(const Stage& stage, int groups, int planes, bool negate_top, int offset_bits);
/// Weight words, group by group, in the order of the control program.
MemoryImage weight_image(const Stage& stage, const Convolution& conv);
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
