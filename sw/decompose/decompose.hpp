// Which convolutions of a model are decomposed, into how many basis kernels and how densely; and the model that results.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "core/graph.hpp"
#include "core/network.hpp"
#include "decompose/factorize.hpp"

namespace bitloom {

/// Without a budget both basis and density are needed, and hold for every layer; with one, what is not given is searched layer by layer.
struct DecomposeOptions {
  std::optional<int> basis_count{};
  std::optional<double> density{};
  std::optional<double> error{};        ///< most that a layer's output may be off, as Factors::error defines it
  std::optional<std::int64_t> bytes{};  ///< most that the weights of the whole network may take
  ScaleRule scales = ScaleRule::Auto;
  std::uint32_t seed = 1;
  int jobs = 1;
};

/// A layer with weights. Bits are those that are stored: dense weights by their type, decomposed ones by core/coefficient_code.hpp.
struct LayerChoice {
  std::string layer, node;
  int outputs = 0, inputs = 0, kernel_height = 1, kernel_width = 1;
  std::int64_t weights = 0, bits_before = 0, bits_after = 0;
  std::optional<Factors> factors;  ///< nothing: it stays dense
  std::string why;                 ///< it stays dense
};

struct Decomposed {
  Bytes model;
  std::vector<LayerChoice> layers;
  std::int64_t bits_before() const;
  std::int64_t bits_after() const;
};

/// `graph` and `network` are those of `model`; `images` are inputs of the graph to calibrate with. `progress(done, total)` may be called
/// from several threads, one at a time. The same for the same seed, whatever the jobs. Throws Error when options contradict each other or
/// are out of range, when no layer can be decomposed, or when the budget cannot be met (saying what can).
Decomposed decompose(const Graph& graph, const Network& network, const Bytes& model, const std::vector<Tensor>& images,
                     const DecomposeOptions& options, const std::function<void(std::int64_t, std::int64_t)>& progress = {});

}  // namespace bitloom
