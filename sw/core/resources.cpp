#include "core/resources.hpp"

#include <cstdlib>
#include <system_error>
#include <vector>

namespace bitloom {

namespace fs = std::filesystem;

fs::path resource(const std::string& relative) {
  std::vector<fs::path> homes;
  // A home that is set is meant: falling back to another copy would hide a wrong setting.
  if (const char* home = std::getenv("BITLOOM_HOME"); home != nullptr && *home != '\0') {
    homes.emplace_back(home);
  } else {
    std::error_code code;
    const fs::path executable = fs::read_symlink("/proc/self/exe", code);
    if (!code) homes.push_back(executable.parent_path().parent_path() / "share" / "bitloom");
#ifdef BITLOOM_SOURCE_DIR
    homes.emplace_back(BITLOOM_SOURCE_DIR);
#endif
  }
  std::string looked;
  for (const fs::path& home : homes) {
    std::error_code code;
    if (fs::exists(home / relative, code)) return home / relative;
    looked += (looked.empty() ? "" : ", ") + home.string();
  }
  throw Error(relative, "is not in the folders where Bitloom's own files are looked for (" + looked +
                            "); set BITLOOM_HOME to the folder that holds rtl/, constraints/ and sw/");
}

}  // namespace bitloom
