#include "random/shrink.hpp"

#include <algorithm>
#include <set>

namespace bitloom::test {
namespace {

/// The network without layer `index`: what read it reads what it read first.
Spec without_layer(const Spec& spec, std::size_t index) {
  Spec made = spec;
  const int value = static_cast<int>(index) + 1;
  const int source = spec.layers[index].inputs.empty() ? value - 1 : std::clamp(spec.layers[index].inputs[0], 0, value - 1);
  made.layers.erase(made.layers.begin() + static_cast<std::ptrdiff_t>(index));
  const auto renumber = [&](int& input) {
    if (input == value) input = source;
    if (input > value) --input;
  };
  for (LayerSpec& layer : made.layers)
    for (int& input : layer.inputs) renumber(input);
  for (int& output : made.outputs) renumber(output);
  return made;
}

void add_smaller(int value, int least, std::vector<int>& values) {
  if (value <= least) return;
  values = {least};
  if ((value + least) / 2 != least) values.push_back((value + least) / 2);
  if (value - 1 != least) values.push_back(value - 1);
}

class Candidates {
 public:
  explicit Candidates(const Spec& spec) : spec_(spec) {
    for (std::size_t i = spec.layers.size(); i-- > 0;) made_.push_back(without_layer(spec, i));
    for (std::size_t i = 0; i < spec.outputs.size(); ++i)
      change([&](Spec& s) { s.outputs.erase(s.outputs.begin() + static_cast<std::ptrdiff_t>(i)); });
    for (std::size_t i = 0; i < spec.layers.size(); ++i) joins(i);
    less(&Spec::height, 1);
    less(&Spec::width, 1);
    less(&Spec::channels, 1);
    set(&Spec::argmax, false);
    set(&Spec::input, InputForm::Pixels);
    set(&Spec::shift, 0.0);
    set(&Spec::scale, 1.0);
    for (const char* type : {"u1", "u2", "u4", "u8"}) {
      if (type == spec.pixels) break;
      set(&Spec::pixels, std::string(type));
    }
    quantizer([](Spec& s) -> QuantizerSpec& { return s.input_quantizer; });
    for (std::size_t i = 0; i < spec.layers.size(); ++i) layer(i);
    if (spec.clocks != 0) {
      set(&Spec::clocks, std::int64_t{0});
      set(&Spec::clocks, spec.clocks * 2);
    }
  }
  const std::vector<Spec>& all() const { return made_; }

 private:
  template <class Change>
  void change(Change apply) {
    Spec made = spec_;
    apply(made);
    if (nlohmann::json(made) != nlohmann::json(spec_)) made_.push_back(std::move(made));
  }
  template <class T>
  void set(T Spec::*member, const T& value) {
    change([&](Spec& s) { s.*member = value; });
  }
  void less(int Spec::*member, int least) {
    std::vector<int> values;
    add_smaller(spec_.*member, least, values);
    for (const int value : values) set(member, value);
  }
  void joins(std::size_t i) {
    const LayerSpec& layer = spec_.layers[i];
    if (layer.inputs.size() > 1)
      for (std::size_t k = 0; k < layer.inputs.size(); ++k)
        change([&](Spec& s) { s.layers[i].inputs.erase(s.layers[i].inputs.begin() + static_cast<std::ptrdiff_t>(k)); });
    // Reads the value that its input's layer reads.
    for (std::size_t k = 0; k < layer.inputs.size(); ++k)
      if (layer.inputs[k] > 0)
        change([&](Spec& s) {
          const auto& before = s.layers[static_cast<std::size_t>(s.layers[i].inputs[k]) - 1].inputs;
          if (!before.empty()) s.layers[i].inputs[k] = before[0];
        });
  }

  template <class Get>
  void quantizer(Get get) {
    const auto with = [&](auto member, auto value) { change([&](Spec& s) { get(s).*member = value; }); };
    Spec copy = spec_;
    const QuantizerSpec& q = get(copy);
    if (q.form != QuantizerForm::None) {
      with(&QuantizerSpec::form, QuantizerForm::None);
      if (q.form != QuantizerForm::Quant) with(&QuantizerSpec::form, QuantizerForm::Quant);
    }
    std::vector<int> bits;
    add_smaller(q.bits, 1, bits);
    for (const int value : bits) with(&QuantizerSpec::bits, value);
    with(&QuantizerSpec::is_signed, false);
    with(&QuantizerSpec::narrow, false);
    with(&QuantizerSpec::per_channel, false);
    with(&QuantizerSpec::zero_point, 0);
    with(&QuantizerSpec::rounding, 0);
    with(&QuantizerSpec::shift, 0);
    with(&QuantizerSpec::odd_scale, false);
  }

  void layer(std::size_t i) {
    const LayerSpec& now = spec_.layers[i];
    const auto with = [&](auto member, auto value) { change([&](Spec& s) { s.layers[i].*member = value; }); };
    const auto lower = [&](int LayerSpec::*member, int least) {
      std::vector<int> values;
      add_smaller(now.*member, least, values);
      for (const int value : values) with(member, value);
    };
    if (now.kind == LayerKind::AveragePool || now.kind == LayerKind::GlobalAveragePool || now.kind == LayerKind::GlobalMaxPool)
      with(&LayerSpec::kind, LayerKind::MaxPool);
    if (now.groups != 1) with(&LayerSpec::groups, 1);
    lower(&LayerSpec::channels, 1);
    for (const auto member : {&LayerSpec::kernel_height, &LayerSpec::kernel_width, &LayerSpec::stride_height, &LayerSpec::stride_width,
                              &LayerSpec::dilation_height, &LayerSpec::dilation_width})
      lower(member, 1);
    for (const auto member : {&LayerSpec::pad_top, &LayerSpec::pad_left, &LayerSpec::pad_bottom, &LayerSpec::pad_right}) lower(member, 0);
    lower(&LayerSpec::weight_bits, 1);
    with(&LayerSpec::weights, WeightForm::Quant);
    with(&LayerSpec::weights, WeightForm::Bipolar);
    with(&LayerSpec::pattern, WeightPattern::Any);
    with(&LayerSpec::weight_signed, true);
    with(&LayerSpec::weight_narrow, false);
    with(&LayerSpec::weight_per_channel, false);
    with(&LayerSpec::bias, false);
    with(&LayerSpec::affine, AffineForm::None);
    if (now.affine == AffineForm::BatchNormalization) with(&LayerSpec::affine, AffineForm::MulAdd);
    with(&LayerSpec::pool, false);
    with(&LayerSpec::relu, false);
    quantizer([i](Spec& s) -> QuantizerSpec& { return s.layers[i].quantizer; });
  }

  Spec spec_;
  std::vector<Spec> made_;
};

}  // namespace

Spec shrink(Spec spec, const std::function<bool(const Spec&)>& fails, int most) {
  std::set<std::string> tried{nlohmann::json(spec).dump()};
  for (bool smaller = true; smaller;) {
    smaller = false;
    const Candidates candidates(spec);
    for (const Spec& candidate : candidates.all()) {
      if (!tried.insert(nlohmann::json(candidate).dump()).second) continue;
      if (--most < 0) return spec;
      if (!fails(candidate)) continue;
      spec = candidate;
      smaller = true;
      break;
    }
  }
  return spec;
}

}  // namespace bitloom::test
