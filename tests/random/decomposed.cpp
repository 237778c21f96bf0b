#include "random/decomposed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace bitloom::test {
namespace {

std::string quantizer(ModelWriter& writer, const std::string& value, const std::string& scale, int bits, bool is_signed, bool narrow) {
  return writer.node("Quant", {value, scale, writer.scalar(0), writer.scalar(static_cast<float>(bits))},
                     {{"signed", std::int64_t{is_signed}}, {"narrow", std::int64_t{narrow}}, {"rounding_mode", std::string("ROUND")}});
}

}  // namespace

std::string DecomposedSpec::to_string() const {
  return fmt::format(
      "C={} K={} M={} kernel {}x{} stride {}x{} pads {} {} {} {} map {}x{} density {} input {}{} out {} seed {}; sparse={} rows={} pixels={}",
      channels, outputs, kernels, kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left, pad_bottom, pad_right, height,
      width, density, is_signed ? "s" : "u", bits, out_bits, seed, sparse, rows, pixels);
}

DecomposedSpec random_decomposed(std::uint64_t seed) {
  std::mt19937_64 random(seed * 7919 + 1);
  const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<std::uint64_t>(limit)); };
  const auto pick = [&](const std::vector<int>& values) { return values[static_cast<std::size_t>(below(static_cast<int>(values.size())))]; };
  DecomposedSpec s;
  s.seed = static_cast<std::uint32_t>(random());
  const int largest = pick({4, 8, 16, 16, 32, 64});
  s.channels = 1 + below(largest);
  s.outputs = 1 + below(largest);
  if (below(20) == 0) s.channels = 64;
  if (below(20) == 0) s.outputs = 64;
  s.kernels = 1 + below(6);
  s.kernel_height = pick({1, 3, 3, 5});
  s.kernel_width = below(3) > 0 ? s.kernel_height : pick({1, 3, 5});
  s.stride_height = pick({1, 1, 2});
  s.stride_width = below(4) > 0 ? s.stride_height : pick({1, 2});
  const bool same = below(2) == 0;  // else any padding, up to the kernel's size
  s.pad_top = same ? s.kernel_height / 2 : below(s.kernel_height + 1);
  s.pad_bottom = same ? s.kernel_height / 2 : below(s.kernel_height + 1);
  s.pad_left = same ? s.kernel_width / 2 : below(s.kernel_width + 1);
  s.pad_right = same ? s.kernel_width / 2 : below(s.kernel_width + 1);
  s.height = std::max(s.kernel_height - s.pad_top - s.pad_bottom, 1) + below(8);
  s.width = std::max(s.kernel_width - s.pad_left - s.pad_right, 1) + below(12);
  // A kernel that covers the whole map is a fully connected layer.
  if (s.height == s.kernel_height && s.width == s.kernel_width) ++s.width;
  s.density = std::vector<double>{0, 0.02, 0.05, 0.1, 0.1, 0.2, 0.3, 0.5, 0.8, 1}[static_cast<std::size_t>(below(10))];
  s.bits = 1 + below(8);
  s.is_signed = s.bits > 1 && below(2) == 0;
  s.bias = below(3) == 0;
  s.scale_per_output = below(2) == 0;
  s.out_bits = pick({0, 1, 2, 3, 4});
  s.sparse = pick({1, 2, 3, 4, 5, 6, 7, 8, 10, 12});
  s.rows = below(2) == 0 ? 1 : s.kernel_height;
  s.pixels = pick({1, 2, 4, 8, 16});
  while (s.pixels > 1 && s.pixels / 2 >= s.width) s.pixels /= 2;
  return s;
}

std::string add_decomposed(ModelWriter& writer, const DecomposedSpec& s, const std::string& in) {
  std::mt19937 random(s.seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  const std::int64_t outputs = s.outputs, kernels = s.kernels, channels = s.channels, taps = s.kernel_height * s.kernel_width;
  std::vector<float> coefficients, scales, basis;
  for (std::int64_t k = 0; k < outputs; ++k) {
    const float scale = s.scale_per_output ? std::ldexp(1.0F, static_cast<int>(random() % 4) - 2) : 0.5F;
    for (std::int64_t m = 0; m < kernels; ++m) {
      scales.push_back(scale);
      for (std::int64_t c = 0; c < channels; ++c)
        coefficients.push_back(uniform(random) >= s.density ? 0 : uniform(random) < 0.5 ? -scale : scale);
    }
  }
  std::vector<float> shared;
  for (std::int64_t i = 0; i < kernels * taps; ++i) shared.push_back(static_cast<float>(static_cast<int>(random() % 255) - 127));
  for (std::int64_t k = 0; k < outputs; ++k) basis.insert(basis.end(), shared.begin(), shared.end());

  const std::string ternary = quantizer(writer, writer.floats({outputs * kernels, channels, 1, 1}, coefficients),
                                        s.scale_per_output ? writer.floats({outputs * kernels, 1, 1, 1}, scales) : writer.scalar(0.5F), 2, true, true);
  const std::string sums = writer.node("Conv", {in, ternary});
  const std::string taps_of = quantizer(writer, writer.floats({outputs, kernels, s.kernel_height, s.kernel_width}, basis), writer.scalar(1), 8, true, true);
  std::vector<std::string> inputs{sums, taps_of};
  if (s.bias) {
    std::vector<float> bias;
    for (std::int64_t k = 0; k < outputs; ++k)
      bias.push_back((static_cast<float>(random() % 2001) - 1000) * scales[static_cast<std::size_t>(k * kernels)]);
    inputs.push_back(writer.floats({outputs}, bias));
  }
  const std::string out = writer.node("Conv", inputs,
                                      {{"group", outputs},
                                       {"strides", ModelWriter::Dims{s.stride_height, s.stride_width}},
                                       {"pads", ModelWriter::Dims{s.pad_top, s.pad_left, s.pad_bottom, s.pad_right}}});
  if (s.out_bits == 0) return out;
  // A step of about a third of the sums' deviation.
  const double terms = std::max(1.0, static_cast<double>(channels * kernels * taps) * s.density);
  const double deviation = std::sqrt(terms) * 73 * std::ldexp(0.5, s.bits - 1);
  const auto step = std::ldexp(1.0F, static_cast<int>(std::lround(std::log2(deviation / 2))));
  return quantizer(writer, out, writer.scalar(step), s.out_bits, s.out_bits > 1 && s.seed % 2 == 0, false);
}

std::string add_input(ModelWriter& writer, const DecomposedSpec& s) {
  writer.input("x", 1, {1, s.channels, s.height, s.width});
  return quantizer(writer, "x", writer.scalar(1), s.bits, s.is_signed, false);
}

std::string decomposed_model(const DecomposedSpec& spec) {
  ModelWriter writer;
  writer.output(add_decomposed(writer, spec, add_input(writer, spec)), 1);
  return writer.bytes();
}

}  // namespace bitloom::test
