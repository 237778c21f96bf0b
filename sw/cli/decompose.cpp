#include "decompose/decompose.hpp"

#include <fmt/format.h>

#include <map>

#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "core/files.hpp"
#include "core/parallel.hpp"

namespace bitloom::cli {
namespace {

constexpr std::int64_t kImages = 128;  // to calibrate with, unless more are asked for
const std::map<std::string, ScaleRule> kScales = {{"auto", ScaleRule::Auto}, {"layer", ScaleRule::Layer}, {"channel", ScaleRule::Channel}};

std::int64_t bytes(std::int64_t bits) { return (bits + 7) / 8; }

nlohmann::json layer_json(const LayerChoice& choice) {
  nlohmann::json json = {{"layer", choice.layer},
                         {"node", choice.node},
                         {"shape", {choice.outputs, choice.inputs, choice.kernel_height, choice.kernel_width}},
                         {"decomposed", choice.factors.has_value()},
                         {"bytes_before", bytes(choice.bits_before)},
                         {"bytes_after", bytes(choice.bits_after)}};
  if (choice.factors)
    json.update({{"basis", choice.factors->basis_count},
                 {"density", choice.factors->density()},
                 {"scales", choice.factors->scale.size()},
                 {"output_error", choice.factors->error}});
  else
    json["why"] = choice.why;
  return json;
}

struct Decompose {
  ModelOptions model;
  DataOptions data;
  DecomposeOptions options;
  std::string out, scales = "auto";
  bool json = false;

  void operator()() {
    options.scales = kScales.at(scales);
    if (options.jobs < 1) throw Error("--jobs", fmt::format("{} given; at least 1 expected", options.jobs));
    const Bytes file = read_file(model.model);
    const LoadedModel loaded = load_model(model.model, model.lowering());
    if (loaded.inputs != 1) throw Error(model.model, fmt::format("the model has {} inputs; one is supported here", loaded.inputs));
    if (data.images == -1) data.images = kImages;
    const Dataset set = data.load();
    std::vector<Tensor> images;
    for (std::int64_t i = 0; i < set.count; ++i) {
      network_image(loaded.network, set, i);  // says what does not fit
      images.push_back(float_image(loaded.graph, loaded.network, set, i));
    }
    Progress progress("decompose");
    const Decomposed result = decompose(loaded.graph, loaded.network, file, images, options,
                                        [&](std::int64_t done, std::int64_t total) { progress(done, total); });
    write_file_atomically(out, result.model);
    if (json)
      print_json(result, set);
    else
      print_table(result, set);
  }

  void print_json(const Decomposed& result, const Dataset& set) const {
    std::int64_t weights = 0;
    nlohmann::json layers = nlohmann::json::array();
    for (const LayerChoice& choice : result.layers) layers.push_back(layer_json(choice)), weights += choice.weights;
    fmt::print("{}\n", nlohmann::json{{"model", model.model},
                                      {"out", out},
                                      {"seed", options.seed},
                                      {"data", set.name},
                                      {"images", set.count},
                                      {"layers", layers},
                                      {"weights", weights},
                                      {"bytes_before", bytes(result.bits_before())},
                                      {"bytes_after", bytes(result.bits_after())},
                                      {"bytes_float32", weights * 4}}
                           .dump(2));
  }

  void print_table(const Decomposed& result, const Dataset& set) const {
    std::int64_t weights = 0;
    fmt::print("{:<16} {:>16} {:>3} {:>9} {:>7} {:>12} {:>12} {:>12}\n", "layer", "weights", "M", "density", "scales", "output error",
               "bytes before", "bytes after");
    for (const LayerChoice& choice : result.layers) {
      weights += choice.weights;
      const std::string shape = fmt::format("{}x{}x{}x{}", choice.outputs, choice.inputs, choice.kernel_height, choice.kernel_width);
      const std::string before = thousands(static_cast<double>(bytes(choice.bits_before))),
                        after = thousands(static_cast<double>(bytes(choice.bits_after)));
      if (choice.factors)
        fmt::print("{:<16} {:>16} {:>3} {:>7.2f} % {:>7} {:>10.2f} % {:>12} {:>12}\n", choice.layer, shape, choice.factors->basis_count,
                   100 * choice.factors->density(), choice.factors->scale.size(), 100 * choice.factors->error, before, after);
      else
        fmt::print("{:<16} {:>16} {:>3} {:>9} {:>7} {:>12} {:>12} {:>12}  {}\n", choice.layer, shape, "", "dense", "", "", before, after,
                   choice.why);
    }
    const double after = static_cast<double>(result.bits_after()) / 8;
    fmt::print("{:<16} {:>16} {:>3} {:>9} {:>7} {:>12} {:>12} {:>12}\n", "total", thousands(static_cast<double>(weights)), "", "", "", "",
               thousands(static_cast<double>(bytes(result.bits_before()))), thousands(static_cast<double>(bytes(result.bits_after()))));
    fmt::print(
        "{:.1f} times fewer bytes than 32-bit floats, indices counted; scales and biases become part of the thresholds. Output error: root "
        "mean square over the channels of the error over the channel's standard deviation, on {} images of {}. Seed {}.\n"
        "Model: {}\n",
        after > 0 ? static_cast<double>(weights) * 4 / after : 0.0, set.count, set.name, options.seed, out);
  }
};

}  // namespace

void add_decompose(CLI::App& program) {
  auto command = std::make_shared<Decompose>();
  CLI::App* app = program.add_subcommand("decompose", "convolutions as few shared kernels and sparse ternary coefficients, in a new model");
  app->footer(
      "Example: bitloom decompose model.onnx --basis 4 --density 0.1 --data digits:train --out decomposed.onnx\n"
      "         bitloom decompose model.onnx --bytes 20000 --data digits:train --out decomposed.onnx   (basis and density layer by layer)");
  command->model.add_to(*app);
  app->add_option("--basis", command->options.basis_count, "shared kernels of a layer");
  app->add_option("--density", command->options.density, "share of a layer's coefficients that may be other than zero");
  app->add_option("--error", command->options.error,
                  "the smallest layers whose outputs are off by no more than this share of their standard deviation; the others stay dense");
  app->add_option("--bytes", command->options.bytes, "the least errors with which all weights take no more than this");
  app->add_option("--scales", command->scales, "a scale for each layer, for each output channel, or what is worth it")
      ->check(CLI::IsMember({"auto", "layer", "channel"}))
      ->capture_default_str();
  app->add_option("--data", command->data.data, "to calibrate with: digits, digits:train, or an IDX, CIFAR, NPY, NPZ or PNG file or folder")
      ->required();
  app->add_option("--images", command->data.images, fmt::format("how many images (default: {})", kImages));
  app->add_option("--offset", command->data.offset, "images to skip")->capture_default_str();
  app->add_option("--out", command->out, "the new model's file")->required();
  app->add_option("--seed", command->options.seed, "of the windows drawn and of the starts")->capture_default_str();
  command->options.jobs = cores();
  app->add_option("--jobs", command->options.jobs, "threads")->capture_default_str();
  app->add_flag("--json", command->json, "print JSON");
  app->callback([command] { (*command)(); });
}

}  // namespace bitloom::cli
