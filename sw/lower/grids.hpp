// Which values a quantizer can produce: from its parameters, or found by looking at all of them.
#pragma once

#include <optional>

#include "lower/thresholds.hpp"

namespace bitloom::lowering {

/// Whether the operator's outputs lie on a grid that its parameters state.
bool is_quantizer(const Node& node);

/// The grid of the stream's last step, a quantizer. Throws Error naming the node when its parameters cannot be represented.
Grid quantizer_grid(const Stream& stream);

/// The grid of the stream's last step when it is a Clip of whole numbers to whole bounds: integer networks quantize so.
std::optional<Grid> clip_grid(const Stream& stream, int opset);

/// The scale s for which the stream's function is s * q at every q of its map, or nothing.
std::optional<double> pure_scale(const Stream& stream, const std::vector<Range>& ranges, int opset);

/// A grid that holds all values of the stream over its map, or nothing when the map is too wide to look or the values have no common step.
std::optional<Grid> discover_grid(const Stream& stream, const std::vector<Range>& ranges, int opset);

}  // namespace bitloom::lowering
