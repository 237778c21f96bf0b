// PNG images, alone or in a folder for each class.
#include <png.h>

#include <algorithm>

#include "data/formats.hpp"

namespace bitloom {

namespace {

namespace fs = std::filesystem;

constexpr png_uint_32 largest_side = 8192;

struct Picture {
  std::vector<std::int64_t> shape;  ///< CHW
  std::vector<std::int32_t> values;
};

/// libpng's simplified reader allocates behind its image; this frees it on every path.
struct Reader {
  png_image image{};
  Reader() { image.version = PNG_IMAGE_VERSION; }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_image_free(&image); }
};

Picture read_png(const fs::path& path) {
  const Bytes file = read_file(path);
  const std::string where = path.string();
  Reader reader;
  png_image& image = reader.image;
  const auto damaged = [&] { return Error(where, std::string("is no readable PNG (") + image.message + "); write it again"); };
  if (png_image_begin_read_from_memory(&image, file.data(), file.size()) == 0) throw damaged();
  if ((image.format & (PNG_FORMAT_FLAG_LINEAR | PNG_FORMAT_FLAG_ALPHA)) != 0)
    throw Error(where, std::string("has ") + ((image.format & PNG_FORMAT_FLAG_LINEAR) != 0 ? "16 bits a channel" : "transparency") +
                           "; 8-bit gray or RGB is expected: convert it");
  if (image.width > largest_side || image.height > largest_side)
    throw Error(where, "is " + std::to_string(image.width) + "x" + std::to_string(image.height) +
                           "; at most 8192x8192 is supported: scale it down");
  const bool colour = (image.format & PNG_FORMAT_FLAG_COLOR) != 0;
  image.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Bytes packed(PNG_IMAGE_SIZE(image));
  if (png_image_finish_read(&image, nullptr, packed.data(), 0, nullptr) == 0) throw damaged();
  const std::size_t channels = colour ? 3 : 1;
  const std::size_t area = std::size_t{image.width} * image.height;
  Picture picture{{static_cast<std::int64_t>(channels), image.height, image.width}, {}};
  picture.values.resize(channels * area);
  for (std::size_t i = 0; i < area; ++i)
    for (std::size_t c = 0; c < channels; ++c) picture.values[c * area + i] = packed[i * channels + c];
  return picture;
}

std::vector<fs::path> pngs_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::path& file : sorted_entries(folder))
    if (!is_folder(file) && unpacked_extension(file) == ".png") files.push_back(file);
  return files;
}

Dataset load(const std::vector<fs::path>& files, Range range) {
  Dataset data;
  data.count = range.size();
  auto& values = data.images.emplace<std::vector<std::int32_t>>();
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    const fs::path& file = files[static_cast<std::size_t>(i)];
    const Picture picture = read_png(file);
    const auto text = [](const std::vector<std::int64_t>& s) {
      return std::to_string(s[2]) + "x" + std::to_string(s[1]) + "x" + std::to_string(s[0]);
    };
    if (data.shape.empty()) data.shape = picture.shape;
    if (picture.shape != data.shape)
      throw Error(file.string(), "is " + text(picture.shape) + " (width x height x channels), the first image is " + text(data.shape) +
                                     "; bring all images to one size and colour format");
    values.insert(values.end(), picture.values.begin(), picture.values.end());
  }
  return data;
}

/// The number that a folder's name is, or -1.
int as_number(const std::string& name) {
  const bool digits =
      !name.empty() && name.size() <= 6 && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits ? std::stoi(name) : -1;
}

}  // namespace

Dataset load_png_file(const fs::path& path, const LoadOptions& options) { return load({path}, wanted(1, options, path.string())); }

Dataset load_png_folder(const fs::path& folder, const LoadOptions& options) {
  std::vector<fs::path> classes;
  std::vector<fs::path> files = pngs_in(folder);
  for (const fs::path& entry : sorted_entries(folder))
    if (is_folder(entry) && !pngs_in(entry).empty()) classes.push_back(entry);
  if (files.empty() && classes.empty())
    throw Error(folder.string(),
                "holds no data set; expected IDX files (...images-idx3-ubyte), CIFAR-10 batches (...batch....bin), PNG images, "
                "or a folder of PNG images for each class");
  if (!files.empty() && !classes.empty())
    throw Error(folder.string(), "holds PNG images (" + files.front().filename().string() + ") beside class folders (" +
                                     classes.front().filename().string() + "); move the images into class folders or away");
  const bool numbered =
      std::all_of(classes.begin(), classes.end(), [](const fs::path& c) { return as_number(c.filename().string()) >= 0; });
  std::vector<std::string> names;
  std::vector<std::int32_t> labels;
  for (const fs::path& entry : classes) {
    const int label = numbered ? as_number(entry.filename().string()) : static_cast<int>(names.size());
    names.push_back(entry.filename().string());
    for (const fs::path& file : pngs_in(entry)) {
      files.push_back(file);
      labels.push_back(label);
    }
  }
  const Range range = wanted(static_cast<std::int64_t>(files.size()), options, folder.string());
  Dataset data = load(files, range);
  if (classes.empty()) return data;
  data.labels.emplace(labels.begin() + range.begin, labels.begin() + range.end);
  if (!numbered) data.class_names = std::move(names);
  return data;
}

}  // namespace bitloom
