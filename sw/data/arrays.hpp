// Arrays from bytes already in memory: what npy.hpp and the data sets share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/files.hpp"
#include "core/graph.hpp"

namespace bitloom {

/// Parses an NPY file; `where` names it in errors.
Tensor parse_npy(const Bytes& file, const std::string& where);

/// The bytes of an NPY file in the tensor's own type; `where` names it in errors.
std::string npy_bytes(const Tensor& tensor, const std::string& where);

/// An open NPZ (zip) file.
class Npz {
 public:
  /// Takes the whole file. Throws Error when it is no zip file.
  Npz(Bytes file, std::string where);
  Npz(const Npz&) = delete;
  Npz& operator=(const Npz&) = delete;
  ~Npz();
  const std::vector<std::string>& keys() const { return keys_; }
  bool has(const std::string& key) const;
  /// Throws Error when there is no such array or it is damaged.
  Tensor read(const std::string& key) const;

 private:
  Bytes file_;  // libzip reads from it as long as the archive is open
  std::string where_;
  struct zip* archive_ = nullptr;
  std::vector<std::string> keys_;
};

/// Splits FILE.npz:key; the key is empty when there is none. A name with a colon that exists as a file is a file.
std::pair<std::string, std::string> split_npz_spec(const std::string& spec);

}  // namespace bitloom
