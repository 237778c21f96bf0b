// The one exception type of Bitloom's libraries. A library neither prints nor exits; the tool prints `bitloom: where: what` and returns 2.
#pragma once

#include <stdexcept>
#include <string>

namespace bitloom {

/// Bad input or usage. `where` names the file, node or parameter; `what` says what was found, what was expected and what to do.
class Error : public std::runtime_error {
 public:
  Error(const std::string& where, const std::string& what)
      : std::runtime_error(where.empty() ? what : where + ": " + what), where_(where) {}
  const std::string& where() const { return where_; }

 private:
  std::string where_;
};

}  // namespace bitloom
