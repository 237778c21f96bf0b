#include "report/plots.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <random>
#include <regex>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "report/report.hpp"

namespace bitloom {
namespace fs = std::filesystem;
namespace {

// Colours that no plot uses: text and axes become currentColor, grid lines the same, faintly.
constexpr const char* kInk = "#010203";
constexpr const char* kGrid = "#010204";

/// A folder of our own below the system's temporary one, removed on every path.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(fs::temp_directory_path() / fmt::format("bitloom_plot_{}_{:08x}", getpid(), std::random_device{}())) {
    fs::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// A name as a quoted field of a data file: gnuplot takes a text apart at quotes, backslashes and line ends.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) result += c == '"' || c == '\\' || c == '`' ? '\'' : std::iscntrl(static_cast<unsigned char>(c)) != 0 ? ' ' : c;
  return result + "\"";
}

std::string style(int width, int height) {
  return fmt::format(
      "set terminal svg size {},{} dynamic noenhanced font 'system-ui,sans-serif,13'\nset output 'plot.svg'\nset encoding utf8\nunset key\n"
      "set border 3 linecolor rgb '{ink}'\nset tics nomirror textcolor rgb '{ink}'\nset grid linecolor rgb '{grid}' linetype 1\n",
      width, height, fmt::arg("ink", kInk), fmt::arg("grid", kGrid));
}

std::string axis_label(const char* axis, const std::string& text) {
  return fmt::format("set {}label {} textcolor rgb '{}'\n", axis, quoted(text), kInk);
}

std::string draw(const std::string& script, const std::string& data, const std::string& id, const std::string& title) {
  require_program("gnuplot");
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "plot.txt", data);
  write_file_atomically(folder.path() / "plot.gp", script);
  RunOptions options;
  options.cwd = folder.path();
  options.out = options.err = folder.path() / "plot.log";
  const int status = run("gnuplot", {"plot.gp"}, options);
  if (status != 0 || !fs::exists(folder.path() / "plot.svg"))
    throw Error("gnuplot", fmt::format("failed with status {} on the plot '{}':\n{}", status, title, last_lines(options.out, 6)));
  return inline_svg(read_text_file(folder.path() / "plot.svg"), id, title);
}

}  // namespace

std::string inline_svg(const std::string& svg, const std::string& id, const std::string& title) {
  const std::size_t start = svg.find("<svg");
  if (start == std::string::npos)
    throw Error("gnuplot", "wrote no SVG; gnuplot 5.4 or later with the svg terminal is needed (gnuplot-nox has it)");
  std::string text = svg.substr(start);
  const auto replace = [&](const char* pattern, const std::string& by) { text = std::regex_replace(text, std::regex(pattern), by); };
  replace(R"(<filter[\s\S]*?</filter>)", "");
  replace(R"(<title>[^<]*</title>)", "");
  replace(R"(<desc>[^<]*</desc>)", "");
  replace(R"( color="(black|white)\")", "");
  replace(R"(\s+xmlns(:xlink)?="[^"]*\")", "");
  replace(R"(xlink:href=)", "href=");
  replace(R"(id=(['"]))", fmt::format("id=$01{}-", id));
  replace(R"(href='#)", fmt::format("href='#{}-", id));
  replace(R"(rgb\( *1, *2, *4\)(['"]))", "currentColor$1 stroke-opacity=$010.18$01");
  replace(R"(rgb\( *1, *2, *3\))", "currentColor");
  replace(R"(stroke="black")", "stroke=\"currentColor\"");
  replace(R"(\n\s*\n+)", "\n");
  const std::string label = escape_html(title);
  text.replace(0, 4, fmt::format("<svg role=\"img\" aria-label=\"{}\"", label));
  return text;
}

std::string bar_svg(const BarPlot& plot) {
  double largest = 0;
  std::size_t series = 0;
  std::string data;
  for (const Bar& bar : plot.bars) {
    double end = 0;
    data += quoted(bar.label) + " " + quoted(bar.note);
    for (const double part : bar.parts) {
      data += fmt::format(" {} {}", end, end + part);
      end += part;
    }
    data += fmt::format(" {}\n", end);
    largest = std::max(largest, end);
    series = std::max(series, bar.parts.size());
  }
  for (const Bar& bar : plot.bars)
    if (bar.parts.size() != series) throw Error(plot.title, "the bars of a plot have different numbers of series");
  if (series == 0) throw Error(plot.title, "a plot needs at least one bar");
  // Room at the right for the notes; an axis of zeros still needs a length.
  const double limit = plot.limit > 0 ? plot.limit : largest > 0 ? largest : 1;
  const bool has_notes = std::any_of(plot.bars.begin(), plot.bars.end(), [](const Bar& bar) { return !bar.note.empty(); });
  const double room = has_notes ? 1.2 : 1.02;
  const auto bars = static_cast<int>(plot.bars.size());
  std::string script = style(480, 66 + 26 * bars) + axis_label("x", plot.axis);
  script += fmt::format(
      "set xrange [0:{}]\nset yrange [{}.6:-0.6]\nset grid noytics xtics\nset tics scale 0\nset style fill solid 1.0 noborder\n",
      limit * room, bars - 1);
  script += plot.limit > 0 ? fmt::format("set xtics 0,{},{}\n", plot.limit / 5, plot.limit)
                           : "set format x '%.0f'\nset xtics autofreq\nset mxtics 1\n";
  script += "plot ";
  for (std::size_t s = 0; s < series; ++s) {
    const std::size_t low = 3 + 2 * s;
    const char* colour = kSeriesColours[s % std::size(kSeriesColours)];
    script +=
        fmt::format("'plot.txt' using (0.5*(${0}+${1})):0:(0.5*(${1}-${0})):(0.34):yticlabels(1) with boxxyerror linecolor rgb '{2}', ",
                    low, low + 1, colour);
  }
  script += fmt::format("'plot.txt' using {}:0:2 with labels left offset 0.6,0 textcolor rgb '{}'\n", 3 + 2 * series, kInk);
  return draw(script, data, plot.id, plot.title);
}

std::string point_svg(const PointPlot& plot) {
  if (plot.points.empty()) throw Error(plot.title, "a plot needs at least one point");
  double low_x = plot.points[0].x, high_x = low_x, low_y = plot.points[0].y, high_y = low_y;
  for (const Point& point : plot.points) {
    if (!(point.x > 0) || !std::isfinite(point.x) || !std::isfinite(point.y))
      throw Error(plot.title, fmt::format("'{}' is at {}, {}: a logarithmic axis needs values above 0", point.label, point.x, point.y));
    low_x = std::min(low_x, point.x);
    high_x = std::max(high_x, point.x);
    low_y = std::min(low_y, point.y);
    high_y = std::max(high_y, point.y);
  }
  const double margin = std::max(0.15 * (high_y - low_y), 1.0);
  const double around = high_x < 10 * low_x ? 10 : 2.5;  // at least two decades, so that the axis has two labels
  const double middle = std::sqrt(low_x * high_x);
  // A name stands towards the middle, so that it stays inside the frame: two lists of points, by side.
  std::string data[2];
  for (const Point& point : plot.points) data[point.x > middle ? 1 : 0] += fmt::format("{} {} {}\n", point.x, point.y, quoted(point.label));
  std::string script = style(480, 320) + axis_label("x", plot.x_axis) + axis_label("y", plot.y_axis);
  script += fmt::format("set logscale x\nset format x '%.0s%c'\nset tics scale 0.5\nset xrange [{}:{}]\nset yrange [{}:{}]\n",
                        low_x / around, high_x * around, low_y - margin, high_y + margin);
  script += fmt::format("plot 'plot.txt' using 1:2 with points pointtype 7 pointsize 0.9 linecolor rgb '{}'", kSeriesColours[0]);
  int index = 0;
  for (int side = 0; side < 2; ++side)
    if (!data[side].empty())
      script += fmt::format(", 'plot.txt' index {} using 1:2:3 with labels {} textcolor rgb '{}'", index++,
                            side == 0 ? "left offset 0.9,0" : "right offset -0.9,0", kInk);
  return draw(script + "\n", data[0] + (data[0].empty() || data[1].empty() ? "" : "\n\n") + data[1], plot.id, plot.title);
}

}  // namespace bitloom
