// The design folder: what a simulator or a synthesis tool needs, and nothing of the machine that wrote it.
#include <unistd.h>

#include <fmt/format.h>

#include <functional>
#include <set>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "core/resources.hpp"
#include "emit/design.hpp"
#include "emit/images.hpp"
#include "emit/loads.hpp"
#include "map/plan.hpp"

namespace fs = std::filesystem;

namespace bitloom {
namespace {

/// Every hand-written module by name.
std::map<std::string, fs::path> module_library() {
  std::map<std::string, fs::path> modules;
  for (const auto& entry : fs::recursive_directory_iterator(resource("rtl")))
    if (entry.path().extension() == ".sv") modules[entry.path().stem().string()] = entry.path();
  return modules;
}

std::set<std::string> words_of(const std::string& text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
    } else if (!word.empty()) {
      words.insert(word);
      word.clear();
    }
  }
  return words;
}

/// The modules that `texts` name, and those that they name in turn.
std::vector<fs::path> modules_used_by(const std::vector<std::string>& texts) {
  const std::map<std::string, fs::path> library = module_library();
  std::set<std::string> used;
  std::vector<std::string> open = texts;
  while (!open.empty()) {
    const std::string text = std::move(open.back());
    open.pop_back();
    for (const std::string& word : words_of(text)) {
      const auto found = library.find(word);
      if (found != library.end() && used.insert(word).second) open.push_back(read_text_file(found->second));
    }
  }
  std::vector<fs::path> files;
  for (const std::string& name : used) files.push_back(library.at(name));
  return files;
}

/// `mark`: the file that a folder of ours has.
void refuse_to_overwrite(const fs::path& folder, const std::string& mark) {
  if (!fs::exists(folder)) return;
  if (!fs::is_directory(folder)) throw Error(folder.string(), "is a file; name a folder for the design");
  if (!fs::is_empty(folder) && !fs::exists(folder / mark))
    throw Error(folder.string(), fmt::format("holds other files and no {}; name a new folder, so that nothing is lost", mark));
}

/// What leaves the core for an image: the parts one after the other, one for each output of the network.
nlohmann::json output_stream(const Network& network, const Design& design) {
  nlohmann::json parts = nlohmann::json::array();
  std::int64_t beats = 0;
  for (std::size_t o = 0; o < network.outputs.size(); ++o) {
    const FeatureMap& map = network.maps[static_cast<std::size_t>(network.outputs[o].map)];
    const int lanes = network.outputs.size() > 1 ? 1 : design.streams[design.output] / map.type.bits();
    parts.push_back({{"name", network.outputs[o].name},
                     {"map", map.name},
                     {"lanes", lanes},
                     {"type", map.type.to_string()},
                     {"beats", map.shape.size() / lanes}});
    beats += map.shape.size() / lanes;
  }
  return {{"beats", beats}, {"width", design.streams[design.output]}, {"parts", parts}};
}

nlohmann::json input_stream(const Network& network, const Design& design) {
  const FeatureMap& in = network.maps[static_cast<std::size_t>(network.input)];
  const int lanes = design.plan.input_lanes;
  return {{"lanes", lanes}, {"type", in.type.to_string()}, {"beats", in.shape.size() / lanes}, {"width", design.streams[0]}};
}

nlohmann::json describe_options(const DesignOptions& options) {
  nlohmann::json result = {{"scale", options.scale}, {"shift", options.shift},   {"argmax", options.argmax}, {"input", options.input},
                           {"fps", options.fps},     {"clocks", options.clocks}, {"fit", options.fit},       {"fold", options.fold}};
  if (options.devices != 1) {
    result["devices"] = options.devices;
    result["link_lanes"] = options.link.lanes;
    result["link_clock_ratio"] = options.link.clock_ratio;
    result["link_latency"] = options.link.latency;
    if (!options.splits.empty()) result["splits"] = options.splits;
  }
  return result;
}

nlohmann::json describe_link(const Network& network, const ChipLink& link) {
  return {{"name", link.name},
          {"map", link.map < 0 ? nlohmann::json() : nlohmann::json(network.maps[static_cast<std::size_t>(link.map)].name)},
          {"from", link.from},
          {"to", link.to},
          {"lanes", link.spec.lanes},
          {"clock_ratio", link.spec.clock_ratio},
          {"latency", link.spec.latency},
          {"channels", link.channels},
          {"word_bits", link.word_bits},
          {"words", link.words},
          {"depth", link.depth},
          {"frame_words", link.frame_words},
          {"timeout", link.timeout},
          {"clocks", link.clocks}};
}

/// A temporary folder beside `target`, which takes its place when `write` has filled it.
void write_folder(const fs::path& folder, const std::function<void(const fs::path&)>& write) {
  const fs::path target = fs::absolute(folder).lexically_normal();
  const fs::path parent = target.has_filename() ? target.parent_path() : target.parent_path().parent_path();
  const fs::path temporary =
      parent / fmt::format(".{}.{}", (target.has_filename() ? target : target.parent_path()).filename().string(), ::getpid());
  std::error_code error;
  fs::remove_all(temporary, error);
  fs::create_directories(temporary, error);
  if (error)
    throw Error(folder.string(), fmt::format("the folder cannot be made ({}); name one in a place that you may write to", error.message()));
  try {
    write(temporary);
    fs::remove_all(target);
    fs::rename(temporary, target);
  } catch (...) {
    fs::remove_all(temporary, error);
    throw;
  }
}

/// What a stage in the basis engine is made of; `stored_bits` are those of its memory images, indices and all.
nlohmann::json basis_of(const Network& network, const Design& design, const Stage& stage) {
  const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
  const DecomposedWork work = decomposed_work(network, layer);
  std::int64_t coefficients = 0, order = 0, kernels = 0;
  for (const auto& [name, image] : design.memories) {
    const std::int64_t bits = static_cast<std::int64_t>(image.words.size()) * image.width;
    if (name.starts_with(stage.name + "_coefficients_")) coefficients += bits;
    if (name == stage.name + "_order.mem") order = bits;
    if (name == stage.name + "_basis.mem") kernels = bits;
  }
  return {{"kernels", std::get<Convolution>(layer.op).decomposition->kernels},
          {"sparse_lanes", stage.folding.sparse},
          {"rows", stage.folding.rows},
          {"clocks_per_block", stage.words_per_pixel},
          {"adders_busy", stage.adders_busy},
          {"additions", work.additions},
          {"products", work.products},
          {"stored_bits", {{"coefficients", coefficients}, {"order", order}, {"basis", kernels}}}};
}

/// Of an image, as the program executes them: words that are left out do not count, places of a word that no weight needs do.
std::int64_t executed_bit_operations(const Stage& stage) {
  if (stage.kind != StageKind::Plane) return 0;
  const Folding& f = stage.folding;
  const std::int64_t steps = std::int64_t{stage.window_plan.out_height} * stage.window_plan.out_width;
  return steps * stage.words_per_pixel * f.pe * f.pixels * f.simd * f.apar * f.wpar;
}

}  // namespace

std::string design_hash(const Design& design, const DesignOptions& options) {
  ContentHash hash;
  const std::string core = core_text(design);
  hash.add(core);
  for (const fs::path& source : modules_used_by({core})) {
    hash.add(source.filename().string());
    hash.add(read_text_file(source));
  }
  for (const auto& [name, image] : design.memories) {
    hash.add(name);
    hash.add(image.text());
  }
  hash.add(read_file(options.model));
  hash.add(fmt::format("{} {} {} {}", options.scale, options.shift, options.argmax, options.input));
  return hash.text();
}

nlohmann::json describe(const Network& network, const Design& design, const DesignOptions& options, const std::vector<fs::path>& sources) {
  using nlohmann::json;
  const auto map = [&](int index) -> const FeatureMap& { return network.maps[static_cast<std::size_t>(index)]; };
  json result = {{"bitloom", BITLOOM_VERSION},
                 {"name", design.name},
                 {"board", options.board},
                 {"model", "model.onnx"},
                 {"hash", design_hash(design, options)},
                 {"link", {{"baud", options.baud}}},
                 {"options", describe_options(options)},
                 {"sources", json::array()},
                 {"boundaries", json::array()},
                 {"layers", json::array()},
                 {"predicted_clocks_per_image", design.plan.clocks_per_image},
                 {"bottleneck", design.plan.bottleneck},
                 {"binding", design.plan.binding},
                 {"fabric", design.plan.fabric},
                 {"estimate", {{"lut4", design.plan.cost.lut4}, {"block_rams", design.plan.cost.block_rams}}}};
  for (const fs::path& source : sources) result["sources"].push_back("rtl/" + source.filename().string());
  if (design.host) {
    result["input"] = input_stream(network, design);
    result["output"] = output_stream(network, design);
  }
  if (!design.loaded.empty()) {
    json layers = json::array();
    for (const Stage& stage : design.plan.stages)
      if (stage.weights_loaded) layers.push_back(stage.name);
    result["loaded_weights"] = {{"file", kWeightsFile}, {"words", load_words(design).size()}, {"layers", layers}};
  }
  if (!design.plan.chips.empty()) {
    json& chip = result["chip"] = {{"index", design.chip}, {"chips", design.plan.chips.size()}};
    for (const auto& [name, links] : {std::pair("links_out", &design.links_out), std::pair("links_in", &design.links_in)}) {
      chip[name] = json::array();
      for (const int link : *links) chip[name].push_back(describe_link(network, design.plan.links[static_cast<std::size_t>(link)]));
    }
  }
  for (const Boundary& boundary : design.boundaries) {
    const FeatureMap& out = map(boundary.map);
    result["boundaries"].push_back({{"map", out.name},
                                    {"layer", design.plan.stages[boundary.stage].name},
                                    {"lanes", boundary.lanes},
                                    {"type", out.type.to_string()},
                                    {"beats", out.shape.size() / boundary.lanes},
                                    {"data_offset", boundary.data_offset},
                                    {"width", boundary.width}});
  }
  result["fifos"] = json::array();
  for (const JoinFifo& fifo : design.fifos)
    result["fifos"].push_back({{"name", fifo.name}, {"width", fifo.width}, {"depth", fifo.depth}, {"deadlock", fifo.deadlock}});

  std::int64_t total_macs = 0, total_bits = 0, total_qonnx = 0, total_executed = 0;
  double total_uniq = 0;
  int activity = 0;
  for (std::size_t s = 0; s < design.plan.stages.size(); ++s) {
    const Stage& stage = design.plan.stages[s];
    const Layer& layer = network.layers[static_cast<std::size_t>(stage.layer)];
    json instances = json::array();
    bool has_activity = false;
    for (const Instance& instance : design.instances) {
      if (instance.stage != s) continue;
      instances.push_back(instance.name);
      has_activity = has_activity || instance.has_activity;
    }
    json terms;
    for (std::size_t t = 0; t < kCostTermNames.size(); ++t) terms[kCostTermNames[t]] = stage.cost.terms[t];
    result["layers"].push_back({{"name", stage.name},
                                {"kind", kind_name(layer.op)},
                                {"source", layer.source},
                                {"instances", instances},
                                {"pe", stage.folding.pe},
                                {"simd", stage.folding.simd},
                                {"apar", stage.folding.apar},
                                {"wpar", stage.folding.wpar},
                                {"products", stage.folding.products},
                                {"pixels", stage.folding.pixels},
                                {"lanes", stage.folding.lanes},
                                {"planes", stage.planes},
                                {"words_per_pixel", stage.words_per_pixel},
                                {"clocks", stage.clocks},
                                {"macs", macs(network, layer)},
                                {"bops_uniq", bops_uniq(network, layer)},
                                {"bops_qonnx", bops_qonnx(network, layer)},
                                {"bit_operations", executed_bit_operations(stage)},
                                {"weight_bits", weight_bits(layer)},
                                {"memory_bits", stage.cost.memory_bits},
                                {"estimated_lut4", stage.cost.lut4},
                                {"estimated_block_rams", stage.cost.block_rams},
                                {"cost_terms", terms},
                                {"activity", has_activity ? activity++ : -1}});
    if (const auto* conv = std::get_if<Convolution>(&layer.op); conv != nullptr)
      result["layers"].back()["engine"] = stage.kind == StageKind::Basis ? "basis" : "plane";
    if (!stage.choice.empty()) result["layers"].back()["choice"] = stage.choice;
    if (stage.kind == StageKind::Basis) result["layers"].back()["basis"] = basis_of(network, design, stage);
    total_macs += macs(network, layer);
    total_bits += weight_bits(layer);
    total_executed += executed_bit_operations(stage);
    total_uniq += bops_uniq(network, layer);
    total_qonnx += bops_qonnx(network, layer);
  }
  if (design.plan.chips.empty()) result["netlist"] = describe_netlist(design);
  result["macs"] = total_macs;
  result["bops_uniq"] = total_uniq;
  result["bops_qonnx"] = total_qonnx;
  result["bit_operations"] = total_executed;
  result["weight_bits"] = total_bits;
  return result;
}

namespace {

/// The files of a design, into a folder that exists.
void write_files(const fs::path& folder, const Network& network, const Design& design, const DesignOptions& options,
                 const std::string& board_top) {
  fs::create_directories(folder / "rtl");
  fs::create_directories(folder / "mem");
  const std::string core = core_text(design);
  const std::vector<fs::path> sources = modules_used_by({core, board_top});
  for (const fs::path& source : sources) write_file_atomically(folder / "rtl" / source.filename(), read_text_file(source));
  for (const auto& [name, image] : design.memories) write_file_atomically(folder / "mem" / name, image.text());
  write_file_atomically(folder / "bitloom_core.sv", core);
  if (!board_top.empty()) write_file_atomically(folder / "board_top.sv", board_top);
  write_file_atomically(folder / "model.onnx", read_file(options.model));
  const nlohmann::json description = describe(network, design, options, sources);
  if (!design.loaded.empty())
    write_file_atomically(folder / kWeightsFile, flash_image(load_words(design), description.at("hash").get<std::string>()));
  write_file_atomically(folder / "design.json", description.dump(2) + "\n");
}

}  // namespace

void write_design(const fs::path& folder, const Network& network, const Design& design, const DesignOptions& options,
                  const std::string& board_top) {
  refuse_to_overwrite(folder, "design.json");
  write_folder(folder, [&](const fs::path& temporary) { write_files(temporary, network, design, options, board_top); });
}

nlohmann::json describe_system(const Network& network, const Design& system, const DesignOptions& options) {
  using nlohmann::json;
  const Plan& plan = system.plan;
  json result = {{"bitloom", BITLOOM_VERSION},
                 {"name", system.name},
                 {"board", options.board},
                 {"model", "model.onnx"},
                 {"options", describe_options(options)},
                 {"chips", json::array()},
                 {"links", json::array()},
                 {"layers", json::array()},
                 {"fifos", json::array()},
                 {"input", input_stream(network, system)},
                 {"output", output_stream(network, system)},
                 {"predicted_clocks_per_image", plan.clocks_per_image},
                 {"bottleneck", plan.bottleneck},
                 {"netlist", describe_netlist(system)}};
  for (std::size_t c = 0; c < plan.chips.size(); ++c) {
    const ChipPlan& chip = plan.chips[c];
    json layers = json::array();
    for (std::size_t i = chip.first; i < chip.last; ++i) layers.push_back(plan.stages[i].name);
    result["chips"].push_back({{"folder", fmt::format("chip{}", c)},
                               {"layers", layers},
                               {"estimate", {{"lut4", chip.cost.lut4}, {"block_rams", chip.cost.block_rams}, {"dsps", chip.cost.dsps}}},
                               {"share", chip.share}});
  }
  for (const ChipLink& link : plan.links) {
    result["links"].push_back(describe_link(network, link));
    result["links"].back()["load"] = static_cast<double>(link.clocks) / static_cast<double>(plan.clocks_per_image);
  }
  for (const Stage& stage : plan.stages)
    result["layers"].push_back({{"name", stage.name},
                                {"kind", kind_name(network.layers[static_cast<std::size_t>(stage.layer)].op)},
                                {"chip", stage.chip},
                                {"clocks", stage.clocks}});
  for (const JoinFifo& fifo : system.fifos)
    result["fifos"].push_back({{"name", fifo.name}, {"width", fifo.width}, {"depth", fifo.depth}, {"deadlock", fifo.deadlock}});
  return result;
}

void write_system(const fs::path& folder, const Network& network, const Design& system, const DesignOptions& options,
                  const std::function<std::string(const nlohmann::json&)>& board_top) {
  refuse_to_overwrite(folder, "system.json");
  write_folder(folder, [&](const fs::path& temporary) {
    for (std::size_t c = 0; c < system.plan.chips.size(); ++c) {
      const Design chip = chip_design(system, static_cast<int>(c));
      const fs::path part = temporary / fmt::format("chip{}", c);
      write_files(part, network, chip, options, board_top(describe(network, chip, options, {})));
    }
    write_file_atomically(temporary / "model.onnx", read_file(options.model));
    write_file_atomically(temporary / "system.json", describe_system(network, system, options).dump(2) + "\n");
  });
}

bool is_system(const fs::path& folder) { return fs::exists(folder / "system.json"); }

nlohmann::json read_system(const fs::path& folder) {
  using nlohmann::json;
  const fs::path file = folder / "system.json";
  const json system = json::parse(read_text_file(file), nullptr, false);
  bool complete = system.is_object();
  for (const char* list : {"chips", "links"}) complete = complete && system.contains(list) && system.at(list).is_array();
  for (const char* field : {"name", "board", "options", "input", "output", "predicted_clocks_per_image"})
    complete = complete && system.contains(field);
  if (!complete) throw Error(file.string(), "is no complete description of a system; compile the model again");
  return system;
}

nlohmann::json read_design(const fs::path& folder) {
  using nlohmann::json;
  const fs::path file = folder / "design.json";
  if (!fs::exists(file))
    throw Error(folder.string(), "no design.json found here; make a design with: bitloom compile MODEL --board BOARD --out FOLDER");
  const json design = json::parse(read_text_file(file), nullptr, false);
  if (design.is_discarded()) throw Error(file.string(), "is not JSON; compile the model again");
  const auto is_list = [&](const char* name) { return design.contains(name) && design.at(name).is_array(); };
  const auto is_text = [&](const char* name) { return design.contains(name) && design.at(name).is_string(); };
  bool complete = design.is_object() && is_text("name") && is_text("board") && is_list("sources") && is_list("layers");
  for (const json& layer : complete ? design.at("layers") : json::array())
    complete = complete && layer.is_object() && layer.contains("name") && layer.contains("instances") && layer.at("instances").is_array();
  if (!complete)
    throw Error(file.string(), "name, board, sources or layers (with name and instances) are missing; compile the model again");
  return design;
}

}  // namespace bitloom
