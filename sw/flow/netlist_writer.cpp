#include "flow/netlist_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace bitloom {
using nlohmann::json;
namespace {

/// What an unconnected pin of a placed cell reads as.
const char* open_pin(const std::string& type, const std::string& pin) {
  if (type == "ICESTORM_LC") return pin == "CEN" ? "1'b1" : "1'b0";
  if (type == "ICESTORM_RAM") return pin == "RCLKE" || pin == "WCLKE" ? "1'b1" : "1'b0";
  if (type == "TRELLIS_FF") return pin == "CE" ? "1'b1" : "1'b0";
  if (type == "DP16KD" || type == "TRELLIS_COMB") return pin == "M" ? "1'b0" : "1'b1";
  return "1'b0";
}

}  // namespace

NetlistWriter::NetlistWriter(const json& module, std::string where) : module_(module), where_(std::move(where)), loads_(loads_of(module)) {
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

bool NetlistWriter::is_driven(const json& bit) {
  if (outputs_.empty())
    for (const auto& [name, cell] : module_.at("cells").items())
      for (const auto& [pin, direction] : cell.at("port_directions").items())
        if (direction == "output")
          for (const json& one : cell.at("connections").at(pin))
            if (one.is_number()) outputs_.insert(one.get<std::int64_t>());
  return bit.is_number() && outputs_.count(bit.get<std::int64_t>()) != 0;
}

json NetlistWriter::find(const std::vector<std::string>& names) const {
  if (names.size() == 1 && (names[0] == "0" || names[0] == "1")) return names[0];
  for (const std::string& name : names)
    if (const auto found = names_.find(name); found != names_.end()) return found->second;
  return nullptr;
}

void NetlistWriter::cut(const json& bit, const std::string& port) {
  if (!bit.is_number())
    throw Error(where_, fmt::format("{} is the constant {}; the core cannot be simulated without its link", port, bit.dump()));
  cut_[bit.get<std::int64_t>()] = port;
  count(bit.get<std::int64_t>(), Driver::input);
}

std::string NetlistWriter::read(const json& bit) {
  if (!bit.is_number()) return bit == "1" ? "1'b1" : "1'b0";
  read_.insert(bit.get<std::int64_t>());
  return fmt::format("n{}", bit.get<std::int64_t>());
}

std::string NetlistWriter::body() {
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

const json& NetlistWriter::parameters() const {
  static const json none = json::object();
  return cell_->contains("parameters") ? cell_->at("parameters") : none;
}

std::string NetlistWriter::text(const std::string& parameter) const {
  if (!parameters().contains(parameter) || !parameters().at(parameter).is_string()) return "";
  auto value = parameters().at(parameter).get<std::string>();
  while (!value.empty() && value.back() == ' ') value.pop_back();
  return value;
}

void NetlistWriter::require(const std::string& parameter, const std::vector<std::string>& values) const {
  if (std::find(values.begin(), values.end(), text(parameter)) == values.end())
    throw Error(where_, fmt::format("the cell {} ({}) has {} = {}, which is not simulated", name_, type_, parameter, text(parameter)));
}

std::string NetlistWriter::bits(const std::string& parameter, int width) const {
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

bool NetlistWriter::flag(const std::string& parameter) const { return bits(parameter, 1).back() == '1'; }

int NetlistWriter::number(const std::string& parameter) const { return std::stoi("0" + bits(parameter, 16).substr(4), nullptr, 2); }

std::string NetlistWriter::drive(const json& bit, const std::string& pin) {
  if (!bit.is_number() || cut_.count(bit.get<std::int64_t>()) != 0) return fmt::format("open[{}]", open_++);
  driven_.insert(bit.get<std::int64_t>());
  if (type_ != "TRELLIS_RAMW") count(bit.get<std::int64_t>(), driver(pin));  // that one only renames wires inside a slice
  return fmt::format("n{}", bit.get<std::int64_t>());
}

Driver NetlistWriter::driver(const std::string& pin) const {
  if (pin == "CO" || pin == "COUT" || pin == "FCO") return Driver::carry;
  if (type_ == "ICESTORM_LC") return pin == "O" && flag("DFF_ENABLE") ? Driver::ff : Driver::lut;
  if (type_.rfind("SB_DFF", 0) == 0 || type_ == "TRELLIS_FF") return Driver::ff;
  if (type_ == "SB_RAM40_4K" || type_ == "ICESTORM_RAM" || type_ == "DP16KD" || type_ == "SB_SPRAM256KA" || type_ == "ICESTORM_SPRAM")
    return Driver::memory;
  return type_ == "SB_GB" || type_ == "DCCA" ? Driver::global : Driver::lut;
}

void NetlistWriter::count(std::int64_t bit, Driver driver) {
  const auto at = static_cast<std::size_t>(bit);
  const auto name = name_of_.find(bit);
  points_.nets.push_back({fmt::format("n{}", bit), name == name_of_.end() ? "" : name->second, driver, layer_,
                          at < loads_.size() ? loads_[at].routed_from(driver) : 0});
}

void NetlistWriter::access(const std::string& signal, bool is_write) {
  const bool never =
      signal.rfind("1'b0", 0) == 0 || signal.find("& 1'b0") != std::string::npos || signal.find("& !1'b1") != std::string::npos;
  if (!never) points_.accesses.push_back({signal, name_, is_write, layer_});
}

bool NetlistWriter::connected(const std::string& pin) const {
  const json& connections = cell_->at("connections");
  return connections.contains(pin) && !connections.at(pin).empty();
}

std::string NetlistWriter::in(const std::string& pin) {
  std::string value = connected(pin) ? read(cell_->at("connections").at(pin)[0]) : open_pin(type_, pin);
  const std::string mux = text(pin + "MUX");
  if (mux == "0" || mux == "1") return "1'b" + mux;
  return mux == "INV" ? "!" + value : value;
}

std::string NetlistWriter::in_all(const std::vector<std::string>& pins) {
  std::string list;
  for (const std::string& pin : pins) list += (list.empty() ? "" : ", ") + in(pin);
  return "{" + list + "}";
}

std::string NetlistWriter::bus(const std::string& port, int width, bool is_output) {
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
      const std::string pin = fmt::format("{}{}{}", port, type_.starts_with("ICESTORM_") ? "_" : "", i);
      bit = is_output ? out(pin) : in(pin);
    }
    list += (list.empty() ? "" : ", ") + bit;
  }
  return "{" + list + "}";
}

std::string NetlistWriter::out(const std::string& pin) {
  return connected(pin) ? drive(cell_->at("connections").at(pin)[0], pin) : fmt::format("open[{}]", open_++);
}

void NetlistWriter::assign(const std::string& pin, const std::string& value) {
  if (connected(pin)) cells_ += fmt::format("  assign {} = {};\n", out(pin), value);
}

void NetlistWriter::instance(const std::string& module, const std::string& values, const std::vector<std::pair<std::string, std::string>>& ports) {
  std::string list;
  for (const auto& [port, value] : ports) list += fmt::format("{}.{}({})", list.empty() ? "" : ", ", port, value);
  cells_ += fmt::format("  {} #({}) \\{} ({});\n", module, values, name_, list);
}

std::string NetlistWriter::lut(const std::string& init, const std::vector<std::string>& pins) {
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

std::string NetlistWriter::table(const std::string& content, const std::string& address) {
  cells_ += fmt::format("  localparam [{}:0] T{} = {};\n", content.substr(0, content.find('\'')) == "4" ? 3 : 15, tables_, content);
  return fmt::format("T{}[{}]", tables_++, address);
}

std::string NetlistWriter::fresh(const std::string& value) {
  cells_ += fmt::format("  wire t{} = {};\n", wires_, value);
  return fmt::format("t{}", wires_++);
}

std::string NetlistWriter::register_of(const std::string& data, const std::string& enable, const std::string& reset, bool to_one,
                        bool reset_needs_enable) {
  const std::string q = fmt::format("q{}", registers_++);
  const std::string value = reset == "1'b0" ? data : fmt::format("{} ? 1'b{} : {}", reset, to_one ? 1 : 0, data);
  const std::string when = enable == "1'b1"                        ? ""
                           : reset_needs_enable || reset == "1'b0" ? fmt::format("if ({}) ", enable)
                                                                   : fmt::format("if ({} | {}) ", enable, reset);
  cells_ += fmt::format("  reg {} = 1'b{};\n  always @(posedge clk) {}{} <= {};\n", q, to_one ? 1 : 0, when, q, value);
  return q;
}

}  // namespace bitloom
