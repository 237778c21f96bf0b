// Operators against values computed by hand from their specifications.
#include <limits>

#include "onnx_nodes.hpp"

using namespace bitloom;
using namespace bitloom::testing;

TEST_CASE("elementwise operators broadcast like numpy") {
  const Tensor a = Tensor::floats({2, 1}, {1, 10});
  const Tensor b = Tensor::floats({3}, {1, 2, 4});
  const Tensor sum = run(make_node("Add"), {a, b});
  CHECK(sum.shape == Ints{2, 3});
  CHECK(sum.f() == Floats{2, 3, 5, 11, 12, 14});
  CHECK(run(make_node("Sub"), {a, b}).f() == Floats{0, -1, -3, 9, 8, 6});
  CHECK(run(make_node("Mul"), {a, b}).f() == Floats{1, 2, 4, 10, 20, 40});
  CHECK(run(make_node("Div"), {a, b}).f() == Floats{1, 0.5F, 0.25F, 10, 5, 2.5F});
  CHECK(run(make_node("Min"), {a, b, scalar(3)}).f() == Floats{1, 1, 1, 1, 2, 3});
  CHECK(run(make_node("Max"), {a, b}).f() == Floats{1, 2, 4, 10, 10, 10});
  CHECK(run(make_node("Div"), {Tensor::ints({2}, {-7, 7}), Tensor::ints({}, {2})}).i() == Ints{-3, 3});
  CHECK_THROWS_WITH(run(make_node("Add"), {a, Tensor::floats({4, 5}, Floats(20))}), contains_text("cannot be broadcast"));
  CHECK_THROWS_WITH(run(make_node("Div"), {Tensor::ints({}, {1}), Tensor::ints({}, {0})}), contains_text("zero"));
  CHECK_THROWS_WITH(run(make_node("Add"), {a, Tensor::ints({}, {1})}), contains_text("mixes"));
}

TEST_CASE("unary operators") {
  const Tensor x = vec({-2.5F, -0.5F, 0, 0.5F, 1.5F, 2.5F});
  CHECK(run(make_node("Relu"), {x}).f() == Floats{0, 0, 0, 0.5F, 1.5F, 2.5F});
  CHECK(run(make_node("Round"), {x}).f() == Floats{-2, -0.0F, 0, 0, 2, 2});
  CHECK(run(make_node("Floor"), {x}).f() == Floats{-3, -1, 0, 0, 1, 2});
  CHECK(run(make_node("Ceil"), {x}).f() == Floats{-2, 0, 0, 1, 2, 3});
  CHECK(run(make_node("Sign"), {x}).f() == Floats{-1, -1, 0, 1, 1, 1});
  CHECK(run(make_node("Abs"), {x}).f() == Floats{2.5F, 0.5F, 0, 0.5F, 1.5F, 2.5F});
  CHECK(run(make_node("Neg"), {x}).f() == Floats{2.5F, 0.5F, 0, -0.5F, -1.5F, -2.5F});
  CHECK(run(make_node("Sqrt"), {vec({4, 2.25F})}).f() == Floats{2, 1.5F});
  CHECK(run(make_node("Pow"), {vec({2, 9}), scalar(0.5F)}).f()[1] == 3.0F);
  CHECK(run(make_node("LeakyRelu", {{"alpha", 0.5F}}), {vec({-4, 4})}).f() == Floats{-2, 4});
  CHECK(run(make_node("Clip"), {x, scalar(-1), scalar(1)}).f() == Floats{-1, -0.5F, 0, 0.5F, 1, 1});
  CHECK(run(make_node("Clip", {{"max", 1.0F}}), {x}, 6).f() == Floats{-2.5F, -0.5F, 0, 0.5F, 1, 1});
}

TEST_CASE("Quant: scale, zero point, saturation and every rounding mode") {
  const auto quant = [](const std::string& mode, std::int64_t is_signed, std::int64_t narrow, Floats x, float scale, float zero,
                        float bits) {
    const Node node = make_node("Quant", {{"rounding_mode", mode}, {"signed", is_signed}, {"narrow", narrow}}, "qonnx.custom_op.general");
    return run(node, {vec(std::move(x)), scalar(scale), scalar(zero), scalar(bits)}).f();
  };
  const Floats halves{-2.5F, -1.5F, -0.5F, 0.5F, 1.5F, 2.5F, 2.25F};
  CHECK(quant("ROUND", 1, 0, halves, 1, 0, 4) == Floats{-2, -2, 0, 0, 2, 2, 2});
  CHECK(quant("HALF_EVEN", 1, 0, halves, 1, 0, 4) == Floats{-2, -2, 0, 0, 2, 2, 2});
  CHECK(quant("CEIL", 1, 0, halves, 1, 0, 4) == Floats{-2, -1, 0, 1, 2, 3, 3});
  CHECK(quant("FLOOR", 1, 0, halves, 1, 0, 4) == Floats{-3, -2, -1, 0, 1, 2, 2});
  CHECK(quant("UP", 1, 0, halves, 1, 0, 4) == Floats{-3, -2, -1, 1, 2, 3, 3});
  CHECK(quant("DOWN", 1, 0, halves, 1, 0, 4) == Floats{-2, -1, 0, 0, 1, 2, 2});
  CHECK(quant("HALF_UP", 1, 0, halves, 1, 0, 4) == Floats{-3, -2, -1, 1, 2, 3, 2});
  CHECK(quant("HALF_DOWN", 1, 0, halves, 1, 0, 4) == Floats{-2, -1, 0, 0, 1, 2, 2});
  CHECK(quant("ROUND", 1, 0, {-100, 100}, 1, 0, 4) == Floats{-8, 7});
  CHECK(quant("ROUND", 1, 1, {-100, 100}, 1, 0, 4) == Floats{-7, 7});
  CHECK(quant("ROUND", 0, 0, {-100, 100}, 1, 0, 4) == Floats{0, 15});
  CHECK(quant("ROUND", 0, 1, {-100, 100}, 1, 0, 4) == Floats{0, 14});
  CHECK(quant("ROUND", 0, 0, {-100, 0.6F, 100}, 0.5F, 3, 3) == Floats{-1.5F, 0.5F, 2});
  CHECK(quant("ROUND", 1, 0, {-0.1F, 0, 3}, 0.5F, 0, 1) == Floats{-0.5F, 0.5F, 0.5F});
  CHECK_THROWS_WITH(quant("SIDEWAYS", 1, 0, {1}, 1, 0, 4), contains_text("rounding mode"));
  // One scale per channel.
  const Node node = make_node("Quant", {{"signed", std::int64_t{1}}, {"narrow", std::int64_t{0}}});
  CHECK(run(node, {Tensor::floats({2, 2}, {3, 3, 3, 3}), Tensor::floats({2, 1}, {1, 2}), scalar(0), scalar(8)}).f() == Floats{3, 3, 4, 4});
}

TEST_CASE("BipolarQuant, Trunc and MultiThreshold") {
  CHECK(run(make_node("BipolarQuant", {}, "onnx.brevitas"), {vec({-1, 0, 1}), scalar(0.5F)}).f() == Floats{-0.5F, 0.5F, 0.5F});
  // 6 bits to 4: divided by 4, rounded down, the scale kept.
  CHECK(run(make_node("Trunc"), {vec({7, 8, -1}), scalar(1), scalar(0), scalar(6), scalar(4)}).f() == Floats{1, 2, -1});
  const Node node = make_node("MultiThreshold", {{"out_scale", 2.0F}, {"out_bias", -1.0F}}, "finn.custom_op.general");
  const Tensor table = Tensor::floats({2, 2}, {0, 1, 10, 20});
  CHECK(run(node, {Tensor::floats({1, 2, 2}, {0, 1, 9, 20}), table}).f() == Floats{1, 3, -1, 3});
  Node last = node;
  last.attributes["data_layout"] = std::string("NHWC");
  CHECK(run(last, {Tensor::floats({1, 1, 2, 2}, {0, 10, 1, 20}), table}).f() == Floats{1, 1, 3, 3});
  CHECK_THROWS_WITH(run(node, {Tensor::floats({1, 3}, {0, 0, 0}), table}), contains_text("3 channels"));
}

TEST_CASE("BatchNormalization per channel") {
  const Tensor y = run(make_node("BatchNormalization", {{"epsilon", 0.0F}}),
                       {Tensor::floats({1, 2, 2}, {1, 2, 3, 4}), vec({2, 1}), vec({0, 5}), vec({1, 3}), vec({4, 1})});
  CHECK(y.f() == Floats{0, 1, 5, 6});
  CHECK_THROWS_WITH(run(make_node("BatchNormalization"), {Tensor::floats({1, 1}, {0}), vec({1, 2}), vec({0}), vec({1}), vec({1})}),
                    contains_text("parameter 1"));
}

TEST_CASE("Conv: padding, stride, dilation, groups, auto_pad, one dimension") {
  const Tensor x = Tensor::floats({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Tensor ones = Tensor::floats({1, 1, 2, 2}, {1, 1, 1, 1});
  CHECK(run(make_node("Conv"), {x, ones}).f() == Floats{12, 16, 24, 28});
  const Tensor padded = run(make_node("Conv", {{"pads", Ints{1, 1, 0, 0}}, {"strides", Ints{2, 2}}}), {x, ones, vec({0.5F})});
  CHECK(padded.f() == Floats{1.5F, 5.5F, 11.5F, 28.5F});
  CHECK(run(make_node("Conv", {{"dilations", Ints{2, 2}}}), {x, ones}).f() == Floats{20});
  const Tensor same = run(make_node("Conv", {{"auto_pad", std::string("SAME_UPPER")}}), {x, ones});
  CHECK(same.shape == Ints{1, 1, 3, 3});
  CHECK(same.f().back() == 9);
  const Tensor two = Tensor::floats({1, 2, 2}, {1, 2, 3, 4});
  CHECK(run(make_node("Conv", {{"group", std::int64_t{2}}}), {two, Tensor::floats({2, 1, 2}, {1, 1, 1, -1})}).f() == Floats{3, -1});
  CHECK_THROWS_WITH(run(make_node("Conv"), {x, Tensor::floats({1, 2, 2, 2}, Floats(8))}), contains_text("input channels"));
  CHECK_THROWS_WITH(run(make_node("Conv"), {x, Tensor::floats({1, 1, 5, 5}, Floats(25))}), contains_text("does not fit"));
}

TEST_CASE("pools") {
  const Tensor x = Tensor::floats({1, 1, 3, 3}, {-1, -2, -3, -4, -5, -6, -7, -8, -9});
  CHECK(run(make_node("MaxPool", {{"kernel_shape", Ints{2, 2}}}), {x}).f() == Floats{-1, -2, -4, -5});
  CHECK(run(make_node("MaxPool", {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{3, 3}}}), {x}).f() ==
        Floats{-1, -3, -7, -9});
  CHECK(run(make_node("MaxPool", {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", std::int64_t{1}}}), {x}).f() ==
        Floats{-1, -3, -7, -9});
  CHECK(run(make_node("AveragePool", {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{1, 1, 0, 0}}, {"strides", Ints{2, 2}}}), {x}).f() ==
        Floats{-1, -2.5F, -5.5F, -7});
  CHECK(run(make_node("GlobalAveragePool"), {x}).f() == Floats{-5});
}

TEST_CASE("matrix products") {
  const Tensor a = Tensor::floats({2, 2}, {1, 2, 3, 4});
  const Tensor b = Tensor::floats({2, 3}, {1, 0, 1, 0, 1, 1});
  CHECK(run(make_node("MatMul"), {a, b}).f() == Floats{1, 2, 3, 3, 4, 7});
  CHECK(run(make_node("MatMul"), {vec({1, 2}), b}).shape == Ints{3});
  CHECK(run(make_node("MatMul"), {Tensor::floats({2, 1, 2}, {1, 2, 3, 4}), b}).shape == Ints{2, 1, 3});
  CHECK(run(make_node("Gemm", {{"transA", std::int64_t{1}}, {"alpha", 2.0F}, {"beta", 0.5F}}), {a, b, vec({2, 4, 6})}).f() ==
        Floats{3, 8, 11, 5, 10, 15});
  CHECK_THROWS_WITH(run(make_node("MatMul"), {a, vec({1, 2, 3})}), contains_text("cannot be multiplied"));
}

TEST_CASE("shape operators and selections") {
  const Tensor x = Tensor::floats({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(run(make_node("Transpose"), {x}).f() == Floats{1, 4, 2, 5, 3, 6});
  CHECK(run(make_node("Reshape"), {x, Tensor::ints({2}, {-1, 2})}).shape == Ints{3, 2});
  CHECK(run(make_node("Reshape"), {x, Tensor::ints({3}, {0, 1, 3})}).shape == Ints{2, 1, 3});
  CHECK_THROWS_AS(run(make_node("Reshape"), {x, Tensor::ints({2}, {-1, 4})}), Error);
  CHECK(run(make_node("Flatten", {{"axis", std::int64_t{0}}}), {x}).shape == Ints{1, 6});
  CHECK(run(make_node("Unsqueeze", {{"axes", Ints{0}}}), {x}, 9).shape == Ints{1, 2, 3});
  CHECK(run(make_node("Squeeze"), {Tensor::floats({1, 2, 1}, {1, 2}), Tensor::ints({1}, {-1})}).shape == Ints{1, 2});
  CHECK(run(make_node("Concat", {{"axis", std::int64_t{1}}}), {x, x}).f() == Floats{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
  CHECK(run(make_node("Shape"), {x}).i() == Ints{2, 3});
  CHECK(run(make_node("Gather", {{"axis", std::int64_t{1}}}), {x, Tensor::ints({}, {-1})}).f() == Floats{3, 6});
  CHECK(
      run(make_node("Slice"), {x, Tensor::ints({1}, {2}), Tensor::ints({1}, {-4}), Tensor::ints({1}, {1}), Tensor::ints({1}, {-1})}).f() ==
      Floats{3, 2, 1, 6, 5, 4});
  CHECK(run(make_node("ArgMax", {{"axis", std::int64_t{1}}}), {Tensor::floats({1, 3}, {1, 5, 5})}).i() == Ints{1});
  const Node top = make_node("TopK");
  const Tensor scores = vec({1, 5, 5, 2}), k = Tensor::ints({1}, {2});
  CHECK(evaluate(top, {&scores, &k}, 13).at(1).i() == Ints{1, 2});
  CHECK(run(make_node("Cast", {{"to", std::int64_t{3}}}), {vec({-1.7F, 129})}).i() == Ints{-1, -127});
  CHECK_THROWS_AS(run(make_node("Cast", {{"to", std::int64_t{7}}}), {vec({std::numeric_limits<float>::quiet_NaN()})}), Error);
}

TEST_CASE("an unknown operator is named with its domain and what is supported") {
  CHECK_THROWS_WITH(
      run(make_node("Wavelet", {}, "my.domain"), {vec({1})}),
      contains_text("Wavelet_test: operator Wavelet of domain 'my.domain' is not supported") && contains_text("MultiThreshold"));
}
