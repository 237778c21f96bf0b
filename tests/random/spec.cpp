// Which networks are tried: the distribution over layer kinds, widths and shapes.
#include <cmath>
#include <random>

#include "random/generator.hpp"

namespace bitloom::test {
namespace {

constexpr int kWholeMap = 99;  // a kernel that `build` cuts to its map

class Sampler {
 public:
  explicit Sampler(std::uint64_t seed) : engine_(seed * 0x9e3779b97f4a7c15U + 1) { spec_.seed = seed; }

  Spec run() {
    plain_ = chance(45);
    input();
    const int blocks = integer(1, 5);
    for (int i = 0; i < blocks && spec_.layers.size() < 6; ++i) block();
    ending();
    spec_.clocks = chance(15) ? 0 : static_cast<std::int64_t>(std::exp2(std::uniform_real_distribution<double>(4, 13)(engine_)));
    return spec_;
  }

 private:
  int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  bool chance(int percent) { return integer(1, 100) <= percent; }
  /// Index into weights, each with its probability.
  int choose(std::initializer_list<int> weights) { return std::discrete_distribution<int>(weights.begin(), weights.end())(engine_); }
  int last() const { return static_cast<int>(spec_.layers.size()); }

  int bits() { return choose({0, 20, 25, 15, 15, 5, 5, 5, 10}); }
  int extent() { return chance(12) ? 1 : chance(20) ? integer(2, 3) : integer(3, 12); }
  int channels() { return chance(12) ? 1 : chance(75) ? integer(2, 8) : integer(9, 16); }

  QuantizerSpec quantizer(bool at_output) {
    QuantizerSpec q;
    q.form = static_cast<QuantizerForm>(choose({0, 55, 12, 18, 15}));
    q.bits = bits();
    q.is_signed = chance(45);
    q.narrow = chance(25);
    q.zero_point = chance(12) ? integer(-2, 3) : 0;
    q.rounding = chance(50) ? 0 : integer(0, 7);
    q.shift = chance(70) ? 0 : integer(-2, 2);
    q.odd_scale = chance(6);
    q.per_channel = at_output && chance(30);
    return q;
  }

  void input() {
    spec_.dims = 2 + choose({8, 12, 80});
    spec_.channels = chance(50) ? integer(1, 3) : channels();
    spec_.height = extent();
    spec_.width = extent();
    static const char* types[] = {"u1", "u2", "u3", "u4", "u5", "u8", "s2", "s3", "s4", "s8", "b1"};
    spec_.pixels = types[choose({5, 8, 8, 8, 8, 30, 5, 5, 5, 12, 5})];
    spec_.input = static_cast<InputForm>(choose({40, 45, 15}));
    spec_.scale = std::ldexp(1.0, integer(-8, 1));
    if (chance(4)) spec_.scale = 1.0 / 255;
    if (spec_.input == InputForm::Quantizer) {
      spec_.input_quantizer = quantizer(false);
      if (chance(20)) spec_.shift = -integer(0, 4) * spec_.scale;
    } else if (chance(10)) {
      spec_.input_quantizer.zero_point = integer(-2, 3);
    }
  }

  void axis(int& kernel, int& stride, int& dilation, int& before, int& after) {
    static const int kernels[] = {1, 2, 3, 4, 5, kWholeMap};
    kernel = kernels[choose({22, 18, 40, 5, 8, 7})];
    static const int strides[] = {1, 2, 3, 4};
    stride = strides[choose({68, 22, 7, 3})];
    dilation = chance(85) ? 1 : integer(2, 3);
    if (chance(50)) return;
    before = chance(50) ? kernel / 2 : integer(0, 3);
    after = chance(50) ? before : integer(0, 3);
  }

  void window(LayerSpec& layer) {
    axis(layer.kernel_height, layer.stride_height, layer.dilation_height, layer.pad_top, layer.pad_bottom);
    axis(layer.kernel_width, layer.stride_width, layer.dilation_width, layer.pad_left, layer.pad_right);
    if (chance(50)) {
      layer.kernel_width = layer.kernel_height, layer.stride_width = layer.stride_height, layer.dilation_width = layer.dilation_height;
      layer.pad_left = layer.pad_top, layer.pad_right = layer.pad_bottom;
    }
  }

  LayerSpec layer(LayerKind kind) {
    LayerSpec made;
    made.kind = kind;
    made.inputs = {last()};
    made.seed = static_cast<std::uint32_t>(engine_());
    return made;
  }

  void behind_sums(LayerSpec& made) {
    made.bias = chance(35);
    made.affine = static_cast<AffineForm>(choose({60, 15, 25}));
    made.pool = chance(8);
    made.relu = chance(20);
    made.quantizer = quantizer(false);
  }

  LayerSpec products(LayerKind kind) {
    LayerSpec made = layer(kind);
    made.channels = channels();
    made.weights = static_cast<WeightForm>(choose({45, 25, 10, 12, 8, 10}));
    made.pattern = static_cast<WeightPattern>(choose({70, 12, 10, 8}));
    made.weight_bits = bits();
    made.weight_signed = chance(85);
    made.weight_narrow = chance(40);
    made.weight_per_channel = chance(20);
    behind_sums(made);
    return made;
  }

  LayerSpec conv() {
    LayerSpec made = products(LayerKind::Conv);
    window(made);
    if (!plain_ && chance(25)) {
      made.groups = chance(60) ? 0 : integer(2, 4);
      if (made.groups == 0) made.channels = chance(70) ? 1 : integer(2, 3);
    }
    return made;
  }

  /// A conv that keeps the map's height and width, or halves both rounded up; in steps with those of the other branch.
  LayerSpec branch_conv(bool halves, bool keeps_channels) {
    LayerSpec made = conv();
    made.kernel_height = made.kernel_width = chance(50) ? 3 : 1;
    made.pad_top = made.pad_left = made.pad_bottom = made.pad_right = made.kernel_height / 2;
    made.stride_height = made.stride_width = halves ? 2 : 1;
    made.dilation_height = made.dilation_width = 1;
    made.pool = false;
    if (keeps_channels) made.groups = 1, made.channels = 0;
    return made;
  }

  /// Two branches from one value: the first of one or two layers, the second none or one.
  void join(LayerKind kind) {
    const int from = last();
    const bool halves = chance(25);
    const bool sum = kind != LayerKind::Concat;
    spec_.layers.push_back(branch_conv(halves, sum));
    if (chance(50)) spec_.layers.push_back(branch_conv(false, sum));
    const int first = last();
    int second = from;
    if (halves || chance(40)) {
      spec_.layers.push_back(branch_conv(halves, sum));
      spec_.layers.back().inputs = {from};
      second = last();
    }
    // Sums may meet before their quantizer.
    if (chance(20)) spec_.layers[static_cast<std::size_t>(first) - 1].quantizer.form = QuantizerForm::None;
    LayerSpec made = layer(kind);
    made.inputs = chance(50) ? std::vector<int>{first, second} : std::vector<int>{second, first};
    if (kind == LayerKind::Concat && chance(20)) made.inputs.push_back(first);
    made.affine = static_cast<AffineForm>(choose({80, 10, 10}));
    made.relu = chance(30);
    if (chance(65)) made.quantizer = quantizer(false);
    spec_.layers.push_back(made);
  }

  void block() {
    const int kind = plain_ ? choose({60, 8, 10, 0, 0, 0, 0, 0, 6, 6, 3, 3, 0}) : choose({36, 5, 8, 6, 12, 3, 9, 6, 5, 4, 3, 3, 6});
    switch (kind) {
      case 0: spec_.layers.push_back(conv()); break;
      case 1: spec_.layers.push_back(products(LayerKind::Dense)); break;
      case 2:
        spec_.layers.push_back(layer(LayerKind::MaxPool));
        window(spec_.layers.back());
        break;
      case 3:
        spec_.layers.push_back(layer(LayerKind::AveragePool));
        window(spec_.layers.back());
        behind_sums(spec_.layers.back());
        break;
      case 4: join(LayerKind::Add); break;
      case 5: join(LayerKind::Subtract); break;
      case 6: join(LayerKind::Concat); break;
      case 7:
        spec_.layers.push_back(layer(LayerKind::Shuffle));
        spec_.layers.back().channels = integer(2, 4);
        break;
      case 8:
        spec_.layers.push_back(layer(LayerKind::Affine));
        spec_.layers.back().affine = chance(50) ? AffineForm::MulAdd : AffineForm::BatchNormalization;
        spec_.layers.back().relu = chance(20);
        spec_.layers.back().quantizer = quantizer(false);
        break;
      case 9:
        spec_.layers.push_back(layer(LayerKind::Quantize));
        spec_.layers.back().relu = chance(30);
        if (chance(80)) spec_.layers.back().quantizer = quantizer(false);
        break;
      case 10: spec_.layers.push_back(layer(LayerKind::Truncate)); break;
      case 11: spec_.layers.push_back(layer(LayerKind::GlobalMaxPool)); break;
      default:
        spec_.layers.push_back(layer(LayerKind::Upsample));
        spec_.layers.back().kernel_height = integer(1, 3);
        spec_.layers.back().kernel_width = integer(1, 3);
    }
    // A fork: the next layer reads an earlier value, and what was last becomes an output.
    if (!plain_ && last() > 1 && chance(6)) {
      spec_.outputs.push_back(last());
      LayerSpec again = conv();
      again.inputs = {integer(0, last() - 1)};
      spec_.layers.push_back(again);
    }
  }

  void ending() {
    if (!plain_ && chance(12)) {
      spec_.layers.push_back(layer(LayerKind::GlobalAveragePool));
      if (chance(60)) behind_sums(spec_.layers.back());
    }
    switch (choose({35, 12, 8, 45})) {
      case 0:
        spec_.layers.push_back(products(LayerKind::Dense));
        if (chance(80)) raw(spec_.layers.back());
        break;
      case 1:
        spec_.layers.push_back(conv());
        raw(spec_.layers.back());
        break;
      case 2: spec_.layers.back().quantizer = quantizer(true); break;
      default: break;
    }
    if (chance(15)) {
      spec_.layers.push_back(layer(LayerKind::ArgMax));
      spec_.layers.back().channels = integer(0, 1);  // keepdims
    } else if (chance(8)) {
      spec_.layers.push_back(layer(LayerKind::Softmax));
    } else {
      spec_.argmax = chance(10);
    }
    if (!plain_ && chance(8)) spec_.outputs.push_back(integer(1, last()));
  }

  void raw(LayerSpec& made) {
    made.quantizer = QuantizerSpec{};
    if (chance(70)) made.affine = AffineForm::None;
  }

  std::mt19937_64 engine_;
  Spec spec_;
  bool plain_ = true;  // a chain of what the hardware has had from the start
};

}  // namespace

Spec random_spec(std::uint64_t seed) { return Sampler(seed).run(); }

}  // namespace bitloom::test
