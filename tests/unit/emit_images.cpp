// The memory images, executed here word by word as rtl/layer does, must give the convolution by its definition.
#include <array>

#include "catch2.hpp"
#include "emit/design.hpp"
#include "emit/images.hpp"
#include "map/raw.hpp"
#include "random_network.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

std::int64_t field(const std::vector<bool>& word, int first, int bits, bool sign) {
  std::int64_t value = 0;
  for (int b = 0; b < bits; ++b) value |= std::int64_t{word[static_cast<std::size_t>(first + b)]} << b;
  return sign && word[static_cast<std::size_t>(first + bits - 1)] ? value - (std::int64_t{1} << bits) : value;
}

/// The definition in core/network.hpp.
std::int64_t accumulator(const Convolution& conv, const MapData& in, int y, int x, int k) {
  const Window& w = conv.window;
  std::int64_t sum = 0;
  std::size_t at = static_cast<std::size_t>(k) * conv.weights.size() / static_cast<std::size_t>(conv.out_channels);
  for (int r = 0; r < w.kernel_height; ++r)
    for (int s = 0; s < w.kernel_width; ++s)
      for (int c = 0; c < in.shape.channels; ++c, ++at) {
        const int row = y * w.stride_height + r * w.dilation_height - w.pad_top,
                  column = x * w.stride_width + s * w.dilation_width - w.pad_left;
        if (row < 0 || row >= in.shape.height || column < 0 || column >= in.shape.width) continue;
        sum +=
            std::int64_t{conv.weights[at]} * in.values[static_cast<std::size_t>((row * in.shape.width + column) * in.shape.channels + c)];
      }
  return sum;
}

/// The codes that the window reader holds: padded, unfolded where asked, in words of simd values.
std::vector<std::vector<std::int64_t>> stream_words(const Stage& stage, const MapData& in, const ValueType& type) {
  const Window& w = stage.window;
  const int height = stage.in_shape.height + w.pad_top + w.pad_bottom, width = stage.in_shape.width + w.pad_left + w.pad_right;
  const int channels = stage.in_shape.channels;
  const auto value = [&](int y, int x, int c) -> std::int64_t {
    y -= w.pad_top, x -= w.pad_left;
    if (y < 0 || y >= stage.in_shape.height || x < 0 || x >= stage.in_shape.width) return 0;
    const std::int64_t v = in.values[static_cast<std::size_t>((y * stage.in_shape.width + x) * channels + c)];
    return type.is_bipolar() ? (v > 0 ? 1 : 0) : v;
  };
  std::vector<std::vector<std::int64_t>> words;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x + stage.folding.columns <= width; ++x) {
      std::vector<std::int64_t> pixel;
      for (int s = 0; s < stage.folding.columns; ++s)
        for (int c = 0; c < channels; ++c) pixel.push_back(value(y, x + s, c));
      for (std::size_t i = 0; i < pixel.size(); i += static_cast<std::size_t>(stage.folding.simd))
        words.emplace_back(pixel.begin() + static_cast<std::ptrdiff_t>(i),
                           pixel.begin() + static_cast<std::ptrdiff_t>(i) + stage.folding.simd);
    }
  return words;
}

/// `apar` bits of a value from bit pass*apar on; of a signed value the highest part keeps the sign.
std::int64_t part(std::int64_t value, const ValueType& type, int apar, std::int64_t pass) {
  const std::int64_t shifted = value >> (pass * apar), top = (pass + 1) * apar == type.bits();
  return top && type.is_signed() ? shifted : shifted & ((std::int64_t{1} << apar) - 1);
}

/// Weight i of `simd` that stand at `first` of a weight word; by threes if the stage's cells want that (rtl/arithmetic/triple_count).
bool weight_bit(const Stage& stage, const std::vector<bool>& word, std::size_t first, std::size_t i, std::size_t simd) {
  const std::size_t triple = i / 3 * 3;
  if (!stage.triples || triple + 3 > simd) return word[first + i];
  const bool others_12 = word[first + triple], others_02 = word[first + triple + 1], majority = word[first + triple + 2];
  for (const bool w2 : {false, true}) {
    const std::array<bool, 3> w{w2 != others_02, w2 != others_12, w2};
    if ((w[0] + w[1] + w[2] >= 2) == majority) return w[i - triple];
  }
  FAIL("no three weights have this code");
  return false;
}

void check_stage(const Network& network, const Stage& stage, const MapData& in) {
  if (stage.pairs) return;  // raw sums of pairs: tb_plane_layer
  const auto& conv = std::get<Convolution>(network.layers[static_cast<std::size_t>(stage.layer)].op);
  const ValueType& type = network.maps[static_cast<std::size_t>(stage.in_maps[0])].type;
  const RawAccumulator raw = raw_accumulator(conv, type);
  const Folding& f = stage.folding;
  const WindowPlan& w = stage.window_plan;
  const int offset_bits = index_bits(w.extent - (f.pixels - 1) * w.pixel_step);
  const PlaneMasks masks(conv);
  const Program program = make_program(conv, stage, masks, type.bits());
  const ProgramImages images = program_images(stage, conv, masks, program, offset_bits);
  REQUIRE(static_cast<std::int64_t>(images.weights.words.size()) == stage.weight_words);
  // What the plan counts for them is not less than what they are.
  REQUIRE(static_cast<std::int64_t>(images.control.words.size()) <= stage.control_words);
  REQUIRE(static_cast<std::int64_t>(images.runs.words.size()) <= stage.run_words);
  REQUIRE(images.runs.width == stage.run_bits);
  const bool parallel_signed = f.wpar > 1 && conv.weight_type.is_signed();
  const int pass_bits = program.passes > 1 ? index_bits(program.passes) : 0;
  const int factor_bits = program.coefficient_bits > 0 ? program.coefficient_bits : 2;
  const auto words = stream_words(stage, in, type);
  const std::int64_t complement = type.is_signed() ? -1 : type.is_bipolar() ? 1 : type.max();
  std::size_t base = 0;
  for (int y = 0; y < w.out_height; ++y) {
    for (int x = 0; x < w.out_width; ++x) {
      for (int pixel = 0; pixel < f.pixels; ++pixel) {
        // As rtl/layer executes it: words into the run's totals, runs into the group's accumulators.
        std::vector<std::int64_t> totals(static_cast<std::size_t>(f.pe), 0), sums = totals;
        std::size_t control = 0, weight = 0, run_start = 0;
        int group = 0;
        for (std::int64_t run = 0; run < images.run_count; ++run) {
          const bool combines = !images.runs.words.empty();
          const std::vector<bool> fields =
              combines ? images.runs.words[static_cast<std::size_t>(run) % images.runs.words.size()] : std::vector<bool>{};
          const std::int64_t pass = combines && pass_bits > 0 ? field(fields, 0, pass_bits, false) : 0;
          const std::int64_t factor = combines ? field(fields, pass_bits, factor_bits, program.coefficient_bits > 0) : 0;
          run_start = weight;
          totals.assign(totals.size(), 0);
          for (bool last = false; !last; ++control, ++weight) {
            const std::vector<bool>& word = images.control.words[control % images.control.words.size()];
            last = word[static_cast<std::size_t>(offset_bits)];
            const auto& activations =
                words.at(base + static_cast<std::size_t>(field(word, 0, offset_bits, false) + std::int64_t{pixel} * w.pixel_step));
            for (std::size_t pe = 0; pe < totals.size(); ++pe)
              for (int p = 0; p < f.wpar; ++p)
                for (std::size_t i = 0; i < activations.size(); ++i) {
                  const std::size_t first = (pe * static_cast<std::size_t>(f.wpar) + static_cast<std::size_t>(p)) * activations.size();
                  const bool bit =
                      weight_bit(stage, images.weights.words[weight % images.weights.words.size()], first, i, activations.size());
                  const std::int64_t code = part(activations[i], type, f.apar, pass);
                  const std::int64_t cell = bit ? code : uses_xnor(conv) ? part(complement, type, f.apar, pass) - code : 0;
                  totals[pe] += (parallel_signed && p == f.wpar - 1 ? -1 : 1) * (cell << p);
                }
          }
          for (std::size_t pe = 0; pe < sums.size(); ++pe) {
            const std::int64_t term = totals[pe] << (pass * f.apar);
            if (program.coefficient_bits > 0)
              sums[pe] += factor * term;
            else
              sums[pe] = ((factor & 2) != 0 ? 2 * sums[pe] : sums[pe]) + ((factor & 1) != 0 ? -term : term);
          }
          if (combines && fields[static_cast<std::size_t>(pass_bits + factor_bits)]) weight = run_start;
          if (combines && !fields[static_cast<std::size_t>(pass_bits + factor_bits) + 1]) continue;
          for (std::size_t pe = 0; pe < sums.size(); ++pe) {
            const std::size_t k = static_cast<std::size_t>(group) * sums.size() + pe;
            CHECK(raw.low <= sums[pe]);
            CHECK(sums[pe] <= raw.high);
            const std::int64_t expected = conv.window.kernel_height == in.shape.height && stage.in_shape.height == 1
                                              ? accumulator(conv, in, 0, 0, static_cast<int>(k))
                                              : accumulator(conv, in, y, x * f.pixels + pixel, static_cast<int>(k));
            REQUIRE(raw.alpha * sums[pe] + raw.beta[k] == expected);
            sums[pe] = 0;
          }
          ++group;
        }
        CHECK(group == conv.out_channels / f.pe);
        CHECK(static_cast<std::int64_t>(control) == stage.words_per_pixel);
      }
      const bool row_ends = x + 1 == w.out_width;
      base += static_cast<std::size_t>(!row_ends ? w.step_x : y + 1 < w.out_height ? w.step_row : w.step_frame);
    }
  }
  CHECK(base == words.size());  // the last step leads to the next frame's first word
}

}  // namespace

TEST_CASE("control and weight images give the convolution, for every pairing of types and several foldings") {
  Random random(test_seed());
  const auto weights = GENERATE(as<std::string>{}, "b1", "s1", "s2", "s4", "u2");
  const auto activations = GENERATE(as<std::string>{}, "b1", "u1", "u2", "s2", "u5", "s8");
  CAPTURE(weights, activations);
  const int pad = activations == "b1" ? 0 : 1;
  for (const int clocks : {0, 700, 100000}) {
    NetworkBuilder chain(random, {5, 6, 4}, ValueType::parse(activations));
    chain.convolution(6, square(3, 1 + pick(random, 0, 1), pad), ValueType::parse(weights));
    chain.quantize(ValueType::unsigned_bits(2)).fully_connected(5, ValueType::parse(weights));
    const Network network = chain.build();
    Budget budget{"test", 1 << 20, 1 << 20, 4096, 16, 1e6, 1.0};
    for (const int fabric : {0, 2}) {
      budget.fabric = fabric;
      const Plan plan = make_plan(network, budget, {0, clocks});
      check_stage(network, plan.stages[0], random_map(random, network.maps[0]));
      check_stage(network, plan.stages[1], random_map(random, network.maps[2]));
    }
  }
}

TEST_CASE("threshold images, searched level by level, count the thresholds reached") {
  Random random(test_seed());
  for (const int levels : {1, 2, 3, 6, 15}) {
    Threshold op;
    op.levels = levels;
    const int channels = 6, lanes = 2, bits = 9;
    for (int c = 0; c < channels; ++c) {
      std::vector<std::int64_t> row;
      for (int i = 0; i < levels; ++i) row.push_back(pick(random, -200, 200));
      std::sort(row.begin(), row.end());
      op.thresholds.insert(op.thresholds.end(), row.begin(), row.end());
      op.falling.push_back(static_cast<std::uint8_t>(c % 2));
    }
    const auto images = threshold_images(op, channels, lanes, bits, 201, [&](std::size_t c, std::size_t i) {
      return op.thresholds[c * static_cast<std::size_t>(levels) + i];
    });
    REQUIRE(static_cast<int>(images.size()) == lanes * search_bits(levels));
    for (int c = 0; c < channels; ++c) {
      for (int value = -200; value <= 200; ++value) {
        int found = 0;
        for (int level = 0; level < search_bits(levels); ++level) {
          const MemoryImage& image = images.at("level" + std::to_string(level) + "_lane0" + std::to_string(c % lanes));
          const auto& word = image.words.at(static_cast<std::size_t>(((c / lanes) << level) + found));
          found = found * 2 + (value >= field(word, 0, bits, true) ? 1 : 0);
          if (level == 0) CHECK(word[static_cast<std::size_t>(bits)] == (c % 2 != 0));
        }
        int expected = 0;
        for (int i = 0; i < levels; ++i) expected += value >= op.thresholds[static_cast<std::size_t>(c * levels + i)] ? 1 : 0;
        REQUIRE(found == expected);
      }
    }
  }
}

TEST_CASE("a memory image is hexadecimal text of full width") {
  const MemoryImage image{6, {{true, false, false, false, false, true}, {true, true, true, true, false, false}}};
  CHECK(image.text() == "21\n0f\n");
}
