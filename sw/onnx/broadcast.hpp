// Shapes: numpy broadcasting, axes, strides. Used by the operators.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/graph.hpp"
#include "onnx/operators.hpp"

namespace bitloom {

using Dims = std::vector<std::int64_t>;

/// Values of the largest tensor that an operator makes; more is damage, not a network.
constexpr std::int64_t kMostElements = std::int64_t{1} << 25;

/// Throws Error at the node when a tensor of these dimensions, which it makes, has a negative one or more values than kMostElements.
void check_size(const Node& node, const Dims& dims);

/// "2x3x4", or "scalar".
std::string dims_text(const Dims& dims);
std::int64_t element_count(const Dims& dims);
/// Row-major strides.
Dims strides_of(const Dims& dims);
/// A negative axis counts from the end. Throws Error at the node when it is outside 0 .. rank-1.
std::size_t resolve_axis(const Node& node, std::int64_t axis, std::size_t rank);
/// The shape of an elementwise operation over both. Throws Error at the node when they do not fit.
Dims broadcast_dims(const Node& node, const Dims& a, const Dims& b);
/// For every element of `to`, in order, the element of a tensor of shape `from` that stands there. `from` must be broadcastable to `to`.
std::vector<std::int64_t> broadcast_indices(const Node& node, const Dims& from, const Dims& to);
/// The tensor repeated to fill `to`.
Tensor expand(const Node& node, const Tensor& tensor, const Dims& to);

/// The values of a tensor as if it had been expanded to `to`: no copy when it is a scalar or already has that shape.
template <class T>
class Spread {
 public:
  Spread(const Node& node, const Tensor& tensor, const Dims& to) {
    const auto* found = std::get_if<std::vector<T>>(&tensor.data);
    if (found == nullptr) throw Error(node.name, "this " + node.op + " mixes floats and integers");
    const auto& values = *found;
    if (tensor.shape == to || values.size() == 1) {
      data_ = values.data();
      step_ = values.size() == 1 ? 0 : 1;
    } else {
      own_ = std::get<std::vector<T>>(expand(node, tensor, to).data);
      data_ = own_.data();
    }
  }
  Spread(const Spread&) = delete;
  Spread& operator=(const Spread&) = delete;
  T operator[](std::size_t i) const { return data_[i * step_]; }

 private:
  std::vector<T> own_;
  const T* data_ = nullptr;
  std::size_t step_ = 1;
};

/// Input i as the one integer that it must hold; throws Error at the node otherwise.
std::int64_t single_integer(const Arguments& arguments, std::size_t i);
/// Input i as floats; throws Error at the node when it holds integers.
const std::vector<float>& float_input(const Arguments& arguments, std::size_t i);
/// Input i as integers; throws Error at the node when it holds floats.
const std::vector<std::int64_t>& int_input(const Arguments& arguments, std::size_t i);

}  // namespace bitloom
