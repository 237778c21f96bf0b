#include "data/dataset.hpp"

#include <algorithm>

#include "core/resources.hpp"
#include "data/formats.hpp"

namespace bitloom {

namespace {

namespace fs = std::filesystem;

std::string file_name(const fs::path& path) { return path.filename().string(); }

Dataset load_file(const fs::path& path, const std::string& key, const LoadOptions& options) {
  const std::string kind = unpacked_extension(path);
  if (kind == ".npz") return load_npz(path, key, options);
  if (kind == ".npy") return load_npy(path, options);
  if (kind == ".png") return load_png_file(path, options);
  if (kind == ".bin") return load_cifar({path}, options);
  if (is_idx_name(path)) return load_idx(path, options);
  throw Error(path.string(),
              "is of no known format; name IDX files *-idx3-ubyte, CIFAR-10 batches *.bin, arrays *.npy or *.npz, images *.png "
              "(all but .npz and .png may end in .gz or .xz)");
}

/// The first file of `files` whose name begins with one of `preferred`; else the first.
const fs::path& prefer(const std::vector<fs::path>& files, std::initializer_list<const char*> preferred) {
  for (const char* prefix : preferred)
    for (const fs::path& file : files)
      if (file_name(file).starts_with(prefix)) return file;
  return files.front();
}

Dataset load_folder(const fs::path& folder, const LoadOptions& options) {
  std::vector<fs::path> images, batches;
  for (const fs::path& file : sorted_entries(folder)) {
    if (is_folder(file)) continue;
    if (is_idx_name(file) && file_name(file).find("images") != std::string::npos) images.push_back(file);
    if (unpacked_extension(file) == ".bin" && file_name(file).find("batch") != std::string::npos) batches.push_back(file);
  }
  if (!images.empty()) return load_idx(prefer(images, {"t10k", "test"}), options);
  if (!batches.empty()) {
    const fs::path& first = prefer(batches, {"test_batch"});
    return load_cifar(file_name(first).starts_with("test_batch") ? std::vector{first} : batches, options);
  }
  return load_png_folder(folder, options);
}

Dataset load_digits(const std::string& part, const LoadOptions& options) {
  if (part != "" && part != "test" && part != "train")
    throw Error("digits:" + part, "there is no such part; use digits (the test images) or digits:train");
  Dataset digits =
      load_idx(resource("sw/data/digits") / (part == "train" ? "train-images-idx3-ubyte.gz" : "t10k-images-idx3-ubyte.gz"), options);
  for (int i = 0; i < 10; ++i) digits.class_names.push_back(std::to_string(i));
  return digits;
}

}  // namespace

Tensor Dataset::image(std::int64_t index) const {
  if (index < 0 || index >= count)
    throw Error(name, "there is no image " + std::to_string(index) + "; " + std::to_string(count) + " images are loaded");
  const std::int64_t begin = index * image_size();
  const auto cut = [&](const auto& values) { return std::pair(values.begin() + begin, values.begin() + begin + image_size()); };
  if (is_integer()) {
    const auto [first, last] = cut(std::get<0>(images));
    return Tensor::ints(shape, {first, last});
  }
  const auto [first, last] = cut(std::get<1>(images));
  return Tensor::floats(shape, {first, last});
}

Dataset load_dataset(const std::string& spec, const LoadOptions& options) {
  if (options.offset < 0 || (options.images && *options.images < 1))
    throw Error(spec, "the offset must be 0 or more and the number of images 1 or more");
  Dataset data;
  if (spec == "digits" || spec.starts_with("digits:")) {
    data = load_digits(spec.size() > 7 ? spec.substr(7) : "", options);
  } else {
    const auto [path, key] = split_npz_spec(spec);
    std::error_code code;
    if (!fs::exists(path, code)) throw Error(spec, "there is no such file or folder; name one, or 'digits' for the built-in digits");
    data = is_folder(path) ? load_folder(path, options) : load_file(path, key, options);
  }
  data.name = spec;
  return data;
}

}  // namespace bitloom
