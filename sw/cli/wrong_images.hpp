// The images that a network gets wrong, for run.json and the report.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "data/dataset.hpp"

namespace bitloom::cli {

struct WrongAnswer {
  std::int64_t image, label, answer;
};

/// Up to 12 of them with their pixels, the most frequent confusions first and one image of each before a second of any.
/// Empty when the images are no pictures.
nlohmann::json wrong_images_json(const Dataset& set, std::vector<WrongAnswer> wrong,
                                 const std::vector<std::vector<std::int64_t>>& confusion);

}  // namespace bitloom::cli
