// Bit operations of well-known networks, from their shapes alone (weights do not matter), against figures derived from UNIQ's definition
// (Baskin et al., ACM TOCS 37, 2021). Shapes: He et al., CVPR 2016, with the stride of a bottleneck in its 3x3 convolution; Howard et al.,
// arXiv 1704.04861.
#include <cmath>

#include "catch2.hpp"
#include "core/network.hpp"

using namespace bitloom;

namespace {

struct Shape {
  int in = 1, out = 1, kernel = 1, size = 1;  ///< channels, kernel, rows and columns of the output
  int groups = 1;
};

/// One convolution as the integer network has it.
Network layer_of(const Shape& shape, int weight_bits, int activation_bits) {
  Network network;
  network.maps = {{"in", {shape.size, shape.size, shape.in}, ValueType::unsigned_bits(activation_bits)},
                  {"out", {shape.size, shape.size, shape.out}, ValueType::signed_bits(32)}};
  Convolution conv;
  conv.window.kernel_height = conv.window.kernel_width = shape.kernel;
  conv.out_channels = shape.out;
  conv.groups = shape.groups;
  conv.weight_type = weight_bits == 1 ? ValueType::bipolar() : ValueType::signed_bits(weight_bits);
  conv.weights.resize(static_cast<std::size_t>(shape.out) *
                      static_cast<std::size_t>(shape.kernel * shape.kernel * shape.in / shape.groups));
  network.layers = {{"conv", "conv", {0}, 1, conv}};
  return network;
}

std::vector<Shape> basic_resnet(const std::vector<int>& blocks) {
  std::vector<Shape> layers = {{3, 64, 7, 112}};
  int channels = 64;
  for (int stage = 0; stage < 4; ++stage) {
    const int out = 64 << stage, size = 56 >> stage;
    for (int block = 0; block < blocks[static_cast<std::size_t>(stage)]; ++block) {
      layers.insert(layers.end(), {{channels, out, 3, size}, {out, out, 3, size}});
      if (channels != out) layers.push_back({channels, out, 1, size});
      channels = out;
    }
  }
  layers.push_back({512, 1000});
  return layers;
}

std::vector<Shape> resnet_50() {
  std::vector<Shape> layers = {{3, 64, 7, 112}};
  int channels = 64;
  for (int stage = 0; stage < 4; ++stage) {
    const int width = 64 << stage, out = 4 * width, size = 56 >> stage;
    for (int block = 0; block < std::vector{3, 4, 6, 3}[static_cast<std::size_t>(stage)]; ++block) {
      const int before = block == 0 && stage > 0 ? 2 * size : size;  // of the 1x1 in front of a strided 3x3
      layers.insert(layers.end(), {{channels, width, 1, before}, {width, width, 3, size}, {width, out, 1, size}});
      if (block == 0) layers.push_back({channels, out, 1, size});
      channels = out;
    }
  }
  layers.push_back({2048, 1000});
  return layers;
}

std::vector<Shape> mobilenet_v1() {
  std::vector<Shape> layers = {{3, 32, 3, 112}};
  int channels = 32, size = 112;
  for (const auto& [out, stride] : std::vector<std::pair<int, int>>{{64, 1},
                                                                    {128, 2},
                                                                    {128, 1},
                                                                    {256, 2},
                                                                    {256, 1},
                                                                    {512, 2},
                                                                    {512, 1},
                                                                    {512, 1},
                                                                    {512, 1},
                                                                    {512, 1},
                                                                    {512, 1},
                                                                    {1024, 2},
                                                                    {1024, 1}}) {
    size /= stride;
    layers.insert(layers.end(), {{channels, channels, 3, size, channels}, {channels, out, 1, size}});
    channels = out;
  }
  layers.push_back({1024, 1000});
  return layers;
}

double giga_bops(const std::vector<Shape>& layers, int weight_bits, int activation_bits) {
  double sum = 0;
  for (const Shape& shape : layers) {
    const Network network = layer_of(shape, weight_bits, activation_bits);
    sum += bops_uniq(network, network.layers[0]);
  }
  return sum / 1e9;
}

double giga_macs(const std::vector<Shape>& layers) {
  double sum = 0;
  for (const Shape& shape : layers) {
    const Network network = layer_of(shape, 2, 2);
    sum += static_cast<double>(macs(network, network.layers[0]));
  }
  return sum / 1e9;
}

}  // namespace

TEST_CASE("bit operations of one layer") {
  const Shape shape{64, 64, 3, 56};
  CHECK(std::fabs(1e9 * giga_bops({shape}, 4, 4) - 3834625897.43) < 0.01);
  CHECK(std::fabs(1e9 * giga_bops({shape}, 1, 2) - 1638121321.43) < 0.01);
}

TEST_CASE("bit operations of ResNet-18, -34, -50 and MobileNet-V1 at 224 x 224") {
  struct Row {
    std::string name;
    std::vector<Shape> layers;
    double macs, at_32_32, at_5_8, at_4_8, at_4_4, at_3_3, at_1_2;  // 10^9
  };
  for (const Row& row : {Row{"ResNet-18", basic_resnet({2, 2, 2, 2}), 1.814, 1992.3, 114.8, 98.4, 62.2, 45.8, 27.7},
                         Row{"ResNet-34", basic_resnet({3, 4, 6, 3}), 3.664, 4024.8, 232.8, 199.8, 126.5, 93.5, 56.9},
                         Row{"ResNet-50", resnet_50(), 4.089, 4487.8, 255.5, 218.7, 136.9, 100.1, 59.2},
                         Row{"MobileNet-V1", mobilenet_v1(), 0.569, 623.4, 34.8, 29.6, 18.3, 13.1, 7.5}}) {
    CAPTURE(row.name);
    const auto equal = [](double found, double expected, double step) { return std::fabs(found - expected) <= step / 2 * 1.0001; };
    CHECK(equal(giga_macs(row.layers), row.macs, 0.001));
    CHECK(equal(giga_bops(row.layers, 32, 32), row.at_32_32, 0.1));
    CHECK(equal(giga_bops(row.layers, 5, 8), row.at_5_8, 0.1));
    CHECK(equal(giga_bops(row.layers, 4, 8), row.at_4_8, 0.1));
    CHECK(equal(giga_bops(row.layers, 4, 4), row.at_4_4, 0.1));
    CHECK(equal(giga_bops(row.layers, 3, 3), row.at_3_3, 0.1));
    CHECK(equal(giga_bops(row.layers, 1, 2), row.at_1_2, 0.1));
  }
}
