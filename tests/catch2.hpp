// Catch2 version 3, or version 2 where the distribution has only that.
#pragma once

#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
inline unsigned test_seed() { return Catch::getSeed(); }
inline auto contains_text(const std::string& text) { return Catch::Matchers::ContainsSubstring(text); }
#else
#include <catch2/catch.hpp>
namespace Catch {
using Detail::Approx;  // where version 3 has it
}
inline unsigned test_seed() { return Catch::rngSeed(); }
inline auto contains_text(const std::string& text) { return Catch::Matchers::Contains(text); }
#endif
