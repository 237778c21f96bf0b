// The small pieces of the page: escaped text, numbers, tables, plots, images.
#include <cmath>

#include "catch2.hpp"
#include "core/error.hpp"
#include "report/html.hpp"
#include "report/png.hpp"
#include "report/report.hpp"
#include "report/svg.hpp"

using namespace bitloom;

TEST_CASE("text is escaped for HTML") {
  CHECK(escape_html("a<b>&\"c'") == "a&lt;b&gt;&amp;&quot;c&#39;");
  CHECK(escape_html("") == "");
  CHECK(escape_html("\xC3\xA9") == "\xC3\xA9");
}

TEST_CASE("numbers are grouped and shortened") {
  CHECK(thousands(0) == "0");
  CHECK(thousands(999) == "999");
  CHECK(thousands(1000) == "1\u202f000");
  CHECK(thousands(-1234567) == "-1\u202f234\u202f567");
  CHECK(thousands(-123) == "-123");
  CHECK(decimal(2304.5, 1) == "2\u202f304.5");
  CHECK(decimal(-0.25, 2) == "-0.25");
  CHECK(decimal(1999.96, 1) == "2\u202f000.0");
  CHECK(short_count(999) == "999");
  CHECK(short_count(1200000) == "1.20\u202fM");
  CHECK(short_count(999999) == "1.00\u202fM");
  CHECK(short_count(45600) == "45.6\u202fk");
  CHECK(short_count(590e6) == "590\u202fM");
  CHECK(percent(0.92714) == "92.71\u202f%");
}

TEST_CASE("a table escapes its cells and checks its rows") {
  Table table("what & why");
  table.column("name", Table::Column::Text).column("n<1");
  table.row({"<script>", "1"}).total({"all", "2"});
  const std::string html = table.html();
  CHECK_THAT(html, contains_text("&lt;script&gt;"));
  CHECK_THAT(html, !contains_text("<script>"));
  CHECK_THAT(html, contains_text("what &amp; why"));
  CHECK_THAT(html, contains_text("<th scope=\"col\" class=\"n\">n&lt;1</th>"));
  CHECK_THAT(html, contains_text("<tr class=\"total\">"));
  CHECK_THAT(html, contains_text("class=\"scroll\""));
  CHECK_THROWS_AS(table.row({"too", "many", "cells"}), Error);
}

TEST_CASE("a table folds behind its caption, and a long one says so") {
  Table table("Data");
  table.column("n");
  for (int i = 0; i < 60; ++i) table.row({"1"});
  CHECK_THAT(table.folded(), contains_text("<details class=\"data\"><summary>Data</summary>"));
  CHECK_THAT(table.row({"1"}).folded(), contains_text("<details class=\"data long\">"));
}

TEST_CASE("plots say what they are and show hostile names as text") {
  const std::string name = "<script>\"'&\n{y}";
  const std::string bars = bar_svg({{"b", "bars & more", "two <rows>"},
                                    {{"LUT4", 0}, {"FF", 0}},
                                    {{name, {{1, 2}, {3}}, {"3", name}}, {"second", {{4, 0}, {0}}, {"", ""}}}});
  CHECK_THAT(bars, contains_text("role=\"img\""));
  CHECK_THAT(bars, contains_text("aria-labelledby=\"b-title b-desc\""));
  CHECK_THAT(bars, contains_text("<title id=\"b-title\">bars &amp; more</title><desc id=\"b-desc\">two &lt;rows&gt;</desc>"));
  CHECK_THAT(bars, !contains_text("<script"));
  CHECK_THAT(bars, contains_text("&lt;script&gt;"));
  CHECK_THAT(bars, contains_text("s1 solid"));
  CHECK_THAT(bar_svg({{"z", "zeros", "none"}, {{"LUT4", 0}}, {{"a", {{0}}, {"0"}}}}), contains_text("</svg>"));

  ScatterPlot scatter{{"p", "points", "two"},
                      {"BOPs", true},
                      {"accuracy, %", false},
                      {{"s", {{"low", 1e6, 90, {}, false}, {name, 1e9, 80, {{5e8, 2e9}}, true}}}},
                      {}};
  scatter.lines.push_back({"× 1", {{1e6, 80}, {1e9, 90}}, true});
  const std::string points = scatter_svg(scatter);
  CHECK_THAT(points, contains_text("low"));
  CHECK_THAT(points, contains_text("s0 open"));
  CHECK_THAT(points, contains_text("s0 range"));
  CHECK_THAT(points, contains_text("line dashed"));
  CHECK_THAT(points, contains_text("× 1"));
  CHECK_THAT(points, !contains_text("<script"));

  const std::string matrix = matrix_svg({{"m", "matrix", "two classes"}, "true", "answer", {name, "b"}, {{9, 1}, {0, 10}}});
  CHECK_THAT(matrix, !contains_text("<script"));
  CHECK_THAT(matrix, contains_text("s0 d4 shade"));  // 9 of 10 right
  CHECK_THAT(matrix, contains_text("s1 d2 shade"));  // 1 of 10 wrong, raised
}

TEST_CASE("a mark stands where its values say") {
  // The frame is 54 to 406 wide and 30 to 244 high, the data 8 within it.
  const std::string svg = scatter_svg({{"p", "points", ""},
                                       {"x", false},
                                       {"y", false},
                                       {{"", {{"a", 0, 0, {}, false}, {"b", 100, 50, {}, false}, {"c", 50, 25, {}, false}}}},
                                       {}});
  CHECK_THAT(svg, contains_text("cx=\"62.0\" cy=\"236.0\""));
  CHECK_THAT(svg, contains_text("cx=\"398.0\" cy=\"38.0\""));
  CHECK_THAT(svg, contains_text("cx=\"230.0\" cy=\"137.0\""));
}

TEST_CASE("texts are cut where there is no room") {
  CHECK(shortened("conv1", 100) == "conv1");
  const std::string cut = shortened("a name that is too long", 60);
  CHECK_THAT(cut, contains_text("a nam"));
  CHECK_THAT(cut, contains_text("\u2026"));
  CHECK(text_width(cut) <= 60);
  CHECK(text_width("\u00e9\u00e9") == text_width("ab"));  // characters, not bytes
}

TEST_CASE("plots without data, or with data that no axis holds, are refused") {
  const PlotText text{"x", "the plot", ""};
  CHECK_THROWS_WITH(bar_svg({text, {{"LUT4", 0}}, {}}), contains_text("at least one bar"));
  CHECK_THROWS_WITH(bar_svg({text, {{"LUT4", 0}}, {{"a", {{1}, {2}}, {"", ""}}}}), contains_text("the plot 1 panels"));
  CHECK_THROWS_WITH(bar_svg({text, {{"LUT4", 0}}, {{"a", {{-1}}, {""}}}}), contains_text("0 or more"));
  CHECK_THROWS_WITH(scatter_svg({text, {"x", true}, {"y", false}, {}, {}}), contains_text("at least one point"));
  CHECK_THROWS_WITH(scatter_svg({text, {"x", true}, {"y", false}, {{"", {{"a", 0, 1, {}, false}}}}, {}}), contains_text("logarithmic"));
  CHECK_THROWS_WITH(scatter_svg({text, {"x", false}, {"y", false}, {{"", {{"a", std::nan(""), 1, {}, false}}}}, {}}),
                    contains_text("finite"));
  CHECK_THROWS_WITH(matrix_svg({text, "r", "c", {"a"}, {{1}, {2}}}), contains_text("labels"));
  CHECK_THROWS_WITH(matrix_svg({text, "r", "c", {"a", "b"}, {{1, 2}, {2}}}), contains_text("row 1 has 1 cells"));
}

TEST_CASE("base64 as RFC 4648 has it") {
  const auto bytes = [](const std::string& text) { return std::vector<std::uint8_t>(text.begin(), text.end()); };
  CHECK(base64(bytes("")) == "");
  CHECK(base64(bytes("f")) == "Zg==");
  CHECK(base64(bytes("fo")) == "Zm8=");
  CHECK(base64(bytes("foobar")) == "Zm9vYmFy");
  CHECK(base64({0xff, 0xef, 0xbe}) == "/+++");
}

TEST_CASE("an image becomes a PNG inside the page") {
  CHECK(png_data_uri(2, 1, 1, {0, 255}).rfind("data:image/png;base64,iVBORw0KGgo", 0) == 0);
  CHECK(png_data_uri(1, 1, 3, {1, 2, 3}) != png_data_uri(1, 1, 3, {1, 2, 4}));
  CHECK_THROWS_WITH(png_data_uri(2, 1, 1, {0}), contains_text("need 2 bytes, found 1"));
  CHECK_THROWS_AS(png_data_uri(1, 1, 2, {0, 1}), Error);
}
