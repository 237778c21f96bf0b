#include "onnx/broadcast.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace bitloom {

std::string dims_text(const Dims& dims) { return dims.empty() ? "scalar" : fmt::format("{}", fmt::join(dims, "x")); }

std::int64_t element_count(const Dims& dims) {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) count *= dim;
  return count;
}

Dims strides_of(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

std::size_t resolve_axis(const Node& node, std::int64_t axis, std::size_t rank) {
  const auto n = static_cast<std::int64_t>(rank);
  if (axis < -n || axis >= n) throw Error(node.name, fmt::format("axis {} is outside a tensor of {} dimensions", axis, rank));
  return static_cast<std::size_t>(axis < 0 ? axis + n : axis);
}

Dims broadcast_dims(const Node& node, const Dims& a, const Dims& b) {
  Dims out(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {  // i counts from the last dimension
    const std::int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1)
      throw Error(node.name, fmt::format("shapes {} and {} of this {} cannot be broadcast together", dims_text(a), dims_text(b), node.op));
    out[out.size() - 1 - i] = da == 1 ? db : da;
  }
  if (out != a && out != b) check_size(node, out);  // it may be larger than both
  return out;
}

std::vector<std::int64_t> broadcast_indices(const Node& node, const Dims& from, const Dims& to) {
  if (broadcast_dims(node, from, to) != to)
    throw Error(node.name, fmt::format("a tensor of shape {} cannot be broadcast to {}", dims_text(from), dims_text(to)));
  Dims steps(to.size(), 0);
  const Dims strides = strides_of(from);
  for (std::size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1) steps[to.size() - from.size() + i] = strides[i];
  std::vector<std::int64_t> indices(static_cast<std::size_t>(element_count(to)));
  Dims position(to.size(), 0);
  std::int64_t source = 0;
  for (std::int64_t& index : indices) {
    index = source;
    for (std::size_t d = to.size(); d-- > 0;) {
      source += steps[d];
      if (++position[d] < to[d]) break;
      source -= steps[d] * to[d];
      position[d] = 0;
    }
  }
  return indices;
}

Tensor expand(const Node& node, const Tensor& tensor, const Dims& to) {
  const auto indices = broadcast_indices(node, tensor.shape, to);
  return std::visit(
      [&](const auto& values) {
        auto out = values;
        out.resize(indices.size());
        for (std::size_t i = 0; i < indices.size(); ++i) out[i] = values[static_cast<std::size_t>(indices[i])];
        return Tensor{to, std::move(out)};
      },
      tensor.data);
}

void check_size(const Node& node, const Dims& dims) {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) {
    if (dim < 0 || dim > kMostElements / count)
      throw Error(node.name,
                  fmt::format("{} makes a tensor of shape {}; up to {} values are supported", node.op, dims_text(dims), kMostElements));
    count *= std::max<std::int64_t>(dim, 1);
  }
}

std::int64_t single_integer(const Arguments& arguments, std::size_t i) {
  const std::vector<std::int64_t>& values = int_input(arguments, i);
  if (values.size() != 1)
    throw Error(arguments.node.name, fmt::format("input {} of {} has {} values; one is expected", i, arguments.node.op, values.size()));
  return values[0];
}

const std::vector<float>& float_input(const Arguments& arguments, std::size_t i) {
  const Tensor& tensor = arguments.at(i);
  if (!tensor.is_float())
    throw Error(arguments.node.name, fmt::format("input {} of {} holds integers; floats expected", i, arguments.node.op));
  return tensor.f();
}

const std::vector<std::int64_t>& int_input(const Arguments& arguments, std::size_t i) {
  const Tensor& tensor = arguments.at(i);
  if (tensor.is_float())
    throw Error(arguments.node.name, fmt::format("input {} of {} holds floats; integers expected", i, arguments.node.op));
  return tensor.i();
}

}  // namespace bitloom
