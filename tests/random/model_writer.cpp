#include "random/model_writer.hpp"

#include <set>

namespace bitloom::test {

ModelWriter::ModelWriter() {
  model_.set_ir_version(10);
  for (const auto& [domain, version] : std::map<std::string, int>{{"", 21}, {"qonnx.custom_op.general", 1}}) {
    auto* opset = model_.add_opset_import();
    opset->set_domain(domain);
    opset->set_version(version);
  }
  model_.mutable_graph()->set_name("random");
}

void ModelWriter::input(const std::string& name, int element_type, const Dims& dims) {
  auto* info = model_.mutable_graph()->add_input();
  info->set_name(name);
  auto* type = info->mutable_type()->mutable_tensor_type();
  type->set_elem_type(element_type);
  for (const std::int64_t dim : dims) type->mutable_shape()->add_dim()->set_dim_value(dim);
}

void ModelWriter::output(const std::string& name, int element_type) {
  auto* info = model_.mutable_graph()->add_output();
  info->set_name(name);
  info->mutable_type()->mutable_tensor_type()->set_elem_type(element_type);
}

std::string ModelWriter::floats(const Dims& dims, const std::vector<float>& values) {
  auto* tensor = model_.mutable_graph()->add_initializer();
  tensor->set_name("c" + std::to_string(count_++));
  tensor->set_data_type(1);
  for (const std::int64_t dim : dims) tensor->add_dims(dim);
  for (const float value : values) tensor->add_float_data(value);
  return tensor->name();
}

std::string ModelWriter::integers(const Dims& dims, const std::vector<std::int64_t>& values, int element_type) {
  auto* tensor = model_.mutable_graph()->add_initializer();
  tensor->set_name("c" + std::to_string(count_++));
  tensor->set_data_type(element_type);
  for (const std::int64_t dim : dims) tensor->add_dims(dim);
  const bool nibbles = element_type == 21 || element_type == 22;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (element_type == 7)
      tensor->add_int64_data(values[i]);
    else if (!nibbles)
      tensor->add_int32_data(static_cast<std::int32_t>(values[i]));
    else if (i % 2 == 0)
      tensor->add_int32_data(static_cast<std::int32_t>((values[i] & 15) | (i + 1 < values.size() ? (values[i + 1] & 15) << 4 : 0)));
  }
  return tensor->name();
}

std::string ModelWriter::node(const std::string& op, const std::vector<std::string>& inputs, const Attributes& attributes) {
  static const std::set<std::string> qonnx{"Quant", "BipolarQuant", "MultiThreshold", "Trunc"};
  auto* node = model_.mutable_graph()->add_node();
  node->set_op_type(op);
  if (qonnx.count(op) != 0) node->set_domain("qonnx.custom_op.general");
  node->set_name(op + "_" + std::to_string(count_++));
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(node->name() + "_out");
  for (const auto& [name, value] : attributes) {
    auto* attribute = node->add_attribute();
    attribute->set_name(name);
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      attribute->set_type(::onnx::AttributeProto::INT);
      attribute->set_i(*integer);
    } else if (const auto* number = std::get_if<float>(&value)) {
      attribute->set_type(::onnx::AttributeProto::FLOAT);
      attribute->set_f(*number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      attribute->set_type(::onnx::AttributeProto::STRING);
      attribute->set_s(*text);
    } else {
      attribute->set_type(::onnx::AttributeProto::INTS);
      for (const std::int64_t entry : std::get<Dims>(value)) attribute->add_ints(entry);
    }
  }
  return node->output(0);
}

std::string ModelWriter::bytes() const { return model_.SerializeAsString(); }

}  // namespace bitloom::test
