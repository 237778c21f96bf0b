// Images of a data set as pictures of 8 bits.
#include "catch2.hpp"
#include "core/error.hpp"
#include "data/picture.hpp"

using namespace bitloom;

namespace {

Dataset set_of(std::vector<std::int64_t> shape, std::vector<std::int32_t> values) {
  Dataset set;
  set.shape = std::move(shape);
  set.images = std::move(values);
  set.count = static_cast<std::int64_t>(std::get<0>(set.images).size()) / set.image_size();
  return set;
}

}  // namespace

TEST_CASE("a picture spreads the values between black and white") {
  const Dataset set = set_of({1, 2, 2}, {0, 4, 8, 16, 16, 16, 16, 16});
  CHECK(value_range(set) == std::pair<double, double>(0, 16));
  const Picture first = *picture(set, 0, 0, 16);
  CHECK(first.width == 2);
  CHECK(first.height == 2);
  CHECK(first.channels == 1);
  CHECK(first.pixels == std::vector<std::uint8_t>{0, 64, 128, 255});
  CHECK(picture(set, 1, 0, 16)->pixels == std::vector<std::uint8_t>(4, 255));
  CHECK(picture(set, 1, 16, 16)->pixels == std::vector<std::uint8_t>(4, 0));  // a set of one value
  CHECK_THROWS_AS(picture(set, 2, 0, 16), Error);
}

TEST_CASE("channels first and channels last give the same picture") {
  const std::vector<std::uint8_t> pixels = {0, 2, 4, 1, 3, 5};  // two RGB pixels
  CHECK(picture(set_of({3, 1, 2}, {0, 1, 2, 3, 4, 5}), 0, 0, 255)->pixels == pixels);
  CHECK(picture(set_of({1, 2, 3}, {0, 2, 4, 1, 3, 5}), 0, 0, 255)->channels == 1);  // read as CHW: one channel of 2 x 3
  CHECK(picture(set_of({2, 2, 3}, {0, 2, 4, 1, 3, 5, 0, 0, 0, 0, 0, 0}), 0, 0, 255)->pixels ==
        std::vector<std::uint8_t>{0, 2, 4, 1, 3, 5, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("large images are thinned out, and what is no image has no picture") {
  std::vector<std::int32_t> values(100 * 130);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(i % 130);
  const Picture small = *picture(set_of({100, 130}, values), 0, 0, 255);
  CHECK(small.height == 34);
  CHECK(small.width == 44);
  CHECK(small.pixels[1] == 3);  // every third pixel
  CHECK_FALSE(picture(set_of({10}, std::vector<std::int32_t>(10)), 0, 0, 1));
  CHECK_FALSE(picture(set_of({4, 5, 6}, std::vector<std::int32_t>(120)), 0, 0, 1));
}
