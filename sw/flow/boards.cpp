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

constexpr Family kFamilies[] = {
    {"ice40", "iCE40", 16, false, "+/ice40/cells_sim.v", "synth_ice40", "nextpnr-ice40", ""},
    {"ecp5", "ECP5", 36, true, "+/ecp5/cells_sim.v +/ecp5/cells_bb.v", "synth_ecp5 -nowidelut", "nextpnr-ecp5", "diamond"},
    {"xc7", "7 series", 36, true, "+/xilinx/cells_sim.v +/xilinx/cells_xtra.v", "synth_xilinx -family xc7", "", "vivado"},
    {"cyclonev", "Cyclone V", 40, true, "+/intel_alm/common/megafunction_bb.v", "synth_intel_alm -family cyclonev", "", "quartus"},
    {"nexus", "Nexus", 36, true, "+/nexus/cells_sim.v +/nexus/cells_xtra.v", "synth_nexus -family lifcl", "", "radiant"},
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
  if (fields.has("flash")) {
    const Fields flash(fields.object("flash"), fields.where() + ": flash");
    pins.flash = BoardFlash{pin(flash.text("cs")), pin(flash.text("sck")), pin(flash.text("mosi")), pin(flash.text("miso")), flash.count("offset")};
    if (pins.flash->offset % 65536 != 0 || pins.flash->offset >= 1 << 24)
      throw Error(flash.where(), fmt::format("'offset' is {}; a multiple of 65536 below 2^24 expected", pins.flash->offset));
  }
  if (!fields.has("constants")) return pins;
  for (const auto& [port, level] : fields.object("constants").items()) {
    if (level != 0 && level != 1) throw Error(fields.where(), fmt::format("the constant '{}' is {}, 0 or 1 expected", port, level.dump()));
    pins.constants.emplace_back(port, level == 1);
  }
  return pins;
}

BoardPll read_pll(const Fields& fields) {
  BoardPll pll{fields.text("module"), {}, fields.text("tool")};
  for (const auto& [name, value] : fields.object("parameters").items()) {
    if (!value.is_number_integer())
      throw Error(fields.where(), fmt::format("the parameter '{}' is {}, a whole number expected", name, value.dump()));
    pll.parameters.emplace_back(name, value.get<int>());
  }
  return pll;
}

}  // namespace

const Family& family(const std::string& name, const std::string& where) {
  std::string known;
  for (const Family& one : kFamilies) {
    if (name == one.name) return one;
    known += (known.empty() ? "" : ", ") + std::string(one.name);
  }
  throw Error(where, fmt::format("the family '{}' is not supported, one of {} expected", name, known));
}

Board load_board_folder(const fs::path& folder) {
  const fs::path file = folder / "board.json";
  const json description = json::parse(read_text_file(file), nullptr, false);
  if (description.is_discarded()) throw Error(file.string(), "is not valid JSON");
  const Fields fields(description, file.string());
  Board board;
  board.name = fields.text("board");
  board.title = fields.text("title");
  board.family = fields.text("family");
  const std::string where = file.string();
  const Family& kind = family(board.family, where);
  board.device = fields.text("device");
  board.package = fields.text("package");
  board.speed = fields.text_or("speed", "");
  board.tool = fields.text_or("tool", "open");
  if (board.tool != "open" && board.tool != kind.vendor_tool)
    throw Error(file.string(), fmt::format("the tool '{}' does not serve {} devices", board.tool, kind.title));
  if (board.tool == "open" && *kind.open_tool == '\0')
    throw Error(file.string(), fmt::format("{} devices need \"tool\": \"{}\"", kind.title, kind.vendor_tool));
  board.part = fields.text_or("part", "");
  board.clock_mhz = fields.positive("clock_mhz");
  board.oscillator_mhz = fields.has("oscillator_mhz") ? fields.positive("oscillator_mhz") : board.clock_mhz;
  if (fields.has("pll")) board.pll = read_pll(Fields(fields.object("pll"), file.string() + ": pll"));
  if (!board.pll && board.oscillator_mhz != board.clock_mhz)
    throw Error(file.string(), "'oscillator_mhz' is not 'clock_mhz': a 'pll' must make one from the other");
  board.lut4 = fields.count("lut4");
  board.ff = fields.count("ff");
  board.bram = fields.count("bram");
  board.bram_bits = fields.count("bram_bits");
  board.bram_width = fields.count_or("bram_width", kind.bram_width);
  board.dsp = fields.count("dsp");
  board.spram = fields.count_or("spram", 0);
  board.source = fields.text("source");
  board.pins_file = folder / fields.text("pins_file");
  if (!fs::is_regular_file(board.pins_file))
    throw Error(file.string(), fmt::format("the pins file {} does not exist", board.pins_file.string()));
  if (fields.has("timing_file")) board.timing_file = folder / fields.text("timing_file");
  if (!board.timing_file.empty() && !fs::is_regular_file(board.timing_file))
    throw Error(file.string(), fmt::format("the timing file {} does not exist", board.timing_file.string()));
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
