#include "decompose/rewrite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "onnx/proto.hpp"

namespace bitloom {
namespace {

constexpr const char* kQonnx = "qonnx.custom_op.general";

class Rewriter {
 public:
  Rewriter(const Bytes& model, const std::string& file) : file_(file) {
    if (!model_.ParseFromArray(model.data(), static_cast<int>(model.size())) || !model_.has_graph())
      throw Error(file, "this is not an ONNX file, or it is damaged");
    bool qonnx = false;
    for (const auto& opset : model_.opset_import()) qonnx = qonnx || opset.domain() == kQonnx;
    if (!qonnx) {
      auto* opset = model_.add_opset_import();
      opset->set_domain(kQonnx);
      opset->set_version(1);
    }
    const auto& graph = model_.graph();
    for (const auto& node : graph.node()) names_.insert(node.name()), names_.insert(node.output().begin(), node.output().end());
    for (const auto& tensor : graph.initializer()) names_.insert(tensor.name());
    for (const auto& input : graph.input()) names_.insert(input.name());
  }

  void replace(const Replacements& replacements) {
    const google::protobuf::RepeatedPtrField<onnx::NodeProto> before = model_.graph().node();
    model_.mutable_graph()->clear_node();
    for (const onnx::NodeProto& node : before) {
      const auto found = node.output_size() == 1 ? replacements.find(node.output(0)) : replacements.end();
      if (found == replacements.end())
        *model_.mutable_graph()->add_node() = node;
      else
        add_pair(node, found->second);
    }
  }

  /// Nodes and initializers that no output depends on, such as the dense weights and their quantizers.
  void sweep() {
    auto* graph = model_.mutable_graph();
    std::set<std::string> read;
    for (const auto& output : graph->output()) read.insert(output.name());
    std::vector<onnx::NodeProto> kept;  // from the last to the first
    for (int i = graph->node_size(); i-- > 0;) {
      const onnx::NodeProto& node = graph->node(i);
      if (std::none_of(node.output().begin(), node.output().end(), [&](const std::string& name) { return read.count(name) != 0; })) continue;
      read.insert(node.input().begin(), node.input().end());
      kept.push_back(node);
    }
    graph->clear_node();
    for (auto node = kept.rbegin(); node != kept.rend(); ++node) *graph->add_node() = *node;
    const google::protobuf::RepeatedPtrField<onnx::TensorProto> tensors = graph->initializer();
    graph->clear_initializer();
    for (const auto& tensor : tensors)
      if (read.count(tensor.name()) != 0) *graph->add_initializer() = tensor;
  }

  Bytes bytes() const {
    const std::string text = model_.SerializeAsString();
    return {text.begin(), text.end()};
  }

 private:
  /// A name like `wish` that nothing has yet.
  std::string fresh(const std::string& wish) {
    std::string name = wish;
    for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", wish, i);
    return name;
  }

  std::string constant(const std::string& wish, const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
    auto* tensor = model_.mutable_graph()->add_initializer();
    tensor->set_name(fresh(wish));
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t size : shape) tensor->add_dims(size);
    for (const float value : values) tensor->add_float_data(value);
    return tensor->name();
  }

  onnx::NodeProto& node(const std::string& op, const std::string& wish, const std::vector<std::string>& inputs, const std::string& output) {
    auto* added = model_.mutable_graph()->add_node();
    added->set_op_type(op);
    added->set_name(fresh(wish));
    for (const std::string& input : inputs) added->add_input(input);
    added->add_output(output);
    return *added;
  }

  static void attribute(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
    auto* added = node.add_attribute();
    added->set_name(name);
    added->set_type(onnx::AttributeProto::INT);
    added->set_i(value);
  }
  static void attribute(onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values) {
    auto* added = node.add_attribute();
    added->set_name(name);
    added->set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) added->add_ints(value);
  }

  /// Quantized weights: the values stand in the file, the quantizer says their width and leaves them as they are.
  std::string weights(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& values,
                      const std::vector<std::int64_t>& scale_shape, const std::vector<float>& scale, int bits) {
    const std::string stored = constant(name, shape, values), out = fresh(name + "_quant");
    auto& quant = node("Quant", name + "_Quant",
                       {stored, constant(name + "_scale", scale_shape, scale), constant(name + "_zero_point", {}, {0.0F}),
                        constant(name + "_bits", {}, {static_cast<float>(bits)})},
                       out);
    quant.set_domain(kQonnx);
    attribute(quant, "signed", 1);
    attribute(quant, "narrow", 1);
    auto* mode = quant.add_attribute();
    mode->set_name("rounding_mode");
    mode->set_type(onnx::AttributeProto::STRING);
    mode->set_s("ROUND");
    return out;
  }

  /// The bias of the replaced convolution with the factors' own.
  std::vector<float> bias(const onnx::NodeProto& conv, const Factors& factors) const {
    std::vector<float> sum(factors.bias.begin(), factors.bias.end());
    if (conv.input_size() < 3 || conv.input(2).empty()) return sum;
    const std::string where = fmt::format("{}: {}", file_, conv.name().empty() ? conv.output(0) : conv.name());
    const auto& tensors = model_.graph().initializer();
    const auto stored = std::find_if(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.name() == conv.input(2); });
    if (stored == tensors.end()) throw Error(where, fmt::format("its bias '{}' is no initializer of the file; store it as one", conv.input(2)));
    const Tensor values = bitloom::read_tensor(*stored, where);
    if (!values.is_float() || values.f().size() != sum.size()) throw Error(where, fmt::format("{} bias values expected", sum.size()));
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += values.f()[k];
    return sum;
  }

  void add_pair(const onnx::NodeProto& conv, const Replacement& replacement) {
    const Factors& factors = replacement.factors;
    const std::string name = conv.name().empty() ? conv.output(0) : conv.name();
    const std::int64_t outputs = factors.outputs, inputs = factors.inputs, count = factors.basis_count;
    std::vector<float> ternary, scale, basis;
    for (std::int64_t k = 0; k < outputs; ++k) {
      const double worth = factors.scale[factors.scale.size() == 1 ? 0 : static_cast<std::size_t>(k)];
      for (std::int64_t m = 0; m < count; ++m) {
        scale.push_back(static_cast<float>(worth));
        for (std::int64_t c = 0; c < inputs; ++c)
          ternary.push_back(static_cast<float>(factors.coefficients[static_cast<std::size_t>((k * inputs + c) * count + m)] * worth));
      }
      for (const std::int8_t value : factors.basis) basis.push_back(static_cast<float>(value * factors.basis_scale));
    }
    const bool one_scale = factors.scale.size() == 1;
    if (one_scale) scale.resize(1);
    const std::vector<std::int64_t> window{replacement.kernel_height, replacement.kernel_width};
    const std::string between = fresh(name + "_coefficients_out");
    const std::string w = weights(name + "_coefficients", {outputs * count, inputs, 1, 1}, ternary,
                                  one_scale ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{outputs * count, 1, 1, 1}, scale, 2);
    auto& first = node("Conv", name + "_coefficients_Conv", {conv.input(0), w}, between);
    attribute(first, "kernel_shape", std::vector<std::int64_t>{1, 1});
    const std::string b = weights(name + "_basis", {outputs, count, window[0], window[1]}, basis, {}, {static_cast<float>(factors.basis_scale)}, 8);
    const std::string bias_name = constant(name + "_bias", {outputs}, bias(conv, factors));
    auto& second = node("Conv", name + "_basis_Conv", {between, b, bias_name}, conv.output(0));
    attribute(second, "group", outputs);
    attribute(second, "kernel_shape", window);
    for (const auto& a : conv.attribute())
      if (a.name() == "strides" || a.name() == "pads" || a.name() == "auto_pad") *second.add_attribute() = a;
  }

  std::string file_;
  onnx::ModelProto model_;
  std::set<std::string> names_;
};

}  // namespace

Bytes with_factors(const Bytes& model, const std::string& file, const Replacements& replacements) {
  Rewriter rewriter(model, file);
  rewriter.replace(replacements);
  rewriter.sweep();
  return rewriter.bytes();
}

}  // namespace bitloom
