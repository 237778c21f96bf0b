// QONNX's channels-last operators, written as standard ones between transposes, so that nothing behind the importer knows of them.
#pragma once

#include "core/graph.hpp"

namespace bitloom {

/// Replaces every node of domain qonnx.custom_op.channels_last: data [N, H, W, C] is transposed to [N, C, H, W] and back, weights
/// [K, kernel.., C] to [K, C, kernel..]. Throws Error at operators that it does not know. Nodes stay in topological order.
void expand_channels_last(Graph& graph);

}  // namespace bitloom
