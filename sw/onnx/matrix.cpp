// Matrix products. Floats are accumulated in double and rounded once (ONNX fixes no order of summation); integers exactly.
#include <fmt/format.h>

#include "onnx/broadcast.hpp"
#include "onnx/operator_list.hpp"

namespace bitloom::op {
namespace {

struct Matrix {
  std::size_t rows, columns;
};

template <class T>
struct Accumulator {
  using Type = double;
};
template <>
struct Accumulator<std::int64_t> {
  using Type = std::int64_t;
};

/// out[m][n] = sum over k of a[m][k] * b[k][n]; the inner loop runs along a row of b.
template <class T>
void multiply(const T* a, const T* b, T* out, std::size_t rows, std::size_t inner, std::size_t columns) {
  using Sum = typename Accumulator<T>::Type;
  std::vector<Sum> sums(columns);
  for (std::size_t m = 0; m < rows; ++m) {
    sums.assign(columns, Sum{0});
    for (std::size_t k = 0; k < inner; ++k) {
      const Sum left = a[m * inner + k];
      const T* row = b + k * columns;
      for (std::size_t n = 0; n < columns; ++n) sums[n] += left * row[n];
    }
    for (std::size_t n = 0; n < columns; ++n) out[m * columns + n] = static_cast<T>(sums[n]);
  }
}

template <class T>
std::vector<T> transposed(const std::vector<T>& values, Matrix matrix) {
  std::vector<T> out(values.size());
  for (std::size_t r = 0; r < matrix.rows; ++r)
    for (std::size_t c = 0; c < matrix.columns; ++c) out[c * matrix.rows + r] = values[r * matrix.columns + c];
  return out;
}

Matrix matrix_shape(const Node& node, const Tensor& tensor) {
  if (tensor.shape.size() != 2) throw Error(node.name, fmt::format("a matrix expected, shape {} found", dims_text(tensor.shape)));
  return {static_cast<std::size_t>(tensor.shape[0]), static_cast<std::size_t>(tensor.shape[1])};
}

template <class T>
Tensor batched_product(const Node& node, Tensor a, Tensor b) {
  // A vector is a row on the left and a column on the right; the added dimension disappears again.
  const bool row = a.shape.size() == 1;
  const bool column = b.shape.size() == 1;
  if (row) a.shape.insert(a.shape.begin(), 1);
  if (column) b.shape.push_back(1);
  if (a.shape.size() < 2 || b.shape.size() < 2) throw Error(node.name, "MatMul of a scalar");
  const std::int64_t rows = a.shape[a.shape.size() - 2], inner = a.shape.back(), columns = b.shape.back();
  if (b.shape[b.shape.size() - 2] != inner)
    throw Error(node.name, fmt::format("matrices of shape {} and {} cannot be multiplied", dims_text(a.shape), dims_text(b.shape)));
  const Dims batch_a(a.shape.begin(), a.shape.end() - 2);
  const Dims batch_b(b.shape.begin(), b.shape.end() - 2);
  const Dims batch = broadcast_dims(node, batch_a, batch_b);
  const auto from_a = broadcast_indices(node, batch_a, batch);
  const auto from_b = broadcast_indices(node, batch_b, batch);
  Dims whole = batch;
  whole.insert(whole.end(), {rows, columns});
  check_size(node, whole);
  std::vector<T> out(static_cast<std::size_t>(element_count(whole)));
  for (std::size_t i = 0; i < from_a.size(); ++i)
    multiply(std::get<std::vector<T>>(a.data).data() + from_a[i] * rows * inner,
             std::get<std::vector<T>>(b.data).data() + from_b[i] * inner * columns,
             out.data() + static_cast<std::int64_t>(i) * rows * columns, static_cast<std::size_t>(rows), static_cast<std::size_t>(inner),
             static_cast<std::size_t>(columns));
  Dims dims = batch;
  if (!row) dims.push_back(rows);
  if (!column) dims.push_back(columns);
  return {dims, std::move(out)};
}

}  // namespace

std::vector<Tensor> matmul(const Arguments& arguments) {
  const Tensor& a = arguments.at(0);
  const Tensor& b = arguments.at(1);
  if (a.is_float() != b.is_float()) throw Error(arguments.node.name, "this MatMul mixes floats and integers");
  return {a.is_float() ? batched_product<float>(arguments.node, a, b) : batched_product<std::int64_t>(arguments.node, a, b)};
}

/// alpha * A * B + beta * C. The product is rounded to float, then scaled, then C is added.
std::vector<Tensor> gemm(const Arguments& arguments) {
  const Node& node = arguments.node;
  float_input(arguments, 0);
  float_input(arguments, 1);
  Matrix a = matrix_shape(node, arguments.at(0));
  Matrix b = matrix_shape(node, arguments.at(1));
  std::vector<float> left, right;
  if (node.int_attribute("transA", 0) != 0) {
    left = transposed(arguments.at(0).f(), a);
    std::swap(a.rows, a.columns);
  }
  if (node.int_attribute("transB", 0) != 0) {
    right = transposed(arguments.at(1).f(), b);
    std::swap(b.rows, b.columns);
  }
  if (a.columns != b.rows)
    throw Error(node.name, fmt::format("a {}x{} matrix cannot be multiplied with a {}x{} one", a.rows, a.columns, b.rows, b.columns));
  const float alpha = node.float_attribute("alpha", 1.0F);
  const float beta = node.float_attribute("beta", 1.0F);
  const Dims dims{static_cast<std::int64_t>(a.rows), static_cast<std::int64_t>(b.columns)};
  check_size(node, dims);
  std::vector<float> out(a.rows * b.columns);
  multiply(left.empty() ? arguments.at(0).f().data() : left.data(), right.empty() ? arguments.at(1).f().data() : right.data(), out.data(),
           a.rows, a.columns, b.columns);
  if (alpha != 1.0F)
    for (float& value : out) value = alpha * value;
  if (arguments.has(2)) {
    float_input(arguments, 2);
    if (broadcast_dims(node, dims, arguments.at(2).shape) != dims)
      throw Error(node.name,
                  fmt::format("C of shape {} does not fit a result of shape {}", dims_text(arguments.at(2).shape), dims_text(dims)));
    const Spread<float> c(node, arguments.at(2), dims);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += beta * c[i];
  }
  return {Tensor::floats(dims, std::move(out))};
}

}  // namespace bitloom::op
