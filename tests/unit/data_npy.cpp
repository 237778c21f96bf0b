#include "data/npy.hpp"

#include <zip.h>

#include <bit>
#include <cmath>
#include <limits>

#include "catch2.hpp"
#include "data/dataset.hpp"
#include "unit/data_temp.hpp"

using namespace bitloom;

namespace {

/// An NPY file from its header's parts and its data, all bytes given: independent of write_npy.
Bytes npy_file(const std::string& descr, const std::string& fortran, const std::string& shape, const Bytes& data) {
  const std::string header = "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
  Bytes file{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<std::uint8_t>(header.size()), 0};
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), data.begin(), data.end());
  return file;
}

void write_npz(const std::filesystem::path& path, const std::vector<std::pair<std::string, Bytes>>& arrays) {
  int code = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  REQUIRE(archive != nullptr);
  for (const auto& [key, bytes] : arrays)
    REQUIRE(zip_file_add(archive, (key + ".npy").c_str(), zip_source_buffer(archive, bytes.data(), bytes.size(), 0), 0) >= 0);
  REQUIRE(zip_close(archive) == 0);
}

const Bytes labels_012 = npy_file("|u1", "False", "(3,)", {0, 1, 2});
const Bytes images_3x2 = npy_file("|u1", "False", "(3, 2)", {10, 11, 12, 13, 14, 15});

}  // namespace

TEST_CASE("tensors survive the way through NPY") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "a.npy";
  const auto shape = GENERATE(std::vector<std::int64_t>{}, std::vector<std::int64_t>{5}, std::vector<std::int64_t>{2, 3, 4},
                              std::vector<std::int64_t>{3, 0});
  Tensor ints = Tensor::ints(shape, {});
  Tensor floats = Tensor::floats(shape, {});
  for (std::int64_t i = 0; i < ints.size(); ++i) {
    ints.i().push_back(i * 1'000'003 - 2);
    floats.f().push_back(static_cast<float>(i) / 3.0F);
  }
  write_npy(path, ints);
  CHECK(read_npy(path).shape == shape);
  CHECK(read_npy(path).i() == ints.i());
  CHECK(read_file(path).size() == 128 + 8 * ints.i().size());  // the data begin at a multiple of 64
  write_npy(path, ints, NpyType::Int32);
  CHECK(read_npy(path).i() == ints.i());
  write_npy(path, floats);
  CHECK(read_npy(path).f() == floats.f());
  CHECK(read_npy(path).shape == shape);
}

TEST_CASE("values that do not fit the file's type are refused and the old file stays") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a.npy", "old");
  CHECK_THROWS_WITH(write_npy(folder / "a.npy", Tensor::ints({1}, {std::int64_t{1} << 31}), NpyType::Int32), contains_text("does not fit"));
  CHECK_THROWS_WITH(write_npy(folder / "a.npy", Tensor::floats({1}, {0.5F}), NpyType::Int64), contains_text("no integer"));
  CHECK_THROWS_WITH(write_npy(folder / "a.npy", Tensor::floats({1}, {std::nanf("")}), NpyType::Int32), contains_text("no integer"));
  CHECK_THROWS_WITH(write_npy(folder / "a.npy", Tensor::floats({1}, {0x1p31F}), NpyType::Int32), contains_text("no integer"));
  CHECK_THROWS_WITH(write_npy(folder / "a.npy", Tensor::floats({2}, {1})), contains_text("asks for 2"));
  CHECK(read_text_file(folder / "a.npy") == "old");
  write_npy(folder / "a.npy", Tensor::floats({1}, {-0x1p31F}), NpyType::Int32);
  CHECK(read_npy(folder / "a.npy").i().front() == std::numeric_limits<std::int32_t>::min());
}

TEST_CASE("every common item type and order is read") {
  const TemporaryFolder folder;
  const auto ints = [&](const std::string& type, const Bytes& data) {
    write_file_atomically(folder / "a.npy", npy_file(type, "False", "(2,)", data));
    return read_npy(folder / "a.npy").i();
  };
  const auto floats = [&](const std::string& type, const Bytes& data) {
    write_file_atomically(folder / "a.npy", npy_file(type, "False", "(2L,)", data));
    return read_npy(folder / "a.npy").f();
  };
  using I = std::vector<std::int64_t>;
  using F = std::vector<float>;
  CHECK(ints("|b1", {0, 1}) == I{0, 1});
  CHECK(ints("|i1", {255, 127}) == I{-1, 127});
  CHECK(ints("|u1", {255, 127}) == I{255, 127});
  CHECK(ints("<i2", {0xfe, 0xff, 0, 1}) == I{-2, 256});
  CHECK(ints(">i2", {0xff, 0xfe, 1, 0}) == I{-2, 256});
  CHECK(ints("<u2", {0xfe, 0xff, 0, 1}) == I{65534, 256});
  CHECK(ints("<i4", {0, 0, 0, 0x80, 1, 0, 0, 0}) == I{-2147483648LL, 1});
  CHECK(ints("<u4", {0, 0, 0, 0x80, 1, 0, 0, 0}) == I{2147483648LL, 1});
  CHECK(ints("<i8", {0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0, 0, 0, 0, 0, 0}) == I{std::numeric_limits<std::int64_t>::min(), 1});
  CHECK_THROWS_WITH(ints("<u8", Bytes(16, 255)), contains_text("18446744073709551615"));
  CHECK(floats("<f2", {0x00, 0x3e, 0x01, 0x80}) == F{1.5F, -0x1p-24F});
  CHECK(floats("<f2", {0x00, 0xfc, 0xff, 0x7b}) == F{-std::numeric_limits<float>::infinity(), 65504.0F});
  CHECK(floats(">f4", {0x3f, 0xc0, 0, 0, 0, 0, 0, 0}) == F{1.5F, 0.0F});
  CHECK(floats("<f8", {0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0}) == F{1.5F, 0.0F});
  CHECK_THROWS_WITH(floats("<c8", Bytes(16)), contains_text("'<c8'"));
  CHECK_THROWS_WITH(floats("|O", Bytes(16)), contains_text("'|O'"));
  CHECK_THROWS_WITH(floats("<f3", Bytes(6)), contains_text("'<f3'"));
}

TEST_CASE("Fortran order is turned to row major") {
  const TemporaryFolder folder;
  Bytes data(24);  // element (i, j, k) of 2x3x4 lies at i + 2j + 6k
  for (std::size_t n = 0; n < 24; ++n) data[n] = static_cast<std::uint8_t>(100 * (n % 2) + 10 * (n / 2 % 3) + n / 6);
  write_file_atomically(folder / "a.npy", npy_file("|u1", "True", "(2, 3, 4)", data));
  const Tensor tensor = read_npy(folder / "a.npy");
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 4; ++k) CHECK(tensor.i()[i * 12 + j * 4 + k] == static_cast<std::int64_t>(100 * i + 10 * j + k));
}

TEST_CASE("an NPY header that cannot be right is refused") {
  const TemporaryFolder folder;
  const auto read = [&](const Bytes& bytes) {
    write_file_atomically(folder / "a.npy", bytes);
    return read_npy(folder / "a.npy");
  };
  CHECK_THROWS_WITH(read(npy_file("|u1", "False", "(3, 2)", {1})), contains_text("6 items of 1 bytes") && contains_text("holds 1 bytes"));
  CHECK_THROWS_WITH(read(npy_file("<f8", "False", "(4294967296, 4294967296)", {1})), contains_text("too many"));
  CHECK_THROWS_WITH(read(npy_file("<f8", "False", "(1000000000000,)", {1})), contains_text("1000000000000"));
  CHECK_THROWS_WITH(read(npy_file("|u1", "False", "(-1,)", {1})), contains_text("'shape'"));
  CHECK_THROWS_WITH(read(npy_file("|u1", "Maybe", "(1,)", {1})), contains_text("'fortran_order'"));
  CHECK_THROWS_WITH(read(npy_file("|u1", "False", "7", {1})), contains_text("'shape'"));
  CHECK_THROWS_WITH(read({'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0, 0}), contains_text("does not begin"));
  Bytes future = images_3x2;
  future[6] = 9;
  CHECK_THROWS_WITH(read(future), contains_text("version 9"));
  survives_damage(folder / "b.npy", images_3x2, [&] { read_npy(folder / "b.npy"); });
}

TEST_CASE("arrays of an NPZ file are found by key") {
  const TemporaryFolder folder;
  const std::string path = (folder / "a.npz").string();
  write_npz(path, {{"y", labels_012}, {"images", images_3x2}});
  CHECK(npz_keys(path) == std::vector<std::string>{"y", "images"});
  CHECK(read_npz(path).i() == std::vector<std::int64_t>{0, 1, 2});
  CHECK(read_npz(path, "images").shape == std::vector<std::int64_t>{3, 2});
  CHECK(read_tensor(path + ":images").i() == read_npz(path, "images").i());
  CHECK_THROWS_WITH(read_npz(path, "none"), contains_text("'none'") && contains_text("y, images"));

  const Dataset data = load_dataset(path, {.offset = 1, .images = 5});
  CHECK(data.count == 2);
  CHECK(data.shape == std::vector<std::int64_t>{2});
  CHECK(std::get<0>(data.images) == std::vector<std::int32_t>{12, 13, 14, 15});
  CHECK(data.labels == std::vector<std::int32_t>{1, 2});
  CHECK(data.image(1).i() == std::vector<std::int64_t>{14, 15});
  CHECK_THROWS_AS(data.image(2), Error);
  CHECK(load_dataset(path + ":images").count == 3);
  CHECK_THROWS_WITH(load_dataset(path, {.offset = 3, .images = {}}), contains_text("offset 3"));
}

TEST_CASE("NPZ files that do not fit together or are damaged are refused") {
  const TemporaryFolder folder;
  const std::string path = (folder / "a.npz").string();
  write_npz(path, {{"x", images_3x2}, {"labels", npy_file("|u1", "False", "(2,)", {0, 1})}});
  CHECK_THROWS_WITH(load_dataset(path), contains_text("holds 2 integers") && contains_text("3 images"));
  write_npz(path, {{"labels", labels_012}});
  CHECK_THROWS_WITH(load_dataset(path), contains_text("no array of images"));
  write_npz(path, {{"x", npy_file("|u1", "False", "()", {7})}});
  CHECK_THROWS_WITH(load_dataset(path), contains_text("single number"));
  write_npz(path, {{"x", npy_file("<i8", "False", "(1, 1)", {0, 0, 0, 0, 1, 0, 0, 0})}});
  CHECK_THROWS_WITH(load_dataset(path), contains_text("must fit 32 bits"));
  write_npz(path, {{"x", images_3x2}, {"y", labels_012}});
  survives_damage(path, read_file(path), [&] { load_dataset(path); });
}
