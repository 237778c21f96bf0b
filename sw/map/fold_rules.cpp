#include "map/fold_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.hpp"
#include "map/plan.hpp"

namespace bitloom {
namespace {

int parse_number(const std::string& rule, const std::string& name, const std::string& text) {
  if (text == "all" && (name == "apar" || name == "wpar")) return FoldRule::kAllPlanes;
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 1)
    throw Error("--fold",
                fmt::format("'{}' in '{}': a number from 1 on expected{}", text, rule, name == "apar" || name == "wpar" ? ", or all" : ""));
  return value;
}

FoldRule::Engine parse_engine(const std::string& rule, const std::string& text) {
  if (text != "plane" && text != "basis") throw Error("--fold", fmt::format("'{}' in '{}': plane or basis expected", text, rule));
  return text == "plane" ? FoldRule::Engine::Plane : FoldRule::Engine::Basis;
}

FoldRule::Products parse_products(const std::string& rule, const std::string& text) {
  if (text != "blocks" && text != "logic") throw Error("--fold", fmt::format("'{}' in '{}': blocks or logic expected", text, rule));
  return text == "blocks" ? FoldRule::Products::Blocks : FoldRule::Products::Logic;
}

bool allows(const FoldRule& rule, const Folding& f, int wpar, int apar, int bits) {
  const bool basis = f.sparse > 0;
  if (rule.engine != FoldRule::Engine::Any && basis != (rule.engine == FoldRule::Engine::Basis)) return false;
  if (rule.pixels > 0 && f.pixels != rule.pixels) return false;
  if (rule.products != FoldRule::Products::Any && f.products != (rule.products == FoldRule::Products::Blocks)) return false;
  if (basis)
    return rule.pe == 0 && rule.simd == 0 && rule.apar == 0 && rule.wpar == 0 && (rule.sparse == 0 || f.sparse == rule.sparse) &&
           (rule.rows == 0 || f.rows == rule.rows);
  if (rule.sparse > 0 || rule.rows > 0 || (rule.pe > 0 && f.pe != rule.pe) || (rule.simd > 0 && f.simd != rule.simd)) return false;
  return (wpar == 0 || f.wpar == wpar) && !(apar > 0 && apar < bits && f.wpar > 1);  // several weight planes meet all activation bits at once
}

bool concerns(const FoldRule& rule, const Stage& stage) {
  return stage.kind == StageKind::Plane &&
         (rule.layer == "*" || rule.layer == stage.name || stage.name.rfind(rule.layer + "_slice", 0) == 0);  // map/layer_split
}

}  // namespace

FoldRule parse_fold_rule(const std::string& text) {
  const std::size_t colon = text.find(':');
  FoldRule rule;
  rule.layer = text.substr(0, colon);
  std::string rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  while (!rest.empty() && !rule.layer.empty()) {
    const std::string part = rest.substr(0, rest.find(','));
    rest = part.size() == rest.size() ? "" : rest.substr(part.size() + 1);
    const std::size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    int* const field = name == "pe"       ? &rule.pe
                       : name == "simd"   ? &rule.simd
                       : name == "apar"   ? &rule.apar
                       : name == "wpar"   ? &rule.wpar
                       : name == "pixels" ? &rule.pixels
                       : name == "sparse" ? &rule.sparse
                       : name == "rows"   ? &rule.rows
                                          : nullptr;
    if (name == "engine" && equals != std::string::npos) {
      rule.engine = parse_engine(text, part.substr(equals + 1));
      continue;
    }
    if (name == "products" && equals != std::string::npos) {
      rule.products = parse_products(text, part.substr(equals + 1));
      continue;
    }
    if (field == nullptr || equals == std::string::npos)
      throw Error("--fold", fmt::format("'{}' in '{}': pe=N, simd=N, apar=N, wpar=N, pixels=N, products=blocks|logic, engine=plane|basis, sparse=N or rows=N expected", part, text));
    *field = parse_number(text, name, part.substr(equals + 1));
  }
  if (rule == FoldRule{rule.layer} || rule.layer.empty())
    throw Error("--fold", fmt::format("'{}' found; LAYER:pe=8,simd=16,apar=all,wpar=1 or a part of it expected, * for every layer", text));
  return rule;
}

std::vector<Folding> allowed_foldings(const Network& network, const Stage& stage, std::vector<Folding> foldings,
                                      const std::vector<FoldRule>& rules) {
  for (const FoldRule& rule : rules) {
    if (!concerns(rule, stage)) continue;
    const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
    const int bits = network.input_of(layer).type.bits();
    const int planes = weight_planes(std::get<Convolution>(layer.op));
    const int apar = rule.apar == FoldRule::kAllPlanes ? bits : rule.apar;
    const int wpar = rule.wpar == FoldRule::kAllPlanes ? planes : rule.wpar;
    if (apar > 0 && bits % apar != 0)
      throw Error(stage.name, fmt::format("apar={} asked for; a divisor of its input's {} bits expected", apar, bits));
    std::erase_if(foldings, [&](const Folding& f) { return !allows(rule, f, wpar, apar, bits); });
    if (foldings.empty())
      throw Error(
          stage.name,
          fmt::format(
              "has no folding with pe={}, simd={}, apar={}, wpar={}, pixels={} (0: any): pe divides its output channels, simd its "
              "input channels (or is a kernel row of all of them), wpar is 1 or {}, with apar={} where it is not 1, pixels is 1, 2 or "
              "4 and divides its output's width, products=blocks is for wpar above 1; the basis engine (engine=basis, sparse, rows, pixels) is for decomposed layers only",
              rule.pe, rule.simd, apar, wpar, rule.pixels, planes, bits));
    if (apar > 0)
      for (Folding& folding : foldings) folding.apar = apar;
  }
  return foldings;
}

bool asks_for_blocks(const Stage& stage, const std::vector<FoldRule>& rules) {
  return std::any_of(rules.begin(), rules.end(),
                     [&](const FoldRule& rule) { return concerns(rule, stage) && rule.products == FoldRule::Products::Blocks; });
}

void check_fold_rules(const std::vector<Stage>& stages, const std::vector<FoldRule>& rules) {
  for (const FoldRule& rule : rules) {
    if (std::any_of(stages.begin(), stages.end(), [&](const Stage& stage) { return concerns(rule, stage); })) continue;
    std::string names;
    for (const Stage& stage : stages)
      if (stage.kind == StageKind::Plane) names += (names.empty() ? "" : ", ") + stage.name;
    throw Error("--fold", fmt::format("'{}' names no layer with weights; there are {}", rule.layer, names.empty() ? "none" : names));
  }
}

}  // namespace bitloom
