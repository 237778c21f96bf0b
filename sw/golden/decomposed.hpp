// A decomposed convolution by both orders of its two sums: the same values as the dense convolution of the kernels that they make up.
#pragma once

#include "core/network.hpp"

namespace bitloom {

enum class DecomposedOrder {
  BasisFirst,         ///< T[c][m] = kernel m over x[c]; O[k] = sum over c and m of coefficients[k][c][m] * T[c][m]
  CoefficientsFirst,  ///< S[k][m] = sum over c of coefficients[k][c][m] * x[c]; O[k] = sum over m of kernel m over S[k][m]: the hardware's
};

/// One decomposed convolution over its input map, as run_layer gives it.
MapData run_decomposed(const Network& network, const Layer& layer, const MapData& in, DecomposedOrder order);

}  // namespace bitloom
