// What a convolution's output error depends on beside its kernels: mean and covariance of the input windows that it sees.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <random>

#include "core/graph.hpp"
#include "core/network.hpp"

namespace bitloom {

/// Over windows flattened as [channel][kernel row][kernel column]; padded positions are zeros.
struct Moments {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
};

/// Sums up windows of a convolution's input, image after image.
class MomentSums {
 public:
  /// `values`: channels * kernel height * kernel width.
  explicit MomentSums(Eigen::Index values);
  /// Takes `count` windows drawn by `random` (all of them where there are no more) of an input [N, C, H, W].
  void add(const Tensor& input, const Window& window, std::int64_t count, std::mt19937& random);
  /// Throws Error when no window was added.
  Moments moments() const;

 private:
  Eigen::VectorXd sum_;
  Eigen::MatrixXd products_;  ///< lower triangle
  std::int64_t count_ = 0;
};

}  // namespace bitloom
