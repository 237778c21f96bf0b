// One run of the alternation that factorize.hpp describes: its state and its steps.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "decompose/factorize.hpp"

namespace bitloom {

/// Outputs are divided by their spread, so that all weigh the same. The objective is the sum over outputs k of 1 - 2 a_k t_k'f_k +
/// a_k^2 t_k'H t_k, with H = P'GP and f_k = P' wanted_k, P the basis on every input channel, t_k the coefficients, a_k scale over spread.
class Descent {
 public:
  /// `basis`: [M][taps], none zero. Without `per_channel` all scales are 1, and the basis has the layer's.
  Descent(const KernelProblem& problem, Eigen::MatrixXd basis, double density, bool per_channel);

  /// Alternates until the objective falls by less than one in 10,000, `iterations` times at most.
  void run(int iterations);
  /// Puts the basis on a grid of -127 .. 127 and all scales on 8 significant bits, and fits the coefficients to that.
  Factors finish();

 private:
  double objective() const;
  void set_basis(Eigen::MatrixXd basis);
  /// From the real coefficients that fit best: the largest keep their signs.
  void start();
  /// Takes every coefficient that is worth `price` or more, at the others' present values; returns how many there are then.
  std::int64_t descend(double price);
  /// Descends at the lowest price that keeps within the density.
  void fit_coefficients();
  void fit_scales();
  void fit_basis();

  const KernelProblem& problem_;
  const bool per_channel_;
  const Eigen::Index inputs_, taps_, count_;  ///< C, R*S, M
  std::int64_t most_;                         ///< coefficients other than zero that the density allows
  double price_ = 0;
  Eigen::MatrixXd basis_;         ///< [M][taps]
  Eigen::MatrixXd gram_;          ///< H: [C * M][C * M]
  Eigen::MatrixXd matched_;       ///< f: [C * M][K]
  Eigen::MatrixXd coefficients_;  ///< t: [C * M][K]
  Eigen::MatrixXd reached_;       ///< H t: [C * M][K]
  Eigen::VectorXd scale_;         ///< a: [K]; 0 for outputs that do not vary
};

}  // namespace bitloom
