// The golden model: executes the integer network in plain loops, straight from its definitions in core/network.hpp.
// It shares no code with the compiler and is the specification of the hardware.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/network.hpp"

namespace bitloom {

class Golden {
 public:
  explicit Golden(Network network);

  /// The values of every map for one image, indexed as Network::maps. `input` must have the input map's shape and type.
  /// Throws Error naming the layer when a value is outside its map's type, which a correct network cannot cause.
  std::vector<MapData> run(const MapData& input) const;

  const Network& network() const { return network_; }

 private:
  Network network_;
};

/// Throws Error, naming `where`, unless `data` has the map's shape and only values of its type.
void check_values(const std::string& where, const FeatureMap& map, const MapData& data);

/// One layer over its input maps, by the definition alone. The result is checked against the output map's type.
MapData run_layer(const Network& network, const Layer& layer, const std::vector<const MapData*>& inputs);

/// The input map for an image of pixels in the ONNX element order; values outside the map's type saturate.
MapData network_input(const Network& network, const std::vector<std::int32_t>& pixels);

/// The model's float output in ONNX element order: scale * q + offset, then the output's function.
std::vector<double> real_output(const NetworkOutput& output, const MapData& map);

}  // namespace bitloom
