// Conv and pool attributes as a sliding window of the integer network, so that executor and lowering read them alike.
#pragma once

#include <cstdint>
#include <vector>

#include "core/graph.hpp"
#include "core/network.hpp"

namespace bitloom {

/// The window of a Conv, MaxPool or AveragePool node over an input [N, C, H, W] or [N, C, W] (height 1), with auto_pad and ceil_mode
/// resolved into padding. `kernel` is the kernel's spatial shape (from the weights, or the kernel_shape attribute when empty).
Window read_window(const Node& node, const std::vector<std::int64_t>& input_shape, std::vector<std::int64_t> kernel);

}  // namespace bitloom
