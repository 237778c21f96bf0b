// explore.json: the points of a sweep, and the lines fitted to them.
#include <algorithm>
#include <map>
#include <tuple>

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
    if (!value.is_null()) text += (text.empty() ? "" : ", ") + name + " " + (value.is_string() ? value.get<std::string>() : value.dump());
  return text;
}

/// The size of the array, where there is one.
std::pair<std::optional<int>, std::optional<int>> array_of(const json& object) {
  const auto number = [&](const char* name) {
    return object.is_object() && object.contains(name) && object.at(name).is_number_integer() ? std::optional(object.at(name).get<int>())
                                                                                              : std::nullopt;
  };
  return {number("pe"), number("simd")};
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
  const json folding = source.find<json>("folding").value_or(json());
  point.folding = folding_text(folding);
  std::tie(point.pe, point.simd) = array_of(folding);
  point.model = source.find<std::string>("model").value_or("");
  point.device = source.find<std::string>("device").value_or("");
  point.error = source.find<std::string>("error").value_or("");
  point.board = source.find<std::string>("board").value_or("");
  for (const auto& [name, field] : fields()) point.*field = source.find<double>(name.c_str());
  if (point.accuracy) point.accuracy = source.fraction("accuracy");
  return point;
}

/// Whether a fit is of this point: an empty field of the fit takes any. Points that do not name their device are known by their board's.
bool is_of(const SweepFit& fit, const SweepPoint& point) {
  const auto same = [](const auto& wanted, const auto& found) { return !wanted || wanted == found; };
  if (!point.error.empty() || (!fit.engine.empty() && fit.engine != point.engine) || !same(fit.pe, point.pe) || !same(fit.simd, point.simd))
    return false;
  if (fit.device.empty() || fit.device == point.device || fit.device == point.board) return true;
  const std::vector<std::string> known = list_boards();
  return point.device.empty() && std::find(known.begin(), known.end(), point.board) != known.end() &&
         load_board(point.board).device == fit.device;
}

SweepFit read_fit(const ResultFile& source, const std::vector<SweepPoint>& points) {
  SweepFit fit;
  fit.device = source.find<std::string>("device").value_or("");
  fit.engine = source.find<std::string>("engine").value_or("");
  std::tie(fit.pe, fit.simd) = array_of(source.value());
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
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto x = points[i].figure(fit.x), y = points[i].figure(fit.y);
    if (!x || !y || !is_of(fit, points[i])) continue;
    fit.points.emplace_back(*x, *y);
    fit.members.push_back(i);
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
