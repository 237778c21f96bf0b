// Puts factors into an ONNX file in place of convolutions, as any ONNX tool with the QONNX quantizers can run them: a ternary 1x1
// convolution to K * M maps (row k * M + m), then, with nothing in between, a convolution of K groups with the same M kernels in each.
#pragma once

#include <map>
#include <string>

#include "core/files.hpp"
#include "decompose/factorize.hpp"

namespace bitloom {

struct Replacement {
  Factors factors;
  int kernel_height = 1, kernel_width = 1;
};
/// What to put in place of the convolution that computes a value, by the value's name.
using Replacements = std::map<std::string, Replacement>;

/// The model with these convolutions replaced and what nothing reads any more taken out. A bias is kept, with the factors' added. Throws
/// Error at `file` or its node when it is no ONNX file, or when the bias is no constant of the file.
Bytes with_factors(const Bytes& model, const std::string& file, const Replacements& replacements);

}  // namespace bitloom
