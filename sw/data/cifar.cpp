// CIFAR-10 binary: records of a label byte and 32x32 red, green and blue bytes, a colour after the other.
#include "data/compress.hpp"
#include "data/formats.hpp"

namespace bitloom {

namespace {

constexpr std::size_t pixels = 3 * 32 * 32;
constexpr std::size_t record = 1 + pixels;

}  // namespace

Dataset load_cifar(const std::vector<std::filesystem::path>& batches, const LoadOptions& options) {
  Bytes all;
  for (const std::filesystem::path& path : batches) {
    const Bytes batch = read_unpacked(path);
    if (batch.empty() || batch.size() % record != 0)
      throw Error(path.string(), "has " + std::to_string(batch.size()) +
                                     " bytes; CIFAR-10 binary batches are whole records of 3073 bytes (the '" +
                                     "binary version'): truncated, or another format");
    for (std::size_t at = 0; at < batch.size(); at += record)
      if (batch[at] > 9)
        throw Error(path.string(), "record " + std::to_string(at / record) + " has label " + std::to_string(batch[at]) +
                                       "; CIFAR-10 labels are 0 to 9: damaged, or another format");
    all.insert(all.end(), batch.begin(), batch.end());
  }
  Dataset data;
  data.shape = {3, 32, 32};
  data.class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  const Range range = wanted(static_cast<std::int64_t>(all.size() / record), options, batches.front().string());
  data.count = range.size();
  auto& values = data.images.emplace<std::vector<std::int32_t>>();
  values.reserve(static_cast<std::size_t>(data.count) * pixels);
  data.labels.emplace();
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(record) * i;
    data.labels->push_back(*begin);
    values.insert(values.end(), begin + 1, begin + static_cast<std::ptrdiff_t>(record));
  }
  return data;
}

}  // namespace bitloom
