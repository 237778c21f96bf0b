// What each figure of a report means and how it was obtained: one text for the page and for summary.json.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "report/report.hpp"

namespace bitloom {

struct Definition {
  const char* key;     ///< field of summary.json
  const char* title;   ///< on the page
  const char* origin;  ///< "counted", "golden model", "simulated", "place and route", "calculated"
  const char* text;
};

const std::vector<Definition>& definitions();

/// Program -> version, over all designs.
std::map<std::string, std::string> tools_of(const ReportData& data);

}  // namespace bitloom
