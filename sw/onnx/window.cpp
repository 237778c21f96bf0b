#include "onnx/window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "onnx/broadcast.hpp"

namespace bitloom {
namespace {

constexpr std::int64_t kMaxExtent = 1 << 16;  // any window parameter beyond this is damage, not a network

struct Axis {
  std::int64_t kernel, stride, dilation, before, after;
};

std::int64_t entry(const Node& node, const char* attribute, std::size_t i, std::size_t count, std::int64_t fallback) {
  const auto values = node.ints_attribute(attribute, {});
  if (values.empty()) return fallback;
  if (values.size() != count)
    throw Error(node.name, fmt::format("attribute '{}' has {} values, {} expected", attribute, values.size(), count));
  return values[i];
}

void resolve_auto_pad(const Node& node, Axis& axis, std::int64_t in) {
  const std::string mode = node.string_attribute("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) return;
  axis.before = axis.after = 0;
  if (mode == "VALID") return;
  if (mode != "SAME_UPPER" && mode != "SAME_LOWER") throw Error(node.name, fmt::format("auto_pad '{}' is unknown", mode));
  const std::int64_t out = (in + axis.stride - 1) / axis.stride;
  const std::int64_t total = std::max<std::int64_t>((out - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1 - in, 0);
  axis.before = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
  axis.after = total - axis.before;
}

/// With ceil_mode a window may reach beyond the padding, but must start before its end: the same as more padding at the end.
void resolve_ceil_mode(const Node& node, Axis& axis, std::int64_t in) {
  if (node.int_attribute("ceil_mode", 0) == 0) return;
  const std::int64_t span = (axis.kernel - 1) * axis.dilation + 1;
  const std::int64_t room = in + axis.before + axis.after - span;
  if (room < 0) return;
  std::int64_t out = (room + axis.stride - 1) / axis.stride + 1;
  if ((out - 1) * axis.stride >= in + axis.before) --out;
  axis.after = std::max(axis.after, (out - 1) * axis.stride + span - in - axis.before);
}

}  // namespace

Window read_window(const Node& node, const std::vector<std::int64_t>& input_shape, std::vector<std::int64_t> kernel) {
  if (input_shape.size() != 3 && input_shape.size() != 4)
    throw Error(node.name,
                fmt::format("{} over an input of shape {}; [N, C, H, W] or [N, C, W] is supported", node.op, dims_text(input_shape)));
  const std::size_t rank = input_shape.size() - 2;
  const auto stated = node.ints_attribute("kernel_shape", kernel);
  if (kernel.empty()) kernel = stated;
  if (stated != kernel || kernel.size() != rank)
    throw Error(node.name, fmt::format("kernel_shape {} does not fit ({} spatial dimensions)", dims_text(stated), rank));

  std::array<Axis, 2> axes{Axis{1, 1, 1, 0, 0}, Axis{1, 1, 1, 0, 0}};
  for (std::size_t i = 0; i < rank; ++i) {
    Axis& axis = axes[2 - rank + i];
    axis = {kernel[i], entry(node, "strides", i, rank, 1), entry(node, "dilations", i, rank, 1), entry(node, "pads", i, 2 * rank, 0),
            entry(node, "pads", rank + i, 2 * rank, 0)};
    for (const std::int64_t value : {axis.kernel, axis.stride, axis.dilation})
      if (value < 1 || value > kMaxExtent) throw Error(node.name, fmt::format("kernel, stride or dilation {} must be positive", value));
    // More padding than this would make windows of nothing but padding: damage, and a way to ask for endless memory.
    const std::int64_t most = std::max<std::int64_t>((axis.kernel - 1) * axis.dilation + 1, 16);
    for (const std::int64_t value : {axis.before, axis.after})
      if (value < 0 || value > most) throw Error(node.name, fmt::format("padding {}: 0 to {} is supported for this kernel", value, most));
    const std::int64_t in = input_shape[2 + i];
    resolve_auto_pad(node, axis, in);
    resolve_ceil_mode(node, axis, in);
    if (in + axis.before + axis.after < (axis.kernel - 1) * axis.dilation + 1)
      throw Error(node.name, fmt::format("a kernel of {} (dilation {}) does not fit an input of {} with {} padding", axis.kernel,
                                         axis.dilation, in, axis.before + axis.after));
  }
  const auto narrow = [](std::int64_t value) { return static_cast<int>(value); };
  Window window;
  window.kernel_height = narrow(axes[0].kernel), window.kernel_width = narrow(axes[1].kernel);
  window.stride_height = narrow(axes[0].stride), window.stride_width = narrow(axes[1].stride);
  window.dilation_height = narrow(axes[0].dilation), window.dilation_width = narrow(axes[1].dilation);
  window.pad_top = narrow(axes[0].before), window.pad_left = narrow(axes[1].before);
  window.pad_bottom = narrow(axes[0].after), window.pad_right = narrow(axes[1].after);
  return window;
}

}  // namespace bitloom
