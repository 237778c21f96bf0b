#include "explore/layer_model.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "onnx/proto.hpp"

namespace bitloom {
namespace {

constexpr int kOpset = 13, kIrVersion = 8;

int number(const std::string& text, const std::string& where, int least) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < least || value > 65536)
    throw Error("--layer", fmt::format("'{}' in '{}'; a number from {} on expected", text, where, least));
  return value;
}

/// Draws below `count`, the same with every standard library.
std::int64_t draw(std::mt19937& random, std::int64_t count) { return static_cast<std::int64_t>(random()) % count; }

/// The parts of an ONNX graph that are needed here.
class Writer {
 public:
  Writer() {
    model_.set_ir_version(kIrVersion);
    opset("", kOpset);
    opset("qonnx.custom_op.general", 1);
    model_.mutable_graph()->set_name("layer");
  }
  void value(onnx::ValueInfoProto* info, const std::string& name, const std::vector<std::int64_t>& shape) {
    info->set_name(name);
    auto* type = info->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t size : shape) type->mutable_shape()->add_dim()->set_dim_value(size);
  }
  void input(const std::string& name, const std::vector<std::int64_t>& shape) { value(model_.mutable_graph()->add_input(), name, shape); }
  void output(const std::string& name, const std::vector<std::int64_t>& shape) { value(model_.mutable_graph()->add_output(), name, shape); }
  std::string constant(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
    auto* tensor = model_.mutable_graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t size : shape) tensor->add_dims(size);
    for (const float v : values) tensor->add_float_data(v);
    return name;
  }
  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output) {
    auto* node = model_.mutable_graph()->add_node();
    node->set_op_type(op);
    if (op != "Conv") node->set_domain("qonnx.custom_op.general");
    node->set_name(op + "_" + output);
    for (const std::string& in : inputs) node->add_input(in);
    node->add_output(output);
    return *node;
  }
  static void integers(onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values) {
    auto* attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t v : values) attribute->add_ints(v);
  }
  static void integer(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
    auto* attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(value);
  }
  /// A quantizer of integers times `scale`.
  void quantizer(const std::string& in, const std::string& out, float scale, int bits, bool is_signed) {
    const std::string s = constant(out + "_scale", {}, {scale}), zero = constant(out + "_zero", {}, {0});
    if (bits == 1 && is_signed) {
      node("BipolarQuant", {in, s}, out);
      return;
    }
    auto& quant = node("Quant", {in, s, zero, constant(out + "_bits", {}, {static_cast<float>(bits)})}, out);
    integer(quant, "signed", is_signed ? 1 : 0);
    integer(quant, "narrow", 0);
  }
  Bytes bytes() const {
    const std::string text = model_.SerializeAsString();
    return {text.begin(), text.end()};
  }

 private:
  void opset(const std::string& domain, int version) {
    auto* opset = model_.add_opset_import();
    opset->set_domain(domain);
    opset->set_version(version);
  }
  onnx::ModelProto model_;
};

}  // namespace

std::string LayerSpec::text() const {
  return fmt::format("C={},K={},kernel={},map={}x{},stride={},pad={},out={}", in_channels, out_channels, kernel, height, width, stride, pad,
                     out_bits);
}

LayerSpec parse_layer_spec(const std::string& text) {
  LayerSpec spec;
  bool pad_given = false;
  for (std::string rest = text; !rest.empty();) {
    const std::string part = rest.substr(0, rest.find(','));
    rest = part.size() == rest.size() ? "" : rest.substr(part.size() + 1);
    const std::size_t equals = part.find('=');
    const std::string name = part.substr(0, equals), value = equals == std::string::npos ? "" : part.substr(equals + 1);
    const std::map<std::string, int*> fields = {{"C", &spec.in_channels}, {"K", &spec.out_channels}, {"kernel", &spec.kernel},
                                                {"stride", &spec.stride}, {"pad", &spec.pad},        {"out", &spec.out_bits}};
    if (const auto field = fields.find(name); field != fields.end()) {
      *field->second = number(value, part, name == "pad" ? 0 : 1);
      pad_given = pad_given || name == "pad";
    } else if (const std::size_t cross = value.find('x'); name == "map" && cross != std::string::npos) {
      spec.height = number(value.substr(0, cross), part, 1);
      spec.width = number(value.substr(cross + 1), part, 1);
    } else {
      throw Error("--layer", fmt::format("'{}' found; C=N, K=N, kernel=N, map=HxW, stride=N, pad=N or out=N expected", part));
    }
  }
  if (!pad_given) spec.pad = spec.kernel / 2;
  if (spec.out_bits > 4) throw Error("--layer", fmt::format("out={} found; 1 to 4 bits expected", spec.out_bits));
  if (std::min(spec.height, spec.width) + 2 * spec.pad < spec.kernel)
    throw Error("--layer",
                fmt::format("a kernel of {} does not fit a map of {}x{} padded by {}", spec.kernel, spec.height, spec.width, spec.pad));
  return spec;
}

Bytes layer_model(const LayerSpec& spec, int weight_bits, int activation_bits, std::uint32_t seed) {
  std::mt19937 random(seed);
  const std::int64_t fan_in = std::int64_t{spec.in_channels} * spec.kernel * spec.kernel;
  const std::int64_t half = std::int64_t{1} << (weight_bits - 1);
  const double mean_activation = (std::pow(2.0, activation_bits) - 1) / 2;
  // The spread of a sum over independent values: fan_in times the mean square of a product, less its mean.
  const double mean_square = (std::pow(2.0, activation_bits) - 1) * (std::pow(2.0, activation_bits + 1) - 1) / 6;
  std::vector<float> weights, bias;
  for (int k = 0; k < spec.out_channels; ++k) {
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < fan_in; ++i) {
      const std::int64_t w = weight_bits == 1 ? 2 * draw(random, 2) - 1 : draw(random, 2 * half) - half;
      weights.push_back(static_cast<float>(w));
      sum += static_cast<double>(w);
      squares += static_cast<double>(w * w);
    }
    const double spread = std::sqrt(squares * (mean_square - mean_activation * mean_activation)) + 1;
    const double jitter = spread * (static_cast<double>(draw(random, 257)) - 128) / 256;
    bias.push_back(static_cast<float>(std::round(jitter - sum * mean_activation)));
  }
  // Sums around 0 meet the middle of the output's codes.
  const double spread = std::sqrt(static_cast<double>(fan_in) * mean_square) * static_cast<double>(half);
  const auto scale = static_cast<float>(std::exp2(std::ceil(std::log2(std::max(2.0, 4 * spread / std::pow(2.0, spec.out_bits))))));
  const float middle = scale * static_cast<float>(std::pow(2.0, spec.out_bits) - 1) / 2;
  for (float& b : bias) b += std::round(middle);

  const auto out_size = [&](int in) { return std::int64_t{(in + 2 * spec.pad - spec.kernel) / spec.stride + 1}; };
  Writer writer;
  writer.input("in", {1, spec.in_channels, spec.height, spec.width});
  writer.quantizer("in", "activations", 1, activation_bits, false);
  writer.constant("weights_stored", {spec.out_channels, spec.in_channels, spec.kernel, spec.kernel}, weights);
  writer.quantizer("weights_stored", "weights", 1, weight_bits, true);
  auto& conv = writer.node("Conv", {"activations", "weights", writer.constant("bias", {spec.out_channels}, bias)}, "sums");
  Writer::integers(conv, "kernel_shape", {spec.kernel, spec.kernel});
  Writer::integers(conv, "strides", {spec.stride, spec.stride});
  Writer::integers(conv, "pads", {spec.pad, spec.pad, spec.pad, spec.pad});
  writer.quantizer("sums", "out", scale, spec.out_bits, false);
  writer.output("out", {1, spec.out_channels, out_size(spec.height), out_size(spec.width)});
  return writer.bytes();
}

}  // namespace bitloom
