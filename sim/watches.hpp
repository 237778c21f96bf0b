// What a simulated design takes and gives, beat by beat: images at its input, and golden's values at every boundary and at its output.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/network.hpp"
#include "sim/model.hpp"
#include "sim/simulate.hpp"

namespace bitloom {

/// Follows one feature map as its beats leave a stage, and compares it with golden.
class BoundaryWatch {
 public:
  BoundaryWatch(const nlohmann::json& boundary, const Network& network) {
    const auto name = boundary.at("map").get<std::string>();
    for (std::size_t i = 0; i < network.maps.size(); ++i)
      if (network.maps[i].name == name) map_ = i;
    shape_ = network.maps[map_].shape;
    type_ = network.maps[map_].type;
    lanes_ = boundary.at("lanes");
    offset_ = boundary.at("data_offset");
    read_.assign(static_cast<std::size_t>(lanes_), ~std::uint32_t{0});
    for (const int bit : boundary.value("unused_bits", std::vector<int>()))
      read_[static_cast<std::size_t>(bit / type_.bits())] &= ~(std::uint32_t{1} << bit % type_.bits());
    result_.map = name;
  }

  std::size_t map() const { return map_; }
  const BoundaryResult& result() const { return result_; }
  std::int64_t images_done() const { return image_; }

  /// One beat. `expected` is golden's map of the image that the beat belongs to. False: `last` does not fit the position.
  bool beat(const Port& data, bool last, const std::vector<std::int32_t>& expected) {
    for (int lane = 0; lane < lanes_; ++lane) {
      const std::uint32_t code = data.bits(offset_ + lane * type_.bits(), type_.bits());
      const auto found = static_cast<std::int32_t>(type_.decode(code));
      ++result_.compared;
      if (((code ^ type_.encode(expected[position_])) & read_[static_cast<std::size_t>(lane)]) != 0) {
        ++result_.mismatches;
        if (!result_.first) {
          const auto p = static_cast<int>(position_);
          result_.first = Difference{
              result_.map,         image_, p / shape_.channels / shape_.width, p / shape_.channels % shape_.width, p % shape_.channels,
              expected[position_], found};
        }
      }
      ++position_;
    }
    const bool complete = position_ == static_cast<std::size_t>(shape_.size());
    if (complete) {
      position_ = 0;
      ++image_;
    }
    return last == complete;
  }

 private:
  std::size_t map_ = 0;
  MapShape shape_;
  ValueType type_;
  int lanes_ = 1, offset_ = 0;
  std::vector<std::uint32_t> read_;  ///< of each lane: bits that count; a netlist lacks those that nothing reads
  std::size_t position_ = 0;
  std::int64_t image_ = 0;
  BoundaryResult result_;
};

/// The core's output stream: the parts of an image one after the other, one for each output of the network.
class OutputWatch {
 public:
  OutputWatch(const nlohmann::json& output, const Network& network) {
    for (const auto& part : output.at("parts")) {
      Part p;
      p.lanes = part.at("lanes");
      p.map = static_cast<std::size_t>(network.outputs[parts_.size()].map);
      parts_.push_back(p);
    }
  }

  std::int64_t images_done() const { return image_; }

  /// One beat of the image `images_done()`, appended to `outputs` (one map for each part). A text when `last` is out of place.
  std::string beat(const Port& data, bool last, const Network& network, std::vector<MapData>& outputs) {
    const Part& part = parts_[part_];
    const FeatureMap& map = network.maps[part.map];
    outputs.resize(parts_.size());
    MapData& output = outputs[part_];
    output.shape = map.shape;
    for (int lane = 0; lane < part.lanes; ++lane)
      output.values.push_back(static_cast<std::int32_t>(map.type.decode(data.bits(lane * map.type.bits(), map.type.bits()))));
    const bool complete = static_cast<std::int64_t>(output.values.size()) == map.shape.size();
    if (complete) part_ = (part_ + 1) % parts_.size();
    const bool image_ends = complete && part_ == 0;
    if (image_ends) ++image_;
    return last == image_ends ? "" : "the output's `last` is not where an image ends; a beat was lost or added";
  }

 private:
  struct Part {
    std::size_t map = 0;
    int lanes = 1;
  };
  std::vector<Part> parts_;
  std::size_t part_ = 0;
  std::int64_t image_ = 0;
};

/// Golden's maps of the images that are somewhere in the pipeline; older ones are dropped.
class Expectation {
 public:
  Expectation(const std::vector<MapData>& images, const std::function<std::vector<MapData>(const MapData&)>& golden)
      : images_(images), golden_(golden) {}
  const std::vector<MapData>& operator()(std::int64_t image) {
    while (first_ + static_cast<std::int64_t>(window_.size()) <= image)
      window_.push_back(golden_(images_[static_cast<std::size_t>(first_) + window_.size()]));
    return window_[static_cast<std::size_t>(image - first_)];
  }
  void drop_before(std::int64_t image) {
    for (; first_ < image && !window_.empty(); ++first_) window_.pop_front();
  }

 private:
  const std::vector<MapData>& images_;
  const std::function<std::vector<MapData>(const MapData&)>& golden_;
  std::deque<std::vector<MapData>> window_;
  std::int64_t first_ = 0;
};

/// Offers the images one after the other at a core's in_*.
class ImageSource {
 public:
  /// `input` of design.json.
  ImageSource(const nlohmann::json& input, const Model& model, const Network& network, const std::vector<MapData>& images)
      : type_(network.maps[static_cast<std::size_t>(network.input)].type),
        images_(images),
        lanes_(input.at("lanes")),
        valid_(model.port("in_valid")),
        ready_(model.port("in_ready")),
        data_(model.port("in_data")),
        last_(model.port("in_last")) {}

  /// Before the model settles: the next beat if `willing`; one that was offered stays.
  void offer(bool willing) {
    if (!offering_ && willing && !empty()) {
      offering_ = true;
      const MapData& image = images_[image_];
      for (int lane = 0; lane < lanes_; ++lane)
        data_.set_bits(lane * type_.bits(), type_.bits(), type_.encode(image.values[value_ + static_cast<std::size_t>(lane)]));
      last_.set(value_ + static_cast<std::size_t>(lanes_) == image.values.size());
    }
    valid_.set(offering_);
  }

  /// When it has settled: whether the coming edge takes a beat.
  bool taken() {
    if (!offering_ || !ready_.bit(0)) return false;
    offering_ = false;
    value_ += static_cast<std::size_t>(lanes_);
    if (value_ == images_[image_].values.size()) {
      value_ = 0;
      ++image_;
    }
    return true;
  }

  bool offering() const { return offering_; }
  bool empty() const { return image_ >= images_.size(); }
  void idle() { valid_.set(false); }

 private:
  ValueType type_;
  const std::vector<MapData>& images_;
  int lanes_ = 1;
  Port valid_, ready_, data_, last_;
  std::size_t image_ = 0, value_ = 0;
  bool offering_ = false;
};

}  // namespace bitloom
