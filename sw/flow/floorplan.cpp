#include "flow/floorplan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <vector>

namespace bitloom {
using nlohmann::json;
namespace {

/// A name whose numbers sort by value: memory.9 before memory.10.
std::string natural(const std::string& name) {
  std::string key, digits;
  const auto flush = [&] {
    if (!digits.empty()) key += fmt::format("{:0>9}", digits);
    digits.clear();
  };
  for (const char c : name) {
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      digits += c;
    } else {
      flush();
      key += c;
    }
  }
  flush();
  return key;
}

struct Memories {
  std::vector<std::string> weights, others;
};

}  // namespace

int order_block_rams(json& module, const json& design) {
  json& cells = module.at("cells");
  std::map<std::string, int> layer_of;
  const json& layers = design.at("layers");
  for (std::size_t i = 0; i < layers.size(); ++i)
    for (const json& instance : layers[i].at("instances")) layer_of[instance.get<std::string>()] = static_cast<int>(i);
  std::map<int, Memories> by_layer;  // -1: of no layer
  for (const auto& [name, cell] : cells.items()) {
    if (cell.at("type") != "DP16KD") continue;
    const std::string core = "core.";
    int layer = -1;
    if (name.rfind(core, 0) == 0) {
      const auto found = layer_of.find(name.substr(core.size(), name.find('.', core.size()) - core.size()));
      if (found != layer_of.end()) layer = found->second;
    }
    (name.find(".weight_rom.") == std::string::npos ? by_layer[layer].others : by_layer[layer].weights).push_back(name);
  }
  int number = 0;
  const auto place = [&](const std::string& name) { cells.at(name)["attributes"][kBlockRamOrder] = fmt::format("{:032b}", number++); };
  for (auto& [layer, memories] : by_layer) {
    for (auto* names : {&memories.weights, &memories.others})
      std::sort(names->begin(), names->end(), [](const std::string& a, const std::string& b) { return natural(a) < natural(b); });
    const auto half = memories.weights.begin() + static_cast<std::ptrdiff_t>(memories.weights.size() / 2);
    std::for_each(memories.weights.begin(), half, place);
    std::for_each(memories.others.begin(), memories.others.end(), place);
    std::for_each(half, memories.weights.end(), place);
  }
  return number;
}

}  // namespace bitloom
