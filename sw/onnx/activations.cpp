// Functions that end a classifier. They keep the order of the scores, so that hardware can leave them to the host.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::op {
namespace {

/// Calls normalize(first, count, step) for every line of values that is normalized together. Before operator set 13 all axes from `axis`
/// on form one line.
template <class F>
Tensor along_lines(const Arguments& arguments, F normalize) {
  Tensor out = Tensor::floats(arguments.at(0).shape, float_input(arguments, 0));
  const Dims& dims = out.shape;
  const bool flat = arguments.opset < 13;
  const std::size_t axis = resolve_axis(arguments.node, arguments.node.int_attribute("axis", flat ? 1 : -1), dims.size());
  const std::int64_t inner = flat ? 1 : strides_of(dims)[axis];
  const std::int64_t count = flat ? element_count(Dims(dims.begin() + static_cast<std::ptrdiff_t>(axis), dims.end())) : dims[axis];
  if (out.size() == 0 || count == 0) return out;
  for (std::int64_t line = 0; line < out.size() / count; ++line)
    normalize(out.f().data() + line / inner * inner * count + line % inner, count, inner);
  return out;
}

/// The largest value and the sum of exp(value - largest), which cannot overflow.
struct Line {
  double top = 0, sum = 0;
  Line(const float* first, std::int64_t count, std::int64_t step) {
    top = static_cast<double>(*first);
    for (std::int64_t i = 0; i < count; ++i) top = std::max(top, static_cast<double>(first[i * step]));
    for (std::int64_t i = 0; i < count; ++i) sum += std::exp(static_cast<double>(first[i * step]) - top);
  }
};

}  // namespace

std::vector<Tensor> softmax(const Arguments& arguments) {
  return {along_lines(arguments, [](float* first, std::int64_t count, std::int64_t step) {
    const Line line(first, count, step);
    for (std::int64_t i = 0; i < count; ++i)
      first[i * step] = static_cast<float>(std::exp(static_cast<double>(first[i * step]) - line.top) / line.sum);
  })};
}

std::vector<Tensor> log_softmax(const Arguments& arguments) {
  return {along_lines(arguments, [](float* first, std::int64_t count, std::int64_t step) {
    const Line line(first, count, step);
    for (std::int64_t i = 0; i < count; ++i)
      first[i * step] = static_cast<float>(static_cast<double>(first[i * step]) - line.top - std::log(line.sum));
  })};
}

std::vector<Tensor> sigmoid(const Arguments& arguments) {
  std::vector<float> values = float_input(arguments, 0);
  for (float& value : values) value = 1.0F / (1.0F + std::exp(-value));
  return {Tensor::floats(arguments.at(0).shape, std::move(values))};
}

}  // namespace bitloom::op
