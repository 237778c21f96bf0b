// Images through the whole board in Verilator behind a pseudo-terminal, by the same commands and the same library as through a real one.
#include <nlohmann/json.hpp>

#include "running_board.hpp"
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

std::string compiled(const TemporaryFolder& folder, const std::string& name, const std::string& model, const std::string& board,
                     const std::string& fit) {
  const std::string design = (folder / name).string();
  REQUIRE(bitloom_command({"compile", digits_model(model).string(), "--board", board, "--argmax", "--fit", fit, "--out", design}).status ==
          0);
  return design;
}

/// What golden answers, as `--expect` takes it; its accuracy.
double golden(const std::string& model, const fs::path& file) {
  return json_of(bitloom_command({"run", digits_model(model).string(), "--argmax", "--data", "digits", "--json", "--out", file.string()}))
      .at("accuracy");
}

}  // namespace

TEST_CASE("digits through the simulated iCEBreaker and ULX3S: all 360 images, golden's answers, none lost") {
  const auto [board, fit, baud] =
      GENERATE(table<std::string, std::string, std::string>({{"icebreaker", "0.7", "3000000"}, {"ulx3s-85f", "0.15", "6250000"}}));
  CAPTURE(board);
  const TemporaryFolder folder;
  const std::string design = compiled(folder, "design", "digits-w1a1", board, fit);
  const double accuracy = golden("digits-w1a1", folder / "golden.npy");
  RunningBoard running(folder.path(), design, {"--baud", baud, "--frames", "360"});
  const auto result = json_of(bitloom_command(
      {"infer", "--port", running.port(), "--design", design, "--data", "digits", "--expect", (folder / "golden.npy").string(), "--json"}));
  CHECK(result.at("images") == 360);
  CHECK(result.at("accuracy") == accuracy);
  CHECK(result.at("counters").at("frames") == 360);
  CHECK(result.at("counters").at("errors") == 0);
  CHECK(result.at("link").at("repetitions") == 0);
  // Four images stand in the buffer together, so the core sets the pace between the last two.
  const auto description = nlohmann::json::parse(read_text_file(fs::path(design) / "design.json"));
  CHECK(result.at("counters").at("frame_interval") == description.at("predicted_clocks_per_image"));
  CHECK(!fs::exists(fs::path(design) / "infer.partial"));
  CHECK(running.end(0) == 0);  // by itself, after 360 results
  CHECK(running.log().find("360 results in") != std::string::npos);
  CHECK(!fs::is_symlink(running.port()));
}

TEST_CASE("a disturbed line, another design, a board that goes away, and the library from Python") {
  const TemporaryFolder folder;
  const std::string design = compiled(folder, "design", "digits-w1a1", "icebreaker", "0.7");
  golden("digits-w1a1", folder / "golden.npy");
  const std::vector<std::string> fast = {"--baud", "3000000"};
  const auto infer = [&](const std::string& port, const std::vector<std::string>& more) {
    std::vector<std::string> args = {"infer", "--port", port, "--design", design, "--data", "digits", "--json"};
    args.insert(args.end(), more.begin(), more.end());
    return bitloom_command(args);
  };

  {  // bytes flipped, dropped and inserted at 1 in 100, in both directions
    RunningBoard board(folder.path(), design, {"--baud", "3000000", "--noise", "0.01", "--seed", std::to_string(test_seed())});
    const auto result = json_of(infer(board.port(), {"--expect", (folder / "golden.npy").string()}));
    CHECK(result.at("link").at("requests") > 1000);
    CHECK(result.at("link").at("repetitions") > 100);
    CHECK(result.at("counters").at("errors") > 100);
    CHECK(result.at("counters").at("frames") == 360);
    CHECK(board.end(SIGTERM) == 0);
    CHECK(board.log().find("damaged") != std::string::npos);
  }
  {
    RunningBoard board(folder.path(), design, fast);
    // Another model's design is refused before anything is sent.
    const std::string other = compiled(folder, "other", "digits-w2a2", "icebreaker", "0.7");
    const CommandResult refused = bitloom_command({"infer", "--port", board.port(), "--design", other, "--data", "digits"});
    CHECK(refused.status == 2);
    CHECK_THAT(refused.err, contains_text("another design is on the board"));
    // The library, moved to a place of its own with its Python module.
    const char* python = std::getenv("BITLOOM_PYTHON");
    const char* library = std::getenv("BITLOOM_HOST_FOLDER");
    if (python != nullptr && library != nullptr) {
      fs::create_directories(folder / "moved");
      for (const char* file : {"libbitloom_host.so", "bitloom_host.py"}) fs::copy_file(fs::path(library) / file, folder / "moved" / file);
      const int status = run(python, {resource("tests/e2e/host_check.py").string(), (folder / "moved").string(), board.port(), design},
                             {.cwd = {}, .out = folder / "python.log", .err = folder / "python.log", .env = {}});
      CAPTURE(read_text_file(folder / "python.log"));
      CHECK(status == 0);
    }
    // Unplugged in the middle: results so far stay, and the next call goes on. The sanitizers' builds are slower, so wait for results, not
    // for time.
    CommandResult cut;
    std::thread host([&] { cut = infer(board.port(), {}); });
    for (int i = 0;
         i < 1200 && (!fs::exists(fs::path(design) / "infer.partial") || fs::file_size(fs::path(design) / "infer.partial") < 150); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    CHECK(board.end(SIGKILL) == 128 + SIGKILL);
    host.join();
    CHECK(cut.status == 3);
    CHECK_THAT(cut.err, contains_text("was the board unplugged?"));
    CHECK_THAT(cut.err, contains_text("the same command goes on from there"));
    const CommandResult absent = infer("/dev/bitloom-none", {});
    CHECK(absent.status == 3);
    CHECK_THAT(absent.err, contains_text("is the board plugged in?"));
  }
  RunningBoard board(folder.path(), design, fast);
  const CommandResult other_data = infer(board.port(), {"--images", "10"});
  CHECK(other_data.status == 2);
  CHECK_THAT(other_data.err, contains_text("holds results of another"));
  const auto result = json_of(infer(board.port(), {"--expect", (folder / "golden.npy").string()}));
  CHECK(result.at("resumed") > 0);
  CHECK(result.at("counters").at("frames") == 360 - result.at("resumed").get<int>());
  CHECK(!fs::exists(fs::path(design) / "infer.partial"));
  // Without the folder the board's own shapes do, for a class index.
  const auto blind = json_of(bitloom_command({"infer", "--port", board.port(), "--data", "digits", "--images", "50", "--json", "--resume",
                                              (folder / "blind").string(), "--out", (folder / "blind.npy").string()}));
  CHECK(blind.at("hash") == result.at("hash"));
  CHECK(bitloom_command({"run", digits_model("digits-w1a1").string(), "--argmax", "--data", "digits", "--images", "50", "--expect",
                         (folder / "blind.npy").string()})
            .status == 0);
  CHECK(board.end(SIGINT) == 0);
}
