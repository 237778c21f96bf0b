// The models that the fuzzer damages: small ones built here, which together use every operator that lowering knows, and files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "onnx/proto.hpp"

namespace bitloom::fuzz {

struct Seed {
  std::string name;
  ::onnx::ModelProto model;
};

/// How many of the seeds lie in the repository; these come first.
constexpr std::size_t kBuiltSeeds = 11;

/// The small models.
std::vector<Seed> built_seeds();

/// Built models, the repository's digits models, and every model of up to `largest_file` bytes below `shared` (if that is a folder).
std::vector<Seed> load_seeds(const std::filesystem::path& repository, const std::filesystem::path& shared, std::uintmax_t largest_file);

}  // namespace bitloom::fuzz
