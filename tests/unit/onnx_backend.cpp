// The official single-node tests of ONNX, for the operators that Bitloom executes.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "catch2.hpp"
#include "onnx/executor.hpp"
#include "onnx/import.hpp"
#include "onnx/operators.hpp"

using namespace bitloom;
namespace fs = std::filesystem;

namespace {

Tensor read_stored(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  return import_tensor_bytes(bytes.str(), path.filename().string());
}

bool close(const Tensor& a, const Tensor& b) {
  if (a.shape != b.shape || a.is_float() != b.is_float()) return false;
  if (!a.is_float()) return a.i() == b.i();
  for (std::size_t i = 0; i < a.f().size(); ++i)
    if (!(std::fabs(a.f()[i] - b.f()[i]) <= 1e-6F + 1e-5F * std::fabs(b.f()[i]))) return false;
  return true;
}

/// Supported by the importer and the operator table. What is not is listed by the test.
bool supported(const fs::path& folder, std::string& reason) {
  try {
    for (const Node& node : import_onnx(folder / "model.onnx").nodes) {
      if (find_operator(node) == nullptr) {
        reason = node.op;
        return false;
      }
      if (node.int_attribute("training_mode", 0) != 0) {
        reason = node.op + " of these tests";
        return false;
      }
    }
  } catch (const Error& error) {
    reason = error.what();
    return false;
  }
  return true;
}

}  // namespace

TEST_CASE("official single-node tests") {
  const char* shared = std::getenv("BITLOOM_SHARED");
  const fs::path root = fs::path(shared == nullptr ? "" : shared) / "models" / "onnx_backend_node";
  if (!fs::is_directory(root)) {
    WARN("skipped: $BITLOOM_SHARED/models/onnx_backend_node is absent");
    return;
  }
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root))
    if (entry.is_directory()) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  int run = 0, left_out = 0;
  std::map<std::string, int> left_out_for;
  for (const fs::path& folder : folders) {
    std::string reason;
    if (!supported(folder, reason)) {
      ++left_out;
      left_out_for[reason.substr(reason.find(": ") == std::string::npos ? 0 : reason.rfind(": ") + 2)] += 1;
      continue;
    }
    INFO(folder.filename().string());
    const FloatExecutor executor(import_onnx(folder / "model.onnx"));
    const Graph& graph = executor.graph();
    const fs::path data = folder / "test_data_set_0";
    Tensors inputs;
    for (std::size_t i = 0; i < graph.inputs.size(); ++i)
      inputs[graph.inputs[i].name] = read_stored(data / ("input_" + std::to_string(i) + ".pb"));
    Tensors outputs;
    REQUIRE_NOTHROW(outputs = executor.run(inputs));
    for (std::size_t i = 0; i < graph.outputs.size(); ++i)
      CHECK(close(outputs.at(graph.outputs[i].name), read_stored(data / ("output_" + std::to_string(i) + ".pb"))));
    ++run;
  }
  std::string reasons;
  for (const auto& [reason, count] : left_out_for) reasons += "\n  " + std::to_string(count) + " " + reason;
  WARN(run << " official tests executed, " << left_out << " left out:" << reasons);
  CHECK(run >= 140);
}
