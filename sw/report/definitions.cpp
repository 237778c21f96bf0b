#include "report/definitions.hpp"

namespace bitloom {

const std::vector<Definition>& definitions() {
  static const std::vector<Definition> all = {
      {"accuracy", "Accuracy", "golden model",
       "Share of images whose class the integer network finds. The golden model computes it in plain C++ from the integer weights."},
      {"float_accuracy", "Float accuracy", "golden model",
       "The same for the model as its ONNX operators define it, executed in floating point. 'Agrees' counts the images where both give the "
       "same class."},
      {"bit_exact", "Bit-exact", "simulated",
       "The emitted RTL was simulated clock by clock, and every value at every layer boundary equals the golden model's, for the images "
       "stated."},
      {"clocks_per_image", "Clocks per image", "simulated",
       "Clocks between one result and the next in steady state, in simulation. Where a design was not simulated this is the schedule's "
       "prediction, marked so."},
      {"predicted_clocks_per_image", "Predicted clocks", "calculated", "What the compiler's schedule says, before any simulation."},
      {"first_image_latency", "Latency", "simulated", "Clocks from the first input beat to the last output beat of the first image."},
      {"activity", "Busy, starved, stalled", "simulated",
       "Clocks in which a layer computed, waited for input, or waited for the next layer to take its output."},
      {"macs", "MACs", "counted", "Multiply-accumulates of one image; padded positions count."},
      {"bops_uniq", "BOPs (UNIQ)", "calculated",
       "Bit operations of one image by UNIQ's definition, m*n*k^2*(b_w*b_a + b_w + b_a + log2(n*k^2)) per output position "
       "(Baskin et al., arXiv 1804.10969). b_w, b_a: bits of weights and activations; n, m: input and output channels; k: kernel size."},
      {"bops_qonnx", "BOPs (QONNX)", "calculated", "Bit operations of one image as QONNX counts them: b_w*b_a*MACs."},
      {"weight_bits", "Weight bits", "counted", "Bits that the weights take, before any compression."},
      {"lut4", "LUT4, FF, RAM, DSP", "place and route",
       "Cells of the device after nextpnr's place and route of the whole board design (core, serial link, reset). LUT4 is logic cells on "
       "iCE40 and TRELLIS_COMB on ECP5; "
       "RAM is block RAMs of 4 kbit on iCE40 and 18 kbit on ECP5. A cell counts for the layer whose instance it came from."},
      {"fmax_mhz", "Fmax", "place and route",
       "Clock that nextpnr's timing analysis allows after routing, for the seed stated. Another seed gives another figure."},
      {"frames_per_second", "Images per second", "calculated",
       "The board's clock divided by the clocks per image: the rate of the core. The serial link of the board design is slower. 'At Fmax' "
       "uses the routed clock instead; "
       "neither was measured on a board."},
      {"power", "Power and energy", "estimated",
       "From the toggles of every net of the netlist, counted on real images, with effective capacitances of the device's cells and its "
       "static power. "
       "The estimate's uncertainty stands beside it; energy of an image is power over images per second."},
      {"pareto_front", "Pareto front", "calculated", "The points that no other point beats: as good in both figures and better in one."},
      {"roofline", "Roofline", "calculated",
       "Attainable bit operations per clock of an engine, PE*SIMD*WPAR*APAR, against the weight bits that it reads per clock, "
       "PE*SIMD*WPAR. Achieved is "
       "BOPs (QONNX) of the layer divided by the clocks per image of the whole design: a layer that waits for a slower one lies below its "
       "roof, one that skips words of zeros may lie above."},
  };
  return all;
}

}  // namespace bitloom
