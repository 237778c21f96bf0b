// Sums, means and extremes over axes.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::op {
namespace {

/// Every result begins with `start` and takes one value after the other by `join`.
template <class T, class F>
std::vector<T> reduced(const Reduction& reduction, const std::vector<T>& values, T start, F join) {
  std::vector<T> out(static_cast<std::size_t>(element_count(reduction.dims)), start);
  for (std::size_t e = 0; e < values.size(); ++e) {
    T& result = out[static_cast<std::size_t>(reduction.place[e])];
    result = join(result, values[e]);
  }
  return out;
}

std::vector<Tensor> extreme(const Arguments& arguments, bool largest) {
  const Tensor& x = arguments.at(0);
  const Reduction reduction = reduction_of(arguments, x.shape);
  return {std::visit(
      [&](const auto& values) {
        using T = typename std::decay_t<decltype(values)>::value_type;
        using Limits = std::numeric_limits<T>;
        const T high = Limits::has_infinity ? Limits::infinity() : Limits::max();
        const T low = Limits::has_infinity ? static_cast<T>(-Limits::infinity()) : Limits::lowest();
        return Tensor{reduction.dims, reduced<T>(reduction, values, largest ? low : high,
                                                 [&](T a, T b) { return largest ? std::max(a, b) : std::min(a, b); })};
      },
      x.data)};
}

/// In double, as every sum of the executor.
std::vector<double> sums(const Reduction& reduction, const std::vector<float>& x) {
  return reduced<double>(reduction, std::vector<double>(x.begin(), x.end()), 0.0, [](double a, double b) { return a + b; });
}

}  // namespace

/// The axes are an attribute, or an input: since operator set 13 of ReduceSum, since 18 of the others.
Reduction reduction_of(const Arguments& arguments, const Dims& dims) {
  const Node& node = arguments.node;
  const Dims given = arguments.has(1) ? int_input(arguments, 1) : node.ints_attribute("axes", {});
  std::vector<bool> is_reduced(dims.size(), given.empty() && node.int_attribute("noop_with_empty_axes", 0) == 0);
  for (const std::int64_t axis : given) is_reduced[resolve_axis(node, axis, dims.size())] = true;
  Reduction reduction;
  const bool keep = node.int_attribute("keepdims", 1) != 0;
  Dims kept = dims;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (is_reduced[d]) reduction.axes.push_back(d), kept[d] = 1;
    if (keep || !is_reduced[d]) reduction.dims.push_back(kept[d]);
  }
  const Dims strides = strides_of(dims), places = strides_of(kept);
  for (std::int64_t e = 0; e < element_count(dims); ++e) {
    std::int64_t place = 0;
    for (std::size_t d = 0; d < dims.size(); ++d)
      if (!is_reduced[d]) place += e / strides[d] % dims[d] * places[d];
    reduction.place.push_back(place);
  }
  return reduction;
}

std::vector<Tensor> reduce_max(const Arguments& arguments) { return extreme(arguments, true); }
std::vector<Tensor> reduce_min(const Arguments& arguments) { return extreme(arguments, false); }

std::vector<Tensor> reduce_sum(const Arguments& arguments) {
  const Tensor& x = arguments.at(0);
  const Reduction reduction = reduction_of(arguments, x.shape);
  if (!x.is_float()) return {Tensor::ints(reduction.dims, reduced<std::int64_t>(reduction, x.i(), 0, std::plus<>()))};
  const std::vector<double> out = sums(reduction, x.f());
  return {Tensor::floats(reduction.dims, {out.begin(), out.end()})};
}

std::vector<Tensor> reduce_mean(const Arguments& arguments) {
  const std::vector<float>& x = float_input(arguments, 0);
  const Reduction reduction = reduction_of(arguments, arguments.at(0).shape);
  std::vector<double> out = sums(reduction, x);
  for (double& sum : out) sum = sum * static_cast<double>(out.size()) / static_cast<double>(x.size());
  return {Tensor::floats(reduction.dims, {out.begin(), out.end()})};
}

}  // namespace bitloom::op
