#include "cli/common.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numeric>

#include "check/check.hpp"
#include "data/npy.hpp"
#include "golden/golden.hpp"
#include "lower/join_inputs.hpp"
#include "map/channel_order.hpp"
#include "map/layer_split.hpp"
#include "onnx/import.hpp"

namespace bitloom::cli {
namespace {

constexpr std::int64_t kLinkBytes = 512;  // BUFFER of rtl/link/serial_link

}  // namespace

void ModelOptions::add_to(CLI::App& app) {
  app.add_option("MODEL", model, "ONNX or QONNX file")->required();
  app.add_option("--scale", scale, "a pixel p means p * SCALE + SHIFT to the model; a number or a fraction such as 1/255")
      ->capture_default_str();
  app.add_option("--shift", shift, "see --scale")->capture_default_str();
  app.add_option("--input", input, "type of the pixels: u8 (the default), s8 for signed integers, or other widths up to u16 and s16");
  app.add_flag("--argmax", argmax, "answer with the class index instead of the scores");
}

double ModelOptions::number(const std::string& option, const std::string& text) {
  const auto parse = [&](const std::string& part) {
    std::size_t used = 0;
    double value = 0;
    try {
      value = std::stod(part, &used);
    } catch (const std::exception&) {
      used = 0;
    }
    if (part.empty() || used != part.size() || !std::isfinite(value))
      throw Error(option, fmt::format("'{}' found; a number or a fraction such as 1/255 expected", text));
    return value;
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return parse(text);
  const double divisor = parse(text.substr(slash + 1));
  if (divisor == 0) throw Error(option, fmt::format("'{}' divides by zero", text));
  return parse(text.substr(0, slash)) / divisor;
}

LowerOptions ModelOptions::lowering() const {
  LowerOptions options;
  options.input_scale = number("--scale", scale);
  options.input_shift = number("--shift", shift);
  options.argmax = argmax;
  if (!input.empty()) options.input_type = ValueType::parse(input);
  return options;
}

LoadedModel load_model(const std::filesystem::path& file, const LowerOptions& options) {
  LoadedModel model;
  Graph graph = import_onnx(file);
  model.inputs = graph.inputs.size();
  model.graph = join_inputs(std::move(graph));
  model.network = lower(model.graph, options);
  model.network.name = file.stem().string();
  return model;
}

constexpr int kLinkLut4 = 900;  // about what serial link and board take (785 on ECP5)

Budget device_budget(const Board& board, double fit) {
  Budget budget;
  budget.board = board.name;
  budget.lut4 = board.lut4;
  budget.block_rams = board.bram;
  budget.block_bits = board.bram_bits;
  budget.block_width = board.bram_width;
  budget.block_rams = std::max<std::int64_t>(0, board.bram - 2 * block_rams(budget, 8, kLinkBytes));  // the serial link's two buffers
  budget.sprams = board.spram;
  budget.loads_weights = board.spram > 0 && board.pins.flash.has_value();
  budget.clock_hz = board.clock_mhz * 1e6;
  budget.fraction = fit;
  budget.fabric = board.family == "ecp5" ? 1 : board.family == "ice40" ? 2 : 0;
  budget.link_lut4 = kLinkLut4;
  budget.dsps = board.dsp;
  budget.infers_dsps = family(board.family, board.name).infers_dsp;  // Yosys makes iCE40's multiplications of LUTs
  return budget;
}

void print_weights_file(const nlohmann::json& design, const Board& board, const std::filesystem::path& folder) {
  if (!design.contains("loaded_weights") || !board.pins.flash) return;
  const std::string file = (folder / design.at("loaded_weights").at("file").get<std::string>()).string();
  fmt::print("weights: {}, which belong at byte {} of the board's flash: iceprog -o {} {}\n", file, board.pins.flash->offset,
             board.pins.flash->offset, file);
}

std::vector<FoldRule> fold_rules(const std::vector<std::string>& texts) {
  std::vector<FoldRule> rules;
  std::transform(texts.begin(), texts.end(), std::back_inserter(rules), parse_fold_rule);
  return rules;
}

LowerOptions design_lowering(const nlohmann::json& design) {
  const nlohmann::json& options = design.at("options");
  LowerOptions lowering;
  lowering.input_scale = options.at("scale");
  lowering.input_shift = options.at("shift");
  lowering.argmax = options.at("argmax");
  const std::string input = options.value("input", "");
  if (!input.empty()) lowering.input_type = ValueType::parse(input);
  return lowering;
}

LoadedModel design_model(const std::filesystem::path& folder, const nlohmann::json& design) {
  LoadedModel model = load_model(folder / "model.onnx", design_lowering(design));
  model.network = split_layers(order_channels(model.network), design.at("options").value("splits", LayerSplits{}));
  model.network.name = design.at("name");
  return model;
}

void DataOptions::add_to(CLI::App& app, bool required) {
  app.add_option("--data", data, "digits, or an IDX, CIFAR binary, NPY, NPZ or PNG file or folder")->required(required);
  app.add_option("--images", images, "how many images (default: all)");
  app.add_option("--offset", offset, "images to skip")->capture_default_str();
}

Dataset DataOptions::load(std::size_t arrays) const {
  LoadOptions options;
  options.arrays = arrays;
  if (offset < 0) throw Error("--offset", fmt::format("{} given; 0 or more expected", offset));
  options.offset = offset;
  if (images != -1) {
    if (images < 1) throw Error("--images", fmt::format("{} given; at least 1 expected", images));
    options.images = images;
  }
  return load_dataset(data, options);
}

MapData network_image(const Network& network, const Dataset& data, std::int64_t index) {
  const Tensor image = data.image(index);
  const auto expected = static_cast<std::int64_t>(network.input_order.size());
  if (image.size() != expected)
    throw Error(data.name, fmt::format("images of {} values ({}) found, the model takes {} ({})", image.size(), fmt::join(image.shape, "x"),
                                       expected, fmt::join(network.input_shape, "x")));
  const ValueType type = network.input_rule.type;
  std::vector<std::int32_t> pixels;
  pixels.reserve(static_cast<std::size_t>(expected));
  const auto take = [&](std::int64_t pixel) {
    if (!type.contains(pixel))
      throw Error(data.name,
                  fmt::format("image {} holds {}, the model is lowered for pixels of type {} ({} to {}); name the type of these with "
                              "--input, s8 say",
                              index, pixel, type.to_string(), type.min(), type.max()));
    pixels.push_back(static_cast<std::int32_t>(pixel));
  };
  for (std::int64_t i = 0; i < expected; ++i) {
    if (!image.is_float()) {
      take(image.i()[static_cast<std::size_t>(i)]);
      continue;
    }
    const float value = image.f()[static_cast<std::size_t>(i)];
    if (value != std::round(value) || std::abs(value) > 1e6F)
      throw Error(data.name,
                  fmt::format("image {} holds {}, which is no integer; the hardware takes integers of type {}: give pixels, and say with "
                              "--scale and --shift what they mean to the model",
                              index, value, network.maps[static_cast<std::size_t>(network.input)].type.to_string()));
    take(static_cast<std::int64_t>(value));
  }
  return network_input(network, pixels);
}

Tensor float_image(const Graph& graph, const Network& network, const Dataset& data, std::int64_t index) {
  const Tensor image = data.image(index);
  std::vector<std::int64_t> shape = graph.inputs.front().shape;
  for (std::int64_t& d : shape)
    if (d < 1) d = 1;
  // A leading dimension that the image does not fill counts images, whatever the file says.
  const auto elements = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  if (!shape.empty() && elements != image.size()) shape[0] = 1;
  if (!graph.inputs.front().is_float) {
    if (!image.is_float()) return Tensor::ints(shape, image.i());
    return Tensor::ints(shape, std::vector<std::int64_t>(image.f().begin(), image.f().end()));
  }
  std::vector<float> values;
  for (std::int64_t i = 0; i < image.size(); ++i) {
    const double pixel = image.is_float() ? static_cast<double>(image.f()[static_cast<std::size_t>(i)])
                                          : static_cast<double>(image.i()[static_cast<std::size_t>(i)]);
    values.push_back(static_cast<float>(pixel * network.input_rule.scale + network.input_rule.shift));
  }
  return Tensor::floats(shape, std::move(values));
}

std::int64_t predicted_class(const std::vector<double>& output) {
  if (output.size() == 1) return static_cast<std::int64_t>(output[0]);
  return std::max_element(output.begin(), output.end()) - output.begin();
}

Progress::Progress(std::string label)
    : label_(std::move(label)), terminal_(isatty(2) != 0), start_(std::chrono::steady_clock::now()), drawn_(start_) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::operator()(std::int64_t done, std::int64_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || total < 1 || (shown_ && now - drawn_ < std::chrono::milliseconds(100))) return;
  drawn_ = now;
  shown_ = true;
  const double share = static_cast<double>(done) / static_cast<double>(total);
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const std::string left = done > 0 ? fmt::format("{:.0f} s left", elapsed / share - elapsed) : "";
  const int filled = static_cast<int>(share * 30);
  fmt::print(stderr, "\r{} [{}{}] {}/{} {}\033[K", label_, std::string(static_cast<std::size_t>(filled), '#'),
             std::string(static_cast<std::size_t>(30 - filled), '.'), done, total, left);
  std::fflush(stderr);
}

namespace {

std::string names(const Network& network, std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back("'" + network.outputs[i].name + "'");
  return fmt::format("{}", fmt::join(all, ", "));
}

/// The stored tensor of each output; nothing for those that are not to be compared.
std::vector<std::optional<Tensor>> expected_outputs(const std::string& expect, const Network& network, std::size_t count) {
  std::vector<std::optional<Tensor>> expected(count);
  const bool whole = expect.ends_with(".npz");
  const std::size_t colon = expect.rfind(".npz:");
  if (!whole && count == 1) {
    expected[0] = read_tensor(expect);
    return expected;
  }
  if (!whole) {
    const std::string key = colon == std::string::npos ? "" : expect.substr(colon + 5);
    for (std::size_t i = 0; i < count; ++i)
      if (network.outputs[i].name == key) expected[i] = read_tensor(expect);
    if (std::none_of(expected.begin(), expected.end(), [](const auto& tensor) { return tensor.has_value(); }))
      throw Error(expect,
                  fmt::format("names no output of the model, which has {}; give an NPZ file with an array for each, or FILE.npz:NAME",
                              names(network, count)));
    return expected;
  }
  const std::vector<std::string> keys = npz_keys(expect);
  const auto stored = [&](std::size_t i) { return std::find(keys.begin(), keys.end(), network.outputs[i].name) != keys.end(); };
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < count; ++i)
    if (!stored(i)) missing.push_back("'" + network.outputs[i].name + "'");
  const bool by_name = missing.size() < count;
  if (by_name && !missing.empty())
    throw Error(expect, fmt::format("holds no array for {}; it holds: {}", fmt::join(missing, ", "), fmt::join(keys, ", ")));
  if (!by_name && keys.size() != count)
    throw Error(expect, fmt::format("holds {} array{} ({}), none of which has the name of an output; the model has {}: {}. Name one by "
                                    "FILE.npz:KEY",
                                    keys.size(), keys.size() == 1 ? "" : "s", fmt::join(keys, ", "), count, names(network, count)));
  for (std::size_t i = 0; i < count; ++i) expected[i] = read_npz(expect, by_name ? network.outputs[i].name : keys[i]);
  return expected;
}

}  // namespace

void write_outputs(const std::string& file, const Network& network, const std::vector<OutputValues>& outputs) {
  std::vector<std::pair<std::string, Tensor>> arrays;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    std::vector<std::int64_t> shape = network.outputs[i].shape;
    shape.insert(shape.begin(), static_cast<std::int64_t>(outputs[i].size()));
    std::vector<float> values;
    for (const std::vector<double>& output : outputs[i])
      for (const double value : output) values.push_back(static_cast<float>(value));
    arrays.emplace_back(network.outputs[i].name, Tensor::floats(std::move(shape), std::move(values)));
  }
  if (file.ends_with(".npz")) return write_npz(file, arrays);
  if (arrays.size() > 1)
    throw Error(file, fmt::format("the model has {} outputs ({}), an NPY file holds one; name a file .npz", arrays.size(),
                                  names(network, arrays.size())));
  write_npy(file, arrays.at(0).second);
}

void compare_outputs(const std::string& expect, const Network& network, const std::vector<OutputValues>& outputs) {
  const auto expected = expected_outputs(expect, network, outputs.size());
  std::int64_t differences = 0, compared = 0;
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    if (!expected[o]) continue;
    const Tensor& stored = *expected[o];
    const OutputValues& found = outputs[o];
    const std::string which = outputs.size() == 1 ? "" : fmt::format("output '{}', ", network.outputs[o].name);
    const std::int64_t per_image = found.empty() ? 0 : static_cast<std::int64_t>(found.front().size());
    if (stored.size() != per_image * static_cast<std::int64_t>(found.size()))
      throw Error(expect, fmt::format("{}{} values found, {} images of {} values expected; choose the images with --offset and --images",
                                      which, stored.size(), found.size(), per_image));
    compared += stored.size();
    for (std::size_t i = 0; i < found.size(); ++i) {
      for (std::size_t j = 0; j < found[i].size(); ++j) {
        const std::size_t at = i * static_cast<std::size_t>(per_image) + j;
        const double want = stored.is_float() ? static_cast<double>(stored.f()[at]) : static_cast<double>(stored.i()[at]);
        if (same_value(found[i][j], want)) continue;
        if (differences++ == 0)
          fmt::print(stderr, "bitloom: {}: {}image {}, element {}: {} expected, {} found\n", expect, which, i, j, want, found[i][j]);
      }
    }
  }
  if (differences == 0) return;
  fmt::print(stderr, "bitloom: {}: {} of {} values differ\n", expect, differences, compared);
  throw ComparisonFailed{};
}

std::string thousands(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

}  // namespace bitloom::cli
