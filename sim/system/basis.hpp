// The basis engine: basis_layer (rtl/basis), whose every sum is followed.
//
// Six stages hand on to each other, each a recurrence over clocks: beats become words of a channel (pixel_block), words fill the lanes' memories, lanes issue
// coefficients (lane.hpp), sums are taken in their order (sparse_sums) and held for the products (basis_sums), groups of results leave.
#pragma once

#include <vector>

#include "system/lane.hpp"
#include "system/load.hpp"
#include "system/queue.hpp"
#include "system/storage.hpp"
#include "system/stream.hpp"

namespace bitloom::system {

struct BasisTiming {
  std::int64_t lanes = 1, chunks = 1, pixels = 1, channels = 1;  ///< of pixel_block: channels of a beat, beats of a pixel
  std::vector<LaneProgram> programs;                             ///< of each sparse lane
  std::vector<std::size_t> turns;                                ///< the lane that each of a block's sums comes from, in order
  std::vector<int> sums;                                         ///< of each output channel
  std::int64_t lane_depth = 2, ahead = 16;                       ///< sums that wait: in a lane, and in order
  std::int64_t steps = 1, pause = 0;                             ///< clocks of a sum; clocks lost behind a block
  std::int64_t blocks = 1, groups = 1, map_rows = 1, all_rows = 1, first = 0, stride = 1, out_rows = 1;  ///< of basis_sums
  std::int64_t pe = 1, group_beats = 1, short_beats = 1;         ///< output channels of a group, and its results, in a row's last block
  std::int64_t latency = 8;                                      ///< from a group's last sum to the clock in which its first result is written
  std::int64_t credits = 2;                                      ///< groups under way at most
};

class BasisEngine final : public Active, public BeatTarget, public Worker {
 public:
  BasisEngine(const sc_core::sc_module_name& name, BasisTiming timing);
  BeatTarget& input(std::size_t) override { return *this; }
  void reset() override;
  std::int64_t frame_out(const std::vector<std::int64_t>& frame_in) const override;
  std::int64_t memory() const override { return 4 * t_.pixels * t_.chunks; }
  Clock offer(Clock valid) override;
  void flush() override {}  // its process does
  const std::vector<FrameLoad>& loads() const override { return loads_; }

 private:
  void run() override;
  /// Each does what it can, and says whether that was anything.
  bool write_word();
  bool run_lanes();
  bool take_sums();
  bool execute();
  void pump();
  /// The clock in which the next sum, or the next channel of an empty block, is accepted; kUnknown if that cannot be told yet.
  Clock next_accept(bool real, bool closes);
  void block_ends();
  void mark_busy(std::size_t lane, Clock clock);

  const BasisTiming t_;

  // pixel_block and the lanes' memories.
  std::int64_t beat_ = 0, lane_ = 0;  ///< of a block; of its last pixel's beat
  std::int64_t channel_ = 0;          ///< of the word that waits at the output
  Clock given_ = kUnknown, written_ = 0;  ///< when it was put there, unless it is written; when the word before was written
  bool waits_ = false;
  std::int64_t halves_ = 0;           ///< that have been loaded
  Clock half_free_ = 0;
  bool refused_ = false;

  std::vector<Lane> sparse_;
  std::size_t turn_ = 0;
  Clock decided_ = 2;                 ///< the last turn; gap_reader: ready from the fourth clock on
  Queue<Clock> ahead_credits_;
  FifoOutput ahead_;

  // basis_sums.
  std::int64_t row_ = 0, group_ = 0, sum_channel_ = 0, until_out_ = 0, rows_left_ = 0;
  int sums_done_ = 0;                 ///< of the channel
  Clock next_ = 0, next_group_ = 0;   ///< earliest: the next sum, the next group that leaves
  Queue<Clock> credits_;
  FifoOutput results_;
  Queue<std::int64_t> group_left_;    ///< beats of the groups that leave
  std::int64_t beats_gone_ = 0;       ///< of the first of them

  // Clocks in which any lane adds, in frames of input.
  std::vector<FrameLoad> loads_;
  std::vector<std::int64_t> lane_blocks_;  ///< begun, of each lane
  std::vector<Clock> marked_;              ///< the last clocks with an addition, by their low bits
  Clock frame_begin_ = 0;
};

}  // namespace bitloom::system
