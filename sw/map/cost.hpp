// The cost model: LUT4 and block RAMs of a stage at a folding, before synthesis.
//
// LUTs are linear in a few quantities that a folding determines, with coefficients for each fabric. bench/fit_cost fits them to
// synthesized designs; docs/decisions.md says where those in use come from.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/network.hpp"

namespace bitloom {

struct BasisProgram;
struct Folding;
struct Stage;
struct Budget;

/// What a stage is made of, in the order of kCostTermNames.
using CostTerms = std::array<double, 16>;
inline constexpr std::array<const char*, 16> kCostTermNames = {
    "stages",            // 1: counters, credits, adapters' control
    "products",          // weight bits that meet an activation per clock: the adders' carries
    "bit_operations",    // cells and adders: weight bits times activation bits per clock
    "accumulator_bits",  // accumulate, hold
    "combined_bits",     // double, negate and add the totals of runs
    "search_bits",       // comparators: lanes times levels times bits
    "memory_luts",       // memories that are not in blocks, as rom_luts and ram_luts count them
    "word_bits",         // width adapters, padding, registers of an input word
    "bank_bits",         // multiplexers behind memories that are deeper than a block: bits times banks beyond the first
    "plane_layers",      // 1 in a plane layer: its sequencer
    "pool_bits",         // maxima: lanes times bits
    "requantize_bits",   // sums and clamps: lanes times bits of the wider summand
    "product_adders",    // adders behind multiplier blocks (Folding::products), bit by bit
    "moving_windows",    // 1 where there are several windows: their rows, columns and steps
    "padded_maps",       // 1 where the map gets a border
    "address_bits",      // of the window's buffer, for each pixel that is computed at once
};

struct Cost {
  double lut4 = 0;
  std::int64_t block_rams = 0;
  std::int64_t memory_bits = 0;
  std::int64_t dsps = 0;
  std::int64_t sprams = 0;
  CostTerms terms{};
};

/// How a memory lies in blocks: `banks` of them, one for each range of addresses, in each of its columns.
struct BlockShape {
  std::int64_t blocks = 0, banks = 1;
};

/// For a memory of `depth` words of `width` bits: the fewest blocks, of as few banks as that allows. A block trades width for depth: each
/// halving of its port doubles its words.
BlockShape block_shape(const Budget& device, std::int64_t width, std::int64_t depth);
std::int64_t block_rams(const Budget& device, std::int64_t width, std::int64_t depth);

/// Widths of the memories side by side that a ROM in block RAMs is best made of (rtl/memory/striped_rom), lowest bits first: several only
/// where they take fewer blocks than one would, and on ECP5.
std::vector<int> rom_stripes(const Budget& device, std::int64_t width, std::int64_t depth);

/// LUT4 of a ROM made of logic, whose words are random, and of a RAM made of LUTs on a fabric that has such (ECP5). As Yosys 0.52 makes them, within a tenth
/// on average (bench/memories).
double rom_luts(std::int64_t width, std::int64_t depth);
double ram_luts(std::int64_t width, std::int64_t depth);

/// Whether a stage's weights are in several memories: those of logic are not.
bool in_stripes(const Stage& stage);

/// Adds a RAM of one write and one read port: block RAMs, or LUTs where Yosys finds it small on a device that has LUT RAM.
void add_ram(Cost& cost, const Budget& device, std::int64_t width, std::int64_t depth);

/// Sets lut4 to what the terms come to.
void total_lut4(Cost& cost, const Budget& device);

/// Multiplier blocks of a product of signed factors: one takes 18 bits each, 16 on iCE40.
std::int64_t dsps_of(const Budget& device, int a_bits, int b_bits);

/// Signed bits of the two factors where a codebook's level meets a total (rtl/layer/run_combiner).
std::pair<int, int> level_factors(const Network& network, const Stage& stage);

/// Signed bits of an activation and of a weight that meet in a multiplier (Folding::products), and how many blocks such a layer takes.
std::pair<int, int> product_factors(const Folding& folding, const Convolution& conv, const ValueType& in);
std::int64_t products_dsps(const Budget& device, const Folding& folding, const Convolution& conv, const ValueType& in);

/// How much more LUTs than estimated a design may take, as a share: the most that bench/fit_cost saw of designs that it had not fitted.
double most_underestimated(const Budget& device);

/// An estimate for a stage whose folding and window plan are set, with the device's block RAMs.
Cost estimate(const Network& network, const Stage& stage, const Budget& device);
/// The same for a stage in the basis engine.
Cost estimate_basis(const Network& network, const Stage& stage, const BasisProgram& program, const Budget& device);

}  // namespace bitloom
