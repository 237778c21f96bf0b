// The integer network under construction: adds maps and layers with names, and knows the exact range of every channel of every map.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/network.hpp"

namespace bitloom::lowering {

/// Values that a channel can take.
struct Range {
  std::int64_t low = 0;
  std::int64_t high = 0;
  std::int64_t count() const { return high - low + 1; }
  bool operator==(const Range&) const = default;
};

class Builder {
 public:
  int add_map(const std::string& name, MapShape shape, ValueType type, std::vector<Range> ranges);
  /// Adds a layer of the next free name `<kind><number>` that writes a new map `<layer>_out`. Returns the map.
  int add_layer(const std::string& kind, const std::string& source, std::vector<int> inputs, LayerOp op, MapShape shape, ValueType type,
                std::vector<Range> ranges);
  int add_layer(const std::string& kind, const std::string& source, int input, LayerOp op, MapShape shape, ValueType type,
                std::vector<Range> ranges) {
    return add_layer(kind, source, std::vector<int>{input}, std::move(op), shape, type, std::move(ranges));
  }
  /// Adds to the bias of the convolution that writes the map; false, and nothing done, when another layer does or something reads the map.
  bool add_bias(int index, const std::vector<std::int64_t>& bias, const std::string& source);

  const FeatureMap& map(int index) const { return network_.maps[static_cast<std::size_t>(index)]; }
  const std::vector<Range>& ranges(int index) const { return ranges_[static_cast<std::size_t>(index)]; }
  bool is_read(int index) const;
  /// Whether the map holds sums of a convolution, not yet quantized.
  bool is_accumulator(int index) const;
  /// Another shape for the network's input, which nothing reads yet.
  void reshape_input(MapShape shape);
  void set_type(int index, ValueType type) { network_.maps[static_cast<std::size_t>(index)].type = type; }
  void set_ranges(int index, std::vector<Range> ranges) { ranges_[static_cast<std::size_t>(index)] = std::move(ranges); }
  /// Carries a bipolar map as signed 2-bit values, so that it can be padded with zeros; likewise all maps tied to it by max pools and
  /// upsamplings.
  void make_paddable(int index);

  Network& network() { return network_; }

 private:
  Network network_;
  std::vector<std::vector<Range>> ranges_;  ///< per map, per channel
  std::map<std::string, int> next_number_;
};

/// The range of a convolution's sums over an input with these channel ranges, per output channel.
std::vector<Range> accumulator_ranges(const Convolution& conv, const MapShape& in, const std::vector<Range>& ranges);

/// The narrowest type that holds every channel. Throws Error at `source` beyond 32 bits.
ValueType type_holding(const std::vector<Range>& ranges, const std::string& source);

}  // namespace bitloom::lowering
