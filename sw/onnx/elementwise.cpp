// Elementwise operators of standard ONNX, with numpy broadcasting.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::op {
namespace {

template <class F>
std::vector<Tensor> unary(const Arguments& arguments, F function) {
  Tensor out = arguments.at(0);
  std::visit(
      [&](auto& values) {
        for (auto& value : values) value = function(value);
      },
      out.data);
  return {std::move(out)};
}

template <class F>
std::vector<Tensor> unary_float(const Arguments& arguments, F function) {
  std::vector<float> values = float_input(arguments, 0);
  for (float& value : values) value = function(value);
  return {Tensor::floats(arguments.at(0).shape, std::move(values))};
}

template <class T, class F>
Tensor combine(const Node& node, const Tensor& a, const Tensor& b, F function) {
  const Dims dims = broadcast_dims(node, a.shape, b.shape);
  const Spread<T> left(node, a, dims);
  const Spread<T> right(node, b, dims);
  std::vector<T> out(static_cast<std::size_t>(element_count(dims)));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = function(left[i], right[i]);
  return {dims, std::move(out)};
}

template <class F>
Tensor combine_any(const Node& node, const Tensor& a, const Tensor& b, F function) {
  if (a.is_float() != b.is_float()) throw Error(node.name, fmt::format("this {} mixes floats and integers", node.op));
  return a.is_float() ? combine<float>(node, a, b, function) : combine<std::int64_t>(node, a, b, function);
}

template <class F>
std::vector<Tensor> binary(const Arguments& arguments, F function) {
  return {combine_any(arguments.node, arguments.at(0), arguments.at(1), function)};
}

template <class F>
std::vector<Tensor> variadic(const Arguments& arguments, F function) {
  Tensor out = arguments.at(0);
  for (std::size_t i = 1; i < arguments.inputs.size(); ++i) out = combine_any(arguments.node, out, arguments.at(i), function);
  return {std::move(out)};
}

/// Integer arithmetic wraps, as ONNX's runtimes do; done in unsigned so that it is defined.
struct Plus {
  float operator()(float a, float b) const { return a + b; }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
};
struct Minus {
  float operator()(float a, float b) const { return a - b; }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
  }
};
struct Times {
  float operator()(float a, float b) const { return a * b; }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  }
};
struct Divided {
  const Node& node;
  float operator()(float a, float b) const { return a / b; }
  std::int64_t operator()(std::int64_t a, std::int64_t b) const {
    if (b == 0) throw Error(node.name, "division of an integer by zero");
    return b == -1 ? Minus{}(std::int64_t{0}, a) : a / b;
  }
};
struct Smaller {
  template <class T>
  T operator()(T a, T b) const {
    return a != a || a < b ? a : b;  // a NaN wins, as in numpy
  }
};
struct Larger {
  template <class T>
  T operator()(T a, T b) const {
    return a != a || a > b ? a : b;
  }
};

}  // namespace

std::vector<Tensor> add(const Arguments& arguments) { return binary(arguments, Plus{}); }
std::vector<Tensor> sub(const Arguments& arguments) { return binary(arguments, Minus{}); }
std::vector<Tensor> mul(const Arguments& arguments) { return binary(arguments, Times{}); }
std::vector<Tensor> div(const Arguments& arguments) { return binary(arguments, Divided{arguments.node}); }

/// Of unsigned integers, in the width of their type.
std::vector<Tensor> bit_shift(const Arguments& arguments) {
  const Node& node = arguments.node;
  const std::string direction = node.string_attribute("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") throw Error(node.name, fmt::format("direction '{}'; LEFT or RIGHT expected", direction));
  const auto& x = arguments.at(0);
  if (x.is_float() || arguments.at(1).is_float()) throw Error(node.name, "BitShift of floats; integers are expected");
  const int bits = x.type == ElementType::Uint8 ? 8 : x.type == ElementType::Uint16 ? 16 : x.type == ElementType::Uint32 ? 32 : 64;
  Tensor out = combine<std::int64_t>(node, x, arguments.at(1), [&](std::int64_t a, std::int64_t b) -> std::int64_t {
    if (b < 0) throw Error(node.name, fmt::format("a shift by {}", b));
    if (b >= bits) return 0;
    const std::uint64_t value = static_cast<std::uint64_t>(a), mask = ~std::uint64_t{0} >> (64 - bits);
    return static_cast<std::int64_t>((direction == "LEFT" ? value << b : value >> b) & mask);
  });
  out.type = x.type;
  return {std::move(out)};
}

std::vector<Tensor> min(const Arguments& arguments) { return variadic(arguments, Smaller{}); }
std::vector<Tensor> max(const Arguments& arguments) { return variadic(arguments, Larger{}); }

std::vector<Tensor> abs(const Arguments& arguments) {
  return unary(arguments, [](auto value) { return value < 0 ? decltype(value)(-value) : decltype(value)(value + 0); });
}

std::vector<Tensor> neg(const Arguments& arguments) {
  return unary(arguments, [](auto value) {
    if constexpr (std::is_same_v<decltype(value), float>)
      return -value;
    else
      return Minus{}(std::int64_t{0}, value);
  });
}

std::vector<Tensor> relu(const Arguments& arguments) {
  return unary(arguments, [](auto value) { return value < 0 ? decltype(value)(0) : value; });
}

std::vector<Tensor> sign(const Arguments& arguments) {
  return unary(arguments, [](auto value) { return decltype(value)(value > 0 ? 1 : value < 0 ? -1 : 0); });
}

std::vector<Tensor> leaky_relu(const Arguments& arguments) {
  const float alpha = arguments.node.float_attribute("alpha", 0.01F);
  return unary_float(arguments, [alpha](float value) { return value < 0 ? alpha * value : value; });
}

std::vector<Tensor> floor(const Arguments& arguments) {
  return unary_float(arguments, [](float value) { return std::floor(value); });
}
std::vector<Tensor> ceil(const Arguments& arguments) {
  return unary_float(arguments, [](float value) { return std::ceil(value); });
}
std::vector<Tensor> sqrt(const Arguments& arguments) {
  return unary_float(arguments, [](float value) { return std::sqrt(value); });
}
/// Halves go to the even neighbour.
std::vector<Tensor> round(const Arguments& arguments) {
  return unary_float(arguments, [](float value) { return std::nearbyint(value); });
}

std::vector<Tensor> identity(const Arguments& arguments) {
  if (arguments.node.op == "Dropout" && arguments.has(2) && single_integer(arguments, 2) != 0)
    throw Error(arguments.node.name, "a Dropout in training mode cannot be executed; export the model for inference");
  std::vector<Tensor> out{arguments.at(0)};
  // Dropout's optional mask: everything is kept.
  if (arguments.node.outputs.size() > 1)
    out.push_back(Tensor::ints(out[0].shape, std::vector<std::int64_t>(static_cast<std::size_t>(out[0].size()), 1)));
  return out;
}

/// The exponent may have another type than the base; the result has the base's.
std::vector<Tensor> pow(const Arguments& arguments) {
  const Node& node = arguments.node;
  const auto as_float = [](const Tensor& tensor) {
    return tensor.is_float() ? tensor : Tensor::floats(tensor.shape, std::vector<float>(tensor.i().begin(), tensor.i().end()));
  };
  if (arguments.at(0).is_float())
    return {combine<float>(node, arguments.at(0), as_float(arguments.at(1)), [](float a, float b) { return std::pow(a, b); })};
  if (arguments.at(1).is_float()) throw Error(node.name, "an integer raised to a float is not supported");
  return {combine<std::int64_t>(node, arguments.at(0), arguments.at(1), [&](std::int64_t base, std::int64_t exponent) {
    if (exponent < 0 || exponent > 64) throw Error(node.name, fmt::format("the integer exponent {} is outside 0 .. 64", exponent));
    std::int64_t power = 1;
    for (std::int64_t i = 0; i < exponent; ++i) power = Times{}(power, base);
    return power;
  })};
}

/// min(max(x, low), high), so that `high` wins when the bounds are crossed. The bounds are attributes before operator set 11.
std::vector<Tensor> clip(const Arguments& arguments) {
  const Node& node = arguments.node;
  Tensor out = arguments.at(0);
  if (arguments.opset < 11) {
    const Tensor low = Tensor::floats({}, {node.float_attribute("min", std::numeric_limits<float>::lowest())});
    const Tensor high = Tensor::floats({}, {node.float_attribute("max", std::numeric_limits<float>::max())});
    return {combine_any(node, combine_any(node, out, low, Larger{}), high, Smaller{})};
  }
  if (arguments.has(1)) out = combine_any(node, out, arguments.at(1), Larger{});
  if (arguments.has(2)) out = combine_any(node, out, arguments.at(2), Smaller{});
  return {std::move(out)};
}

}  // namespace bitloom::op
