#include "fuzz/damage.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>

namespace bitloom::fuzz {
namespace {

using Proto = ::onnx::AttributeProto;

class Damager {
 public:
  Damager(std::mt19937_64& random, ::onnx::ModelProto& model) : random_(random), graph_(*model.mutable_graph()), model_(model) {}

  /// One damage to the structure; what it was. Tries until one applies.
  std::string once() {
    static const std::vector<std::string (Damager::*)()> kinds = {
        &Damager::drop_node,       &Damager::repeat_node,        &Damager::swap_nodes,          &Damager::rename_input,
        &Damager::rename_input,    &Damager::rename_output,      &Damager::make_cycle,          &Damager::change_operator,
        &Damager::change_domain,   &Damager::change_attribute,   &Damager::change_attribute,    &Damager::change_attribute,
        &Damager::drop_attribute,  &Damager::retype_attribute,   &Damager::repeat_attribute,    &Damager::change_inputs,
        &Damager::change_dims,     &Damager::change_dims,        &Damager::change_type,         &Damager::change_values,
        &Damager::change_values,   &Damager::change_values,      &Damager::resize_data,         &Damager::drop_initializer,
        &Damager::rename_constant, &Damager::change_graph_input, &Damager::change_graph_output, &Damager::change_opset,
        &Damager::empty_tensor,    &Damager::reshape_tensor,     &Damager::insert_node,         &Damager::external_data,
    };
    for (int attempt = 0; attempt < 50; ++attempt) {
      const std::string what = (this->*kinds[below(kinds.size())])();
      if (!what.empty()) return what;
    }
    graph_.clear_node();
    return "all nodes dropped";
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  bool chance(int one_in) { return below(static_cast<std::size_t>(one_in)) == 0; }
  template <class T>
  const T& any(const std::vector<T>& values) {
    return values[below(values.size())];
  }
  std::int64_t extreme_int() {
    return any(std::vector<std::int64_t>{0,
                                         -1,
                                         1,
                                         2,
                                         3,
                                         5,
                                         7,
                                         16,
                                         64,
                                         -2,
                                         -17,
                                         255,
                                         1000,
                                         65536,
                                         1 << 20,
                                         INT32_MAX,
                                         INT32_MIN,
                                         INT64_MAX,
                                         INT64_MIN,
                                         std::int64_t{1} << 32,
                                         std::int64_t{1} << 40,
                                         -(std::int64_t{1} << 40)});
  }
  float extreme_float() {
    using L = std::numeric_limits<float>;
    return any(
        std::vector<float>{0,        -0.0F,         1,     -1,    0.5F,   2,      3,      100,           -100,           1e-3F,
                           1e10F,    -1e10F,        1e20F, 1e38F, -3e38F, 1e-38F, 1e-44F, L::infinity(), -L::infinity(), L::quiet_NaN(),
                           16777216, 2147483648.0F, 1e-20F});
  }

  ::onnx::NodeProto* any_node() {
    return graph_.node_size() == 0 ? nullptr : graph_.mutable_node(static_cast<int>(below(static_cast<std::size_t>(graph_.node_size()))));
  }
  Proto* any_attribute(std::string& where) {
    ::onnx::NodeProto* node = any_node();
    if (node == nullptr || node->attribute_size() == 0) return nullptr;
    Proto* attribute = node->mutable_attribute(static_cast<int>(below(static_cast<std::size_t>(node->attribute_size()))));
    where = node->name() + "." + attribute->name();
    return attribute;
  }
  /// An initializer, or a tensor that a node has as attribute.
  ::onnx::TensorProto* any_tensor() {
    if (graph_.initializer_size() == 0 || chance(8)) {
      for (int attempt = 0; attempt < 5; ++attempt) {
        std::string where;
        Proto* attribute = any_attribute(where);
        if (attribute != nullptr && attribute->has_t()) return attribute->mutable_t();
      }
    }
    return graph_.initializer_size() == 0
               ? nullptr
               : graph_.mutable_initializer(static_cast<int>(below(static_cast<std::size_t>(graph_.initializer_size()))));
  }
  std::string any_value() {
    std::vector<std::string> names{"", "nowhere"};
    for (const auto& node : graph_.node())
      for (const auto& name : node.output()) names.push_back(name);
    for (const auto& tensor : graph_.initializer()) names.push_back(tensor.name());
    for (const auto& input : graph_.input()) names.push_back(input.name());
    return any(names);
  }

  /// All who read `from` read `to`.
  void redirect(const std::string& from, const std::string& to) {
    for (auto& node : *graph_.mutable_node())
      for (auto& input : *node.mutable_input())
        if (input == from) input = to;
    for (auto& output : *graph_.mutable_output())
      if (output.name() == from) output.set_name(to);
  }

  std::string drop_node() {
    if (graph_.node_size() == 0) return "";
    const int i = static_cast<int>(below(static_cast<std::size_t>(graph_.node_size())));
    const std::string name = graph_.node(i).name();
    // Mostly its readers go on with its input, so that the rest of the model still means something.
    if (!chance(5) && graph_.node(i).input_size() > 0 && graph_.node(i).output_size() > 0) {
      const std::string from = graph_.node(i).output(0), to = graph_.node(i).input(0);
      redirect(from, to);
    }
    graph_.mutable_node()->DeleteSubrange(i, 1);
    return fmt::format("node {} dropped", name);
  }
  std::string repeat_node() {
    const ::onnx::NodeProto* node = any_node();
    if (node == nullptr) return "";
    ::onnx::NodeProto copy = *node;
    if (!chance(4) && copy.output_size() > 0) {  // behind itself; its readers read the copy
      const std::string value = copy.output(0), name = fmt::format("again{}", graph_.node_size());
      redirect(value, name);
      if (copy.input_size() > 0) copy.set_input(0, value);
      copy.set_output(0, name);
      copy.set_name(name);
    }
    *graph_.add_node() = copy;
    return fmt::format("node {} repeated", node->name());
  }
  std::string swap_nodes() {
    if (graph_.node_size() < 2) return "";
    const auto count = static_cast<std::size_t>(graph_.node_size());
    const int a = static_cast<int>(below(count)), b = static_cast<int>(below(count));
    const std::string left = graph_.node(a).op_type(), right = graph_.node(b).op_type();
    graph_.mutable_node(a)->set_op_type(right);
    graph_.mutable_node(b)->set_op_type(left);
    return fmt::format("operators {} and {} exchanged", left, right);
  }
  std::string rename_input() {
    ::onnx::NodeProto* node = any_node();
    if (node == nullptr || node->input_size() == 0) return "";
    const int i = static_cast<int>(below(static_cast<std::size_t>(node->input_size())));
    node->set_input(i, any_value());
    return fmt::format("input {} of {} is now '{}'", i, node->name(), node->input(i));
  }
  std::string rename_output() {
    ::onnx::NodeProto* node = any_node();
    if (node == nullptr || node->output_size() == 0) return "";
    node->set_output(static_cast<int>(below(static_cast<std::size_t>(node->output_size()))), any_value());
    return fmt::format("an output of {} renamed", node->name());
  }
  std::string make_cycle() {
    ::onnx::NodeProto* node = any_node();
    if (node == nullptr || node->input_size() == 0) return "";
    const ::onnx::NodeProto* later = chance(2) ? node : any_node();
    if (later->output_size() == 0) return "";
    node->set_input(0, later->output(0));
    return fmt::format("{} reads {}", node->name(), later->name());
  }
  std::string change_operator() {
    static const std::vector<std::string> names = {"Abs",
                                                   "Add",
                                                   "ArgMax",
                                                   "AveragePool",
                                                   "BatchNormalization",
                                                   "BipolarQuant",
                                                   "Cast",
                                                   "Ceil",
                                                   "Clip",
                                                   "Concat",
                                                   "Constant",
                                                   "Conv",
                                                   "ConvInteger",
                                                   "DepthToSpace",
                                                   "DequantizeLinear",
                                                   "Div",
                                                   "Dropout",
                                                   "DynamicQuantizeLinear",
                                                   "Flatten",
                                                   "Floor",
                                                   "Gather",
                                                   "Gemm",
                                                   "GlobalAveragePool",
                                                   "GlobalMaxPool",
                                                   "Identity",
                                                   "LeakyRelu",
                                                   "LogSoftmax",
                                                   "MatMul",
                                                   "MatMulInteger",
                                                   "Max",
                                                   "MaxPool",
                                                   "Min",
                                                   "Mul",
                                                   "MultiThreshold",
                                                   "Neg",
                                                   "Pad",
                                                   "Pow",
                                                   "QLinearConv",
                                                   "QLinearMatMul",
                                                   "Quant",
                                                   "QuantizeLinear",
                                                   "Relu",
                                                   "RequantShift",
                                                   "Reshape",
                                                   "Resize",
                                                   "Round",
                                                   "Shape",
                                                   "Sigmoid",
                                                   "Sign",
                                                   "Slice",
                                                   "Softmax",
                                                   "Sqrt",
                                                   "Squeeze",
                                                   "Sub",
                                                   "TopK",
                                                   "Transpose",
                                                   "Trunc",
                                                   "Unsqueeze",
                                                   "If",
                                                   "Loop",
                                                   "NoSuchOperator",
                                                   ""};
    ::onnx::NodeProto* node = any_node();
    if (node == nullptr) return "";
    const std::string before = node->op_type();
    node->set_op_type(any(names));
    if (chance(2)) node->clear_domain();
    return fmt::format("operator of {}: {} -> {}", node->name(), before, node->op_type());
  }
  std::string change_domain() {
    static const std::vector<std::string> names = {
        "", "ai.onnx", "qonnx.custom_op.general", "qonnx.custom_op.channels_last", "onnx.brevitas", "PACTOps", "unknown"};
    ::onnx::NodeProto* node = any_node();
    if (node == nullptr) return "";
    node->set_domain(any(names));
    return fmt::format("domain of {}: '{}'", node->name(), node->domain());
  }
  std::string change_attribute() {
    std::string where;
    Proto* attribute = any_attribute(where);
    if (attribute == nullptr) return "";
    static const std::vector<std::string> texts = {"",   "ROUND",  "FLOOR", "half_even", "SAME_UPPER", "SAME_LOWER", "VALID",   "NHWC",
                                                   "NC", "linear", "cubic", "nearest",   "DCR",        "CRD",        "\xff\xfe"};
    switch (attribute->type()) {
      case Proto::INT: attribute->set_i(extreme_int()); break;
      case Proto::FLOAT: attribute->set_f(extreme_float()); break;
      case Proto::STRING: attribute->set_s(any(texts)); break;
      case Proto::INTS:
        if (attribute->ints_size() > 0 && !chance(4))
          attribute->set_ints(static_cast<int>(below(static_cast<std::size_t>(attribute->ints_size()))), extreme_int());
        else if (attribute->ints_size() > 0 && chance(2))
          attribute->mutable_ints()->RemoveLast();
        else
          attribute->add_ints(extreme_int());
        break;
      case Proto::FLOATS: attribute->add_floats(extreme_float()); break;
      default: return "";
    }
    return fmt::format("attribute {} changed", where);
  }
  std::string drop_attribute() {
    ::onnx::NodeProto* node = any_node();
    if (node == nullptr || node->attribute_size() == 0) return "";
    const int i = static_cast<int>(below(static_cast<std::size_t>(node->attribute_size())));
    const std::string name = node->attribute(i).name();
    node->mutable_attribute()->DeleteSubrange(i, 1);
    return fmt::format("attribute {}.{} dropped", node->name(), name);
  }
  std::string retype_attribute() {
    std::string where;
    Proto* attribute = any_attribute(where);
    if (attribute == nullptr) return "";
    static const std::vector<Proto::AttributeType> types = {Proto::INT,    Proto::FLOAT,  Proto::STRING, Proto::INTS,
                                                            Proto::FLOATS, Proto::TENSOR, Proto::GRAPH,  Proto::STRINGS};
    attribute->set_type(any(types));
    return fmt::format("attribute {} is now of kind {}", where, static_cast<int>(attribute->type()));
  }
  std::string repeat_attribute() {
    std::string where;
    Proto* attribute = any_attribute(where);
    ::onnx::NodeProto* node = any_node();
    if (attribute == nullptr) return "";
    const Proto copy = *attribute;
    *node->add_attribute() = copy;
    return fmt::format("attribute {} copied to {}", where, node->name());
  }
  std::string change_inputs() {
    ::onnx::NodeProto* node = any_node();
    if (node == nullptr) return "";
    if (node->input_size() > 0 && chance(2))
      node->mutable_input()->RemoveLast();
    else if (node->input_size() > 1 && chance(2))
      node->mutable_input()->SwapElements(0, node->input_size() - 1);
    else if (node->output_size() > 0 && chance(3))
      chance(2) ? node->mutable_output()->RemoveLast() : static_cast<void>(*node->add_output() = node->name() + "_more");
    else
      *node->add_input() = any_value();
    return fmt::format("inputs or outputs of {} changed", node->name());
  }
  std::string change_dims() {
    ::onnx::TensorProto* tensor = any_tensor();
    if (tensor == nullptr) return "";
    if (tensor->dims_size() > 0 && !chance(4))
      tensor->set_dims(static_cast<int>(below(static_cast<std::size_t>(tensor->dims_size()))), extreme_int());
    else
      tensor->add_dims(extreme_int());
    const std::int64_t count = count_of(*tensor);
    if (chance(4) || count < 0 || count > 100000) return fmt::format("dimensions of {} changed", tensor->name());
    // With as many values as they need.
    const int type = tensor->data_type();
    const auto fit = [&](auto* field) { field->Resize(static_cast<int>(count), 1); };
    if (tensor->has_raw_data())
      tensor->mutable_raw_data()->resize(static_cast<std::size_t>(count) * (type == 7 || type == 11  ? 8
                                                                            : type == 1 || type == 6 ? 4
                                                                            : type == 2 || type == 3 ? 1
                                                                                                     : 2));
    else if (type == 1)
      fit(tensor->mutable_float_data());
    else if (type == 7)
      fit(tensor->mutable_int64_data());
    else
      fit(tensor->mutable_int32_data());
    return fmt::format("dimensions and data of {} changed", tensor->name());
  }
  std::string change_type() {
    ::onnx::TensorProto* tensor = any_tensor();
    if (tensor == nullptr) return "";
    // Types whose values lie in the same field, mostly.
    static const std::vector<int> narrow = {2, 3, 4, 5, 6, 9, 10, 16};
    const bool field = tensor->int32_data_size() > 0 && !chance(3);
    tensor->set_data_type(field ? any(narrow) : static_cast<int>(below(24)));
    return fmt::format("type of {}: {}", tensor->name(), tensor->data_type());
  }
  static std::int64_t count_of(const ::onnx::TensorProto& tensor) {
    std::int64_t count = 1;
    for (const std::int64_t d : tensor.dims())
      if (d < 0 || __builtin_mul_overflow(count, d, &count)) return -1;
    return count;
  }
  /// Values that fit the dimensions, of the type that it has or of another.
  std::string change_values() {
    ::onnx::TensorProto* tensor = any_tensor();
    if (tensor == nullptr) return "";
    const std::int64_t count = count_of(*tensor);
    if (count < 1 || count > 100000) return "";
    const bool all = chance(3);
    const auto at = static_cast<int>(below(static_cast<std::size_t>(count)));
    const float f = extreme_float();
    const std::int64_t i = extreme_int();
    if (tensor->has_raw_data() && tensor->data_type() == 1 && tensor->raw_data().size() == static_cast<std::size_t>(count) * 4) {
      for (int k = all ? 0 : at; k < (all ? static_cast<int>(count) : at + 1); ++k)
        tensor->mutable_raw_data()->replace(static_cast<std::size_t>(k) * 4, 4, reinterpret_cast<const char*>(&f), 4);
    } else if (tensor->has_raw_data()) {
      for (char& byte : *tensor->mutable_raw_data())
        if (all || chance(20)) byte = static_cast<char>(below(256));
    } else if (tensor->float_data_size() == count) {
      for (int k = 0; k < count; ++k)
        if (all || k == at) tensor->set_float_data(k, f);
    } else if (tensor->int64_data_size() == count) {
      for (int k = 0; k < count; ++k)
        if (all || k == at) tensor->set_int64_data(k, i);
    } else if (tensor->int32_data_size() == count) {
      for (int k = 0; k < count; ++k)
        if (all || k == at) tensor->set_int32_data(k, static_cast<std::int32_t>(i));
    } else {
      return "";
    }
    return fmt::format("{} of {}: {} or {}", all ? "all values" : "a value", tensor->name(), f, i);
  }
  std::string resize_data() {
    ::onnx::TensorProto* tensor = any_tensor();
    if (tensor == nullptr) return "";
    if (tensor->has_raw_data())
      tensor->mutable_raw_data()->resize(tensor->raw_data().size() / (1 + below(3)) + below(9));
    else if (tensor->float_data_size() > 0 && chance(2))
      tensor->mutable_float_data()->RemoveLast();
    else if (tensor->int64_data_size() > 0 && chance(2))
      tensor->mutable_int64_data()->RemoveLast();
    else
      chance(2) ? tensor->add_float_data(1) : tensor->add_int32_data(1);
    return fmt::format("data of {} shorter or longer", tensor->name());
  }
  std::string empty_tensor() {
    ::onnx::TensorProto* tensor = any_tensor();
    if (tensor == nullptr) return "";
    tensor->clear_raw_data();
    tensor->clear_float_data();
    tensor->clear_int32_data();
    tensor->clear_int64_data();
    if (chance(3)) tensor->clear_dims();
    if (tensor->dims_size() == 0)
      tensor->add_dims(0);
    else
      tensor->set_dims(static_cast<int>(below(static_cast<std::size_t>(tensor->dims_size()))), 0);
    return fmt::format("{} is empty", tensor->name());
  }
  /// Other dimensions for the same values.
  std::string reshape_tensor() {
    ::onnx::TensorProto* tensor = any_tensor();
    if (tensor == nullptr) return "";
    const std::int64_t count = count_of(*tensor);
    if (count < 0) return "";
    if (chance(3)) {
      tensor->clear_dims();
      tensor->add_dims(count);
    } else if (tensor->dims_size() > 1 && chance(2)) {
      tensor->mutable_dims()->SwapElements(0, tensor->dims_size() - 1);
    } else {
      tensor->add_dims(1);
    }
    return fmt::format("{} has other dimensions", tensor->name());
  }
  std::string drop_initializer() {
    if (graph_.initializer_size() == 0) return "";
    const int i = static_cast<int>(below(static_cast<std::size_t>(graph_.initializer_size())));
    const std::string name = graph_.initializer(i).name();
    graph_.mutable_initializer()->DeleteSubrange(i, 1);
    if (chance(2)) {  // the value is an input of the model now
      ::onnx::ValueInfoProto* input = graph_.add_input();
      input->set_name(name);
      input->mutable_type()->mutable_tensor_type()->set_elem_type(1);
    }
    return fmt::format("initializer {} dropped", name);
  }
  std::string rename_constant() {
    if (graph_.initializer_size() == 0) return "";
    ::onnx::TensorProto* tensor = graph_.mutable_initializer(static_cast<int>(below(static_cast<std::size_t>(graph_.initializer_size()))));
    tensor->set_name(any_value());
    return fmt::format("an initializer is called '{}'", tensor->name());
  }
  std::string change_graph_input() {
    if (graph_.input_size() == 0) return "";
    ::onnx::ValueInfoProto* input = graph_.mutable_input(static_cast<int>(below(static_cast<std::size_t>(graph_.input_size()))));
    auto* tensor = input->mutable_type()->mutable_tensor_type();
    auto* shape = tensor->mutable_shape();
    switch (below(6)) {
      case 0: tensor->set_elem_type(static_cast<int>(below(24))); break;
      case 1: shape->add_dim()->set_dim_value(extreme_int()); break;
      case 2:
        if (shape->dim_size() > 0) shape->mutable_dim()->RemoveLast();
        break;
      case 3: input->set_name(any_value()); break;
      default:
        if (shape->dim_size() == 0) return "";
        shape->mutable_dim(static_cast<int>(below(static_cast<std::size_t>(shape->dim_size()))))
            ->set_dim_value(chance(3) ? extreme_int() : static_cast<std::int64_t>(below(40)));
    }
    return fmt::format("input {} changed", input->name());
  }
  std::string change_graph_output() {
    switch (below(3)) {
      case 0:
        if (!chance(4)) return "";
        graph_.clear_output();
        return "no outputs";
      case 1: graph_.add_output()->set_name(any_value()); return "another output";
      default: break;
    }
    if (graph_.output_size() == 0) return "";
    graph_.mutable_output(0)->set_name(any_value());
    graph_.mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(1);
    return fmt::format("the output is '{}'", graph_.output(0).name());
  }
  std::string change_opset() {
    if (model_.opset_import_size() == 0) return "";
    auto* opset = model_.mutable_opset_import(0);
    opset->set_version(!chance(8) ? static_cast<std::int64_t>(1 + below(24)) : extreme_int());
    return fmt::format("operator set {}", opset->version());
  }
  /// An operator without parameters between a node and its readers.
  std::string insert_node() {
    static const std::vector<std::string> ops = {"Relu",          "Neg",
                                                 "Abs",           "Flatten",
                                                 "Sign",          "Sqrt",
                                                 "Floor",         "Softmax",
                                                 "GlobalMaxPool", "GlobalAveragePool",
                                                 "Identity",      "Transpose",
                                                 "Squeeze",       "Shape",
                                                 "ArgMax",        "DynamicQuantizeLinear",
                                                 "Sigmoid",       "Concat",
                                                 "Unsqueeze"};
    if (graph_.node_size() == 0 || graph_.node(0).output_size() == 0) return "";
    const ::onnx::NodeProto* node = any_node();
    if (node->output_size() == 0) return "";
    const std::string value = node->output(0);
    const std::string op = any(ops), name = fmt::format("inserted{}", graph_.node_size());
    redirect(value, name);
    ::onnx::NodeProto* added = graph_.add_node();
    added->set_op_type(op);
    added->set_name(name);
    added->add_input(value);
    added->add_output(name);
    return fmt::format("{} behind {}", op, value);
  }
  std::string external_data() {
    if (!chance(4)) return "";
    ::onnx::TensorProto* tensor = any_tensor();
    if (tensor == nullptr) return "";
    tensor->set_data_location(::onnx::TensorProto::EXTERNAL);
    return fmt::format("{} is said to be in another file", tensor->name());
  }

  std::mt19937_64& random_;
  ::onnx::GraphProto& graph_;
  ::onnx::ModelProto& model_;
};

std::string damage_bytes(std::mt19937_64& random, std::string& bytes) {
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, std::max<std::size_t>(n, 1) - 1)(random); };
  const std::size_t at = below(bytes.size()), length = std::min(1 + below(64), bytes.size() - at);
  switch (below(6)) {
    case 0: bytes.resize(at); return fmt::format("truncated to {} bytes", at);
    case 1: bytes.erase(at, length); return fmt::format("{} bytes lost at {}", length, at);
    case 2: bytes.insert(at, bytes.substr(below(bytes.size()), length)); return fmt::format("up to {} bytes inserted at {}", length, at);
    case 3:
      for (std::size_t i = at; i < at + length; ++i) bytes[i] = static_cast<char>(below(256));
      return fmt::format("{} bytes overwritten at {}", length, at);
    default: break;
  }
  const std::size_t flips = 1 + below(20);
  for (std::size_t i = 0; i < flips && !bytes.empty(); ++i) bytes[below(bytes.size())] ^= static_cast<char>(1 << below(8));
  return fmt::format("{} bits flipped", flips);
}

}  // namespace

Damaged damage(const std::vector<Seed>& seeds, std::uint64_t seed, std::uint64_t index) {
  std::seed_seq sequence{seed, index};
  std::mt19937_64 random(sequence);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  // The built models and the digits come first: half of all cases are theirs.
  const Seed& chosen = seeds[below(below(2) == 0 ? std::min<std::size_t>(seeds.size(), kBuiltSeeds) : seeds.size())];
  Damaged damaged{{}, chosen.name};
  ::onnx::ModelProto model = chosen.model;
  const bool structure = below(6) != 0;
  if (structure) {
    Damager damager(random, model);
    const std::size_t count = below(2) == 0 ? 1 : 1 + below(4);
    for (std::size_t i = 0; i < count; ++i) damaged.what += "; " + damager.once();
  }
  model.SerializeToString(&damaged.bytes);
  if (!structure) damaged.what += "; " + damage_bytes(random, damaged.bytes);
  return damaged;
}

}  // namespace bitloom::fuzz
