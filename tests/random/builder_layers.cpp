// Windows and pools, joins, rearrangement.
#include "random/builder.hpp"

#include <algorithm>
#include <cmath>

namespace bitloom::test {
namespace {

struct Axis {
  int kernel, stride, dilation, before, after, out;
};
Axis fit(int in, int kernel, int stride, int dilation, int before, int after, bool pool) {
  kernel = std::clamp(kernel, 1, in + before + after);
  while (kernel > 1 && (kernel - 1) * dilation + 1 > in + before + after) dilation > 1 ? --dilation : --kernel;
  if (kernel >= 99 || kernel > in) before = after = 0, kernel = std::min(kernel, in);
  const int span = (kernel - 1) * dilation + 1;
  const int most = pool ? std::min(kernel - 1, span - 1) : span;  // every window of a pool meets the map
  before = std::min(before, pool && dilation > 1 ? 0 : most), after = std::min(after, pool && dilation > 1 ? 0 : most);
  while ((kernel - 1) * dilation + 1 > in + before + after) dilation > 1 ? --dilation : --kernel;
  return {
      kernel, std::max(1, stride), dilation, before, after, (in + before + after - (kernel - 1) * dilation - 1) / std::max(1, stride) + 1};
}

bool integer_ratio(double a, double b) {
  const double ratio = a > b ? a / b : b / a;
  return ratio == std::round(ratio) && ratio < 65536;
}

}  // namespace

// Windows.

ModelWriter::Attributes Builder::window(const LayerSpec& layer, Value& value, bool pool, int& taps) {
  const Axis y = fit(value.height, layer.kernel_height, layer.stride_height, layer.dilation_height, layer.pad_top, layer.pad_bottom, pool);
  const Axis x = fit(value.width, layer.kernel_width, layer.stride_width, layer.dilation_width, layer.pad_left, layer.pad_right, pool);
  value.width = x.out;
  if (spec_.dims == 3) {
    taps = x.kernel;
    return {
        {"kernel_shape", Dims{x.kernel}}, {"strides", Dims{x.stride}}, {"dilations", Dims{x.dilation}}, {"pads", Dims{x.before, x.after}}};
  }
  value.height = y.out;
  taps = y.kernel * x.kernel;
  return {{"kernel_shape", Dims{y.kernel, x.kernel}},
          {"strides", Dims{y.stride, x.stride}},
          {"dilations", Dims{y.dilation, x.dilation}},
          {"pads", Dims{y.before, x.before, y.after, x.after}}};
}

Value Builder::average_pool(const LayerSpec& layer, const Value& in) {
  Value out = in;
  int taps = in.height * in.width;
  if (layer.kind == LayerKind::GlobalAveragePool) {
    out.height = out.width = 1;
    out.name = writer_.node("GlobalAveragePool", {in.name});
  } else {
    ModelWriter::Attributes attributes = window(layer, out, false, taps);
    attributes["count_include_pad"] = std::int64_t{1};
    attributes.erase("dilations");
    // Without dilation the map is larger than planned.
    LayerSpec undilated = layer;
    undilated.dilation_height = undilated.dilation_width = 1;
    out = in;
    attributes = window(undilated, out, false, taps);
    attributes.erase("dilations");
    attributes["count_include_pad"] = std::int64_t{1};
    out.name = writer_.node("AveragePool", {in.name}, attributes);
  }
  for (double& deviation : out.deviation) deviation = std::max(deviation / std::sqrt(taps), in.unit / 8);
  out.unit = in.unit / taps;
  out.codes = false;
  return behind_sums(layer, out, layer.quantizer.form != QuantizerForm::None);
}

Value Builder::max_pool(const LayerSpec& layer, const Value& value) {
  Value in = spatial(value);
  if (in.pooled && ends_here_) in = four_bits(in);
  Value out = in;
  if (layer.kind == LayerKind::GlobalMaxPool) {
    out.height = out.width = 1;
    out.name = writer_.node("GlobalMaxPool", {in.name});
  } else {
    int taps = 1;
    out.name = writer_.node("MaxPool", {in.name}, window(layer, out, true, taps));
  }
  for (std::size_t c = 0; c < out.mean.size(); ++c) out.mean[c] += out.deviation[c] / 2;
  if (!in.codes) out.pooled = true, out.pure = false;
  return out;
}

// Joins.

Value Builder::join(const LayerSpec& layer, const std::vector<Value>& given) {
  const bool sum = layer.kind != LayerKind::Concat;
  std::vector<Value> inputs;
  for (Value value : given) {
    if (value.is_index || value.finished) continue;
    if (!value.common || !value.pure || value.bent || value.pooled || (!value.codes && value.bits() > 16)) value = four_bits(value);
    if (!inputs.empty() && value.flat != inputs[0].flat) value = spatial(value), inputs[0] = spatial(inputs[0]);
    const bool same_pixels = inputs.empty() || (value.height == inputs[0].height && value.width == inputs[0].width);
    const bool same = inputs.empty() || (value.channels == inputs[0].channels && value.order == inputs[0].order);
    if (!same_pixels || (sum && !same)) continue;
    if (!inputs.empty() && !integer_ratio(value.unit, inputs[0].unit)) continue;
    inputs.push_back(value);
  }
  if (sum && inputs.size() > 2) inputs.resize(2);
  if (inputs.size() < 2) return behind_sums(layer, given[0].pure && given[0].common ? given[0] : codes(given[0]), false);
  Value out = inputs[0];
  std::vector<std::string> names{inputs[0].name};
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    const Value& value = inputs[i];
    names.push_back(value.name);
    out.unit = std::min(out.unit, value.unit);
    if (sum) {
      const double sign = layer.kind == LayerKind::Subtract ? -1 : 1;
      for (std::size_t c = 0; c < out.mean.size(); ++c) {
        out.mean[c] += sign * value.mean[c];
        out.deviation[c] = std::hypot(out.deviation[c], value.deviation[c]);
      }
      out.lowest += sign > 0 ? value.lowest : -value.highest;
      out.highest += sign > 0 ? value.highest : -value.lowest;
    } else {
      for (const int channel : value.order) out.order.push_back(out.channels + channel);
      out.channels += value.channels;
      out.mean.insert(out.mean.end(), value.mean.begin(), value.mean.end());
      out.deviation.insert(out.deviation.end(), value.deviation.begin(), value.deviation.end());
      out.lowest = std::min(out.lowest, value.lowest), out.highest = std::max(out.highest, value.highest);
      out.codes = out.codes && value.codes;
    }
  }
  if (sum) {
    out.name = writer_.node(layer.kind == LayerKind::Add ? "Add" : "Sub", names);
    out.codes = out.bits() <= 8;
  } else {
    out.name = writer_.node("Concat", names, {{"axis", std::int64_t{1}}});
  }
  return behind_sums(layer, out, false);
}

// Rearrangement.

Value Builder::shuffle(const LayerSpec& layer, const Value& in) {
  int groups = std::min(layer.channels, in.channels);
  while (groups > 1 && in.channels % groups != 0) --groups;
  const int each = in.channels / std::max(1, groups);
  if (groups < 2 || each < 2) return in;
  Value out = spatial(in);
  const Dims whole = dims(out);
  Dims split{1, groups, each};
  split.insert(split.end(), whole.begin() + 2, whole.end());
  Dims axes{0, 2, 1};
  for (std::size_t d = 3; d < split.size(); ++d) axes.push_back(static_cast<std::int64_t>(d));
  const auto reshape = [&](const std::string& name, const Dims& shape) {
    return writer_.node("Reshape", {name, writer_.integers({static_cast<std::int64_t>(shape.size())}, shape)});
  };
  out.name = reshape(writer_.node("Transpose", {reshape(out.name, split)}, {{"perm", axes}}), whole);
  const Value before = out;
  for (int i = 0; i < each; ++i)
    for (int g = 0; g < groups; ++g) {
      const auto to = static_cast<std::size_t>(i * groups + g), from = static_cast<std::size_t>(g * each + i);
      out.order[to] = before.order[from], out.mean[to] = before.mean[from], out.deviation[to] = before.deviation[from];
    }
  return out;
}

Value Builder::upsample(const LayerSpec& layer, const Value& value) {
  const Value in = value.pure && value.common && !value.pooled && !value.bent ? spatial(value) : spatial(codes(value));
  const int height = spec_.dims == 3 ? 1 : std::clamp(layer.kernel_height, 1, std::max(1, 12 / in.height));
  const int width = std::clamp(layer.kernel_width, 1, std::max(1, 12 / in.width));
  if (height * width == 1) return in;
  Value out = in;
  out.height *= height, out.width *= width;
  std::vector<float> scales{1, 1};
  if (dims(out).size() == 4) scales.push_back(static_cast<float>(height));
  scales.push_back(static_cast<float>(width));
  const bool asymmetric = coin();
  out.name = writer_.node("Resize", {in.name, "", writer_.floats({static_cast<std::int64_t>(scales.size())}, scales)},
                          {{"mode", std::string("nearest")},
                           {"coordinate_transformation_mode", std::string(asymmetric ? "asymmetric" : "half_pixel")},
                           {"nearest_mode", std::string(asymmetric ? "floor" : "round_prefer_floor")}});
  return out;
}

}  // namespace bitloom::test
