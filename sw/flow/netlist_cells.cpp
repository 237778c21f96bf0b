#include <fmt/format.h>

#include <set>

#include "core/error.hpp"
#include "flow/netlist_writer.hpp"

namespace bitloom {
using nlohmann::json;
namespace {

/// Cells that touch pins or make clocks: their outputs are cut away, or clocks.
bool is_left_out(const std::string& type, const json& cell) {
  static const std::set<std::string> types = {"$scopeinfo",   "SB_IO",   "TRELLIS_IO",  "SB_PLL40_CORE",
                                              "ICESTORM_PLL", "EHXPLLL", "SB_WARMBOOT", "IOLOGIC"};
  if (types.count(type) != 0) return true;
  return type == "TRELLIS_COMB" && cell.contains("parameters") && cell.at("parameters").value("MODE", "") == "RAMW_BLOCK";
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

}  // namespace

void NetlistWriter::cell(const std::string& name, const json& cell, int layer) {
  type_ = cell.at("type").get<std::string>();
  if (is_left_out(type_, cell)) return;
  name_ = name, cell_ = &cell, layer_ = layer;
  if (!logic_cell() && !memory_cell() && !multiplier_cell())
    throw Error(where_, fmt::format("the cell {} is a {}, which has no simulation model; simulate the RTL instead", name_, type_));
}

bool NetlistWriter::logic_cell() {
  if (type_ == "SB_LUT4") {
    assign("O", lut("LUT_INIT", {"I3", "I2", "I1", "I0"}));
  } else if (type_ == "LUT4") {
    assign("Z", lut("INIT", {"D", "C", "B", "A"}));
  } else if (type_ == "SB_CARRY") {
    assign("CO", fmt::format("{0} & {1} | ({0} | {1}) & {2}", in("I0"), in("I1"), in("CI")));
  } else if (type_ == "CCU2C") {
    carry_pair();
  } else if (type_ == "PFUMX") {
    assign("Z", fmt::format("{} ? {} : {}", in("C0"), in("ALUT"), in("BLUT")));
  } else if (type_ == "L6MUX21") {
    assign("Z", fmt::format("{} ? {} : {}", in("SD"), in("D1"), in("D0")));
  } else if (type_ == "SB_GB") {
    assign("GLOBAL_BUFFER_OUTPUT", in("USER_SIGNAL_TO_GLOBAL_BUFFER"));
  } else if (type_ == "DCCA") {
    assign("CLKO", in("CLKI"));
  } else if (type_.rfind("SB_DFF", 0) == 0) {
    ice40_register(type_.substr(6));
  } else if (type_ == "TRELLIS_FF") {
    ecp5_register();
  } else if (type_ == "ICESTORM_LC") {
    ice40_logic_cell();
  } else if (type_ == "TRELLIS_COMB" && text("MODE") != "DPRAM") {
    ecp5_logic_cell();
  } else {
    return false;
  }
  return true;
}

bool NetlistWriter::memory_cell() {
  if (type_ == "TRELLIS_RAMW") {
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
  } else if (type_ == "TRELLIS_COMB") {
    require("WREMUX", {"", "WRE", "INV"});
    instance("sim_lut_ram", fmt::format(".INIT({})", bits("INITVAL", 16)),
             {{"clk", "clk"},
              {"wr_en", in("WRE")},
              {"wr_addr", in_all({"WAD3", "WAD2", "WAD1", "WAD0"})},
              {"wr_data", in("WD")},
              {"rd_addr", in_all({"A", "C", "B", "D"})},
              {"rd_data", out("F")}});
  } else if (type_ == "TRELLIS_DPR16X4") {
    require("WREMUX", {"WRE", "INV"});
    instance("sim_lut_ram4", fmt::format(".INIT({})", bits("INITVAL", 64)),
             {{"clk", "clk"},
              {"wr_en", in("WRE")},
              {"wr_addr", bus("WAD", 4, false)},
              {"wr_data", bus("DI", 4, false)},
              {"rd_addr", bus("RAD", 4, false)},
              {"rd_data", bus("DO", 4, true)}});
  } else if (type_ == "SB_RAM40_4K" || type_ == "ICESTORM_RAM") {
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
  } else if (type_ == "SB_SPRAM256KA" || type_ == "ICESTORM_SPRAM") {
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
  } else if (type_ == "DP16KD") {
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
    return false;
  }
  return true;
}

/// One clock, no cascades, no resets: what Yosys makes of a product, with or without registers and an accumulator.
bool NetlistWriter::multiplier_cell() {
  if (type_ == "MULT18X18D") {
    for (const char* registers : {"REG_INPUTA_CLK", "REG_INPUTB_CLK", "REG_OUTPUT_CLK"}) require(registers, {"", "NONE", "CLK0"});
    require("REG_PIPELINE_CLK", {"", "NONE"});
    const auto registered = [&](const char* name) { return text(name) == "CLK0" ? 1 : 0; };
    instance("sim_MULT18X18D",
             fmt::format(".A_REG({}), .B_REG({}), .P_REG({})", registered("REG_INPUTA_CLK"), registered("REG_INPUTB_CLK"), registered("REG_OUTPUT_CLK")),
             {{"clk", "clk"},
              {"A", bus("A", 18, false)},
              {"B", bus("B", 18, false)},
              {"SIGNEDA", in("SIGNEDA")},
              {"SIGNEDB", in("SIGNEDB")},
              {"P", bus("P", 36, true)}});
  } else if (type_ == "SB_MAC16" || type_ == "ICESTORM_DSP") {
    for (const char* reset : {"IRSTTOP", "IRSTBOT", "ORSTTOP", "ORSTBOT"})
      if (in(reset) != "1'b0") throw Error(where_, fmt::format("the multiplier {} has a reset at {}, which is not simulated", name_, reset));
    if (flag("NEG_TRIGGER") || number("BOTADDSUB_CARRYSELECT") > 1 || number("BOTADDSUB_LOWERINPUT") == 3)
      throw Error(where_, fmt::format("the multiplier {} has a falling clock or a cascade, which are not simulated", name_));
    std::string values;
    for (const char* parameter :
         {"A_REG", "B_REG", "C_REG", "D_REG", "TOP_8x8_MULT_REG", "BOT_8x8_MULT_REG", "PIPELINE_16x16_MULT_REG1", "PIPELINE_16x16_MULT_REG2",
          "TOPOUTPUT_SELECT", "TOPADDSUB_LOWERINPUT", "TOPADDSUB_UPPERINPUT", "TOPADDSUB_CARRYSELECT", "BOTOUTPUT_SELECT",
          "BOTADDSUB_LOWERINPUT", "BOTADDSUB_UPPERINPUT", "BOTADDSUB_CARRYSELECT", "MODE_8x8", "A_SIGNED", "B_SIGNED"})
      values += fmt::format("{}.{}({})", values.empty() ? "" : ", ", parameter, number(parameter));
    std::vector<std::pair<std::string, std::string>> ports = {{"clk", "clk"}, {"CE", in("CE")}};
    for (const char* operand : {"A", "B", "C", "D"}) ports.emplace_back(operand, bus(operand, 16, false));
    for (const char* control : {"AHOLD", "BHOLD", "CHOLD", "DHOLD", "OHOLDTOP", "OHOLDBOT", "OLOADTOP", "OLOADBOT", "ADDSUBTOP", "ADDSUBBOT"})
      ports.emplace_back(control, in(control));
    ports.emplace_back("O", bus("O", 32, true));
    instance("sim_SB_MAC16", values, ports);
  } else {
    return false;
  }
  return true;
}

void NetlistWriter::ice40_register(std::string kind) {
  const bool enable = kind.rfind('E', 0) == 0;
  if (enable) kind.erase(0, 1);
  if (!kind.empty() && kind != "SR" && kind != "SS")
    throw Error(where_, fmt::format("the cell {} is a {}, which has no simulation model; simulate the RTL instead", name_, type_));
  const std::string reset = kind == "SR" ? in("R") : kind == "SS" ? in("S") : "1'b0";
  assign("Q", register_of(in("D"), enable ? in("E") : "1'b1", reset, kind == "SS", true));
}

void NetlistWriter::ecp5_register() {
  require("SRMODE", {"", "LSR_OVER_CE"});
  require("CLKMUX", {"", "CLK"});
  const std::string ce = text("CEMUX");
  const std::string enable = ce == "1" || ce.empty() ? "1'b1" : ce == "0" ? "1'b0" : in("CE");  // in() inverts for INV
  assign("Q", register_of(in(connected("DI") ? "DI" : "M"), enable, in("LSR"), text("REGSET") == "SET", false));
}

void NetlistWriter::ice40_logic_cell() {
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

void NetlistWriter::ecp5_logic_cell() {
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

std::string NetlistWriter::half_lut(const std::string& init, const std::string& a, const std::string& b) {
  return table("4'b" + bits(init, 16).substr(16), in_all({b, a}));
}

void NetlistWriter::carry_pair() {
  std::string carry = in("CIN");
  for (const std::string half : {"0", "1"}) {
    const bool inject = text("INJECT1_" + half) != "NO";
    const std::string lut4 = fresh(lut("INIT" + half, {"D" + half, "C" + half, "B" + half, "A" + half}));
    assign("S" + half, inject ? lut4 : lut4 + " ^ " + carry);
    carry = fresh(fmt::format("{} ? {} : {}", lut4, carry, inject ? "1'b0" : half_lut("INIT" + half, "A" + half, "B" + half)));
  }
  assign("COUT", carry);
}

}  // namespace bitloom
