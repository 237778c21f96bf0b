#include "report/report.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "cli/commands.hpp"
#include "cli/common.hpp"

namespace bitloom::cli {
namespace {

struct Report {
  std::string folder, title;
  bool json = false;

  void operator()() const {
    const std::filesystem::path path(folder);
    ReportData data = gather_report(path);
    if (!title.empty()) data.title = title;
    write_summary(path / "summary.json", data);
    write_report(path / "report.html", data);
    if (json)
      fmt::print("{}\n", summary_json(data).dump(2));
    else
      fmt::print("{}\n{}\n", (path / "report.html").string(), (path / "summary.json").string());
  }
};

}  // namespace

void add_report(CLI::App& program) {
  auto report = std::make_shared<Report>();
  CLI::App* app = program.add_subcommand("report", "one self-contained HTML page with plots, and summary.json");
  app->footer("Example: bitloom report build/demo");
  app->add_option("DIR", report->folder, "a folder with a folder for each model (docs/architecture.md, section 6)")->required();
  app->add_option("--title", report->title, "of the page");
  app->add_flag("--json", report->json, "print summary.json");
  app->callback([report] { (*report)(); });
}

}  // namespace bitloom::cli
