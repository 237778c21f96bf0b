// Figures of a report as the text of a table's cell; what was not measured is a dash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "report/report.hpp"

namespace bitloom {

std::string share(double part, double whole);
std::string counted(std::int64_t value);  ///< 0 is a dash
std::string big(double value);            ///< 0 is a dash
std::string yes_no(const std::optional<bool>& value);
std::string fraction(const std::optional<double>& value);
std::string figure_or_none(const std::optional<double>& value, int decimals);
/// Used and available: "3 120 of 5 280 (59.1 %)".
std::string of(int used, int available);
/// Clocks of an image, and whether they are the schedule's.
std::string clocks(const DesignReport& design);
/// "±40 %" or the words of the estimate; empty when it says nothing.
std::string uncertainty(const PowerReport& power);

}  // namespace bitloom
