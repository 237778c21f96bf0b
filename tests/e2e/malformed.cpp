// Bad input: exit status 2, an error that names the culprit and says what to do, and nothing half-written.
#include "support.hpp"

using namespace bitloom;
using namespace bitloom::test;

namespace {

void expect_refused(const std::vector<std::string>& args, const std::vector<std::string>& mentions) {
  const CommandResult result = bitloom_command(args);
  CAPTURE(args, result.out, result.err);
  CHECK(result.status == 2);
  for (const std::string& text : mentions) CHECK_THAT(result.err, contains_text(text));
}

/// A copy of a model with one piece of text replaced by another of the same length (so that the file stays a protocol buffer).
fs::path patched(const TemporaryFolder& folder, const std::string& from, const std::string& to) {
  REQUIRE(from.size() == to.size());
  std::string bytes = read_text_file(digits_model("digits-w1a1"));
  REQUIRE(bytes.find(from) != std::string::npos);
  for (std::size_t at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + 1)) bytes.replace(at, from.size(), to);
  const fs::path file = folder / "patched.onnx";
  write_file_atomically(file, bytes);
  return file;
}

void write_npy_file(const fs::path& file, const std::string& shape, std::size_t bytes) {
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::string content = "\x93NUMPY";
  content += '\x01';
  content += '\0';
  content += static_cast<char>(header.size() % 256);
  content += static_cast<char>(header.size() / 256);
  write_file_atomically(file, content + header + std::string(bytes, '\x03'));
}

bool is_empty(const TemporaryFolder& folder) { return fs::is_empty(folder.path()); }

const std::string kModel = digits_model("digits-w1a1").string();

}  // namespace

TEST_CASE("a missing, truncated or foreign model file") {
  const TemporaryFolder folder;
  expect_refused({"info", (folder / "no.onnx").string()}, {"no.onnx"});
  const std::string whole = read_text_file(kModel);
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, whole.size() / 2, whole.size() - 1}) {
    write_file_atomically(folder / "cut.onnx", whole.substr(0, size));
    expect_refused({"info", (folder / "cut.onnx").string()}, {"cut.onnx"});
  }
  write_file_atomically(folder / "text.onnx", std::string("this is no model\n"));
  expect_refused({"info", (folder / "text.onnx").string()}, {"text.onnx"});
  expect_refused({"info", folder.path().string()}, {folder.path().string()});
}

TEST_CASE("a node that is not supported is named") {
  const TemporaryFolder folder;
  expect_refused({"info", patched(folder, "MaxPool", "MinPool").string()}, {"MinPool"});
}

TEST_CASE("data of the wrong size, kind or place") {
  const TemporaryFolder folder;
  expect_refused({"run", kModel, "--data", (folder / "none.npy").string()}, {"none.npy"});
  write_npy_file(folder / "large.npy", "(2, 1, 28, 28)", 2 * 28 * 28);
  expect_refused({"run", kModel, "--data", (folder / "large.npy").string()}, {"large.npy", "784", "64"});
  write_npy_file(folder / "short.npy", "(2, 1, 8, 8)", 2 * 64 - 5);
  expect_refused({"run", kModel, "--data", (folder / "short.npy").string()}, {"short.npy"});
  expect_refused({"run", kModel, "--data", "digits", "--offset", "400"}, {"400"});
  expect_refused({"run", kModel, "--data", "digits", "--images", "0"}, {"--images"});
  expect_refused({"run", kModel, "--data", "digits", "--scale", "1/0"}, {"--scale"});
  write_npy_file(folder / "expected.npy", "(3, 10)", 30);
  expect_refused({"run", kModel, "--data", "digits", "--images", "2", "--expect", (folder / "expected.npy").string()},
                 {"expected.npy", "30"});
}

TEST_CASE("an unknown board is answered with those that exist") {
  const TemporaryFolder folder;
  expect_refused({"compile", kModel, "--board", "unobtainium", "--out", (folder / "d").string()},
                 {"unobtainium", "icebreaker", "ulx3s-85f"});
  CHECK(is_empty(folder));
}

TEST_CASE("an output folder that cannot be made, or that holds something else, is left as it is") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", std::string("precious"));
  expect_refused({"compile", kModel, "--board", "icebreaker", "--out", (folder / "file").string()}, {"file"});
  expect_refused({"compile", kModel, "--board", "icebreaker", "--out", (folder / "file/below").string()}, {"below"});
  CHECK(read_text_file(folder / "file") == "precious");
  fs::create_directory(folder / "other");
  write_file_atomically(folder / "other/notes", std::string("precious"));
  expect_refused({"compile", kModel, "--board", "icebreaker", "--out", (folder / "other").string()}, {"other", "new folder"});
  CHECK(read_text_file(folder / "other/notes") == "precious");
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 2);
  expect_refused({"run", kModel, "--data", "digits", "--images", "1", "--out", (folder / "no/such/out.npy").string()}, {"out.npy"});
}

TEST_CASE("a design that is none, or damaged") {
  const TemporaryFolder folder;
  expect_refused({"sim", folder.path().string(), "--data", "digits"}, {"design.json", "bitloom compile"});
  expect_refused({"synth", folder.path().string()}, {"design.json"});
  write_file_atomically(folder / "design.json", std::string("{\"bitloom\": "));
  expect_refused({"sim", folder.path().string(), "--data", "digits"}, {"design.json"});
  expect_refused({"report", (folder / "nowhere").string()}, {"nowhere"});
}

TEST_CASE("a speed that cannot be had is refused with the reason") {
  const TemporaryFolder folder;
  expect_refused({"compile", kModel, "--board", "icebreaker", "--fps", "1e9", "--out", (folder / "d").string()}, {"cannot be reached"});
  expect_refused({"compile", kModel, "--board", "icebreaker", "--fit", "1.5", "--out", (folder / "d").string()}, {"--fit"});
  CHECK(is_empty(folder));
}

TEST_CASE("wrong usage") {
  CHECK(bitloom_command({}).status == 2);
  CHECK(bitloom_command({"transmogrify"}).status == 2);
  CHECK(bitloom_command({"info"}).status == 2);
  CHECK(bitloom_command({"info", kModel, "--frobnicate"}).status == 2);
  CHECK(bitloom_command({"--help"}).status == 0);
  for (const char* command : {"info", "compile", "run", "sim", "synth", "report"}) {
    const CommandResult help = bitloom_command({command, "--help"});
    CHECK(help.status == 0);
    CHECK_THAT(help.out, contains_text("Example: bitloom"));
  }
}

TEST_CASE("decompose refuses options that contradict each other, and writes nothing then") {
  const TemporaryFolder folder;
  const std::string model = digits_model("digits-w2a2").string(), out = (folder / "out.onnx").string();
  const std::vector<std::string> common{"decompose", model, "--data", "digits:train", "--images", "5", "--out", out};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = common;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  expect_refused(with({}), {"--basis"});
  expect_refused(with({"--basis", "4"}), {"--density"});
  expect_refused(with({"--basis", "0", "--density", "0.1"}), {"--basis", "0"});
  expect_refused(with({"--basis", "4", "--density", "2"}), {"--density", "2"});
  expect_refused(with({"--error", "0.1", "--bytes", "100"}), {"--error", "--bytes"});
  expect_refused(with({"--bytes", "3"}), {"--bytes", "at least"});
  expect_refused(with({"--basis", "2", "--density", "0.1", "--scales", "none"}), {"--scales"});
  expect_refused(with({"--basis", "2", "--density", "0.1", "--jobs", "0"}), {"--jobs"});
  CHECK(is_empty(folder));
  expect_refused({"decompose", model, "--data", "digits:train", "--images", "5", "--basis", "2", "--density", "0.1", "--out", (folder / "none" / "out.onnx").string()},
                 {"none"});
  CHECK(is_empty(folder));
}
