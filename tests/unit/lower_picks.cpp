// Operators that cut, pad and reorder maps, and sums over whole axes: golden against the float executor on random inputs.
#include <algorithm>

#include "lower_build.hpp"

using namespace bitloom;
using namespace bitloom::testing;
using Longs = std::vector<std::int64_t>;

namespace {

Tensor longs(std::vector<std::int64_t> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return Tensor::ints({count}, std::move(values));
}

std::map<std::string, Attribute> group_attributes(std::int64_t groups, std::int64_t pad = 0) {
  return {{"group", groups}, {"pads", Longs{pad, pad, pad, pad}}};
}

/// ShuffleNet's exchange between groups of channels.
Build& shuffle(Build& build, std::int64_t groups, std::int64_t channels, std::int64_t height, std::int64_t width) {
  return build.then("Reshape", {longs({1, groups, channels / groups, height, width})})
      .then("Transpose", {}, {{"perm", Longs{0, 2, 1, 3, 4}}})
      .then("Reshape", {longs({1, channels, height, width})});
}

std::string slice(Build& build, const std::string& input, Longs starts, Longs ends, Longs axes, Longs steps) {
  return build.add("Slice", {input, build.constant(longs(std::move(starts))), build.constant(longs(std::move(ends))),
                             build.constant(longs(std::move(axes))), build.constant(longs(std::move(steps)))});
}

int count_kind(const Network& network, const std::string& kind) {
  int count = 0;
  for (const Layer& layer : network.layers) count += kind_name(layer.op) == kind ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("shuffled channels in front of every kind of convolution, a pool and a fully connected layer") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const std::int64_t height = 4 + static_cast<std::int64_t>(seed % 2), width = 5;
    Build build({1, 6, height, width});
    build.quant(16, 4, false);
    shuffle(build, 3, 6, height, width);
    if (seed % 3 == 0) build.then("MaxPool", {}, {{"kernel_shape", Longs{1, 1}}});
    build.last = build.add("Conv",
                           {build.last, build.weights(random_tensor(random, {12, 1, 3, 3}, -4, 4), 0.5F, 3),
                            build.constant(random_tensor(random, {12}, -90, 90))},
                           group_attributes(6, 1));
    build.quant(16, 3, true);
    shuffle(build, 2, 12, height, width);  // two permutations, one behind the other
    build.conv(random_tensor(random, {8, 3, 1, 1}, -4, 4), 1, 3, group_attributes(4)).quant(4, 3, true);
    shuffle(build, 4, 8, height, width);
    build.conv(random_tensor(random, {4, 8, 2, 2}, -4, 4), 1, 3).quant(8, 5, true);
    shuffle(build, 2, 4, height - 1, width - 1).then("Flatten");
    build.matmul(random_tensor(random, {4 * (height - 1) * (width - 1), 3}, -4, 4), 1, 3);
    const Network network = check_equal(build.done(), {}, 5, seed);
    CHECK(count_kind(network, "convolution") == 5);  // one more than in the model: the shuffle in front of the grouped one
    const auto is_depthwise = [](const Layer& layer) {
      const auto* conv = std::get_if<Convolution>(&layer.op);
      return conv != nullptr && conv->groups == 6;
    };
    CHECK(std::count_if(network.layers.begin(), network.layers.end(), is_depthwise) == 1);
  }
}

TEST_CASE("sums and concatenations of maps with their channels in different orders") {
  std::mt19937_64 random(3);
  Build build({1, 4, 3, 3});
  build.quant(16, 4, false);
  const std::string plain = build.last;
  shuffle(build, 2, 4, 3, 3);
  const std::string mixed = build.last;
  const std::string sum = build.add("Add", {plain, mixed});
  build.last = build.add("Concat", {sum, mixed, plain}, {{"axis", std::int64_t{1}}});
  build.conv(random_tensor(random, {3, 12, 2, 2}, -4, 4), 1, 3);
  check_equal(build.done());
}

TEST_CASE("a Pad in front of a convolution costs nothing; elsewhere it is a layer") {
  std::mt19937_64 random(4);
  const Tensor pads = longs({0, 0, 1, 2, 0, 0, 0, 1}), zero = Tensor::floats({}, {0});
  for (const bool bipolar : {false, true}) {
    Build build({1, 2, 5, 4});
    if (bipolar)
      build.then("Sub", {Tensor::floats({}, {100})}).bipolar();
    else
      build.quant(16, 4, false);
    build.then("Pad", {pads, zero});
    build.conv(random_tensor(random, {3, 2, 2, 2}, -4, 4), 1, 3, {{"pads", Longs{0, 1, 1, 0}}}).quant(8, 3, true);
    const Network network = check_equal(build.done());
    CHECK(count_kind(network, "convolution") == 1);
    build.then("Pad", {pads, zero}).then("MaxPool", {}, {{"kernel_shape", Longs{2, 2}}}).then("Relu");
    build.then("Pad", {longs({0, 1, 0, 0, 0, 2, 0, 0}), zero});  // channels
    build.conv(random_tensor(random, {3, 6, 1, 1}, -4, 4), 1, 3);
    CHECK(count_kind(check_equal(build.done()), "convolution") == 4);
  }
  Build two({1, 1, 4, 4});  // read by a convolution and by something else
  two.quant(16, 4, false).then("Pad", {longs({0, 0, 1, 1, 0, 0, 1, 1}), zero});
  const std::string left = two.add("Conv", {two.last, two.weights(random_tensor(random, {1, 1, 1, 1}, -4, 4), 1, 3)});
  two.last = two.add("Add", {left, two.last});
  check_equal(two.done());
  Build odd({1, 1, 4, 4});
  odd.quant(16, 4, false).then("Pad", {longs({0, 0, 1, 1, 0, 0, 1, 1}), Tensor::floats({}, {3})});
  odd.conv(Tensor::floats({1, 1, 1, 1}, {1}), 1, 1);
  CHECK_THROWS_WITH(lower(odd.done()), contains_text("padded with 0"));
}

TEST_CASE("a quantized tensor is padded with its zero point") {
  std::mt19937_64 random(5);
  Build build({1, 1, 4, 4});
  Tensor zero = Tensor::ints({}, {10});
  zero.type = ElementType::Uint8;
  const Tensor scale = Tensor::floats({}, {2});
  build.then("QuantizeLinear", {scale, zero}).then("Pad", {longs({0, 0, 1, 1, 0, 0, 1, 1}), zero}).then("DequantizeLinear", {scale, zero});
  build.conv(random_tensor(random, {2, 1, 2, 2}, -4, 4), 1, 3);
  check_equal(build.done());
}

TEST_CASE("cuts: pixels in steps, parts of the channels, in either layout") {
  std::mt19937_64 random(6);
  Build focus({1, 3, 6, 8});  // YOLO's first layer: pixels in turn become channels
  focus.quant(16, 4, false);
  const std::string in = focus.last;
  std::vector<std::string> parts;
  for (const std::int64_t y : {0, 1})
    for (const std::int64_t x : {0, 1}) parts.push_back(slice(focus, in, {y, x}, {100, 100}, {2, 3}, {2, 2}));
  focus.last = focus.add("Concat", parts, {{"axis", std::int64_t{1}}});
  focus.conv(random_tensor(random, {4, 12, 2, 2}, -4, 4), 1, 3);
  check_equal(focus.done());

  Build build({1, 6, 5, 4});  // ShuffleNet's second kind: half of the channels passes by
  build.quant(16, 4, false);
  build.graph.nodes.push_back({});
  Node& split = build.graph.nodes.back();
  split.op = split.name = "Split";
  split.inputs = {build.last};
  split.outputs = {"left", "right"};
  split.attributes = {{"axis", std::int64_t{1}}};
  build.last = "right";
  build.conv(random_tensor(random, {3, 3, 1, 1}, -4, 4), 1, 3).quant(16, 4, true);
  build.last = build.add("Concat", {"left", build.last}, {{"axis", std::int64_t{1}}});
  build.last = slice(build, build.last, {1, -3}, {4, -1}, {2, 3}, {1, 1});
  build.then("Gather", {longs({5, 0, 0, -2})}, {{"axis", std::int64_t{1}}});
  check_equal(build.done());

  Build last({1, 6, 5, 4});  // channels in the middle of an NHWC tensor
  last.then("Transpose", {}, {{"perm", Longs{0, 2, 3, 1}}}).quant(16, 4, false);
  last.last = slice(last, last.last, {1, 0, 2}, {5, 4, 5}, {1, 2, 3}, {2, 3, 1});
  check_equal(last.done());

  Build turned({1, 1, 4, 4});
  turned.quant(16, 4, false);
  turned.last = slice(turned, turned.last, {-1}, {-100}, {2}, {-1});
  CHECK_THROWS_WITH(lower(turned.done()), contains_text("even steps"));
}

TEST_CASE("sums and means over whole axes") {
  for (const std::string op : {"ReduceMean", "ReduceSum"})
    for (const Longs& axes : {Longs{2, 3}, Longs{1}, Longs{3}, Longs{-2}, Longs{1, 2, 3}, Longs{}})
      for (const std::int64_t keep : {0, 1}) {
        INFO(op << " over " << axes.size() << " axes, keepdims " << keep);
        Build build({1, 4, 3, 2});
        build.quant(16, 4, false);
        std::map<std::string, Attribute> attributes{{"keepdims", keep}};
        if (op == "ReduceMean" && !axes.empty()) attributes["axes"] = axes;
        if (op == "ReduceSum" && !axes.empty())
          build.then(op, {longs(axes)}, attributes);
        else
          build.then(op, {}, attributes);
        check_equal(build.done());
        build.quant(8, 5, false);
        const Network network = check_equal(build.done());
        CHECK(count_kind(network, "convolution") == 1);
      }
  std::mt19937_64 random(7);
  Build build({1, 4, 3, 2});
  build.conv(random_tensor(random, {4, 4, 1, 1}, -4, 4), 1, 3);
  build.then("ReduceMax", {}, {{"axes", Longs{2, 3}}, {"keepdims", std::int64_t{0}}});
  build.quant(64, 4, true).matmul(random_tensor(random, {4, 2}, -4, 4), 1, 3);
  check_equal(build.done());
}

TEST_CASE("a function of one value that only rises over what it is given becomes a table") {
  Build build({1, 5});
  LowerOptions options;
  options.input_type = ValueType::signed_bits(8);
  options.input_bits = 7;
  build.then("iHardswish", {}, {{"one_over_six", std::int64_t{33}}, {"six", std::int64_t{1530}}, {"three", std::int64_t{765}}});
  build.then("RequantShift", {Tensor::floats({}, {3}), Tensor::floats({}, {0})},
             {{"div", Tensor::floats({}, {65536})}, {"n_levels", Tensor::floats({}, {256})}, {"signed", Tensor::floats({}, {1})}});
  check_equal(build.done(), options);

  Build division({1, 5});
  division.then("TrueIntegerDiv", {},
                {{"Delta", std::int64_t{16384}}, {"eps", std::int64_t{1}}, {"eta", std::int64_t{200000}}, {"y", std::int64_t{3}}});
  division.then("RequantShift", {Tensor::floats({}, {4}), Tensor::floats({}, {0})},
                {{"div", Tensor::floats({}, {65536})}, {"n_levels", Tensor::floats({}, {256})}, {"signed", Tensor::floats({}, {1})}});
  check_equal(division.done(), options);

  std::mt19937_64 random(8);
  Build scaled({1, 3, 4});
  Tensor weight = random_tensor(random, {3, 4}, -100, 100), bias = random_tensor(random, {4}, -5000, 5000);
  for (Tensor* tensor : {&weight, &bias})
    for (float& value : tensor->f()) value = std::nearbyint(value);
  scaled.then("iNoNorm", {weight, bias},
              {{"D", Tensor::floats({}, {4096})}, {"mul", Tensor::floats({}, {77})}, {"n_levels", Tensor::floats({}, {256})}});
  CHECK(kind_name(check_equal(scaled.done(), options).layers[0].op) == "requantize");
}

TEST_CASE("operators without an integer layer say what they would need") {
  Build build({1, 4});
  build.last = build.add("iSoftmax", {build.last});
  CHECK_THROWS_WITH(lower(build.done()), contains_text("divides by a sum"));
}
