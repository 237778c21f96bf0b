// Operators that enlarge or regroup maps: Pad, Resize (nearest), DepthToSpace.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::op {
namespace {

/// Before operator set 11 the padding was an attribute.
Dims pads_of(const Arguments& arguments) {
  const Node& node = arguments.node;
  const std::size_t rank = arguments.at(0).shape.size();
  const Dims given = arguments.has(1) ? int_input(arguments, 1) : node.ints_attribute("pads", {});
  if (!arguments.has(3)) {
    if (given.size() != 2 * rank) throw Error(node.name, fmt::format("{} pads, {} expected", given.size(), 2 * rank));
    return given;
  }
  const Dims& axes = int_input(arguments, 3);
  if (given.size() != 2 * axes.size()) throw Error(node.name, fmt::format("{} pads for {} axes", given.size(), axes.size()));
  Dims pads(2 * rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = resolve_axis(node, axes[i], rank);
    pads[axis] = given[i];
    pads[rank + axis] = given[axes.size() + i];
  }
  return pads;
}

/// The tensor whose element at `position` is that of x at source(axis, position) along every axis; where that is -1, `fill`.
template <class Source>
Tensor picked(const Tensor& x, const Dims& dims, double fill, Source source) {
  const std::size_t rank = dims.size();
  const Dims strides = strides_of(x.shape);
  return std::visit(
      [&](const auto& values) {
        using T = typename std::decay_t<decltype(values)>::value_type;
        std::vector<T> out(static_cast<std::size_t>(element_count(dims)), static_cast<T>(fill));
        Dims position(rank, 0);
        for (T& value : out) {
          std::int64_t from = 0;
          for (std::size_t d = 0; d < rank && from >= 0; ++d) {
            const std::int64_t place = source(d, position[d]);
            from = place < 0 ? -1 : from + place * strides[d];
          }
          if (from >= 0) value = values[static_cast<std::size_t>(from)];
          for (std::size_t d = rank; d-- > 0;) {
            if (++position[d] < dims[d]) break;
            position[d] = 0;
          }
        }
        return Tensor{dims, std::move(out)};
      },
      x.data);
}

/// The input place that `nearest` takes for output place `to`, as the coordinate modes of ONNX define it.
std::int64_t nearest_place(const Node& node, std::int64_t to, std::int64_t in, std::int64_t out, double scale) {
  const std::string coordinate = node.string_attribute("coordinate_transformation_mode", "half_pixel");
  const std::string rounding = node.string_attribute("nearest_mode", "round_prefer_floor");
  const auto place = static_cast<double>(to);
  double x = 0;
  if (coordinate == "asymmetric") {
    x = place / scale;
  } else if (coordinate == "half_pixel" || coordinate == "pytorch_half_pixel") {
    x = coordinate != "half_pixel" && out == 1 ? 0 : (place + 0.5) / scale - 0.5;
  } else if (coordinate == "align_corners") {
    x = out == 1 ? 0 : place * static_cast<double>(in - 1) / static_cast<double>(out - 1);
  } else {
    throw Error(node.name, fmt::format("coordinate_transformation_mode '{}' is not supported", coordinate));
  }
  double nearest = 0;
  if (rounding == "floor")
    nearest = std::floor(x);
  else if (rounding == "ceil")
    nearest = std::ceil(x);
  else if (rounding == "round_prefer_ceil")
    nearest = std::floor(x + 0.5);
  else if (rounding == "round_prefer_floor")
    nearest = std::ceil(x - 0.5);
  else
    throw Error(node.name, fmt::format("nearest_mode '{}' is unknown", rounding));
  return std::clamp(static_cast<std::int64_t>(nearest), std::int64_t{0}, in - 1);
}

}  // namespace

/// An input, or before operator set 11 an attribute; Deeploy writes it as an attribute of any type.
double pad_value(const Arguments& arguments) {
  const Node& node = arguments.node;
  const auto first = [](const Tensor& tensor) {
    return tensor.is_float() ? static_cast<double>(tensor.f().at(0)) : static_cast<double>(tensor.i().at(0));
  };
  if (arguments.has(2) && arguments.at(2).size() > 0) return first(arguments.at(2));
  const auto found = node.attributes.find("value");
  if (found == node.attributes.end()) return 0;
  if (const auto* value = std::get_if<float>(&found->second)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<std::int64_t>(&found->second)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<Tensor>(&found->second); value != nullptr && value->size() == 1) return first(*value);
  throw Error(node.name, "its attribute 'value' is no number");
}

std::vector<Tensor> pad(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& x = arguments.at(0);
  if (node.string_attribute("mode", "constant") != "constant") throw Error(node.name, "of Pad only the mode 'constant' is supported");
  const Dims pads = pads_of(arguments);
  const double fill = pad_value(arguments);
  if (!x.is_float() && !(std::fabs(fill) < 0x1p63)) throw Error(node.name, fmt::format("integers cannot be padded with {}", fill));
  Dims dims = x.shape;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    for (const std::int64_t value : {pads[d], pads[dims.size() + d]})
      if (value < -kMostElements || value > kMostElements) throw Error(node.name, fmt::format("a padding of {}", value));
    dims[d] += pads[d] + pads[dims.size() + d];
  }
  check_size(node, dims);
  return {picked(x, dims, fill, [&](std::size_t d, std::int64_t place) {
    const std::int64_t from = place - pads[d];
    return from >= 0 && from < x.shape[d] ? from : -1;
  })};
}

std::vector<Tensor> resize(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& x = arguments.at(0);
  const std::size_t rank = x.shape.size();
  if (x.size() == 0) throw Error(node.name, "a Resize of an empty tensor");
  if (node.string_attribute("mode", "nearest") != "nearest") throw Error(node.name, "of Resize only the mode 'nearest' is supported");
  if (arguments.opset < 11 || node.attributes.count("axes") != 0)
    throw Error(node.name, "this form of Resize (operator set 10, or with axes) is not supported");
  const bool by_scale = arguments.has(2) && arguments.at(2).size() > 0;
  std::vector<double> scales(rank, 1);
  Dims dims = x.shape;
  const std::size_t given = static_cast<std::size_t>(by_scale ? arguments.at(2).size() : arguments.at(3).size());
  if (given != rank) throw Error(node.name, fmt::format("{} scales or sizes for {} dimensions", given, rank));
  for (std::size_t d = 0; d < rank; ++d) {
    if (by_scale) {
      scales[d] = static_cast<double>(float_input(arguments, 2)[d]);
      const double size = std::floor(static_cast<double>(x.shape[d]) * scales[d]);
      if (!(size >= 1 && size <= static_cast<double>(kMostElements))) throw Error(node.name, fmt::format("a scale of {}", scales[d]));
      dims[d] = static_cast<std::int64_t>(size);
    } else {
      dims[d] = int_input(arguments, 3)[d];
      scales[d] = static_cast<double>(dims[d]) / static_cast<double>(x.shape[d]);
    }
  }
  check_size(node, dims);
  return {picked(x, dims, 0, [&](std::size_t d, std::int64_t place) {
    return dims[d] == x.shape[d] ? place : nearest_place(node, place, x.shape[d], dims[d], scales[d]);
  })};
}

/// Blocks of channels become blocks of pixels; CRD counts the original channels first, DCR the position in the block.
std::vector<Tensor> depth_to_space(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& x = arguments.at(0);
  const std::int64_t block = node.int_attribute("blocksize", 0);
  if (x.shape.size() != 4 || block < 1 || block > 64 || x.shape[1] % (block * block) != 0)
    throw Error(node.name, fmt::format("blocks of {} from shape {}", block, dims_text(x.shape)));
  const std::string mode = node.string_attribute("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") throw Error(node.name, fmt::format("mode '{}' is unknown; DCR and CRD are known", mode));
  const std::int64_t n = x.shape[0], c = x.shape[1] / (block * block), h = x.shape[2], w = x.shape[3];
  const Dims split = mode == "CRD" ? Dims{n, c, block, block, h, w} : Dims{n, block, block, c, h, w};
  Node move;
  move.name = node.name;
  move.attributes["perm"] = mode == "CRD" ? Dims{0, 1, 4, 2, 5, 3} : Dims{0, 3, 4, 1, 5, 2};
  const Tensor parts{split, x.data};
  Tensor out = transpose({move, {&parts}, arguments.opset}).at(0);
  out.shape = {n, c, h * block, w * block};
  return {std::move(out)};
}

}  // namespace bitloom::op
