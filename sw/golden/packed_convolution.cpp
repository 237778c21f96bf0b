// With weights w and inputs a in two's complement, w = sum_p c_p w_p and a = sum_q c_q a_q over their bit planes, so that
//   sum w a = sum_pq c_p c_q popcount(w_p AND a_q).
// A bipolar value v is -1 where bit 1 of its two's complement is set: v = 1 - 2 n.
//   Bipolar input: sum w a = sum w - 2 sum w n.
//   Bipolar weights, any plane a_q: sum w a_q = popcount(n XOR a_q) - popcount(n). Where padding makes a_q zero, that is zero too.
#include "golden/packed_convolution.hpp"

#include <algorithm>

namespace bitloom {
namespace {

int round_up(int value, int unit) { return (value + unit - 1) / unit * unit; }

std::vector<int> planes_of(const ValueType& type) {
  if (type.is_bipolar()) return {1};
  std::vector<int> bits;
  for (int bit = 0; bit < type.bits(); ++bit) bits.push_back(bit);
  return bits;
}

std::int32_t coefficient(const ValueType& type, int bit) {
  if (type.is_bipolar()) return 1;
  return type.is_signed() && bit == type.bits() - 1 ? -(1 << bit) : 1 << bit;
}

}  // namespace

std::optional<PackedConvolution> PackedConvolution::pack(const Convolution& conv, const FeatureMap& in, const Kernels& kernels) {
  const auto narrow = [](const ValueType& type) { return type.min() >= INT16_MIN && type.max() <= INT16_MAX; };
  if (!narrow(conv.weight_type) || !narrow(in.type)) return std::nullopt;

  PackedConvolution packed;
  packed.kernels_ = &kernels;
  packed.window_ = conv.window;
  packed.in_ = {in.shape.height, in.shape.width, in.shape.channels / conv.groups};
  packed.channels_ = in.shape.channels;
  packed.out_channels_ = conv.out_channels / conv.groups;
  packed.padded_ = round_up(packed.out_channels_, block);
  const bool whole_map = conv.window.kernel_height == in.shape.height && conv.window.kernel_width == in.shape.width;
  if (whole_map && conv.groups == 1 && !conv.window.has_padding()) {  // one pixel of all values, in the same order as the weights
    packed.window_ = Window{};
    packed.in_ = {1, 1, static_cast<int>(in.shape.size())};
    packed.channels_ = packed.in_.channels;
  }
  packed.taps_ = packed.window_.kernel_height * packed.window_.kernel_width;
  packed.words_ = round_up(packed.in_.channels, 64) / 64;
  packed.pairs_ = round_up(packed.taps_ * packed.in_.channels, 2) / 2;

  const std::size_t fan_in = conv.weights.size() / static_cast<std::size_t>(conv.out_channels);
  const std::int64_t largest = std::max(-in.type.min(), in.type.max());
  std::size_t k = 0;
  for (auto row = conv.weights.begin(); row != conv.weights.end(); row += static_cast<std::ptrdiff_t>(fan_in), ++k) {
    const std::int64_t bias = conv.bias.empty() ? 0 : conv.bias[k];
    if (bias < -INT32_MAX || bias > INT32_MAX) return std::nullopt;
    std::int64_t low = bias, high = bias, limit = std::abs(bias);
    for (auto weight = row; weight != row + static_cast<std::ptrdiff_t>(fan_in); ++weight) {
      low += std::min(*weight * in.type.min(), *weight * in.type.max());
      high += std::max(*weight * in.type.min(), *weight * in.type.max());
      limit += std::abs(std::int64_t{*weight}) * largest;
    }
    if (limit > INT32_MAX) return std::nullopt;
    packed.low_ = std::min(packed.low_, low);
    packed.high_ = std::max(packed.high_, high);
  }

  packed.bipolar_weights_ = conv.weight_type.is_bipolar();
  packed.bipolar_input_ = in.type.is_bipolar();
  packed.weight_bits_ = planes_of(conv.weight_type);
  packed.input_bits_ = planes_of(in.type);
  for (const int p : packed.weight_bits_)
    for (const int q : packed.input_bits_)
      packed.coefficients_.push_back(coefficient(conv.weight_type, p) * (packed.bipolar_input_ ? -2 : coefficient(in.type, q)));
  const double words = static_cast<double>(packed.coefficients_.size()) * packed.words_ * packed.taps_;
  packed.planes_ = words * kernels.plane_cost < packed.pairs_;

  packed.groups_.resize(static_cast<std::size_t>(conv.groups));
  const std::int32_t* weights = conv.weights.data();
  auto bias = conv.bias.begin();
  for (Group& group : packed.groups_) {
    if (!conv.bias.empty()) {
      group.bias.assign(bias, bias + packed.out_channels_);
      group.bias.resize(static_cast<std::size_t>(packed.padded_));
      bias += packed.out_channels_;
    }
    if (packed.planes_) {
      packed.pack_planes(weights, group);
    } else {
      packed.pack_products(weights, group);
    }
    weights += static_cast<std::ptrdiff_t>(fan_in) * packed.out_channels_;
  }
  return packed;
}

void PackedConvolution::pack_planes(const std::int32_t* weights, Group& group) const {
  const auto planes = static_cast<std::ptrdiff_t>(weight_bits_.size());
  const std::ptrdiff_t row_words = std::ptrdiff_t{taps_} * words_;
  group.planes.assign(static_cast<std::size_t>(padded_ * planes * row_words), 0);
  group.bias.resize(static_cast<std::size_t>(padded_));
  std::vector<std::uint64_t> words(static_cast<std::size_t>(words_));
  for (int k = 0; k < out_channels_; ++k) {
    std::int64_t sum = 0, negative = 0;
    for (int tap = 0; tap < taps_; ++tap, weights += in_.channels) {
      const std::span<const std::int32_t> channels(weights, static_cast<std::size_t>(in_.channels));
      for (const std::int32_t weight : channels) {
        sum += weight;
        negative += weight < 0 ? 1 : 0;
      }
      for (std::ptrdiff_t p = 0; p < planes; ++p) {
        kernels_->pack(channels, weight_bits_[static_cast<std::size_t>(p)], words.data());
        for (int j = 0; j < words_; ++j) {
          const std::ptrdiff_t row = (k / plane_lanes * planes + p) * row_words + std::ptrdiff_t{tap} * words_ + j;
          group.planes[static_cast<std::size_t>(row * plane_lanes + k % plane_lanes)] = words[static_cast<std::size_t>(j)];
        }
      }
    }
    std::int64_t bias = bipolar_input_ ? sum : 0;
    if (bipolar_weights_)
      for (const std::int32_t c : coefficients_) bias -= c * negative;
    group.bias[static_cast<std::size_t>(k)] += static_cast<std::int32_t>(bias);
  }
}

void PackedConvolution::pack_products(const std::int32_t* weights, Group& group) const {
  group.products.assign(static_cast<std::size_t>(padded_) * static_cast<std::size_t>(pairs_) * 2, 0);
  const int fan_in = taps_ * in_.channels;
  for (int k = 0; k < out_channels_; ++k)
    for (int i = 0; i < fan_in; ++i) {
      const std::ptrdiff_t pair = (std::ptrdiff_t{k} / block * pairs_ + i / 2) * block + k % block;
      group.products[static_cast<std::size_t>(pair * 2 + i % 2)] = static_cast<std::int16_t>(*weights++);
    }
}

namespace {

/// Copies the values under the window at output (oy, ox) in kernel order; `unit` values a pixel, zeros outside the map.
template <class T>
void gather(const Window& w, const MapShape& in, const T* map, int unit, int oy, int ox, T* row) {
  const int left = ox * w.stride_width - w.pad_left;
  const bool inside = left >= 0 && left + w.kernel_width <= in.width && w.dilation_width == 1;
  const std::ptrdiff_t width = std::ptrdiff_t{w.kernel_width} * unit;
  for (int r = 0; r < w.kernel_height; ++r, row += width) {
    const int y = oy * w.stride_height - w.pad_top + r * w.dilation_height;
    if (y < 0 || y >= in.height) {
      std::fill_n(row, width, T{0});
    } else if (inside) {
      std::copy_n(map + (std::ptrdiff_t{y} * in.width + left) * unit, width, row);
    } else {
      for (int s = 0; s < w.kernel_width; ++s) {
        const int x = left + s * w.dilation_width;
        T* to = row + std::ptrdiff_t{s} * unit;
        if (x < 0 || x >= in.width) {
          std::fill_n(to, unit, T{0});
        } else {
          std::copy_n(map + (std::ptrdiff_t{y} * in.width + x) * unit, unit, to);
        }
      }
    }
  }
}

}  // namespace

template <class T, class F>
void PackedConvolution::for_tiles(const std::vector<T>& map, int unit, std::vector<T>& rows, std::ptrdiff_t row_size, int planes, int group,
                                  F compute, const std::function<void(const Tile&)>& use) const {
  const int width = window_.out_width(in_.width);
  const int pixels = window_.out_height(in_.height) * width;
  const std::ptrdiff_t plane_size = std::ptrdiff_t{in_.height} * in_.width * unit;
  rows.assign(static_cast<std::size_t>(row_size * planes * rows_at_once), 0);
  std::vector<std::int32_t> sums(static_cast<std::size_t>(padded_) * rows_at_once);
  for (int first = 0; first < pixels; first += rows_at_once) {
    const int count = std::min(rows_at_once, pixels - first);
    for (int i = 0; i < count; ++i)
      for (int q = 0; q < planes; ++q)
        gather(window_, in_, map.data() + q * plane_size, unit, (first + i) / width, (first + i) % width,
               rows.data() + (std::ptrdiff_t{i} * planes + q) * row_size);
    compute(count, sums.data());
    use({first, count, group * out_channels_, out_channels_, padded_, sums.data()});
  }
}

void PackedConvolution::run_planes(const MapData& in, int group, const std::function<void(const Tile&)>& use) const {
  const int planes = static_cast<int>(input_bits_.size());
  const std::ptrdiff_t pixels = std::ptrdiff_t{in_.height} * in_.width;
  std::vector<std::uint64_t> map(static_cast<std::size_t>(planes * pixels * words_));
  std::uint64_t* words = map.data();
  for (const int bit : input_bits_)
    for (std::ptrdiff_t pixel = 0; pixel < pixels; ++pixel, words += words_)
      kernels_->pack({in.values.data() + pixel * channels_ + group * in_.channels, static_cast<std::size_t>(in_.channels)}, bit, words);

  const Group& packed = groups_[static_cast<std::size_t>(group)];
  std::vector<std::uint64_t> rows;
  PlaneTask task;
  task.words = taps_ * words_;
  task.weight_planes = static_cast<int>(weight_bits_.size());
  task.input_planes = planes;
  task.channels = padded_;
  task.exclusive_or = bipolar_weights_;
  task.weights = packed.planes.data();
  task.coefficients = coefficients_.data();
  task.bias = packed.bias.data();
  const auto compute = [&](int count, std::int32_t* sums) {
    task.rows = rows.data();
    task.row_count = count;
    task.sums = sums;
    kernels_->planes(task);
  };
  for_tiles(map, words_, rows, task.words, planes, group, compute, use);
}

void PackedConvolution::run_products(const MapData& in, int group, const std::function<void(const Tile&)>& use) const {
  const std::ptrdiff_t pixels = std::ptrdiff_t{in_.height} * in_.width;
  std::vector<std::int16_t> map(static_cast<std::size_t>(pixels * in_.channels));
  for (std::ptrdiff_t pixel = 0; pixel < pixels; ++pixel)
    std::transform(in.values.data() + pixel * channels_ + group * in_.channels,
                   in.values.data() + pixel * channels_ + (group + 1) * in_.channels, map.data() + pixel * in_.channels,
                   [](std::int32_t value) { return static_cast<std::int16_t>(value); });

  std::vector<std::int16_t> rows;
  ProductTask task;
  task.pairs = pairs_;
  task.channels = padded_;
  task.weights = groups_[static_cast<std::size_t>(group)].products.data();
  const std::vector<std::int32_t>& bias = groups_[static_cast<std::size_t>(group)].bias;
  const auto compute = [&](int count, std::int32_t* sums) {
    task.rows = rows.data();
    task.row_count = count;
    task.sums = sums;
    kernels_->products(task);
    for (std::int32_t* row = sums; !bias.empty() && row != sums + std::ptrdiff_t{count} * padded_; row += padded_)
      std::transform(bias.begin(), bias.end(), row, row, std::plus<>());
  };
  for_tiles(map, in_.channels, rows, std::ptrdiff_t{pairs_} * 2, 1, group, compute, use);
}

void PackedConvolution::run(const MapData& in, const std::function<void(const Tile&)>& use) const {
  for (int group = 0; group < static_cast<int>(groups_.size()); ++group) {
    if (planes_) {
      run_planes(in, group, use);
    } else {
      run_products(in, group, use);
    }
  }
}

}  // namespace bitloom
