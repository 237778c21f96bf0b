// Models with several inputs.
#pragma once

#include "core/graph.hpp"

namespace bitloom {

/// The same model with one input that holds all of them, one after the other: along the channels where all are maps of one size, else as
/// one row of values. An image of such a model is the inputs' values in their order. A model with one input stays as it is. Throws Error
/// where the inputs' shapes are open or their element types differ.
Graph join_inputs(Graph graph);

}  // namespace bitloom
