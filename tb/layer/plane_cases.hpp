// SPDX-License-Identifier: Apache-2.0
// Layers for the bench of plane_layer: what each computes, its reference by the definition of convolution, and its memory images.
//
// The reference uses integer weights and activations only; planes, raw accumulators and programs exist only where the images are made.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "bench.hpp"

namespace bench {

enum class Acts { Unsigned, Signed, Bipolar };

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

  bool xnor() const { return w_bits == 1 && !ones; }
  int word() const { return depthwise ? simd * pe : simd; }    // activations
  int words() const { return channels / word(); }              // per pixel
  int group_words() const { return depthwise ? 1 : words(); }  // per pixel, that a group sees
  int depth_of_filter() const { return depthwise ? simd : channels; }
  int input_channel(int k, int c) const { return depthwise ? k / pe * word() + c * pe + k % pe : c; }
  int out_height() const { return (height - dilation * (kernel_h - 1) - 1) / stride + 1; }
  int out_width() const { return (width - dilation * (kernel_w - 1) - 1) / stride + 1; }
  int extent() const { return ((kernel_h - 1) * dilation * width + (kernel_w - 1) * dilation + 1) * words(); }
  int step_x() const { return stride * words(); }
  int step_row() const { return (stride * width - (out_width() - 1) * stride) * words(); }
  int step_frame() const { return height * width * words() - (out_height() - 1) * stride * width * words() - (out_width() - 1) * step_x(); }
  int depth() const { return extent() + std::max(step_frame(), step_row()) + more_depth; }
  int groups() const { return out_channels / pe; }
  int wpar() const { return parallel ? w_bits : 1; }
  int plane_words() const { return parallel ? 1 : w_bits; }  // words that a group's planes take one after the other
  int group_program_words() const { return plane_words() * kernel_h * kernel_w * group_words(); }
  int control_words() const { return (depthwise ? groups() : 1) * group_program_words(); }  // depthwise: each group has a word of the pixel
  int program_words() const { return groups() * group_program_words(); }
  int clocks() const { return out_height() * out_width() * program_words() * (a_bits / apar); }
  int fan_in() const { return kernel_h * kernel_w * depth_of_filter(); }
  int offset_bits() const { return bits_for(extent()); }
  int search_bits() const { return levels == 0 ? 1 : bits_for(levels + 1); }
  int alpha() const { return acts == Acts::Bipolar ? 2 : 1; }

  int a_low() const { return acts == Acts::Unsigned ? 0 : acts == Acts::Bipolar ? -1 : -(1 << (a_bits - 1)); }
  int a_high() const { return acts == Acts::Bipolar ? 1 : acts == Acts::Unsigned ? (1 << a_bits) - 1 : (1 << (a_bits - 1)) - 1; }
  int w_low() const { return ones ? 1 : w_bits == 1 ? -1 : -(1 << (w_bits - 1)); }
  int w_high() const { return w_bits == 1 ? 1 : (1 << (w_bits - 1)) - 1; }
  /// The largest raw accumulator, whatever the weights; and bits that hold it plus 1, and its negative counterpart.
  int raw_high() const {
    const int code = acts == Acts::Bipolar ? 1 : std::max(a_high(), -a_low());
    return fan_in() * code * std::abs(w_low());
  }
  int acc_bits() const { return bits_for(raw_high() + 2) + 1; }

  std::string parameters() const {
    std::string text;
    const auto add = [&](const std::string& key, const std::string& value) { text += " " + key + "=" + value; };
    const auto number = [&](const std::string& key, int value) { add(key, std::to_string(value)); };
    number("SIMD", simd), number("A_BITS", a_bits), number("A_SIGNED", acts == Acts::Signed), number("APAR", apar), number("PE", pe);
    number("XNOR", xnor()), number("ACC_BITS", acc_bits()), number("BUFFER_DEPTH", depth()), number("EXTENT", extent());
    number("OUT_HEIGHT", out_height()), number("OUT_WIDTH", out_width()), number("STEP_X", step_x()), number("STEP_ROW", step_row());
    number("STEP_FRAME", step_frame()), number("PROGRAM_WORDS", program_words()), number("CONTROL_WORDS", control_words());
    number("OFFSET_BITS", offset_bits()), number("GROUPS", groups()), add("CONTROL_INIT", name + "_control.mem");
    add("WEIGHT_INIT", name + "_weights.mem"), add("ACTIVATION_INIT", name), number("LANES", lanes), number("OUT_BITS", out_bits);
    if (slack > 0) number("SLACK", slack);
    if (depthwise) number("DEPTHWISE", 1);
    if (parallel) number("WPAR", wpar()), number("W_SIGNED", 1);
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
};

// name, map, kernel, stride, dilation, activations, weights, channels out, folding, thresholds, buffer
inline const std::vector<PlaneCase> plane_cases = {
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
    {"plane_dw_columns", 5, 4, 12, 3, 1, 1, 1, Acts::Signed, 4, 2, 4, 3, 2, 4, 1, 7, -3, 1, 3, 0, 0, true},  // 3x3, columns unfolded
    {"plane_dw_xnor", 5, 5, 6, 3, 3, 2, 1, Acts::Bipolar, 1, 1, 6, 1, 1, 3, 1, 1, 0, 1, 1, 1, 0, true},
    {"plane_parallel", 5, 5, 6, 3, 3, 1, 1, Acts::Unsigned, 3, 4, 8, 6, 3, 4, 1, 7, 0, 1, 3, 0, 0, false, false, true},
    {"plane_dw_parallel", 4, 5, 8, 3, 3, 1, 1, Acts::Signed, 2, 3, 8, 1, 2, 4, 2, 3, 0, 1, 2, 1, 0, true, false, true},
    {"plane_average", 4, 4, 6, 2, 2, 2, 1, Acts::Unsigned, 4, 1, 6, 1, 2, 3, 1, 0, 0, 0, 7, 0, 0, true, true},
};

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

/// One set of weights and thresholds of a case.
class PlaneModel {
 public:
  PlaneModel(const PlaneCase& layer, Random& random) : layer_(layer) {
    const PlaneCase& l = layer_;
    weights_.resize(static_cast<std::size_t>(l.out_channels * l.fan_in()));
    for (int& w : weights_)
      w = l.ones ? 1 : l.w_bits == 1 ? (random.chance(0.5) ? 1 : -1) : l.w_low() + static_cast<int>(random.below(1u << l.w_bits));
    // One channel of extreme weights reaches the ends of the accumulator.
    for (int i = 0; i < l.fan_in(); ++i) weights_[static_cast<std::size_t>(i)] = l.w_low();
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
      beta_.push_back(beta);
      falling_.push_back(random.chance(0.4));
      std::vector<std::int64_t> thresholds;
      const std::int64_t middle = k == 0 ? l.w_low() * (l.a_low() + l.a_high()) * l.fan_in() / 2 : 0;
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
  std::vector<Beat> output_beats(const std::vector<std::int64_t>& values) const {
    const PlaneCase& l = layer_;
    std::vector<Beat> beats;
    for (std::size_t at = 0; at < values.size(); at += static_cast<std::size_t>(l.lanes)) {
      Bits word(l.lanes * l.out_bits);
      for (int i = 0; i < l.lanes; ++i)
        word.set(i * l.out_bits, l.out_bits, static_cast<std::uint64_t>(values[at + static_cast<std::size_t>(i)]));
      beats.push_back({word, at + static_cast<std::size_t>(l.lanes) == values.size()});
    }
    return beats;
  }

  void write_images() const {
    const PlaneCase& l = layer_;
    std::vector<Bits> control, weights;
    const int steps = l.kernel_h * l.kernel_w * l.group_words();
    for (int group = 0; group < (l.depthwise ? l.groups() : 1); ++group)
      for (int plane = l.plane_words() - 1; plane >= 0; --plane)
        for (int j = 0; j < steps; ++j) {
          const int position = j / l.group_words();
          const int offset = (position / l.kernel_w * l.dilation * l.width + position % l.kernel_w * l.dilation) * l.words() +
                             (l.depthwise ? group : j % l.words());
          Bits word(l.offset_bits() + 3, static_cast<std::uint64_t>(offset));
          word.set(l.offset_bits(), 1, l.plane_words() > 1 && plane == l.w_bits - 1);  // negate
          word.set(l.offset_bits() + 1, 1, j == 0 && plane != l.plane_words() - 1);    // double
          word.set(l.offset_bits() + 2, 1, plane == 0 && j == steps - 1);              // last
          control.push_back(word);
        }
    for (int group = 0; group < l.groups(); ++group)
      for (int plane = l.plane_words() - 1; plane >= 0; --plane)
        for (int j = 0; j < steps; ++j) {
          Bits word(l.pe * l.wpar() * l.simd);
          for (int pe = 0; pe < l.pe; ++pe)
            for (int i = 0; i < l.simd; ++i) {
              const int w = weights_[static_cast<std::size_t>((group * l.pe + pe) * l.fan_in() + j * l.simd + i)];
              for (int p = 0; p < l.wpar(); ++p)
                word.set((pe * l.wpar() + p) * l.simd + i, 1, l.w_bits == 1 ? w > 0 : w >> (plane + p) & 1);
            }
          weights.push_back(word);
        }
    write_image(l.name + "_control.mem", control);
    write_image(l.name + "_weights.mem", weights);

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
  std::vector<int> weights_;  // [out channel][kernel row][kernel column][channel]
  std::vector<std::int64_t> beta_;
  std::vector<bool> falling_;
  std::vector<std::vector<std::int64_t>> thresholds_;
};

}  // namespace bench
