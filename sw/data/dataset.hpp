// Images with labels, from the formats that people have: the built-in digits, IDX, CIFAR-10, NPY/NPZ, PNG folders.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/graph.hpp"

namespace bitloom {

/// `count` images of one shape, image after image, row major.
struct Dataset {
  std::string name;  ///< the spec that it was loaded from
  std::vector<std::int64_t>
      shape;  ///< of one image: CHW for digits, IDX (C = 1), CIFAR-10 and PNG; as stored, without the first axis, for arrays
  std::int64_t count = 0;
  std::variant<std::vector<std::int32_t>, std::vector<float>> images;  ///< count * image_size() values, as stored: no scaling
  std::optional<std::vector<std::int32_t>> labels;                     ///< one for each image
  std::vector<std::string> class_names;                                ///< class_names[label]; empty when not known

  bool is_integer() const { return images.index() == 0; }
  std::int64_t image_size() const {
    std::int64_t n = 1;
    for (const std::int64_t d : shape) n *= d;
    return n;
  }
  /// One image as a tensor of `shape`: int64 when is_integer(), else float. Throws Error when there is no such image.
  Tensor image(std::int64_t index) const;
};

struct LoadOptions {
  std::int64_t offset = 0;             ///< images to skip
  std::optional<std::int64_t> images;  ///< at most this many (fewer when the set ends before); all when not given
  std::size_t arrays = 1;              ///< of an NPZ file: so many arrays, in the file's order, make an image, one after the other
};

/// Loads what `spec` names; files ending in .gz or .xz are decompressed.
///   digits, digits:train   the built-in 8x8 digits: 360 test or 1,437 training images, pixels 0 .. 16
///   IDX file or folder     MNIST style; labels come from the file whose name has "labels" for "images"; a folder means its test set
///   (t10k-...) if it is there CIFAR-10 file, folder  binary batches (.bin); a folder means its test batch if it is there, else all its
///   data batches .npy                   the first axis counts the images .npz, FILE.npz:key     the array `key`, else the first that is
///   not the labels; labels from the array "labels" or "y" if it is there .png, folder           8-bit gray or RGB; a folder's subfolders
///   are the classes, in the order of their names, or numbered when all names are numbers
/// Throws Error naming the file, what was found, what was expected and what to do.
Dataset load_dataset(const std::string& spec, const LoadOptions& options = {});

}  // namespace bitloom
