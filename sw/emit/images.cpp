#include "emit/images.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bitloom {
namespace {

void append(std::vector<bool>& word, std::int64_t value, int bits) {
  for (int b = 0; b < bits; ++b) word.push_back(((value >> b) & 1) != 0);
}

/// The shortest beginning of an image that gives all of it when it is repeated.
void keep_one_period(MemoryImage& image) {
  const std::size_t words = image.words.size();
  for (std::size_t period = 1; period < words; ++period) {
    if (words % period != 0) continue;
    if (!std::equal(image.words.begin() + static_cast<std::ptrdiff_t>(period), image.words.end(), image.words.begin())) continue;
    image.words.resize(period);
    return;
  }
}

/// The last `simd` bits of a word, three by three, as rtl/arithmetic/triple_count wants them: {w1 ^ w2, w0 ^ w2, majority} for {w0, w1, w2}.
void recode_triples(std::vector<bool>& word, int simd) {
  for (std::size_t at = word.size() - static_cast<std::size_t>(simd); at + 3 <= word.size(); at += 3) {
    const bool w0 = word[at], w1 = word[at + 1], w2 = word[at + 2];
    word[at] = w1 != w2;
    word[at + 1] = w0 != w2;
    word[at + 2] = w0 == w1 ? w0 : w2;
  }
}

}  // namespace

std::string MemoryImage::text() const {
  std::string text;
  for (const std::vector<bool>& word : words) {
    for (int digit = (width + 3) / 4 - 1; digit >= 0; --digit) {
      unsigned nibble = 0;
      for (int b = 3; b >= 0; --b) {
        const auto i = static_cast<std::size_t>(digit * 4 + b);
        nibble = nibble * 2 + (i < word.size() && word[i] ? 1U : 0U);
      }
      text += "0123456789abcdef"[nibble];
    }
    text += '\n';
  }
  return text;
}

int index_bits(std::int64_t n) {
  int bits = 1;
  while ((std::int64_t{1} << bits) < n) ++bits;
  return bits;
}

ProgramImages program_images(const Stage& stage, const Convolution& conv, const PlaneMasks& masks, const Program& program,
                             int offset_bits) {
  const Folding& f = stage.folding;
  const WindowPlan& window = stage.window_plan;
  const std::size_t fan_in = conv.weights.size() / static_cast<std::size_t>(conv.out_channels);
  const int pass_bits = program.passes > 1 ? index_bits(program.passes) : 0;
  const int factor_bits = program.coefficient_bits > 0 ? program.coefficient_bits : 2;
  ProgramImages images{{offset_bits + 1, {}}, {factor_bits + pass_bits + 2, {}}, {f.pe * f.wpar * f.simd, {}}, program.runs()};
  const auto groups_per_program = program.groups.size() / static_cast<std::size_t>(window.channel_groups);
  for (std::size_t g = 0; g < program.groups.size(); ++g) {
    const int base = static_cast<int>(g / groups_per_program) * window.group_step;
    const std::vector<Run>& runs = program.runs_of(g);
    for (std::size_t r = 0; r < runs.size(); ++r) {
      const Run& run = runs[r];
      for (int pass = 0; pass < program.passes; ++pass) {
        for (const int step : run.steps) {
          images.control.words.emplace_back();
          append(images.control.words.back(), window.offsets[static_cast<std::size_t>(step)] + base, offset_bits);
          images.control.words.back().push_back(step == run.steps.back());
        }
        std::vector<bool> word;
        append(word, pass, pass_bits);
        if (program.coefficient_bits > 0)
          append(word, run.coefficient, factor_bits);
        else
          word.insert(word.end(), {run.coefficient < 0, run.doubles && pass == 0});
        word.insert(word.end(), {pass + 1 < program.passes, pass + 1 == program.passes && r + 1 == runs.size()});
        images.runs.words.push_back(std::move(word));
      }
      for (const int step : run.steps) {
        std::vector<bool> word;
        for (int pe = 0; pe < f.pe; ++pe) {
          // Offsets run over kernel row, column and chunk, channel fastest: step j meets the fan-in elements j*simd .. j*simd+simd-1.
          const std::size_t first = (g * static_cast<std::size_t>(f.pe) + static_cast<std::size_t>(pe)) * fan_in +
                                    static_cast<std::size_t>(step) * static_cast<std::size_t>(f.simd);
          for (int p = run.plane; p < run.plane + f.wpar; ++p) {
            for (std::size_t i = 0; i < static_cast<std::size_t>(f.simd); ++i)
              word.push_back(!run.blank && (masks[first + i] >> p & 1) != 0);
            if (stage.triples) recode_triples(word, f.simd);
          }
        }
        images.weights.words.push_back(std::move(word));
      }
    }
  }
  keep_one_period(images.control);
  keep_one_period(images.runs);
  if (!program.combines()) images.runs.words.clear();
  return images;
}

BasisImages basis_images(const BasisProgram& program, const Decomposition& d, const Window& window, int in_channels, int rows) {
  BasisImages images;
  const auto word = [](std::int64_t value, int bits) {
    std::vector<bool> result;
    append(result, value, bits);
    return result;
  };
  const int code_bits = program.code.bitmap ? program.code.chunk_bits : program.code.gap_bits + 1;
  for (std::size_t lane = 0; lane < program.lanes.size(); ++lane) {
    const LaneCode code = encode(program.code, program.lanes[lane], in_channels);
    MemoryImage& words = images.lanes[fmt::format("lane{:02}", lane)];
    words.width = code_bits;
    for (const std::uint32_t value : code.words) words.words.push_back(word(value, code_bits));
    if (!code.signs.empty()) {
      MemoryImage& signs = images.lanes[fmt::format("signs{:02}", lane)];
      for (const bool negative : code.signs) signs.words.push_back({negative});
    }
    images.lane_words.push_back(code.words.size());
    images.lane_tasks.push_back(program.lanes[lane].size());
    images.lane_signs.push_back(code.signs.size());
  }
  images.order.width = program.order.gap_bits + program.order.lane_bits;
  for (const std::uint32_t value : program.order.words)
    if (images.order.width > 0) images.order.words.push_back(word(value, images.order.width));
  const int bits = basis_bits(d), taps = rows * window.kernel_width;
  images.basis.width = taps * bits;
  for (int m = 0; m < d.kernels; ++m)
    for (int row = window.kernel_height - rows; row >= 0; row -= rows) {
      std::vector<bool> values;
      for (int tap = 0; tap < taps; ++tap)
        append(values, d.basis[static_cast<std::size_t>((m * window.kernel_height + row) * window.kernel_width + tap)], bits);
      images.basis.words.push_back(std::move(values));
    }
  return images;
}

MemoryImage pool_image(const WindowPlan& window, int offset_bits) {
  MemoryImage image{offset_bits + 1, {}};
  for (int chunk = 0; chunk < window.channel_groups; ++chunk)
    for (std::size_t i = 0; i < window.offsets.size(); ++i) {
      image.words.emplace_back();
      append(image.words.back(), window.offsets[i] + chunk * window.group_step, offset_bits);
      image.words.back().push_back(i + 1 == window.offsets.size());
    }
  return image;
}

std::map<std::string, MemoryImage> threshold_images(const Threshold& op, int channels, int lanes, int bits, std::int64_t never,
                                                    const std::function<std::int64_t(std::size_t, std::size_t)>& threshold) {
  const int search = search_bits(op.levels);
  std::map<std::string, MemoryImage> images;
  for (int lane = 0; lane < lanes; ++lane) {
    for (int level = 0; level < search; ++level) {
      MemoryImage image{bits + (level == 0 ? 1 : 0), {}};
      for (int beat = 0; beat < channels / lanes; ++beat) {
        const auto channel = static_cast<std::size_t>(beat * lanes + lane);
        for (int prefix = 0; prefix < (1 << level); ++prefix) {
          // The threshold in the middle of what the bits found so far leave open.
          const int i = (prefix << (search - level)) + (1 << (search - level - 1)) - 1;
          std::vector<bool> word;
          append(word, i < op.levels ? threshold(channel, static_cast<std::size_t>(i)) : never, bits);
          if (level == 0) word.push_back(op.falling[channel] != 0);
          image.words.push_back(std::move(word));
        }
      }
      images[fmt::format("level{}_lane{:02}", level, lane)] = std::move(image);
    }
  }
  return images;
}

std::map<std::string, MemoryImage> bias_images(const std::vector<std::int64_t>& bias, int lanes, int bits) {
  std::map<std::string, MemoryImage> images;
  for (int lane = 0; lane < lanes; ++lane) {
    MemoryImage image{bits, {}};
    for (auto channel = static_cast<std::size_t>(lane); channel < bias.size(); channel += static_cast<std::size_t>(lanes)) {
      image.words.emplace_back();
      append(image.words.back(), bias[channel], bits);
    }
    images[fmt::format("level0_lane{:02}", lane)] = std::move(image);
  }
  return images;
}

std::map<std::string, MemoryImage> requantize_images(const RequantizeConstants& constants, int lanes) {
  std::map<std::string, MemoryImage> images;
  const std::size_t channels = constants.mul.size(), step = channels == 1 ? 1 : static_cast<std::size_t>(lanes);
  for (int lane = 0; lane < lanes; ++lane) {
    MemoryImage image{constants.mul_bits + constants.add_bits, {}};
    for (std::size_t c = channels == 1 ? 0 : static_cast<std::size_t>(lane); c < channels; c += step) {
      image.words.emplace_back();
      append(image.words.back(), constants.mul[c], constants.mul_bits);
      append(image.words.back(), constants.add[c], constants.add_bits);
    }
    images[fmt::format("lane{:02}", lane)] = std::move(image);
  }
  return images;
}

}  // namespace bitloom
