// Planted faults: a test that cannot fail is a defect. Each fault is put into a copy of a correct design; the simulation must find it and
// name the layer.
#include <random>

#include "emit/design.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

/// One correct design of the binary digits network, compiled once.
const fs::path& reference_design() {
  static const TemporaryFolder folder;
  static const fs::path design = [] {
    const fs::path out = folder / "design";
    const CommandResult result =
        bitloom_command({"compile", digits_model("digits-w1a1").string(), "--board", "icebreaker", "--argmax", "--out", out.string()});
    REQUIRE(result.status == 0);
    return out;
  }();
  return design;
}

CommandResult simulate_digits(const fs::path& design) {
  return bitloom_command({"sim", design.string(), "--data", "digits", "--images", "8"});
}

/// A copy of the design for a fault; it keeps the built model, so that a fault in a memory image costs no compilation.
fs::path copy_of_design(const TemporaryFolder& folder) {
  fs::copy(reference_design(), folder / "design", fs::copy_options::recursive);
  return folder / "design";
}

void expect_found(const fs::path& design, const std::string& layer) {
  const CommandResult result = simulate_digits(design);
  CAPTURE(result.out, result.err);
  CHECK(result.status == 1);
  CHECK_THAT(result.err, contains_text(layer));
}

/// Flips bit `bit` of line `line` in a memory image.
void flip(const fs::path& image, std::size_t line, int bit) {
  std::string text = read_text_file(image);
  const std::size_t width = text.find('\n') + 1;
  char& digit = text.at(line * width + width - 2 - static_cast<std::size_t>(bit / 4));
  const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
  digit = "0123456789abcdef"[value ^ (1 << (bit % 4))];
  write_file_atomically(image, text);
}

void replace_in(const fs::path& file, const std::string& from, const std::string& to) {
  std::string text = read_text_file(file);
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  write_file_atomically(file, text.replace(at, from.size(), to));
}

/// Names of the design's layers of a kind, in order.
std::vector<std::string> layers_of_kind(const std::string& kind) {
  std::vector<std::string> names;
  const nlohmann::json design = read_design(reference_design());
  for (const auto& layer : design.at("layers"))
    if (layer.at("kind").get<std::string>() == kind) names.push_back(layer.at("name"));
  REQUIRE_FALSE(names.empty());
  return names;
}

}  // namespace

TEST_CASE("the design without a fault passes") { CHECK(simulate_digits(reference_design()).status == 0); }

TEST_CASE("one weight bit flipped, in every layer with weights") {
  for (const std::string& layer : layers_of_kind("convolution")) {
    CAPTURE(layer);
    // A single weight may never decide a binary output in eight images: flip the same bit in each word of the program.
    bool found = false;
    for (std::size_t line = 0; line < 4 && !found; ++line) {
      const TemporaryFolder folder;
      const fs::path design = copy_of_design(folder);
      flip(design / "mem" / (layer + "_weights.mem"), line, 1);
      const CommandResult result = simulate_digits(design);
      found = result.status == 1 && result.err.find("layer " + layer + " ") != std::string::npos;
    }
    CHECK(found);
  }
}

TEST_CASE("one threshold changed, in every layer with thresholds") {
  for (const std::string& layer : layers_of_kind("convolution")) {
    const fs::path image = reference_design() / "mem" / (layer + "_activation_level0_lane00.mem");
    const TemporaryFolder folder;
    const fs::path design = copy_of_design(folder);
    flip(design / "mem" / image.filename(), 0, 3);
    expect_found(design, "layer " + layer + " ");
  }
}

TEST_CASE("one popcount wire stuck at 0") {
  const TemporaryFolder folder;
  const fs::path design = copy_of_design(folder);
  replace_in(design / "rtl/plane_array.sv", ".ya(terms)", ".ya((terms >> 1) << 1)");  // what the adders give to PE 0's accumulator
  expect_found(design, "layer " + layers_of_kind("convolution").front() + " ");
}

TEST_CASE("one beat dropped between two layers") {
  const TemporaryFolder folder;
  const fs::path design = copy_of_design(folder);
  const std::string layer = layers_of_kind("convolution").at(1);
  const auto description = read_design(design);
  // The stream that enters the layer's first instance: its 100th beat is acknowledged to the sender and hidden from the receiver.
  std::string first;
  for (const auto& entry : description.at("layers"))
    if (entry.at("name").get<std::string>() == layer) first = entry.at("instances").front();
  std::string core = read_text_file(design / "bitloom_core.sv");
  const std::size_t instance = core.find(") " + first + " (");
  REQUIRE(instance != std::string::npos);
  const std::size_t port = core.find(".in_valid(", instance) + 10;
  const std::string stream = core.substr(port, core.find('_', port) - port);
  core.replace(port, stream.size() + 6, stream + "_valid && beat_count != 100");
  const std::string counter = "  logic [31:0] beat_count;\n  always_ff @(posedge clk)\n    if (rst) beat_count <= 0;\n    else if (" +
                              stream + "_valid && " + stream + "_ready) beat_count <= beat_count + 1;\n";
  core.insert(core.rfind("`ifdef BITLOOM_PROBES"), counter);
  write_file_atomically(design / "bitloom_core.sv", core);
  expect_found(design, layer);
}
