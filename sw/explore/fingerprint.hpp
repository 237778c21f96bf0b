// A hash of the sources that turn a model into a design and measure it: results of one version are not taken for another's, and a change
// elsewhere (the report, say) invalidates nothing. Written by cmake/Fingerprint.cmake.
#pragma once

namespace bitloom {

extern const char* const kProgramFingerprint;

}  // namespace bitloom
