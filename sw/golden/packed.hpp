// The golden model made fast: the same values as Golden, from bit planes and vector instructions. Golden stays the specification.
#pragma once

#include <optional>
#include <vector>

#include "core/network.hpp"
#include "golden/kernels.hpp"
#include "golden/packed_convolution.hpp"

namespace bitloom {

class PackedGolden {
 public:
  /// Tests choose among kernels(); the default is the fastest.
  explicit PackedGolden(Network network, const Kernels& with = kernels().front());

  /// As Golden::run: the values of every map, and the same errors.
  std::vector<MapData> run(const MapData& input) const { return execute(input, false); }
  /// Only the maps of the network's outputs (and those that no layer reads) have values; sums that only a quantizing layer reads are never
  /// stored.
  std::vector<MapData> run_outputs(const MapData& input) const { return execute(input, true); }

  const Network& network() const { return network_; }

 private:
  struct Thresholds {
    int channels, levels;
    std::vector<std::int32_t> table, base, slope;
    int first = 0;                     // where the input has few values and many levels: its smallest value,
    std::vector<std::int32_t> lookup;  // and the results [value - first][channel]
    ThresholdTask task() const { return {channels, levels, table.data(), base.data(), slope.data()}; }
  };
  struct Requantizer {
    RequantizeTask task;  // without its tables
    std::vector<std::int32_t> mul;
    std::vector<std::int64_t> add;
  };
  /// How a layer is executed: by the plain model where it has none of these.
  struct Step {
    std::optional<PackedConvolution> convolution;
    std::optional<Thresholds> thresholds;
    std::optional<Requantizer> requantizer;
    int fused = -1;            // the quantizing layer that alone reads this convolution
    bool is_fused = false;     // this is such a layer
    bool check_range = false;  // types and weights do not prove that every sum is of the output's type
    bool quantizes() const { return thresholds || requantizer; }
  };

  static std::optional<Thresholds> pack(const Threshold& threshold, const FeatureMap& in, const FeatureMap& out);
  static std::optional<Requantizer> pack(const Requantize& requantize, const FeatureMap& out);
  std::vector<MapData> execute(const MapData& input, bool fuse) const;
  // These say whether the values are right; where not, the plain model says what is wrong.
  /// `quantizer` is null where the sums themselves are stored.
  bool run_convolution(const Step& step, const ValueType& type, const Step* quantizer, const MapData& in, MapData& out) const;
  void run_quantizer(const Step& step, const MapData& in, MapData& out) const;
  void quantize_pixel(const Step& step, const std::int32_t* in, std::int32_t* out) const;
  bool run_pool(const MaxPool& pool, const ValueType& type, const MapData& in, MapData& out) const;

  Network network_;
  const Kernels* kernels_;
  std::vector<Step> steps_;       // one for each layer
  std::vector<int> last_reader_;  // for each map: the layer after which it is not needed; -1: an output, or read by none
};

}  // namespace bitloom
