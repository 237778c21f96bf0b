// Files that Bitloom needs while it runs: rtl/, constraints/, sim/, sw/data/digits.
#pragma once

#include <filesystem>
#include <string>

#include "core/error.hpp"

namespace bitloom {

/// The path of a file or folder named as in the source tree, e.g. "rtl/stream/skid_buffer.sv".
/// It is looked for under $BITLOOM_HOME; where that is not set, under <folder of the executable>/../share/bitloom and then in the source
/// tree that this program was built from. Throws Error that says where it looked.
std::filesystem::path resource(const std::string& relative);

}  // namespace bitloom
