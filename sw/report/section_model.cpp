#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "report/cells.hpp"
#include "report/html.hpp"
#include "report/plots.hpp"
#include "report/png.hpp"
#include "report/sections.hpp"

namespace bitloom {
namespace {

using Column = Table::Column;

constexpr std::size_t kMostClasses = 60;  // a larger matrix is neither seen nor read; the confusions are listed

std::string class_name(const ModelReport& model, std::size_t index) {
  return model.class_names.empty() ? fmt::format("{}", index) : model.class_names[index];
}

std::string matrix_figure(const ModelReport& model, const std::string& id) {
  MatrixPlot plot{
      {id, "Confusion matrix", "Rows are true classes, columns answers; the diagonal is right."}, "true", "answer", {}, model.confusion};
  Table table("Data");
  table.column("True class", Column::Text);
  for (std::size_t c = 0; c < model.confusion.size(); ++c) {
    plot.labels.push_back(class_name(model, c));
    table.column(class_name(model, c));
  }
  table.column("Right");
  for (std::size_t r = 0; r < model.confusion.size(); ++r) {
    const auto& row = model.confusion[r];
    std::vector<std::string> cells{class_name(model, r)};
    for (const std::int64_t cell : row) cells.push_back(thousands(cell));
    cells.push_back(share(static_cast<double>(row[r]), static_cast<double>(std::accumulate(row.begin(), row.end(), std::int64_t{0}))));
    table.row(cells);
  }
  return figure(id, plot.text.title, "Images by true class and answer; deeper is a larger share of the row, errors in orange.", "",
                matrix_svg(plot), table);
}

std::string confusions_table(const ModelReport& model) {
  struct Pair {
    std::int64_t count;
    std::size_t label, answer;
  };
  std::vector<Pair> pairs;
  for (std::size_t r = 0; r < model.confusion.size(); ++r)
    for (std::size_t c = 0; c < model.confusion.size(); ++c)
      if (r != c && model.confusion[r][c] > 0) pairs.push_back({model.confusion[r][c], r, c});
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.count > b.count; });
  if (pairs.empty()) return "<p class=\"soft\">No image is answered wrongly.</p>\n";
  Table table("Most frequent confusions");
  table.column("True class", Column::Text).column("Answer", Column::Text).column("Images");
  for (std::size_t i = 0; i < std::min<std::size_t>(pairs.size(), 10); ++i)
    table.row({class_name(model, pairs[i].label), class_name(model, pairs[i].answer), thousands(pairs[i].count)});
  return table.html();
}

std::string gallery(const ModelReport& model, const std::string& id) {
  if (model.wrong_images.empty()) return "";
  std::string out =
      fmt::format("<p class=\"caption\">Images answered wrongly: true class → answer</p><ul class=\"gallery\" id=\"{}\">\n", id);
  for (const WrongImage& image : model.wrong_images) {
    const auto name = [&](std::int64_t label) { return escape_html(class_name(model, static_cast<std::size_t>(label))); };
    out += fmt::format(
        "<li><img alt=\"image {0}: {1}, answered as {2}\" src=\"{3}\">{1} → <b>{2}</b><br><span class=\"soft\">no. {0}</span></li>\n",
        image.index, name(image.label), name(image.answer), png_data_uri(image.width, image.height, image.channels, image.pixels));
  }
  return out + "</ul>\n";
}

}  // namespace

std::string confusion_section(const ModelReport& model, const std::string& id) {
  if (model.confusion.empty()) return "";
  const std::string matrix = model.confusion.size() <= kMostClasses ? matrix_figure(model, id + "-confusion") : "";
  return fmt::format("<h3>Confusion</h3>\n<div class=\"plots\">\n{}<div>{}{}</div></div>\n", matrix, confusions_table(model),
                     gallery(model, id + "-images"));
}

std::string model_section(const ModelReport& model, std::size_t index) {
  const std::string id = fmt::format("model-{}", index);
  std::string out = fmt::format("<section id=\"{}\"><h2>{}</h2>\n", id, escape_html(model.name));
  if (!model.data.empty())
    out += fmt::format("<p class=\"soft\">{} images of {}.{}</p>\n", thousands(model.images), escape_html(model.data),
                       model.accuracy ? " Accuracy " + percent(*model.accuracy) + "." : "");
  for (std::size_t d = 0; d < model.designs.size(); ++d) out += design_section(model.designs[d], fmt::format("m{}d{}", index, d));
  return out + confusion_section(model, id) + "</section>\n";
}

}  // namespace bitloom
