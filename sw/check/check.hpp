// Golden against the float model, node by node: where they first differ on an image, and why. A difference is real when the model's own
// operators, given golden's values of the tensors in front, compute something else than golden does. Where they compute the same, the two
// differ only because the float model's sums were rounded on the way: a tie.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/network.hpp"
#include "onnx/executor.hpp"

namespace bitloom {

/// What stands in front of the quantizer at which a difference shows: one sum and the quantizer's switching point.
struct FrontValue {
  std::string tensor, layer, map;
  std::int64_t sum = 0;
  double golden = 0;                      ///< the sum as the float tensor should hold it
  double real = 0;                        ///< what the float model computed
  double unit = 1;                        ///< what one unit of the sum is in the tensor
  std::optional<std::int64_t> threshold;  ///< the nearest entry of golden's table
  std::optional<double> switching;        ///< where the float operators change from golden's value to the float model's, found by bisection
};

struct Difference {
  std::string tensor, node, op;  ///< the ONNX tensor, and the node that computes it ("" for the model's input)
  std::string layer, map;        ///< of the integer network
  std::int64_t element = 0;      ///< of the ONNX tensor
  int row = 0, column = 0, channel = 0;
  std::int64_t code = 0;       ///< golden's integer
  double golden = 0;           ///< as a real value
  double real = 0;             ///< the float model's, executed from the image
  double local = 0;            ///< the float operators' on golden's own values in front
  std::int64_t differing = 0;  ///< values of this tensor that differ
  bool tie = false;
  std::optional<FrontValue> front;

  /// Several lines for a person.
  std::string text() const;
};

struct ImageCheck {
  std::int64_t values = 0;          ///< compared
  std::optional<Difference> first;  ///< the first real difference, or the first tie where there is none
  std::int64_t output_values = 0;   ///< of the outputs
  std::int64_t output_differences = 0;
  std::vector<std::vector<double>> real_outputs;  ///< the float model's, in the order of the network's outputs
};

/// Whether golden's real value is the float model's or a stored one: only float32 rounding may separate them.
bool same_value(double golden, double expected);

class Checker {
 public:
  /// The network must have been lowered from the graph; a fault in it is what the check is for.
  Checker(Graph graph, Network network);

  /// `maps` are all maps of golden for the image, `x` is the image as the float model takes it.
  ImageCheck check(const std::vector<MapData>& maps, const Tensor& x) const;
  /// How many tensors of the model are compared.
  std::size_t tensors() const { return network_.meanings.size(); }

 private:
  struct Mismatch {
    std::size_t element = 0;
    std::int64_t count = 0;
  };
  std::optional<Mismatch> compare(const MapMeaning& meaning, const MapData& map, const Tensor& real) const;
  Tensor local_value(const MapMeaning& meaning, const Tensors& readings) const;
  Difference describe(const MapMeaning& meaning, const Mismatch& mismatch, const std::vector<MapData>& maps, const Tensors& values,
                      const Tensors& readings, bool tie) const;
  std::optional<FrontValue> front_of(const MapMeaning& meaning, const Difference& difference, const std::vector<MapData>& maps,
                                     const Tensors& values, const Tensors& readings) const;
  void check_outputs(const std::vector<MapData>& maps, const Tensors& values, const Tensors& readings, ImageCheck& result) const;
  const MapMeaning* meaning_of(int map) const;
  const Layer* writer_of(int map) const;

  FloatExecutor executor_;
  Network network_;
  std::vector<double> rounding_;              ///< per map: by how many of its units float32 sums may be off
  std::map<std::string, std::size_t> maker_;  ///< ONNX value -> node
};

}  // namespace bitloom
