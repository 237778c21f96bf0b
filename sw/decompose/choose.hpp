// The choice among points of a layer: how many bits each stores, and how far its outputs are off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace bitloom {

struct Point {
  std::int64_t bits = 0;
  double error = 0;
};

/// The smallest point that is off by no more than `error` and smaller than the dense layer; nothing where there is none.
std::optional<std::size_t> smallest_within(const std::vector<Point>& points, std::int64_t dense_bits, double error);

/// A point for each layer, or nothing for one that stays dense, so that all layers and `other_bits` take at most `most_bits`. Goes down
/// from dense layers, each time by the step that adds least to the sum of squared errors for a bit saved, along each layer's lower convex
/// hull; that is within one step of the least sum. Nothing when even the smallest points take more.
std::optional<std::vector<std::optional<std::size_t>>> within_bits(const std::vector<std::vector<Point>>& points,
                                                                  const std::vector<std::int64_t>& dense_bits, std::int64_t other_bits,
                                                                  std::int64_t most_bits);

}  // namespace bitloom
