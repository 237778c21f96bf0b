#include "cli/wrong_images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "data/picture.hpp"

namespace bitloom::cli {
namespace {
constexpr std::size_t kMost = 12;
}

nlohmann::json wrong_images_json(const Dataset& set, std::vector<WrongAnswer> wrong,
                                 const std::vector<std::vector<std::int64_t>>& confusion) {
  // How many of the same confusion stand before an image, then how frequent its confusion is.
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> seen;
  std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t, WrongAnswer>> order;
  for (const WrongAnswer& w : wrong)
    order.emplace_back(seen[{w.label, w.answer}]++, -confusion.at(static_cast<std::size_t>(w.label)).at(static_cast<std::size_t>(w.answer)),
                       w.image, w);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::tie(std::get<0>(a), std::get<1>(a), std::get<2>(a)) < std::tie(std::get<0>(b), std::get<1>(b), std::get<2>(b));
  });
  nlohmann::json rows = nlohmann::json::array();
  const auto [low, high] = value_range(set);
  for (const auto& [repeat, frequency, image, w] : order) {
    if (rows.size() == kMost) break;
    const auto shown = picture(set, w.image, low, high);
    if (!shown) break;
    rows.push_back({{"image", w.image},
                    {"label", w.label},
                    {"answer", w.answer},
                    {"width", shown->width},
                    {"height", shown->height},
                    {"channels", shown->channels},
                    {"pixels", fmt::format("{:02x}", fmt::join(shown->pixels, ""))}});
  }
  return rows;
}

}  // namespace bitloom::cli
