#include "core/graph.hpp"

#include <fmt/format.h>

namespace bitloom {

std::optional<ValueType> narrow_integer_type(ElementType type) {
  switch (type) {
    case ElementType::Uint2: return ValueType::unsigned_bits(2);
    case ElementType::Int2: return ValueType::signed_bits(2);
    case ElementType::Uint4: return ValueType::unsigned_bits(4);
    case ElementType::Int4: return ValueType::signed_bits(4);
    case ElementType::Uint8: return ValueType::unsigned_bits(8);
    case ElementType::Int8: return ValueType::signed_bits(8);
    case ElementType::Uint16: return ValueType::unsigned_bits(16);
    case ElementType::Int16: return ValueType::signed_bits(16);
    default: return std::nullopt;
  }
}
namespace {

template <class T>
T attribute_or(const Node& node, const std::string& attribute, const T& fallback) {
  const auto found = node.attributes.find(attribute);
  if (found == node.attributes.end()) return fallback;
  if (const T* value = std::get_if<T>(&found->second)) return *value;
  throw Error(node.name, fmt::format("attribute '{}' of {} has an unexpected type", attribute, node.op));
}

}  // namespace

std::int64_t Node::int_attribute(const std::string& attribute, std::int64_t fallback) const {
  return attribute_or(*this, attribute, fallback);
}
float Node::float_attribute(const std::string& attribute, float fallback) const { return attribute_or(*this, attribute, fallback); }
std::string Node::string_attribute(const std::string& attribute, const std::string& fallback) const {
  return attribute_or(*this, attribute, fallback);
}
std::vector<std::int64_t> Node::ints_attribute(const std::string& attribute, const std::vector<std::int64_t>& fallback) const {
  return attribute_or(*this, attribute, fallback);
}

}  // namespace bitloom
