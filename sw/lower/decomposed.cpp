// Two convolutions that are one whose kernels are sums of a few shared ones: a 1x1 convolution with weights {-1, 0, 1} to M maps for each of K
// output channels, and behind it, with nothing between, a convolution in K groups whose groups all have the same M kernels.
//
// The first one is kept back with its stream, since the second one's weights may be constants that stand behind it in the graph. If it is the
// other half of no such pair, it is emitted as it stands.
#include <algorithm>
#include <utility>

#include "lower/context.hpp"
#include "lower/weights.hpp"
#include "onnx/broadcast.hpp"
#include "onnx/window.hpp"

namespace bitloom::lowering {
namespace {

/// The only node that reads a value, or null.
const Node* only_reader(const Context& context, const std::string& value) {
  const auto readers = context.readers.find(value);
  if (readers == context.readers.end() || readers->second != 1) return nullptr;
  for (const Node& node : context.graph.nodes)
    if (std::find(node.inputs.begin(), node.inputs.end(), value) != node.inputs.end()) return &node;
  return nullptr;
}

/// Integer weights in the order of the constant, or nothing where they are none.
std::optional<IntegerWeights> plain_weights(const Node& node, const Constant& constant) {
  const auto outputs = static_cast<std::size_t>(constant.value.shape[0]);
  std::vector<std::size_t> position(static_cast<std::size_t>(constant.value.size()));
  for (std::size_t i = 0; i < position.size(); ++i) position[i] = i;
  try {
    return integer_weights(node, constant, position, outputs);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool is_pointwise(const Node& node, const Dims& dims) {
  if (dims.size() != 4 || dims[2] != 1 || dims[3] != 1 || node.int_attribute("group", 1) != 1) return false;
  const Window window = read_window(node, {1, dims[1], 16, 16}, {1, 1});
  return window.stride_height == 1 && window.stride_width == 1 && !window.has_padding();
}

}  // namespace

bool may_be_coefficients(const Context& context, const Node& node, const Stream& input, const Constant& weights) {
  const bool has_bias = node.inputs.size() > 2 && !node.inputs[2].empty();
  if (has_bias || input.padding != nullptr || node.outputs.size() != 1 || !is_pointwise(node, weights.value.shape)) return false;
  const Node* next = only_reader(context, node.outputs[0]);
  if (next == nullptr || next->op != "Conv" || next->inputs[0] != node.outputs[0] || next->int_attribute("group", 1) < 1) return false;
  if (weights.value.shape[0] % next->int_attribute("group", 1) != 0) return false;
  const std::optional<IntegerWeights> integers = plain_weights(node, weights);
  return integers && std::all_of(integers->values.begin(), integers->values.end(), [](std::int32_t w) { return w >= -1 && w <= 1; });
}

std::optional<DecomposedWeights> decomposed_weights(const Node& first, const Constant& coefficients, const Node& second,
                                                    const Constant& kernels) {
  const Dims& a = coefficients.value.shape;
  const Dims& b = kernels.value.shape;
  const std::int64_t groups = second.int_attribute("group", 1);
  if (b.size() != 4 || b[0] != groups || b[0] * b[1] != a[0]) return std::nullopt;
  const std::optional<IntegerWeights> ternary = plain_weights(first, coefficients), basis = plain_weights(second, kernels);
  if (!ternary || !basis) return std::nullopt;
  const auto outputs = static_cast<std::size_t>(b[0]), count = static_cast<std::size_t>(b[1]), channels = static_cast<std::size_t>(a[1]);
  const std::size_t slice = basis->values.size() / outputs;
  for (std::size_t i = 0; i < basis->values.size(); ++i)
    if (basis->values[i] != basis->values[i % slice] || basis->values[i] < -128 || basis->values[i] > 127) return std::nullopt;

  DecomposedWeights out;
  out.decomposition.kernels = static_cast<int>(count);
  out.decomposition.basis.assign(basis->values.begin(), basis->values.begin() + static_cast<std::ptrdiff_t>(slice));
  out.decomposition.coefficients.resize(ternary->values.size());
  for (std::size_t k = 0; k < outputs; ++k) {
    double scale = 0;  // of the rows that have a coefficient
    for (std::size_t m = 0; m < count; ++m) {
      const std::size_t row = k * count + m;
      bool empty = true;
      for (std::size_t c = 0; c < channels; ++c) {
        const std::int32_t value = ternary->values[row * channels + c];
        out.decomposition.coefficients[(k * channels + c) * count + m] = value;
        empty = empty && value == 0;
      }
      if (empty) continue;
      if (scale != 0 && scale != ternary->scale[row]) return std::nullopt;
      scale = ternary->scale[row];
    }
    out.scale.push_back((scale == 0 ? ternary->scale[k * count] : scale) * basis->scale[k]);
  }

  // The dense kernels, in the order of an ONNX weight tensor.
  Window window;
  window.kernel_height = static_cast<int>(b[2]);
  window.kernel_width = static_cast<int>(b[3]);
  const std::vector<std::int32_t> dense =
      dense_weights(out.decomposition, static_cast<int>(outputs), static_cast<int>(channels), window);
  const std::size_t taps = static_cast<std::size_t>(b[2] * b[3]);
  std::vector<std::int64_t> values(dense.size());
  for (std::size_t k = 0; k < outputs; ++k)
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t tap = 0; tap < taps; ++tap) values[(k * channels + c) * taps + tap] = dense[(k * taps + tap) * channels + c];
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (std::max(-*low, *high) > 32767) return std::nullopt;
  const Dims shape{b[0], a[1], b[2], b[3]};
  const ValueType type = ValueType::holding(*low, *high);
  out.dense.value = Tensor::floats(shape, std::vector<float>(values.begin(), values.end()));
  out.dense.integers = Integers{Tensor::ints(shape, values), Tensor::floats(shape, std::vector<float>(values.size(), 1.0F)), type};
  return out;
}

Stream lower_kept_back(Context& context, Stream input) {
  const std::shared_ptr<const KeptConvolution> kept = std::exchange(input.coefficients, nullptr);
  Stream out = lower_conv(context, kept->node, std::move(input), kept->weights, nullptr);
  out.only_reader = true;
  out.tensor = kept->node.outputs[0];
  record_meaning(context, out, out.tensor);
  return out;
}

}  // namespace bitloom::lowering
