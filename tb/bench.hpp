// SPDX-License-Identifier: Apache-2.0
// The shared testbench library: one clocked design, stream agents on its ports, and a monitor that polices every handshake.
//
//   Dut<Vskid_buffer_w8> dut(test_seed());
//   Source in(dut, input_stream(dut, 8), 0.7);      // offers beats with probability 0.7
//   Sink out(dut, output_stream(dut, 8), 0.5);      // is ready with probability 0.5
//   in.push(beat); out.expect(beat);
//   dut.run_until([&] { return out.done(); });
//
// A cycle: agents set the inputs, the design settles, agents look at the ports, the clock rises. Everything that is wrong throws
// BenchError, which Catch2 reports as a failure, with the stream's name and the cycle. The header does not need Catch2.
#pragma once

#include <verilated.h>
#if BENCH_TRACE
#include <verilated_vcd_c.h>
#endif

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace bench {

struct BenchError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A value of any width in bits, as it lies on a port. Bits above the width are always zero.
class Bits {
 public:
  Bits() = default;
  explicit Bits(int width, std::uint64_t value = 0) : width_(width), words_(static_cast<std::size_t>((width + 31) / 32)) {
    set(0, std::min(width, 64), value);
  }

  int width() const { return width_; }
  /// `width` <= 64 bits from bit `low`, unsigned.
  std::uint64_t get(int low, int width) const {
    check(low, width);
    std::uint64_t value = 0;
    for (int bit = width - 1; bit >= 0; --bit) value = value << 1 | (word(low + bit) >> ((low + bit) % 32) & 1u);
    return value;
  }
  /// The same, as a two's complement number.
  std::int64_t get_signed(int low, int width) const {
    const std::uint64_t sign = std::uint64_t{1} << (width - 1);
    return static_cast<std::int64_t>((get(low, width) ^ sign) - sign);
  }
  /// Writes the low `width` <= 64 bits of `value` at bit `low`. Negative numbers may be passed as they are: higher bits are cut.
  void set(int low, int width, std::uint64_t value) {
    check(low, width);
    for (int bit = 0; bit < width; ++bit) {
      const std::uint32_t mask = 1u << ((low + bit) % 32);
      if (value >> bit & 1u) {
        words_[static_cast<std::size_t>((low + bit) / 32)] |= mask;
      } else {
        words_[static_cast<std::size_t>((low + bit) / 32)] &= ~mask;
      }
    }
  }
  Bits slice(int low, int width) const {
    Bits result(width);
    for (int at = 0; at < width; at += 32) result.set(at, std::min(32, width - at), get(low + at, std::min(32, width - at)));
    return result;
  }
  /// Puts `part` at bit `low`.
  void place(int low, const Bits& part) {
    for (int at = 0; at < part.width_; at += 32)
      set(low + at, std::min(32, part.width_ - at), part.get(at, std::min(32, part.width_ - at)));
  }
  std::uint64_t value() const { return get(0, std::min(width_, 64)); }
  /// Full width in hexadecimal, as $readmemh takes it.
  std::string hex() const {
    std::string text;
    for (int digit = (width_ + 3) / 4 - 1; digit >= 0; --digit) text += "0123456789abcdef"[get(4 * digit, std::min(4, width_ - 4 * digit))];
    return text;
  }
  bool operator==(const Bits&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Bits& bits) { return out << bits.width_ << "'h" << bits.hex(); }

 private:
  std::uint32_t word(int bit) const { return words_[static_cast<std::size_t>(bit / 32)]; }
  void check(int low, int width) const {
    if (low < 0 || width < 0 || width > 64 || low + width > width_) {
      throw BenchError("bits " + std::to_string(low) + " +: " + std::to_string(width) + " of a value of " + std::to_string(width_) +
                       " bits");
    }
  }
  int width_ = 0;
  std::vector<std::uint32_t> words_;
};

/// Concatenation, the first part in the low bits: the order of channels in a beat.
inline Bits concat(const std::vector<Bits>& parts) {
  int width = 0;
  for (const Bits& part : parts) width += part.width();
  Bits result(width);
  width = 0;
  for (const Bits& part : parts) {
    result.place(width, part);
    width += part.width();
  }
  return result;
}

/// Reads and writes bits of a port of any Verilator type (CData .. QData, VlWide).
template <class PortType>
Bits get_bits(const PortType& port, int low, int width) {
  Bits result(width);
  if constexpr (std::is_integral_v<PortType>) {
    result.set(0, width, static_cast<std::uint64_t>(port) >> low);
  } else {
    for (int bit = 0; bit < width; ++bit) {
      result.set(bit, 1, port.m_storage[static_cast<std::size_t>((low + bit) / 32)] >> ((low + bit) % 32) & 1u);
    }
  }
  return result;
}
template <class PortType>
void set_bits(PortType& port, int low, const Bits& value) {
  for (int at = 0; at < value.width(); ++at) {
    const int bit = low + at;
    if constexpr (std::is_integral_v<PortType>) {
      const std::uint64_t mask = std::uint64_t{1} << bit;
      port = static_cast<PortType>((port & ~mask) | (value.get(at, 1) ? mask : 0));
    } else {
      auto& word = port.m_storage[static_cast<std::size_t>(bit / 32)];
      word = (word & ~(1u << (bit % 32))) | (static_cast<std::uint32_t>(value.get(at, 1)) << (bit % 32));
    }
  }
}
template <class PortType>
Bits get_bits(const PortType& port, int width) {
  return get_bits(port, 0, width);
}
template <class PortType>
void set_bits(PortType& port, const Bits& value) {
  set_bits(port, 0, value);
}

/// `width` bits of a model's port from bit `low`, whatever its type: what an agent holds.
class Port {
 public:
  template <class PortType>
  Port(PortType& port, int low, int width)
      : width_(width),
        get_([&port, low, width] { return get_bits(port, low, width); }),
        set_([&port, low](const Bits& value) { set_bits(port, low, value); }) {
    if (low < 0 || width < 1 || low + width > static_cast<int>(8 * sizeof(PortType)))
      throw BenchError("a port is narrower than its test says");
  }
  template <class PortType>
  Port(PortType& port, int width) : Port(port, 0, width) {}

  int width() const { return width_; }
  Bits get() const { return get_(); }
  bool high() const { return get_().value() != 0; }
  void set(const Bits& value) {
    if (value.width() != width_)
      throw BenchError("a value of " + std::to_string(value.width()) + " bits for a port of " + std::to_string(width_));
    set_(value);
  }
  void set(bool value) { set_(Bits(width_, value)); }

 private:
  int width_;
  std::function<Bits()> get_;
  std::function<void(const Bits&)> set_;
};

/// Random numbers that are the same with every standard library.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  bool chance(double probability) { return static_cast<double>(engine_()) < probability * 4294967296.0; }
  /// 0 .. limit-1
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(engine_() % limit); }
  Bits bits(int width) {
    Bits result(width);
    for (int at = 0; at < width; at += 32) result.set(at, std::min(32, width - at), engine_());
    return result;
  }

 private:
  std::mt19937 engine_;
};

/// Something that sits on the ports of a Dut and acts in each cycle. It must outlive the Dut's last cycle.
class Agent {
 public:
  virtual ~Agent() = default;
  virtual void drive() {}                 ///< set inputs
  virtual void observe(std::uint64_t) {}  ///< the design has settled; the clock is about to rise in this cycle
  virtual void reset() {}                 ///< reset begins: inputs idle, nothing in flight
};

/// Owns the simulation context and the model; knows what a cycle is. Undefined state starts random, from the seed.
template <class Model>
class Dut {
 public:
  explicit Dut(unsigned seed = 1) : context_(std::make_unique<VerilatedContext>()), seed_(seed) {
    context_->randReset(2);
    context_->randSeed(static_cast<int>(seed % 0x7fffffffu) + 1);  // 0 would ask for a random seed
#if BENCH_TRACE
    context_->traceEverOn(true);
#endif
    model_ = std::make_unique<Model>(context_.get());
#if BENCH_TRACE
    if (const char* folder = std::getenv("BENCH_TRACE")) {  // one file a model; the last Dut of a kind wins
      trace_ = std::make_unique<VerilatedVcdC>();
      model_->trace(trace_.get(), 99);
      trace_->open((std::string(folder) + "/" + model_->modelName() + ".vcd").c_str());
    }
#endif
    model_->clk = 0;
    reset();
  }
  ~Dut() {
    Verilated::threadContextp(context_.get());  // the model signs off there, and another Dut's may be gone
    model_->final();
#if BENCH_TRACE
    if (trace_) trace_->close();
#endif
  }
  Dut(const Dut&) = delete;
  Dut& operator=(const Dut&) = delete;

  Model* operator->() { return model_.get(); }
  Model& operator*() { return *model_; }
  std::uint64_t cycle() const { return cycle_; }
  unsigned seed() const { return seed_; }
  void attach(Agent& agent) { agents_.push_back(&agent); }

  void reset(int cycles = 2) {
    for (Agent* agent : agents_) agent->reset();
    if constexpr (requires { model_->rst; }) {
      model_->rst = 1;
      for (int i = 0; i < cycles; ++i) edge();
      model_->rst = 0;
    }
    settle();
  }
  /// After changing inputs by hand, before reading outputs.
  void settle() { model_->eval(); }
  void tick() {
    for (Agent* agent : agents_) agent->drive();
    settle();
    for (Agent* agent : agents_) agent->observe(cycle_);
    edge();
  }
  void run(std::uint64_t cycles) {
    for (std::uint64_t i = 0; i < cycles; ++i) tick();
  }
  /// Ticks until `done()`, at most `limit` cycles; returns the cycles that it took.
  template <class Done>
  std::uint64_t run_until(Done done, std::uint64_t limit = 100000) {
    const std::uint64_t start = cycle_;
    while (!done()) {
      if (cycle_ - start >= limit) throw BenchError("not done after " + std::to_string(limit) + " cycles");
      tick();
    }
    return cycle_ - start;
  }

 private:
  void edge() {
    settle();
    dump();
    model_->clk = 1;
    model_->eval();
    context_->timeInc(1);
    dump();
    model_->clk = 0;
    model_->eval();
    context_->timeInc(1);
    ++cycle_;
  }
  void dump() {
#if BENCH_TRACE
    if (trace_) trace_->dump(context_->time());
#endif
  }

  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Model> model_;
#if BENCH_TRACE
  std::unique_ptr<VerilatedVcdC> trace_;
#endif
  std::vector<Agent*> agents_;
  std::uint64_t cycle_ = 0;
  unsigned seed_;
};

/// One transfer of a stream.
struct Beat {
  Bits data;
  bool last = false;
  bool operator==(const Beat&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Beat& beat) { return out << beat.data << (beat.last ? " last" : ""); }
};

/// The ports of one valid/ready stream. A stream without `last` reads it as false.
struct Stream {
  std::string name;
  Port valid, ready, data;
  std::optional<Port> last;

  Beat beat() const { return {data.get(), last && last->high()}; }
};

/// The streams in_* and out_* that most modules have; `width` is the width of the data port.
template <class Model>
Stream input_stream(Dut<Model>& dut, int width) {
  Stream stream{"in", {dut->in_valid, 1}, {dut->in_ready, 1}, {dut->in_data, width}, {}};
  if constexpr (requires { dut->in_last; }) stream.last.emplace(dut->in_last, 1);
  return stream;
}
template <class Model>
Stream output_stream(Dut<Model>& dut, int width) {
  Stream stream{"out", {dut->out_valid, 1}, {dut->out_ready, 1}, {dut->out_data, width}, {}};
  if constexpr (requires { dut->out_last; }) stream.last.emplace(dut->out_last, 1);
  return stream;
}

/// Watches one stream: once valid is high, it stays with the same payload until ready. Counts transfers and remembers when they were.
class Monitor : public Agent {
 public:
  template <class Model>
  Monitor(Dut<Model>& dut, Stream stream) : stream_(std::move(stream)) {
    dut.attach(*this);
  }
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  std::uint64_t transfers() const { return transfers_; }
  std::uint64_t first_cycle() const { return first_cycle_; }
  std::uint64_t last_cycle() const { return last_cycle_; }
  /// Clocks from the first transfer to the last, both included: equal to transfers() at full rate.
  std::uint64_t span() const { return transfers_ == 0 ? 0 : last_cycle_ - first_cycle_ + 1; }
  void restart_count() { transfers_ = 0; }
  /// Valid was high in the last cycle, and ready was not.
  bool pending() const { return held_.has_value(); }

  void observe(std::uint64_t cycle) override {
    const bool valid = stream_.valid.high();
    if (held_ && !valid) fail(cycle, "valid fell before ready");
    if (!valid) return;
    const Beat beat = stream_.beat();
    if (held_ && beat != *held_) fail(cycle, "payload changed before ready: " + text(*held_) + " became " + text(beat));
    held_.reset();
    if (stream_.ready.high()) {
      if (transfers_++ == 0) first_cycle_ = cycle;
      last_cycle_ = cycle;
      transferred(cycle, beat);
    } else {
      held_ = beat;
    }
  }
  void reset() override { held_.reset(); }

 protected:
  virtual void transferred(std::uint64_t, const Beat&) {}
  [[noreturn]] void fail(std::uint64_t cycle, const std::string& what) const {
    throw BenchError("stream " + stream_.name + ", cycle " + std::to_string(cycle) + ", transfer " + std::to_string(transfers_) + ": " +
                     what);
  }
  static std::string text(const Beat& beat) {
    std::ostringstream out;
    out << beat;
    return out.str();
  }
  Stream stream_;

 private:
  std::optional<Beat> held_;
  std::uint64_t transfers_ = 0, first_cycle_ = 0, last_cycle_ = 0;
};

/// Offers queued beats, each cycle with a probability; garbage on the payload while valid is low.
class Source : public Monitor {
 public:
  template <class Model>
  Source(Dut<Model>& dut, Stream stream, double probability = 1.0)
      : Monitor(dut, std::move(stream)), random_(dut.seed() * 2654435761u + stream_.data.width() + 17u), probability_(probability) {
    reset();
  }
  void push(Beat beat) { queue_.push_back(std::move(beat)); }
  void push(const std::vector<Beat>& beats) { queue_.insert(queue_.end(), beats.begin(), beats.end()); }
  void set_probability(double probability) { probability_ = probability; }
  bool done() const { return queue_.empty(); }

  void drive() override {
    if (!offering_) offering_ = !queue_.empty() && random_.chance(probability_);
    stream_.valid.set(offering_);
    stream_.data.set(offering_ ? queue_.front().data : random_.bits(stream_.data.width()));
    if (stream_.last) stream_.last->set(offering_ ? queue_.front().last : random_.chance(0.5));
  }
  void reset() override {
    Monitor::reset();
    offering_ = false;
    queue_.clear();
    stream_.valid.set(false);
  }

 protected:
  void transferred(std::uint64_t, const Beat&) override {
    queue_.pop_front();
    offering_ = false;
  }

 private:
  Random random_;
  double probability_;
  bool offering_ = false;
  std::deque<Beat> queue_;
};

/// Is ready with a probability each cycle and compares what arrives with the scoreboard: a beat that differs or that nobody expects is an
/// error. With collect() it keeps the beats in received() instead. With wait_for_valid() it is ready only after it has seen valid: a design
/// whose valid waits for ready would hang.
class Sink : public Monitor {
 public:
  template <class Model>
  Sink(Dut<Model>& dut, Stream stream, double probability = 1.0)
      : Monitor(dut, std::move(stream)), random_(dut.seed() * 2246822519u + stream_.data.width() + 71u), probability_(probability) {
    reset();
  }
  void expect(Beat beat) { expected_.push_back(std::move(beat)); }
  void expect(const std::vector<Beat>& beats) { expected_.insert(expected_.end(), beats.begin(), beats.end()); }
  void collect() { collecting_ = true; }
  void wait_for_valid() { waiting_ = true; }
  const std::vector<Beat>& received() const { return received_; }
  void set_probability(double probability) { probability_ = probability; }
  bool done() const { return expected_.empty(); }

  void drive() override { stream_.ready.set(random_.chance(probability_) && (!waiting_ || pending())); }
  void reset() override {
    Monitor::reset();
    expected_.clear();
    received_.clear();
    stream_.ready.set(false);
  }

 protected:
  void transferred(std::uint64_t cycle, const Beat& beat) override {
    if (collecting_) {
      received_.push_back(beat);
      return;
    }
    if (expected_.empty()) fail(cycle, "nobody expected " + text(beat));
    if (beat != expected_.front()) fail(cycle, "expected " + text(expected_.front()) + ", got " + text(beat));
    expected_.pop_front();
  }

 private:
  Random random_;
  double probability_;
  bool collecting_ = false, waiting_ = false;
  std::deque<Beat> expected_;
  std::vector<Beat> received_;
};

/// Sends everything, waits until everything expected has come and the source is empty, then waits a little longer so that a surplus beat is
/// noticed. Streams start anew; returns the cycles until the last beat came.
template <class Model>
std::uint64_t run_stream(Dut<Model>& dut, Source& in, Sink& out, std::uint64_t limit = 100000) {
  const std::uint64_t cycles = dut.run_until([&] { return in.done() && out.done(); }, limit);
  dut.run(50);
  return cycles;
}

/// A memory image for $readmemh, one word a line. Models read it when they are constructed, relative to the working directory.
inline void write_image(const std::string& path, const std::vector<Bits>& words) {
  std::ofstream file(path);
  for (const Bits& word : words) file << word.hex() << '\n';
  if (!file.flush()) throw BenchError("cannot write " + path);
}

/// Timing as waveforms, a character a cycle: '-' high, '_' low. `play` drives, samples before each clock edge, and returns what it saw as a
/// drawing; compare it with expected(observed).
struct Drive {
  std::string wave;
  std::function<void(bool)> set;
};
struct Observe {
  std::string name, wave;
  std::function<bool()> get;
};
inline std::string expected(const std::vector<Observe>& observed) {
  std::string drawing;
  for (const Observe& port : observed) drawing += port.name + " " + port.wave + "\n";
  return drawing;
}
template <class Model>
std::string play(Dut<Model>& dut, const std::vector<Drive>& driven, std::vector<Observe> observed) {
  const std::size_t cycles = driven.empty() ? observed.front().wave.size() : driven.front().wave.size();
  for (Observe& port : observed) port.wave.clear();
  for (std::size_t i = 0; i < cycles; ++i) {
    for (const Drive& port : driven) port.set(port.wave.at(i) == '-');
    dut.settle();
    for (Observe& port : observed) port.wave += port.get() ? '-' : '_';
    dut.tick();
  }
  return expected(observed);
}

}  // namespace bench
