// Conv and pools over [N, C, H, W], or [N, C, W] as a map of height 1. Sums are accumulated in double and rounded once.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"
#include "onnx/window.hpp"

namespace bitloom::op {
namespace {

/// An input and output plane of one channel under a window.
struct Planes {
  Window window;
  int in_height, in_width, out_height, out_width;
  Dims out_dims;  ///< with a place for the channels at index 1

  std::size_t in_size() const { return static_cast<std::size_t>(in_height) * static_cast<std::size_t>(in_width); }
  std::size_t out_size() const { return static_cast<std::size_t>(out_height) * static_cast<std::size_t>(out_width); }
};

Planes planes_of(const Node& node, const Dims& dims, const Dims& kernel) {
  Planes planes{read_window(node, dims, kernel), 1, 1, 1, 1, dims};
  if (dims.size() == 4) planes.in_height = static_cast<int>(dims[2]);
  planes.in_width = static_cast<int>(dims.back());
  planes.out_height = planes.window.out_height(planes.in_height);
  planes.out_width = planes.window.out_width(planes.in_width);
  if (dims.size() == 4) planes.out_dims[2] = planes.out_height;
  planes.out_dims.back() = planes.out_width;
  check_size(node, planes.out_dims);
  return planes;
}

/// The outputs o for which o * stride + offset lies in 0 .. in-1.
struct Span {
  int first, last;  ///< last is one past
};
Span valid_span(int in, int out, int stride, int offset) {
  const int first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const int last = in - 1 - offset < 0 ? 0 : std::min(out, (in - 1 - offset) / stride + 1);
  return {first, std::max(first, last)};
}

/// Calls visit(output index, input index) for every output position whose kernel tap (r, s) lies inside the map.
template <class F>
void for_tap(const Planes& p, int r, int s, F visit) {
  const Window& w = p.window;
  const int y0 = r * w.dilation_height - w.pad_top;
  const int x0 = s * w.dilation_width - w.pad_left;
  const Span ys = valid_span(p.in_height, p.out_height, w.stride_height, y0);
  const Span xs = valid_span(p.in_width, p.out_width, w.stride_width, x0);
  for (int y = ys.first; y < ys.last; ++y) {
    const std::ptrdiff_t out_row = static_cast<std::ptrdiff_t>(y) * p.out_width;
    const std::ptrdiff_t in_row = static_cast<std::ptrdiff_t>(y * w.stride_height + y0) * p.in_width + x0;
    for (int x = xs.first; x < xs.last; ++x)
      visit(static_cast<std::size_t>(out_row + x), static_cast<std::size_t>(in_row + static_cast<std::ptrdiff_t>(x) * w.stride_width));
  }
}

template <class F>
void for_taps(const Planes& p, F visit) {
  for (int r = 0; r < p.window.kernel_height; ++r)
    for (int s = 0; s < p.window.kernel_width; ++s) for_tap(p, r, s, visit);
}

std::size_t dim(const Dims& dims, std::size_t i) { return static_cast<std::size_t>(dims[i]); }

}  // namespace

Sums convolve(const Node& node, const Tensor& x, const Tensor& w) {
  const std::vector<float>& values = x.f();
  const std::vector<float>& weights = w.f();
  const Dims& in_dims = x.shape;
  const Dims& w_dims = w.shape;
  if (w_dims.size() != in_dims.size() || w_dims.size() < 3)
    throw Error(node.name, fmt::format("weights of shape {} do not fit an input of shape {}", dims_text(w_dims), dims_text(in_dims)));
  Planes planes = planes_of(node, in_dims, Dims(w_dims.begin() + 2, w_dims.end()));
  const std::int64_t groups = node.int_attribute("group", 1);
  if (groups < 1 || w_dims[0] % groups != 0 || w_dims[1] * groups != in_dims[1])
    throw Error(node.name,
                fmt::format("weights of shape {} in {} groups do not fit {} input channels", dims_text(w_dims), groups, in_dims[1]));
  const std::size_t channels = dim(w_dims, 1), outputs = dim(w_dims, 0), outputs_per_group = outputs / static_cast<std::size_t>(groups);
  const std::size_t taps = static_cast<std::size_t>(planes.window.kernel_height) * static_cast<std::size_t>(planes.window.kernel_width);
  planes.out_dims[1] = w_dims[0];
  check_size(node, planes.out_dims);
  Sums out{planes.out_dims, std::vector<double>(static_cast<std::size_t>(element_count(planes.out_dims)))};
  for (std::size_t n = 0; n < dim(in_dims, 0); ++n) {
    for (std::size_t k = 0; k < outputs; ++k) {
      double* sums = out.values.data() + (n * outputs + k) * planes.out_size();
      for (std::size_t c = 0; c < channels; ++c) {
        const float* plane = values.data() + (n * dim(in_dims, 1) + k / outputs_per_group * channels + c) * planes.in_size();
        const float* kernel = weights.data() + (k * channels + c) * taps;
        for (int r = 0; r < planes.window.kernel_height; ++r)
          for (int s = 0; s < planes.window.kernel_width; ++s) {
            const double weight = *kernel++;
            for_tap(planes, r, s, [&](std::size_t o, std::size_t i) { sums[o] += weight * static_cast<double>(plane[i]); });
          }
      }
    }
  }
  return out;
}

std::vector<Tensor> conv(const Arguments& arguments) {
  const Node& node = arguments.node;
  float_input(arguments, 0);
  float_input(arguments, 1);
  const Sums sums = convolve(node, arguments.at(0), arguments.at(1));
  std::vector<float> out(sums.values.begin(), sums.values.end());
  if (arguments.has(2)) {
    const std::vector<float>& bias = float_input(arguments, 2);
    const std::size_t outputs = dim(sums.shape, 1), inner = out.size() / std::max<std::size_t>(dim(sums.shape, 0) * outputs, 1);
    if (bias.size() != outputs) throw Error(node.name, fmt::format("{} bias values for {} output channels", bias.size(), outputs));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += bias[i / inner % outputs];
  }
  return {Tensor::floats(sums.shape, std::move(out))};
}

/// The maximum of the values inside the map; padding never wins.
std::vector<Tensor> max_pool(const Arguments& arguments) {
  const Node& node = arguments.node;
  if (node.outputs.size() > 1) throw Error(node.name, "the index output of MaxPool is not supported");
  const Tensor& x = arguments.at(0);
  const Planes planes = planes_of(node, x.shape, {});
  const std::size_t count = dim(x.shape, 0) * dim(x.shape, 1);
  return {std::visit(
      [&](const auto& values) {
        using T = typename std::decay_t<decltype(values)>::value_type;
        const T lowest = std::is_same_v<T, float> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
        std::vector<T> out(count * planes.out_size(), lowest);
        for (std::size_t c = 0; c < count; ++c)
          for_taps(planes, [&](std::size_t o, std::size_t i) {
            T& best = out[c * planes.out_size() + o];
            best = std::max(best, values[c * planes.in_size() + i]);
          });
        return Tensor{planes.out_dims, std::move(out)};
      },
      x.data)};
}

/// The sum divided by the number of values inside the map, or by the kernel's size with count_include_pad.
std::vector<Tensor> average_pool(const Arguments& arguments) {
  const Node& node = arguments.node;
  const std::vector<float>& x = float_input(arguments, 0);
  const Dims& dims = arguments.at(0).shape;
  const Planes planes = planes_of(node, dims, {});
  const bool all = node.int_attribute("count_include_pad", 0) != 0;
  if (all && node.int_attribute("ceil_mode", 0) != 0)
    throw Error(node.name,
                "AveragePool with both ceil_mode and count_include_pad is not supported: its definition differs between versions");
  const std::size_t count = dim(dims, 0) * dim(dims, 1);
  std::vector<double> divisor(planes.out_size(), all ? planes.window.kernel_height * planes.window.kernel_width : 0);
  if (!all) for_taps(planes, [&](std::size_t o, std::size_t) { divisor[o] += 1; });
  std::vector<float> out(count * planes.out_size());
  std::vector<double> sums(planes.out_size());
  for (std::size_t c = 0; c < count; ++c) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for_taps(planes, [&](std::size_t o, std::size_t i) { sums[o] += static_cast<double>(x[c * planes.in_size() + i]); });
    for (std::size_t o = 0; o < sums.size(); ++o) out[c * planes.out_size() + o] = static_cast<float>(sums[o] / divisor[o]);
  }
  return {Tensor::floats(planes.out_dims, std::move(out))};
}

std::vector<Tensor> global_max_pool(const Arguments& arguments) {
  const std::vector<float>& x = float_input(arguments, 0);
  Dims dims = arguments.at(0).shape;
  if (dims.size() < 2 || x.empty()) throw Error(arguments.node.name, fmt::format("GlobalMaxPool of shape {}", dims_text(dims)));
  const std::size_t count = dim(dims, 0) * dim(dims, 1);
  const auto inner = static_cast<std::ptrdiff_t>(x.size() / count);
  std::vector<float> out;
  for (auto first = x.begin(); first != x.end(); first += inner) out.push_back(*std::max_element(first, first + inner));
  std::fill(dims.begin() + 2, dims.end(), 1);
  return {Tensor::floats(dims, std::move(out))};
}

std::vector<Tensor> global_average_pool(const Arguments& arguments) {
  const std::vector<float>& x = float_input(arguments, 0);
  Dims dims = arguments.at(0).shape;
  if (dims.size() < 2) throw Error(arguments.node.name, fmt::format("GlobalAveragePool of shape {}", dims_text(dims)));
  const std::size_t count = dim(dims, 0) * dim(dims, 1);
  const std::size_t inner = count == 0 ? 0 : x.size() / count;
  std::vector<float> out(count);
  for (std::size_t c = 0; c < count; ++c) {
    double sum = 0;
    for (std::size_t i = 0; i < inner; ++i) sum += static_cast<double>(x[c * inner + i]);
    out[c] = static_cast<float>(sum / static_cast<double>(inner));
  }
  std::fill(dims.begin() + 2, dims.end(), 1);
  return {Tensor::floats(dims, std::move(out))};
}

}  // namespace bitloom::op
