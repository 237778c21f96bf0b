// ONNX models written node by node.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "onnx/proto.hpp"

namespace bitloom::test {

class ModelWriter {
 public:
  using Dims = std::vector<std::int64_t>;
  using Value = std::variant<std::int64_t, float, std::string, Dims>;
  using Attributes = std::map<std::string, Value>;

  ModelWriter();

  void input(const std::string& name, int element_type, const Dims& dims);
  void output(const std::string& name, int element_type);
  std::string floats(const Dims& dims, const std::vector<float>& values);
  std::string scalar(float value) { return floats({}, {value}); }
  std::string integers(const Dims& dims, const std::vector<std::int64_t>& values, int element_type = 7);
  /// Adds a node with one output and returns the output's name.
  std::string node(const std::string& op, const std::vector<std::string>& inputs, const Attributes& attributes = {});
  std::string bytes() const;
  int nodes() const { return model_.graph().node_size(); }

 private:
  ::onnx::ModelProto model_;
  int count_ = 0;
};

}  // namespace bitloom::test
