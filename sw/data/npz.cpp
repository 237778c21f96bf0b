#include <zip.h>

#include <algorithm>
#include <memory>

#include "data/arrays.hpp"
#include "data/compress.hpp"
#include "data/npy.hpp"

namespace bitloom {

namespace {

constexpr zip_uint64_t largest = zip_uint64_t{4} << 30;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

Npz::Npz(Bytes file, std::string where) : file_(std::move(file)), where_(std::move(where)) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(file_.data(), file_.size(), 0, &error);
  if (source != nullptr) archive_ = zip_open_from_source(source, ZIP_RDONLY, &error);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  if (archive_ == nullptr) {
    if (source != nullptr) zip_source_free(source);
    throw Error(where_, "is no whole NPZ (zip) file (" + reason + "); write it with numpy.savez, or get it again");
  }
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive_, 0); ++i) {
    const char* name = zip_get_name(archive_, static_cast<zip_uint64_t>(i), 0);
    const std::string key = name != nullptr ? name : "";
    if (key.ends_with(".npy")) keys_.push_back(key.substr(0, key.size() - 4));
  }
}

Npz::~Npz() { zip_discard(archive_); }

bool Npz::has(const std::string& key) const { return std::find(keys_.begin(), keys_.end(), key) != keys_.end(); }

Tensor Npz::read(const std::string& key) const {
  if (!has(key)) throw Error(where_, "holds no array '" + key + "'; it holds: " + (keys_.empty() ? "none" : joined(keys_)));
  const std::string name = where_ + ":" + key;
  zip_stat_t status;
  zip_stat_init(&status);
  const std::string entry = key + ".npy";
  if (zip_stat(archive_, entry.c_str(), 0, &status) != 0) throw Error(name, "cannot be found in the zip file; get the file again");
  if (status.size > largest) throw Error(name, "unpacks to more than 4 GiB, at most 4 GiB are expected; split the data");
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(zip_fopen(archive_, entry.c_str(), 0), &zip_fclose);
  if (!file) throw Error(name, std::string("cannot be unpacked (") + zip_strerror(archive_) + "); get the file again");
  Bytes content;
  // Grows with what is really there: the size that a damaged file states may be anything.
  constexpr std::size_t chunk = std::size_t{1} << 20;
  for (zip_int64_t got = 1; got > 0;) {
    const std::size_t before = content.size();
    if (before > largest) throw Error(name, "unpacks to more than 4 GiB, at most 4 GiB are expected; split the data");
    content.resize(before + chunk);
    got = zip_fread(file.get(), content.data() + before, chunk);
    if (got < 0) throw Error(name, std::string("is damaged (") + zip_file_strerror(file.get()) + "); get the file again");
    content.resize(before + static_cast<std::size_t>(got));
  }
  return parse_npy(content, name);
}

std::pair<std::string, std::string> split_npz_spec(const std::string& spec) {
  const std::size_t colon = spec.rfind(".npz:");
  if (colon == std::string::npos || std::filesystem::exists(spec)) return {spec, ""};
  return {spec.substr(0, colon + 4), spec.substr(colon + 5)};
}

std::vector<std::string> npz_keys(const std::filesystem::path& path) { return Npz(read_file(path), path.string()).keys(); }

Tensor read_npz(const std::filesystem::path& path, const std::string& key) {
  const Npz npz(read_file(path), path.string());
  if (key.empty() && npz.keys().empty()) throw Error(path.string(), "holds no arrays; write it with numpy.savez");
  return npz.read(key.empty() ? npz.keys().front() : key);
}

void write_npz(const std::filesystem::path& path, const std::vector<std::pair<std::string, Tensor>>& arrays) {
  const std::string where = path.string();
  std::vector<std::string> entries;  // libzip reads them when it closes the archive
  for (const auto& [name, tensor] : arrays) entries.push_back(npy_bytes(tensor, where + ":" + name));
  zip_error_t error;
  zip_error_init(&error);
  const auto failed = [&](const std::string& reason) { return Error(where, "cannot be made (" + reason + ")"); };
  zip_source_t* whole = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (whole == nullptr) throw failed(zip_error_strerror(&error));
  const std::unique_ptr<zip_source_t, void (*)(zip_source_t*)> kept(whole, &zip_source_free);
  zip_source_keep(whole);  // one for the archive, one for reading the result
  zip_t* archive = zip_open_from_source(whole, ZIP_TRUNCATE, &error);
  if (archive == nullptr) {
    zip_source_free(whole);
    throw failed(zip_error_strerror(&error));
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    zip_source_t* content = zip_source_buffer(archive, entries[i].data(), entries[i].size(), 0);
    const zip_int64_t place =
        content == nullptr ? -1 : zip_file_add(archive, (arrays[i].first + ".npy").c_str(), content, ZIP_FL_ENC_UTF_8);
    if (place < 0) {
      const std::string reason = zip_strerror(archive);
      if (content != nullptr) zip_source_free(content);
      zip_discard(archive);
      throw failed("'" + arrays[i].first + "': " + reason);
    }
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(place), ZIP_CM_STORE, 0);
    zip_file_set_mtime(archive, static_cast<zip_uint64_t>(place), 315532800, 0);  // 1980: the same arrays give the same file
  }
  if (zip_close(archive) != 0) {
    const std::string reason = zip_strerror(archive);
    zip_discard(archive);
    throw failed(reason);
  }
  zip_stat_t status;
  zip_stat_init(&status);
  if (zip_source_stat(whole, &status) != 0 || zip_source_open(whole) != 0) throw failed("its bytes cannot be read back");
  std::string bytes(static_cast<std::size_t>(status.size), '\0');
  const zip_int64_t got = zip_source_read(whole, bytes.data(), bytes.size());
  zip_source_close(whole);
  if (got != static_cast<zip_int64_t>(bytes.size())) throw failed("its bytes cannot be read back");
  write_file_atomically(path, bytes);
}

Tensor read_tensor(const std::string& spec) {
  const auto [file, key] = split_npz_spec(spec);
  if (file.ends_with(".npz")) return read_npz(file, key);
  return read_npy(file);
}

}  // namespace bitloom
