// A network of one quantized convolution with random weights: what a sweep over bit widths measures.
#pragma once

#include <cstdint>
#include <string>

#include "core/files.hpp"

namespace bitloom {

/// A square-kernel convolution. Its output is compared with thresholds.
struct LayerSpec {
  int in_channels = 64, out_channels = 64;
  int kernel = 3, stride = 1, pad = 1;
  int height = 28, width = 28;  ///< of the input map
  int out_bits = 1;             ///< of the output codes, 1 to 4: more levels would be a requantizer instead of thresholds

  std::string text() const;  ///< as parse_layer_spec reads it
};

/// "C=64,K=64,kernel=3,map=28x28" and optional stride=, pad= (default: kernel / 2), out=. Throws Error naming what it does not understand.
LayerSpec parse_layer_spec(const std::string& text);

/// A QONNX model of it: unsigned activations of `activation_bits`, weights of `weight_bits` (1: bipolar, else signed), all drawn uniformly
/// from their range; a bias per channel that puts the middle threshold near the middle of its sums. The same for the same seed.
Bytes layer_model(const LayerSpec& spec, int weight_bits, int activation_bits, std::uint32_t seed);

}  // namespace bitloom
