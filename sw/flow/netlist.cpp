#include "flow/netlist.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/resources.hpp"
#include "emit/design.hpp"
#include "flow/netlist_points.hpp"
#include "flow/nextpnr.hpp"

namespace bitloom {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

struct CorePort {
  const char* name;
  bool is_input;
};
constexpr CorePort kCorePorts[] = {{"rst", true},        {"in_valid", true},  {"in_ready", false}, {"in_data", true},  {"in_last", true},
                                   {"out_valid", false}, {"out_ready", true}, {"out_data", false}, {"out_last", false}};

int port_width(const std::string& port, const json& design) {
  if (port == "in_data") return design.at("input").at("width").get<int>();
  if (port == "out_data") return design.at("output").at("width").get<int>();
  return 1;
}

/// Cells that touch pins or make clocks: their outputs are cut away, or clocks.
bool is_left_out(const std::string& type, const json& cell) {
  static const std::set<std::string> types = {"$scopeinfo",   "SB_IO",   "TRELLIS_IO",  "SB_PLL40_CORE",
                                              "ICESTORM_PLL", "EHXPLLL", "SB_WARMBOOT", "IOLOGIC"};
  if (types.count(type) != 0) return true;
  return type == "TRELLIS_COMB" && cell.contains("parameters") && cell.at("parameters").value("MODE", "") == "RAMW_BLOCK";
}

/// What an unconnected pin of a placed cell reads as.
const char* open_pin(const std::string& type, const std::string& pin) {
  if (type == "ICESTORM_LC") return pin == "CEN" ? "1'b1" : "1'b0";
  if (type == "ICESTORM_RAM") return pin == "RCLKE" || pin == "WCLKE" ? "1'b1" : "1'b0";
  if (type == "TRELLIS_FF") return pin == "CE" ? "1'b1" : "1'b0";
  if (type == "DP16KD" || type == "TRELLIS_COMB") return pin == "M" ? "1'b0" : "1'b1";
  return "1'b0";
}

/// 18432 bits from the INITVAL_xx of a DP16KD: 64 parameters of 16 words of 18 bits, each in 20.
std::string block_content(const json& parameters) {
  std::string bits(18432, '0');  // bit 0 last
  for (int i = 0; i < 64; ++i) {
    const std::string text = parameters.value(fmt::format("INITVAL_{:02X}", i), std::string());
    for (int k = 0; k < 288; ++k) {
      const auto at = static_cast<std::size_t>(k / 18 * 20 + k % 18);
      if (at < text.size() && text[text.size() - 1 - at] == '1') bits[static_cast<std::size_t>(18431 - (i * 288 + k))] = '1';
    }
  }
  return bits;
}

/// The netlist's bits as Verilog.
class Writer {
 public:
  Writer(const json& module, std::string where) : module_(module), where_(std::move(where)), loads_(loads_of(module)) {
    for (const auto& [name, net] : module.at("netnames").items()) {
      const json& bits = net.at("bits");
      for (std::size_t i = 0; i < bits.size(); ++i) {
        const std::string full = bits.size() == 1 ? name : fmt::format("{}[{}]", name, i);
        names_[full] = bits[i];
        if (!bits[i].is_number()) continue;
        std::string& known = name_of_[bits[i].get<std::int64_t>()];
        if (known.empty() || known[0] == '$') known = full;  // rather a name of the RTL than one of the tools
      }
    }
  }

  /// Whether a cell drives this bit; synthesis leaves names of nets whose logic it took away.
  bool is_driven(const json& bit) {
    if (outputs_.empty())
      for (const auto& [name, cell] : module_.at("cells").items())
        for (const auto& [pin, direction] : cell.at("port_directions").items())
          if (direction == "output")
            for (const json& one : cell.at("connections").at(pin))
              if (one.is_number()) outputs_.insert(one.get<std::int64_t>());
    return bit.is_number() && outputs_.count(bit.get<std::int64_t>()) != 0;
  }

  /// The bit of a net by one of its names; null when the netlist has none of them.
  json find(const std::vector<std::string>& names) const {
    if (names.size() == 1 && (names[0] == "0" || names[0] == "1")) return names[0];
    for (const std::string& name : names)
      if (const auto found = names_.find(name); found != names_.end()) return found->second;
    return nullptr;
  }

  /// The net of this bit is driven by a port of bitloom_core from now on.
  void cut(const json& bit, const std::string& port) {
    if (!bit.is_number())
      throw Error(where_, fmt::format("{} is the constant {}; the core cannot be simulated without its link", port, bit.dump()));
    cut_[bit.get<std::int64_t>()] = port;
    count(bit.get<std::int64_t>(), Driver::input);
  }

  std::string read(const json& bit) {
    if (!bit.is_number()) return bit == "1" ? "1'b1" : "1'b0";
    read_.insert(bit.get<std::int64_t>());
    return fmt::format("n{}", bit.get<std::int64_t>());
  }

  /// One cell of a layer, as an expression or a register; memories as instances of sim/cells/<family>.sv.
  void cell(const std::string& name, const json& cell, int layer) {
    const auto type = cell.at("type").get<std::string>();
    if (is_left_out(type, cell)) return;
    name_ = name, type_ = type, cell_ = &cell, layer_ = layer;
    if (type == "SB_LUT4") {
      assign("O", lut("LUT_INIT", {"I3", "I2", "I1", "I0"}));
    } else if (type == "LUT4") {
      assign("Z", lut("INIT", {"D", "C", "B", "A"}));
    } else if (type == "SB_CARRY") {
      assign("CO", fmt::format("{0} & {1} | ({0} | {1}) & {2}", in("I0"), in("I1"), in("CI")));
    } else if (type == "CCU2C") {
      carry_pair();
    } else if (type == "PFUMX") {
      assign("Z", fmt::format("{} ? {} : {}", in("C0"), in("ALUT"), in("BLUT")));
    } else if (type == "L6MUX21") {
      assign("Z", fmt::format("{} ? {} : {}", in("SD"), in("D1"), in("D0")));
    } else if (type == "SB_GB") {
      assign("GLOBAL_BUFFER_OUTPUT", in("USER_SIGNAL_TO_GLOBAL_BUFFER"));
    } else if (type == "DCCA") {
      assign("CLKO", in("CLKI"));
    } else if (type.rfind("SB_DFF", 0) == 0) {
      ice40_register(type.substr(6));
    } else if (type == "TRELLIS_FF") {
      ecp5_register();
    } else if (type == "ICESTORM_LC") {
      ice40_logic_cell();
    } else if (type == "TRELLIS_COMB" && text("MODE") != "DPRAM") {
      ecp5_logic_cell();
    } else if (type == "TRELLIS_RAMW") {
      // Address and data of a distributed RAM on their way to the slices beside it.
      for (const auto& [out, from] : {std::pair{"WADO0", "D0"},
                                      {"WADO1", "B0"},
                                      {"WADO2", "C0"},
                                      {"WADO3", "A0"},
                                      {"WDO0", "C1"},
                                      {"WDO1", "A1"},
                                      {"WDO2", "D1"},
                                      {"WDO3", "B1"}})
        assign(out, in(from));
    } else if (type == "TRELLIS_COMB") {
      require("WREMUX", {"", "WRE", "INV"});
      instance("sim_lut_ram", fmt::format(".INIT({})", bits("INITVAL", 16)),
               {{"clk", "clk"},
                {"wr_en", in("WRE")},
                {"wr_addr", in_all({"WAD3", "WAD2", "WAD1", "WAD0"})},
                {"wr_data", in("WD")},
                {"rd_addr", in_all({"A", "C", "B", "D"})},
                {"rd_data", out("F")}});
    } else if (type == "TRELLIS_DPR16X4") {
      require("WREMUX", {"WRE", "INV"});
      instance("sim_lut_ram4", fmt::format(".INIT({})", bits("INITVAL", 64)),
               {{"clk", "clk"},
                {"wr_en", in("WRE")},
                {"wr_addr", bus("WAD", 4, false)},
                {"wr_data", bus("DI", 4, false)},
                {"rd_addr", bus("RAD", 4, false)},
                {"rd_data", bus("DO", 4, true)}});
    } else if (type == "SB_RAM40_4K" || type == "ICESTORM_RAM") {
      std::string init;
      for (int i = 15; i >= 0; --i) init += bits(fmt::format("INIT_{:X}", i), 256).substr(5);
      instance("sim_SB_RAM40_4K",
               fmt::format(".READ_MODE({}), .WRITE_MODE({}), .INIT(4096'b{})", number("READ_MODE"), number("WRITE_MODE"), init),
               {{"clk", "clk"},
                {"RE", in("RE") + " & " + in("RCLKE")},
                {"RADDR", bus("RADDR", 11, false)},
                {"RDATA", bus("RDATA", 16, true)},
                {"WE", in("WE") + " & " + in("WCLKE")},
                {"WADDR", bus("WADDR", 11, false)},
                {"MASK", bus("MASK", 16, false)},
                {"WDATA", bus("WDATA", 16, false)}});
      access(in("RE") + " & " + in("RCLKE"), false);
      access(in("WE") + " & " + in("WCLKE"), true);
    } else if (type == "SB_SPRAM256KA" || type == "ICESTORM_SPRAM") {
      const std::string enable = in("CHIPSELECT");
      instance("sim_SB_SPRAM256KA", "",
               {{"clk", "clk"},
                {"CHIPSELECT", enable},
                {"WREN", in("WREN")},
                {"MASKWREN", bus("MASKWREN", 4, false)},
                {"ADDRESS", bus("ADDRESS", 14, false)},
                {"DATAIN", bus("DATAIN", 16, false)},
                {"DATAOUT", bus("DATAOUT", 16, true)}});
      access(fmt::format("{} & {}", enable, in("WREN")), true);
      access(fmt::format("{} & !{}", enable, in("WREN")), false);
    } else if (type == "DP16KD") {
      for (const char* mode : {"REGMODE_A", "REGMODE_B"}) require(mode, {"", "NOREG", "OUTREG"});
      instance("sim_DP16KD",
               fmt::format(".DATA_WIDTH_A({}), .DATA_WIDTH_B({}), .OUT_A({:d}), .OUT_B({:d}), .INIT(18432'b{})", number("DATA_WIDTH_A"),
                           number("DATA_WIDTH_B"), text("REGMODE_A") == "OUTREG", text("REGMODE_B") == "OUTREG",
                           block_content(parameters())),
               {{"clk", "clk"},
                {"CEA", in("CEA")},
                {"WEA", in("WEA")},
                {"ADA", bus("ADA", 14, false)},
                {"DIA", bus("DIA", 18, false)},
                {"DOA", bus("DOA", 18, true)},
                {"CEB", in("CEB")},
                {"WEB", in("WEB")},
                {"ADB", bus("ADB", 14, false)},
                {"DIB", bus("DIB", 18, false)},
                {"DOB", bus("DOB", 18, true)}});
      // A word of 36 takes both halves, but is one access: port A writes it and port B reads it.
      for (const std::string port : {"A", "B"}) {
        access(fmt::format("{} & {}", in("CE" + port), in("WE" + port)), true);
        access(fmt::format("{} & !{}", in("CE" + port), in("WE" + port)), false);
      }
    } else {
      throw Error(where_, fmt::format("the cell {} is a {}, which has no simulation model; simulate the RTL instead", name, type));
    }
  }

  /// The body: nets, what drives them, cells.
  std::string body() {
    std::set<std::int64_t> nets = read_;
    nets.insert(driven_.begin(), driven_.end());
    std::string text;
    for (const std::int64_t net : nets) {
      const auto port = cut_.find(net);
      if (port != cut_.end())
        text += fmt::format("  wire n{} = {};\n", net, port->second);
      else if (driven_.count(net) != 0)
        text += fmt::format("  wire n{};\n", net);
      else
        text += fmt::format("  wire n{} = 1'b0;\n", net);  // pins of the board
    }
    return text + cells_;
  }

 private:
  const json& parameters() const {
    static const json none = json::object();
    return cell_->contains("parameters") ? cell_->at("parameters") : none;
  }
  /// A parameter that is a text, without the blank that the JSON ends it with; "" when it is not set.
  std::string text(const std::string& parameter) const {
    if (!parameters().contains(parameter) || !parameters().at(parameter).is_string()) return "";
    auto value = parameters().at(parameter).get<std::string>();
    while (!value.empty() && value.back() == ' ') value.pop_back();
    return value;
  }
  void require(const std::string& parameter, const std::vector<std::string>& values) const {
    if (std::find(values.begin(), values.end(), text(parameter)) == values.end())
      throw Error(where_, fmt::format("the cell {} ({}) has {} = {}, which is not simulated", name_, type_, parameter, text(parameter)));
  }
  /// A parameter of bits as a Verilog constant; what is undefined is 0.
  std::string bits(const std::string& parameter, int width) const {
    std::string value = text(parameter);
    if (parameters().contains(parameter) && parameters().at(parameter).is_number())
      throw Error(where_,
                  fmt::format("the cell {} has the number {} in {}, bits expected", name_, parameters().at(parameter).dump(), parameter));
    for (char& c : value)
      if (c != '1') c = '0';
    const auto size = static_cast<std::size_t>(width);
    value = value.size() < size ? std::string(size - value.size(), '0') + value : value.substr(value.size() - size);
    return fmt::format("{}'b{}", width, value);
  }
  bool flag(const std::string& parameter) const { return bits(parameter, 1).back() == '1'; }
  int number(const std::string& parameter) const { return std::stoi("0" + bits(parameter, 16).substr(4), nullptr, 2); }

  std::string drive(const json& bit, const std::string& pin) {
    if (!bit.is_number() || cut_.count(bit.get<std::int64_t>()) != 0) return fmt::format("open[{}]", open_++);
    driven_.insert(bit.get<std::int64_t>());
    if (type_ != "TRELLIS_RAMW") count(bit.get<std::int64_t>(), driver(pin));  // that one only renames wires inside a slice
    return fmt::format("n{}", bit.get<std::int64_t>());
  }
  /// What the cell's output `pin` is to bitloom power.
  Driver driver(const std::string& pin) const {
    if (pin == "CO" || pin == "COUT" || pin == "FCO") return Driver::carry;
    if (type_ == "ICESTORM_LC") return pin == "O" && flag("DFF_ENABLE") ? Driver::ff : Driver::lut;
    if (type_.rfind("SB_DFF", 0) == 0 || type_ == "TRELLIS_FF") return Driver::ff;
    if (type_ == "SB_RAM40_4K" || type_ == "ICESTORM_RAM" || type_ == "DP16KD" || type_ == "SB_SPRAM256KA" || type_ == "ICESTORM_SPRAM")
      return Driver::memory;
    return type_ == "SB_GB" || type_ == "DCCA" ? Driver::global : Driver::lut;
  }
  void count(std::int64_t bit, Driver driver) {
    const auto at = static_cast<std::size_t>(bit);
    const auto name = name_of_.find(bit);
    points_.nets.push_back({fmt::format("n{}", bit), name == name_of_.end() ? "" : name->second, driver, layer_,
                            at < loads_.size() ? loads_[at].routed_from(driver) : 0});
  }
  void access(const std::string& signal, bool is_write) {
    const bool never =
        signal.rfind("1'b0", 0) == 0 || signal.find("& 1'b0") != std::string::npos || signal.find("& !1'b1") != std::string::npos;
    if (!never) points_.accesses.push_back({signal, name_, is_write, layer_});
  }
  bool connected(const std::string& pin) const {
    const json& connections = cell_->at("connections");
    return connections.contains(pin) && !connections.at(pin).empty();
  }
  /// What an input of one bit reads. nextpnr turns constants at ECP5 cells into their input multiplexers.
  std::string in(const std::string& pin) {
    std::string value = connected(pin) ? read(cell_->at("connections").at(pin)[0]) : open_pin(type_, pin);
    const std::string mux = text(pin + "MUX");
    if (mux == "0" || mux == "1") return "1'b" + mux;
    return mux == "INV" ? "!" + value : value;
  }
  std::string in_all(const std::vector<std::string>& pins) {
    std::string list;
    for (const std::string& pin : pins) list += (list.empty() ? "" : ", ") + in(pin);
    return "{" + list + "}";
  }
  /// A port of several bits: one vector in Yosys' netlist, pins WAD0 or WADDR_0 in nextpnr's.
  std::string bus(const std::string& port, int width, bool is_output) {
    const json& connections = cell_->at("connections");
    std::string list;
    for (int i = width - 1; i >= 0; --i) {
      std::string bit;
      if (connections.contains(port) && connections.at(port).size() > 1) {
        const json& whole = connections.at(port);
        if (static_cast<std::size_t>(i) >= whole.size())
          bit = is_output ? fmt::format("open[{}]", open_++) : "1'b0";
        else
          bit = is_output ? drive(whole[static_cast<std::size_t>(i)], port) : read(whole[static_cast<std::size_t>(i)]);
      } else {
        const std::string pin = fmt::format("{}{}{}", port, type_ == "ICESTORM_RAM" ? "_" : "", i);
        bit = is_output ? out(pin) : in(pin);
      }
      list += (list.empty() ? "" : ", ") + bit;
    }
    return "{" + list + "}";
  }
  std::string out(const std::string& pin) {
    return connected(pin) ? drive(cell_->at("connections").at(pin)[0], pin) : fmt::format("open[{}]", open_++);
  }

  void assign(const std::string& pin, const std::string& value) {
    if (connected(pin)) cells_ += fmt::format("  assign {} = {};\n", out(pin), value);
  }
  void instance(const std::string& module, const std::string& values, const std::vector<std::pair<std::string, std::string>>& ports) {
    std::string list;
    for (const auto& [port, value] : ports) list += fmt::format("{}.{}({})", list.empty() ? "" : ", ", port, value);
    cells_ += fmt::format("  {} #({}) \\{} ({});\n", module, values, name_, list);
  }
  /// A LUT of the inputs `pins`, highest first, which reads only those that matter: nextpnr leads a LUT's output back to its own inputs
  /// where the carry beside it, or nobody, looks at them, and a simulator with unknown values could not begin with that.
  std::string lut(const std::string& init, const std::vector<std::string>& pins) {
    const std::string content = bits(init, 16);
    std::vector<std::string> values;
    for (const std::string& pin : pins) values.push_back(in(pin));
    const auto entry = [&](std::size_t index) { return content[content.size() - 1 - index]; };
    const auto reachable = [&](std::size_t index) {
      for (std::size_t i = 0; i < pins.size(); ++i)
        if (values[i] == ((index >> (pins.size() - 1 - i) & 1) != 0 ? "1'b0" : "1'b1")) return false;
      return true;
    };
    std::size_t first = 0;
    while (!reachable(first)) ++first;
    bool constant = true;
    std::string list;
    for (std::size_t i = 0; i < pins.size(); ++i) {
      const std::size_t flip = std::size_t{1} << (pins.size() - 1 - i);
      bool matters = false;
      for (std::size_t index = 0; index < 16; ++index)
        matters = matters || (reachable(index) && reachable(index ^ flip) && entry(index) != entry(index ^ flip));
      constant = constant && !matters;
      const bool fixed = values[i].rfind("1'b", 0) == 0;
      list += (list.empty() ? "" : ", ") + (matters || fixed ? values[i] : "1'b0");
    }
    if (constant) return entry(first) == '1' ? "1'b1" : "1'b0";
    return table(content, "{" + list + "}");
  }
  std::string table(const std::string& content, const std::string& address) {
    cells_ += fmt::format("  localparam [{}:0] T{} = {};\n", content.substr(0, content.find('\'')) == "4" ? 3 : 15, tables_, content);
    return fmt::format("T{}[{}]", tables_++, address);
  }
  std::string fresh(const std::string& value) {
    cells_ += fmt::format("  wire t{} = {};\n", wires_, value);
    return fmt::format("t{}", wires_++);
  }
  /// A register of its own, with the output as its net; set and reset are synchronous.
  std::string register_of(const std::string& data, const std::string& enable, const std::string& reset, bool to_one,
                          bool reset_needs_enable) {
    const std::string q = fmt::format("q{}", registers_++);
    const std::string value = reset == "1'b0" ? data : fmt::format("{} ? 1'b{} : {}", reset, to_one ? 1 : 0, data);
    const std::string when = enable == "1'b1"                        ? ""
                             : reset_needs_enable || reset == "1'b0" ? fmt::format("if ({}) ", enable)
                                                                     : fmt::format("if ({} | {}) ", enable, reset);
    cells_ += fmt::format("  reg {} = 1'b{};\n  always @(posedge clk) {}{} <= {};\n", q, to_one ? 1 : 0, when, q, value);
    return q;
  }
  /// SB_DFF with its suffix: [E][SR|SS]. Falling edges and asynchronous resets are not used in Bitloom's RTL.
  void ice40_register(std::string kind) {
    const bool enable = kind.rfind('E', 0) == 0;
    if (enable) kind.erase(0, 1);
    if (!kind.empty() && kind != "SR" && kind != "SS")
      throw Error(where_, fmt::format("the cell {} is a {}, which has no simulation model; simulate the RTL instead", name_, type_));
    const std::string reset = kind == "SR" ? in("R") : kind == "SS" ? in("S") : "1'b0";
    assign("Q", register_of(in("D"), enable ? in("E") : "1'b1", reset, kind == "SS", true));
  }
  void ecp5_register() {
    require("SRMODE", {"", "LSR_OVER_CE"});
    require("CLKMUX", {"", "CLK"});
    const std::string ce = text("CEMUX");
    const std::string enable = ce == "1" || ce.empty() ? "1'b1" : ce == "0" ? "1'b0" : in("CE");  // in() inverts for INV
    assign("Q", register_of(in(connected("DI") ? "DI" : "M"), enable, in("LSR"), text("REGSET") == "SET", false));
  }
  void ice40_logic_cell() {
    if (flag("NEG_CLK") || (flag("DFF_ENABLE") && flag("ASYNC_SR") && connected("SR")))
      throw Error(where_, fmt::format("the cell {} has a falling clock or an asynchronous reset, which are not simulated", name_));
    const std::string value = fresh(lut("LUT_INIT", {"I3", "I2", "I1", "I0"}));
    if (flag("DFF_ENABLE")) points_.nets.push_back({value, "", Driver::lut, layer_, 0});
    if (flag("CARRY_ENABLE")) {
      // Where nextpnr ends a chain in a LUT that passes its carry on, the carry is named at the LUT's I3 only: there it is the same wire.
      const std::string carry = flag("CIN_CONST") ? (flag("CIN_SET") ? "1'b1" : "1'b0") : in(connected("CIN") ? "CIN" : "I3");
      assign("COUT", fmt::format("{0} & {1} | ({0} | {1}) & {2}", in("I1"), in("I2"), carry));
    }
    assign("LO", value);
    assign("O", flag("DFF_ENABLE") ? register_of(value, in("CEN"), in("SR"), flag("SET_NORESET"), true) : value);
  }
  /// A LUT with its half of a carry cell, and the multiplexer that makes a wider LUT of two.
  void ecp5_logic_cell() {
    require("MODE", {"", "LOGIC", "CCU2"});
    const std::string lut4 = fresh(lut("INITVAL", {"D", "C", "B", "A"}));
    std::string value = lut4;
    if (text("MODE") == "CCU2") {
      const bool inject = text("CCU2_INJECT1") == "YES";
      const std::string low = inject ? "1'b0" : half_lut("INITVAL");
      if (!inject) value = fresh(lut4 + " ^ " + in("FCI"));
      assign("FCO", fmt::format("{} ? {} : {}", lut4, in("FCI"), low));
    }
    assign("F", value);
    assign("OFX", flag("IS_Z1") ? fmt::format("{} ? {} : {}", in("M"), in("FXB"), in("FXA"))
                                : fmt::format("{} ? {} : {}", in("M"), in("F1"), value));
  }
  /// The LUT of A and B in the four lowest bits.
  std::string half_lut(const std::string& init, const std::string& a = "A", const std::string& b = "B") {
    return table("4'b" + bits(init, 16).substr(16), in_all({b, a}));
  }
  void carry_pair() {
    std::string carry = in("CIN");
    for (const std::string half : {"0", "1"}) {
      const bool inject = text("INJECT1_" + half) != "NO";
      const std::string lut4 = fresh(lut("INIT" + half, {"D" + half, "C" + half, "B" + half, "A" + half}));
      assign("S" + half, inject ? lut4 : lut4 + " ^ " + carry);
      carry = fresh(fmt::format("{} ? {} : {}", lut4, carry, inject ? "1'b0" : half_lut("INIT" + half, "A" + half, "B" + half)));
    }
    assign("COUT", carry);
  }

 public:
  int open() const { return open_; }
  const NetlistPoints& points() const { return points_; }
  /// The layer of what is cut from here on.
  void at_layer(int layer) { layer_ = layer; }

 private:
  const json& module_;
  std::string where_;
  std::map<std::string, json> names_;
  std::map<std::int64_t, std::string> cut_;
  std::set<std::int64_t> read_, driven_, outputs_;
  std::vector<Load> loads_;
  std::map<std::int64_t, std::string> name_of_;
  NetlistPoints points_;
  std::string cells_;
  int open_ = 0, tables_ = 0, wires_ = 0, registers_ = 0;
  // The cell under way
  std::string name_, type_;
  const json* cell_ = nullptr;
  int layer_ = 0;
};

}  // namespace

CoreNets core_nets(const json& module, const json& design, const std::string& core) {
  const json& nets = module.at("netnames");
  std::map<std::int64_t, std::vector<std::string>> aliases;
  for (const auto& [name, net] : nets.items()) {
    const json& bits = net.at("bits");
    for (std::size_t i = 0; i < bits.size(); ++i)
      if (bits[i].is_number()) aliases[bits[i].get<std::int64_t>()].push_back(bits.size() == 1 ? name : fmt::format("{}[{}]", name, i));
  }
  const auto names_of = [&](const std::string& signal, int bit) -> std::vector<std::string> {
    const auto found = nets.find("core." + signal);
    if (found == nets.end() || static_cast<std::size_t>(bit) >= found->at("bits").size()) return {};
    const json& value = found->at("bits")[static_cast<std::size_t>(bit)];
    return value.is_number() ? aliases.at(value.get<std::int64_t>()) : std::vector<std::string>{value == "1" ? "1" : "0"};
  };
  CoreNets result;
  for (const CorePort& port : kCorePorts)
    for (int i = 0; i < port_width(port.name, design); ++i) result[port.name].push_back(names_of(port.name, i));
  // "  assign probe_valid[2] = s5_valid;"
  for (std::size_t b = 0; b < design.at("boundaries").size(); ++b) {
    const std::string key = fmt::format("assign probe_valid[{}] = ", b);
    const std::size_t at = core.find(key);
    const std::string stream = at == std::string::npos ? "" : core.substr(at + key.size(), core.find("_valid;", at) - at - key.size());
    for (const char* signal : {"valid", "ready", "last"})
      result[std::string("probe_") + signal].push_back(names_of(stream + "_" + signal, 0));
    for (int i = 0; i < design.at("boundaries")[b].at("width").get<int>(); ++i)
      result["probe_data"].push_back(names_of(stream + "_data", i));
  }
  return result;
}

NetlistText netlist_text(const json& module, const CoreNets& nets, const Board& board, const json& design, const std::string& where) {
  Writer writer(module, where);
  writer.at_layer(static_cast<int>(design.at("layers").size()));  // the link drives the core's ports
  std::string outputs;
  for (const CorePort& port : kCorePorts) {
    const auto& bits = nets.at(port.name);
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const std::string name = bits.size() > 1 ? fmt::format("{}[{}]", port.name, i) : port.name;
      const json bit = writer.find(bits[i]);
      if (bit.is_null()) {
        const std::string base = port.name;
        if (base == "in_last" || base == "in_data") continue;  // the core does not use it
        if (base == "out_last") {                              // without a LED for it nothing uses this one: it is counted
          outputs += fmt::format(
              "  reg [31:0] out_beat = 0;\n  assign out_last = out_beat == {};\n"
              "  always @(posedge clk) if (rst) out_beat <= 0; else if (out_valid & out_ready) out_beat <= out_last ? 0 : out_beat + 1;\n",
              design.at("output").at("beats").get<std::int64_t>() - 1);
          continue;
        }
        throw Error(where, fmt::format("the core's {} is not a net of it; this version of the tools is not supported", name));
      }
      if (port.is_input)
        writer.cut(bit, name);
      else
        outputs += fmt::format("  assign {} = {};\n", name, writer.read(bit));
    }
  }
  // The streams between layers. Where nothing uses a stream's `last`, it is counted.
  const json& boundaries = design.at("boundaries");
  const auto probe = [&](const char* signal, std::size_t bit) {
    const json found = writer.find(nets.at(signal).at(bit));
    return found.is_null() ? std::string("1'b0") : writer.read(found);
  };
  int probe_bits = 0;
  for (std::size_t b = 0; b < boundaries.size(); ++b) {
    outputs +=
        fmt::format("  assign probe_valid[{0}] = {1}, probe_ready[{0}] = {2};\n", b, probe("probe_valid", b), probe("probe_ready", b));
    if (const json last = writer.find(nets.at("probe_last").at(b)); writer.is_driven(last)) {
      outputs += fmt::format("  assign probe_last[{}] = {};\n", b, writer.read(last));
    } else {
      outputs += fmt::format(
          "  reg [31:0] beat{0} = 0;\n  assign probe_last[{0}] = beat{0} == {1};\n"
          "  always @(posedge clk) if (rst) beat{0} <= 0; else if (probe_valid[{0}] & probe_ready[{0}]) beat{0} <= probe_last[{0}] ? 0 : "
          "beat{0} + 1;\n",
          b, boundaries[b].at("beats").get<std::int64_t>() - 1);
    }
    for (int i = 0; i < boundaries[b].at("width").get<int>(); ++i, ++probe_bits)
      outputs += fmt::format("  assign probe_data[{}] = {};\n", boundaries[b].at("data_offset").get<int>() + i,
                             probe("probe_data", static_cast<std::size_t>(probe_bits)));
  }
  const std::vector<int> owners = cell_owners(module.at("cells"), design);
  std::size_t owner = 0;
  for (const auto& [name, cell] : module.at("cells").items()) writer.cell(name, cell, owners[owner++]);
  const std::string body = writer.body();
  const PointsText points = points_text(writer.points());
  std::string text = fmt::format(
      "// bitloom_core - a netlist of {} for {}, cut out of board_top and written by `bitloom synth` for simulation\n"
      "module bitloom_core (\n"
      "    input wire clk, input wire rst,\n"
      "    input wire in_valid, output wire in_ready, input wire [{}:0] in_data, input wire in_last,\n"
      "    output wire out_valid, input wire out_ready, output wire [{}:0] out_data, output wire out_last,\n"
      "    output wire [{}:0] probe_valid, probe_ready, probe_last, output wire [{}:0] probe_data, output wire activity\n"
      "{});\n"
      "  assign activity = 1'b0;\n"
      "  wire [{}:0] open;\n{}{}{}endmodule\n",
      design.at("name").get<std::string>(), board.name, port_width("in_data", design) - 1, port_width("out_data", design) - 1,
      std::max<std::size_t>(1, boundaries.size()) - 1, std::max(1, probe_bits) - 1, points.ports, std::max(1, writer.open()) - 1, outputs,
      body, points.body);
  return {std::move(text), writer.points()};
}

void write_netlist(const fs::path& design_folder, const std::string& which, const json& module, const CoreNets& nets, const Board& board,
                   const json& design, const std::string& where) {
  const NetlistText netlist = netlist_text(module, nets, board, design, where);
  fs::path file = netlist_file(design_folder, board.name, which);
  write_file_atomically(file, netlist.verilog);
  write_file_atomically(file.replace_extension(".json"), to_json(netlist.points).dump());
}

fs::path netlist_file(const fs::path& design_folder, const std::string& board, const std::string& which) {
  return design_folder / "build" / "synth" / board / ("netlist_" + which + ".v");
}

fs::path netlist_design(const fs::path& design_folder, const std::string& which) {
  json design = read_design(design_folder);
  const Board board = load_board(design.at("board").get<std::string>());
  const fs::path netlist = netlist_file(design_folder, board.name, which);
  if (!fs::exists(netlist))
    throw Error(design_folder.string(),
                fmt::format("no {} netlist is here yet; make it with: bitloom synth {}", which, design_folder.string()));
  const fs::path folder = design_folder / "build" / "netlist" / which;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error(folder.string(), fmt::format("the folder cannot be made ({})", error.message()));
  design["sources"] = json::array({fs::absolute(resource("sim/cells/" + board.family + ".sv")).string()});
  for (json& layer : design["layers"]) layer["activity"] = -1;
  write_file_atomically(folder / "bitloom_core.sv", read_text_file(netlist));
  write_file_atomically(folder / "design.json", design.dump(2) + "\n");
  return folder;
}

}  // namespace bitloom
