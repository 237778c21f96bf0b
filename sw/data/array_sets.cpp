// NPY and NPZ arrays as data sets: the first axis counts the images.
#include "data/compress.hpp"
#include "data/formats.hpp"

namespace bitloom {

namespace {

std::int32_t narrowed(std::int64_t value, const std::string& where) {
  if (!std::in_range<std::int32_t>(value))
    throw Error(where, "holds " + std::to_string(value) + "; integers of data sets must fit 32 bits: convert the array to float32");
  return static_cast<std::int32_t>(value);
}

Dataset from_tensor(const Tensor& tensor, const LoadOptions& options, const std::string& where) {
  if (tensor.shape.empty()) throw Error(where, "holds a single number; an array is expected whose first axis counts the images");
  Dataset data;
  data.shape.assign(tensor.shape.begin() + 1, tensor.shape.end());
  if (data.image_size() == 0) throw Error(where, "has an axis of length 0, so its images are empty; check how it was written");
  const Range range = wanted(tensor.shape[0], options, where);
  data.count = range.size();
  const std::int64_t first = range.begin * data.image_size();
  const std::int64_t last = range.end * data.image_size();
  if (tensor.is_float()) {
    data.images = std::vector<float>(tensor.f().begin() + first, tensor.f().begin() + last);
  } else {
    auto& values = data.images.emplace<std::vector<std::int32_t>>();
    values.reserve(static_cast<std::size_t>(last - first));
    for (std::int64_t i = first; i < last; ++i) values.push_back(narrowed(tensor.i()[static_cast<std::size_t>(i)], where));
  }
  return data;
}

std::string label_key(const Npz& npz) {
  for (const char* key : {"labels", "y"})
    if (npz.has(key)) return key;
  return "";
}

}  // namespace

Dataset load_npy(const std::filesystem::path& path, const LoadOptions& options) {
  return from_tensor(parse_npy(read_unpacked(path), path.string()), options, path.string());
}

Dataset load_npz(const std::filesystem::path& path, const std::string& key, const LoadOptions& options) {
  const Npz npz(read_file(path), path.string());
  const std::string labels = label_key(npz);
  std::string images = key;
  for (const std::string& candidate : npz.keys())
    if (images.empty() && candidate != labels) images = candidate;
  if (images.empty()) throw Error(path.string(), "holds no array of images; write it with numpy.savez(file, images=..., labels=...)");
  const Tensor tensor = npz.read(images);
  Dataset data = from_tensor(tensor, options, path.string() + ":" + images);
  if (labels.empty() || labels == images) return data;
  const std::string where = path.string() + ":" + labels;
  const Tensor stored = npz.read(labels);
  if (stored.is_float() || stored.size() != tensor.shape[0])
    throw Error(where, "holds " + std::to_string(stored.size()) + (stored.is_float() ? " floats" : " integers") +
                           "; one integer for each of the " + std::to_string(tensor.shape[0]) + " images is expected");
  const Range range = wanted(tensor.shape[0], options, where);
  data.labels.emplace();
  for (std::int64_t i = range.begin; i < range.end; ++i) data.labels->push_back(narrowed(stored.i()[static_cast<std::size_t>(i)], where));
  return data;
}

}  // namespace bitloom
