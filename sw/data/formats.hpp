// One reader for each format; dataset.cpp chooses among them. Each cuts to the images that the options ask for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/arrays.hpp"
#include "data/dataset.hpp"

namespace bitloom {

/// IDX images [N, H, W] or [N, ...] with the labels found beside them.
Dataset load_idx(const std::filesystem::path& images, const LoadOptions& options);
/// CIFAR-10 binary batches, one after the other.
Dataset load_cifar(const std::vector<std::filesystem::path>& batches, const LoadOptions& options);
Dataset load_npy(const std::filesystem::path& path, const LoadOptions& options);
Dataset load_npz(const std::filesystem::path& path, const std::string& key, const LoadOptions& options);
Dataset load_png_file(const std::filesystem::path& path, const LoadOptions& options);
/// Subfolders are classes; images that lie in the folder itself have no labels.
Dataset load_png_folder(const std::filesystem::path& folder, const LoadOptions& options);

/// Images begin .. end of the file that are wanted.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
};
/// Throws Error when the options begin beyond the `available` images.
Range wanted(std::int64_t available, const LoadOptions& options, const std::string& where);

/// The extension in lower case, before .gz or .xz: ".bin" for "a.bin.xz".
std::string unpacked_extension(const std::filesystem::path& path);
/// Whether the name follows MNIST's (...-idx3-ubyte) or ends in .idx.
bool is_idx_name(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);
/// A folder's entries in the order of their names.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder);

}  // namespace bitloom
