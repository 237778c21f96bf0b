// SPDX-License-Identifier: Apache-2.0
// basis_sums (and kernel_rows and waiting_sums within it) against a convolution by the definition: frames back to back, every column of every output row that leaves.
#include <Vbasis_1x1.h>
#include <Vbasis_1x5.h>
#include <Vbasis_3x3.h>
#include <Vbasis_5x3.h>
#include <Vbasis_narrow.h>
#include <Vbasis_rows.h>

#include "bench.hpp"
#include "catch2.hpp"

using namespace bench;

namespace {

struct BasisCase {
  std::string name;
  int pixels, height, width, rows, sum_bits, basis_bits, kernels, acc_bits, channels, pe, group_clocks, blocks, groups, map_rows, all_rows, first, stride, out_rows, short_clocks;
};

/// Takes what leaves (there is no ready), gives and counts credits.
template <class Model>
struct Taker : Agent {
  Dut<Model>& dut;
  Random random;
  double chance;
  int credits = 3, group_clocks, short_clocks, apart;  // apart: of the next group
  std::uint64_t since = 1000;
  std::vector<std::pair<Bits, bool>> taken{};
  int per_row, per_group, started = 0;  // groups of channels of an output row and of a block
  int width;
  Taker(Dut<Model>& d, const BasisCase& c, double p)
      : dut(d), random(d.seed()), chance(p), group_clocks(c.group_clocks), short_clocks(c.short_clocks), apart(0), per_row(c.groups * (c.channels / c.pe)), per_group(c.channels / c.pe), width(c.pixels * c.acc_bits) {
    dut.attach(*this);
  }
  void drive() override { dut->credit = credits > 0; }
  void observe(std::uint64_t) override {
    ++since;
    if (dut->group_start) {
      if (credits == 0) throw BenchError("a group was started without credit");
      if (since < static_cast<std::uint64_t>(apart)) throw BenchError("groups come too close");
      since = 0;
      apart = started++ % per_row >= per_row - per_group ? short_clocks : group_clocks;
      --credits;
    }
    if (dut->out_valid) taken.emplace_back(get_bits(dut->out_values, width), dut->out_frame != 0);
    if (credits < 3 && random.chance(chance)) ++credits;
  }
  void reset() override { credits = 3, since = 1000, started = 0, taken.clear(), dut->credit = 0; }
};

template <class Model>
void check_basis(const BasisCase& c) {
  Random random(test_seed());
  const int taps = c.height * c.width;
  std::vector<std::int64_t> basis;
  for (int i = 0; i < c.kernels * taps; ++i) basis.push_back(Bits(c.basis_bits, random.below(1U << c.basis_bits)).get_signed(0, c.basis_bits));
  std::vector<Bits> image;
  for (int m = 0; m < c.kernels; ++m)
    for (int row = c.height - c.rows; row >= 0; row -= c.rows) {
      Bits word(c.rows * c.width * c.basis_bits);
      for (int i = 0; i < c.rows * c.width; ++i)
        word.set(i * c.basis_bits, c.basis_bits, static_cast<std::uint64_t>(basis[static_cast<std::size_t>(m * taps + row * c.width + i)]));
      image.push_back(word);
    }
  write_image(c.name + ".mem", image);

  struct Rates {
    double in, credit;
  };
  for (const Rates& rates : {Rates{1, 1}, Rates{0.4, 1}, Rates{1, 0.1}, Rates{0.6, 0.3}}) {
    CAPTURE(c.name, rates.in, rates.credit);
    Dut<Model> dut(test_seed());
    Taker<Model> taker(dut, c, rates.credit);
    // Sums with kernel, last and ends in the payload: driven by hand.
    struct Word {
      Bits data;
      int kernel;
      bool last, ends;
    };
    std::deque<Word> words;
    std::vector<std::pair<Bits, bool>> expected;
    const auto frame = [&] {
      const int columns = c.blocks * c.pixels;
      // sums[k][m][y][x] that are there
      std::vector<std::int64_t> s(static_cast<std::size_t>(c.channels * c.kernels * c.map_rows * columns), 0);
      const auto at = [&](int k, int m, int y, int x) -> std::int64_t& {
        return s[static_cast<std::size_t>(((k * c.kernels + m) * c.map_rows + y) * columns + x)];
      };
      for (int y = 0; y < c.map_rows; ++y)
        for (int block = 0; block < c.blocks; ++block)
          for (int k = 0; k < c.channels; ++k) {
            const int tasks = 1 + static_cast<int>(random.below(3));
            for (int t = 0; t < tasks; ++t) {
              const auto m = static_cast<int>(random.below(static_cast<std::uint32_t>(c.kernels)));
              Word word{random.bits(c.pixels * c.sum_bits), m, t == tasks - 1, t == tasks - 1 && k == c.channels - 1};
              for (int p = 0; p < c.pixels; ++p) at(k, m, y, block * c.pixels + p) += word.data.get_signed(p * c.sum_bits, c.sum_bits);
              words.push_back(std::move(word));
            }
          }
      for (int i = 0; i < c.out_rows; ++i)
        for (int group = 0; group < c.groups; ++group)
          for (int k = 0; k < c.channels; ++k) {
            Bits values(c.pixels * c.acc_bits);
            for (int p = 0; p < c.pixels; ++p) {
              // Column x0 of the kernel's first tap; the last tap stands on column group*pixels + p, the last row on c.first + i*stride.
              std::int64_t sum = 0;
              for (int m = 0; m < c.kernels; ++m)
                for (int r = 0; r < c.height; ++r)
                  for (int q = 0; q < c.width; ++q) {
                    const int y = c.first + i * c.stride - (c.height - 1) + r, x = group * c.pixels + p - (c.width - 1) + q;
                    if (y >= 0 && y < c.map_rows && x >= 0 && x < columns)
                      sum += at(k, m, y, x) * basis[static_cast<std::size_t>(m * taps + r * c.width + q)];
                  }
              values.set(p * c.acc_bits, c.acc_bits, static_cast<std::uint64_t>(sum));
            }
            expected.emplace_back(values, i == c.out_rows - 1 && group == c.groups - 1 && k == c.channels - 1);
          }
    };
    const auto run = [&](std::uint64_t clocks, bool to_the_end) {
      bool offering = false;
      for (std::uint64_t clock = 0; clock < clocks && !(to_the_end && words.empty() && taker.taken.size() == expected.size()); ++clock) {
        if (!offering) offering = !words.empty() && random.chance(rates.in);
        dut->sums_valid = offering;
        const Bits data = offering ? words.front().data : random.bits(c.pixels * c.sum_bits);
        set_bits(dut->sums_data, data);
        dut->sums_kernel = static_cast<std::uint8_t>(offering ? words.front().kernel : 0);
        dut->sums_last = offering && words.front().last;
        dut->sums_ends = offering && words.front().ends;
        taker.drive();
        dut.settle();
        const bool moved = offering && dut->sums_ready;
        dut.tick();
        if (moved) words.pop_front(), offering = false;
      }
    };
    frame();
    run(30, false);  // a reset within a frame starts a new one
    words.clear(), expected.clear();
    dut->sums_valid = 0;
    dut.reset();
    for (int i = 0; i < 3; ++i) frame();
    REQUIRE_NOTHROW(run(200000, true));
    REQUIRE(taker.taken.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(i);
      REQUIRE(taker.taken[i].first == expected[i].first);
      REQUIRE(taker.taken[i].second == expected[i].second);
    }
  }
}

}  // namespace

TEST_CASE("basis_sums, 3x3, all rows at once, a border of one", "[basis]") {
  check_basis<Vbasis_3x3>({"basis_3x3", 4, 3, 3, 3, 7, 8, 3, 22, 6, 2, 4, 2, 3, 4, 5, 1, 1, 4, 2});
}
TEST_CASE("basis_sums, 3x3, row by row, stride 2, one channel", "[basis]") {
  check_basis<Vbasis_rows>({"basis_rows", 2, 3, 3, 1, 6, 5, 2, 17, 1, 1, 2, 3, 3, 5, 5, 2, 2, 2, 2});
}
TEST_CASE("basis_sums, 3x3, row by row, one channel and one block a row: what waits is wanted at once", "[basis]") {
  check_basis<Vbasis_narrow>({"basis_narrow", 4, 3, 3, 1, 6, 5, 1, 17, 1, 1, 2, 1, 1, 5, 5, 2, 1, 3, 2});
}
TEST_CASE("basis_sums, 5x3, row by row, no border, one pixel", "[basis]") {
  check_basis<Vbasis_5x3>({"basis_5x3", 1, 5, 3, 1, 5, 8, 4, 20, 3, 3, 1, 4, 4, 6, 7, 2, 1, 5, 1});
}
TEST_CASE("basis_sums, 1x5: rows do not overlap", "[basis]") {
  check_basis<Vbasis_1x5>({"basis_1x5", 2, 1, 5, 1, 8, 4, 1, 16, 4, 4, 2, 2, 4, 3, 3, 0, 2, 2, 2});
}
TEST_CASE("basis_sums, 1x1: nothing overlaps, sums that wrap", "[basis]") {
  check_basis<Vbasis_1x1>({"basis_1x1", 8, 1, 1, 1, 9, 8, 2, 12, 2, 1, 8, 1, 1, 3, 4, 0, 1, 4, 8});
}
