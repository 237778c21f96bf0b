#include "decompose/descent.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <vector>

namespace bitloom {
namespace {

constexpr int kSweeps = 6;          // of all coefficients at one price, at most; the later ones change little
constexpr double kStep = 1.3;       // between prices while the right one is searched
constexpr int kBisections = 5;      // between the last two of them
constexpr double kConverged = 1e-4;
constexpr double kLargest = 127;    // of a basis integer
constexpr double kRidge = 1e-9;     // of the basis' normal equations, over their mean diagonal

/// The nearest number of 8 significant bits: its products with integers of 16 bits are exact in float32.
double short_number(double value) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  return std::ldexp(std::round(mantissa * 256), exponent - 8);
}

}  // namespace

Descent::Descent(const KernelProblem& problem, Eigen::MatrixXd basis, double density, bool per_channel)
    : problem_(problem), per_channel_(per_channel), inputs_(problem.inputs), taps_(problem.taps), count_(basis.rows()) {
  const auto all = static_cast<double>(problem.outputs) * static_cast<double>(inputs_ * count_);
  most_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(density * all + 1e-9)));
  coefficients_ = Eigen::MatrixXd::Zero(inputs_ * count_, problem.outputs);
  set_basis(std::move(basis));
  start();
}

void Descent::set_basis(Eigen::MatrixXd basis) {
  basis_ = std::move(basis);
  Eigen::MatrixXd half(inputs_ * taps_, inputs_ * count_);  // G P
  for (Eigen::Index c = 0; c < inputs_; ++c)
    half.middleCols(c * count_, count_).noalias() = problem_.covariance.middleCols(c * taps_, taps_) * basis_.transpose();
  gram_.resize(inputs_ * count_, inputs_ * count_);
  matched_.resize(inputs_ * count_, problem_.outputs);
  for (Eigen::Index c = 0; c < inputs_; ++c) {
    gram_.middleRows(c * count_, count_).noalias() = basis_ * half.middleRows(c * taps_, taps_);
    matched_.middleRows(c * count_, count_).noalias() = basis_ * problem_.wanted.middleRows(c * taps_, taps_);
  }
  reached_.noalias() = gram_ * coefficients_;
}

void Descent::start() {
  const Eigen::MatrixXd real = gram_.ldlt().solve(matched_);
  std::vector<double> sizes(real.data(), real.data() + real.size());
  for (double& size : sizes) size = std::fabs(size);
  const auto place = sizes.begin() + (most_ - 1);
  std::nth_element(sizes.begin(), place, sizes.end(), std::greater<>());
  const double least = std::max(*place, 1e-300);
  coefficients_ = (real.array().abs() >= least).select(real.array().sign(), 0.0);
  scale_ = Eigen::VectorXd::Zero(problem_.outputs);
  double sum = 0;
  for (Eigen::Index k = 0; k < problem_.outputs; ++k) sum += coefficients_.col(k).dot(real.col(k)) * (per_channel_ ? 1.0 : problem_.spread[k]);
  const double typical = sum / std::max(1.0, coefficients_.cwiseAbs().sum());
  for (Eigen::Index k = 0; k < problem_.outputs; ++k) {
    if (problem_.spread[k] <= 0) continue;
    const double kept = coefficients_.col(k).cwiseAbs().sum();
    scale_[k] = !per_channel_ ? 1 / problem_.spread[k] : kept > 0 ? coefficients_.col(k).dot(real.col(k)) / kept : typical;
  }
  set_basis(per_channel_ || typical <= 0 ? basis_ : Eigen::MatrixXd(basis_ * typical));
}

double Descent::objective() const {
  double sum = 0;
  for (Eigen::Index k = 0; k < problem_.outputs; ++k) {
    if (problem_.spread[k] <= 0) continue;
    const double a = scale_[k];
    sum += 1 - 2 * a * coefficients_.col(k).dot(matched_.col(k)) + a * a * coefficients_.col(k).dot(reached_.col(k));
  }
  return sum;
}

std::int64_t Descent::descend(double price) {
  std::int64_t nonzeros = 0;
  for (Eigen::Index k = 0; k < problem_.outputs; ++k) {
    const double a = scale_[k];
    auto t = coefficients_.col(k);
    auto reached = reached_.col(k);
    bool changed = a > 0;
    for (int sweep = 0; changed && sweep < kSweeps; ++sweep) {
      changed = false;
      for (Eigen::Index i = 0; i < t.size(); ++i) {
        const double own = gram_(i, i);
        const double missing = matched_(i, k) - a * (reached[i] - own * t[i]);
        const bool worth = 2 * a * std::fabs(missing) - a * a * own > price;
        const double now = worth ? (missing > 0 ? 1.0 : -1.0) : 0.0;
        if (now == t[i]) continue;
        reached += gram_.col(i) * (now - t[i]);
        t[i] = now;
        changed = true;
      }
    }
    nonzeros += static_cast<std::int64_t>(t.cwiseAbs().sum());
  }
  return nonzeros;
}

void Descent::fit_coefficients() {
  if (price_ <= 0) {  // the price at which so many would be taken one by one
    std::vector<double> worth;
    for (Eigen::Index k = 0; k < problem_.outputs; ++k)
      for (Eigen::Index i = 0; i < gram_.rows(); ++i)
        worth.push_back(2 * scale_[k] * std::fabs(matched_(i, k)) - scale_[k] * scale_[k] * gram_(i, i));
    const auto place = worth.begin() + (most_ - 1);
    std::nth_element(worth.begin(), place, worth.end(), std::greater<>());
    price_ = std::max(*place, 1e-9);
  }
  double high = price_;
  std::int64_t taken = descend(high);
  double low = high;
  if (taken > most_) {
    while (taken > most_) low = high, high *= kStep, taken = descend(high);
  } else {
    Eigen::MatrixXd coefficients = coefficients_, reached = reached_;
    while (taken <= most_ && low > 1e-12) {
      coefficients = coefficients_, reached = reached_;
      high = low, low /= kStep, taken = descend(low);
    }
    if (taken > most_) coefficients_ = std::move(coefficients), reached_ = std::move(reached);
  }
  for (int i = 0; i < kBisections && taken != most_ && low < high; ++i) {
    const Eigen::MatrixXd coefficients = coefficients_, reached = reached_;
    const double middle = std::sqrt(low * high);
    taken = descend(middle);
    (taken > most_ ? low : high) = middle;
    if (taken > most_) coefficients_ = coefficients, reached_ = reached;
  }
  price_ = high;
}

void Descent::fit_scales() {
  for (Eigen::Index k = 0; k < problem_.outputs; ++k) {
    const double power = coefficients_.col(k).dot(reached_.col(k)), matched = coefficients_.col(k).dot(matched_.col(k));
    if (power > 0 && matched > 0) scale_[k] = matched / power;
  }
}

void Descent::fit_basis() {
  const Eigen::MatrixXd scaled = coefficients_ * scale_.asDiagonal();
  const Eigen::MatrixXd pairs = scaled * scaled.transpose();
  Eigen::MatrixXd normal = Eigen::MatrixXd::Zero(count_ * taps_, count_ * taps_), right = Eigen::MatrixXd::Zero(taps_, count_);
  for (Eigen::Index c = 0; c < inputs_; ++c) {
    right.noalias() += problem_.wanted.middleRows(c * taps_, taps_) * scaled.middleRows(c * count_, count_).transpose();
    for (Eigen::Index d = 0; d < inputs_; ++d)
      for (Eigen::Index m = 0; m < count_; ++m)
        for (Eigen::Index n = 0; n < count_; ++n)
          if (const double pair = pairs(c * count_ + m, d * count_ + n); pair != 0)
            normal.block(m * taps_, n * taps_, taps_, taps_) += pair * problem_.covariance.block(c * taps_, d * taps_, taps_, taps_);
  }
  normal.diagonal().array() += kRidge * normal.diagonal().mean();
  const Eigen::VectorXd solved = normal.ldlt().solve(right.reshaped());
  Eigen::MatrixXd basis = solved.reshaped(taps_, count_).transpose();
  for (Eigen::Index m = 0; m < count_; ++m)
    if (!(basis.row(m).norm() > 1e-12 * basis.norm())) basis.row(m) = basis_.row(m);  // no coefficient takes it: it waits for one
  set_basis(std::move(basis));
}

void Descent::run(int iterations) {
  double before = 1e300;
  for (int i = 0; i < iterations; ++i) {
    fit_coefficients();
    if (per_channel_) fit_scales();
    fit_basis();
    const double now = objective();
    if (now > before * (1 - kConverged)) break;
    before = now;
  }
}

Factors Descent::finish() {
  Factors out;
  out.outputs = problem_.outputs, out.inputs = problem_.inputs, out.basis_count = static_cast<int>(count_), out.taps = problem_.taps;
  const double largest = basis_.cwiseAbs().maxCoeff();
  double step = largest > 0 ? largest / kLargest : 1.0;
  const Eigen::MatrixXd integers = (basis_ / step).array().round();
  set_basis(integers * step);
  fit_coefficients();
  if (per_channel_) {
    fit_scales();
    out.scale.resize(static_cast<std::size_t>(problem_.outputs), 1.0);
    for (Eigen::Index k = 0; k < problem_.outputs; ++k)
      if (problem_.spread[k] > 0) out.scale[static_cast<std::size_t>(k)] = short_number(scale_[k] * problem_.spread[k]);
  } else {
    const Eigen::MatrixXd scaled = coefficients_ * scale_.asDiagonal();
    const double power = scaled.cwiseProduct(reached_ * scale_.asDiagonal()).sum(), matched = scaled.cwiseProduct(matched_).sum();
    if (power > 0 && matched > 0) step *= matched / power;
    out.scale = {1.0};
  }
  out.basis_scale = short_number(step);
  for (Eigen::Index k = 0; k < problem_.outputs; ++k)
    for (Eigen::Index i = 0; i < coefficients_.rows(); ++i) out.coefficients.push_back(static_cast<std::int8_t>(coefficients_(i, k)));
  for (Eigen::Index m = 0; m < count_; ++m)
    for (Eigen::Index t = 0; t < taps_; ++t) out.basis.push_back(static_cast<std::int8_t>(integers(m, t)));
  const Eigen::MatrixXd approximation = out.kernels();
  const Eigen::VectorXd bias = (problem_.kernels - approximation) * problem_.mean;
  out.bias.assign(bias.begin(), bias.end());
  out.error = problem_.error(approximation);
  return out;
}

}  // namespace bitloom
