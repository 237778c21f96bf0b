// NumPy's NPY and NPZ files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/graph.hpp"

namespace bitloom {

/// Reads a bool, integer or float array (1 to 8 bytes an item, either byte order, C or Fortran order) in row-major order.
/// Floats become float, everything else int64. A file ending in .gz or .xz is decompressed first.
Tensor read_npy(const std::filesystem::path& path);

/// The arrays of an NPZ file in the order of the file, without the ".npy" of their names.
std::vector<std::string> npz_keys(const std::filesystem::path& path);

/// One array of an NPZ file; the first where `key` is empty.
Tensor read_npz(const std::filesystem::path& path, const std::string& key = "");

/// What --expect names: FILE.npy, FILE.npz or FILE.npz:key.
Tensor read_tensor(const std::string& spec);

enum class NpyType { Float32, Int32, Int64 };

/// Writes version 1.0, little endian, C order, under a temporary name that is then renamed. Throws Error when a value does not fit the
/// type.
void write_npy(const std::filesystem::path& path, const Tensor& tensor, NpyType type);
/// The same with the tensor's own type: float32 or int64.
void write_npy(const std::filesystem::path& path, const Tensor& tensor);

/// Arrays by name, each as write_npy would write it, uncompressed (as numpy.savez does). Throws Error when a name occurs twice.
void write_npz(const std::filesystem::path& path, const std::vector<std::pair<std::string, Tensor>>& arrays);

}  // namespace bitloom
