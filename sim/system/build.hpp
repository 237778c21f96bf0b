// From an instance of design.json to the element that has its timing.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "system/stream.hpp"

namespace bitloom::system {

/// `instance`: {"module", "name", "parameters": {name: number}, "groups"} as docs/architecture.md says. Throws Error for a module that the model
/// does not know and for parameters that are missing.
std::unique_ptr<Element> make_element(const nlohmann::json& instance);

}  // namespace bitloom::system
