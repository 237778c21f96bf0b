#include "decompose/decompose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <numeric>
#include <random>

#include "core/coefficient_code.hpp"
#include "core/parallel.hpp"
#include "decompose/choose.hpp"
#include "decompose/rewrite.hpp"
#include "onnx/executor.hpp"
#include "onnx/window.hpp"

namespace bitloom {
namespace {

// What is searched where the options leave it open. From 8 kernels on a basis of 3x3 is no basis.
constexpr int kBasisCounts[] = {2, 3, 4, 5, 6, 7};
constexpr double kDensities[] = {0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75};
constexpr std::int64_t kLeastWindows = 4096;  // of a layer, for its moments
constexpr std::int64_t kWindowsPerValue = 4;  // for wide layers

/// A layer that may be decomposed, with its place in the list of choices.
struct Candidate {
  std::size_t choice;
  const Node* node;
  Window window;
  std::optional<KernelProblem> problem;
  std::vector<FactorOptions> options;
  std::vector<Factors> factors;
  std::vector<Point> points;
};

bool is_average(const Node& node) { return node.op == "AveragePool" || node.op == "GlobalAveragePool" || node.op == "ReduceMean"; }

/// Why a convolution cannot be written as ternary coefficients on shared kernels, or need not be; empty when it can.
std::string why_dense(const Node& node, const Convolution& conv, const FloatExecutor& executor) {
  if (conv.decomposition) return "decomposed already";
  if (node.op != "Conv") return "no convolution";
  if (conv.groups > 1) return "grouped";
  const auto weights = node.inputs.size() > 1 ? executor.constants().find(node.inputs[1]) : executor.constants().end();
  if (weights == executor.constants().end() || !weights->second.is_float() || weights->second.shape.size() != 4) return "one-dimensional";
  if (conv.window.kernel_height * conv.window.kernel_width == 1) return "1x1: nothing to share";
  if (conv.window.dilation_height > 1 || conv.window.dilation_width > 1) return "dilated";
  return "";
}

std::int64_t factor_bits(const Factors& factors, const Window& window) {
  Convolution conv;
  conv.window = window;
  conv.out_channels = factors.outputs;
  conv.decomposition.emplace();
  conv.decomposition->kernels = factors.basis_count;
  conv.decomposition->coefficients.assign(factors.coefficients.begin(), factors.coefficients.end());
  conv.decomposition->basis.assign(factors.basis.begin(), factors.basis.end());
  return stored_bits(conv).total();
}

std::vector<LayerChoice> layers_with_weights(const Graph& graph, const Network& network, const FloatExecutor& executor,
                                             std::vector<Candidate>& candidates) {
  std::vector<LayerChoice> choices;
  for (const Layer& layer : network.layers) {
    const auto* conv = std::get_if<Convolution>(&layer.op);
    const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& n) { return n.name == layer.source; });
    if (conv == nullptr || node == graph.nodes.end() || is_average(*node)) continue;
    LayerChoice choice;
    choice.layer = layer.name, choice.node = layer.source;
    choice.outputs = conv->out_channels, choice.inputs = network.input_of(layer).shape.channels / conv->groups;
    choice.kernel_height = conv->window.kernel_height, choice.kernel_width = conv->window.kernel_width;
    choice.weights = static_cast<std::int64_t>(conv->weights.size());
    choice.bits_before = choice.bits_after = weight_bits(layer);
    choice.why = why_dense(*node, *conv, executor);
    if (choice.why.empty()) candidates.push_back({choices.size(), &*node, {}, {}, {}, {}, {}});
    choices.push_back(std::move(choice));
  }
  return choices;
}

/// Runs the images through the model and makes each candidate's problem.
void calibrate(const FloatExecutor& executor, const std::vector<Tensor>& images, std::uint32_t seed, std::vector<Candidate>& candidates) {
  std::vector<MomentSums> sums;
  for (const Candidate& candidate : candidates) {
    const std::vector<std::int64_t>& shape = executor.constants().at(candidate.node->inputs[1]).shape;
    sums.emplace_back(shape[1] * shape[2] * shape[3]);
  }
  std::mt19937 random(seed);
  const auto count = static_cast<std::int64_t>(images.size());
  for (const Tensor& image : images) {
    const Tensors given{{executor.graph().inputs.front().name, image}};
    const Tensors values = executor.run_all(given);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      Candidate& candidate = candidates[i];
      const Tensor& input = values.at(candidate.node->inputs[0]);
      const std::vector<std::int64_t>& shape = executor.constants().at(candidate.node->inputs[1]).shape;
      candidate.window = read_window(*candidate.node, input.shape, {shape[2], shape[3]});
      const std::int64_t wanted = std::max(kLeastWindows, kWindowsPerValue * shape[1] * shape[2] * shape[3]);
      sums[i].add(input, candidate.window, (wanted + count - 1) / count, random);
    }
  }
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Tensor& weights = executor.constants().at(candidates[i].node->inputs[1]);
    const auto taps = static_cast<int>(weights.shape[2] * weights.shape[3]);
    const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> kernels(
        weights.f().data(), weights.shape[0], weights.shape[1] * taps);
    candidates[i].problem.emplace(kernels.cast<double>(), sums[i].moments(), taps);
  }
}

std::vector<FactorOptions> points_of(const DecomposeOptions& options, int taps) {
  std::vector<int> counts(std::begin(kBasisCounts), std::end(kBasisCounts));
  std::vector<double> densities(std::begin(kDensities), std::end(kDensities));
  if (options.basis_count) counts = {*options.basis_count};
  if (options.density) densities = {*options.density};
  std::vector<FactorOptions> points;
  for (const int count : counts)
    for (const double density : densities)
      if (count <= taps) points.push_back({count, density, options.scales, options.seed});
  return points;
}

void factorize_all(std::vector<Candidate>& candidates, const DecomposeOptions& options,
                   const std::function<void(std::int64_t, std::int64_t)>& progress) {
  std::vector<std::pair<std::size_t, std::size_t>> tasks;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    Candidate& candidate = candidates[i];
    candidate.options = points_of(options, candidate.problem->taps);
    candidate.factors.resize(candidate.options.size());
    candidate.points.resize(candidate.options.size());
    for (std::size_t point = 0; point < candidate.options.size(); ++point) tasks.emplace_back(i, point);
  }
  std::mutex lock;
  std::int64_t done = 0;
  const auto total = static_cast<std::int64_t>(tasks.size());
  parallel_for(options.jobs, total, [&](std::int64_t task) {
    const auto [i, point] = tasks[static_cast<std::size_t>(task)];
    Candidate& candidate = candidates[i];
    candidate.factors[point] = factorize(*candidate.problem, candidate.options[point]);
    candidate.points[point] = {factor_bits(candidate.factors[point], candidate.window), candidate.factors[point].error};
    const std::lock_guard<std::mutex> guard(lock);
    if (progress) progress(++done, total);
  });
}

/// Index of the chosen point for each candidate; nothing: dense.
std::vector<std::optional<std::size_t>> choose(const std::vector<Candidate>& candidates, const std::vector<LayerChoice>& choices,
                                               const DecomposeOptions& options) {
  std::vector<std::vector<Point>> points;
  std::vector<std::int64_t> dense;
  std::int64_t others = 0;
  for (const LayerChoice& choice : choices) others += choice.bits_before;
  for (const Candidate& candidate : candidates) {
    points.push_back(candidate.points);
    dense.push_back(choices[candidate.choice].bits_before);
    others -= dense.back();
  }
  if (options.bytes) {
    if (auto chosen = within_bits(points, dense, others, *options.bytes * 8)) return *chosen;
    std::int64_t least = others;
    for (std::size_t i = 0; i < points.size(); ++i) {
      std::int64_t smallest = dense[i];
      for (const Point& point : points[i]) smallest = std::min(smallest, point.bits);
      least += smallest;
    }
    throw Error("--bytes", fmt::format("{} given; the weights take {} at least, {} of them in layers that stay dense", *options.bytes,
                                       (least + 7) / 8, (others + 7) / 8));
  }
  std::vector<std::optional<std::size_t>> chosen;
  for (std::size_t i = 0; i < points.size(); ++i) chosen.push_back(smallest_within(points[i], dense[i], options.error.value_or(1e300)));
  return chosen;
}

void check(const DecomposeOptions& options) {
  if (options.error && options.bytes) throw Error("--error", "given beside --bytes; one budget at a time is met");
  if (!options.error && !options.bytes && !(options.basis_count && options.density))
    throw Error(options.basis_count ? "--density" : "--basis",
                "not given; without --error or --bytes both --basis and --density are needed, and hold for every layer");
  if (options.basis_count && *options.basis_count < 1)
    throw Error("--basis", fmt::format("{} given; at least 1 expected", *options.basis_count));
  if (options.density && !(*options.density > 0 && *options.density <= 1))
    throw Error("--density", fmt::format("{} given; a share from above 0 to 1 expected", *options.density));
  if (options.error && !(*options.error > 0)) throw Error("--error", fmt::format("{} given; a number above 0 expected", *options.error));
  if (options.bytes && *options.bytes < 1) throw Error("--bytes", fmt::format("{} given; a number above 0 expected", *options.bytes));
}

}  // namespace

std::int64_t Decomposed::bits_before() const {
  return std::accumulate(layers.begin(), layers.end(), std::int64_t{0}, [](std::int64_t n, const LayerChoice& l) { return n + l.bits_before; });
}

std::int64_t Decomposed::bits_after() const {
  return std::accumulate(layers.begin(), layers.end(), std::int64_t{0}, [](std::int64_t n, const LayerChoice& l) { return n + l.bits_after; });
}

Decomposed decompose(const Graph& graph, const Network& network, const Bytes& model, const std::vector<Tensor>& images,
                     const DecomposeOptions& options, const std::function<void(std::int64_t, std::int64_t)>& progress) {
  check(options);
  if (images.empty()) throw Error("--images", "no image to calibrate with");
  const FloatExecutor executor(graph);
  Decomposed out;
  std::vector<Candidate> candidates;
  out.layers = layers_with_weights(graph, network, executor, candidates);
  if (candidates.empty())
    throw Error(graph.file, "no layer can be decomposed: there is no convolution of one group with a kernel larger than 1x1");
  calibrate(executor, images, options.seed, candidates);
  factorize_all(candidates, options, progress);
  const std::vector<std::optional<std::size_t>> chosen = choose(candidates, out.layers, options);
  Replacements replacements;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    LayerChoice& choice = out.layers[candidate.choice];
    if (!chosen[i]) {
      choice.why = candidate.points.empty() ? "its kernel is smaller than the basis" : options.bytes ? "the budget has room for it" : "nothing gained";
      continue;
    }
    choice.factors = candidate.factors[*chosen[i]];
    choice.bits_after = candidate.points[*chosen[i]].bits;
    replacements[candidate.node->outputs[0]] = {*choice.factors, candidate.window.kernel_height, candidate.window.kernel_width};
  }
  out.model = with_factors(model, graph.file, replacements);
  return out;
}

}  // namespace bitloom
