#include "report/result_file.hpp"

#include "core/files.hpp"

namespace bitloom {
using nlohmann::json;

ResultFile::ResultFile(json value, std::string where) : value_(std::move(value)), where_(std::move(where)) {
  if (!value_.is_object()) throw Error(where_, "a JSON object expected");
}

ResultFile ResultFile::file(const std::filesystem::path& path) {
  json value = json::parse(read_text_file(path), nullptr, false);
  if (value.is_discarded()) throw Error(path.string(), "is not valid JSON; make this result again");
  return {std::move(value), path.string()};
}

std::vector<ResultFile> ResultFile::list(const char* name) const {
  const json rows = get<json>(name);
  if (!rows.is_array()) throw Error(where_, fmt::format("'{}' is not a list; make this result again", name));
  std::vector<ResultFile> result;
  for (std::size_t i = 0; i < rows.size(); ++i) result.emplace_back(rows[i], fmt::format("{}: {}[{}]", where_, name, i));
  return result;
}

std::vector<ResultFile> ResultFile::find_list(const char* name) const {
  return value_.contains(name) && !value_.at(name).is_null() ? list(name) : std::vector<ResultFile>();
}

std::vector<std::string> ResultFile::texts(const char* name) const {
  const json list = find<json>(name).value_or(json::array());
  std::vector<std::string> result;
  for (const json& text : list) {
    if (!list.is_array() || !text.is_string())
      throw Error(where_, fmt::format("'{}' is not a list of texts; make this result again", name));
    result.push_back(text.get<std::string>());
  }
  return result;
}

std::int64_t ResultFile::count(const char* name) const {
  const auto value = get<std::int64_t>(name);
  if (value < 0) throw Error(where_, fmt::format("'{}' is {}, a count expected", name, value));
  return value;
}

std::optional<double> ResultFile::fraction(const char* name) const {
  const auto value = find<double>(name);
  if (value && (*value < 0 || *value > 1)) throw Error(where_, fmt::format("'{}' is {}, a fraction of 1 expected", name, *value));
  return value;
}

}  // namespace bitloom
