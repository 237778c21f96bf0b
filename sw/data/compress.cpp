#include "data/compress.hpp"

#include <lzma.h>
#include <zlib.h>

#include <algorithm>

namespace bitloom {

namespace {

constexpr std::size_t largest = std::size_t{4} << 30;  // beyond every supported data set: a damaged or hostile file
constexpr std::size_t chunk = std::size_t{1} << 20;
constexpr std::size_t largest_input = std::size_t{1} << 31;  // zlib counts input in 32 bits

const char* again = "; get the file again";

void check_size(std::size_t size, const std::string& where) {
  if (size > largest) throw Error(where, "unpacks to more than 4 GiB, at most 4 GiB are expected; split the data");
}

bool ends_with(const std::filesystem::path& path, const char* extension) { return path.extension() == extension; }

bool begins_with(const Bytes& bytes, std::initializer_list<std::uint8_t> magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

}  // namespace

Bytes gunzip(const Bytes& packed, const std::string& where) {
  if (packed.size() >= largest_input) throw Error(where, "is larger than 2 GiB packed; unpack it with gunzip first");
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw Error(where, "zlib cannot start; free some memory");
  struct End {
    z_stream* stream;
    ~End() { inflateEnd(stream); }
  } const end{&stream};
  stream.next_in = const_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  Bytes content;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    const std::size_t before = content.size();
    check_size(before + 1, where);
    content.resize(before + chunk);
    stream.next_out = content.data() + before;
    stream.avail_out = chunk;
    status = inflate(&stream, Z_NO_FLUSH);
    content.resize(before + chunk - stream.avail_out);
    if (status == Z_STREAM_END && stream.avail_in > 0) {
      // A gzip file may be several members, one after the other; anything else behind the last member is damage.
      if (inflateReset(&stream) != Z_OK) throw Error(where, "zlib cannot go on to the next gzip member; get the file again");
      status = Z_OK;
    } else if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) {
      throw Error(where, "the gzip data end after " + std::to_string(packed.size()) + " bytes, before the end mark: truncated" + again);
    } else if (status != Z_OK && status != Z_STREAM_END) {
      throw Error(where, std::string("the gzip data are damaged (") + (stream.msg ? stream.msg : "no gzip file") + ")" + again);
    }
  }
  return content;
}

Bytes unxz(const Bytes& packed, const std::string& where) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, std::uint64_t{256} << 20, LZMA_CONCATENATED) != LZMA_OK)
    throw Error(where, "liblzma cannot start; free some memory");
  struct End {
    lzma_stream* stream;
    ~End() { lzma_end(stream); }
  } const end{&stream};
  stream.next_in = packed.data();
  stream.avail_in = packed.size();
  Bytes content;
  lzma_ret status = LZMA_OK;
  while (status != LZMA_STREAM_END) {
    const std::size_t before = content.size();
    check_size(before + 1, where);
    content.resize(before + chunk);
    stream.next_out = content.data() + before;
    stream.avail_out = chunk;
    status = lzma_code(&stream, LZMA_FINISH);
    content.resize(before + chunk - stream.avail_out);
    if (status == LZMA_BUF_ERROR) {
      throw Error(where, "the xz data end after " + std::to_string(packed.size()) + " bytes, before the end mark: truncated" + again);
    } else if (status != LZMA_OK && status != LZMA_STREAM_END) {
      throw Error(where, "the xz data are damaged or no xz file (liblzma error " + std::to_string(static_cast<int>(status)) + ")" + again);
    }
  }
  return content;
}

Bytes read_unpacked(const std::filesystem::path& path) {
  Bytes content = read_file(path);
  if (ends_with(path, ".gz") || begins_with(content, {0x1f, 0x8b})) return gunzip(content, path.string());
  if (ends_with(path, ".xz") || begins_with(content, {0xfd, '7', 'z', 'X', 'Z', 0})) return unxz(content, path.string());
  return content;
}

}  // namespace bitloom
