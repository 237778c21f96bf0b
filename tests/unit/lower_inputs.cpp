// Models with several inputs become models with one.
#include "lower/join_inputs.hpp"
#include "lower_build.hpp"

using namespace bitloom;
using namespace bitloom::testing;

namespace {

/// A second input beside Build's, quantized like the first.
std::string second_input(Build& build, std::vector<std::int64_t> shape) {
  build.graph.inputs.push_back(build.graph.inputs[0]);
  build.graph.inputs.back().name = "second";
  build.graph.inputs.back().shape = std::move(shape);
  return "second";
}

}  // namespace

TEST_CASE("maps of one size are joined along the channels") {
  Build build({1, 2, 3, 4});
  const std::string second = second_input(build, {1, 1, 3, 4});
  build.last = build.add("Concat", {build.last, second});
  build.graph.nodes.back().attributes["axis"] = std::int64_t{1};
  build.quant(64, 3, false).conv(Tensor::floats({1, 3, 2, 2}, {1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1}), 1, 2);
  const Graph joined = join_inputs(build.done());
  REQUIRE(joined.inputs.size() == 1);
  CHECK(joined.inputs[0].name == "x+second");
  CHECK(joined.inputs[0].shape == std::vector<std::int64_t>{1, 3, 3, 4});
  check_equal(joined);
}

TEST_CASE("inputs of other shapes are joined as one row of values") {
  Build build({1, 4});
  const std::string second = second_input(build, {1, 2, 2});
  build.graph.initializers["flat"] = Tensor::ints({2}, {1, 4});
  const std::string row = build.add("Reshape", {second, "flat"});
  build.last = build.add("Add", {build.last, row});
  build.quant(64, 4, false);
  const Graph joined = join_inputs(build.done());
  CHECK(joined.inputs[0].shape == std::vector<std::int64_t>{1, 8});
  check_equal(joined);
}

TEST_CASE("inputs without shapes, or of different types, are refused by name") {
  Build open({1, 4});
  second_input(open, {1, -1});
  CHECK_THROWS_WITH(join_inputs(open.done()), contains_text("second") && contains_text("fixed shapes"));
  Build mixed({1, 4});
  second_input(mixed, {1, 4});
  mixed.graph.inputs[1].is_float = false;
  CHECK_THROWS_WITH(join_inputs(mixed.done()), contains_text("second") && contains_text("element type"));
}
