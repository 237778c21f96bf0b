// How streams lie in their maps, and convolutions on them: what the layers with windows share.
#pragma once

#include <vector>

#include "lower/context.hpp"

namespace bitloom::lowering {

inline std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// How a stream [1, C, H, W] (or [1, C, W]) lies in its map: ONNX channel c is map channel `map_channel[c]`.
struct Layout {
  MapShape shape;
  std::vector<int> map_channel;
};

/// Gives the network's input another order where that helps. Throws Error at the node when the stream lies otherwise.
Layout layout_of(Context& context, const Node& node, Stream& stream);

/// The order of elements [1, C, H, W] in an HWC map.
std::vector<std::int32_t> canonical_order(const MapShape& shape, const std::vector<int>& map_channel);
std::vector<int> identity_channels(int channels);
/// [1, C, H, W] or [1, C, W] with the extents of a map.
std::vector<std::int64_t> with_extents(std::vector<std::int64_t> dims, const MapShape& shape);

/// Gives the network's input, which no layer reads yet, the shape and order in which the stream wants it (a flat image, or one in NHWC
/// order), and tells every other stream of it. False, and nothing done, where that cannot be.
bool reshape_input(Context& context, Stream& stream, const MapShape& shape, const std::vector<std::int32_t>& order);

/// Emits a convolution of a pure stream; the result is the stream of its sums, with elements [1, C, H, W].
Stream emit_convolution(Context& context, const std::string& kind, const Node& node, const Stream& input, Convolution conv,
                        const std::vector<double>& weight_scale, std::vector<std::int64_t> dims);

}  // namespace bitloom::lowering
