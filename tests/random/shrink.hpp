// Makes a failing Spec smaller while it still fails.
#pragma once

#include <functional>

#include "random/generator.hpp"

namespace bitloom::test {

/// Tries smaller Specs, largest steps first, as long as `fails` holds of them and fewer than `most` were tried. The result fails.
Spec shrink(Spec spec, const std::function<bool(const Spec&)>& fails, int most = 400);

}  // namespace bitloom::test
