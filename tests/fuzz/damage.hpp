// Seeded damage to ONNX models: to the bytes of the file, or to the structure of the parsed model.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "fuzz/seeds.hpp"

namespace bitloom::fuzz {

struct Damaged {
  std::string bytes;
  std::string what;  ///< the seed and each damage, for messages
};

/// Case `index` of a run: the same bytes whenever seed, index and models are the same.
Damaged damage(const std::vector<Seed>& seeds, std::uint64_t seed, std::uint64_t index);

}  // namespace bitloom::fuzz
