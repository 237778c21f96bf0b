#include "fuzz/seeds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

namespace bitloom::fuzz {
namespace {

namespace fs = std::filesystem;
using Dims = std::vector<std::int64_t>;

/// A model that grows at its end.
class Maker {
 public:
  Maker(std::string name, Dims shape, int type = 1, int opset = 13) : name_(std::move(name)), random_(name_.size()) {
    model_.set_ir_version(8);
    model_.add_opset_import()->set_version(opset);
    auto* qonnx = model_.add_opset_import();
    qonnx->set_domain("qonnx.custom_op.general");
    qonnx->set_version(1);
    model_.mutable_graph()->set_name(name_);
    describe(*model_.mutable_graph()->add_input(), "x", shape, type);
  }

  std::string floats(Dims dims, std::vector<float> values) {
    ::onnx::TensorProto& tensor = initializer(dims, 1);
    for (const float value : values) tensor.add_float_data(value);
    return tensor.name();
  }
  std::string scalar(float value) { return floats({}, {value}); }
  std::string ints(Dims dims, const std::vector<std::int64_t>& values, int type = 7) {
    ::onnx::TensorProto& tensor = initializer(dims, type);
    for (const std::int64_t value : values) {
      if (type == 7)
        tensor.add_int64_data(value);
      else
        tensor.add_int32_data(static_cast<std::int32_t>(value));
    }
    return tensor.name();
  }
  std::string random_floats(const Dims& dims, float low, float high) {
    std::uniform_real_distribution<float> value(low, high);
    std::vector<float> values(count(dims));
    for (float& v : values) v = value(random_);
    return floats(dims, values);
  }
  std::string random_ints(const Dims& dims, int low, int high, int type) {
    std::uniform_int_distribution<std::int64_t> value(low, high);
    std::vector<std::int64_t> values(count(dims));
    for (std::int64_t& v : values) v = value(random_);
    return ints(dims, values, type);
  }

  ::onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs, const std::string& domain = "") {
    ::onnx::NodeProto& node = *model_.mutable_graph()->add_node();
    node.set_op_type(op);
    node.set_name(op + std::to_string(number_++));
    node.set_domain(domain);
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(node.name() + "_out");
    return node;
  }
  /// A node on the last value, with constants behind it; it becomes the last.
  ::onnx::NodeProto& then(const std::string& op, std::vector<std::string> constants = {}, const std::string& domain = "") {
    constants.insert(constants.begin(), last);
    ::onnx::NodeProto& added = node(op, constants, domain);
    last = added.output(0);
    return added;
  }
  static void set(::onnx::NodeProto& node, const std::string& name, std::int64_t value) {
    auto& attribute = add_attribute(node, name, ::onnx::AttributeProto::INT);
    attribute.set_i(value);
  }
  static void set(::onnx::NodeProto& node, const std::string& name, const Dims& values) {
    auto& attribute = add_attribute(node, name, ::onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) attribute.add_ints(value);
  }
  static void set_float(::onnx::NodeProto& node, const std::string& name, float value) {
    add_attribute(node, name, ::onnx::AttributeProto::FLOAT).set_f(value);
  }
  static void set_text(::onnx::NodeProto& node, const std::string& name, const std::string& value) {
    add_attribute(node, name, ::onnx::AttributeProto::STRING).set_s(value);
  }

  std::string quantized(const std::string& value, float scale, float bits, bool is_signed, bool narrow = false) {
    ::onnx::NodeProto& quant = node("Quant", {value, scalar(scale), scalar(0), scalar(bits)}, "qonnx.custom_op.general");
    set(quant, "signed", is_signed);
    set(quant, "narrow", narrow);
    set_text(quant, "rounding_mode", "ROUND");
    return quant.output(0);
  }
  void quant(float scale, float bits, bool is_signed) { last = quantized(last, scale, bits, is_signed); }
  std::string weights(const Dims& dims, float bits = 3) { return quantized(random_floats(dims, -0.5F, 0.5F), 0.125F, bits, true, true); }
  void conv(const Dims& dims, const Dims& pads, std::int64_t groups = 1) {
    ::onnx::NodeProto& conv = then("Conv", {weights(dims)});
    set(conv, "kernel_shape", Dims(dims.begin() + 2, dims.end()));
    set(conv, "pads", pads);
    set(conv, "group", groups);
  }
  void pool(const std::string& op, std::int64_t size) {
    ::onnx::NodeProto& pool = then(op);
    set(pool, "kernel_shape", Dims{size, size});
    set(pool, "strides", Dims{size, size});
  }
  void batch_norm(std::int64_t channels) {
    set_float(then("BatchNormalization", {random_floats({channels}, 0.5F, 2), random_floats({channels}, -1, 1),
                                          random_floats({channels}, -1, 1), random_floats({channels}, 0.5F, 2)}),
              "epsilon", 1e-5F);
  }
  void output(const std::string& name, int type = 1) {
    auto* info = model_.mutable_graph()->add_output();
    info->set_name(name);
    info->mutable_type()->mutable_tensor_type()->set_elem_type(type);
  }
  Seed done() {
    output(last);
    return {name_, model_};
  }

  std::string last = "x";

 private:
  static std::size_t count(const Dims& dims) {
    std::size_t n = 1;
    for (const std::int64_t d : dims) n *= static_cast<std::size_t>(d);
    return n;
  }
  static void describe(::onnx::ValueInfoProto& info, const std::string& name, const Dims& shape, int type) {
    info.set_name(name);
    auto* tensor = info.mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    for (const std::int64_t d : shape) tensor->mutable_shape()->add_dim()->set_dim_value(d);
  }
  ::onnx::TensorProto& initializer(const Dims& dims, int type) {
    ::onnx::TensorProto& tensor = *model_.mutable_graph()->add_initializer();
    tensor.set_name("c" + std::to_string(number_++));
    tensor.set_data_type(type);
    for (const std::int64_t d : dims) tensor.add_dims(d);
    return tensor;
  }
  static ::onnx::AttributeProto& add_attribute(::onnx::NodeProto& node, const std::string& name,
                                               ::onnx::AttributeProto::AttributeType type) {
    ::onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(type);
    return attribute;
  }

  std::string name_;
  ::onnx::ModelProto model_;
  std::mt19937_64 random_;
  int number_ = 0;
};

Seed fully_connected() {
  Maker m("fully_connected", {1, 6});
  m.quant(1, 4, false);
  m.then("MatMul", {m.weights({6, 5})});
  m.batch_norm(5);
  m.then("BipolarQuant", {m.scalar(1)}, "qonnx.custom_op.general");
  ::onnx::NodeProto& gemm = m.then("Gemm", {m.weights({4, 5}), m.random_floats({4}, -1, 1)});
  Maker::set(gemm, "transB", 1);
  Maker::set_float(gemm, "alpha", 0.5F);
  m.then("Sigmoid");
  return m.done();
}

Seed convolutional() {
  Maker m("convolutional", {1, 2, 6, 6});
  m.then("Mul", {m.scalar(1.0F / 255)});
  m.quant(1.0F / 15, 4, false);
  m.conv({4, 2, 3, 3}, {1, 1, 1, 1});
  m.pool("MaxPool", 2);
  m.then("Relu");
  m.quant(0.25F, 2, false);
  m.conv({4, 1, 2, 2}, {0, 0, 1, 1}, 4);
  m.batch_norm(4);
  ::onnx::NodeProto& thresholds =
      m.then("MultiThreshold", {m.floats({4, 3}, {-1, 0, 1, -2, -1, 0, 0, 1, 2, -0.5F, 0, 0.5F})}, "qonnx.custom_op.general");
  Maker::set_float(thresholds, "out_scale", 0.5F);
  Maker::set_float(thresholds, "out_bias", -0.5F);
  m.then("Flatten");
  m.then("MatMul", {m.weights({36, 3})});
  m.then("LeakyRelu");
  m.quant(0.5F, 4, true);
  ::onnx::NodeProto& top = m.then("TopK", {m.ints({1}, {1})});
  Maker::set(top, "axis", 1);
  top.add_output("index");
  m.last = "index";
  return m.done();
}

Seed quantize_dequantize() {
  Maker m("quantize_dequantize", {1, 2, 5, 5});
  const auto step = [&](float scale, std::int64_t zero, int type) {
    m.then("QuantizeLinear", {m.scalar(scale), m.ints({}, {zero}, type)});
    m.then("DequantizeLinear", {m.scalar(scale), m.ints({}, {zero}, type)});
  };
  step(0.5F, 3, 2);
  ::onnx::NodeProto& dequantize =
      m.node("DequantizeLinear", {m.random_ints({3, 2, 3, 3}, -7, 7, 3), m.random_floats({3}, 0.1F, 0.2F), m.ints({3}, {0, 0, 0}, 3)});
  Maker::set(dequantize, "axis", 0);
  const std::string weights = dequantize.output(0);
  ::onnx::NodeProto& conv = m.then("Conv", {weights, m.random_floats({3}, -1, 1)});
  Maker::set(conv, "pads", Dims{1, 1, 1, 1});
  Maker::set_text(conv, "auto_pad", "NOTSET");
  step(0.25F, -4, 3);
  m.pool("AveragePool", 2);
  step(0.25F, 0, 3);
  m.then("Flatten");
  Maker::set(m.then("Softmax"), "axis", 1);
  return m.done();
}

Seed joined() {
  Maker m("joined", {1, 2, 4, 4});
  m.quant(1, 3, false);
  const std::string start = m.last;
  m.conv({2, 2, 3, 3}, {1, 1, 1, 1});
  m.quant(1, 3, true);
  const std::string left = m.last;
  m.last = m.node("Add", {left, start}).output(0);
  m.quant(2, 3, true);
  const std::string sum = m.last;
  ::onnx::NodeProto& concat = m.node("Concat", {sum, start});
  Maker::set(concat, "axis", 1);
  m.last = concat.output(0);
  ::onnx::NodeProto& resize = m.then("Resize", {"", m.floats({4}, {1, 1, 2, 2})});
  Maker::set_text(resize, "mode", "nearest");
  Maker::set_text(resize, "nearest_mode", "floor");
  Maker::set_text(resize, "coordinate_transformation_mode", "asymmetric");
  m.conv({3, 4, 1, 1}, {0, 0, 0, 0});
  m.then("Neg");
  m.quant(0.5F, 2, true);
  m.output(m.last);
  m.then("GlobalAveragePool");
  m.then("Reshape", {m.ints({2}, {1, -1})});
  return m.done();
}

Seed integers() {
  Maker m("integers", {1, 2, 4, 4}, 3);
  ::onnx::NodeProto& conv =
      m.then("QLinearConv", {m.scalar(0.5F), m.ints({}, {0}, 3), m.random_ints({3, 2, 3, 3}, -9, 9, 3), m.random_floats({3}, 0.1F, 0.2F),
                             m.ints({3}, {0, 0, 0}, 3), m.scalar(2), m.ints({}, {-3}, 3), m.random_ints({3}, -20, 20, 6)});
  Maker::set(conv, "pads", Dims{1, 1, 1, 1});
  m.then("ConvInteger", {m.random_ints({2, 3, 2, 2}, -3, 3, 3), m.ints({}, {-3}, 3)});
  ::onnx::NodeProto& cast = m.then("Cast");
  Maker::set(cast, "to", 1);
  ::onnx::NodeProto& shift = m.then("RequantShift", {m.floats({2, 1, 1}, {3, 5}), m.floats({2, 1, 1}, {7, -9})});
  Maker::set_float(shift, "div", 64);
  Maker::set_float(shift, "n_levels_out", 16);
  Maker::set_float(shift, "signed", 1);
  m.then("Flatten");
  m.then("MatMul", {m.floats({18, 2}, std::vector<float>(36, 2))});
  m.then("Add", {m.scalar(5)});
  m.then("Div", {m.scalar(16)});
  m.then("Floor");
  m.then("Clip", {m.scalar(-8), m.scalar(7)});
  return m.done();
}

Seed products() {
  Maker m("products", {1, 6}, 2);
  m.then("QLinearMatMul", {m.scalar(0.5F), m.ints({}, {0}, 2), m.random_ints({6, 4}, 0, 9, 2), m.scalar(0.1F), m.ints({}, {4}, 2),
                           m.scalar(2), m.ints({}, {5}, 2)});
  m.then("MatMulInteger", {m.random_ints({4, 3}, -3, 3, 3), m.ints({}, {5}, 2)});
  Maker::set(m.then("Cast"), "to", 1);
  m.then("Softmax");
  return m.done();
}

Seed channels_last() {
  Maker m("channels_last", {1, 5, 5, 2});
  const std::string domain = "qonnx.custom_op.channels_last";
  m.quant(1, 3, false);
  ::onnx::NodeProto& conv = m.then("Conv", {m.weights({3, 2, 2, 2})}, domain);
  Maker::set(conv, "kernel_shape", Dims{2, 2});
  m.quant(0.5F, 2, false);
  ::onnx::NodeProto& pool = m.then("MaxPool", {}, domain);
  Maker::set(pool, "kernel_shape", Dims{2, 2});
  Maker::set(pool, "strides", Dims{2, 2});
  Maker::set(m.then("Transpose"), "perm", Dims{0, 3, 1, 2});
  m.then("Flatten");
  m.then("MatMul", {m.weights({12, 3})});
  Maker::set(m.then("ArgMax"), "axis", 1);
  return m.done();
}

Seed shapes() {
  Maker m("shapes", {1, 4, 2, 2}, 1, 11);
  m.quant(1, 4, false);
  const std::string shape = m.node("Shape", {m.last}).output(0);
  const std::string batch = m.node("Gather", {shape, m.ints({}, {0})}).output(0);
  ::onnx::NodeProto& unsqueeze = m.node("Unsqueeze", {batch});
  Maker::set(unsqueeze, "axes", Dims{0});
  ::onnx::NodeProto& concat = m.node("Concat", {unsqueeze.output(0), m.ints({1}, {-1})});
  Maker::set(concat, "axis", 0);
  const std::string target = concat.output(0);
  m.then("Pad", {m.ints({8}, {0, 0, 0, 0, 0, 0, 0, 0})});
  m.conv({4, 4, 1, 1}, {0, 0, 0, 0});
  m.quant(0.5F, 3, true);
  Maker::set(m.then("DepthToSpace"), "blocksize", 2);
  const std::string front = m.node("Slice", {target, m.ints({1}, {0}), m.ints({1}, {2}), m.ints({1}, {0})}).output(0);
  m.then("Reshape", {front});
  ::onnx::NodeProto& constant = m.node("Constant", {});
  Maker::set_float(constant, "value_float", 2);
  const std::string power = m.node("Pow", {m.scalar(2), constant.output(0)}).output(0);
  m.then("Mul", {power});
  m.then("Max", {m.scalar(0)});
  m.then("Min", {m.scalar(9)});
  m.then("Round");
  m.then("Abs");
  m.then("Sqrt");
  m.quant(0.5F, 3, false);
  m.then("MatMul", {m.weights({16, 3})});
  m.then("Trunc", {m.scalar(1), m.scalar(0), m.scalar(8), m.scalar(4)}, "qonnx.custom_op.general");
  m.then("Sign");
  return m.done();
}

Seed one_dimension() {
  Maker m("one_dimension", {1, 2, 8});
  m.then("Sub", {m.floats({1, 2, 1}, {3, 5})});
  m.then("Div", {m.scalar(4)});
  m.quant(0.5F, 4, true);
  m.conv({3, 2, 3}, {1, 1});
  m.then("Ceil");
  m.quant(0.25F, 3, true);
  m.then("GlobalMaxPool");
  m.then("Squeeze", {m.ints({1}, {2})});
  m.then("Gemm", {m.weights({3, 2})});
  return m.done();
}

void load(std::vector<Seed>& seeds, const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  Seed seed{file.string(), {}};
  if (seed.model.ParseFromString(bytes.str())) seeds.push_back(std::move(seed));
}

}  // namespace

std::vector<Seed> built_seeds() {
  return {fully_connected(), convolutional(), quantize_dequantize(), joined(), integers(), products(),
          channels_last(),   shapes(),        one_dimension()};
}

std::vector<Seed> load_seeds(const fs::path& repository, const fs::path& shared, std::uintmax_t largest_file) {
  std::vector<Seed> seeds = built_seeds();
  for (const char* digits : {"digits-w1a1", "digits-w2a2"}) load(seeds, repository / fmt::format("sw/train/models/{}.onnx", digits));
  std::vector<fs::path> files;
  if (fs::is_directory(shared / "models"))
    for (const auto& entry : fs::recursive_directory_iterator(shared / "models"))
      if (entry.path().extension() == ".onnx" && entry.is_regular_file() && entry.file_size() <= largest_file)
        files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) load(seeds, file);
  return seeds;
}

}  // namespace bitloom::fuzz
