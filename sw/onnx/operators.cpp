#include "onnx/operators.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "onnx/operator_list.hpp"

namespace bitloom {
namespace {

const std::map<std::string, Operator>& standard_operators() {
  static const std::map<std::string, Operator> table = {
      {"Abs", {op::abs, true}},
      {"Add", {op::add, true}},
      {"ArgMax", {op::arg_max, false}},
      {"AveragePool", {op::average_pool, false}},
      {"BatchNormalization", {op::batch_normalization, true}},
      {"BitShift", {op::bit_shift, true}},
      {"Cast", {op::cast, true}},
      {"Ceil", {op::ceil, true}},
      {"Clip", {op::clip, true}},
      {"Concat", {op::concat, false}},
      {"Conv", {op::conv, false}},
      {"ConvInteger", {op::conv_integer, false}},
      {"DepthToSpace", {op::depth_to_space, false}},
      {"DequantizeLinear", {op::dequantize_linear, true}},
      {"Div", {op::div, true}},
      {"Dropout", {op::identity, true}},
      {"DynamicQuantizeLinear", {op::dynamic_quantize_linear, false}},
      {"Flatten", {op::flatten, false}},
      {"Floor", {op::floor, true}},
      {"Gather", {op::gather, false}},
      {"Gemm", {op::gemm, false}},
      {"GlobalAveragePool", {op::global_average_pool, false}},
      {"GlobalMaxPool", {op::global_max_pool, false}},
      {"Identity", {op::identity, true}},
      {"LeakyRelu", {op::leaky_relu, true}},
      {"LogSoftmax", {op::log_softmax, false}},
      {"MatMul", {op::matmul, false}},
      {"MatMulInteger", {op::matmul_integer, false}},
      {"Max", {op::max, true}},
      {"MaxPool", {op::max_pool, false}},
      {"Min", {op::min, true}},
      {"Mul", {op::mul, true}},
      {"Neg", {op::neg, true}},
      {"Pad", {op::pad, false}},
      {"Pow", {op::pow, true}},
      {"QLinearConv", {op::qlinear_conv, false}},
      {"QLinearMatMul", {op::qlinear_matmul, false}},
      {"QuantizeLinear", {op::quantize_linear, true}},
      {"ReduceMax", {op::reduce_max, false}},
      {"ReduceMean", {op::reduce_mean, false}},
      {"ReduceMin", {op::reduce_min, false}},
      {"ReduceSum", {op::reduce_sum, false}},
      {"Relu", {op::relu, true}},
      {"Reshape", {op::reshape, false}},
      {"Resize", {op::resize, false}},
      {"Round", {op::round, true}},
      {"Shape", {op::shape, false}},
      {"Sigmoid", {op::sigmoid, true}},
      {"Sign", {op::sign, true}},
      {"Slice", {op::slice, false}},
      {"Softmax", {op::softmax, false}},
      {"Split", {op::split, false}},
      {"Sqrt", {op::sqrt, true}},
      {"Squeeze", {op::squeeze, false}},
      {"Sub", {op::sub, true}},
      {"TopK", {op::top_k, false}},
      {"Transpose", {op::transpose, false}},
      {"Unsqueeze", {op::unsqueeze, false}},
  };
  return table;
}

const std::map<std::string, Operator>& qonnx_operators() {
  static const std::map<std::string, Operator> table = {
      {"BipolarQuant", {op::bipolar_quant, true}},
      {"MultiThreshold", {op::multi_threshold, true}},
      {"Quant", {op::quant, true}},
      {"Trunc", {op::trunc, true}},
  };
  return table;
}

/// The integer dialect of PULP's tools (Deeploy, DORY, quantlib), which write its operators under several domains.
const std::map<std::string, Operator>& pulp_operators() {
  static const std::map<std::string, Operator> table = {{"RequantShift", {op::requant_shift, true}},
                                                        {"TrueIntegerDiv", {op::true_integer_div, true}},
                                                        {"iHardswish", {op::integer_hardswish, true}},
                                                        {"iNoNorm", {op::integer_nonorm, true}}};
  return table;
}

bool is_pulp_domain(const std::string& domain) { return domain.empty() || domain == "PACTOps" || domain == "ai.onnx.contrib"; }

bool is_qonnx_domain(const std::string& domain) {
  static const std::set<std::string> domains = {"", "qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general"};
  return domains.count(domain) != 0;
}

}  // namespace

const Tensor& Arguments::at(std::size_t i) const {
  if (!has(i)) throw Error(node.name, fmt::format("input {} of this {} is missing", i, node.op));
  return *inputs[i];
}

const Operator* find_operator(const Node& node) {
  const auto& standard = standard_operators();
  if (const auto found = standard.find(node.op); found != standard.end() && node.domain.empty()) return &found->second;
  const auto& qonnx = qonnx_operators();
  if (const auto found = qonnx.find(node.op); found != qonnx.end() && is_qonnx_domain(node.domain)) return &found->second;
  const auto& pulp = pulp_operators();
  if (const auto found = pulp.find(node.op); found != pulp.end() && is_pulp_domain(node.domain)) return &found->second;
  return nullptr;
}

std::string supported_operators() {
  std::string names;
  for (const auto* table : {&standard_operators(), &qonnx_operators(), &pulp_operators()})
    for (const auto& [name, unused] : *table) names += (names.empty() ? "" : ", ") + name;
  return names;
}

std::vector<Tensor> evaluate(const Node& node, const std::vector<const Tensor*>& inputs, int opset) {
  const Operator* found = find_operator(node);
  if (found == nullptr)
    throw Error(node.name, fmt::format("operator {} of domain '{}' is not supported; supported are {}", node.op,
                                       node.domain.empty() ? "ai.onnx" : node.domain, supported_operators()));
  try {
    return found->evaluate({node, inputs, opset});
  } catch (const Error& error) {
    if (!error.where().empty()) throw;
    throw Error(node.name, fmt::format("{} ({})", error.what(), node.op));
  }
}

bool is_elementwise(const Node& node) {
  const Operator* found = find_operator(node);
  return found != nullptr && found->elementwise;
}

}  // namespace bitloom
