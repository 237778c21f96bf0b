// Executes a model in Bitloom's float executor and writes every value of it: for comparisons with other executions of the same file.
//
// usage: onnx_execute MODEL INPUTS.npz OUT.npz     INPUTS.npz: the model's inputs by name (may be absent for a model without inputs)
#include <fmt/format.h>

#include <filesystem>

#include "data/npy.hpp"
#include "onnx/executor.hpp"
#include "onnx/import.hpp"

using namespace bitloom;

int main(int count, char** arguments) {
  if (count != 4) {
    fmt::print(stderr, "usage: onnx_execute MODEL INPUTS.npz OUT.npz\n");
    return 2;
  }
  try {
    const FloatExecutor executor(import_onnx(arguments[1]));
    Tensors inputs;
    if (std::filesystem::exists(arguments[2]))
      for (const std::string& name : npz_keys(arguments[2])) inputs[name] = read_npz(arguments[2], name);
    Tensors values = executor.constants();
    for (auto& [name, tensor] : executor.run_all(inputs)) values[name] = tensor;
    std::vector<std::pair<std::string, Tensor>> arrays;
    for (const Node& node : executor.graph().nodes)
      for (const std::string& output : node.outputs)
        if (!output.empty()) arrays.emplace_back(output, values.at(output));
    write_npz(arguments[3], arrays);
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "onnx_execute: {}\n", error.what());
    return 1;
  }
}
