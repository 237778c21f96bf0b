// The cells and nets of a netlist as Verilog: what netlist_text (netlist.hpp) puts between the ports of bitloom_core.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "flow/netlist_points.hpp"

namespace bitloom {

class NetlistWriter {
  using json = nlohmann::json;

 public:
  /// `module` of Yosys' JSON, or of nextpnr's; it must outlive the writer. Errors name `where`.
  NetlistWriter(const json& module, std::string where);

  /// Whether a cell drives this bit; synthesis leaves names of nets whose logic it took away.
  bool is_driven(const json& bit);
  /// The bit of a net by one of its names; null when the netlist has none of them.
  json find(const std::vector<std::string>& names) const;
  /// The net of this bit is driven by a port of bitloom_core from now on.
  void cut(const json& bit, const std::string& port);
  std::string read(const json& bit);

  /// One cell of a layer, as an expression or a register; memories and multipliers as instances of sim/cells/<family>.sv. Throws Error for a
  /// type that has no simulation model.
  void cell(const std::string& name, const json& cell, int layer);

  /// The body: nets, what drives them, cells.
  std::string body();

  int open() const { return open_; }
  const NetlistPoints& points() const { return points_; }
  /// The layer of what is cut from here on.
  void at_layer(int layer) { layer_ = layer; }

 private:
  // Of the cell under way: its parameters.
  const json& parameters() const;
  /// A parameter that is a text, without the blank that the JSON ends it with; "" when it is not set.
  std::string text(const std::string& parameter) const;
  void require(const std::string& parameter, const std::vector<std::string>& values) const;
  /// A parameter of bits as a Verilog constant; what is undefined is 0.
  std::string bits(const std::string& parameter, int width) const;
  bool flag(const std::string& parameter) const;
  int number(const std::string& parameter) const;

  // Its pins.
  std::string drive(const json& bit, const std::string& pin);
  /// What the cell's output `pin` is to bitloom power.
  Driver driver(const std::string& pin) const;
  void count(std::int64_t bit, Driver driver);
  void access(const std::string& signal, bool is_write);
  bool connected(const std::string& pin) const;
  /// What an input of one bit reads. nextpnr turns constants at ECP5 cells into their input multiplexers.
  std::string in(const std::string& pin);
  std::string in_all(const std::vector<std::string>& pins);
  /// A port of several bits: one vector in Yosys' netlist, pins WAD0 or WADDR_0 in nextpnr's.
  std::string bus(const std::string& port, int width, bool is_output);
  std::string out(const std::string& pin);

  // Text.
  void assign(const std::string& pin, const std::string& value);
  void instance(const std::string& module, const std::string& values, const std::vector<std::pair<std::string, std::string>>& ports);
  /// A LUT of the inputs `pins`, highest first, which reads only those that matter: nextpnr leads a LUT's output back to its own inputs
  /// where the carry beside it, or nobody, looks at them, and a simulator with unknown values could not begin with that.
  std::string lut(const std::string& init, const std::vector<std::string>& pins);
  std::string table(const std::string& content, const std::string& address);
  std::string fresh(const std::string& value);
  /// A register of its own, with the output as its net; set and reset are synchronous.
  std::string register_of(const std::string& data, const std::string& enable, const std::string& reset, bool to_one,
                          bool reset_needs_enable);

  // Kinds of cells (netlist_cells.cpp). The first three say whether the cell is of their kind.
  bool logic_cell();
  bool memory_cell();
  bool multiplier_cell();
  /// SB_DFF with its suffix: [E][SR|SS]. Falling edges and asynchronous resets are not used in Bitloom's RTL.
  void ice40_register(std::string kind);
  void ecp5_register();
  void ice40_logic_cell();
  /// A LUT with its half of a carry cell, and the multiplexer that makes a wider LUT of two.
  void ecp5_logic_cell();
  /// The LUT of A and B in the four lowest bits.
  std::string half_lut(const std::string& init, const std::string& a = "A", const std::string& b = "B");
  void carry_pair();

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

}  // namespace bitloom
