#include "data/picture.hpp"

#include <algorithm>
#include <cmath>

namespace bitloom {
namespace {

constexpr std::int64_t kLongestSide = 64;

struct Layout {
  std::int64_t height = 0, width = 0, channels = 1, step_row = 0, step_column = 0, step_channel = 0;
};

std::optional<Layout> layout_of(const std::vector<std::int64_t>& shape) {
  const auto is_colours = [](std::int64_t n) { return n == 1 || n == 3; };
  Layout layout;
  if (shape.size() == 2) {
    layout = {shape[0], shape[1], 1, shape[1], 1, 0};
  } else if (shape.size() == 3 && is_colours(shape[0])) {
    layout = {shape[1], shape[2], shape[0], shape[2], 1, shape[1] * shape[2]};
  } else if (shape.size() == 3 && is_colours(shape[2])) {
    layout = {shape[0], shape[1], shape[2], shape[1] * shape[2], shape[2], 1};
  }
  return layout.height > 0 && layout.width > 0 ? std::optional(layout) : std::nullopt;
}

}  // namespace

std::optional<Picture> picture(const Dataset& set, std::int64_t index, double low, double high) {
  const auto layout = layout_of(set.shape);
  if (!layout) return std::nullopt;
  set.image(index);  // throws when there is none
  const std::int64_t step = (std::max(layout->height, layout->width) + kLongestSide - 1) / kLongestSide;
  Picture result;
  result.height = static_cast<int>((layout->height + step - 1) / step);
  result.width = static_cast<int>((layout->width + step - 1) / step);
  result.channels = static_cast<int>(layout->channels);
  const auto value = [&](std::int64_t at) {
    return std::visit(
        [&](const auto& values) { return static_cast<double>(values[static_cast<std::size_t>(index * set.image_size() + at)]); },
        set.images);
  };
  for (std::int64_t row = 0; row < layout->height; row += step)
    for (std::int64_t column = 0; column < layout->width; column += step)
      for (std::int64_t channel = 0; channel < layout->channels; ++channel) {
        const double v = value(row * layout->step_row + column * layout->step_column + channel * layout->step_channel);
        const double share = high > low && std::isfinite(v) ? std::clamp((v - low) / (high - low), 0.0, 1.0) : 0;
        result.pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * share)));
      }
  return result;
}

std::pair<double, double> value_range(const Dataset& set) {
  return std::visit(
      [](const auto& values) {
        std::pair<double, double> range{0, 0};
        bool first = true;
        for (const auto v : values) {
          const auto value = static_cast<double>(v);
          if (!std::isfinite(value)) continue;
          range = first ? std::pair(value, value) : std::pair(std::min(range.first, value), std::max(range.second, value));
          first = false;
        }
        return range;
      },
      set.images);
}

}  // namespace bitloom
