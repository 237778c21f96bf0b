// Mapping: which hardware stage executes which layers, and how far each is folded.
//
// Algorithm: the integer network is cut into stages (a convolution with its threshold is one), which keep its forks and joins. Every stage
// offers a list of foldings. For a clock budget per image every stage takes its cheapest folding that meets it; the smallest budget whose
// total fits the device is chosen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/network.hpp"
#include "map/basis_program.hpp"
#include "map/cost.hpp"
#include "map/fold_rules.hpp"

namespace bitloom {

inline constexpr int kEcp5 = 1;   ///< Budget::fabric: has LUT RAM
inline constexpr int kIce40 = 2;  ///< Budget::fabric: adders see plain bits only, so XNOR cells are taken by twos or threes

/// What a device offers to a design. `fraction` of the LUTs may be planned for: the rest is left to the link and to routing.
struct Budget {
  std::string board;
  std::int64_t lut4 = 0;
  std::int64_t block_rams = 0;
  std::int64_t block_bits = 4096;  ///< bits of one block RAM
  int block_width = 16;            ///< its widest port
  double clock_hz = 0;
  double fraction = 0.7;
  std::int64_t dsps = 0;    ///< multiplier blocks
  std::int64_t sprams = 0;  ///< RAMs of a single port, 16,384 words of 16 bits each
  int fabric = 0;           ///< 0 any, 1 ECP5, 2 iCE40: what arrays are made of, and what they cost
  std::int64_t link_lut4 = 0;  ///< that the serial link takes, beside the fraction
  bool loads_weights = false;  ///< such RAMs may hold weights, which the board reads from its flash after reset
  bool infers_dsps = true;  ///< every multiplication takes blocks; else those with a codebook's levels, where blocks are left, and products by hand
};

/// A window over a stream of words, in the terms of rtl/layer/window_reader: everything but the heights is in words.
struct WindowPlan {
  int depth = 0, extent = 0, out_height = 0, out_width = 0, step_x = 0, step_row = 0, step_frame = 0;
  std::vector<int> offsets;  ///< of the words that an output group reads: kernel row by row, column by column, chunk by chunk
  int channel_groups = 1;    ///< with their own words each; output groups come channel group by channel group
  int group_step = 0;        ///< added to the offsets from one channel group to the next
  int pixel_step = 0;        ///< words from an output pixel to the next; out_width and step_x count steps of several pixels
  bool shared = false;       ///< the buffer has a single port
  bool shallow = false;      ///< WindowBuffer::Shallow

  /// Of the padded input map.
  std::int64_t frame_words() const {
    return std::int64_t{out_height} * (out_width - 1) * step_x + std::int64_t{out_height - 1} * step_row + step_frame;
  }
};

/// ROMs of up to so many bits (or 16 words) are made of LUTs unless a stage has another number (choose_lut_bits): larger memories of LUTs instead of block
/// RAMs, RAMs included; or smaller ROMs in block RAMs.
inline constexpr int kLutBits = 1024;

/// What a window is kept in.
enum class WindowBuffer {
  Ahead,    ///< block RAM that holds the next frame's first window too: nothing is lost between rows and frames
  Shallow,  ///< block RAM that holds the next window of a row only: each window must be done in the time in which its step's words come
  Shared,   ///< RAM of a single port: every word costs a clock, and so does every output group
};

enum class StageKind { Plane, Basis, Threshold, Requantize, MaxPool, ArgMax, Add, Concat, Upsample };

/// How many output channels (pe), output pixels, activations (simd), activation planes (apar) and weight planes (wpar) meet per clock, and
/// channels per output beat (lanes).
struct Folding {
  int pe = 1, simd = 1, apar = 1, lanes = 1;
  int columns = 1;    ///< kernel columns that one word holds; 1, or the kernel width (simd = columns * channels; depthwise: simd = columns)
  int wpar = 1;       ///< weight planes per word: 1, or all
  int pixels = 1;     ///< neighbouring output pixels that share each weight word; divides the output's width
  int run_lanes = 0;  ///< totals that are combined per clock: lanes, or pe * pixels; 0: not chosen yet
  bool products = false;  ///< wpar > 1: each weight meets its activation in a multiplier block (rtl/arithmetic/product_sum)
  // Of the basis engine, which a decomposed layer may have instead. Its pe is lanes, and simd the channels of an input word.
  int sparse = 0;  ///< lanes that add a coefficient per clock for each of `pixels`; 0: the plane engine
  int rows = 0;    ///< kernel rows that a sum meets at once: 1, or all
  bool operator==(const Folding&) const = default;
};

/// One hardware stage. `channels` is the channel count as the stage sees it: a layer whose kernel covers the whole map sees one pixel with
/// all values.
struct Stage {
  std::string name;
  StageKind kind = StageKind::Plane;
  int layer = -1;            ///< index into Network::layers
  int threshold = -1;        ///< index of the fused threshold layer, or -1
  std::vector<int> in_maps;  ///< one, but for joins
  int out_map = 0;
  MapShape in_shape;       ///< of the first input, as seen by the stage
  Window window;           ///< as seen by the stage
  bool depthwise = false;  ///< each output channel reads the input channel of its number: a word holds pe channels
  Folding folding;
  WindowPlan window_plan;
  int in_lanes = 1;                  ///< channels per word that the stage takes (before columns are unfolded)
  std::int64_t words_per_pixel = 1;  ///< program words that are executed for an output pixel (or so many as are computed at once)
  std::int64_t weight_words = 0;     ///< that are stored
  std::int64_t control_words = 0;    ///< of the memory that says where each word finds its activations
  std::int64_t run_words = 0;        ///< of the memory that says what becomes of each run; 0: none
  int run_bits = 0;                  ///< of one
  std::int64_t shortest_group = 1;   ///< clocks of the shortest output group
  int shortest_run = 1;              ///< clocks that a run must take at least
  bool pairs = false;                ///< XNOR cells two by two (rtl/arithmetic/pair_sum)
  bool triples = false;              ///< binary XNOR cells three by three (rtl/arithmetic/triple_count)
  bool combines = false;             ///< a group takes several runs
  int coefficient_bits = 0;          ///< of a codebook's levels; 0: no multipliers
  bool multiplies_in_blocks = false;  ///< its levels meet the totals in multiplier blocks
  std::string planes;                ///< what the weights are made of (describe)
  BasisBlocks blocks;                ///< basis engine
  double adders_busy = 0;            ///< basis engine: share of its adders' clocks in which they add, in steady state
  std::string choice;                ///< why this engine, of a layer that might have had another
  std::vector<int> weight_stripes{};  ///< bits of the memories that hold the weights side by side, where they are block RAMs
  bool weights_loaded = false;       ///< weights are in RAMs of a single port, filled after reset (rtl/memory/loaded_rom)
  int lut_bits = kLutBits;           ///< memories of up to so many bits are made of LUTs
  int slack_groups = 0;              ///< groups that may wait at the output while the next stage pads
  int chip = 0;                      ///< of a system of several
  std::int64_t clocks = 0;           ///< per image
  Cost cost;

  bool has_window() const { return kind == StageKind::Plane || kind == StageKind::MaxPool; }
};

/// What the links between chips are made of.
struct LinkSpec {
  int lanes = 8;        ///< wires that carry data, 1 to 8, for each map at each cut
  int clock_ratio = 1;  ///< clocks of the cores to a symbol of these wires
  int latency = 4;      ///< clocks from pin to pin
};

/// A map on its way from a chip to the next one: rtl/chips/chip_link_sender and chip_link_receiver.
struct ChipLink {
  std::string name;
  int map = -1;  ///< of the network; -1: the system's output, back to the first chip
  int from = 0, to = 0;
  LinkSpec spec;
  int channels = 1;         ///< of the map in a word
  int word_bits = 1;        ///< WIDTH
  std::int64_t words = 1;   ///< of an image: BEATS
  int depth = 4;            ///< words: DEPTH
  int frame_words = 1;      ///< FRAME
  int timeout = 4;          ///< clocks: TIMEOUT
  std::int64_t clocks = 0;  ///< that an image takes at the rate of the wires, in full frames, and of the buffers
  Cost sender, receiver;    ///< of either end
};

/// One device of a system: the stages first .. last-1 and its ends of links.
struct ChipPlan {
  std::size_t first = 0, last = 0;
  Cost cost;         ///< with the links' ends
  double share = 0;  ///< of what it uses most: LUTs that may be planned for, block RAMs or multipliers
};

struct Plan {
  int fabric = 0;             ///< of the budget
  std::vector<Stage> stages;  ///< in the network's order: a stage reads the input map or maps of stages before it
  int input_lanes = 1;
  std::int64_t clocks_per_image = 0;  ///< predicted, in steady state
  std::string bottleneck;             ///< the stage (or "input") that sets it
  std::string binding;                ///< what keeps the next faster plan from fitting; empty where clocks were asked for, or none is faster
  Cost cost;
  std::vector<ChipPlan> chips;  ///< of a system of several; else empty (make_partition)
  std::vector<ChipLink> links;  ///< between them, ascending by `from`; the last one leads back to the first chip
};

struct PlanOptions {
  double frames_per_second = 0;       ///< 0: as fast as the budget allows
  std::int64_t clocks_per_image = 0;  ///< another way to ask; 0: not asked
  std::vector<FoldRule> fold{};       ///< foldings that layers must have
};

/// Throws Error naming the layer for what the hardware does not do, and naming the binding resource when nothing fits. Whatever the fraction, a plan leaves room
/// for the link, for the placer (iCE40) and for the cost model's error (most_underestimated), unless foldings are asked for by hand.
Plan make_plan(const Network& network, const Budget& budget, const PlanOptions& options);

/// For each map of the network, how many streams leave it: one to each input of a layer that reads it, one to each network output.
std::vector<int> readers_of_maps(const Network& network);

/// The weight planes of a convolution: bipolar weights take one, w-bit integers take w.
int weight_planes(const Convolution& conv);
/// Whether the cells are XNOR (weights -1, +1) or AND (weight planes 0, 1).
bool uses_xnor(const Convolution& conv);
/// Levels of the binary search over a number of thresholds: the smallest s with 2^s - 1 >= levels.
int search_bits(int levels);

}  // namespace bitloom
