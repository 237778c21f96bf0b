// explore.json: the points of a sweep, and the lines fitted to them.
#include <algorithm>
#include <map>

#include "flow/boards.hpp"
#include "report/gather.hpp"

namespace bitloom {
namespace {
using nlohmann::json;

/// {"pe": 8, "simd": 4} as "pe 8, simd 4"; text as it is.
std::string folding_text(const json& folding) {
  if (folding.is_string()) return folding.get<std::string>();
  if (!folding.is_object()) return folding.is_null() ? "" : folding.dump();
  std::string text;
  for (const auto& [name, value] : folding.items())
    text += (text.empty() ? "" : ", ") + name + " " + (value.is_string() ? value.get<std::string>() : value.dump());
  return text;
}

using Field = std::optional<double> SweepPoint::*;
const std::map<std::string, Field>& fields() {
  static const std::map<std::string, Field> all = {{"weight_bits", &SweepPoint::weight_bits},
                                                   {"activation_bits", &SweepPoint::activation_bits},
                                                   {"bops_uniq", &SweepPoint::bops_uniq},
                                                   {"bops_qonnx", &SweepPoint::bops_qonnx},
                                                   {"clocks", &SweepPoint::clocks},
                                                   {"lut4", &SweepPoint::lut4},
                                                   {"ff", &SweepPoint::ff},
                                                   {"bram", &SweepPoint::bram},
                                                   {"dsp", &SweepPoint::dsp},
                                                   {"fmax_mhz", &SweepPoint::fmax_mhz},
                                                   {"accuracy", &SweepPoint::accuracy},
                                                   {"total_mw", &SweepPoint::total_mw},
                                                   {"nj_per_inference", &SweepPoint::nj_per_inference}};
  return all;
}

SweepPoint read_point(const ResultFile& source) {
  SweepPoint point;
  const auto id = source.find<json>("id");
  point.id = !id ? "" : id->is_string() ? id->get<std::string>() : id->dump();
  point.engine = source.find<std::string>("engine").value_or("");
  point.folding = folding_text(source.find<json>("folding").value_or(json()));
  point.board = source.find<std::string>("board").value_or("");
  for (const auto& [name, field] : fields()) point.*field = source.find<double>(name.c_str());
  if (point.accuracy) point.accuracy = source.fraction("accuracy");
  return point;
}

/// A fit names the board, its device or its family.
bool is_on(const std::string& board, const std::string& device) {
  if (device.empty() || board == device) return true;
  const std::vector<std::string> known = list_boards();
  if (std::find(known.begin(), known.end(), board) == known.end()) return false;
  const Board description = load_board(board);
  return description.device == device || description.family == device;
}

SweepFit read_fit(const ResultFile& source, const std::vector<SweepPoint>& points) {
  SweepFit fit;
  fit.device = source.find<std::string>("device").value_or("");
  fit.engine = source.find<std::string>("engine").value_or("");
  fit.x = source.get<std::string>("x");
  fit.y = source.get<std::string>("y");
  fit.slope = source.get<double>("slope");
  fit.intercept = source.get<double>("intercept");
  fit.r2 = source.get<double>("r2");
  const auto own = source.find<json>("points");
  for (const json& point : own && own->is_array() ? *own : json::array()) {
    if (!point.is_array() || point.size() != 2 || !point[0].is_number() || !point[1].is_number())
      throw Error(source.where(), fmt::format("a point of 'points' is {}, [x, y] expected", point.dump()));
    fit.points.emplace_back(point[0], point[1]);
  }
  if (own && own->is_array()) return fit;
  for (const SweepPoint& point : points) {
    const auto x = point.figure(fit.x), y = point.figure(fit.y);
    if (x && y && (fit.engine.empty() || point.engine == fit.engine) && is_on(point.board, fit.device)) fit.points.emplace_back(*x, *y);
  }
  return fit;
}

}  // namespace

std::optional<double> SweepPoint::figure(const std::string& name) const {
  if (name == "frames_per_second") return fmax_mhz && clocks && *clocks > 0 ? std::optional(*fmax_mhz * 1e6 / *clocks) : std::nullopt;
  const auto field = fields().find(name);
  return field == fields().end() ? std::nullopt : this->*(field->second);
}

SweepReport read_sweep(const ResultFile& source) {
  SweepReport sweep;
  sweep.model = source.find<std::string>("model").value_or("");
  for (const ResultFile& point : source.list("points")) sweep.points.push_back(read_point(point));
  for (const ResultFile& fit : source.find_list("fits")) sweep.fits.push_back(read_fit(fit, sweep.points));
  return sweep;
}

}  // namespace bitloom
