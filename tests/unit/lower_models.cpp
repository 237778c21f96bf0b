// Integer networks of Deeploy and DORY with the tensors that their projects store beside them.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch2.hpp"
#include "data/npy.hpp"
#include "golden/golden.hpp"
#include "lower/lower.hpp"
#include "onnx/import.hpp"

using namespace bitloom;
namespace fs = std::filesystem;

namespace {

fs::path models() {
  const char* folder = std::getenv("BITLOOM_SHARED");
  return fs::path(folder == nullptr ? "" : folder) / "models";
}

std::vector<std::int32_t> narrowed(const Tensor& tensor) { return {tensor.i().begin(), tensor.i().end()}; }

/// DORY's text: a line about the shape, then one number a line.
std::vector<std::int32_t> read_text(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::vector<std::int32_t> values;
  while (std::getline(file, line))
    if (line.find_first_of("0123456789") != std::string::npos) values.push_back(static_cast<std::int32_t>(std::stod(line)));
  return values;
}

}  // namespace

TEST_CASE("Deeploy's integer networks give their stored outputs") {
  struct Case {
    const char* folder;
    const char* pixels;
  };
  const auto [folder, pixels] =
      GENERATE(Case{"MLPerf/KeywordSpotting", "u8"}, Case{"MLPerf/ImageClassification", "u8"}, Case{"MLPerf/AnomalyDetection", "u8"},
               Case{"MLPerf/VisualWakeWords", "u8"}, Case{"CNN_Linear1", "s8"}, Case{"CNN_Linear2", "u8"}, Case{"miniMobileNet", "u8"},
               Case{"miniMobileNetv2", "u8"});
  const fs::path path = models() / "deeploy" / "Models" / folder;
  if (!fs::exists(path / "network.onnx")) {
    WARN("skipped: deeploy/Models/" << folder << " is not in $BITLOOM_SHARED/models");
    return;
  }
  INFO(folder);
  LowerOptions options;
  options.input_type = ValueType::parse(pixels);
  const Golden golden(lower(import_onnx(path / "network.onnx"), options));
  const auto maps = golden.run(network_input(golden.network(), narrowed(read_npz(path / "inputs.npz"))));
  const NetworkOutput& output = golden.network().outputs.at(0);
  const std::vector<std::int64_t> expected = read_npz(path / "outputs.npz").i();
  CHECK(real_output(output, maps[static_cast<std::size_t>(output.map)]) == std::vector<double>(expected.begin(), expected.end()));
}

TEST_CASE("DORY's networks give every stored layer") {
  struct Case {
    const char* file;
    int layers;
  };
  const auto [file, layers] = GENERATE(Case{"TCN_test_library/TCN.onnx", 13}, Case{"Residual_connection_test_1/model_int.onnx", 8});
  const fs::path path = models() / "dory" / file;
  if (!fs::exists(path)) {
    WARN("skipped: dory/" << file << " is not in $BITLOOM_SHARED/models");
    return;
  }
  const Golden golden(lower(import_onnx(path)));
  const auto maps = golden.run(network_input(golden.network(), read_text(path.parent_path() / "input.txt")));
  for (int layer = 0; layer < layers; ++layer) {
    INFO(file << ", layer " << layer);
    const auto stored = read_text(path.parent_path() / ("out_layer" + std::to_string(layer) + ".txt"));
    // Both hold values in the order height, width, channel.
    CHECK(std::any_of(maps.begin(), maps.end(), [&](const MapData& map) { return map.values == stored; }));
  }
}
