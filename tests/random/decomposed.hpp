// Random decomposed convolutions as ONNX models: the pattern that lowering recognizes (a ternary 1x1 convolution, then one in groups that share
// their kernels), with a quantizer or raw sums behind it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "random/model_writer.hpp"

namespace bitloom::test {

struct DecomposedSpec {
  int channels = 4, outputs = 4, kernels = 2;  // C, K, M
  int kernel_height = 3, kernel_width = 3, stride_height = 1, stride_width = 1;
  int pad_top = 1, pad_left = 1, pad_bottom = 1, pad_right = 1;
  int height = 6, width = 6;
  double density = 0.1;
  int bits = 4;  // of its input
  bool is_signed = false, bias = false, scale_per_output = false;
  int out_bits = 2;  // 0: raw sums
  std::uint32_t seed = 1;
  int sparse = 1, rows = 1, pixels = 1;  // folding

  std::string to_string() const;
};

/// C and K from 1 to 64, kernels of 1, 3 and 5, strides 1 and 2, any padding, densities from 0 to 100 %.
DecomposedSpec random_decomposed(std::uint64_t seed);

/// Adds the two convolutions, and the quantizer, behind value `in`; returns the value behind them.
std::string add_decomposed(ModelWriter& writer, const DecomposedSpec& spec, const std::string& in);

/// One such layer behind an input quantizer.
std::string decomposed_model(const DecomposedSpec& spec);

/// A quantizer with scale 1 for the model's input of that many bits; the input's type as LowerOptions::input names it.
std::string add_input(ModelWriter& writer, const DecomposedSpec& spec);

}  // namespace bitloom::test
