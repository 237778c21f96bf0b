// The parts of gather_report that have files of their own.
#pragma once

#include "report/report.hpp"
#include "report/result_file.hpp"

namespace bitloom {

/// power.json; every field may be missing.
PowerReport read_power(const ResultFile& source);
/// explore.json; a fit without points of its own takes those of the sweep that have its engine and device.
SweepReport read_sweep(const ResultFile& source);

}  // namespace bitloom
