#include <algorithm>
#include <cmath>
#include <random>

#include "catch2.hpp"
#include "core/error.hpp"
#include "decompose/choose.hpp"
#include "decompose/factorize.hpp"

using namespace bitloom;

namespace {

double gauss(std::mt19937& random) { return std::normal_distribution<double>()(random); }

/// Inputs that depend on each other, some much larger than others.
Moments correlated(std::mt19937& random, Eigen::Index values, double spread) {
  Eigen::MatrixXd mix(values, values);
  for (double& x : mix.reshaped()) x = gauss(random);
  for (Eigen::Index i = 0; i < values; ++i) mix.row(i) *= std::exp(spread * gauss(random));
  Moments moments;
  moments.mean = Eigen::VectorXd::Constant(values, 0.5);
  moments.covariance = mix * mix.transpose();
  return moments;
}

Factors planted(std::mt19937& random, int outputs, int inputs, int count, int taps, double density, bool per_channel) {
  Factors f;
  f.outputs = outputs, f.inputs = inputs, f.basis_count = count, f.taps = taps;
  for (int i = 0; i < outputs * inputs * count; ++i) {
    const double draw = std::uniform_real_distribution<double>()(random);
    f.coefficients.push_back(static_cast<std::int8_t>(draw >= density ? 0 : draw < density / 2 ? -1 : 1));
  }
  for (int i = 0; i < count * taps; ++i) f.basis.push_back(static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127));
  f.basis[0] = 127;  // the grid's end is used, as factorize does
  f.basis_scale = 1.0 / 64;
  for (int k = 0; k < (per_channel ? outputs : 1); ++k) f.scale.push_back(per_channel ? 1.0 + static_cast<double>(random() % 64) / 32 : 1.0);
  return f;
}

Eigen::MatrixXd random_kernels(std::mt19937& random, int outputs, int inputs, int taps) {
  Eigen::MatrixXd kernels(outputs, inputs * taps);
  for (double& x : kernels.reshaped()) x = gauss(random);
  return kernels;
}

}  // namespace

TEST_CASE("a planted decomposition is found again") {
  std::mt19937 random(test_seed());
  for (const bool per_channel : {false, true}) {
    const Factors truth = planted(random, 12, 8, 3, 9, 0.25, per_channel);
    const KernelProblem problem(truth.kernels(), correlated(random, 8 * 9, 0.3), 9);
    FactorOptions options{3, 0.25};
    options.density = truth.density();
    options.starts = 8;
    options.scales = per_channel ? ScaleRule::Channel : ScaleRule::Layer;
    const Factors found = factorize(problem, options);
    CAPTURE(per_channel, found.error, found.density(), truth.density());
    CHECK(found.error < (per_channel ? 0.005 : 1e-9));  // scales for each channel are rounded to 8 bits
    CHECK(found.nonzeros() == truth.nonzeros());
    // Each kernel of the basis is a planted one or its negative, on all its integers where one scale serves all.
    for (std::size_t m = 0; m < 3; ++m) {
      const auto matches = [&](std::size_t n, int sign) {
        int worst = 0;
        for (std::size_t t = 0; t < 9; ++t) worst = std::max(worst, std::abs(found.basis[m * 9 + t] - sign * truth.basis[n * 9 + t]));
        return worst <= (per_channel ? 1 : 0);
      };
      bool any = false;
      for (std::size_t n = 0; n < 3; ++n) any = any || matches(n, 1) || matches(n, -1);
      CHECK(any);
    }
  }
}

TEST_CASE("the error falls with more kernels and more coefficients, and the density is kept") {
  std::mt19937 random(test_seed());
  const KernelProblem problem(random_kernels(random, 16, 12, 9), correlated(random, 12 * 9, 0.5), 9);
  CHECK(problem.error(Eigen::MatrixXd::Zero(16, 12 * 9)) == Catch::Approx(1));
  CHECK(problem.error(problem.kernels) == 0);
  std::vector<double> last_row;
  for (const int count : {2, 4, 6, 9}) {
    std::vector<double> row;
    for (const double density : {0.02, 0.1, 0.3, 0.6}) {  // at the last one some are better left at zero
      const Factors found = factorize(problem, {count, density});
      CAPTURE(count, density);
      CHECK(found.density() <= density);
      CHECK(found.density() > (density < 0.5 ? 0.9 : 0.7) * density);
      CHECK(found.error == problem.error(found.kernels()));
      CHECK(found.error < 1);
      if (!row.empty()) CHECK(found.error < row.back());
      row.push_back(found.error);
    }
    // More kernels at the same density are more coefficients, too.
    for (std::size_t i = 0; i < last_row.size(); ++i) CHECK(row[i] < last_row[i]);
    last_row = row;
  }
}

TEST_CASE("what counts is the error of the outputs on the inputs that occur") {
  std::mt19937 random(test_seed());
  const Moments seen = correlated(random, 10 * 9, 1.0);
  Moments white;
  white.mean = seen.mean;
  white.covariance = Eigen::MatrixXd::Identity(90, 90);
  const Eigen::MatrixXd kernels = random_kernels(random, 16, 10, 9);
  const KernelProblem problem(kernels, seen, 9);
  const Factors for_outputs = factorize(problem, {4, 0.2}), for_weights = factorize(KernelProblem(kernels, white, 9), {4, 0.2});
  CHECK(for_outputs.error < 0.9 * problem.error(for_weights.kernels()));
}

TEST_CASE("the bias takes the mean of the error, and a constant output is left to it") {
  std::mt19937 random(test_seed());
  Eigen::MatrixXd kernels = random_kernels(random, 5, 4, 9);
  kernels.row(3).setZero();
  const KernelProblem problem(kernels, correlated(random, 36, 0.2), 9);
  const Factors found = factorize(problem, {3, 0.3});
  const Eigen::VectorXd missing = (kernels - found.kernels()) * problem.mean;
  for (Eigen::Index k = 0; k < 5; ++k) CHECK(found.bias[static_cast<std::size_t>(k)] == Catch::Approx(missing[k]));
  CHECK(found.kernels().row(3).isZero());
  CHECK(std::isfinite(found.error));
}

TEST_CASE("the same seed gives the same factors, and options out of range are refused") {
  std::mt19937 random(test_seed());
  const KernelProblem problem(random_kernels(random, 6, 5, 9), correlated(random, 45, 0.2), 9);
  const Factors one = factorize(problem, {4, 0.2}), two = factorize(problem, {4, 0.2});
  CHECK(one.coefficients == two.coefficients);
  CHECK(one.basis == two.basis);
  for (const FactorOptions& bad : {FactorOptions{0, 0.1}, FactorOptions{10, 0.1}, FactorOptions{4, 0.0}, FactorOptions{4, 1.5}})
    CHECK_THROWS_AS(factorize(problem, bad), Error);
  CHECK_THROWS_AS(KernelProblem(random_kernels(random, 6, 5, 9), correlated(random, 44, 0.2), 9), Error);
}

TEST_CASE("moments are those of the windows, padding and stride included") {
  std::mt19937 random(test_seed());
  Tensor input = Tensor::floats({2, 3, 5, 4}, {});
  for (int i = 0; i < 2 * 3 * 5 * 4; ++i) input.f().push_back(static_cast<float>(random() % 16));
  Window window;
  window.kernel_height = 3, window.kernel_width = 2, window.stride_height = 2, window.pad_top = window.pad_left = window.pad_bottom = 1;
  MomentSums sums(3 * 3 * 2);
  CHECK_THROWS_AS(sums.moments(), Error);
  sums.add(input, window, 1000, random);
  const Moments moments = sums.moments();
  std::vector<Eigen::VectorXd> windows;
  for (int n = 0; n < 2; ++n)
    for (int y = -1; y + 3 <= 6; y += 2)
      for (int x = -1; x + 2 <= 4; ++x) {
        Eigen::VectorXd w(18);
        Eigen::Index i = 0;
        for (int c = 0; c < 3; ++c)
          for (int r = y; r < y + 3; ++r)
            for (int s = x; s < x + 2; ++s)
              w[i++] = r < 0 || r >= 5 || s < 0 || s >= 4
                           ? 0
                           : static_cast<double>(input.f()[static_cast<std::size_t>(((n * 3 + c) * 5 + r) * 4 + s)]);
        windows.push_back(w);
      }
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(18);
  for (const auto& w : windows) mean += w / static_cast<double>(windows.size());
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(18, 18);
  for (const auto& w : windows) covariance += (w - mean) * (w - mean).transpose() / static_cast<double>(windows.size());
  CHECK((moments.mean - mean).norm() < 1e-9);
  CHECK((moments.covariance - covariance).norm() < 1e-9);
}

TEST_CASE("a point for each layer within a budget") {
  const std::vector<std::vector<Point>> points{{{100, 0.5}, {400, 0.1}, {390, 0.6}, {1200, 0.01}}, {{50, 0.3}, {60, 0.2}}};
  CHECK(smallest_within(points[0], 1000, 0.2) == 1U);
  CHECK(smallest_within(points[0], 1000, 0.7) == 0U);
  CHECK_FALSE(smallest_within(points[0], 1000, 0.05));  // what is off by less is larger than the dense layer
  const std::vector<std::int64_t> dense{1000, 500};
  using Chosen = std::vector<std::optional<std::size_t>>;
  CHECK(within_bits(points, dense, 10, 1510) == Chosen{std::nullopt, std::nullopt});
  CHECK(within_bits(points, dense, 10, 1500) == Chosen{1, std::nullopt});  // 0.01 for 600 bits against 0.04 for 440
  CHECK(within_bits(points, dense, 10, 500) == Chosen{1, 1});
  CHECK(within_bits(points, dense, 10, 160) == Chosen{0, 0});
  CHECK_FALSE(within_bits(points, dense, 10, 159));
}
