#include "power/coefficients.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/resources.hpp"

namespace bitloom {
using nlohmann::json;
namespace {

struct Field {
  const char* name;
  const char* unit;
  Coefficient PowerCoefficients::*member;
};
constexpr Field kOfFamily[] = {{"lut", "fF", &PowerCoefficients::lut},
                               {"carry", "fF", &PowerCoefficients::carry},
                               {"ff", "fF", &PowerCoefficients::ff},
                               {"wire", "fF", &PowerCoefficients::wire},
                               {"pin", "fF", &PowerCoefficients::pin},
                               {"ff_clock", "fF", &PowerCoefficients::ff_clock},
                               {"ram_clock", "fF", &PowerCoefficients::ram_clock},
                               {"ram_read", "fF", &PowerCoefficients::ram_read},
                               {"ram_write", "fF", &PowerCoefficients::ram_write},
                               {"glitch", "", &PowerCoefficients::glitch},
                               {"pll", "mA", &PowerCoefficients::pll_ma}};
constexpr Field kOfDevice[] = {{"voltage", "V", &PowerCoefficients::voltage},
                               {"static", "mA", &PowerCoefficients::static_ma},
                               {"clock_tree", "fF", &PowerCoefficients::clock_tree}};

Coefficient read(const json& group, const Field& field, const std::string& where) {
  if (!group.contains(field.name)) throw Error(where, fmt::format("'{}' is missing", field.name));
  try {
    const json& entry = group.at(field.name);
    const Coefficient result{entry.at("value"), entry.at("uncertainty"), entry.at("source")};
    if (entry.at("unit") != field.unit)
      throw Error(where, fmt::format("'{}' is in '{}', '{}' expected", field.name, entry.at("unit").get<std::string>(), field.unit));
    if (!(result.value >= 0) || !(result.uncertainty >= 0) || result.source.empty())
      throw Error(where, fmt::format("'{}' needs a value and an uncertainty of 0 or more, and a source", field.name));
    return result;
  } catch (const json::exception& error) {
    throw Error(where, fmt::format("'{}' needs value, unit, uncertainty and source ({})", field.name, error.what()));
  }
}

}  // namespace

PowerCoefficients power_coefficients_from_json(const json& value, const std::string& device, const std::string& where) {
  if (!value.is_object() || !value.contains("coefficients") || !value.contains("devices"))
    throw Error(where, "an object with 'coefficients' and 'devices' expected");
  if (!value.at("devices").contains(device))
    throw Error(where,
                fmt::format("has no numbers for the device {}: add its voltage, static current and clock tree, with sources", device));
  PowerCoefficients result;
  for (const Field& field : kOfFamily) result.*field.member = read(value.at("coefficients"), field, where);
  for (const Field& field : kOfDevice) result.*field.member = read(value.at("devices").at(device), field, where + ": " + device);
  return result;
}

PowerCoefficients load_power_coefficients(const Board& board) {
  std::filesystem::path file;
  try {
    file = resource("constraints/power/" + board.family + ".json");
  } catch (const Error&) {
    throw Error(board.name,
                fmt::format("no coefficients of power are known for {} (constraints/power); ice40 and ecp5 have some", board.family));
  }
  const json value = json::parse(read_text_file(file), nullptr, false);
  if (value.is_discarded()) throw Error(file.string(), "is not valid JSON");
  return power_coefficients_from_json(value, board.device, file.string());
}

std::vector<std::string> sources_of(const PowerCoefficients& coefficients) {
  std::vector<std::string> result;
  const auto add = [&](const Field& field) { result.push_back(fmt::format("{}: {}", field.name, (coefficients.*field.member).source)); };
  for (const Field& field : kOfDevice) add(field);
  for (const Field& field : kOfFamily) add(field);
  return result;
}

}  // namespace bitloom
