// The page's style sheet: light and dark, narrow screens, paper.
#pragma once

namespace bitloom {

extern const char* const kReportStyle;

}  // namespace bitloom
