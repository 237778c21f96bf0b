// A top module that places bitloom_core alone: between shift registers, so that neither pins nor the link bind, and nothing of it is swept away.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace bitloom {

inline constexpr const char* kAloneTop = "alone_top";

/// The text of its module. Of design.json input.width and output.width are read.
std::string alone_top(const nlohmann::json& design);

}  // namespace bitloom
