#include "flow/patch.hpp"

#include <fmt/format.h>

#include <chrono>

#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "core/files.hpp"
#include "emit/design.hpp"
#include "emit/loads.hpp"
#include "flow/synth.hpp"
#include "map/channel_order.hpp"

namespace bitloom::cli {
namespace {

namespace fs = std::filesystem;

/// Parameters that may be wider in the placed design than the new weights need: both hold two's complement numbers.
bool is_width(const std::string& name) {
  return name == "ACC_BITS" || name == "TOTAL_BITS" || name == "THRESHOLD_BITS" || name == "MUL_BITS" || name == "ADD_BITS";
}

void extend(std::vector<bool>& word, std::size_t from, std::size_t to, std::vector<bool>& out, int width) {
  for (int i = 0; i < width; ++i) {
    const std::size_t at = from + static_cast<std::size_t>(i);
    out.push_back(at < to ? word[at] : word[to - 1]);
  }
}

struct Patch {
  std::string design, model, out;

  void operator()() const {
    const auto start = std::chrono::steady_clock::now();
    nlohmann::json description = read_design(design);
    const LowerOptions lowering = design_lowering(description);
    const Network was = named(fs::path(design) / description.at("model").get<std::string>(), lowering, description);
    const Network now = named(model, lowering, description);
    check_shapes(was, now);

    // The design as it was compiled, and the new weights in the same folding.
    const Board board = load_board(description.at("board").get<std::string>());
    const nlohmann::json& options = description.at("options");
    const PlanOptions asked{options.value("fps", 0.0), options.value("clocks", std::int64_t{0}),
                            fold_rules(options.value("fold", std::vector<std::string>()))};
    const Design old_design = make_design(was, device_budget(board, options.value("fit", 0.7)), asked);
    if (core_text(old_design) != read_text_file(fs::path(design) / "bitloom_core.sv"))
      throw Error(design, "was made by another version of bitloom; compile and synthesize it again");
    const Design new_design = elaborate(now, old_design.plan);
    const std::map<std::string, MemoryImage> images = fit(old_design, new_design);

    const std::string stem = fs::path(model).stem().string();
    const fs::path folder = out.empty() ? fs::path(stem + "-" + board.name) : fs::path(out);
    copy_design(folder);
    for (const auto& [name, image] : images) write_file_atomically(folder / "mem" / name, image.text());
    if (!new_design.loaded.empty())
      write_file_atomically(folder / kWeightsFile, flash_image(load_words(new_design), description.at("hash").get<std::string>()));
    write_file_atomically(folder / "model.onnx", read_file(model));
    description["patched_from"] = fs::path(design).filename().string();
    write_file_atomically(folder / "design.json", description.dump(2) + "\n");
    const fs::path bitstream = patch_bitstream(folder);
    fmt::print("bitstream: {} ({:.1f} s, no place and route)\nCompare it with golden: bitloom sim {} --data D --netlist placed\n",
               (folder / bitstream).string(), std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
               folder.string());
    print_weights_file(description, board, folder);
  }

  static Network named(const fs::path& file, const LowerOptions& lowering, const nlohmann::json& description) {
    Network network = order_channels(load_model(file, lowering).network);
    network.name = description.at("name");
    return network;
  }

  void check_shapes(const Network& was, const Network& now) const {
    const auto refuse = [&](const std::string& what) {
      throw Error(model, fmt::format("{}; only weights and thresholds can be patched into a placed design. Compile the model anew", what));
    };
    if (was.layers.size() != now.layers.size())
      refuse(fmt::format("it has {} layers, the design {}", now.layers.size(), was.layers.size()));
    for (std::size_t i = 0; i < was.layers.size(); ++i)
      if (was.layers[i].op.index() != now.layers[i].op.index() || was.layers[i].name != now.layers[i].name)
        refuse(fmt::format("layer {} is {}, in the design {}", now.layers[i].name, kind_name(now.layers[i].op), was.layers[i].name));
    for (std::size_t i = 0; i < was.maps.size() && i < now.maps.size(); ++i)
      if (!(was.maps[i].shape == now.maps[i].shape) || was.maps[i].type.to_string() != now.maps[i].type.to_string())
        refuse(fmt::format("the map {} is {} x {} x {} of {}, in the design {} x {} x {} of {}", now.maps[i].name, now.maps[i].shape.height,
                           now.maps[i].shape.width, now.maps[i].shape.channels, now.maps[i].type.to_string(), was.maps[i].shape.height,
                           was.maps[i].shape.width, was.maps[i].shape.channels, was.maps[i].type.to_string()));
  }

  /// The new images in the widths of the design that is placed.
  std::map<std::string, MemoryImage> fit(const Design& was, const Design& now) const {
    std::map<std::string, MemoryImage> images = now.memories;
    if (was.instances.size() != now.instances.size()) throw Error(model, "needs other modules than the design has; compile it anew");
    for (std::size_t i = 0; i < was.instances.size(); ++i) {
      const Instance &a = was.instances[i], &b = now.instances[i];
      if (a.module != b.module || a.name != b.name || a.parameters.size() != b.parameters.size())
        throw Error(b.name, "is another module than in the design; compile the model anew");
      std::map<std::string, std::string> old_values(a.parameters.begin(), a.parameters.end()),
          new_values(b.parameters.begin(), b.parameters.end());
      bool wider = false;
      for (const auto& [name, value] : new_values) {
        const std::string& placed = old_values[name];
        if (placed == value) continue;
        if (!is_width(name))
          throw Error(b.name, fmt::format("needs {} = {} where the placed design has {}; compile the model anew", name, value, placed));
        if (std::stoi(value) > std::stoi(placed))
          throw Error(b.name,
                      fmt::format("the new weights need {} = {}, the placed design has {}; compile the model anew", name, value, placed));
        wider = true;
      }
      if (wider) widen(images, old_values, new_values);
    }
    for (const auto& [name, image] : was.memories) {
      const auto found = images.find(name);
      if (found == images.end() || found->second.words.size() != image.words.size() || found->second.width != image.width)
        throw Error(name, "has another size in the new model; compile it anew");
    }
    return images;
  }

  /// Sign-extends the numbers in a layer's images: thresholds (with `falling` above them on level 0), or {add, mul}.
  static void widen(std::map<std::string, MemoryImage>& images, const std::map<std::string, std::string>& placed,
                    const std::map<std::string, std::string>& wanted) {
    const auto value = [](const std::map<std::string, std::string>& values, const char* name) {
      const auto found = values.find(name);
      return found == values.end() ? 0 : std::stoi(found->second);
    };
    const auto prefix = [&](const char* parameter) {
      const auto found = wanted.find(parameter);
      if (found == wanted.end()) return std::string();
      std::string file = found->second;  // "\"mem/conv1_activation\""
      file.erase(std::remove(file.begin(), file.end(), '"'), file.end());
      return file.substr(file.rfind('/') + 1) + "_";
    };
    const bool multiplies = value(placed, "MUL_BITS") > 0;
    const char* bits = value(placed, "ACC_BITS") > 0 ? "ACC_BITS" : "THRESHOLD_BITS";
    const std::string mine = prefix(multiplies ? "INIT" : "ACTIVATION_INIT");
    if (!multiplies && value(wanted, "SCORES") == 1) return;  // biases have the width of the scores
    for (auto& [name, image] : images) {
      if (mine.empty() || name.rfind(mine, 0) != 0) continue;
      image.width = 0;
      for (std::vector<bool>& word : image.words) {
        std::vector<bool> wide;
        if (multiplies) {
          const auto mul = static_cast<std::size_t>(value(wanted, "MUL_BITS"));
          extend(word, 0, mul, wide, value(placed, "MUL_BITS"));
          extend(word, mul, mul + static_cast<std::size_t>(value(wanted, "ADD_BITS")), wide, value(placed, "ADD_BITS"));
        } else {
          const auto threshold = static_cast<std::size_t>(value(wanted, bits));
          extend(word, 0, threshold, wide, value(placed, bits));
          for (std::size_t i = threshold; i < word.size(); ++i) wide.push_back(word[i]);
        }
        word = wide;
        image.width = static_cast<int>(wide.size());
      }
    }
  }

  /// The design with what patch_bitstream needs of its build folder.
  void copy_design(const fs::path& folder) const {
    if (fs::exists(folder) && !fs::exists(folder / "design.json") && !fs::is_empty(folder))
      throw Error(folder.string(), "holds other files and no design.json; name a new folder with --out, so that nothing is lost");
    if (fs::exists(folder) && fs::equivalent(folder, design))
      throw Error(folder.string(), "is the design itself; name another folder with --out");
    const nlohmann::json description = read_design(design);
    const fs::path build = fs::path("build") / "synth" / description.at("board").get<std::string>();
    if (!fs::exists(fs::path(design) / build / kPilotConfig)) patch_bitstream(design);  // says what is missing
    std::error_code error;
    fs::remove_all(folder, error);
    fs::create_directories(folder / build);
    for (const char* part : {"rtl", "mem", "bitloom_core.sv", "board_top.sv"})
      fs::copy(fs::path(design) / part, folder / part, fs::copy_options::recursive);
    for (const char* part : {"netlist.json", "placed.json", kPilotConfig, "synth.json"})
      if (fs::exists(fs::path(design) / build / part)) fs::copy(fs::path(design) / build / part, folder / build / part);
  }
};

}  // namespace

void add_patch(CLI::App& program) {
  auto patch = std::make_shared<Patch>();
  CLI::App* app = program.add_subcommand("patch", "other weights of the same shape into a placed design: a bitstream in seconds");
  app->footer(
      "Example: bitloom synth digits --patchable; bitloom patch digits --model retrained.onnx --out digits2\n"
      "DESIGN stays as it is; the new folder is a design of its own, which sim, patch and report take.");
  app->add_option("DESIGN", patch->design, "a folder placed by bitloom synth --patchable")->required();
  app->add_option("--model", patch->model, "the retrained model")->required();
  app->add_option("--out", patch->out, "folder for the patched design (default: <model>-<board>)");
  app->callback([patch] { (*patch)(); });
}

}  // namespace bitloom::cli
