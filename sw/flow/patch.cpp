#include "flow/patch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <random>
#include <string_view>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "emit/design.hpp"
#include "flow/netlist.hpp"
#include "flow/nextpnr.hpp"

namespace bitloom {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

using Bits = std::vector<bool>;

constexpr const char* kVersion = "this version of nextpnr is not supported";

/// The numbers in a place such as "X14/Y5/lc3" or "X19/Y22/SLICEB.K1", and its last part.
struct Bel {
  int x = 0, y = 0;
  std::string rest;
};

Bel read_bel(const RomCell& cell) {
  Bel bel;
  const std::size_t y = cell.bel.find("/Y"), rest = cell.bel.find('/', y == std::string::npos ? y : y + 1);
  if (cell.bel.rfind('X', 0) != 0 || y == std::string::npos || rest == std::string::npos)
    throw Error(cell.cell, fmt::format("is placed at '{}', which is no place that is known; {}", cell.bel, kVersion));
  bel.x = std::stoi(cell.bel.substr(1, y - 1));
  bel.y = std::stoi(cell.bel.substr(y + 2, rest - y - 2));
  bel.rest = cell.bel.substr(rest + 1);
  return bel;
}

/// The number in "[..]" after `key` in a cell's name.
int index_in(const std::string& name, const std::string& key) {
  const std::size_t at = name.rfind(key + "[");
  if (at == std::string::npos) throw Error(name, "is a ROM's cell without a place in the ROM; synthesize again");
  return std::stoi(name.substr(at + key.size() + 1));
}

/// A text that went through Verilog's parameters comes out as bits, eight a character.
std::string decode_text(const std::string& text) {
  if (text.size() < 16 || text.size() % 8 != 0 || text.find_first_not_of("01") != std::string::npos) return text;
  std::string result;
  for (std::size_t at = 0; at < text.size(); at += 8)
    if (const auto c = static_cast<char>(std::stoi(text.substr(at, 8), nullptr, 2)); c != '\0') result += c;
  return result;
}

std::string text_of(const Bits& bits) {  // highest bit first
  std::string text(bits.size(), '0');
  for (std::size_t i = 0; i < bits.size(); ++i)
    if (bits[i]) text[bits.size() - 1 - i] = '1';
  return text;
}

Bits bits_of(std::string_view text) {
  Bits bits(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) bits[text.size() - 1 - i] = text[i] == '1';
  return bits;
}

/// Input i of the LUT is input order[i] of the hardware's.
using Order = std::array<int, 4>;

Bits permute(const Bits& content, const Order& order) {
  Bits result(16);
  for (unsigned hardware = 0; hardware < 16; ++hardware) {
    unsigned address = 0;
    for (unsigned i = 0; i < 4; ++i) address |= ((hardware >> order[i]) & 1U) << i;
    result[hardware] = content[address];
  }
  return result;
}

/// `content` with the permutation of inputs that turns `pilot` into `found`.
Bits permute_like(const RomCell& cell, const Bits& pilot, const Bits& found, const Bits& content) {
  Order order = {0, 1, 2, 3};
  do {
    if (permute(pilot, order) == found) return permute(content, order);
  } while (std::next_permutation(order.begin(), order.end()));
  throw Error(cell.cell, fmt::format("is not at {} in the bitstream, where nextpnr placed it; {}", cell.bel, kVersion));
}

/// A textual bitstream as lines that can be replaced.
class Lines {
 public:
  explicit Lines(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      lines_.emplace_back(text.substr(at, end - at));
      at = end + 1;
    }
  }
  std::vector<std::string>& lines() { return lines_; }
  std::string text() const {
    std::string text;
    for (const std::string& line : lines_) (text += line) += '\n';
    return text;
  }

 private:
  std::vector<std::string> lines_;
};

unsigned hex(std::string_view text) {
  unsigned value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

// ---- iCE40: logic tiles of 16 rows of 54 bits, a logic cell in two rows; 4096 bits of a RAM in 16 rows of hexadecimal digits.

/// Bits of a logic cell (0 to 9 in its first row, 10 to 19 in its second, from column 36 on) that hold the LUT, lowest address first.
/// Project IceStorm's documentation of the logic tile; checked against nextpnr by the pilots.
constexpr std::array<int, 16> kLutBits = {4, 14, 15, 5, 6, 16, 17, 7, 3, 13, 12, 2, 1, 11, 10, 0};

void patch_ice40(Lines& config, const std::vector<RomCell>& cells, const std::vector<Bits>& pilots, const std::vector<Bits>& contents) {
  std::map<std::string, std::size_t> sections;  // ".logic_tile 14 5" -> the line after it
  std::vector<std::string>& lines = config.lines();
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (lines[i].rfind(".logic_tile", 0) == 0 || lines[i].rfind(".ram_data", 0) == 0) sections[lines[i]] = i + 1;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const RomCell& cell = cells[c];
    const Bel bel = read_bel(cell);
    const auto section = sections.find(fmt::format("{} {} {}", cell.is_lut() ? ".logic_tile" : ".ram_data", bel.x, bel.y));
    if (section == sections.end()) throw Error(cell.cell, fmt::format("its tile at {} is not in the bitstream; {}", cell.bel, kVersion));
    if (cell.is_lut()) {
      const auto z = static_cast<std::size_t>(bel.rest.back() - '0');
      const auto bit = [&](int i) -> char& {
        return lines[section->second + 2 * z + (i >= 10 ? 1 : 0)].at(static_cast<std::size_t>(36 + i % 10));
      };
      Bits found(16);
      for (std::size_t i = 0; i < 16; ++i) found[i] = bit(kLutBits[i]) == '1';
      const Bits wanted = permute_like(cell, pilots[c], found, contents[c]);
      for (std::size_t i = 0; i < 16; ++i) bit(kLutBits[i]) = wanted[i] ? '1' : '0';
      continue;
    }
    for (std::size_t row = 0; row < 16; ++row) {
      std::string& line = lines[section->second + row];
      for (std::size_t digit = 0; digit < 64; ++digit) {
        unsigned pilot = 0, content = 0;
        for (std::size_t k = 4; k-- > 0;) {
          pilot = pilot * 2 + (pilots[c][row * 256 + digit * 4 + k] ? 1 : 0);
          content = content * 2 + (contents[c][row * 256 + digit * 4 + k] ? 1 : 0);
        }
        char& place = line.at(63 - digit);
        if (hex({&place, 1}) != pilot) throw Error(cell.cell, fmt::format("is not at {} in the bitstream; {}", cell.bel, kVersion));
        place = "0123456789abcdef"[content];
      }
    }
  }
}

// ---- ECP5: words of tiles by their names; block RAMs by a number, 2048 words of 9 bits.

void patch_ecp5(Lines& config, const std::vector<RomCell>& cells, const std::vector<Bits>& pilots, const std::vector<Bits>& contents) {
  std::vector<std::string>& lines = config.lines();
  std::map<std::string, std::size_t> words;  // "R5C14:PLC2 SLICEA.K0.INIT" -> line
  std::map<Bits, std::size_t> blocks;        // content -> first line
  std::string tile;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (line.rfind(".tile ", 0) == 0) {
      tile = line.substr(6);
    } else if (line.rfind(".bram_init", 0) == 0) {
      Bits bits;
      for (std::size_t j = i + 1; j < lines.size() && bits.size() < 18432; ++j)
        for (std::size_t at = 0; at + 3 <= lines[j].size(); at += 4) {
          const unsigned value = hex(std::string_view(lines[j]).substr(at, 3));
          for (int k = 0; k < 9; ++k) bits.push_back(((value >> k) & 1) != 0);
        }
      blocks[bits] = i + 1;
      tile.clear();
    } else if (line.rfind('.', 0) == 0) {
      tile.clear();
    } else if (!tile.empty() && line.rfind("word: ", 0) == 0) {
      words[tile + " " + line.substr(6, line.rfind(' ') - 6)] = i;
    }
  }
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const RomCell& cell = cells[c];
    if (cell.is_lut()) {
      const Bel bel = read_bel(cell);
      const auto word = words.find(fmt::format("R{}C{}:PLC2 {}.INIT", bel.y, bel.x, bel.rest));
      if (word == words.end()) throw Error(cell.cell, fmt::format("its LUT at {} is not in the bitstream; {}", cell.bel, kVersion));
      std::string& line = lines[word->second];
      const std::size_t at = line.rfind(' ') + 1;
      line.replace(at, std::string::npos, text_of(permute_like(cell, pilots[c], bits_of(std::string_view(line).substr(at)), contents[c])));
      continue;
    }
    const auto block = blocks.find(pilots[c]);
    if (block == blocks.end()) throw Error(cell.cell, fmt::format("its content is not in the bitstream; {}", kVersion));
    std::size_t bit = 0;
    for (std::size_t j = block->second; bit < 18432; ++j)
      for (std::size_t at = 0; at + 3 <= lines[j].size(); at += 4) {
        unsigned value = 0;
        for (unsigned k = 0; k < 9; ++k) value |= (contents[c][bit++] ? 1U : 0U) << k;
        lines[j].replace(at, 3, fmt::format("{:03x}", value));
      }
  }
}

}  // namespace

RomWords read_rom(const fs::path& file) {
  const std::string text = read_text_file(file);
  RomWords words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::vector<bool> word;
    for (std::size_t i = end; i-- > at;) {
      const unsigned digit = hex(std::string_view(text).substr(i, 1));
      for (int k = 0; k < 4; ++k) word.push_back(((digit >> k) & 1) != 0);
    }
    if (!word.empty()) words.push_back(std::move(word));
    at = end + 1;
  }
  return words;
}

std::vector<RomCell> rom_cells(const json& module) {
  std::vector<RomCell> cells;
  for (const auto& [name, cell] : module.at("cells").items()) {
    if (!cell.contains("attributes") || !cell.at("attributes").contains("bitloom_rom")) continue;
    RomCell one;
    one.cell = name;
    one.type = cell.at("type").get<std::string>();
    one.rom = cell.at("attributes").at("bitloom_rom").get<std::string>();
    one.rom = decode_text(one.rom);
    one.row = index_in(name, "g_row");
    one.column = index_in(name, "g_column");
    const auto parameter = [&](const char* key) { return std::stoi(cell.at("parameters").at(key).get<std::string>(), nullptr, 2); };
    if (one.type == "SB_RAM40_4K") one.bits = 16 >> parameter("READ_MODE");
    if (one.type == "DP16KD") one.bits = parameter("DATA_WIDTH_B");
    cells.push_back(one);
  }
  return cells;
}

void locate(std::vector<RomCell>& cells, const json& placed) {
  const json& all = placed.at("cells");
  for (RomCell& cell : cells) {
    for (const char* ending : {"", "_LC", "_RAM", "$COMB", "_COMB"})
      if (all.contains(cell.cell + ending)) cell.placed = cell.cell + ending;
    if (cell.placed.empty()) throw Error(cell.cell, fmt::format("is not in the placed netlist; {}", kVersion));
    cell.bel = all.at(cell.placed).at("attributes").value("NEXTPNR_BEL", "");
  }
}

std::vector<bool> cell_content(const RomCell& cell, const RomWords& words) {
  const auto bit = [&](int word, int column) {
    if (word >= static_cast<int>(words.size())) return false;
    const std::vector<bool>& bits = words[static_cast<std::size_t>(word)];
    return column < static_cast<int>(bits.size()) && bits[static_cast<std::size_t>(column)];
  };
  if (cell.is_lut()) {
    int used = 1;
    while (used < 4 && (1 << used) < static_cast<int>(words.size())) ++used;
    Bits content(16);
    for (int a = 0; a < 16; ++a) content[static_cast<std::size_t>(a)] = bit(cell.row * 16 + a % (1 << used), cell.column);
    return content;
  }
  const bool ice40 = cell.type == "SB_RAM40_4K";
  Bits content(ice40 ? 4096 : 18432);
  // ECP5: ports below 9 bits leave every ninth bit unused.
  const int depth = ice40 ? 4096 / cell.bits : (cell.bits >= 9 ? 18432 : 16384) / cell.bits;
  for (int word = 0; word < depth; ++word)
    for (int k = 0; k < cell.bits; ++k) {
      const int flat = word * cell.bits + k;
      const int place = ice40 ? word % 256 * 16 + k * (16 / cell.bits) + word / 256 : cell.bits >= 9 ? flat : flat / 8 * 9 + flat % 8;
      content[static_cast<std::size_t>(place)] = bit(cell.row * depth + word, cell.column * cell.bits + k);
    }
  return content;
}

std::vector<bool> cell_pilot(const RomCell& cell, const RomWords& words) {
  if (cell.is_lut()) {
    // Different for each order of the inputs that the ROM uses.
    const std::size_t depth = words.size();
    const unsigned pilot = depth <= 2 ? 0xaaaa : depth <= 4 ? 0x2222 : depth <= 8 ? 0x0b0b : 0x001a;
    Bits bits(16);
    for (std::size_t i = 0; i < 16; ++i) bits[i] = ((pilot >> i) & 1) != 0;
    return bits;
  }
  std::uint64_t seed = 14695981039346656037ULL;  // of the name, the same on every machine (FNV-1a)
  for (const char c : cell.cell) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  std::mt19937_64 random(seed);
  Bits bits(cell.type == "SB_RAM40_4K" ? 4096 : 18432);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = (random() & 1) != 0;
  return bits;
}

void set_content(json& cell, const std::vector<bool>& content) {
  json& parameters = cell["parameters"];
  const auto type = cell.at("type").get<std::string>();
  if (content.size() == 16) {
    parameters[type == "LUT4" ? "INIT" : type == "TRELLIS_COMB" ? "INITVAL" : "LUT_INIT"] = text_of(content);
  } else if (content.size() == 4096) {
    for (std::size_t i = 0; i < 16; ++i)
      parameters[fmt::format("INIT_{:X}", i)] = text_of(
          Bits(content.begin() + static_cast<std::ptrdiff_t>(256 * i), content.begin() + static_cast<std::ptrdiff_t>(256 * (i + 1))));
  } else {
    for (std::size_t i = 0; i < 64; ++i) {
      Bits value(320);
      for (std::size_t k = 0; k < 288; ++k) value[k / 18 * 20 + k % 18] = content[i * 288 + k];
      parameters[fmt::format("INITVAL_{:02X}", i)] = text_of(value);
    }
  }
}

std::string patch_config(const std::string& family, const std::string& config, const std::vector<RomCell>& cells,
                         const std::vector<std::vector<bool>>& pilots, const std::vector<std::vector<bool>>& contents) {
  Lines lines(config);
  if (family == "ice40")
    patch_ice40(lines, cells, pilots, contents);
  else
    patch_ecp5(lines, cells, pilots, contents);
  return lines.text();
}

fs::path patch_bitstream(const fs::path& design_folder) {
  const json design = read_design(design_folder);
  const Board board = load_board(design.at("board").get<std::string>());
  const fs::path build = fs::path("build") / "synth" / board.name;
  const fs::path folder = fs::absolute(design_folder) / build;
  if (!fs::exists(folder / kPilotConfig))
    throw Error(design_folder.string(), fmt::format("was not placed for other weights: of those that are logic nobody knows where they went. Place it once with: bitloom synth {} --patchable", design_folder.string()));
  json synthesized = read_netlist(folder / "netlist.json");
  json placed = read_netlist(folder / "placed.json");
  std::vector<RomCell> cells = rom_cells(synthesized);
  locate(cells, placed);
  std::map<std::string, RomWords> roms;
  std::vector<Bits> pilots, contents;
  for (const RomCell& cell : cells) {
    auto rom = roms.find(cell.rom);
    if (rom == roms.end()) rom = roms.emplace(cell.rom, read_rom(design_folder / cell.rom)).first;
    pilots.push_back(cell_pilot(cell, rom->second));
    contents.push_back(cell_content(cell, rom->second));
  }
  const bool ice40 = board.family == "ice40";
  const char* textual = ice40 ? "design.asc" : "design.config";
  const fs::path bitstream = build / (ice40 ? "design.bin" : "design.bit");
  write_file_atomically(folder / textual, patch_config(board.family, read_text_file(folder / kPilotConfig), cells, pilots, contents));
  const std::string tool = ice40 ? "icepack" : "ecppack";
  const fs::path text = folder / textual, binary = fs::absolute(design_folder) / bitstream;
  const std::vector<std::string> args = ice40 ? std::vector<std::string>{text.string(), binary.string()}
                                              : std::vector<std::string>{"--compress", "--input", text.string(), "--bit", binary.string()};
  const fs::path log = folder / "pack.log";
  if (const int status = run(tool, args, {.cwd = {}, .out = log, .err = log, .env = {}}); status != 0)
    throw Error(tool, fmt::format("failed with status {}; the end of {}:\n{}", status, log.string(), last_lines(log, 8)));

  // The same contents in the netlists that a simulation runs.
  const CoreNets nets = core_nets(synthesized, design, read_text_file(design_folder / "bitloom_core.sv"));
  for (std::size_t c = 0; c < cells.size(); ++c) {
    set_content(synthesized.at("cells").at(cells[c].cell), contents[c]);
    set_content(placed.at("cells").at(cells[c].placed), contents[c]);
  }
  write_netlist(design_folder, "synthesized", synthesized, nets, board, design, "netlist.json");
  write_netlist(design_folder, "placed", placed, nets, board, design, "placed.json");
  return bitstream;
}

}  // namespace bitloom
