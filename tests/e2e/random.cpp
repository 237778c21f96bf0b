// The random networks (tests/random): a sample of them through the whole chain; that the comparison finds planted faults; and shrinking.
#include <algorithm>
#include <set>

#include "core/network.hpp"
#include "onnx/import.hpp"
#include "random/check.hpp"
#include "random/shrink.hpp"
#include "sim/quick.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;
using Outcome = CheckResult::Outcome;

namespace {

CheckOptions without_rtl() {
  CheckOptions options;
  options.rtl = false;
  return options;
}

/// With a runtime that all cases of this program share.
CheckOptions with_rtl(const TemporaryFolder& folder) {
  static const TemporaryFolder shared;
  prepare_quick_runtime(shared / "runtime");
  CheckOptions options;
  options.folder = folder / "case";
  options.runtime = shared / "runtime";
  return options;
}

/// The first of the seeds 1 .. `seeds` with which `damage` (false: nothing to damage) is reported; the case passes without it.
std::uint64_t found_by(const std::function<bool(Network&)>& damage, std::uint64_t seeds) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    bool damaged = false;
    CheckOptions options = without_rtl();
    options.damage_network = [&](Network& network) { damaged = damage(network); };
    const Spec spec = random_spec(seed);
    const CheckResult result = check_case(spec, options);
    if (!damaged || result.outcome != Outcome::Failed || result.stage != "float") continue;
    CAPTURE(seed, result.stage, result.message);
    CHECK(check_case(spec, without_rtl()).outcome == Outcome::Passed);
    return seed;
  }
  return 0;
}

template <class Op>
Op* first_op(Network& network) {
  for (Layer& layer : network.layers)
    if (auto* op = std::get_if<Op>(&layer.op)) return op;
  return nullptr;
}

/// The same of faults in the emitted design.
std::uint64_t found_in_design(const std::function<bool(const fs::path&)>& damage, std::uint64_t seeds) {
  const TemporaryFolder folder;
  int tried = 0;
  for (std::uint64_t seed = 1; seed <= seeds && tried < 8; ++seed) {
    bool damaged = false;
    CheckOptions options = with_rtl(folder);
    options.damage_design = [&](const fs::path& design) { return damaged = damage(design); };
    const CheckResult result = check_case(random_spec(seed), options);
    tried += damaged ? 1 : 0;
    if (damaged && result.outcome == Outcome::Failed && (result.stage == "free" || result.stage == "stalled")) return seed;
  }
  return 0;
}

/// Flips the lowest bit of every word of the first memory image whose name ends so.
bool flip_image(const fs::path& design, const std::string& ending) {
  for (const auto& entry : fs::directory_iterator(design / "mem")) {
    const std::string name = entry.path().filename().string();
    if (name.size() < ending.size() || name.compare(name.size() - ending.size(), ending.size(), ending) != 0) continue;
    std::string text = read_text_file(entry.path());
    for (std::size_t end = text.find('\n'); end != std::string::npos && end > 0; end = text.find('\n', end + 1)) {
      char& digit = text[end - 1];
      const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
      digit = "0123456789abcdef"[value ^ 1];
    }
    write_file_atomically(entry.path(), text);
    return true;
  }
  return false;
}

/// Replaces text behind the first `anchor` of the core.
bool patch_core(const fs::path& design, const std::string& anchor, const std::string& from, const std::string& to) {
  std::string text = read_text_file(design / "bitloom_core.sv");
  const std::size_t start = text.find(anchor);
  const std::size_t at = start == std::string::npos ? start : text.find(from, start);
  if (at == std::string::npos) return false;
  write_file_atomically(design / "bitloom_core.sv", text.replace(at, from.size(), to));
  return true;
}

}  // namespace

TEST_CASE("random models: golden, packed and the float executor agree") {
  std::set<std::string> kinds, weights, maps;
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 250; ++seed) {
    const Spec spec = random_spec(seed);
    const CheckResult result = check_case(spec, without_rtl());
    CAPTURE(seed, result.stage, result.message);
    CHECK(result.outcome != Outcome::Failed);
    refused += result.outcome == Outcome::Refused ? 1 : 0;
    if (result.outcome != Outcome::Passed) continue;
    const Model model = build(spec);
    const Network network = lower(import_onnx_bytes(model.bytes, "random.onnx"), model.options);
    for (const Layer& layer : network.layers) {
      kinds.insert(kind_name(layer.op));
      if (const auto* conv = std::get_if<Convolution>(&layer.op)) weights.insert(conv->weight_type.to_string());
    }
    for (const FeatureMap& map : network.maps) maps.insert(map.type.to_string());
  }
  CHECK(refused <= 10);
  CHECK(kinds == std::set<std::string>{"add", "argmax", "concat", "convolution", "max_pool", "requantize", "threshold", "upsample"});
  for (const char* type : {"b1", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "s2", "s3", "s4", "s5", "s6", "s7", "s8"}) {
    CAPTURE(type);
    CHECK(maps.count(type) == 1);
    CHECK((weights.count(type) == 1 || std::string(type) == "u6" || std::string(type) == "u7"));
  }
}

TEST_CASE("random models in simulated hardware") {
  const TemporaryFolder folder;
  for (std::uint64_t seed = 2; seed <= 9; ++seed) {
    const CheckResult result = check_case(random_spec(seed), with_rtl(folder));
    CAPTURE(seed, result.stage, result.message);
    CHECK(result.outcome == Outcome::Passed);
    CHECK(result.simulated);
  }
}

TEST_CASE("the same Spec makes the same model, also after a round through JSON") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Spec spec = random_spec(seed);
    CHECK(build(spec).bytes == build(spec).bytes);
    CHECK(build(nlohmann::json::parse(nlohmann::json(spec).dump()).get<Spec>()).bytes == build(spec).bytes);
  }
}

TEST_CASE("planted faults in the integer network are found") {
  CHECK(found_by(
            [](Network& network) {
              auto* op = first_op<Threshold>(network);
              if (op != nullptr) ++op->thresholds[op->thresholds.size() / 2];
              return op != nullptr && std::is_sorted(op->thresholds.begin(), op->thresholds.end());
            },
            200) != 0);
  CHECK(found_by(
            [](Network& network) {
              auto* op = first_op<Threshold>(network);
              if (op != nullptr) op->falling[0] ^= 1;
              return op != nullptr;
            },
            100) != 0);
  CHECK(found_by(
            [](Network& network) {
              auto* op = first_op<Convolution>(network);
              if (op == nullptr || !op->weight_type.contains(-op->weights[0])) return false;
              op->weights[0] = -op->weights[0];
              return true;
            },
            100) != 0);
  CHECK(found_by(
            [](Network& network) {
              auto* op = first_op<Convolution>(network);
              if (op == nullptr || op->window.pad_left == op->window.pad_right) return false;
              std::swap(op->window.pad_left, op->window.pad_right);
              return true;
            },
            200) != 0);
  CHECK(found_by(
            [](Network& network) {
              for (Layer& layer : network.layers) {
                if (!std::holds_alternative<Concat>(layer.op)) continue;
                if (network.input_of(layer, 0).type != network.input_of(layer, 1).type) return false;
                std::swap(layer.inputs[0], layer.inputs[1]);
                return true;
              }
              return false;
            },
            1000) != 0);
  CHECK(found_by(
            [](Network& network) {
              auto* op = first_op<Add>(network);
              if (op == nullptr || op->scale[0] == op->scale[1]) return false;
              std::swap(op->scale[0], op->scale[1]);
              return true;
            },
            300) != 0);
  CHECK(found_by(
            [](Network& network) {
              auto* op = first_op<MaxPool>(network);
              if (op == nullptr || op->window.pad_top == op->window.pad_bottom) return false;
              std::swap(op->window.pad_top, op->window.pad_bottom);
              return true;
            },
            200) != 0);
  CHECK(found_by(
            [](Network& network) {
              std::vector<std::int32_t>& order = network.outputs[0].order;
              if (order.size() < 2) return false;
              std::swap(order[0], order[1]);
              return true;
            },
            100) != 0);
}

TEST_CASE("planted faults in the emitted design are found") {
  CHECK(found_in_design([](const fs::path& design) { return flip_image(design, "_weights.mem"); }, 40) != 0);
  CHECK(found_in_design([](const fs::path& design) { return flip_image(design, "level0_lane00.mem"); }, 40) != 0);
  CHECK(found_in_design([](const fs::path& design) { return patch_core(design, ".PAD_VALUE(", "'d0", "'d1"); }, 100) != 0);
  CHECK(found_in_design([](const fs::path& design) { return patch_core(design, "plane_layer #", ".STEP_X(", ".STEP_X(1+"); }, 40) != 0);
  // The inputs of the first concat, swapped: the ports of the other one's stream.
  CHECK(found_in_design(
            [](const fs::path& design) {
              std::string text = read_text_file(design / "bitloom_core.sv");
              const std::size_t module = text.find("map_concat #");
              if (module == std::string::npos) return false;
              const std::size_t start = text.find(".a_valid(", module);
              const std::size_t end = text.find(".out_valid(", start);
              std::string ports = text.substr(start, end - start);
              for (std::size_t at = ports.find('.'); at != std::string::npos; at = ports.find('.', at + 1))
                if (ports[at + 2] == '_') ports[at + 1] = ports[at + 1] == 'a' ? 'b' : 'a';
              write_file_atomically(design / "bitloom_core.sv", text.replace(start, end - start, ports));
              return true;
            },
            100) != 0);
}

TEST_CASE("shrinking keeps what a failure needs and drops the rest") {
  // An artificial failure: some convolution with a kernel two rows high and weights of three bits.
  const auto fails = [](const Spec& spec) {
    const Model model = build(spec);
    const Network network = lower(import_onnx_bytes(model.bytes, "random.onnx"), model.options);
    for (const Layer& layer : network.layers)
      if (const auto* conv = std::get_if<Convolution>(&layer.op))
        if (conv->window.kernel_height >= 2 && conv->weight_type.bits() >= 3) return true;
    return false;
  };
  int shrunk = 0;
  for (std::uint64_t seed = 1; seed <= 40 && shrunk < 5; ++seed) {
    Spec spec = random_spec(seed);
    try {
      if (spec.layers.size() < 4 || !fails(spec)) continue;
    } catch (const Error&) {
      continue;
    }
    ++shrunk;
    CAPTURE(seed);
    const auto fails_safely = [&](const Spec& candidate) {
      try {
        return fails(candidate);
      } catch (const Error&) {
        return false;
      }
    };
    const Spec small = shrink(spec, fails_safely, 2000);
    CHECK(fails(small));
    REQUIRE(small.layers.size() == 1);
    CHECK(small.channels == 1);
    CHECK(small.width == 1);
    CHECK(small.outputs.empty());
    CHECK(small.layers[0].channels <= 1);
    CHECK(small.layers[0].quantizer.form == QuantizerForm::None);
  }
  CHECK(shrunk == 5);
}

TEST_CASE("messages of one cause are of one kind") {
  CHECK(kind_of("map act1_out, image 3, row 0: golden has 4") == kind_of("map act2_out, image 0, row 2: golden has 1"));
  CHECK(kind_of("no beat moved for 20 clocks; act0_out 3") == kind_of("no beat moved for 7 clocks; pool0_out 1"));
  CHECK(kind_of("more data than 8 images give") != kind_of("no beat moved"));
}
