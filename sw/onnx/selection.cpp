// Operators that pick values: Gather, Slice, Split, ArgMax, TopK; and Cast.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::op {
namespace {

/// A tensor seen as [outer][count][inner] around one axis.
struct AxisView {
  std::size_t axis, outer, count, inner;
};

AxisView view_along(const Node& node, const Dims& dims, std::int64_t axis) {
  AxisView view{resolve_axis(node, axis, dims.size()), 1, 0, 1};
  view.count = static_cast<std::size_t>(dims[view.axis]);
  for (std::size_t i = 0; i < dims.size(); ++i)
    (i < view.axis ? view.outer : view.inner) *= i == view.axis ? 1 : static_cast<std::size_t>(dims[i]);
  return view;
}

/// The tensor with only the given places along an axis, in that order.
Tensor take(const Tensor& x, const AxisView& view, const std::vector<std::size_t>& places, Dims dims) {
  return std::visit(
      [&](const auto& values) {
        auto out = values;
        out.clear();
        for (std::size_t o = 0; o < view.outer; ++o)
          for (const std::size_t place : places) {
            const auto first = values.begin() + static_cast<std::ptrdiff_t>((o * view.count + place) * view.inner);
            out.insert(out.end(), first, first + static_cast<std::ptrdiff_t>(view.inner));
          }
        return Tensor{std::move(dims), std::move(out)};
      },
      x.data);
}

/// The places that a Slice of one axis selects.
std::vector<std::size_t> slice_places(const Node& node, std::int64_t count, std::int64_t start, std::int64_t end, std::int64_t step) {
  if (step == 0) throw Error(node.name, "a Slice with step 0");
  const auto from_end = [&](std::int64_t i) { return i < 0 ? i + count : i; };
  std::vector<std::size_t> places;
  if (step > 0) {
    const std::int64_t last = std::clamp<std::int64_t>(from_end(end), 0, count);
    for (std::int64_t i = std::clamp<std::int64_t>(from_end(start), 0, count); i < last; i += std::min(step, count + 1))
      places.push_back(static_cast<std::size_t>(i));
  } else {
    const std::int64_t last = std::clamp<std::int64_t>(from_end(end), -1, count - 1);
    for (std::int64_t i = std::clamp<std::int64_t>(from_end(start), -1, count - 1); i > last; i += std::max(step, -count - 1))
      places.push_back(static_cast<std::size_t>(i));
  }
  return places;
}

/// Element `e` of the places [o][.][i], for sorting along an axis.
std::size_t at(const AxisView& view, std::size_t o, std::size_t e, std::size_t i) { return (o * view.count + e) * view.inner + i; }

}  // namespace

std::vector<Tensor> gather(const Arguments& arguments) {
  const Tensor& x = arguments.at(0);
  const AxisView view = view_along(arguments.node, x.shape, arguments.node.int_attribute("axis", 0));
  std::vector<std::size_t> places;
  const auto count = static_cast<std::int64_t>(view.count);
  for (const std::int64_t index : int_input(arguments, 1)) {
    if (index < -count || index >= count) throw Error(arguments.node.name, fmt::format("index {} is outside an axis of {}", index, count));
    places.push_back(static_cast<std::size_t>(index < 0 ? index + count : index));
  }
  Dims dims(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(view.axis));
  dims.insert(dims.end(), arguments.at(1).shape.begin(), arguments.at(1).shape.end());
  dims.insert(dims.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(view.axis) + 1, x.shape.end());
  check_size(arguments.node, dims);
  return {take(x, view, places, std::move(dims))};
}

std::vector<Tensor> slice(const Arguments& arguments) {
  const Node& node = arguments.node;
  const bool by_input = arguments.opset >= 10;
  const Dims starts = by_input ? int_input(arguments, 1) : node.ints_attribute("starts", {});
  const Dims ends = by_input ? int_input(arguments, 2) : node.ints_attribute("ends", {});
  Dims axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (by_input ? arguments.has(3) : node.attributes.count("axes") != 0)
    axes = by_input ? int_input(arguments, 3) : node.ints_attribute("axes", {});
  const Dims steps = arguments.has(4) ? int_input(arguments, 4) : Dims(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    throw Error(node.name, "starts, ends, axes and steps of Slice differ in length");
  Tensor out = arguments.at(0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const AxisView view = view_along(node, out.shape, axes[i]);
    const auto places = slice_places(node, static_cast<std::int64_t>(view.count), starts[i], ends[i], steps[i]);
    Dims dims = out.shape;
    dims[view.axis] = static_cast<std::int64_t>(places.size());
    out = take(out, view, places, std::move(dims));
  }
  return {std::move(out)};
}

/// Parts of stated sizes (an attribute before operator set 13), or as many as there are outputs, of which the last one may be smaller.
std::vector<Tensor> split(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& x = arguments.at(0);
  const AxisView view = view_along(node, x.shape, node.int_attribute("axis", 0));
  const auto count = static_cast<std::int64_t>(view.count);
  const auto parts = static_cast<std::int64_t>(std::max<std::size_t>(node.outputs.size(), 1));
  Dims sizes = arguments.has(1) ? int_input(arguments, 1) : node.ints_attribute("split", {});
  const std::int64_t each = (count + parts - 1) / parts;
  for (std::int64_t i = 0; sizes.size() < node.outputs.size(); ++i) sizes.push_back(std::clamp<std::int64_t>(count - i * each, 0, each));
  std::vector<Tensor> out;
  std::int64_t first = 0;
  for (const std::int64_t part : sizes) {
    if (part < 0 || part > count - first)
      throw Error(node.name, fmt::format("parts of {} do not fit an axis of {}", dims_text(sizes), count));
    std::vector<std::size_t> places(static_cast<std::size_t>(part));
    std::iota(places.begin(), places.end(), static_cast<std::size_t>(first));
    Dims dims = x.shape;
    dims[view.axis] = part;
    out.push_back(take(x, view, places, std::move(dims)));
    first += part;
  }
  if (first != count) throw Error(node.name, fmt::format("parts of {} do not fill an axis of {}", dims_text(sizes), count));
  return out;
}

/// The first of the largest, or the last with select_last_index.
std::vector<Tensor> arg_max(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& x = arguments.at(0);
  const AxisView view = view_along(node, x.shape, node.int_attribute("axis", 0));
  if (view.count == 0) throw Error(node.name, "ArgMax along an empty axis");
  const bool last = node.int_attribute("select_last_index", 0) != 0;
  Dims dims = x.shape;
  if (node.int_attribute("keepdims", 1) != 0)
    dims[view.axis] = 1;
  else
    dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(view.axis));
  std::vector<std::int64_t> out;
  out.reserve(view.outer * view.inner);
  std::visit(
      [&](const auto& values) {
        for (std::size_t o = 0; o < view.outer; ++o)
          for (std::size_t i = 0; i < view.inner; ++i) {
            std::size_t best = 0;
            for (std::size_t e = 1; e < view.count; ++e) {
              const auto value = values[at(view, o, e, i)], top = values[at(view, o, best, i)];
              if (value > top || (last && value == top)) best = e;
            }
            out.push_back(static_cast<std::int64_t>(best));
          }
      },
      x.data);
  return {Tensor::ints(dims, std::move(out))};
}

/// Equal values keep the order of their indices.
std::vector<Tensor> top_k(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& x = arguments.at(0);
  const AxisView view = view_along(node, x.shape, node.int_attribute("axis", -1));
  const std::int64_t k = arguments.has(1) ? single_integer(arguments, 1) : node.int_attribute("k", 0);
  if (k < 1 || k > static_cast<std::int64_t>(view.count)) throw Error(node.name, fmt::format("k is {}, 1 to {} expected", k, view.count));
  const bool largest = node.int_attribute("largest", 1) != 0;
  Dims dims = x.shape;
  dims[view.axis] = k;
  std::vector<std::int64_t> indices(view.outer * static_cast<std::size_t>(k) * view.inner);
  const AxisView out_view{view.axis, view.outer, static_cast<std::size_t>(k), view.inner};
  Tensor out = std::visit(
      [&](const auto& values) {
        auto top = values;
        top.resize(indices.size());
        std::vector<std::size_t> order(view.count);
        for (std::size_t o = 0; o < view.outer; ++o)
          for (std::size_t i = 0; i < view.inner; ++i) {
            std::iota(order.begin(), order.end(), std::size_t{0});
            std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
              const auto left = values[at(view, o, a, i)], right = values[at(view, o, b, i)];
              return largest ? left > right : left < right;
            });
            for (std::size_t e = 0; e < out_view.count; ++e) {
              top[at(out_view, o, e, i)] = values[at(view, o, order[e], i)];
              indices[at(out_view, o, e, i)] = static_cast<std::int64_t>(order[e]);
            }
          }
        return Tensor{dims, std::move(top)};
      },
      x.data);
  return {std::move(out), Tensor::ints(dims, std::move(indices))};
}

/// To float, to bool, or to an integer type: truncated towards zero, then wrapped to its width.
std::vector<Tensor> cast(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& x = arguments.at(0);
  const std::int64_t to = node.int_attribute("to", 0);
  if (to == 1 || to == 11) {
    if (x.is_float()) return {x};
    return {Tensor::floats(x.shape, std::vector<float>(x.i().begin(), x.i().end()))};
  }
  if (to == 10 && !x.is_float() && std::all_of(x.i().begin(), x.i().end(), [](std::int64_t value) { return std::llabs(value) <= 2048; }))
    return {Tensor::floats(x.shape, std::vector<float>(x.i().begin(), x.i().end()))};  // float16 holds these
  const auto integer = [&](auto value) -> std::int64_t {
    if constexpr (std::is_same_v<decltype(value), float>) {
      if (!(std::fabs(value) < 0x1p63F)) throw Error(node.name, fmt::format("{} cannot be cast to an integer", value));
    }
    return static_cast<std::int64_t>(value);
  };
  const auto wrapped = [&](std::int64_t value) -> std::int64_t {
    switch (to) {
      case 2: return static_cast<std::uint8_t>(value);
      case 3: return static_cast<std::int8_t>(value);
      case 4: return static_cast<std::uint16_t>(value);
      case 5: return static_cast<std::int16_t>(value);
      case 6: return static_cast<std::int32_t>(value);
      case 12: return static_cast<std::uint32_t>(value);
      case 7:
      case 13: return value;
      case 21: return value & 15;
      case 22: return ((value & 15) ^ 8) - 8;
      default: throw Error(node.name, fmt::format("a Cast to data type {} is not supported; float, double, bool and integers are", to));
    }
  };
  std::vector<std::int64_t> out;
  std::visit(
      [&](const auto& values) {
        for (const auto value : values) out.push_back(to == 9 ? value != 0 : wrapped(integer(value)));
      },
      x.data);
  Tensor result = Tensor::ints(x.shape, std::move(out));
  result.type = static_cast<ElementType>(to);
  return {std::move(result)};
}

}  // namespace bitloom::op
