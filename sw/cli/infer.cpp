#include <fmt/format.h>
#include <fmt/ranges.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <tuple>

#include "cli/commands.hpp"
#include "cli/common.hpp"
#include "core/files.hpp"
#include "emit/design.hpp"
#include "golden/golden.hpp"
#include "host/bitloom_host.h"

namespace bitloom::cli {
namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t interrupted = 0;

/// Bits of a beat, `bytes` bytes from `at` on.
class Beat {
 public:
  Beat(std::uint8_t* at) : at_(at) {}
  void set(int offset, int width, std::uint32_t value) {
    for (int i = 0; i < width; ++i)
      if (((value >> i) & 1U) != 0) at_[(offset + i) / 8] = static_cast<std::uint8_t>(at_[(offset + i) / 8] | 1U << ((offset + i) % 8));
  }

 private:
  std::uint8_t* at_;
};
std::uint32_t bits(const std::uint8_t* at, int offset, int width) {
  std::uint32_t value = 0;
  for (int i = 0; i < width; ++i) value |= static_cast<std::uint32_t>(at[(offset + i) / 8] >> ((offset + i) % 8) & 1U) << i;
  return value;
}

/// Results so far, in a file that the next call goes on from: a line that says of what, then one record for each result.
class ResumeFile {
 public:
  ResumeFile(fs::path file, const nlohmann::json& what, std::size_t record) : path_(std::move(file)), record_(record) {
    const std::string head = what.dump() + "\n";
    if (fs::exists(path_)) {
      const Bytes content = read_file(path_);
      const std::string found(content.begin(), std::find(content.begin(), content.end(), std::uint8_t{'\n'}));
      if (found + "\n" != head)
        throw Error(path_.string(), "holds results of another design, data set or selection; delete it or name another file with --resume");
      const std::size_t whole = (content.size() - head.size()) / record;
      results_.assign(content.begin() + static_cast<std::ptrdiff_t>(head.size()),
                      content.begin() + static_cast<std::ptrdiff_t>(head.size() + whole * record));
      fs::resize_file(path_, head.size() + whole * record);
    }
    file_.open(path_, std::ios::binary | std::ios::app);
    if (results_.empty() && fs::file_size(path_) == 0) file_ << head;
    if (!file_.flush()) throw Error(path_.string(), "cannot be written; name another file with --resume");
  }
  const Bytes& results() const { return results_; }
  void add(const std::uint8_t* records, std::size_t count) {
    file_.write(reinterpret_cast<const char*>(records), static_cast<std::streamsize>(count * record_));
    file_.flush();
  }
  void finished() {
    file_.close();
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  std::size_t record_;
  std::ofstream file_;
  Bytes results_;
};

using HostHandle = std::unique_ptr<bitloom_host, void (*)(bitloom_host*)>;

struct Infer {
  std::string port, design, out, expect, resume;
  DataOptions data;
  int baud = 0;
  double timeout = 10;
  bool json = false;

  void operator()() const {
    if (timeout <= 0 || timeout > 86400) throw Error("--timeout", fmt::format("{} given; seconds above 0 expected", timeout));
    const bool known = !design.empty();
    nlohmann::json description;
    LoadedModel model;
    Network& network = model.network;
    if (known) {
      description = read_design(design);
      if (!description.contains("hash") || !description.contains("link"))
        throw Error(design, "was compiled without a link; compile the model again");
      model = design_model(design, description);
    }
    const Dataset set = data.load(model.inputs);

    const int rate = baud != 0 ? baud : known ? description.at("link").at("baud").get<int>() : 1'000'000;
    HostHandle host = open(rate, static_cast<std::uint32_t>(timeout * 1000));
    bitloom_hello hello{};
    bitloom_hello_of(host.get(), &hello);
    if (known)
      check(description, hello);
    else
      std::tie(description, network) = guess(hello, set);
    const Bytes input = packed_images(description, network, set);
    const std::string default_file =
        known ? (fs::path(design) / "infer.partial").string() : fmt::format("bitloom-infer-{:016x}.partial", hello.design_hash);

    const auto count = static_cast<std::size_t>(set.count);
    const std::size_t record = bitloom_result_bytes(host.get()), image = bitloom_image_bytes(host.get());
    ResumeFile file(
        resume.empty() ? default_file : resume,
        {{"hash", description.at("hash")}, {"data", set.name}, {"offset", data.offset}, {"images", count}, {"input", fnv(input)}}, record);
    Bytes results = file.results();
    const std::size_t resumed = results.size() / record;
    if (resumed > count) throw Error(file.path().string(), "holds more results than there are images; delete it");
    results.resize(count * record);
    if (resumed > 0 && !json) fmt::print("going on from image {} ({} has the results before)\n", resumed, file.path().string());

    Context context{Progress("on the board"), file, results.data(), resumed, resumed, count, record};
    std::signal(SIGINT, [](int) { interrupted = 1; });
    const auto start = std::chrono::steady_clock::now();
    int restarts = 0;
    while (context.saved < count) {
      context.first = context.saved;
      std::size_t done = 0;
      const int status = bitloom_infer(host.get(), input.data() + context.first * image, count - context.first,
                                       results.data() + context.first * record, &done, &Context::progress, &context);
      context.save(done);
      if (status == BITLOOM_OK) break;
      // A board that was reset has lost only what was inside.
      if (status == BITLOOM_RESTARTED && ++restarts <= 10) continue;
      throw BoardFailed{fmt::format("{}\n{} of {} images are done and kept in {}; the same command goes on from there",
                                    bitloom_error(host.get()), context.saved, count, file.path().string())};
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    file.finished();
    finish(description, network, set, host.get(), results, hello, resumed, restarts, seconds);
  }

 private:
  struct Context {
    Progress bar;
    ResumeFile& file;
    const std::uint8_t* results;
    std::size_t first, saved, count, record;  ///< saved: results in the file
    void save(std::size_t done) {
      if (first + done <= saved) return;
      file.add(results + saved * record, first + done - saved);
      saved = first + done;
    }
    static int progress(void* context, std::size_t done) {
      auto& self = *static_cast<Context*>(context);
      self.save(done);
      self.bar(static_cast<std::int64_t>(self.saved), static_cast<std::int64_t>(self.count));
      return interrupted != 0 ? 1 : 0;
    }
  };

  HostHandle open(int rate, std::uint32_t patience) const {
    HostHandle host(bitloom_open(port.c_str(), static_cast<std::uint32_t>(rate), patience), &bitloom_close);
    if (host) return host;
    const int status = bitloom_last_status(nullptr);
    if (status == BITLOOM_BAD_ARGUMENT) throw Error("--port", bitloom_error(nullptr));
    throw BoardFailed{bitloom_error(nullptr)};
  }

  static std::string fnv(const Bytes& bytes) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3U;
    return fmt::format("{:016x}", hash);
  }

  void check(const nlohmann::json& description, const bitloom_hello& hello) const {
    const std::string found = fmt::format("{:016x}", hello.design_hash), want = description.at("hash").get<std::string>();
    if (found != want)
      throw Error(port, fmt::format("another design is on the board: its hash is {}, that of {} is {}; load {}'s bitstream first", found,
                                    design, want, design));
    const auto same = [&](const char* stream, std::uint32_t beats, std::uint32_t width) {
      return description.at(stream).at("beats").get<std::int64_t>() == beats &&
             description.at(stream).at("width").get<std::int64_t>() == width;
    };
    if (!same("input", hello.input_beats, hello.input_width) || !same("output", hello.output_beats, hello.output_width))
      throw Error(port, "the board's hash is right and its shapes are not; compile and load the design again");
  }

  /// Without the design's folder: what the hello and the data say. Each beat of the input holds as many unsigned values as an image has for
  /// it; a result is a class index, or signed scores, one a beat.
  std::pair<nlohmann::json, Network> guess(const bitloom_hello& hello, const Dataset& set) const {
    std::vector<std::int64_t> shape = set.image(0).shape;
    std::int64_t values = 1;
    for (const std::int64_t d : shape) values *= d;
    const std::int64_t lanes = values / hello.input_beats, bits = lanes > 0 ? hello.input_width / lanes : 0;
    if (lanes < 1 || lanes * hello.input_beats != values || bits * lanes != hello.input_width || bits > 16 || hello.output_width > 32)
      throw Error(port,
                  fmt::format("the board takes images of {} beats of {} bits, {} has images of {} values; name the design with --design",
                              hello.input_beats, hello.input_width, set.name, values));
    const std::string hash = fmt::format("{:016x}", hello.design_hash);
    Network network;
    network.name = hash;
    const bool planes = shape.size() == 3;  // CHW
    const auto channels = static_cast<int>(planes ? shape[0] : 1), pixels = static_cast<int>(values / channels);
    const bool index = hello.output_beats == 1;
    const auto out_bits = static_cast<int>(hello.output_width), out_beats = static_cast<int>(hello.output_beats);
    network.maps = {{"input", {1, pixels, channels}, ValueType::unsigned_bits(static_cast<int>(bits))},
                    {"output", {1, 1, out_beats}, index ? ValueType::unsigned_bits(out_bits) : ValueType::signed_bits(out_bits)}};
    for (std::int32_t channel = 0; channel < channels; ++channel)
      for (std::int32_t pixel = 0; pixel < pixels; ++pixel) network.input_order.push_back(pixel * channels + channel);
    network.input_shape = shape;
    network.input_rule.type = network.maps[0].type;
    NetworkOutput output;
    output.map = 1;
    output.shape = {out_beats};
    for (std::int32_t i = 0; i < out_beats; ++i) output.order.push_back(i);
    output.scale.assign(hello.output_beats, 1.0);
    output.offset.assign(hello.output_beats, 0.0);
    network.outputs = {output};
    const nlohmann::json parts = nlohmann::json::array({{{"lanes", 1}, {"beats", out_beats}}});
    return {{{"name", "design " + hash},
             {"board", nullptr},
             {"hash", hash},
             {"input", {{"lanes", lanes}, {"width", hello.input_width}}},
             {"output", {{"width", hello.output_width}, {"parts", parts}}}},
            network};
  }

  static Bytes packed_images(const nlohmann::json& description, const Network& network, const Dataset& set) {
    const auto lanes = description.at("input").at("lanes").get<std::size_t>();
    const auto width = description.at("input").at("width").get<std::size_t>();
    const ValueType& type = network.maps[static_cast<std::size_t>(network.input)].type;
    Bytes bytes;
    for (std::int64_t i = 0; i < set.count; ++i) {
      const MapData image = network_image(network, set, i);
      for (std::size_t at = 0; at < image.values.size(); at += lanes) {
        bytes.resize(bytes.size() + (width + 7) / 8);
        Beat beat(bytes.data() + bytes.size() - (width + 7) / 8);
        for (std::size_t lane = 0; lane < lanes; ++lane)
          beat.set(static_cast<int>(lane) * type.bits(), type.bits(), type.encode(image.values[at + lane]));
      }
    }
    return bytes;
  }

  /// The outputs of one result, as `run` gives them.
  static void add_outputs(const nlohmann::json& description, const Network& network, const std::uint8_t* result,
                          std::vector<OutputValues>& outputs) {
    const auto step = (description.at("output").at("width").get<std::size_t>() + 7) / 8;
    for (std::size_t o = 0; o < network.outputs.size(); ++o) {
      const nlohmann::json& part = description.at("output").at("parts").at(o);
      const FeatureMap& map = network.maps[static_cast<std::size_t>(network.outputs[o].map)];
      const int lanes = part.at("lanes").get<int>(), width = map.type.bits();
      MapData values;
      values.shape = map.shape;
      for (std::int64_t beat = 0; beat < part.at("beats").get<std::int64_t>(); ++beat, result += step)
        for (int lane = 0; lane < lanes; ++lane)
          values.values.push_back(static_cast<std::int32_t>(map.type.decode(bits(result, lane * width, width))));
      outputs[o].push_back(real_output(network.outputs[o], values));
    }
  }

  void finish(const nlohmann::json& description, const Network& network, const Dataset& set, bitloom_host* host, const Bytes& results,
              const bitloom_hello& hello, std::size_t resumed, int restarts, double seconds) const {
    const auto count = static_cast<std::size_t>(set.count);
    std::vector<OutputValues> outputs(network.outputs.size());
    std::int64_t right = 0;
    for (std::size_t i = 0; i < count; ++i) {
      add_outputs(description, network, results.data() + i * (results.size() / count), outputs);
      right += set.labels && predicted_class(outputs[0].back()) == (*set.labels)[i] ? 1 : 0;
    }
    bitloom_counters counters{};
    bitloom_statistics statistics{};
    if (bitloom_read_counters(host, &counters) != BITLOOM_OK) throw BoardFailed{bitloom_error(host)};
    bitloom_read_statistics(host, &statistics);
    const auto sent = static_cast<double>(count - resumed);
    const double rate = seconds > 0 ? sent / seconds : 0;
    const nlohmann::json report = {
        {"model", description.at("name")},
        {"board", description.at("board")},
        {"port", port},
        {"hash", description.at("hash")},
        {"data", set.name},
        {"images", count},
        {"resumed", resumed},
        {"restarts", restarts},
        {"accuracy", set.labels ? nlohmann::json(static_cast<double>(right) / static_cast<double>(count)) : nlohmann::json()},
        {"seconds", seconds},
        {"frames_per_second", rate},
        {"clock_hz", hello.clock_hz},
        {"counters",
         {{"frames", counters.frames},
          {"stalls", counters.stalls},
          {"frame_interval", counters.frame_interval},
          {"errors", counters.errors}}},
        {"link",
         {{"requests", statistics.requests},
          {"repetitions", statistics.repetitions},
          {"errors_reported", statistics.errors_reported},
          {"damaged_replies", statistics.damaged_replies},
          {"timeouts", statistics.timeouts},
          {"bytes_sent", statistics.bytes_sent},
          {"bytes_received", statistics.bytes_received}}}};
    if (!out.empty()) write_outputs(out, network, outputs);
    if (json) {
      fmt::print("{}\n", report.dump(2));
    } else {
      fmt::print("{} on {}, {} images of {}", description.at("name").get<std::string>(), port, count, set.name);
      if (set.labels) fmt::print(": {:.2f} % right", 100 * static_cast<double>(right) / static_cast<double>(count));
      fmt::print(
          "\n{:.1f} images/s over the link; the core: {} clocks between the last two results ({:.0f} images/s at {} MHz), input waited {} "
          "clocks\n",
          rate, counters.frame_interval, counters.frame_interval > 0 ? static_cast<double>(hello.clock_hz) / counters.frame_interval : 0,
          hello.clock_hz / 1e6, thousands(counters.stalls));
      if (statistics.repetitions > 0)
        fmt::print("{} of {} requests were repeated: {} damaged on their way, {} replies damaged, {} without an answer\n",
                   statistics.repetitions, statistics.requests, statistics.errors_reported, statistics.damaged_replies,
                   statistics.timeouts);
    }
    if (!expect.empty()) compare_outputs(expect, network, outputs);
  }
};

}  // namespace

void add_infer(CLI::App& program) {
  auto infer = std::make_shared<Infer>();
  CLI::App* app = program.add_subcommand("infer", "images through a board, real or simulated, over its serial port");
  app->footer(
      "Example: bitloom infer --port /dev/ttyUSB1 --design digits --data digits\n"
      "The design on the board must be DESIGN: its hash is checked before anything is sent. Damaged packets are repeated. When the board "
      "goes\n"
      "away (exit status 3), the results so far stay in DESIGN/infer.partial, and the same command goes on from there.");
  app->add_option("--port", infer->port, "serial port, or the pseudo-terminal of bitloom board")->required();
  app->add_option("--design", infer->design, "the folder whose bitstream is on the board; without it shapes come from the board");
  infer->data.add_to(*app);
  app->add_option("--baud", infer->baud, "bits per second (default: the design's)");
  app->add_option("--timeout", infer->timeout, "seconds that the board may be silent")->capture_default_str();
  app->add_option("--out", infer->out, "write the outputs as NPY");
  app->add_option("--expect", infer->expect, "compare the outputs with an NPY or NPZ file (exit status 1 where they differ)");
  app->add_option("--resume", infer->resume, "file for the results so far (default: DESIGN/infer.partial, or one named after the hash)");
  app->add_flag("--json", infer->json, "print JSON");
  app->callback([infer] { (*infer)(); });
}

}  // namespace bitloom::cli
