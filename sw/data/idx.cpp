// IDX: 0, 0, item type, number of dimensions, the dimensions (big endian, 32 bits each), the items (big endian).
#include <bit>

#include "data/compress.hpp"
#include "data/formats.hpp"

namespace bitloom {

namespace {

namespace fs = std::filesystem;

struct Idx {
  std::uint8_t type = 0;
  std::size_t item = 1;
  std::vector<std::int64_t> shape;
  std::size_t data = 0;
  Bytes file;

  std::uint64_t bits(std::size_t index) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < item; ++i) value = value << 8 | file[data + index * item + i];
    return value;
  }
  bool is_float() const { return type == 0x0d || type == 0x0e; }
  float real(std::size_t index) const {
    const std::uint64_t b = bits(index);
    return type == 0x0d ? std::bit_cast<float>(static_cast<std::uint32_t>(b)) : static_cast<float>(std::bit_cast<double>(b));
  }
  std::int32_t integer(std::size_t index) const {
    const std::uint64_t b = bits(index);
    switch (type) {
      case 0x09: return static_cast<std::int8_t>(b);
      case 0x0b: return static_cast<std::int16_t>(b);
      default: return static_cast<std::int32_t>(b);  // unsigned bytes and 32-bit integers
    }
  }
};

Idx read_idx(const fs::path& path) {
  const std::string where = path.string();
  Idx idx;
  idx.file = read_unpacked(path);
  const Bytes& file = idx.file;
  if (file.size() < 4 || file[0] != 0 || file[1] != 0)
    throw Error(where,
                "does not begin as an IDX file does (two zero bytes, type, number of dimensions); check that this is the right file");
  idx.type = file[2];
  switch (idx.type) {
    case 0x08:
    case 0x09: idx.item = 1; break;
    case 0x0b: idx.item = 2; break;
    case 0x0c:
    case 0x0d: idx.item = 4; break;
    case 0x0e: idx.item = 8; break;
    default:
      throw Error(where, "has IDX item type " + std::to_string(idx.type) + "; 8, 9, 11, 12, 13 and 14 are expected: the file is damaged");
  }
  const std::size_t rank = file[3];
  idx.data = 4 + 4 * rank;
  if (rank == 0 || rank > 8) throw Error(where, "states " + std::to_string(rank) + " dimensions; 1 to 8 are expected: the file is damaged");
  if (file.size() < idx.data)
    throw Error(where, "is truncated within its header of " + std::to_string(idx.data) + " bytes; get the file again");
  std::size_t count = idx.item;
  bool huge = false;
  std::string dims;
  for (std::size_t d = 0; d < rank; ++d) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | file[4 + 4 * d + i];
    idx.shape.push_back(value);
    huge = __builtin_mul_overflow(count, value, &count) || huge;
    dims += (d == 0 ? "" : "x") + std::to_string(value);
  }
  if (huge || count != file.size() - idx.data)
    throw Error(where, "states the size " + dims + ", which takes " + (huge ? "too many" : std::to_string(count)) + " bytes; found " +
                           std::to_string(file.size() - idx.data) + ": truncated or damaged, get the file again");
  return idx;
}

/// The labels' file for an images' file: "images" becomes "labels", "idx3" becomes "idx1", packed in any way. Empty when there is none.
fs::path labels_beside(const fs::path& images) {
  std::string name = images.filename().string();
  const std::size_t at = name.find("images");
  if (at == std::string::npos) return {};
  name.replace(at, 6, "labels");
  if (const std::size_t idx = name.find("idx", at); idx != std::string::npos && idx + 3 < name.size()) name[idx + 3] = '1';
  if (name.ends_with(".gz") || name.ends_with(".xz")) name.resize(name.size() - 3);
  for (const char* packing : {"", ".gz", ".xz"}) {
    std::error_code code;
    const fs::path candidate = images.parent_path() / (name + packing);
    if (fs::is_regular_file(candidate, code)) return candidate;
  }
  return {};
}

std::vector<std::int32_t> read_labels(const fs::path& path, const fs::path& images, std::int64_t count, Range range) {
  const Idx idx = read_idx(path);
  if (idx.is_float() || idx.shape.size() != 1)
    throw Error(path.string(), "holds no labels: one dimension of integers is expected, found " + std::to_string(idx.shape.size()) +
                                   " dimensions of type " + std::to_string(idx.type) + "; check the file names");
  if (idx.shape[0] != count)
    throw Error(path.string(), "holds " + std::to_string(idx.shape[0]) + " labels, " + images.filename().string() + " holds " +
                                   std::to_string(count) + " images; get matching files");
  std::vector<std::int32_t> labels;
  for (std::int64_t i = range.begin; i < range.end; ++i) labels.push_back(idx.integer(static_cast<std::size_t>(i)));
  return labels;
}

}  // namespace

Dataset load_idx(const fs::path& images, const LoadOptions& options) {
  const Idx idx = read_idx(images);
  if (idx.shape.size() < 2) throw Error(images.string(), "holds one dimension, so labels; images have two or more: name the images file");
  Dataset data;
  data.shape.assign(idx.shape.begin() + 1, idx.shape.end());
  if (data.shape.size() == 2) data.shape.insert(data.shape.begin(), 1);
  const Range range = wanted(idx.shape[0], options, images.string());
  data.count = range.size();
  const auto first = static_cast<std::size_t>(range.begin * data.image_size());
  const auto last = static_cast<std::size_t>(range.end * data.image_size());
  if (idx.is_float()) {
    auto& values = data.images.emplace<std::vector<float>>();
    for (std::size_t i = first; i < last; ++i) values.push_back(idx.real(i));
  } else {
    auto& values = data.images.emplace<std::vector<std::int32_t>>();
    for (std::size_t i = first; i < last; ++i) values.push_back(idx.integer(i));
  }
  if (const fs::path labels = labels_beside(images); !labels.empty()) data.labels = read_labels(labels, images, idx.shape[0], range);
  return data;
}

}  // namespace bitloom
