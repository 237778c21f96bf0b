// The TFC networks of the QONNX model zoo on MNIST: golden on the lowered network and the float executor must classify every test image
// alike, and reach the accuracy that an independent execution in numpy gives.
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "catch2.hpp"
#include "golden/golden.hpp"
#include "lower/lower.hpp"
#include "onnx/executor.hpp"
#include "onnx/import.hpp"

using namespace bitloom;

namespace {

std::filesystem::path shared() {
  const char* folder = std::getenv("BITLOOM_SHARED");
  return folder == nullptr ? std::filesystem::path() : std::filesystem::path(folder);
}

std::vector<unsigned char> read_gz(const std::filesystem::path& path, std::size_t header) {
  gzFile file = gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::vector<unsigned char> bytes, block(1 << 16);
  for (int n = 0; (n = gzread(file, block.data(), static_cast<unsigned>(block.size()))) > 0;)
    bytes.insert(bytes.end(), block.begin(), block.begin() + n);
  gzclose(file);
  REQUIRE(bytes.size() > header);
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header));
  return bytes;
}

template <class Values>
int first_largest(const Values& values, std::size_t first, std::size_t count) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first);
  return static_cast<int>(std::max_element(begin, begin + static_cast<std::ptrdiff_t>(count)) - begin);
}

}  // namespace

TEST_CASE("TFC networks reach their accuracy on MNIST, golden and float alike") {
  struct Case {
    const char* file;
    int correct;
  };
  const auto [file, correct] = GENERATE(Case{"TFC_1W1A.onnx", 9296}, Case{"TFC_1W2A.onnx", 9474}, Case{"TFC_2W2A.onnx", 9660});
  const auto model = shared() / "models" / "tfc" / file;
  if (!std::filesystem::exists(model)) {
    WARN("skipped: " << file << " is not in $BITLOOM_SHARED/models/tfc");
    return;
  }
  const auto pixels = read_gz(shared() / "data/mnist/t10k-images-idx3-ubyte.gz", 16);
  const auto labels = read_gz(shared() / "data/mnist/t10k-labels-idx1-ubyte.gz", 8);
  constexpr std::size_t kImages = 10000, kPixels = 784, kClasses = 10, kBatch = 500;
  REQUIRE(pixels.size() == kImages * kPixels);

  const Graph graph = import_onnx(model);
  LowerOptions options;
  options.input_scale = 1.0 / 255;
  const Golden golden(lower(graph, options));
  options.argmax = true;
  const Golden with_argmax(lower(graph, options));
  const FloatExecutor executor(graph);
  const NetworkOutput& output = golden.network().outputs.at(0);
  CHECK(output.exact_order);

  int golden_correct = 0, float_correct = 0, different_class = 0, different_score = 0;
  double largest_error = 0;
  for (std::size_t start = 0; start < kImages; start += kBatch) {
    std::vector<float> x(kBatch * kPixels);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(pixels[start * kPixels + i] * options.input_scale);
    const Tensors real = executor.run({{graph.inputs[0].name, Tensor::floats({kBatch, 1, 28, 28}, std::move(x))}});
    const std::vector<float>& scores = real.at(graph.outputs[0].name).f();
    for (std::size_t i = 0; i < kBatch; ++i) {
      const auto* image = pixels.data() + (start + i) * kPixels;
      const MapData input = network_input(golden.network(), std::vector<std::int32_t>(image, image + kPixels));
      const auto maps = golden.run(input);
      const auto score = real_output(output, maps[static_cast<std::size_t>(output.map)]);
      const int golden_class = first_largest(score, 0, kClasses), float_class = first_largest(scores, i * kClasses, kClasses);
      if (i == 0) {
        const auto index = with_argmax.run(input);
        CHECK(index.back().values == std::vector<std::int32_t>{golden_class});
      }
      bool same = true;
      for (std::size_t c = 0; c < kClasses; ++c) {
        const double error = std::fabs(score[c] - static_cast<double>(scores[i * kClasses + c]));
        largest_error = std::max(largest_error, error);
        same = same && error < 1e-4;
      }
      different_score += same ? 0 : 1;
      different_class += golden_class == float_class ? 0 : 1;
      golden_correct += golden_class == labels[start + i] ? 1 : 0;
      float_correct += float_class == labels[start + i] ? 1 : 0;
    }
  }
  WARN(file << ": golden " << golden_correct / 100.0 << " %, float " << float_correct / 100.0 << " %, images with another class "
            << different_class << ", with other scores " << different_score << ", largest float32 rounding of a score " << largest_error);
  CHECK(golden_correct == correct);
  CHECK(float_correct == correct);
  CHECK(different_class == 0);
  CHECK(different_score == 0);
}
