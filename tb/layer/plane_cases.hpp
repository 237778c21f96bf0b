// SPDX-License-Identifier: Apache-2.0
// Layers for the bench of plane_layer: what each computes, its reference by the definition of convolution, and its memory images.
//
// The reference uses integer weights and activations only; planes, runs and raw accumulators exist only where weights are drawn and images
// are made.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "bench.hpp"

namespace bench {

enum class Acts { Unsigned, Signed, Bipolar };
enum class Planes {
  Bits,    // two's complement
  Digits,  // +1, -1, +2, -2, .., +-2^(w_bits-2)
  Levels   // any coefficients
};

/// A plane of weights: where a weight's mask has the bit, it has the coefficient.
struct Plane {
  int bit;
  std::int64_t coefficient;
};

/// Words of a plane that are executed one after the other.
struct PlaneRun {
  std::vector<int> steps;  // positions in the window, see PlaneCase::offset
  int plane;               // bit of the masks; -1: zero words, which only double
  std::int64_t coefficient;
  bool doubles;
};

/// What the program and the array do beyond one output pixel and all words of all planes.
struct Engine {
  int pixels = 1;        // neighbouring output pixels at once
  bool run_all = false;  // run_combiner adds all totals at once, otherwise LANES of them
  Planes planes = Planes::Bits;
  std::vector<std::int64_t> coefficients = {};  // of Levels
  bool sparse = false;                          // three words of four of each plane are zero, and left out
  bool hollow = false;                          // some planes of some groups are zero, and left out
  bool narrowing = false;                       // every group has a bit or digit less than the one before
  bool shared_cells = false;                    // XNOR cells by twos, or by threes if one bit is taken at a time
  bool loaded = false;                          // weights come by load_*, behind those of another layer
  int products = -1;                            // a multiplier for each weight, as this FABRIC has them; -1: none
};

/// A convolution without padding (a fully connected layer is one with a 1x1 map), its folding, and its output.
struct PlaneCase {
  std::string name;             // of the model class, V<name>, and of the images
  int height, width, channels;  // of the input map
  int kernel_h, kernel_w, stride, dilation;
  Acts acts;
  int a_bits;
  int w_bits;  // 1: bipolar weights and XNOR cells; more: two's complement and AND cells
  int out_channels;
  int simd, apar, pe, lanes;
  int levels;  // thresholds; 0: scores
  int low, step, out_bits;
  int more_depth;          // words of buffer beyond a window and the largest step
  int slack = 0;           // groups that may wait at the output
  bool depthwise = false;  // output channel k sees simd input channels only: k % pe + pe*i of its group's word
  bool ones = false;       // with w_bits 1: AND cells, every weight 1 (sums for an average)
  bool parallel = false;   // all weight planes in one word
  Engine engine = {};

  bool xnor() const { return w_bits == 1 && !ones; }
  bool pairs() const { return engine.shared_cells && apar > 1; }
  bool triples() const { return engine.shared_cells && apar == 1; }
  int word() const { return depthwise ? simd * pe : simd; }    // activations
  int words() const { return channels / word(); }              // per pixel
  int group_words() const { return depthwise ? 1 : words(); }  // per pixel, that a group sees
  int depth_of_filter() const { return depthwise ? simd : channels; }
  int input_channel(int k, int c) const { return depthwise ? k / pe * word() + c * pe + k % pe : c; }
  int out_height() const { return (height - dilation * (kernel_h - 1) - 1) / stride + 1; }
  int out_width() const { return (width - dilation * (kernel_w - 1) - 1) / stride + 1; }
  int steps_per_row() const { return out_width() / engine.pixels; }
  int window_words() const { return ((kernel_h - 1) * dilation * width + (kernel_w - 1) * dilation + 1) * words(); }
  int pixel_step() const { return stride * words(); }
  int extent() const { return window_words() + (engine.pixels - 1) * pixel_step(); }
  int step_x() const { return engine.pixels * pixel_step(); }
  int step_row() const { return stride * width * words() - (steps_per_row() - 1) * step_x(); }
  int step_frame() const { return (height - (out_height() - 1) * stride) * width * words() - (steps_per_row() - 1) * step_x(); }
  int depth() const { return extent() + std::max(step_frame(), step_row()) + more_depth; }
  int groups() const { return out_channels / pe; }
  int wpar() const { return parallel ? w_bits : 1; }
  int passes() const { return a_bits / apar; }
  int count() const { return engine.pixels * pe; }
  int run_lanes() const { return engine.run_all ? count() : lanes; }
  int window_steps() const { return kernel_h * kernel_w * group_words(); }
  /// Of position j of the window, in words from its first.
  int offset(int group, int j) const {
    const int position = j / group_words();
    return (position / kernel_w * dilation * width + position % kernel_w * dilation) * words() + (depthwise ? group : j % words());
  }

  /// The planes of a group's weights, in the order of execution.
  std::vector<Plane> planes(int group) const {
    if (w_bits == 1) return {{0, 1}};
    std::vector<Plane> all, kept;
    const int bits = w_bits - (engine.narrowing ? group : 0);
    if (engine.planes == Planes::Bits)
      for (int p = bits - 1; p >= 0; --p) all.push_back({p, (p == bits - 1 ? -1 : 1) * (std::int64_t{1} << p)});
    if (engine.planes == Planes::Digits)
      for (int p = bits - 2; p >= 0; --p)
        for (const int sign : {1, -1}) all.push_back({2 * p + (sign < 0), sign * (std::int64_t{1} << p)});
    if (engine.planes == Planes::Levels)
      for (const std::int64_t coefficient : engine.coefficients) all.push_back({static_cast<int>(all.size()), coefficient});
    for (const Plane& plane : all)
      if (!engine.hollow || (plane.bit + group) % 3 != 1) kept.push_back(plane);
    return kept;
  }
  /// Whether a plane has weights at position j.
  bool is_there(int group, int bit, int j) const { return !engine.sparse || (j + group + (parallel ? 0 : 2 * bit)) % 4 == 0; }
  /// The runs of a group, passes aside.
  std::vector<PlaneRun> runs(int group) const {
    std::vector<PlaneRun> runs;
    std::int64_t weight = 1;  // of the run before, without its sign
    const auto double_down_to = [&](std::int64_t power) {
      for (; engine.planes != Planes::Levels && !runs.empty() && weight > power; weight /= 2) {
        PlaneRun blank{{}, -1, 1, true};
        for (int j = 0; j * run_lanes() < count(); ++j) blank.steps.push_back(j);
        runs.push_back(blank);
      }
    };
    for (const Plane& plane : parallel ? std::vector<Plane>{{0, 1}} : planes(group)) {
      const std::int64_t power = std::abs(plane.coefficient);
      double_down_to(2 * power);
      PlaneRun run{{}, plane.bit, plane.coefficient, engine.planes != Planes::Levels && !runs.empty() && weight == 2 * power};
      for (int j = 0; j < window_steps(); ++j)
        if (is_there(group, plane.bit, j)) run.steps.push_back(j);
      runs.push_back(run);
      weight = power;
    }
    double_down_to(1);
    return runs;
  }
  bool combines() const {
    for (int group = 0; group < groups(); ++group)
      if (runs(group).size() > 1 || runs(group)[0].coefficient != 1) return true;
    return passes() > 1;
  }
  int coefficient_bits() const {
    std::int64_t largest = 0;
    for (const std::int64_t c : engine.coefficients) largest = std::max(largest, std::abs(c));
    return largest == 0 ? 0 : bits_for(static_cast<int>(largest) + 1) + 1;
  }
  int run_count() const {
    std::size_t count = 0;
    for (int group = 0; group < groups(); ++group) count += runs(group).size();
    return static_cast<int>(count) * passes();
  }
  int shortest_run() const {
    std::size_t words = runs(0)[0].steps.size();
    for (int group = 0; group < groups(); ++group)
      for (const PlaneRun& run : runs(group)) words = std::min(words, run.steps.size());
    return static_cast<int>(words);
  }
  int longest_run() const {
    std::size_t words = 0;
    for (int group = 0; group < groups(); ++group)
      for (const PlaneRun& run : runs(group)) words = std::max(words, run.steps.size());
    return static_cast<int>(words);
  }
  int group_weight_words(int group) const {
    std::size_t words = 0;
    for (const PlaneRun& run : runs(group)) words += run.steps.size();
    return static_cast<int>(words);
  }
  int shortest_group() const {
    int words = group_weight_words(0);
    for (int group = 1; group < groups(); ++group) words = std::min(words, group_weight_words(group));
    return words * passes();
  }
  int weight_words() const {
    int words = 0;
    for (int group = 0; group < groups(); ++group) words += group_weight_words(group);
    return words;
  }
  int clocks() const { return out_height() * steps_per_row() * weight_words() * passes(); }

  std::vector<Bits> control_image() const {
    std::vector<Bits> words;
    for (int group = 0; group < groups(); ++group)
      for (const PlaneRun& run : runs(group))
        for (int pass = 0; pass < passes(); ++pass)
          for (const int j : run.steps) {
            words.emplace_back(offset_bits() + 1, static_cast<std::uint64_t>(offset(group, j)));
            words.back().set(offset_bits(), 1, j == run.steps.back());
          }
    return one_period(words);
  }
  std::vector<Bits> run_image() const {
    std::vector<Bits> words;
    const int pass_bits = passes() > 1 ? bits_for(passes()) : 0, factor_bits = coefficient_bits() > 0 ? coefficient_bits() : 2;
    for (int group = 0; group < groups(); ++group) {
      const std::vector<PlaneRun> all = runs(group);
      for (std::size_t r = 0; r < all.size(); ++r)
        for (int pass = 0; pass < passes(); ++pass) {
          const bool last_pass = pass == passes() - 1;
          Bits word(pass_bits + factor_bits + 2, static_cast<std::uint64_t>(pass));
          if (coefficient_bits() > 0) {
            word.set(pass_bits, factor_bits, static_cast<std::uint64_t>(all[r].coefficient));
          } else {
            word.set(pass_bits, 1, all[r].coefficient < 0);           // negates
            word.set(pass_bits + 1, 1, all[r].doubles && pass == 0);  // doubles
          }
          word.set(pass_bits + factor_bits, 1, !last_pass);                            // repeats
          word.set(pass_bits + factor_bits + 1, 1, last_pass && r + 1 == all.size());  // group
          words.push_back(word);
        }
    }
    return one_period(words);
  }

  int fan_in() const { return kernel_h * kernel_w * depth_of_filter(); }
  int offset_bits() const { return bits_for(window_words()); }
  int search_bits() const { return levels == 0 ? 1 : bits_for(levels + 1); }
  int alpha() const { return acts == Acts::Bipolar ? 2 : 1; }

  int a_low() const { return acts == Acts::Unsigned ? 0 : acts == Acts::Bipolar ? -1 : -(1 << (a_bits - 1)); }
  int a_high() const { return acts == Acts::Bipolar ? 1 : acts == Acts::Unsigned ? (1 << a_bits) - 1 : (1 << (a_bits - 1)) - 1; }
  /// The largest weight without its sign; with it the largest raw accumulator; and bits that hold it plus 1, and its negative counterpart.
  int largest_weight() const {
    std::int64_t largest = 1;
    for (int group = 0; group < groups(); ++group) {
      std::int64_t positive = 0, negative = 0;
      for (const Plane& plane : planes(group)) (plane.coefficient > 0 ? positive : negative) += std::abs(plane.coefficient);
      largest = std::max({largest, positive, negative});
    }
    return static_cast<int>(largest);
  }
  int raw_high() const {
    if (pairs()) return fan_in() << (a_bits - 1);
    const int code = acts == Acts::Bipolar ? 1 : std::max(a_high(), -a_low());
    return fan_in() * code * largest_weight();
  }
  int acc_bits() const { return bits_for(raw_high() + 2) + 1; }
  /// Of a run's total, whatever the weights.
  int total_bits() const {
    const int largest = simd * longest_run() * ((1 << wpar()) - 1) * ((1 << apar) - 1);
    return std::min(acc_bits(), bits_for(largest + 1) + (acts == Acts::Signed || parallel || pairs() ? 1 : 0));
  }

  std::string parameters() const {
    std::string text;
    const auto add = [&](const std::string& key, const std::string& value) { text += " " + key + "=" + value; };
    const auto number = [&](const std::string& key, int value) { add(key, std::to_string(value)); };
    number("SIMD", simd), number("A_BITS", a_bits), number("A_SIGNED", acts == Acts::Signed), number("APAR", apar), number("PE", pe);
    if (engine.pixels > 1) number("PIXELS", engine.pixels), number("PIXEL_STEP", pixel_step());
    number("XNOR", xnor());
    if (depthwise) number("DEPTHWISE", 1);
    if (engine.shared_cells) number("FABRIC", 2), number(pairs() ? "PAIRS" : "TRIPLES", 1);
    if (parallel) number("WPAR", wpar()), number("W_SIGNED", 1);
    if (engine.products >= 0) number("PRODUCTS", 1), number("FABRIC", engine.products);
    number("TOTAL_BITS", total_bits()), number("ACC_BITS", acc_bits()), number("BUFFER_DEPTH", depth()), number("EXTENT", extent());
    number("OUT_HEIGHT", out_height()), number("OUT_WIDTH", steps_per_row()), number("STEP_X", step_x()), number("STEP_ROW", step_row());
    number("STEP_FRAME", step_frame()), number("OFFSET_BITS", offset_bits()),
        number("CONTROL_WORDS", static_cast<int>(control_image().size()));
    add("CONTROL_INIT", name + "_control.mem"), number("RUNS", run_count());
    if (combines()) {
      number("RUN_WORDS", static_cast<int>(run_image().size())), add("RUN_INIT", name + "_runs.mem"), number("RUN_CLOCKS", shortest_run());
      number("RUN_LANES", run_lanes());
      if (coefficient_bits() > 0) number("COEFFICIENT_BITS", coefficient_bits());
    }
    number("WEIGHT_WORDS", weight_words());
    if (engine.loaded)
      number("WEIGHT_LOADED", 1);
    else
      add("WEIGHT_INIT", name + "_weights.mem");
    number("GROUPS", groups());
    number("GROUP_CLOCKS", shortest_group()), add("ACTIVATION_INIT", name), number("LANES", lanes), number("OUT_BITS", out_bits);
    if (slack > 0) number("SLACK", slack);
    if (levels == 0) {
      number("SCORES", 1), number("ALPHA_SHIFT", alpha() - 1);
    } else {
      number("SEARCH_BITS", search_bits()), number("LEVELS", levels), number("LOW", low), number("STEP", step);
    }
    return text;
  }

  static int bits_for(int values) {
    int bits = 1;
    while ((1 << bits) < values) ++bits;
    return bits;
  }

 private:
  /// The shortest beginning of an image that gives all of it when it is repeated.
  static std::vector<Bits> one_period(std::vector<Bits> words) {
    for (std::size_t period = 1; period < words.size(); ++period)
      if (words.size() % period == 0 && std::equal(words.begin() + static_cast<std::ptrdiff_t>(period), words.end(), words.begin())) {
        words.resize(period);
        break;
      }
    return words;
  }
};

// name, map, kernel, stride, dilation, activations, weights, channels out, folding, thresholds, buffer, engine
inline const std::vector<PlaneCase> plane_cases = {
    // clang-format off
    {"plane_binary", 6, 6, 8, 3, 3, 1, 1, Acts::Bipolar, 1, 1, 8, 8, 1, 4, 1, 1, 0, 1, 1, 0},
    {"plane_w2a2", 5, 6, 8, 3, 3, 1, 1, Acts::Unsigned, 2, 2, 8, 4, 2, 4, 2, 3, 0, 1, 2, 0, 3},
    {"plane_serial", 5, 5, 6, 2, 2, 1, 2, Acts::Signed, 4, 3, 6, 3, 1, 3, 1, 5, -4, 2, 4, 0},
    {"plane_pairs", 4, 4, 5, 2, 2, 1, 1, Acts::Signed, 4, 2, 4, 5, 2, 4, 4, 2, -1, 1, 2, 1},
    {"plane_signed", 4, 5, 4, 2, 2, 1, 1, Acts::Signed, 3, 1, 4, 4, 3, 2, 1, 7, 0, 1, 3, 3},
    {"plane_1w8a", 6, 5, 3, 3, 3, 1, 1, Acts::Unsigned, 8, 1, 6, 3, 8, 6, 1, 1, 0, 1, 1, 2},
    {"plane_w2a1", 4, 4, 6, 3, 3, 1, 1, Acts::Bipolar, 1, 2, 4, 6, 1, 2, 1, 3, -1, 1, 2, 0},
    {"plane_dense", 1, 1, 40, 1, 1, 1, 1, Acts::Bipolar, 1, 1, 10, 8, 1, 5, 1, 0, 0, 0, 8, 0},
    {"plane_dense_w4a4", 1, 1, 30, 1, 1, 1, 1, Acts::Unsigned, 4, 4, 6, 5, 2, 2, 2, 0, 0, 0, 14, 0},
    {"plane_stride", 6, 8, 4, 3, 3, 2, 1, Acts::Unsigned, 1, 2, 4, 2, 1, 4, 2, 3, 0, 1, 2, 0},
    {"plane_point", 4, 6, 7, 1, 1, 1, 1, Acts::Bipolar, 1, 1, 6, 7, 1, 6, 6, 1, 0, 1, 1, 0},
    {"plane_deep", 5, 5, 4, 3, 3, 1, 1, Acts::Unsigned, 1, 2, 4, 4, 1, 4, 2, 3, 0, 1, 2, 260},
    {"plane_depthwise", 6, 5, 8, 3, 3, 1, 1, Acts::Unsigned, 2, 2, 8, 1, 2, 4, 2, 3, 0, 1, 2, 0, 2, true},
    {"plane_dw_columns", 5, 4, 12, 3, 1, 1, 1, Acts::Signed, 4, 2, 4, 3, 2, 4, 1, 7, -3, 1, 3, 0, 0, true, false, false,
     {.run_all = true}},  // 3x3, columns unfolded
    {"plane_dw_xnor", 5, 5, 6, 3, 3, 2, 1, Acts::Bipolar, 1, 1, 6, 1, 1, 3, 1, 1, 0, 1, 1, 1, 0, true},
    {"plane_parallel", 5, 5, 6, 3, 3, 1, 1, Acts::Unsigned, 3, 4, 8, 6, 3, 4, 1, 7, 0, 1, 3, 0, 0, false, false, true},
    {"plane_dw_parallel", 4, 5, 8, 3, 3, 1, 1, Acts::Signed, 2, 3, 8, 1, 2, 4, 2, 3, 0, 1, 2, 1, 0, true, false, true},
    {"plane_products", 5, 5, 6, 3, 3, 1, 1, Acts::Unsigned, 8, 8, 8, 6, 8, 4, 1, 7, 0, 1, 3, 0, 0, false, false, true, {.products = 1}},
    {"plane_products_point", 4, 6, 7, 1, 1, 1, 1, Acts::Unsigned, 4, 4, 6, 7, 4, 6, 6, 3, 0, 1, 2, 0, 0, false, false, true, {.products = 1}},
    {"plane_products_dw", 4, 5, 8, 3, 3, 1, 1, Acts::Signed, 2, 3, 8, 1, 2, 4, 2, 3, 0, 1, 2, 1, 0, true, false, true, {.products = 2}},
    {"plane_products_pixels", 5, 6, 6, 3, 3, 1, 1, Acts::Signed, 4, 5, 8, 6, 4, 4, 4, 0, 0, 0, 15, 2, 0, false, false, true,
     {.pixels = 2, .products = 0}},
    {"plane_average", 4, 4, 6, 2, 2, 2, 1, Acts::Unsigned, 4, 1, 6, 1, 2, 3, 1, 0, 0, 0, 7, 0, 0, true, true},
    {"plane_w3a4", 6, 6, 8, 3, 3, 1, 1, Acts::Unsigned, 4, 3, 8, 8, 1, 4, 1, 7, 0, 1, 3, 0},  // the shape and cells of plane_binary
    {"plane_xnor_serial", 4, 5, 4, 2, 2, 1, 1, Acts::Signed, 3, 1, 4, 4, 1, 2, 1, 7, 0, 1, 3, 3},
    {"plane_pixels", 6, 6, 8, 3, 3, 1, 1, Acts::Bipolar, 1, 1, 8, 8, 1, 8, 2, 1, 0, 1, 1, 0, 0, false, false, false, {.pixels = 2}},
    {"plane_pixels_groups", 5, 6, 8, 3, 3, 1, 1, Acts::Unsigned, 2, 2, 8, 4, 1, 4, 2, 3, 0, 1, 2, 0, 1, false, false, false, {.pixels = 4}},
    {"plane_pixels_whole", 4, 6, 5, 2, 3, 1, 1, Acts::Signed, 4, 3, 3, 5, 4, 3, 3, 3, 0, 1, 2, 0, 0, false, false, false,
     {.pixels = 4, .run_all = true}},
    {"plane_pixels_dw", 5, 9, 8, 3, 3, 2, 1, Acts::Unsigned, 2, 2, 8, 1, 2, 4, 2, 3, 0, 1, 2, 0, 0, true, false, false, {.pixels = 2}},
    {"plane_pixels_parallel", 5, 6, 6, 3, 3, 1, 1, Acts::Signed, 2, 3, 8, 6, 2, 4, 4, 3, 0, 1, 2, 2, 0, false, false, true, {.pixels = 2}},
    {"plane_sparse", 6, 6, 8, 3, 3, 1, 1, Acts::Unsigned, 2, 3, 8, 4, 2, 4, 2, 3, 0, 1, 2, 0, 0, false, false, false, {.sparse = true}},
    {"plane_full", 6, 6, 8, 3, 3, 1, 1, Acts::Unsigned, 2, 3, 8, 4, 2, 4, 2, 3, 0, 1, 2, 0},  // plane_sparse with all its words
    {"plane_sparse_parallel", 4, 4, 8, 3, 3, 1, 1, Acts::Unsigned, 2, 3, 8, 4, 2, 4, 2, 3, 0, 1, 2, 0, 0, false, false, true,
     {.sparse = true}},
    {"plane_hollow", 4, 4, 6, 3, 3, 1, 1, Acts::Unsigned, 4, 4, 6, 3, 2, 2, 1, 5, 0, 1, 3, 0, 0, false, false, false, {.hollow = true}},
    {"plane_widths", 4, 5, 6, 2, 2, 1, 1, Acts::Signed, 3, 4, 9, 3, 3, 3, 1, 0, 0, 0, 12, 0, 0, false, false, false, {.narrowing = true}},
    {"plane_ternary", 5, 5, 8, 3, 3, 1, 1, Acts::Bipolar, 1, 2, 8, 4, 1, 4, 2, 3, 0, 1, 2, 0, 0, false, false, false,
     {.planes = Planes::Digits, .sparse = true}},
    {"plane_digits", 4, 4, 6, 3, 3, 1, 1, Acts::Unsigned, 3, 4, 6, 6, 1, 3, 1, 5, 0, 1, 3, 0, 0, false, false, false,
     {.run_all = true, .planes = Planes::Digits, .hollow = true, .narrowing = true}},
    {"plane_levels", 5, 5, 8, 3, 3, 1, 1, Acts::Signed, 2, 3, 8, 4, 1, 4, 2, 3, 0, 1, 2, 0, 0, false, false, false,
     {.planes = Planes::Levels, .coefficients = {-7, -2, 3, 11}, .sparse = true}},
    {"plane_pixels_levels", 4, 5, 4, 2, 2, 1, 1, Acts::Unsigned, 4, 2, 6, 4, 4, 3, 3, 3, 0, 1, 2, 0, 0, false, false, false,
     {.pixels = 2, .run_all = true, .planes = Planes::Levels, .coefficients = {5, -3}, .hollow = true}},
    {"plane_dense_levels", 1, 1, 40, 1, 1, 1, 1, Acts::Bipolar, 1, 2, 10, 4, 1, 5, 1, 0, 0, 0, 12, 0, 0, false, false, false,
     {.run_all = true, .planes = Planes::Levels, .coefficients = {-13, 6, 1}}},
    {"plane_twos", 6, 5, 8, 3, 3, 1, 1, Acts::Unsigned, 8, 1, 8, 4, 8, 4, 1, 3, 0, 1, 2, 2, 0, false, false, false, {.shared_cells = true}},
    {"plane_loaded", 5, 6, 8, 3, 3, 1, 1, Acts::Unsigned, 2, 2, 8, 4, 1, 4, 2, 3, 0, 1, 2, 0, 3, false, false, false, {.loaded = true}},
    {"plane_loaded_twos", 6, 5, 8, 3, 3, 1, 1, Acts::Unsigned, 8, 1, 12, 4, 8, 6, 1, 3, 0, 1, 2, 2, 0, false, false, false,
     {.shared_cells = true, .loaded = true}},
    {"plane_twos_signed", 4, 6, 6, 2, 3, 1, 1, Acts::Signed, 3, 1, 6, 6, 3, 3, 3, 0, 0, 0, 10, 1, 0, false, false, false,
     {.pixels = 2, .shared_cells = true}},
    {"plane_threes", 6, 6, 16, 3, 3, 1, 1, Acts::Bipolar, 1, 1, 8, 16, 1, 4, 1, 1, 0, 1, 1, 0, 0, false, false, false, {.shared_cells = true}},
    {"plane_threes_serial", 4, 5, 10, 2, 2, 1, 1, Acts::Unsigned, 3, 1, 4, 5, 1, 2, 1, 7, 0, 1, 3, 3, 0, false, false, false, {.shared_cells = true}},
    // clang-format on
};

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

/// One set of weights and thresholds of a case.
class PlaneModel {
 public:
  PlaneModel(const PlaneCase& layer, Random& random) : layer_(layer) {
    const PlaneCase& l = layer_;
    for (int k = 0; k < l.out_channels; ++k)
      for (int i = 0; i < l.fan_in(); ++i) {
        std::uint64_t mask = l.ones ? 1 : 0;
        int weight = l.ones ? 1 : l.w_bits == 1 ? -1 : 0;
        for (const Plane& plane : l.planes(k / l.pe)) {
          // One channel of extreme weights reaches the ends of the accumulator.
          const bool drawn = random.chance(0.5),
                     set = !l.ones && (k > 0 ? drawn : plane.coefficient < 0) && l.is_there(k / l.pe, plane.bit, i / l.simd);
          if (set) mask |= std::uint64_t{1} << plane.bit, weight += l.w_bits == 1 ? 2 : static_cast<int>(plane.coefficient);
        }
        masks_.push_back(mask), weights_.push_back(weight);
      }
    for (int k = 0; k < l.out_channels; ++k) {
      // Acc = alpha * raw + beta, from the table of docs/architecture.md.
      std::int64_t negative = 0, total = 0, spread = 0;
      for (int i = 0; i < l.fan_in(); ++i) {
        const int w = weights_[static_cast<std::size_t>(k * l.fan_in() + i)];
        negative += w < 0, total += w, spread += std::abs(w) * std::max(l.a_high(), -l.a_low());
      }
      std::int64_t beta = 0;
      if (l.acts == Acts::Bipolar) beta = l.xnor() ? -l.fan_in() : -total;
      if (l.acts == Acts::Unsigned && l.xnor()) beta = -std::int64_t{(1 << l.a_bits) - 1} * negative;
      if (l.acts == Acts::Signed && l.xnor()) beta = negative;
      if (l.pairs()) {  // unsigned activations are centred, and a pair whose first weight is -1 lacks 1
        beta = l.acts == Acts::Unsigned ? total << (l.a_bits - 1) : 0;
        for (int i = 0; i < l.fan_in(); i += 2) beta += weights_[static_cast<std::size_t>(k * l.fan_in() + i)] < 0;
      }
      beta_.push_back(beta);
      falling_.push_back(random.chance(0.4));
      std::vector<std::int64_t> thresholds;
      const std::int64_t middle = total * (l.a_low() + l.a_high()) / 2;
      for (int t = 0; t < l.levels; ++t) {
        const std::int64_t range = std::max<std::int64_t>(2, spread / 3);
        thresholds.push_back(middle + static_cast<std::int64_t>(random.below(static_cast<std::uint32_t>(2 * range))) - range);
      }
      std::sort(thresholds.begin(), thresholds.end());
      thresholds_.push_back(thresholds);
    }
  }

  /// Activations of a random frame, HWC. Every fourth frame is constant at an end of the range.
  std::vector<int> frame(Random& random) const {
    const PlaneCase& l = layer_;
    std::vector<int> values(static_cast<std::size_t>(l.height * l.width * l.channels));
    const std::uint32_t kind = random.below(8);
    for (int& v : values) {
      if (kind == 0)
        v = l.a_low();
      else if (kind == 1)
        v = l.a_high();
      else if (l.acts == Acts::Bipolar)
        v = random.chance(0.5) ? 1 : -1;
      else
        v = l.a_low() + static_cast<int>(random.below(1u << l.a_bits));
    }
    return values;
  }

  /// The definition: out[y][x][k] of sum_{r,s,c} weight[k][r][s][c] * in[y*stride + r*dilation][x*stride + s*dilation][c], over the input
  /// channels c of k.
  std::vector<std::int64_t> reference(const std::vector<int>& in) const {
    const PlaneCase& l = layer_;
    std::vector<std::int64_t> out;
    for (int y = 0; y < l.out_height(); ++y)
      for (int x = 0; x < l.out_width(); ++x)
        for (int k = 0; k < l.out_channels; ++k) {
          std::int64_t acc = 0;
          for (int r = 0; r < l.kernel_h; ++r)
            for (int s = 0; s < l.kernel_w; ++s)
              for (int c = 0; c < l.depth_of_filter(); ++c)
                acc += weight(k, r, s, c) * at(in, y * l.stride + r * l.dilation, x * l.stride + s * l.dilation, l.input_channel(k, c));
          out.push_back(output(k, acc));
        }
    return out;
  }

  std::vector<Beat> input_beats(const std::vector<int>& values) const {
    const PlaneCase& l = layer_;
    std::vector<Beat> beats;
    for (std::size_t at = 0; at < values.size(); at += static_cast<std::size_t>(l.word())) {
      Bits word(l.word() * l.a_bits);
      for (int i = 0; i < l.word(); ++i) {
        const int v = values[at + static_cast<std::size_t>(i)];
        word.set(i * l.a_bits, l.a_bits, static_cast<std::uint64_t>(l.acts == Acts::Bipolar ? (v + 1) / 2 : v));
      }
      beats.push_back({word, at + static_cast<std::size_t>(l.word()) == values.size()});
    }
    return beats;
  }
  /// The beats of a frame in the order in which they leave: of every step the groups, in them the pixels.
  std::vector<Beat> output_beats(const std::vector<std::int64_t>& values) const {
    const PlaneCase& l = layer_;
    std::vector<std::int64_t> ordered;
    const int pixels = l.engine.pixels;
    for (int start = 0; start < l.out_height() * l.out_width(); start += pixels)
      for (int group = 0; group < l.groups(); ++group)
        for (int pixel = start; pixel < start + pixels; ++pixel)
          for (int pe = 0; pe < l.pe; ++pe) ordered.push_back(values[static_cast<std::size_t>(pixel * l.out_channels + group * l.pe + pe)]);
    std::vector<Beat> beats;
    for (std::size_t at = 0; at < ordered.size(); at += static_cast<std::size_t>(l.lanes)) {
      Bits word(l.lanes * l.out_bits);
      for (int i = 0; i < l.lanes; ++i)
        word.set(i * l.out_bits, l.out_bits, static_cast<std::uint64_t>(ordered[at + static_cast<std::size_t>(i)]));
      beats.push_back({word, at + static_cast<std::size_t>(l.lanes) == ordered.size()});
    }
    return beats;
  }

  /// Words of the weight memory.
  std::vector<Bits> weight_image() const {
    const PlaneCase& l = layer_;
    std::vector<Bits> weights;
    for (int group = 0; group < l.groups(); ++group)
      for (const PlaneRun& run : l.runs(group))
        for (const int step : run.steps) {
          Bits word(l.pe * l.wpar() * l.simd);
          for (int pe = 0; pe < l.pe; ++pe)
            for (int i = 0; i < l.simd; ++i)
              for (int p = 0; p < l.wpar() && run.plane >= 0; ++p)
                word.set((pe * l.wpar() + p) * l.simd + i, 1,
                         masks_[static_cast<std::size_t>((group * l.pe + pe) * l.fan_in() + step * l.simd + i)] >> (run.plane + p) & 1);
          for (int at = 0; l.triples() && at < l.pe * l.simd; ++at) {  // {w1 ^ w2, w0 ^ w2, majority} for {w0, w1, w2}
            if (at % l.simd % 3 != 0 || at % l.simd + 3 > l.simd) continue;
            const std::uint64_t w0 = word.get(at, 1), w1 = word.get(at + 1, 1), w2 = word.get(at + 2, 1);
            word.set(at, 3, (w1 ^ w2) | (w0 ^ w2) << 1 | (w0 + w1 + w2) / 2 << 2);
          }
          weights.push_back(word);
        }
    return weights;
  }

  void write_images() const {
    const PlaneCase& l = layer_;
    write_image(l.name + "_control.mem", l.control_image());
    if (l.combines()) write_image(l.name + "_runs.mem", l.run_image());
    write_image(l.name + "_weights.mem", weight_image());

    const int beats = l.out_channels / l.lanes;
    for (int lane = 0; lane < l.lanes; ++lane) {
      const std::string suffix = "_lane" + std::string(lane < 10 ? "0" : "") + std::to_string(lane) + ".mem";
      for (int level = 0; level < l.search_bits(); ++level) {
        std::vector<Bits> words;
        for (int beat = 0; beat < beats; ++beat) {
          const auto k = static_cast<std::size_t>(beat * l.lanes + lane);
          if (l.levels == 0) {
            words.push_back(Bits(l.out_bits, static_cast<std::uint64_t>(beta_[k])));
            continue;
          }
          for (int found = 0; found < 1 << level; ++found) {
            const int rest = l.search_bits() - level;
            const int index = (found << rest) + (1 << (rest - 1)) - 1;
            Bits word(l.acc_bits() + (level == 0 ? 1 : 0));
            word.set(0, l.acc_bits(), static_cast<std::uint64_t>(index < l.levels ? raw_threshold(k, index) : l.raw_high() + 1));
            if (level == 0) word.set(l.acc_bits(), 1, falling_[k]);
            words.push_back(word);
          }
        }
        write_image(l.name + "_level" + std::to_string(level) + suffix, words);
      }
    }
  }

 private:
  std::int64_t weight(int k, int r, int s, int c) const {
    return weights_[static_cast<std::size_t>(((k * layer_.kernel_h + r) * layer_.kernel_w + s) * layer_.depth_of_filter() + c)];
  }
  int at(const std::vector<int>& in, int y, int x, int c) const {
    return in[static_cast<std::size_t>((y * layer_.width + x) * layer_.channels + c)];
  }
  std::int64_t output(int k, std::int64_t acc) const {
    if (layer_.levels == 0) return acc;
    const auto channel = static_cast<std::size_t>(k);
    const std::int64_t n =
        std::count_if(thresholds_[channel].begin(), thresholds_[channel].end(), [&](std::int64_t t) { return acc >= t; });
    return layer_.low + layer_.step * (falling_[channel] ? layer_.levels - n : n);
  }
  std::int64_t raw_threshold(std::size_t k, int index) const {
    const std::int64_t raw = ceil_div(thresholds_[k][static_cast<std::size_t>(index)] - beta_[k], layer_.alpha());
    return std::clamp<std::int64_t>(raw, -layer_.raw_high() - 1, layer_.raw_high() + 1);
  }

  PlaneCase layer_;
  std::vector<int> weights_;          // [out channel][kernel row][kernel column][channel]
  std::vector<std::uint64_t> masks_;  // the same: planes in which the weight has a 1
  std::vector<std::int64_t> beta_;
  std::vector<bool> falling_;
  std::vector<std::vector<std::int64_t>> thresholds_;
};

}  // namespace bench
