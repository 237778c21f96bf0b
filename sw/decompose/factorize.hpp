// A convolution's kernels as a few shared basis kernels and sparse ternary coefficients: kernel[k][c] ~ scale[k] * sum_m T[k][c][m] * B[m],
// T in {-1, 0, 1}, B integers of 8 bits. Chosen for the error of the outputs on calibration data, not for that of the kernels.
//
// With the covariance G of the input windows, an output's error is d' G d for d = kernel - approximation (the mean of the error is taken by
// the bias). Basis given coefficients is linear least squares; coefficients given the basis are a quadratic over {-1, 0, 1}, descended one
// coefficient at a time with a price on every one that is not zero; the price is what sets the density. Both are alternated. The form is
// ESCALATE's (Li et al., MICRO 2021), which starts from principal components and retrains.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "decompose/moments.hpp"

namespace bitloom {

/// A layer to be decomposed. Channels c and taps t (kernel rows times columns) are flattened as c * taps + t.
struct KernelProblem {
  /// `kernels`: [K][C * taps]. Throws Error when sizes do not fit.
  KernelProblem(Eigen::MatrixXd kernels, const Moments& moments, int taps);
  /// Root mean square, over the outputs that vary, of each output's error over its own standard deviation, for kernels in place of these.
  double error(const Eigen::MatrixXd& approximation) const;

  int outputs, inputs, taps;   ///< K, C, R*S
  Eigen::MatrixXd kernels;     ///< [K][C * taps]
  Eigen::VectorXd mean;        ///< [C * taps]
  Eigen::MatrixXd covariance;  ///< [C * taps][C * taps], with a small ridge, so that directions not seen are not free
  Eigen::VectorXd spread;      ///< [K] standard deviation of the outputs; 0 for one that does not vary
  Eigen::MatrixXd wanted;      ///< [C * taps][K]: covariance times kernel over spread; 0 for one that does not vary
};

struct Factors {
  int outputs = 0, inputs = 0, basis_count = 0, taps = 0;  ///< K, C, M, R*S
  std::vector<std::int8_t> coefficients;                   ///< [K][C][M], -1, 0 or 1
  std::vector<std::int8_t> basis;                          ///< [M][R*S], -127 to 127
  double basis_scale = 1;                                  ///< what a basis integer is worth
  std::vector<double> scale;                               ///< one, or one for each output
  std::vector<double> bias;                                ///< [K]: the mean of the outputs' error, to be added
  double error = 0;                                        ///< KernelProblem::error of kernels()

  std::int64_t nonzeros() const;
  double density() const { return static_cast<double>(nonzeros()) / static_cast<double>(coefficients.size()); }
  /// [K][C * taps] that the factors stand for, without bias.
  Eigen::MatrixXd kernels() const;
};

enum class ScaleRule { Layer, Channel, Auto };  ///< Auto: one for each output where that takes 2 % off the error, else one for the layer

struct FactorOptions {
  int basis_count = 4;   ///< M, 1 to taps
  double density = 0.1;  ///< share of the coefficients that may be other than zero at most, above 0 to 1
  ScaleRule scales = ScaleRule::Auto;
  std::uint32_t seed = 1;
  int starts = 3;       ///< the singular vectors, then codebooks of the kernels; the best end is taken
  int iterations = 20;  ///< most alternations from each start
};

/// The same for the same seed. Scales have 8 significant bits, so that products are exact in float32. Throws Error when an option is out of
/// its range.
Factors factorize(const KernelProblem& problem, const FactorOptions& options);

}  // namespace bitloom
