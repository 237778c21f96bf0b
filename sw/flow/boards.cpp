#include "flow/boards.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/resources.hpp"

namespace bitloom {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

/// Reads fields of a JSON object; every complaint names the file and the field.
class Fields {
 public:
  Fields(const json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object_.is_object()) throw Error(where_, "a JSON object expected");
  }
  std::string text(const char* name) const { return get(name, &json::is_string, "a text").get<std::string>(); }
  std::string text_or(const char* name, const std::string& otherwise) const { return object_.contains(name) ? text(name) : otherwise; }
  double positive(const char* name) const {
    const double value = get(name, &json::is_number, "a number").get<double>();
    if (value <= 0) throw Error(where_, fmt::format("'{}' is {}, a number above 0 expected", name, value));
    return value;
  }
  int count(const char* name) const {
    const json& value = get(name, &json::is_number_integer, "a whole number");
    if (value < 0 || value > 100'000'000) throw Error(where_, fmt::format("'{}' is {}, a count expected", name, value.dump()));
    return value.get<int>();
  }
  int count_or(const char* name, int otherwise) const { return object_.contains(name) ? count(name) : otherwise; }
  const json& object(const char* name) const { return get(name, &json::is_object, "an object"); }
  bool has(const char* name) const { return object_.contains(name); }
  const std::string& where() const { return where_; }

 private:
  const json& get(const char* name, bool (json::*is_type)() const noexcept, const char* type) const {
    if (!object_.contains(name)) throw Error(where_, fmt::format("the field '{}' is missing; {} expected", name, type));
    if (!(object_.at(name).*is_type)()) throw Error(where_, fmt::format("'{}' is {}, {} expected", name, object_.at(name).dump(), type));
    return object_.at(name);
  }
  const json& object_;
  std::string where_;
};

/// "!BTN_N" is an active-low pin.
BoardPin pin(const std::string& text) { return text.rfind('!', 0) == 0 ? BoardPin{text.substr(1), true} : BoardPin{text, false}; }

std::optional<BoardPin> optional_pin(const Fields& fields, const char* name) {
  return fields.has(name) ? std::optional<BoardPin>(pin(fields.text(name))) : std::nullopt;
}

BoardPins read_pins(const Fields& fields) {
  BoardPins pins;
  pins.clock = pin(fields.text("clock"));
  pins.uart_rx = pin(fields.text("uart_rx"));
  pins.uart_tx = pin(fields.text("uart_tx"));
  pins.reset_button = optional_pin(fields, "reset_button");
  pins.led_ready = optional_pin(fields, "led_ready");
  pins.led_busy = optional_pin(fields, "led_busy");
  pins.led_error = optional_pin(fields, "led_error");
  if (!fields.has("constants")) return pins;
  for (const auto& [port, level] : fields.object("constants").items()) {
    if (level != 0 && level != 1) throw Error(fields.where(), fmt::format("the constant '{}' is {}, 0 or 1 expected", port, level.dump()));
    pins.constants.emplace_back(port, level == 1);
  }
  return pins;
}

}  // namespace

Board load_board_folder(const fs::path& folder) {
  const fs::path file = folder / "board.json";
  const json description = json::parse(read_text_file(file), nullptr, false);
  if (description.is_discarded()) throw Error(file.string(), "is not valid JSON");
  const Fields fields(description, file.string());
  Board board;
  board.name = fields.text("board");
  board.title = fields.text("title");
  board.family = fields.text("family");
  if (board.family != "ice40" && board.family != "ecp5")
    throw Error(file.string(), fmt::format("the family '{}' is not supported, ice40 or ecp5 expected", board.family));
  board.device = fields.text("device");
  board.package = fields.text("package");
  board.speed = fields.text_or("speed", "");
  board.clock_mhz = fields.positive("clock_mhz");
  board.lut4 = fields.count("lut4");
  board.ff = fields.count("ff");
  board.bram = fields.count("bram");
  board.bram_bits = fields.count("bram_bits");
  board.dsp = fields.count("dsp");
  board.spram = fields.count_or("spram", 0);
  board.source = fields.text("source");
  board.pins_file = folder / fields.text("pins_file");
  if (!fs::is_regular_file(board.pins_file))
    throw Error(file.string(), fmt::format("the pins file {} does not exist", board.pins_file.string()));
  board.pins = read_pins(Fields(fields.object("pins"), file.string() + ": pins"));
  return board;
}

std::vector<std::string> list_boards() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(resource("constraints")))
    if (fs::is_regular_file(entry.path() / "board.json")) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

Board load_board(const std::string& name) {
  // The name is compared, never joined into a path: "../x" is an unknown board and nothing else.
  const std::vector<std::string> names = list_boards();
  if (std::find(names.begin(), names.end(), name) == names.end())
    throw Error("board", fmt::format("'{}' is not known; the boards are {}", name, fmt::join(names, ", ")));
  return load_board_folder(resource("constraints") / name);
}

}  // namespace bitloom
