// FINN's CIFAR-10 networks through `bitloom run`: every score of the first 1,000 test images, and the accuracy, must be the published ones.
#include <cmath>
#include <nlohmann/json.hpp>

#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

CommandResult run_cnv(const std::string& model, const std::vector<std::string>& options) {
  std::vector<std::string> args = {"run",     shared("models/cnv/" + model + ".onnx").string(),
                                   "--data",  shared("data/cifar-10/test_batch_first1000.bin.xz").string(),
                                   "--scale", "2/255",
                                   "--shift", "-1",
                                   "--json"};
  args.insert(args.end(), options.begin(), options.end());
  return bitloom_command(args);
}

}  // namespace

TEST_CASE("CNV on CIFAR-10: all scores of 1,000 images") {
  const fs::path scores = shared("models/cnv/golden_scores.npz");
  if (scores.empty() || shared("data/cifar-10/test_batch_first1000.bin.xz").empty()) return;
  const auto [model, right] = GENERATE(table<std::string, int>({{"CNV_1W1A", 805}, {"CNV_1W2A", 849}, {"CNV_2W2A", 853}}));
  CAPTURE(model);
  const nlohmann::json json = json_of(run_cnv(model, {"--expect", scores.string() + ":" + model}));
  CHECK(json.at("images").get<int>() == 1000);
  CHECK(std::lround(json.at("accuracy").get<double>() * 1000) == right);
}

TEST_CASE("CNV on CIFAR-10: another network's scores are found to differ") {
  const fs::path scores = shared("models/cnv/golden_scores.npz");
  if (scores.empty() || shared("data/cifar-10/test_batch_first1000.bin.xz").empty()) return;
  const CommandResult result = run_cnv("CNV_1W1A", {"--expect", scores.string() + ":CNV_1W2A"});
  CHECK(result.status == 1);
  CHECK_THAT(result.err, contains_text("image 0, element 0"));
}

TEST_CASE("CNV on CIFAR-10: the plain model and any number of threads give the same outputs") {
  if (shared("models/cnv/CNV_2W2A.onnx").empty() || shared("data/cifar-10/test_batch_first1000.bin.xz").empty()) return;
  const TemporaryFolder folder;
  const auto outputs = [&](const std::vector<std::string>& options) {
    std::vector<std::string> all = {"--images", "5", "--out", folder / "out.npy"};
    all.insert(all.end(), options.begin(), options.end());
    const CommandResult result = run_cnv("CNV_2W2A", all);
    CAPTURE(result.err);
    REQUIRE(result.status == 0);
    return read_text_file(folder / "out.npy");
  };
  const std::string plain = outputs({"--plain", "--jobs", "2"});
  CHECK(plain == outputs({"--jobs", "1"}));
  CHECK(plain == outputs({"--jobs", "3"}));
}
