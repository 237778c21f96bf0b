// Operators that move values without changing them.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::op {
namespace {

std::vector<Tensor> with_shape(const Arguments& arguments, Dims dims) {
  Tensor out = arguments.at(0);
  if (element_count(dims) != out.size())
    throw Error(arguments.node.name, fmt::format("a tensor of shape {} cannot become {}", dims_text(out.shape), dims_text(dims)));
  out.shape = std::move(dims);
  return {std::move(out)};
}

/// The axes of Squeeze and Unsqueeze: an attribute before operator set 13, an input since.
Dims axes_of(const Arguments& arguments) { return arguments.has(1) ? int_input(arguments, 1) : arguments.node.ints_attribute("axes", {}); }

}  // namespace

/// -1 is inferred; 0 keeps the input's dimension unless `allowzero`.
std::vector<Tensor> reshape(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& x = arguments.at(0);
  Dims dims = arguments.has(1) ? int_input(arguments, 1) : node.ints_attribute("shape", {});
  const bool keep_zero = node.int_attribute("allowzero", 0) == 0;
  std::int64_t known = 1;
  std::ptrdiff_t inferred = -1;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && keep_zero) {
      if (i >= x.shape.size()) throw Error(node.name, "a 0 in the new shape has no dimension of the input to copy");
      dims[i] = x.shape[i];
    }
    if (dims[i] < -1 || (dims[i] == -1 && inferred >= 0) || dims[i] > std::max<std::int64_t>(x.size(), 1))
      throw Error(node.name, fmt::format("a tensor of shape {} cannot become {}", dims_text(x.shape), dims_text(dims)));
    if (dims[i] == -1)
      inferred = static_cast<std::ptrdiff_t>(i);
    else if ((known *= dims[i]) > std::max<std::int64_t>(x.size(), 1))
      throw Error(node.name, fmt::format("a tensor of shape {} cannot become {}", dims_text(x.shape), dims_text(dims)));
  }
  if (inferred >= 0) {
    if (known == 0) throw Error(node.name, "a -1 in the new shape cannot be inferred");
    dims[static_cast<std::size_t>(inferred)] = x.size() / known;
  }
  return with_shape(arguments, dims);
}

std::vector<Tensor> flatten(const Arguments& arguments) {
  const Dims& dims = arguments.at(0).shape;
  const auto rank = static_cast<std::int64_t>(dims.size());
  std::int64_t axis = arguments.node.int_attribute("axis", 1);
  if (axis < -rank || axis > rank) throw Error(arguments.node.name, fmt::format("axis {} is outside {} dimensions", axis, rank));
  if (axis < 0) axis += rank;
  const Dims front(dims.begin(), dims.begin() + axis);
  const Dims back(dims.begin() + axis, dims.end());
  return with_shape(arguments, {element_count(front), element_count(back)});
}

std::vector<Tensor> squeeze(const Arguments& arguments) {
  const Dims& in = arguments.at(0).shape;
  std::vector<bool> drop(in.size(), false);
  const Dims axes = axes_of(arguments);
  for (const std::int64_t axis : axes) drop[resolve_axis(arguments.node, axis, in.size())] = true;
  Dims dims;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (axes.empty()) drop[i] = in[i] == 1;
    if (drop[i] && in[i] != 1) throw Error(arguments.node.name, fmt::format("axis {} of shape {} cannot be dropped", i, dims_text(in)));
    if (!drop[i]) dims.push_back(in[i]);
  }
  return with_shape(arguments, dims);
}

std::vector<Tensor> unsqueeze(const Arguments& arguments) {
  const Dims& in = arguments.at(0).shape;
  const Dims axes = axes_of(arguments);
  std::vector<bool> added(in.size() + axes.size(), false);
  for (const std::int64_t axis : axes) {
    const std::size_t place = resolve_axis(arguments.node, axis, added.size());
    if (added[place]) throw Error(arguments.node.name, fmt::format("axis {} is given twice", axis));
    added[place] = true;
  }
  Dims dims;
  std::size_t next = 0;
  for (const bool is_new : added) dims.push_back(is_new ? 1 : in[next++]);
  return with_shape(arguments, dims);
}

std::vector<Tensor> transpose(const Arguments& arguments) {
  const Tensor& x = arguments.at(0);
  const std::size_t rank = x.shape.size();
  Dims order(rank);
  for (std::size_t i = 0; i < rank; ++i) order[i] = static_cast<std::int64_t>(rank - 1 - i);
  order = arguments.node.ints_attribute("perm", order);
  Dims sorted = order;
  std::sort(sorted.begin(), sorted.end());
  Dims all(rank);
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all)
    throw Error(arguments.node.name, fmt::format("perm {} does not order the {} dimensions of the input", dims_text(order), rank));

  const Dims in_strides = strides_of(x.shape);
  Dims dims(rank), steps(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    dims[i] = x.shape[static_cast<std::size_t>(order[i])];
    steps[i] = in_strides[static_cast<std::size_t>(order[i])];
  }
  return {std::visit(
      [&](const auto& values) {
        auto out = values;
        Dims position(rank, 0);
        std::int64_t source = 0;
        for (auto& value : out) {
          value = values[static_cast<std::size_t>(source)];
          for (std::size_t d = rank; d-- > 0;) {
            source += steps[d];
            if (++position[d] < dims[d]) break;
            source -= steps[d] * dims[d];
            position[d] = 0;
          }
        }
        return Tensor{dims, std::move(out)};
      },
      x.data)};
}

std::vector<Tensor> shape(const Arguments& arguments) {
  const Dims& dims = arguments.at(0).shape;
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto clamp = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank); };
  const std::int64_t start = clamp(arguments.node.int_attribute("start", 0));
  const std::int64_t end = std::max(start, clamp(arguments.node.int_attribute("end", rank)));
  return {Tensor::ints({end - start}, Dims(dims.begin() + start, dims.begin() + end))};
}

std::vector<Tensor> concat(const Arguments& arguments) {
  const Node& node = arguments.node;
  const Tensor& first = arguments.at(0);
  const std::size_t axis = resolve_axis(node, node.int_attribute("axis", 0), first.shape.size());
  Dims dims = first.shape;
  dims[axis] = 0;
  for (std::size_t i = 0; i < arguments.inputs.size(); ++i) {
    Dims other = arguments.at(i).shape;
    if (other.size() != dims.size() || arguments.at(i).is_float() != first.is_float())
      throw Error(node.name, "the inputs of Concat differ in rank or type");
    const std::int64_t part = other[axis];
    other[axis] = dims[axis];
    if (other != dims) throw Error(node.name, fmt::format("input {} of Concat does not fit the others", i));
    dims[axis] += part;
  }
  const std::int64_t outer = element_count(Dims(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(axis)));
  return {std::visit(
      [&](auto out) {
        using Values = decltype(out);
        out.clear();
        for (std::int64_t o = 0; o < outer; ++o) {
          for (const Tensor* input : arguments.inputs) {
            const auto& values = std::get<Values>(input->data);
            const std::ptrdiff_t count = static_cast<std::ptrdiff_t>(values.size()) / outer;  // outer > 0 inside this loop
            out.insert(out.end(), values.begin() + o * count, values.begin() + (o + 1) * count);
          }
        }
        return Tensor{dims, std::move(out)};
      },
      first.data)};
}

}  // namespace bitloom::op
