// The small pieces of the page: escaped text, numbers, tables, and gnuplot's SVG made fit for a page.
#include "catch2.hpp"
#include "core/error.hpp"
#include "core/process.hpp"
#include "report/html.hpp"
#include "report/plots.hpp"
#include "report/report.hpp"

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

TEST_CASE("gnuplot's SVG follows the page and keeps its ids to itself") {
  const std::string svg =
      "<?xml version=\"1.0\"?>\n<svg \n viewBox=\"0 0 9 9\"\n xmlns=\"http://www.w3.org/2000/svg\"\n "
      "xmlns:xlink=\"http://www.w3.org/1999/xlink\"\n>\n"
      "<title>Gnuplot</title>\n<desc>Produced</desc>\n<defs><circle id='gpPt5' r='1'/><use xlink:href='#gpPt5' id='gpPt6'/>\n"
      "<filter id='textbox'>\n<feFlood flood-color='white'/></filter></defs>\n<g id=\"gnuplot_canvas\" color=\"black\">"
      "<path stroke='rgb(  1,   2,   4)' d='M0,0'/><g fill=\"rgb(1,2,3)\"><text>a&lt;b</text></g></g></svg>";
  const std::string text = inline_svg(svg, "m0", "LUTs & \"more\"");
  CHECK(text.rfind("<svg role=\"img\" aria-label=\"LUTs &amp; &quot;more&quot;\"", 0) == 0);
  CHECK_THAT(text, !contains_text("http"));
  CHECK_THAT(text, !contains_text("Gnuplot"));
  CHECK_THAT(text, !contains_text("filter"));
  CHECK_THAT(text, !contains_text("rgb("));
  CHECK_THAT(text, contains_text("stroke='currentColor' stroke-opacity='0.18' d='M0,0'"));
  CHECK_THAT(text, contains_text("fill=\"currentColor\""));
  CHECK_THAT(text, contains_text("<circle id='m0-gpPt5'"));
  CHECK_THAT(text, contains_text("href='#m0-gpPt5' id='m0-gpPt6'"));
  CHECK_THROWS_WITH(inline_svg("no picture", "x", "y"), contains_text("gnuplot"));
}

TEST_CASE("plots are drawn, with hostile names as plain text", "[gnuplot]") {
  if (!find_program("gnuplot")) {
    WARN("gnuplot is missing: nothing is drawn");
    return;
  }
  const std::string name = "<script>\"`echo x`\\n{/Bold y}_1\n";
  const std::string bars = bar_svg({"b", "bars", "LUT4", 0, {{name, {1, 2}, "3"}, {"second", {4, 0}, ""}}});
  CHECK_THAT(bars, !contains_text("<script"));
  CHECK_THAT(bars, contains_text("&lt;script"));
  CHECK_THAT(bars, contains_text("{/Bold y}_1"));
  CHECK_THAT(bars, contains_text("second"));
  CHECK_THAT(bars, contains_text("rgb( 59, 130, 196)"));
  CHECK_THAT(bars, contains_text("rgb(201, 117,  28)"));
  CHECK_THAT(bars, contains_text("currentColor"));
  CHECK_THAT(bar_svg({"z", "zeros", "LUT4", 0, {{"a", {0}, "0"}}}), contains_text("</svg>"));

  const std::string points = point_svg({"p", "points", "BOPs", "accuracy, %", {{"low", 1e6, 90}, {name, 1e9, 80}}});
  CHECK_THAT(points, contains_text("low"));
  CHECK_THAT(points, !contains_text("<script"));
  CHECK_THAT(point_svg({"q", "one", "BOPs", "%", {{"only", 5e6, 97.5}}}), contains_text("only"));
}

TEST_CASE("plots without data, or with data that no axis holds, are refused") {
  CHECK_THROWS_WITH(bar_svg({"b", "bars", "LUT4", 0, {}}), contains_text("at least one bar"));
  CHECK_THROWS_WITH(bar_svg({"b", "bars", "LUT4", 0, {{"a", {1, 2}, ""}, {"b", {1}, ""}}}), contains_text("different numbers"));
  CHECK_THROWS_WITH(point_svg({"p", "points", "x", "y", {}}), contains_text("at least one point"));
  CHECK_THROWS_WITH(point_svg({"p", "points", "x", "y", {{"a", 0, 1}}}), contains_text("logarithmic"));
}
