#include "decompose/factorize.hpp"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <random>

#include "core/error.hpp"
#include "decompose/descent.hpp"

namespace bitloom {
namespace {

constexpr double kRidge = 1e-6;          // over the mean variance of an input
constexpr double kWorthAScale = 0.98;    // of the error with one scale for the layer
constexpr int kCodebookRounds = 10;

/// The kernels of all outputs and inputs as rows, each as large as what it does to the output's share of the error.
Eigen::MatrixXd weighed_kernels(const KernelProblem& problem) {
  Eigen::MatrixXd rows = Eigen::MatrixXd::Zero(Eigen::Index{problem.outputs} * problem.inputs, problem.taps);
  for (Eigen::Index c = 0; c < problem.inputs; ++c) {
    const double power = std::sqrt(problem.covariance.diagonal().segment(c * problem.taps, problem.taps).mean());
    for (Eigen::Index k = 0; k < problem.outputs; ++k)
      if (problem.spread[k] > 0)
        rows.row(k * problem.inputs + c) = problem.kernels.row(k).segment(c * problem.taps, problem.taps) * (power / problem.spread[k]);
  }
  return rows;
}

/// The first right singular vectors, without centring: the kernels' mean is one of their directions, not an extra kernel.
Eigen::MatrixXd singular_basis(const Eigen::MatrixXd& rows, int count) {
  const Eigen::MatrixXd gram = rows.transpose() * rows;  // its eigenvectors, by ascending eigenvalue
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram).eigenvectors().rightCols(count).rowwise().reverse().transpose();
}

/// Kernels that stand for all others up to sign and size, as in spherical k-means: what a basis looks like when few kernels take more than
/// one coefficient. Begins with rows far from those chosen.
Eigen::MatrixXd codebook_basis(const Eigen::MatrixXd& rows, int count, std::mt19937& random) {
  Eigen::MatrixXd basis = Eigen::MatrixXd::Zero(count, rows.cols());
  for (Eigen::Index m = 0; m < count; ++m) {
    const Eigen::VectorXd likeness =
        m == 0 ? Eigen::VectorXd(Eigen::VectorXd::Zero(rows.rows())) : Eigen::VectorXd((rows * basis.topRows(m).transpose()).cwiseAbs2().rowwise().maxCoeff());
    const Eigen::VectorXd left = (rows.rowwise().squaredNorm() - likeness).cwiseMax(0);
    double draw = static_cast<double>(random()) / 4294967296.0 * left.sum();
    Eigen::Index row = 0;
    while (row + 1 < left.size() && draw >= left[row]) draw -= left[row++];
    basis.row(m) = rows.row(row).norm() > 0 ? Eigen::RowVectorXd(rows.row(row).normalized()) : Eigen::RowVectorXd::Unit(rows.cols(), m);
  }
  for (int round = 0; round < kCodebookRounds; ++round) {
    const Eigen::MatrixXd products = rows * basis.transpose();
    Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(count, rows.cols());
    for (Eigen::Index i = 0; i < rows.rows(); ++i) {
      Eigen::Index nearest = 0;
      products.row(i).cwiseAbs().maxCoeff(&nearest);
      sums.row(nearest) += products(i, nearest) * rows.row(i);
    }
    for (Eigen::Index m = 0; m < count; ++m)
      if (sums.row(m).norm() > 0) basis.row(m) = sums.row(m).normalized();
  }
  return basis;
}

void check(const KernelProblem& problem, const FactorOptions& options) {
  if (options.basis_count < 1 || options.basis_count > problem.taps)
    throw Error("basis", fmt::format("{} basis kernels asked for; 1 to {}, the kernel's size, expected", options.basis_count, problem.taps));
  if (!(options.density > 0 && options.density <= 1))
    throw Error("density", fmt::format("{} given; a share from above 0 to 1 expected", options.density));
  if (options.starts < 1 || options.iterations < 1) throw Error("starts", "at least one start and one iteration expected");
}

}  // namespace

KernelProblem::KernelProblem(Eigen::MatrixXd the_kernels, const Moments& moments, int the_taps)
    : outputs(static_cast<int>(the_kernels.rows())), inputs(0), taps(the_taps), kernels(std::move(the_kernels)), mean(moments.mean) {
  if (taps < 1 || kernels.rows() < 1 || kernels.cols() < 1 || kernels.cols() % taps != 0 || moments.covariance.rows() != kernels.cols() ||
      moments.covariance.cols() != kernels.cols() || mean.size() != kernels.cols())
    throw Error("kernels", fmt::format("{} x {} kernels of {} taps do not fit moments of {} values", kernels.rows(), kernels.cols(), taps,
                                       moments.covariance.rows()));
  inputs = static_cast<int>(kernels.cols() / taps);
  covariance = moments.covariance;
  covariance.diagonal().array() += std::max(kRidge * covariance.diagonal().mean(), 1e-12);
  wanted = covariance * kernels.transpose();
  spread.resize(outputs);
  for (Eigen::Index k = 0; k < outputs; ++k) {
    const double variance = kernels.row(k).dot(wanted.col(k));
    spread[k] = variance > 0 ? std::sqrt(variance) : 0.0;
    if (spread[k] > 0)
      wanted.col(k) /= spread[k];
    else
      wanted.col(k).setZero();
  }
}

double KernelProblem::error(const Eigen::MatrixXd& approximation) const {
  double sum = 0;
  int varying = 0;
  for (Eigen::Index k = 0; k < outputs; ++k) {
    if (spread[k] <= 0) continue;
    const Eigen::VectorXd difference = (kernels.row(k) - approximation.row(k)).transpose() / spread[k];
    sum += difference.dot(covariance * difference);
    ++varying;
  }
  return varying > 0 ? std::sqrt(std::max(0.0, sum / varying)) : 0.0;
}

std::int64_t Factors::nonzeros() const { return std::count_if(coefficients.begin(), coefficients.end(), [](int t) { return t != 0; }); }

Eigen::MatrixXd Factors::kernels() const {
  Eigen::MatrixXd out = Eigen::MatrixXd::Zero(outputs, Eigen::Index{inputs} * taps);
  std::size_t at = 0;
  for (Eigen::Index k = 0; k < outputs; ++k)
    for (Eigen::Index c = 0; c < inputs; ++c)
      for (Eigen::Index m = 0; m < basis_count; ++m, ++at)
        for (Eigen::Index t = 0; coefficients[at] != 0 && t < taps; ++t)
          out(k, c * taps + t) += coefficients[at] * basis[static_cast<std::size_t>(m * taps + t)] * basis_scale *
                                  scale[scale.size() == 1 ? 0 : static_cast<std::size_t>(k)];
  return out;
}

Factors factorize(const KernelProblem& problem, const FactorOptions& options) {
  check(problem, options);
  const Eigen::MatrixXd rows = weighed_kernels(problem);
  std::mt19937 random(options.seed);
  const auto better = [](const Factors& a, const Factors& b, double factor) { return b.coefficients.empty() || a.error < factor * b.error; };
  Factors layer, channel;
  for (int start = 0; start < options.starts; ++start) {
    const Eigen::MatrixXd basis =
        start == 0 ? singular_basis(rows, options.basis_count) : codebook_basis(rows, options.basis_count, random);
    for (const bool per_channel : {false, true}) {
      if (options.scales == (per_channel ? ScaleRule::Layer : ScaleRule::Channel)) continue;
      Descent descent(problem, basis, options.density, per_channel);
      descent.run(options.iterations);
      Factors found = descent.finish();
      Factors& best = per_channel ? channel : layer;
      if (better(found, best, 1)) best = std::move(found);
    }
  }
  if (layer.coefficients.empty()) return channel;
  return !channel.coefficients.empty() && better(channel, layer, kWorthAScale) ? channel : layer;
}

}  // namespace bitloom
