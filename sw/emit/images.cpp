#include "emit/images.hpp"

#include <fmt/format.h>

namespace bitloom {
namespace {

void append(std::vector<bool>& word, std::int64_t value, int bits) {
  for (int b = 0; b < bits; ++b) word.push_back(((value >> b) & 1) != 0);
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

MemoryImage control_image(const Stage& stage, int groups, int planes, bool negate_top, int offset_bits) {
  MemoryImage image{offset_bits + 3, {}};
  const WindowPlan& window = stage.window_plan;
  const int programs = window.channel_groups > 1 ? groups : 1;
  for (int group = 0; group < programs; ++group) {
    const int base = group / (programs / window.channel_groups) * window.group_step;
    for (int plane = planes - 1; plane >= 0; --plane) {
      for (std::size_t i = 0; i < window.offsets.size(); ++i) {
        std::vector<bool> word;
        append(word, window.offsets[i] + base, offset_bits);
        word.push_back(negate_top && plane == planes - 1);             // negate
        word.push_back(i == 0 && plane != planes - 1);                 // double
        word.push_back(plane == 0 && i + 1 == window.offsets.size());  // last
        image.words.push_back(std::move(word));
      }
    }
  }
  return image;
}

MemoryImage weight_image(const Stage& stage, const Convolution& conv) {
  const Folding& f = stage.folding;
  const int planes = weight_planes(conv);
  const std::size_t fan_in = conv.weights.size() / static_cast<std::size_t>(conv.out_channels);
  const std::size_t words = stage.window_plan.offsets.size();
  MemoryImage image{f.pe * f.wpar * f.simd, {}};
  for (int group = 0; group < conv.out_channels / f.pe; ++group) {
    for (int plane = planes - f.wpar; plane >= 0; plane -= f.wpar) {
      for (std::size_t j = 0; j < words; ++j) {
        std::vector<bool> word;
        for (int pe = 0; pe < f.pe; ++pe) {
          // Offsets run over kernel row, column and chunk, channel fastest: word j holds the fan-in elements j*simd .. j*simd+simd-1.
          const std::size_t first = static_cast<std::size_t>(group * f.pe + pe) * fan_in + j * static_cast<std::size_t>(f.simd);
          for (int p = plane; p < plane + f.wpar; ++p) {
            for (std::size_t i = 0; i < static_cast<std::size_t>(f.simd); ++i) {
              const std::int32_t weight = conv.weights[first + i];
              word.push_back(uses_xnor(conv) ? weight > 0 : ((weight >> p) & 1) != 0);
            }
          }
        }
        image.words.push_back(std::move(word));
      }
    }
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
