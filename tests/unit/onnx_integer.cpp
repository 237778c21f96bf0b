// RequantShift, rearranging operators and channels-last import, by hand; QDQ and integer products have official tests (onnx_backend.cpp).
#include "onnx/channels_last.hpp"
#include "onnx/executor.hpp"
#include "onnx_nodes.hpp"

using namespace bitloom;
using namespace bitloom::testing;

namespace {

Node requant(float div, std::int64_t levels, std::int64_t is_signed) {
  return make_node("RequantShift", {{"div", Tensor::floats({}, {div})}, {"n_levels", levels}, {"signed", is_signed}}, "PACTOps");
}

}  // namespace

TEST_CASE("RequantShift: halves up, floor below, clipped to its levels") {
  const auto y = [](const Node& node, Floats x) { return run(node, {vec(std::move(x)), scalar(1), scalar(0)}).f(); };
  CHECK(y(requant(2, 16, 1), {-5, -4, -3, -1, 0, 1, 3, 100, -100}) == Floats{-2, -2, -1, 0, 0, 1, 2, 7, -8});
  CHECK(y(requant(3, 4, 0), {-5, 1, 2, 4, 5, 100}) == Floats{0, 0, 1, 1, 2, 3});
  CHECK(run(requant(1, 256, 1), {Tensor::ints({2}, {7, -300}), scalar(1), scalar(0)}).i() == Ints{7, -128});
  // One value per channel, as a bare vector or with trailing axes.
  const Tensor x = Tensor::floats({1, 2, 2}, {1, 2, 3, 4});
  CHECK(run(requant(1, 256, 1), {x, vec({1, 10}), scalar(0)}).f() == Floats{1, 2, 30, 40});
  CHECK(run(requant(1, 256, 1), {x, Tensor::floats({2, 1, 1}, {1, 10}), scalar(0)}).f() == Floats{1, 2, 30, 40});
  CHECK_THROWS_WITH(y(requant(2, 16, 1), {0.5F}), contains_text("defined over 32-bit integers"));
  CHECK_THROWS_WITH(y(requant(0, 16, 1), {1}), contains_text("div is 0"));
}

TEST_CASE("nearest resizing, DepthToSpace, Pad, softmax") {
  const Tensor x = Tensor::floats({1, 1, 1, 3}, {1, 2, 3});
  const Tensor none = Tensor::floats({0}, {}), scales = Tensor::floats({4}, {1, 1, 2, 2});
  const Node floor =
      make_node("Resize", {{"coordinate_transformation_mode", std::string("asymmetric")}, {"nearest_mode", std::string("floor")}});
  CHECK(run(floor, {x, none, scales}).f() == Floats{1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3});
  const Node ceil =
      make_node("Resize", {{"coordinate_transformation_mode", std::string("asymmetric")}, {"nearest_mode", std::string("ceil")}});
  CHECK(run(ceil, {x, none, Tensor::floats({4}, {1, 1, 1, 2})}).f() == Floats{1, 2, 2, 3, 3, 3});
  CHECK_THROWS_WITH(run(make_node("Resize", {{"mode", std::string("linear")}}), {x, none, scales}), contains_text("'nearest'"));
  const Tensor blocks = Tensor::floats({1, 8, 1, 1}, {0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(run(make_node("DepthToSpace", {{"blocksize", std::int64_t{2}}}), {blocks}).f() == Floats{0, 2, 4, 6, 1, 3, 5, 7});
  CHECK(run(make_node("DepthToSpace", {{"blocksize", std::int64_t{2}}, {"mode", std::string("CRD")}}), {blocks}).f() ==
        Floats{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(run(make_node("Pad"), {vec({1, 2}), Tensor::ints({2}, {1, -1}), scalar(9)}).f() == Floats{9, 1});
  CHECK(run(make_node("Softmax"), {Tensor::floats({1, 2}, {1000, 1000})}).f() == Floats{0.5F, 0.5F});
  CHECK(run(make_node("Sigmoid"), {vec({0})}).f() == Floats{0.5F});
}

TEST_CASE("channels-last operators become standard ones between transposes") {
  Graph graph;
  graph.file = "last.onnx";
  graph.opset = 13;
  graph.inputs = {{"x", {1, 2, 3, 2}, true}};
  graph.outputs = {{"y", {}, true}};
  graph.initializers["w"] = Tensor::floats({1, 1, 2, 2}, {1, 2, 3, 4});  // [K, kernel.., C]
  Node node = make_node("Conv", {{"kernel_shape", Ints{1, 2}}}, "qonnx.custom_op.channels_last");
  node.inputs = {"x", "w"};
  graph.nodes = {node};
  expand_channels_last(graph);
  CHECK(graph.nodes.size() == 4);
  const Tensor x = Tensor::floats({1, 2, 3, 2}, {1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 2, 2});
  const Tensor y = FloatExecutor(graph).run({{"x", x}}).at("y");
  CHECK(y.shape == Ints{1, 2, 2, 1});
  CHECK(y.f() == Floats{1 + 4, 2, 3, 14});
  graph.nodes[0] = node;
  graph.nodes[0].op = "Upsample";
  CHECK_THROWS_WITH(expand_channels_last(graph), contains_text("Upsample of domain qonnx.custom_op.channels_last is not supported"));
}
