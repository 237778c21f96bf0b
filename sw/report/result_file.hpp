// A result file, or an object in one, read with complaints that name the file and the field.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace bitloom {

class ResultFile {
 public:
  ResultFile(nlohmann::json value, std::string where);
  static ResultFile file(const std::filesystem::path& path);
  /// A field that must be there.
  template <class Value>
  Value get(const char* name) const {
    if (!value_.contains(name)) throw Error(where_, fmt::format("the field '{}' is missing; make this result again", name));
    return convert<Value>(name);
  }
  /// A field that may be missing or null.
  template <class Value>
  std::optional<Value> find(const char* name) const {
    if (!value_.contains(name) || value_.at(name).is_null()) return std::nullopt;
    return convert<Value>(name);
  }
  /// The objects of a list.
  std::vector<ResultFile> list(const char* name) const;
  /// The same, none when there is no such list.
  std::vector<ResultFile> find_list(const char* name) const;
  /// A list of texts, empty when there is none.
  std::vector<std::string> texts(const char* name) const;
  std::int64_t count(const char* name) const;
  /// Between 0 and 1.
  std::optional<double> fraction(const char* name) const;
  const nlohmann::json& value() const { return value_; }
  const std::string& where() const { return where_; }

 private:
  template <class Value>
  Value convert(const char* name) const {
    const nlohmann::json& field = value_.at(name);
    // JSON would turn true into 1 and 2.5 into 2 without a word.
    const bool fits = std::is_same_v<Value, nlohmann::json> || (std::is_same_v<Value, bool> && field.is_boolean()) ||
                      (std::is_same_v<Value, std::string> && field.is_string()) || (std::is_floating_point_v<Value> && field.is_number()) ||
                      (std::is_integral_v<Value> && !std::is_same_v<Value, bool> && field.is_number_integer());
    if (!fits) throw Error(where_, fmt::format("'{}' is {}, which is not of its type; make this result again", name, field.dump()));
    return field.get<Value>();
  }
  nlohmann::json value_;
  std::string where_;
};

}  // namespace bitloom
