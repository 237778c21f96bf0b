// Random quantized networks as ONNX models, for tests of the whole chain from a model to its hardware.
// A network is first a Spec: a few numbers per layer, which a shrinking step may change at will. `build` makes a valid model of any
// Spec: what does not fit (a kernel larger than its map, an Add of different shapes) is brought to what does, or left out.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lower/lower.hpp"

namespace bitloom::test {

enum class LayerKind {
  Conv,
  Dense,
  MaxPool,
  AveragePool,
  GlobalMaxPool,
  GlobalAveragePool,
  Add,
  Subtract,
  Concat,
  Shuffle,
  Upsample,
  Affine,    // a multiplication and addition per channel, or a BatchNormalization, of a quantized map
  Quantize,  // a quantizer of a quantized map
  Truncate,
  ArgMax,
  Softmax,
};

enum class QuantizerForm { None, Quant, Bipolar, MultiThreshold, Linear };
enum class WeightForm { Quant, Bipolar, Ternary, Integers, Linear, Decomposed };  // Decomposed: of a Conv, else as Quant
enum class WeightPattern { Any, Pruned, Widths, Codebook };  // in blocks of four inputs; bits by output; three values
enum class AffineForm { None, MulAdd, BatchNormalization };

struct QuantizerSpec {
  QuantizerForm form = QuantizerForm::None;
  int bits = 2;
  bool is_signed = false, narrow = false;
  bool per_channel = false;  // scale of each channel; only where nothing but an output reads it
  int zero_point = 0;
  int rounding = 0;        // index into the rounding modes
  int shift = 0;           // the scale is this power of two away from one that fits the values
  bool odd_scale = false;  // a scale that is no power of two: float32 rounding may make ties
};

struct LayerSpec {
  LayerKind kind = LayerKind::Conv;
  std::vector<int> inputs{0};  // value 0 is the input, value i+1 what layer i makes
  int channels = 1;            // that a Conv or Dense makes; factor for depthwise; groups of a Shuffle
  int groups = 1;              // of a Conv; 0: depthwise
  int kernel_height = 1, kernel_width = 1, stride_height = 1, stride_width = 1, dilation_height = 1, dilation_width = 1;
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  WeightForm weights = WeightForm::Quant;
  WeightPattern pattern = WeightPattern::Any;
  int weight_bits = 2;
  bool weight_signed = true, weight_narrow = false, weight_per_channel = false;
  bool bias = false;
  AffineForm affine = AffineForm::None;
  bool pool = false;  // a max pool between the sums and the quantizer
  bool relu = false;
  QuantizerSpec quantizer;
  std::uint32_t seed = 1;  // of the constants
};

enum class InputForm { Pixels, Quantizer, Integers };

struct Spec {
  std::uint64_t seed = 1;  // of the images, foldings and stalls
  int channels = 1, height = 4, width = 4;
  int dims = 4;  // of the input tensor: [N, C, H, W], [N, C, W] or [N, C]
  InputForm input = InputForm::Pixels;
  QuantizerSpec input_quantizer;
  std::string pixels = "u8";  // type
  double scale = 1, shift = 0;
  std::vector<LayerSpec> layers;
  std::vector<int> outputs;  // values besides the last layer's
  bool argmax = false;
  std::int64_t clocks = 0;  // per image, asked of the mapper; 0: the fastest
};

NLOHMANN_JSON_SERIALIZE_ENUM(LayerKind, {{LayerKind::Conv, "Conv"},
                                         {LayerKind::Dense, "Dense"},
                                         {LayerKind::MaxPool, "MaxPool"},
                                         {LayerKind::AveragePool, "AveragePool"},
                                         {LayerKind::GlobalMaxPool, "GlobalMaxPool"},
                                         {LayerKind::GlobalAveragePool, "GlobalAveragePool"},
                                         {LayerKind::Add, "Add"},
                                         {LayerKind::Subtract, "Subtract"},
                                         {LayerKind::Concat, "Concat"},
                                         {LayerKind::Shuffle, "Shuffle"},
                                         {LayerKind::Upsample, "Upsample"},
                                         {LayerKind::Affine, "Affine"},
                                         {LayerKind::Quantize, "Quantize"},
                                         {LayerKind::Truncate, "Truncate"},
                                         {LayerKind::ArgMax, "ArgMax"},
                                         {LayerKind::Softmax, "Softmax"}})
NLOHMANN_JSON_SERIALIZE_ENUM(QuantizerForm, {{QuantizerForm::None, "None"},
                                             {QuantizerForm::Quant, "Quant"},
                                             {QuantizerForm::Bipolar, "Bipolar"},
                                             {QuantizerForm::MultiThreshold, "MultiThreshold"},
                                             {QuantizerForm::Linear, "Linear"}})
NLOHMANN_JSON_SERIALIZE_ENUM(WeightForm, {{WeightForm::Quant, "Quant"},
                                          {WeightForm::Bipolar, "Bipolar"},
                                          {WeightForm::Ternary, "Ternary"},
                                          {WeightForm::Integers, "Integers"},
                                          {WeightForm::Linear, "Linear"},
                                          {WeightForm::Decomposed, "Decomposed"}})
NLOHMANN_JSON_SERIALIZE_ENUM(WeightPattern, {{WeightPattern::Any, "Any"},
                                             {WeightPattern::Pruned, "Pruned"},
                                             {WeightPattern::Widths, "Widths"},
                                             {WeightPattern::Codebook, "Codebook"}})
NLOHMANN_JSON_SERIALIZE_ENUM(AffineForm, {{AffineForm::None, "None"},
                                          {AffineForm::MulAdd, "MulAdd"},
                                          {AffineForm::BatchNormalization, "BatchNormalization"}})
NLOHMANN_JSON_SERIALIZE_ENUM(InputForm,
                             {{InputForm::Pixels, "Pixels"}, {InputForm::Quantizer, "Quantizer"}, {InputForm::Integers, "Integers"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(QuantizerSpec, form, bits, is_signed, narrow, per_channel, zero_point, rounding, shift, odd_scale)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LayerSpec, kind, inputs, channels, groups, kernel_height, kernel_width, stride_height, stride_width,
                                   dilation_height, dilation_width, pad_top, pad_left, pad_bottom, pad_right, weights, pattern, weight_bits,
                                   weight_signed, weight_narrow, weight_per_channel, bias, affine, pool, relu, quantizer, seed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Spec, seed, channels, height, width, dims, input, input_quantizer, pixels, scale, shift, layers, outputs,
                                   argmax, clocks)

/// A random network: every seed is another.
Spec random_spec(std::uint64_t seed);

struct Model {
  std::string bytes;  ///< the .onnx file
  LowerOptions options;
  bool exact = true;  ///< float32 executes it without rounding that could make a tie
};

Model build(const Spec& spec);

}  // namespace bitloom::test
