// The HTML page: what is in it and in which order.
#include <fmt/format.h>

#include "core/files.hpp"
#include "report/definitions.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"
#include "report/style.hpp"

namespace bitloom {
namespace {

std::string link(const std::string& id, const std::string& text) {
  return fmt::format("<li><a href=\"#{}\">{}</a></li>", id, escape_html(text));
}

}  // namespace

std::string definitions_section(const ReportData& data) {
  std::string out = "<section id=\"definitions\"><h2>What the figures mean, and how each was obtained</h2>\n<dl class=\"definitions\">\n";
  for (const Definition& definition : definitions())
    out += fmt::format("<dt>{}<small>{}</small></dt><dd>{}</dd>\n", escape_html(definition.title), escape_html(definition.origin),
                       escape_html(definition.text));
  out += "</dl>\n";
  Table tools("Programs that made the figures");
  tools.column("Program", Table::Column::Text).column("Version", Table::Column::Text);
  tools.row({"bitloom", BITLOOM_VERSION});
  for (const auto& [program, version] : tools_of(data)) tools.row({program, version});
  return out + tools.html() + "</section>\n";
}

void write_report(const std::filesystem::path& file, const ReportData& data) {
  const std::string fronts = fronts_section(data);
  std::string navigation = link("summary", "Summary");
  if (!fronts.empty()) navigation += link("fronts", "What accuracy costs");
  std::string parts = fronts;
  for (std::size_t i = 0; i < data.sweeps.size(); ++i) {
    navigation += link(fmt::format("sweep-{}", i), data.sweeps[i].model.empty() ? "Sweep" : "Sweep of " + data.sweeps[i].model);
    parts += sweep_section(data.sweeps[i], i);
  }
  for (std::size_t i = 0; i < data.models.size(); ++i) {
    navigation += link(fmt::format("model-{}", i), data.models[i].name);
    parts += model_section(data.models[i], i);
  }
  navigation += link("definitions", "Definitions");
  const std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n"
      "<title>{0}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{1}</style>\n</head>\n<body>\n<header><h1>{0}</h1>\n"
      "<p class=\"soft\">Few-bit networks as hardware: accuracy, clocks, cells and energy. Clocks are simulated, cells and Fmax come from "
      "place and route, rates are "
      "calculated from them, power is estimated; nothing here was measured on a board.</p>\n<nav "
      "aria-label=\"Contents\"><ul>{2}</ul></nav></header>\n<main>\n{3}{4}{5}</main>\n"
      "</body>\n</html>\n",
      escape_html(data.title), kReportStyle, navigation, summary_section(data), parts, definitions_section(data));
  write_file_atomically(file, page);
}

}  // namespace bitloom
