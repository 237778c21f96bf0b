#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/common.hpp"

namespace bitloom::cli {
namespace {

struct Info {
  ModelOptions model;
  bool json = false;

  void operator()() const {
    const Network network = load_model(model.model, model.lowering()).network;
    nlohmann::json layers = nlohmann::json::array();
    std::int64_t total_macs = 0, total_qonnx = 0, total_bits = 0;
    double total_uniq = 0;
    const std::string row = "{:<16} {:<12} {:>14} {:>6} {:>6} {:>12} {:>15} {:>13} {:>12}\n";
    if (!json)
      fmt::print(fmt::runtime(row), "layer", "kind", "output HxWxC", "w", "in", "MACs", "BOPs (UNIQ)", "BOPs (QONNX)", "weight bits");
    for (const Layer& layer : network.layers) {
      const auto* conv = std::get_if<Convolution>(&layer.op);
      const FeatureMap& out = network.output_of(layer);
      const std::string shape = fmt::format("{}x{}x{}", out.shape.height, out.shape.width, out.shape.channels);
      const bool decomposed = conv != nullptr && conv->decomposition.has_value();
      const std::string weights = decomposed ? fmt::format("{} x s8", conv->decomposition->kernels) : conv != nullptr ? conv->weight_type.to_string() : "";
      const std::string input = network.input_of(layer).type.to_string();
      total_macs += macs(network, layer);
      total_uniq += bops_uniq(network, layer);
      total_qonnx += bops_qonnx(network, layer);
      total_bits += weight_bits(layer);
      layers.push_back({{"name", layer.name},
                        {"kind", kind_name(layer.op)},
                        {"source", layer.source},
                        {"output_shape", {out.shape.height, out.shape.width, out.shape.channels}},
                        {"output_type", out.type.to_string()},
                        {"weight_type", weights},
                        {"input_type", input},
                        {"macs", macs(network, layer)},
                        {"bops_uniq", bops_uniq(network, layer)},
                        {"bops_qonnx", bops_qonnx(network, layer)},
                        {"weight_bits", weight_bits(layer)}});
      if (decomposed) layers.back()["shared_kernels"] = conv->decomposition->kernels;
      if (!json)
        fmt::print(fmt::runtime(row), layer.name, kind_name(layer.op), shape, weights, input,
                   conv ? thousands(static_cast<double>(macs(network, layer))) : "", conv ? thousands(bops_uniq(network, layer)) : "",
                   conv ? thousands(static_cast<double>(bops_qonnx(network, layer))) : "",
                   conv ? thousands(static_cast<double>(weight_bits(layer))) : "");
    }
    const FeatureMap& in = network.maps[static_cast<std::size_t>(network.input)];
    if (json) {
      fmt::print("{}\n", nlohmann::json{{"name", network.name},
                                        {"input_type", in.type.to_string()},
                                        {"input_shape", {in.shape.height, in.shape.width, in.shape.channels}},
                                        {"layers", layers},
                                        {"macs", total_macs},
                                        {"bops_uniq", total_uniq},
                                        {"bops_qonnx", total_qonnx},
                                        {"weight_bits", total_bits}}
                             .dump(2));
      return;
    }
    fmt::print(fmt::runtime(row), "total", "", "", "", "", thousands(static_cast<double>(total_macs)), thousands(total_uniq),
               thousands(static_cast<double>(total_qonnx)), thousands(static_cast<double>(total_bits)));
    fmt::print(
        "input {}x{}x{} of type {} (u unsigned, s signed, b -1/+1). BOPs: UNIQ's m*n*k^2*(bw*ba+bw+ba+log2(n*k^2)) per position; QONNX's "
        "bw*ba*MACs.\n",
        in.shape.height, in.shape.width, in.shape.channels, in.type.to_string());
  }
};

}  // namespace

void add_info(CLI::App& program) {
  auto info = std::make_shared<Info>();
  CLI::App* app = program.add_subcommand("info", "layers, shapes, bits, MACs, BOPs, weight bits");
  app->footer("Example: bitloom info sw/train/models/digits-w1a1.onnx");
  info->model.add_to(*app);
  app->add_flag("--json", info->json, "print JSON");
  app->callback([info] { (*info)(); });
}

}  // namespace bitloom::cli
