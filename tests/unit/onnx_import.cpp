// The importer: what it makes of a model, and what it says of damaged ones.
#include <fstream>

#include "catch2.hpp"
#include "onnx/executor.hpp"
#include "onnx/import.hpp"
#include "onnx/proto.hpp"

using namespace bitloom;

namespace {

/// y = Relu(x + w), with a Constant node, unnamed nodes and the initializer among the inputs.
::onnx::ModelProto small_model() {
  ::onnx::ModelProto model;
  model.set_ir_version(7);
  auto* opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(13);
  auto* entry = model.add_metadata_props();
  entry->set_key("author");
  entry->set_value("test");
  auto* graph = model.mutable_graph();
  graph->set_name("small");
  for (const char* name : {"x", "w"}) {
    auto* input = graph->add_input();
    input->set_name(name);
    auto* type = input->mutable_type()->mutable_tensor_type();
    type->set_elem_type(1);
    type->mutable_shape()->add_dim()->set_dim_param("N");
    type->mutable_shape()->add_dim()->set_dim_value(2);
  }
  auto* w = graph->add_initializer();
  w->set_name("w");
  w->set_data_type(1);
  w->add_dims(2);
  w->add_float_data(1);
  w->add_float_data(-5);
  auto* output = graph->add_output();
  output->set_name("y");
  output->mutable_type()->mutable_tensor_type()->set_elem_type(1);

  auto* constant = graph->add_node();
  constant->set_op_type("Constant");
  constant->add_output("two");
  auto* value = constant->add_attribute();
  value->set_name("value_float");
  value->set_type(::onnx::AttributeProto::FLOAT);
  value->set_f(2);
  const auto add_node = [&](const char* op, std::vector<const char*> inputs, const char* result) {
    auto* node = graph->add_node();
    node->set_op_type(op);
    for (const char* name : inputs) node->add_input(name);
    node->add_output(result);
  };
  add_node("Relu", {"s"}, "r");  // not in topological order
  add_node("Add", {"x", "w"}, "s");
  add_node("Mul", {"r", "two"}, "y");
  return model;
}

Graph imported(const ::onnx::ModelProto& model) { return import_onnx_bytes(model.SerializeAsString(), "model.onnx"); }

}  // namespace

TEST_CASE("a model becomes a float graph") {
  const Graph graph = imported(small_model());
  CHECK(graph.name == "small");
  CHECK(graph.opset == 13);
  CHECK(graph.metadata.at("author") == "test");
  REQUIRE(graph.inputs.size() == 1);
  CHECK(graph.inputs[0].shape == std::vector<std::int64_t>{-1, 2});
  CHECK(graph.initializers.size() == 2);
  REQUIRE(graph.nodes.size() == 3);
  CHECK(graph.nodes[0].name == "Add_2");
  CHECK(graph.nodes[1].name == "Relu_1");
  const Tensors out = FloatExecutor(graph).run({{"x", Tensor::floats({2, 2}, {1, 2, -3, 9})}});
  CHECK(out.at("y").f() == std::vector<float>{4, 0, 0, 8});
  CHECK_THROWS_WITH(FloatExecutor(graph).run({}), contains_text("no value given"));
  CHECK_THROWS_WITH(FloatExecutor(graph).run({{"x", Tensor::floats({1, 3}, {1, 2, 3})}}), contains_text("shape 1x3"));
}

TEST_CASE("damaged and unsupported models are refused with a reason") {
  ::onnx::ModelProto model = small_model();
  auto* graph = model.mutable_graph();
  SECTION("missing file") { CHECK_THROWS_WITH(import_onnx("no/such/file.onnx"), contains_text("no/such/file.onnx: cannot open")); }
  SECTION("a folder") { CHECK_THROWS_WITH(import_onnx("."), contains_text("folder")); }
  SECTION("empty") { CHECK_THROWS_WITH(import_onnx_bytes("", "f"), contains_text("f: this is not an ONNX model")); }
  SECTION("text") { CHECK_THROWS_WITH(import_onnx_bytes("hello, world", "f"), contains_text("not an ONNX")); }
  SECTION("no opset") {
    model.clear_opset_import();
    CHECK_THROWS_WITH(imported(model), contains_text("opset_import"));
  }
  SECTION("huge dimensions") {
    graph->mutable_initializer(0)->set_dims(0, std::int64_t{1} << 62);
    CHECK_THROWS_WITH(imported(model), contains_text("model.onnx: w: the dimensions name more values"));
  }
  SECTION("overflowing dimensions") {
    for (int i = 0; i < 4; ++i) graph->mutable_initializer(0)->add_dims(std::int64_t{1} << 33);
    CHECK_THROWS_WITH(imported(model), contains_text("more values"));
  }
  SECTION("negative dimension") {
    graph->mutable_initializer(0)->set_dims(0, -2);
    CHECK_THROWS_WITH(imported(model), contains_text("a dimension is -2"));
  }
  SECTION("wrong size") {
    graph->mutable_initializer(0)->set_dims(0, 3);
    CHECK_THROWS_WITH(imported(model), contains_text("2 values of data found, its dimensions need 3"));
  }
  SECTION("raw data of the wrong size") {
    graph->mutable_initializer(0)->clear_float_data();
    graph->mutable_initializer(0)->set_raw_data("abc");
    CHECK_THROWS_WITH(imported(model), contains_text("3 bytes of data found, its dimensions need 8"));
  }
  SECTION("external data") {
    graph->mutable_initializer(0)->set_data_location(::onnx::TensorProto::EXTERNAL);
    CHECK_THROWS_WITH(imported(model), contains_text("another file"));
  }
  SECTION("strings") {
    graph->mutable_initializer(0)->set_data_type(8);
    CHECK_THROWS_WITH(imported(model), contains_text("tensor type string"));
  }
  SECTION("cycle") {
    graph->mutable_node(2)->set_input(0, "r");
    CHECK_THROWS_WITH(imported(model), contains_text("cycle"));
  }
  SECTION("missing input") {
    graph->mutable_node(2)->set_input(0, "nowhere");
    CHECK_THROWS_WITH(imported(model), contains_text("Add_2: input 'nowhere' is defined nowhere"));
  }
  SECTION("defined twice") {
    graph->mutable_node(2)->set_output(0, "y");
    CHECK_THROWS_WITH(imported(model), contains_text("defined twice"));
  }
  SECTION("missing output") {
    graph->mutable_output(0)->set_name("z");
    CHECK_THROWS_WITH(imported(model), contains_text("output 'z'"));
  }
  SECTION("no outputs") {
    graph->clear_output();
    CHECK_THROWS_WITH(imported(model), contains_text("no outputs"));
  }
  SECTION("unknown operator") {
    graph->mutable_node(1)->set_op_type("Wavelet");
    CHECK_THROWS_WITH(FloatExecutor(imported(model)), contains_text("Wavelet_1: operator Wavelet"));
  }
}

TEST_CASE("no prefix or damaged copy of a model crashes the importer or the executor") {
  const std::string bytes = small_model().SerializeAsString();
  int refused = 0;
  const auto try_one = [&](const std::string& damaged) {
    try {
      const FloatExecutor executor(import_onnx_bytes(damaged, "f"));
      executor.run({{"x", Tensor::floats({1, 2}, {1, 2})}});
    } catch (const Error&) {
      ++refused;
    }
  };
  for (std::size_t n = 0; n < bytes.size(); ++n) try_one(bytes.substr(0, n));
  CHECK(refused > static_cast<int>(bytes.size()) / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (const int flip : {0x01, 0x08, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      try_one(damaged);
    }
}

TEST_CASE("stored tensors of every type") {
  ::onnx::TensorProto proto;
  proto.add_dims(2);
  const auto raw = [&](int type, const std::string& bytes) {
    proto.set_data_type(type);
    proto.set_raw_data(bytes);
    return import_tensor_bytes(proto.SerializeAsString(), "t");
  };
  using Ints = std::vector<std::int64_t>;
  CHECK(raw(2, "\x01\xff").i() == Ints{1, 255});
  CHECK(raw(3, "\x01\xff").i() == Ints{1, -1});
  CHECK(raw(5, std::string("\x01\x00\xfe\xff", 4)).i() == Ints{1, -2});
  CHECK(raw(9, std::string("\x00\x01", 2)).i() == Ints{0, 1});
  CHECK(raw(22, "\xf7").i() == Ints{7, -1});
  CHECK(raw(21, "\xf7").i() == Ints{7, 15});
  CHECK(raw(10, std::string("\x00\x3c\x01\x80", 4)).f() == std::vector<float>{1.0F, -0x1p-24F});
  CHECK(raw(16, std::string("\x80\x3f\x00\xc0", 4)).f() == std::vector<float>{1.0F, -2.0F});
  CHECK(raw(11, std::string("\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\0", 16)).f() == std::vector<float>{1.0F, 0.0F});
  CHECK_THROWS_WITH(raw(13, std::string(16, '\xff')), contains_text("63 bits"));
}
