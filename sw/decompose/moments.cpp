#include "decompose/moments.hpp"

#include <algorithm>

namespace bitloom {
namespace {

constexpr std::int64_t kRows = 256;  // windows that are multiplied at once

/// Writes the window at output position `at` (of image, row, column) into a row.
void copy_window(const Tensor& input, const Window& w, std::int64_t at, Eigen::Ref<Eigen::RowVectorXd, 0, Eigen::InnerStride<>> row) {
  const std::int64_t channels = input.shape[1], height = input.shape[2], width = input.shape[3];
  const int rows = w.out_height(static_cast<int>(height)), columns = w.out_width(static_cast<int>(width));
  const std::int64_t image = at / (rows * columns), y = at / columns % rows * w.stride_height - w.pad_top,
                     x = at % columns * w.stride_width - w.pad_left;
  const std::vector<float>& values = input.f();
  Eigen::Index i = 0;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (int r = 0; r < w.kernel_height; ++r) {
      for (int s = 0; s < w.kernel_width; ++s, ++i) {
        const std::int64_t from_y = y + r * w.dilation_height, from_x = x + s * w.dilation_width;
        const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
        const std::int64_t place = ((image * channels + c) * height + from_y) * width + from_x;
        row[i] = inside ? static_cast<double>(values[static_cast<std::size_t>(place)]) : 0.0;
      }
    }
  }
}

}  // namespace

MomentSums::MomentSums(Eigen::Index values) : sum_(Eigen::VectorXd::Zero(values)), products_(Eigen::MatrixXd::Zero(values, values)) {}

void MomentSums::add(const Tensor& input, const Window& window, std::int64_t count, std::mt19937& random) {
  const std::int64_t positions = input.shape[0] * window.out_height(static_cast<int>(input.shape[2])) *
                                 window.out_width(static_cast<int>(input.shape[3]));
  const bool all = count >= positions;
  count = std::min(count, positions);
  for (std::int64_t first = 0; first < count; first += kRows) {
    Eigen::MatrixXd rows(std::min(kRows, count - first), sum_.size());
    for (Eigen::Index i = 0; i < rows.rows(); ++i)
      copy_window(input, window, all ? first + i : static_cast<std::int64_t>(random()) % positions, rows.row(i));
    sum_ += rows.colwise().sum().transpose();
    products_.selfadjointView<Eigen::Lower>().rankUpdate(rows.transpose());
    count_ += rows.rows();
  }
}

Moments MomentSums::moments() const {
  if (count_ == 0) throw Error("", "no image to calibrate with");
  Moments out;
  out.mean = sum_ / static_cast<double>(count_);
  out.covariance = products_.selfadjointView<Eigen::Lower>();
  out.covariance /= static_cast<double>(count_);
  out.covariance -= out.mean * out.mean.transpose();
  return out;
}

}  // namespace bitloom
