// Which float tensor each map stands for: for comparisons node by node with the float model.
#include <algorithm>

#include "lower/chain.hpp"
#include "lower/context.hpp"

namespace bitloom::lowering {

void record_meaning(Context& context, const Stream& stream, const std::string& tensor) {
  Network& network = context.builder.network();
  const bool noted = std::any_of(network.meanings.begin(), network.meanings.end(), [&](const auto& m) { return m.map == stream.map; });
  const bool whole = static_cast<std::int64_t>(stream.order.size()) == context.builder.map(stream.map).shape.size();
  if (noted || !whole || tensor.empty() || !stream.pools.empty() || stream.padding != nullptr || stream.coefficients != nullptr || !stream.function.empty()) return;
  MapMeaning meaning{stream.map, tensor, stream.dims, stream.order, stream.scale, {stream.shift}, {}, stream.integer};
  for (const auto& step : stream.steps) {
    const bool product = step->node.op == "Mul";
    if (!(product || step->node.op == "Add") || step->operands.size() != 2 || stream.integer) return;
    MapMeaning::Step out{product, {}};
    for (const Tensor& operand : step->operands[1 - step->stream_input]) {
      if (!operand.is_float()) return;
      out.operand.push_back(operand.f()[0]);
    }
    meaning.steps.push_back(std::move(out));
  }
  network.meanings.push_back(std::move(meaning));
}

}  // namespace bitloom::lowering
