#include <lzma.h>
#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>

#include "catch2.hpp"
#include "data/compress.hpp"
#include "data/dataset.hpp"
#include "unit/data_temp.hpp"

using namespace bitloom;

namespace {

Bytes gzip(const Bytes& content) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes packed(deflateBound(&stream, content.size()));
  stream.next_in = const_cast<Bytef*>(content.data());
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Bytes xz(const Bytes& content) {
  Bytes packed(lzma_stream_buffer_bound(content.size()));
  std::size_t size = 0;
  REQUIRE(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr, content.data(), content.size(), packed.data(), &size, packed.size()) ==
          LZMA_OK);
  packed.resize(size);
  return packed;
}

void write_png(const std::filesystem::path& path, png_uint_32 width, png_uint_32 height, png_uint_32 format,
               const std::vector<std::uint16_t>& values) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = format;
  const Bytes bytes(values.begin(), values.end());
  const bool wide = (format & PNG_FORMAT_FLAG_LINEAR) != 0;
  const void* pixels = wide ? static_cast<const void*>(values.data()) : bytes.data();
  REQUIRE(png_image_write_to_file(&image, path.c_str(), 0, pixels, 0, nullptr) != 0);
}

Bytes cifar_record(std::uint8_t label) {
  Bytes record{label};
  for (int i = 0; i < 3072; ++i) record.push_back(static_cast<std::uint8_t>(i / 1024 * 50 + i % 7 + label));
  return record;
}

const std::vector<std::int32_t>& values(const Dataset& data) { return std::get<0>(data.images); }

}  // namespace

TEST_CASE("the built-in digits are split 360 to 1,437 with every class in its share") {
  const Dataset test = load_dataset("digits");
  const Dataset train = load_dataset("digits:train");
  CHECK(test.count == 360);
  CHECK(train.count == 1437);
  CHECK(test.shape == std::vector<std::int64_t>{1, 8, 8});
  CHECK(test.class_names.size() == 10);
  std::map<std::int32_t, std::pair<int, int>> classes;
  for (const std::int32_t label : *test.labels) ++classes[label].first;
  for (const std::int32_t label : *train.labels) ++classes[label].second;
  REQUIRE(classes.size() == 10);
  for (const auto& [label, counts] : classes) CHECK(std::abs(counts.first * 1797 - (counts.first + counts.second) * 360) < 1797);
  CHECK(*std::max_element(values(test).begin(), values(test).end()) == 16);
  CHECK(*std::min_element(values(test).begin(), values(test).end()) == 0);
  // The sum over all pixels of both parts is that of the UCI file: nothing is lost or changed.
  std::int64_t sum = 0;
  for (const Dataset* part : {&test, &train})
    for (const std::int32_t pixel : values(*part)) sum += pixel;
  CHECK(sum == 561718);
  CHECK_THROWS_WITH(load_dataset("digits:other"), contains_text("digits:train"));
}

TEST_CASE("offset and images cut a data set") {
  const Dataset all = load_dataset("digits");
  const Dataset cut = load_dataset("digits", {.offset = 350, .images = 4});
  CHECK(cut.count == 4);
  for (std::int64_t i = 0; i < 4; ++i) {
    CHECK(cut.image(i).i() == all.image(350 + i).i());
    CHECK((*cut.labels)[static_cast<std::size_t>(i)] == (*all.labels)[static_cast<std::size_t>(350 + i)]);
  }
  CHECK(load_dataset("digits", {.offset = 350, .images = 100}).count == 10);
  CHECK_THROWS_WITH(load_dataset("digits", {.offset = 360, .images = {}}), contains_text("360 images") && contains_text("0 to 359"));
  CHECK_THROWS_AS(load_dataset("digits", {.offset = -1, .images = {}}), Error);
  CHECK_THROWS_AS(load_dataset("digits", {.offset = 0, .images = 0}), Error);
}

TEST_CASE("IDX files are read plain and packed, with the labels beside them") {
  const TemporaryFolder folder;
  const Bytes images = idx_file(8, {3, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255});
  write_file_atomically(folder / "train-images-idx3-ubyte", idx_file(8, {1, 2, 2}, {0, 0, 0, 0}));
  write_file_atomically(folder / "t10k-images-idx3-ubyte.gz", gzip(images));
  const std::string file = (folder / "t10k-images-idx3-ubyte.gz").string();
  CHECK_FALSE(load_dataset(file).labels);
  write_file_atomically(folder / "t10k-labels-idx1-ubyte.xz", xz(idx_file(8, {3}, {7, 8, 9})));
  const Dataset data = load_dataset(file);
  CHECK(data.shape == std::vector<std::int64_t>{1, 2, 2});
  CHECK(values(data) == std::vector<std::int32_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255});
  CHECK(data.labels == std::vector<std::int32_t>{7, 8, 9});
  CHECK(load_dataset(folder.path().string()).count == 3);  // the test set, not the training set
  std::filesystem::remove(folder / "t10k-images-idx3-ubyte.gz");
  CHECK(load_dataset(folder.path().string()).count == 1);
}

TEST_CASE("IDX items of every type are read") {
  const TemporaryFolder folder;
  const std::string path = (folder / "x.idx").string();
  const auto load = [&](std::uint8_t type, const std::vector<std::uint64_t>& items, int item) {
    write_file_atomically(path, idx_file(type, {1, 2}, items, item));
    return load_dataset(path);
  };
  CHECK(values(load(0x09, {0xff, 1}, 1)) == std::vector<std::int32_t>{-1, 1});
  CHECK(values(load(0x0b, {0xfffe, 256}, 2)) == std::vector<std::int32_t>{-2, 256});
  CHECK(values(load(0x0c, {0xfffffffd, 65536}, 4)) == std::vector<std::int32_t>{-3, 65536});
  CHECK(std::get<1>(load(0x0d, {0x3fc00000, 0}, 4).images) == std::vector<float>{1.5F, 0});
  CHECK(std::get<1>(load(0x0e, {0x3ff8000000000000, 0}, 8).images) == std::vector<float>{1.5F, 0});
  CHECK(load(0x0e, {0x3ff8000000000000, 0}, 8).image(0).f() == std::vector<float>{1.5F, 0});
}

TEST_CASE("damaged IDX files are refused with what was found and expected") {
  const TemporaryFolder folder;
  const std::string path = (folder / "a-images-idx3-ubyte").string();
  const auto load = [&](const Bytes& bytes) {
    write_file_atomically(path, bytes);
    return load_dataset(path);
  };
  const Bytes good = idx_file(8, {2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK_THROWS_WITH(load(idx_file(8, {2, 2, 2}, {1, 2, 3})), contains_text("2x2x2, which takes 8 bytes; found 3"));
  CHECK_THROWS_WITH(load(idx_file(8, {2, 2}, {1, 2, 3, 4, 5})), contains_text("takes 4 bytes; found 5"));
  CHECK_THROWS_WITH(load(idx_file(8, {0xffffffff, 0xffffffff, 0xffffffff}, {})), contains_text("too many"));
  CHECK_THROWS_WITH(load(idx_file(10, {2, 2}, {1, 2, 3, 4})), contains_text("item type 10"));
  CHECK_THROWS_WITH(load(idx_file(8, {}, {})), contains_text("0 dimensions"));
  CHECK_THROWS_WITH(load(idx_file(8, {3}, {1, 2, 3})), contains_text("so labels"));
  CHECK_THROWS_WITH(load(idx_file(8, {0, 2, 2}, {})), contains_text("no images"));
  CHECK_THROWS_WITH(load({1, 2, 3, 4, 5}), contains_text("does not begin as an IDX file"));
  write_file_atomically(folder / "a-labels-idx1-ubyte", idx_file(8, {3}, {1, 2, 3}));
  CHECK_THROWS_WITH(load(good), contains_text("3 labels") && contains_text("2 images"));
  write_file_atomically(folder / "a-labels-idx1-ubyte", good);
  CHECK_THROWS_WITH(load(good), contains_text("holds no labels"));
  std::filesystem::remove(folder / "a-labels-idx1-ubyte");
  survives_damage(path, good, [&] { load_dataset(path); });
}

TEST_CASE("packed files: several members are joined, damage is refused") {
  Bytes content(2'500'000);
  std::iota(content.begin(), content.end(), std::uint8_t{0});
  const auto both = [](const Bytes& once) {
    Bytes twice = once;
    twice.insert(twice.end(), once.begin(), once.end());
    return twice;
  };
  CHECK(gunzip(gzip(content), "f") == content);
  CHECK(unxz(xz(content), "f") == content);
  CHECK(gunzip(both(gzip(content)), "f") == both(content));
  CHECK(unxz(both(xz(content)), "f") == both(content));
  CHECK(gunzip(gzip({}), "f").empty());
  CHECK_THROWS_WITH(gunzip({}, "f"), contains_text("truncated"));
  CHECK_THROWS_WITH(unxz({}, "f"), contains_text("truncated"));
  CHECK_THROWS_WITH(gunzip({1, 2, 3}, "f"), contains_text("f: the gzip data are damaged"));
  CHECK_THROWS_WITH(unxz({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, "f"), contains_text("f: the xz data are damaged"));

  const TemporaryFolder folder;
  const Bytes idx = idx_file(8, {4, 5, 5}, std::vector<std::uint64_t>(100, 3));
  survives_damage(folder / "a.idx.gz", gzip(idx), [&] { load_dataset((folder / "a.idx.gz").string()); });
  survives_damage(folder / "a.idx.xz", xz(idx), [&] { load_dataset((folder / "a.idx.xz").string()); });
}

TEST_CASE("CIFAR-10 batches: the test batch is preferred, else all data batches follow each other") {
  const TemporaryFolder folder;
  Bytes two = cifar_record(3);
  const Bytes other = cifar_record(9);
  two.insert(two.end(), other.begin(), other.end());
  write_file_atomically(folder / "data_batch_1.bin.xz", xz(two));
  write_file_atomically(folder / "data_batch_2.bin", cifar_record(1));
  const Dataset train = load_dataset(folder.path().string());
  CHECK(train.count == 3);
  CHECK(train.labels == std::vector<std::int32_t>{3, 9, 1});
  CHECK(train.shape == std::vector<std::int64_t>{3, 32, 32});
  CHECK(train.class_names[3] == "cat");
  CHECK(train.image(1).i()[1024] == 50 + 1024 % 7 + 9);
  write_file_atomically(folder / "test_batch.bin.gz", gzip(cifar_record(5)));
  CHECK(load_dataset(folder.path().string()).labels == std::vector<std::int32_t>{5});
  CHECK(load_dataset((folder / "data_batch_1.bin.xz").string(), {.offset = 1, .images = {}}).labels == std::vector<std::int32_t>{9});

  write_file_atomically(folder / "x.bin", Bytes(3074));
  CHECK_THROWS_WITH(load_dataset((folder / "x.bin").string()), contains_text("3074 bytes"));
  write_file_atomically(folder / "x.bin", cifar_record(10));
  CHECK_THROWS_WITH(load_dataset((folder / "x.bin").string()), contains_text("record 0 has label 10"));
}

TEST_CASE("a folder of PNG images by class") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "dog");
  std::filesystem::create_directories(folder / "cat");
  write_png(folder / "dog/a.png", 2, 1, PNG_FORMAT_RGB, {1, 2, 3, 4, 5, 6});
  write_png(folder / "cat/b.png", 2, 1, PNG_FORMAT_RGB, {7, 8, 9, 10, 11, 12});
  write_png(folder / "cat/a.PNG", 2, 1, PNG_FORMAT_RGB, {13, 14, 15, 16, 17, 18});
  const Dataset data = load_dataset(folder.path().string());
  CHECK(data.shape == std::vector<std::int64_t>{3, 1, 2});
  CHECK(data.labels == std::vector<std::int32_t>{0, 0, 1});
  CHECK(data.class_names == std::vector<std::string>{"cat", "dog"});
  CHECK(data.image(0).i() == std::vector<std::int64_t>{13, 16, 14, 17, 15, 18});
  CHECK(load_dataset(folder.path().string(), {.offset = 2, .images = 1}).labels == std::vector<std::int32_t>{1});

  write_png(folder / "dog/c.png", 1, 1, PNG_FORMAT_GRAY, {1});
  CHECK_THROWS_WITH(load_dataset(folder.path().string()), contains_text("c.png") && contains_text("1x1x1") && contains_text("2x1x3"));
  write_png(folder / "stray.png", 1, 1, PNG_FORMAT_GRAY, {1});
  CHECK_THROWS_WITH(load_dataset(folder.path().string()), contains_text("stray.png"));
}

TEST_CASE("PNG folders whose names are numbers are labelled with them; loose images have no labels") {
  const TemporaryFolder folder;
  for (const char* name : {"10", "2"}) {
    std::filesystem::create_directories(folder / name);
    write_png(folder / (std::string(name) + "/x.png"), 2, 2, PNG_FORMAT_GRAY, {0, 100, 200, 255});
  }
  const Dataset data = load_dataset(folder.path().string());
  CHECK(data.labels == std::vector<std::int32_t>{10, 2});
  CHECK(data.shape == std::vector<std::int64_t>{1, 2, 2});
  CHECK(data.image(1).i() == std::vector<std::int64_t>{0, 100, 200, 255});
  CHECK(data.class_names.empty());
  CHECK_FALSE(load_dataset((folder / "2").string()).labels);
  CHECK(load_dataset((folder / "2/x.png").string()).count == 1);
}

TEST_CASE("PNG files of other kinds or damaged are refused") {
  const TemporaryFolder folder;
  const std::string path = (folder / "a.png").string();
  write_png(path, 1, 1, PNG_FORMAT_RGBA, {1, 2, 3, 4});
  CHECK_THROWS_WITH(load_dataset(path), contains_text("transparency"));
  write_png(path, 1, 1, PNG_FORMAT_LINEAR_Y, {300});
  CHECK_THROWS_WITH(load_dataset(path), contains_text("16 bits"));
  write_png(path, 3, 3, PNG_FORMAT_GRAY, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  Bytes file = read_file(path);
  file.resize(file.size() - 12);  // libpng needs no end chunk once all rows are there
  survives_damage(path, file, [&] { load_dataset(path); });
}

TEST_CASE("what is no data set is refused with the formats that are") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(load_dataset((folder / "none").string()), contains_text("no such file"));
  CHECK_THROWS_WITH(load_dataset(folder.path().string()), contains_text("no data set") && contains_text("CIFAR-10"));
  write_file_atomically(folder / "a.txt", "x");
  CHECK_THROWS_WITH(load_dataset((folder / "a.txt").string()), contains_text("no known format"));
}

TEST_CASE("the real MNIST, Fashion-MNIST and CIFAR-10 files, where they are at hand") {
  const char* shared = std::getenv("BITLOOM_SHARED");
  const std::filesystem::path folder = std::filesystem::path(shared != nullptr ? shared : "") / "data";
  if (shared == nullptr || !std::filesystem::is_directory(folder)) {
    WARN("skipped: $BITLOOM_SHARED/data is not there");
    return;
  }
  const Dataset mnist = load_dataset((folder / "mnist").string());
  CHECK(mnist.count == 10000);
  CHECK(mnist.shape == std::vector<std::int64_t>{1, 28, 28});
  CHECK((*mnist.labels)[0] == 7);  // the first test image is the well-known seven
  CHECK((*mnist.labels)[1] == 2);
  // Adler-32 of the file whose published md5 is 2646ac647ad5339dbf082846283269ea.
  Bytes pixels;
  for (const std::int32_t v : values(mnist)) pixels.push_back(static_cast<std::uint8_t>(v));
  CHECK(adler32(1, pixels.data(), static_cast<uInt>(pixels.size())) == 0x6c525526U);
  const Dataset fashion = load_dataset((folder / "fashion-mnist").string(), {.offset = 0, .images = 2});
  CHECK(fashion.labels == std::vector<std::int32_t>{9, 2});  // ankle boot, pullover
  const Dataset cifar = load_dataset((folder / "cifar-10").string(), {.offset = 0, .images = 2});
  CHECK(cifar.labels == std::vector<std::int32_t>{3, 8});  // cat, ship
}
