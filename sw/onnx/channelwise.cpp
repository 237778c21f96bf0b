// Operators with parameters per channel: BatchNormalization and MultiThreshold.
#include <fmt/format.h>

#include <cmath>

#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::op {
namespace {

/// A tensor seen as [outer][channels][inner].
struct Channels {
  std::size_t count;
  std::size_t inner;
};

Channels channels_along(const Dims& dims, std::size_t axis) {
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < dims.size(); ++i) inner *= static_cast<std::size_t>(dims[i]);
  return {static_cast<std::size_t>(dims[axis]), inner};
}

}  // namespace

/// scale * (x - mean) / sqrt(variance + epsilon) + bias, in float32 and in this order.
std::vector<Tensor> batch_normalization(const Arguments& arguments) {
  const Node& node = arguments.node;
  if (node.int_attribute("training_mode", 0) != 0)
    throw Error(node.name, "a BatchNormalization in training mode cannot be executed; export the model for inference");
  const std::vector<float>& x = float_input(arguments, 0);
  const Dims& dims = arguments.at(0).shape;
  if (dims.empty()) throw Error(node.name, "BatchNormalization of a scalar");
  // A 1-dimensional input is one channel.
  const Channels channels = dims.size() == 1 ? Channels{1, 1} : channels_along(dims, 1);
  for (std::size_t i = 1; i <= 4; ++i) {
    if (float_input(arguments, i).size() != channels.count)
      throw Error(node.name,
                  fmt::format("parameter {} has {} values, the data has {} channels", i, float_input(arguments, i).size(), channels.count));
  }
  const auto& scale = arguments.at(1).f();
  const auto& bias = arguments.at(2).f();
  const auto& mean = arguments.at(3).f();
  const auto& variance = arguments.at(4).f();
  const float epsilon = node.float_attribute("epsilon", 1e-5F);
  std::vector<float> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i / channels.inner % channels.count;
    float y = x[i] - mean[c];
    y = scale[c] * y;
    y = y / std::sqrt(variance[c] + epsilon);
    out[i] = y + bias[c];
  }
  return {Tensor::floats(dims, std::move(out))};
}

/// out_scale * (number of thresholds reached) + out_bias; thresholds are [channels or 1][levels].
std::vector<Tensor> multi_threshold(const Arguments& arguments) {
  const Node& node = arguments.node;
  const std::vector<float>& x = float_input(arguments, 0);
  const std::vector<float>& thresholds = float_input(arguments, 1);
  const Dims& dims = arguments.at(0).shape;
  const Dims& table = arguments.at(1).shape;
  if (table.size() != 2) throw Error(node.name, fmt::format("thresholds of shape {}; [channels][levels] expected", dims_text(table)));
  const std::string layout = node.string_attribute("data_layout", "NCHW");
  if (layout != "NCHW" && layout != "NHWC" && layout != "NC" && layout != "NCW" && layout != "NWC")
    throw Error(node.name, fmt::format("data_layout '{}' is unknown; NCHW, NHWC, NCW, NWC and NC are known", layout));
  if (dims.empty()) throw Error(node.name, "MultiThreshold of a scalar");
  const bool last = layout == "NHWC" || layout == "NWC" || dims.size() == 1;
  const Channels channels = channels_along(dims, last ? dims.size() - 1 : 1);
  const auto rows = static_cast<std::size_t>(table[0]);
  const auto levels = static_cast<std::size_t>(table[1]);
  if (rows != 1 && rows != channels.count)
    throw Error(node.name, fmt::format("{} rows of thresholds for {} channels", rows, channels.count));
  const float scale = node.float_attribute("out_scale", 1.0F);
  const float bias = node.float_attribute("out_bias", 0.0F);
  std::vector<float> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t row = rows == 1 ? 0 : i / channels.inner % channels.count;
    int reached = 0;
    for (std::size_t j = 0; j < levels; ++j) reached += x[i] >= thresholds[row * levels + j] ? 1 : 0;
    out[i] = scale * static_cast<float>(reached) + bias;
  }
  return {Tensor::floats(dims, std::move(out))};
}

}  // namespace bitloom::op
