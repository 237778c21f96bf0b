// NPY and NPZ arrays as data sets: the first axis counts the images.
#include <algorithm>

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

/// One array whose images are those of `keys` one after the other.
Tensor side_by_side(const Npz& npz, const std::vector<std::string>& keys, const std::string& where) {
  std::vector<Tensor> parts;
  for (const std::string& key : keys) parts.push_back(npz.read(key));
  const bool any_float = std::any_of(parts.begin(), parts.end(), [](const Tensor& part) { return part.is_float(); });
  std::vector<float> floats;
  std::vector<std::int64_t> integers;
  for (std::size_t p = 0; p < parts.size(); ++p)
    if (parts[p].shape.empty() || parts[p].shape[0] != parts[0].shape[0])
      throw Error(where, "array '" + keys[p] + "' does not hold as many images as '" + keys[0] + "'; the first axis counts the images");
  const std::int64_t images = parts[0].shape[0];
  std::int64_t image_size = 0;
  for (const Tensor& part : parts) image_size += images > 0 ? part.size() / images : 0;
  for (std::int64_t image = 0; image < images; ++image) {
    for (const Tensor& part : parts) {
      const std::int64_t size = part.size() / images;
      for (std::int64_t i = image * size; i < (image + 1) * size; ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (!any_float)
          integers.push_back(part.i()[at]);
        else
          floats.push_back(part.is_float() ? part.f()[at] : static_cast<float>(part.i()[at]));
      }
    }
  }
  return any_float ? Tensor::floats({images, image_size}, std::move(floats)) : Tensor::ints({images, image_size}, std::move(integers));
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
  std::vector<std::string> parts = {images};
  if (options.arrays > 1 && key.empty()) {
    parts = npz.keys();
    std::erase(parts, labels);
    if (parts.size() < options.arrays)
      throw Error(path.string(), "holds " + std::to_string(parts.size()) + " arrays of images; the model has " +
                                     std::to_string(options.arrays) + " inputs: write one for each, in the order of the inputs");
    parts.resize(options.arrays);
  }
  const Tensor tensor = parts.size() > 1 ? side_by_side(npz, parts, path.string()) : npz.read(images);
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
