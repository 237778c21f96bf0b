// A convolution with its weights packed for the kernels: as bit planes in 64-bit words, or as pairs of 16-bit integers.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/network.hpp"
#include "golden/kernels.hpp"

namespace bitloom {

class PackedConvolution {
 public:
  /// Nothing where a type is wider than 16 bits or a sum could pass 32 bits: such layers are left to the plain model.
  static std::optional<PackedConvolution> pack(const Convolution& conv, const FeatureMap& in, const Kernels& kernels);

  /// The sums of `count` output pixels in a row, from `first_pixel` on (row major): sums[pixel][channels], for a group's `channels` from
  /// `first_channel` on; after each pixel's sums there are `stride - channels` values without meaning.
  struct Tile {
    int first_pixel, count, first_channel, channels, stride;
    const std::int32_t* sums;
  };
  void run(const MapData& in, const std::function<void(const Tile&)>& use) const;

  /// What no sum can leave.
  std::int64_t low() const { return low_; }
  std::int64_t high() const { return high_; }
  bool uses_planes() const { return planes_; }

 private:
  struct Group {
    std::vector<std::uint64_t> planes;   // PlaneTask::weights
    std::vector<std::int32_t> bias;      // PlaneTask::bias, or what is added to the sums of products; empty: nothing
    std::vector<std::int16_t> products;  // ProductTask::weights
  };

  /// group.bias holds the convolution's own.
  void pack_planes(const std::int32_t* weights, Group& group) const;
  void pack_products(const std::int32_t* weights, Group& group) const;
  void run_planes(const MapData& in, int group, const std::function<void(const Tile&)>& use) const;
  void run_products(const MapData& in, int group, const std::function<void(const Tile&)>& use) const;
  /// Calls compute(row_count, sums) with `rows` filled for each group of pixels.
  template <class T, class F>
  void for_tiles(const std::vector<T>& map, int unit, std::vector<T>& rows, std::ptrdiff_t row_size, int planes, int group, F compute,
                 const std::function<void(const Tile&)>& use) const;

  const Kernels* kernels_ = nullptr;
  Window window_;
  MapShape in_;                          // of one group
  int channels_ = 0, out_channels_ = 0;  // input channels of all groups; output channels of one
  int padded_ = 0;                       // out_channels_, up to whole blocks
  int taps_ = 0;
  bool planes_ = false;
  int words_ = 0;                              // of one plane of a pixel
  int pairs_ = 0;                              // of a row
  std::vector<int> weight_bits_, input_bits_;  // which bit of a value each plane holds
  std::vector<std::int32_t> coefficients_;
  bool bipolar_weights_ = false, bipolar_input_ = false;
  std::int64_t low_ = 0, high_ = 0;
  std::vector<Group> groups_;
};

}  // namespace bitloom
