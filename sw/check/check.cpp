#include "check/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "golden/golden.hpp"

namespace bitloom {
namespace {

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

template <class T>
T of_channel(const std::vector<T>& values, int channel) {
  return values[values.size() == 1 ? 0 : index(channel)];
}

int channel_of(const MapMeaning& meaning, const MapData& map, std::size_t element) { return meaning.order[element] % map.shape.channels; }

/// Element as the tensor holds it: float32 wherever the model's operators round.
double reading(const MapMeaning& meaning, const MapData& map, std::size_t element) {
  const int c = channel_of(meaning, map, element);
  const double exact = map.values[index(meaning.order[element])] * of_channel(meaning.scale, c) + of_channel(meaning.offset, c);
  if (meaning.integer) return std::nearbyint(exact);
  auto value = static_cast<float>(exact);
  for (const MapMeaning::Step& step : meaning.steps) {
    const float operand = of_channel(step.operand, c);
    value = step.product ? value * operand : value + operand;
  }
  return static_cast<double>(value);
}

Tensor reading(const MapMeaning& meaning, const MapData& map) {
  Tensor tensor = meaning.integer ? Tensor::ints(meaning.shape, {}) : Tensor::floats(meaning.shape, {});
  for (std::size_t e = 0; e < meaning.order.size(); ++e) {
    const double value = reading(meaning, map, e);
    if (meaning.integer)
      tensor.i().push_back(static_cast<std::int64_t>(value));
    else
      tensor.f().push_back(static_cast<float>(value));
  }
  return tensor;
}

/// What one unit of the map is in the tensor.
double unit_of(const MapMeaning& meaning, int channel) {
  double unit = of_channel(meaning.scale, channel);
  for (const MapMeaning::Step& step : meaning.steps)
    if (step.product) unit *= static_cast<double>(of_channel(step.operand, channel));
  return unit;
}

double value_at(const Tensor& tensor, std::size_t element) {
  return tensor.is_float() ? static_cast<double>(tensor.f().at(element)) : static_cast<double>(tensor.i().at(element));
}

double widest(const ValueType& type) {
  return std::fmax(std::fabs(static_cast<double>(type.min())), std::fabs(static_cast<double>(type.max())));
}

/// By how many units of each map float32 sums of its real values may be off: a few roundings of 2^-24 for each product.
std::vector<double> rounding_of(const Network& network) {
  constexpr double kRounding = 0x1p-22;
  std::vector<double> rounding(network.maps.size(), 0);
  for (const Layer& layer : network.layers) {
    double& out = rounding[index(layer.output)];
    const auto in = [&](std::size_t i) { return rounding[index(layer.inputs[i])]; };
    const auto scaled = [&](const std::vector<std::int64_t>& scale, std::size_t i) {
      const double factor = std::fabs(static_cast<double>(scale[i]));
      return factor * (in(i) + kRounding * widest(network.input_of(layer, static_cast<int>(i)).type));
    };
    if (const auto* conv = std::get_if<Convolution>(&layer.op)) {
      const std::size_t fan_in = conv->weights.size() / index(conv->out_channels);
      for (std::size_t k = 0; k < index(conv->out_channels); ++k) {
        double sum = 0;
        for (std::size_t i = 0; i < fan_in; ++i) sum += std::abs(static_cast<double>(conv->weights[k * fan_in + i]));
        const double bias = conv->bias.empty() ? 0 : std::fabs(static_cast<double>(conv->bias[k]));
        out = std::max(out, sum * (kRounding * widest(network.input_of(layer).type) + in(0)) + kRounding * bias);
      }
    } else if (const auto* add = std::get_if<Add>(&layer.op)) {
      for (std::size_t i = 0; i < layer.inputs.size(); ++i) out += scaled(add->scale, i);
    } else if (const auto* concat = std::get_if<Concat>(&layer.op)) {
      for (std::size_t i = 0; i < layer.inputs.size(); ++i) out = std::max(out, scaled(concat->scale, i));
    } else if (std::holds_alternative<MaxPool>(layer.op) || std::holds_alternative<Upsample>(layer.op)) {
      out = in(0);
    }
  }
  return rounding;
}

std::int64_t best_class(const std::vector<double>& values) { return std::max_element(values.begin(), values.end()) - values.begin(); }

std::vector<double> doubles(const Tensor& tensor) {
  return std::visit([](const auto& values) { return std::vector<double>(values.begin(), values.end()); }, tensor.data);
}

/// The first element of an output that float32 rounding does not explain, and how many there are. Scores against an index alone: the class.
std::pair<std::size_t, std::int64_t> output_mismatch(const std::vector<double>& golden, const std::vector<double>& real) {
  if (golden.size() != real.size()) return {0, golden.size() == 1 && best_class(real) == std::llround(golden[0]) ? 0 : 1};
  std::size_t first = 0;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < real.size(); ++i)
    if (!same_value(golden[i], real[i]) && count++ == 0) first = i;
  return {first, count};
}

std::string in_units(double distance, double unit) {
  return fmt::format("{:.3g}, {:.2g} of a unit of the sum", distance, std::fabs(distance / unit));
}

}  // namespace

bool same_value(double golden, double expected) {
  if (golden == expected || (std::isnan(golden) && std::isnan(expected))) return true;
  return std::abs(expected - golden) <= 1e-5 * std::max(1.0, std::abs(expected));
}

Checker::Checker(Graph graph, Network network)
    : executor_(std::move(graph)), network_(std::move(network)), rounding_(rounding_of(network_)) {
  const std::vector<Node>& nodes = executor_.graph().nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (const std::string& output : nodes[i].outputs) maker_[output] = i;
}

const MapMeaning* Checker::meaning_of(int map) const {
  for (const MapMeaning& meaning : network_.meanings)
    if (meaning.map == map) return &meaning;
  return nullptr;
}

const Layer* Checker::writer_of(int map) const {
  for (const Layer& layer : network_.layers)
    if (layer.output == map) return &layer;
  return nullptr;
}

std::optional<Checker::Mismatch> Checker::compare(const MapMeaning& meaning, const MapData& map, const Tensor& real) const {
  if (index(real.size()) != meaning.order.size())
    throw Error(meaning.tensor, fmt::format("the float model computes {} values, golden {}", real.size(), meaning.order.size()));
  Mismatch mismatch;
  for (std::size_t e = 0; e < meaning.order.size(); ++e) {
    const int c = channel_of(meaning, map, e);
    const double golden = reading(meaning, map, e), value = value_at(real, e);
    if (value == golden || (std::isnan(value) && std::isnan(golden))) continue;  // infinities, too
    double size = std::fmax(std::fabs(golden), std::fabs(of_channel(meaning.offset, c)));
    for (const MapMeaning::Step& step : meaning.steps)
      if (!step.product) size = std::fmax(size, std::fabs(static_cast<double>(of_channel(step.operand, c))));
    const double allowed = std::fabs(unit_of(meaning, c)) * (rounding_[index(meaning.map)] + 1e-5) + 0x1p-20 * size;
    if (std::fabs(value - golden) <= allowed) continue;
    if (mismatch.count++ == 0) mismatch.element = e;
  }
  return mismatch.count > 0 ? std::optional(mismatch) : std::nullopt;
}

/// The tensor from golden's values of all tensors in front of it.
Tensor Checker::local_value(const MapMeaning& meaning, const Tensors& readings) const {
  if (maker_.count(meaning.tensor) == 0) return readings.at(meaning.tensor);  // the model's input
  Tensors given = readings;
  given.erase(meaning.tensor);
  return executor_.run_from(given, {meaning.tensor}).at(meaning.tensor);
}

ImageCheck Checker::check(const std::vector<MapData>& maps, const Tensor& x) const {
  const std::string& input = executor_.graph().inputs.at(0).name;
  const Tensors values = executor_.run_all({{input, x}});
  const auto value_of = [&](const std::string& tensor) -> const Tensor& {
    const auto found = values.find(tensor);
    return found != values.end() ? found->second : executor_.constants().at(tensor);
  };
  ImageCheck result;
  const MapMeaning* first = nullptr;
  std::optional<Mismatch> mismatch;
  for (const MapMeaning& meaning : network_.meanings) {
    result.values += static_cast<std::int64_t>(meaning.order.size());
    if (!mismatch && (mismatch = compare(meaning, maps[index(meaning.map)], value_of(meaning.tensor)))) first = &meaning;
  }
  // Outputs, too: they may be read otherwise than their maps (a softmax, an argmax).
  bool outputs_differ = false;
  for (const NetworkOutput& output : network_.outputs) {
    result.real_outputs.push_back(doubles(value_of(output.name)));
    const auto [element, count] = output_mismatch(real_output(output, maps[index(output.map)]), result.real_outputs.back());
    result.output_values += static_cast<std::int64_t>(result.real_outputs.back().size());
    result.output_differences += count;
    outputs_differ = outputs_differ || count > 0;
  }
  result.values += result.output_values;
  if (!mismatch && !outputs_differ) return result;

  Tensors readings{{input, x}};
  for (const MapMeaning& meaning : network_.meanings) readings[meaning.tensor] = reading(meaning, maps[index(meaning.map)]);
  for (const MapMeaning& meaning : network_.meanings) {
    const auto real = compare(meaning, maps[index(meaning.map)], local_value(meaning, readings));
    if (!real) continue;
    result.first = describe(meaning, *real, maps, values, readings, false);
    return result;
  }
  if (first != nullptr) result.first = describe(*first, *mismatch, maps, values, readings, true);
  check_outputs(maps, values, readings, result);
  return result;
}

/// An output that golden's own values do not give is a real difference.
void Checker::check_outputs(const std::vector<MapData>& maps, const Tensors& values, const Tensors& readings, ImageCheck& result) const {
  for (const NetworkOutput& output : network_.outputs) {
    const std::vector<double> golden = real_output(output, maps[index(output.map)]);
    const std::vector<double> local = doubles(executor_.run_from(readings, {output.name}).at(output.name));
    const auto [local_element, local_count] = output_mismatch(golden, local);
    const auto found = values.find(output.name);
    const std::vector<double> real = found != values.end() ? doubles(found->second) : local;
    const auto [element, count] = output_mismatch(golden, real);
    if (local_count == 0 && (count == 0 || result.first)) continue;
    const std::size_t e = local_count > 0 ? local_element : element;
    Difference difference;
    difference.tensor = output.name;
    if (const auto maker = maker_.find(output.name); maker != maker_.end()) {
      const Node& node = executor_.graph().nodes[maker->second];
      difference.node = node.name, difference.op = node.op;
    }
    if (const Layer* layer = writer_of(output.map)) difference.layer = layer->name;
    difference.map = network_.maps[index(output.map)].name;
    difference.element = static_cast<std::int64_t>(e);
    const MapShape& shape = maps[index(output.map)].shape;
    const std::int32_t position = output.order.at(std::min(e, output.order.size() - 1));
    difference.row = position / shape.channels / shape.width, difference.column = position / shape.channels % shape.width;
    difference.channel = position % shape.channels;
    difference.code = maps[index(output.map)].values[index(position)];
    const bool classes = golden.size() != real.size();
    difference.golden = golden.at(std::min(e, golden.size() - 1));
    difference.real = classes ? static_cast<double>(best_class(real)) : real.at(e);
    difference.local = classes ? static_cast<double>(best_class(local)) : local.at(e);
    difference.differing = std::max(local_count, count);
    difference.tie = local_count == 0;
    result.first = std::move(difference);
    if (local_count > 0) return;
  }
}

Difference Checker::describe(const MapMeaning& meaning, const Mismatch& mismatch, const std::vector<MapData>& maps, const Tensors& values,
                             const Tensors& readings, bool tie) const {
  const MapData& map = maps[index(meaning.map)];
  Difference difference;
  difference.tensor = meaning.tensor;
  if (const auto maker = maker_.find(meaning.tensor); maker != maker_.end()) {
    const Node& node = executor_.graph().nodes[maker->second];
    difference.node = node.name, difference.op = node.op;
  }
  if (const Layer* layer = writer_of(meaning.map)) difference.layer = layer->name;
  difference.map = network_.maps[index(meaning.map)].name;
  difference.element = static_cast<std::int64_t>(mismatch.element);
  const std::int32_t position = meaning.order[mismatch.element];
  difference.channel = position % map.shape.channels;
  difference.row = position / map.shape.channels / map.shape.width;
  difference.column = position / map.shape.channels % map.shape.width;
  difference.code = map.values[index(position)];
  difference.golden = reading(meaning, map, mismatch.element);
  difference.real = value_at(values.at(meaning.tensor), mismatch.element);
  difference.local = value_at(local_value(meaning, readings), mismatch.element);
  difference.differing = mismatch.count;
  difference.tie = tie;
  difference.front = front_of(meaning, difference, maps, values, readings);
  return difference;
}

std::optional<FrontValue> Checker::front_of(const MapMeaning& meaning, const Difference& difference, const std::vector<MapData>& maps,
                                            const Tensors& values, const Tensors& readings) const {
  const Layer* layer = writer_of(meaning.map);
  int row = difference.row, column = difference.column;
  const int channel = difference.channel;
  const auto at = [](const MapData& map, int y, int x, int c) { return (y * map.shape.width + x) * map.shape.channels + c; };
  // Behind a max pool: the place of the largest value.
  while (layer != nullptr && std::holds_alternative<MaxPool>(layer->op)) {
    const Window& w = std::get<MaxPool>(layer->op).window;
    const MapData& in = maps[index(layer->inputs[0])];
    int best_row = -1, best_column = -1;
    for (int r = 0; r < w.kernel_height; ++r)
      for (int s = 0; s < w.kernel_width; ++s) {
        const int y = row * w.stride_height - w.pad_top + r * w.dilation_height;
        const int x = column * w.stride_width - w.pad_left + s * w.dilation_width;
        if (y < 0 || y >= in.shape.height || x < 0 || x >= in.shape.width) continue;
        if (best_row < 0 || in.values[index(at(in, y, x, channel))] > in.values[index(at(in, best_row, best_column, channel))])
          best_row = y, best_column = x;
      }
    if (best_row < 0) return std::nullopt;
    row = best_row, column = best_column;
    layer = writer_of(layer->inputs[0]);
  }
  if (layer == nullptr || !(std::holds_alternative<Threshold>(layer->op) || std::holds_alternative<Requantize>(layer->op)))
    return std::nullopt;
  const int in = layer->inputs[0];
  const MapData& sums = maps[index(in)];
  const int position = at(sums, row, column, channel);
  FrontValue front;
  front.map = network_.maps[index(in)].name;
  if (const Layer* writer = writer_of(in)) front.layer = writer->name;
  front.sum = sums.values[index(position)];
  if (const auto* table = std::get_if<Threshold>(&layer->op)) {
    for (int i = 0; i < table->levels; ++i) {
      const std::int64_t t = table->thresholds[index(channel) * index(table->levels) + index(i)];
      if (!front.threshold || std::llabs(t - front.sum) < std::llabs(*front.threshold - front.sum)) front.threshold = t;
    }
  }
  const MapMeaning* before = meaning_of(in);
  if (before == nullptr) return front;
  front.tensor = before->tensor;
  const std::size_t element = index(std::find(before->order.begin(), before->order.end(), position) - before->order.begin());
  front.golden = reading(*before, sums, element);
  front.real = value_at(values.at(before->tensor), element);
  front.unit = unit_of(*before, channel);
  if (before->integer || !difference.tie) return front;
  // Where between the exact sum and the float model's do the operators switch?
  Tensors given = readings;
  given.erase(meaning.tensor);
  const auto result = [&](float value) {
    given.at(before->tensor).f().at(element) = value;
    return value_at(executor_.run_from(given, {meaning.tensor}).at(meaning.tensor), index(difference.element));
  };
  auto near = static_cast<float>(front.golden), far = static_cast<float>(front.real);
  const double here = result(near);
  if (result(far) == here) return front;
  for (int i = 0; i < 64; ++i) {
    const float middle = near + (far - near) / 2;
    if (middle == near || middle == far) break;
    (result(middle) == here ? near : far) = middle;
  }
  front.switching = static_cast<double>(far);
  return front;
}

std::string Difference::text() const {
  std::string where = layer.empty() ? fmt::format("map {}", map) : fmt::format("layer {}, map {}", layer, map);
  std::string out =
      fmt::format("  tensor '{}' ({}), {}, row {}, column {}, channel {}\n", tensor,
                  node.empty() ? std::string("the model's input") : fmt::format("node {}, {}", node, op), where, row, column, channel);
  out += fmt::format("  golden {} (code {}), the float model {}; {} value{} of this tensor differ{}\n", golden, code, real, differing,
                     differing == 1 ? "" : "s", differing == 1 ? "s" : "");
  if (front) {
    const std::string source = front->layer.empty() ? std::string() : fmt::format("of layer {} ", front->layer);
    out += fmt::format("  in front: sum {} {}in map {}", front->sum, source, front->map);
    if (front->threshold) out += fmt::format(", golden's nearest threshold {}", *front->threshold);
    out += "\n";
    if (!front->tensor.empty())
      out += fmt::format("  that is {} in tensor '{}', where the float model has {}, off by {}\n", front->golden, front->tensor,
                         front->real, in_units(front->real - front->golden, front->unit));
    if (front->switching)
      out += fmt::format("  the model's operators switch at {}, which lies {} from the exact sum\n", *front->switching,
                         in_units(std::fabs(*front->switching - front->golden), front->unit));
  }
  out += tie ? fmt::format(
                   "  cause: a tie within float32 rounding: on golden's exact values the model's own operators give {}, as golden does\n",
                   local)
             : fmt::format("  cause: a real difference: on golden's own values in front, the model's operators give {}\n", local);
  return out;
}

}  // namespace bitloom
