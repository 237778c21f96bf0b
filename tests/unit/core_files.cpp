#include "core/files.hpp"

#include <unistd.h>

#include <cstdlib>

#include "catch2.hpp"
#include "core/resources.hpp"
#include "unit/data_temp.hpp"

using namespace bitloom;

TEST_CASE("a file comes back as it was written, and replaces the old one") {
  const TemporaryFolder folder;
  Bytes bytes(3'000'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  write_file_atomically(folder / "a", bytes);
  CHECK(read_file(folder / "a") == bytes);
  write_file_atomically(folder / "a", "short\n");
  CHECK(read_text_file(folder / "a") == "short\n");
  write_file_atomically(folder / "a", "");
  CHECK(read_file(folder / "a").empty());
  const auto entries = std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator());
  CHECK(entries == 1);  // no temporary file is left
}

TEST_CASE("files that cannot be read or written are named with the reason") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(read_file(folder / "none"), contains_text("none: no such file"));
  CHECK_THROWS_WITH(read_file(folder.path()), contains_text("is a folder"));
  CHECK_THROWS_WITH(write_file_atomically(folder / "none/a", "x"), contains_text("does not exist"));
  CHECK_THROWS_WITH(write_file_atomically(folder.path(), "x"), contains_text("is a folder"));
  if (geteuid() != 0) {  // root may do everything
    write_file_atomically(folder / "closed", "x");
    std::filesystem::permissions(folder / "closed", std::filesystem::perms::none);
    CHECK_THROWS_WITH(read_file(folder / "closed"), contains_text("cannot be opened"));
    std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    CHECK_THROWS_WITH(write_file_atomically(folder / "b", "x"), contains_text("cannot be written"));
    std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
  }
}

TEST_CASE("run-time files are found in the source tree, or where BITLOOM_HOME says") {
  const char* set = std::getenv("BITLOOM_HOME");
  const std::string before = set != nullptr ? set : "";
  unsetenv("BITLOOM_HOME");
  CHECK(std::filesystem::is_directory(resource("sw/data/digits")));
  CHECK_THROWS_WITH(resource("no/such"), contains_text("no/such") && contains_text("share/bitloom") && contains_text("BITLOOM_HOME"));

  const TemporaryFolder folder;
  write_file_atomically(folder / "only-here", "x");
  setenv("BITLOOM_HOME", folder.path().c_str(), 1);
  CHECK(resource("only-here") == folder / "only-here");
  CHECK_THROWS_AS(resource("sw/data/digits"), Error);  // a home that is set is the only one
  unsetenv("BITLOOM_HOME");
  if (!before.empty()) setenv("BITLOOM_HOME", before.c_str(), 1);
}
