// The transaction-level model of an emitted design: clocks per image, latency, bottleneck and FIFO fill without simulating its RTL.
//
// Every instance of design.json's netlist is a SystemC module with the timing of its RTL and no data; docs/system.md says why the clocks are
// those of the RTL. SystemC allows one structure in a process: make one System only. It can run again and again, with other FIFO depths.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bitloom {

struct SystemOptions {
  std::int64_t images = 20;  ///< at least 1
  bool extrapolate = true;   ///< once all streams repeat themselves from image to image, the remaining images are not simulated but counted
};

/// Clocks of a layer over the span: its engine executes a word, waits for input, or waits for room at the output.
struct SystemLayer {
  std::string name;
  std::int64_t busy = 0, starved = 0, stalled = 0;
};

struct SystemFifo {
  std::string name;
  std::int64_t depth = 0, most = 0;  ///< words: room, and the most that stood in it
};

struct SystemResult {
  std::int64_t images = 0, simulated = 0;  ///< asked for; simulated one by one until the steady state was proven
  std::int64_t steady_after = 0;           ///< images after which every stream repeats itself; 0: not seen
  double clocks_per_image = 0;             ///< over the same span as in simulate(): 0 with fewer than 3 images
  std::int64_t first_image_latency = 0, total_clocks = 0;
  std::vector<SystemLayer> layers;         ///< those with an engine
  std::vector<SystemFifo> fifos;           ///< in front of joins
  std::string bottleneck;                  ///< the layer that works, or the instance ("input") that sends a beat, in the largest share of the clocks
  double bottleneck_share = 0;             ///< of the clocks
  std::string failure;                     ///< why no image comes any more; empty when all came
  std::int64_t beats = 0;                  ///< that were passed on, all streams together
  double seconds = 0;                      ///< of the run, without building the structure
};

class System {
 public:
  /// `design`: a design.json with its netlist. Throws Error for one without, or with modules or parameters that the model does not know.
  explicit System(const nlohmann::json& design);
  ~System();
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  /// From reset on. Never throws for what the design does: a deadlock is told in `failure`.
  SystemResult run(const SystemOptions& options);
  /// FIFOs in front of joins, and what they are to hold in the next run.
  std::vector<std::string> fifos() const;
  void set_depth(const std::string& fifo, std::int64_t depth);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bitloom
