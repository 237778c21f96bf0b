#include "golden/decomposed.hpp"

#include "core/error.hpp"
#include "golden/golden.hpp"

namespace bitloom {
namespace {


/// Kernel m over one plane: padded positions count as 0.
std::vector<std::int64_t> convolve(const Convolution& conv, int m, const std::vector<std::int64_t>& plane, int height, int width) {
  const Window& w = conv.window;
  const int rows = w.out_height(height), columns = w.out_width(width);
  std::vector<std::int64_t> out;
  for (int oy = 0; oy < rows; ++oy)
    for (int ox = 0; ox < columns; ++ox) {
      std::int64_t sum = 0;
      for (int r = 0; r < w.kernel_height; ++r)
        for (int s = 0; s < w.kernel_width; ++s) {
          const int y = oy * w.stride_height - w.pad_top + r * w.dilation_height, x = ox * w.stride_width - w.pad_left + s * w.dilation_width;
          if (y < 0 || y >= height || x < 0 || x >= width) continue;
          sum += plane[static_cast<std::size_t>(y * width + x)] *
                 conv.decomposition->basis[static_cast<std::size_t>((m * w.kernel_height + r) * w.kernel_width + s)];
        }
      out.push_back(sum);
    }
  return out;
}

void add(std::vector<std::int64_t>& sum, const std::vector<std::int64_t>& plane, std::int64_t factor) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += factor * plane[i];
}

}  // namespace

MapData run_decomposed(const Network& network, const Layer& layer, const MapData& in, DecomposedOrder order) {
  const auto& conv = std::get<Convolution>(layer.op);
  if (!conv.decomposition) throw Error(layer.name, "is not decomposed");
  const Decomposition& d = *conv.decomposition;
  const FeatureMap& map = network.output_of(layer);
  const MapShape& shape = in.shape;
  const std::size_t pixels = static_cast<std::size_t>(shape.height * shape.width), out_pixels = static_cast<std::size_t>(map.shape.height * map.shape.width);
  std::vector<std::vector<std::int64_t>> x(static_cast<std::size_t>(shape.channels), std::vector<std::int64_t>(pixels));
  for (std::size_t i = 0; i < in.values.size(); ++i)
    x[i % static_cast<std::size_t>(shape.channels)][i / static_cast<std::size_t>(shape.channels)] = in.values[i];

  const auto coefficient = [&](int k, int c, int m) { return d.coefficients[static_cast<std::size_t>((k * shape.channels + c) * d.kernels + m)]; };
  std::vector<std::vector<std::int64_t>> filtered;  // basis first: [c][m]
  for (int c = 0; order == DecomposedOrder::BasisFirst && c < shape.channels; ++c)
    for (int m = 0; m < d.kernels; ++m) filtered.push_back(convolve(conv, m, x[static_cast<std::size_t>(c)], shape.height, shape.width));

  MapData out{map.shape, std::vector<std::int32_t>(static_cast<std::size_t>(map.shape.size()))};
  for (int k = 0; k < conv.out_channels; ++k) {
    std::vector<std::int64_t> sum(out_pixels, conv.bias.empty() ? 0 : conv.bias[static_cast<std::size_t>(k)]);
    for (int m = 0; m < d.kernels; ++m) {
      std::vector<std::int64_t> s(pixels, 0);
      for (int c = 0; c < shape.channels; ++c) {
        if (order == DecomposedOrder::BasisFirst)
          add(sum, filtered[static_cast<std::size_t>(c * d.kernels + m)], coefficient(k, c, m));
        else
          add(s, x[static_cast<std::size_t>(c)], coefficient(k, c, m));
      }
      if (order == DecomposedOrder::CoefficientsFirst) add(sum, convolve(conv, m, s, shape.height, shape.width), 1);
    }
    for (std::size_t i = 0; i < out_pixels; ++i)
      out.values[i * static_cast<std::size_t>(conv.out_channels) + static_cast<std::size_t>(k)] = static_cast<std::int32_t>(sum[i]);
  }
  check_values(layer.name, map, out);
  return out;
}

}  // namespace bitloom
