// The float graph: an ONNX/QONNX model as it was written, in plain C++ types. Written by the importer, read by the float executor and by
// lower.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "core/value_type.hpp"

namespace bitloom {

/// The element types of ONNX, by its numbers. Unspecified: computed by an operator that does not tell, float or int64.
enum class ElementType : int {
  Unspecified = 0,
  Float = 1,
  Uint8 = 2,
  Int8 = 3,
  Uint16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  Uint32 = 12,
  Uint64 = 13,
  Bfloat16 = 16,
  Uint4 = 21,
  Int4 = 22,
  Uint2 = 25,
  Int2 = 26,
};

/// The values of an integer type of up to 16 bits; nothing for the others.
std::optional<ValueType> narrow_integer_type(ElementType type);

/// The values of a tensor; throws Error when they are of the other kind.
template <class T, class Data>
auto& held(Data& data) {
  if (auto* values = std::get_if<std::vector<T>>(&data)) return *values;
  throw Error("", std::is_same_v<T, float> ? "a tensor holds integers where floats are expected"
                                           : "a tensor holds floats where integers are expected");
}

/// A dense tensor of an ONNX graph, row major. Float types are held as float, every integer type and bool as int64.
struct Tensor {
  std::vector<std::int64_t> shape;  ///< empty for a scalar
  std::variant<std::vector<float>, std::vector<std::int64_t>> data;
  ElementType type = ElementType::Unspecified;  ///< as stored; quantizers look at that of their zero point

  static Tensor floats(std::vector<std::int64_t> shape, std::vector<float> values) { return {std::move(shape), std::move(values)}; }
  static Tensor ints(std::vector<std::int64_t> shape, std::vector<std::int64_t> values) { return {std::move(shape), std::move(values)}; }
  bool is_float() const { return data.index() == 0; }
  std::int64_t size() const {
    std::int64_t n = 1;
    for (const std::int64_t d : shape) n *= d;
    return n;
  }
  /// The values; throws Error (of no place: whoever runs a node names it) when they are of the other kind.
  std::vector<float>& f() { return held<float>(data); }
  const std::vector<float>& f() const { return held<float>(data); }
  std::vector<std::int64_t>& i() { return held<std::int64_t>(data); }
  const std::vector<std::int64_t>& i() const { return held<std::int64_t>(data); }
};

using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>, Tensor>;

struct Node {
  std::string name;    ///< never empty: the importer names unnamed nodes `<op>_<index>`
  std::string domain;  ///< "" for standard ONNX
  std::string op;
  std::vector<std::string> inputs;  ///< "" for an omitted optional input
  std::vector<std::string> outputs;
  std::map<std::string, Attribute> attributes;

  /// Attribute by name, or the default. Throws Error when it has another type.
  std::int64_t int_attribute(const std::string& attribute, std::int64_t fallback) const;
  float float_attribute(const std::string& attribute, float fallback) const;
  std::string string_attribute(const std::string& attribute, const std::string& fallback) const;
  std::vector<std::int64_t> ints_attribute(const std::string& attribute, const std::vector<std::int64_t>& fallback) const;
};

struct ValueInfo {
  std::string name;
  std::vector<std::int64_t> shape;  ///< -1 for an unknown dimension; a leading batch dimension stands as in the file
  bool is_float = true;
  ElementType type = ElementType::Unspecified;
};

struct Graph {
  std::string name;
  std::string file;  ///< for messages
  int opset = 0;
  std::vector<Node> nodes;  ///< topological order
  std::map<std::string, Tensor> initializers;
  std::vector<ValueInfo> inputs;  ///< real inputs only, initializers excluded
  std::vector<ValueInfo> outputs;
  std::map<std::string, std::string> metadata;  ///< metadata_props of the model
};

}  // namespace bitloom
