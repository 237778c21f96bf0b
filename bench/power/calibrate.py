"""Coefficients of constraints/power/ice40.json from published measurements of an iCE40UP5K.

    python3 bench/power/calibrate.py

The currents below are those of the core's supply (1.219 V, 12 MHz) published at https://github.com/tinyvision-ai-inc/ice40_power: counters, and two counters
with an 8x8 multiplier between them, in LUTs and in a DSP block. The circuits are written anew here from that description, mapped by Yosys, and run in
Icarus Verilog with delays, so that glitches count; what a toggle costs follows. No measurement of a neural network goes in.
"""
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "power"))
import icarus
import vcd

VOLTS, MHZ = 1.219, 12
# uA
HALTED = 92.1  # a counter, its clock stopped
COUNTER_28, COUNTER_224 = 613.5, 641.3  # one counter of 28, and of 224 bits, external clock
COUNTER_24, MULTIPLIER, MULTIPLIER_DSP = 645.0, 996.0, 882.0  # internal oscillator: a counter, with a multiplier in LUTs, and in a DSP block
PLL_EXTRA = {16: 1419 + 138.6, 32: 2029 + 138.9, 48: 2573 + 103.6}  # core and PLL rails with a PLL from 12 MHz
# Of the dynamic power of Virtex-II, 60 % is interconnect and 16 % logic (Shang, Kaviani, Bathala: Dynamic power consumption in Virtex-II FPGA family,
# FPGA 2002): what a toggle costs is shared out so.
ROUTING_SHARE = 60 / (60 + 16)
CARRY_OF_LUT = 0.25  # assumed: a carry's output reaches the next cell only
CLOCKS = 4096

CIRCUIT = """module top (input clk, output led);
  reg [23:0] slow = 0;
  reg [7:0] a = 0, b = 0;
  (* keep *) wire [15:0] product = {product};
  always @(posedge clk) begin slow <= slow + 1; a <= a + 3; b <= b + 5; end
  assign led = slow[23] | &a | &b | &product;
endmodule
"""


def verilog(module):
    """The cells that Yosys made, as assignments; a DSP block's product is taken by itself."""
    lines, driver, loads = [], {}, Counter()
    own = {}
    for name, cell in module["cells"].items():
        connections, kind = cell["connections"], cell["type"]

        def read(pin, bit=0):
            value = connections[pin][bit]
            return f"n{value}" if isinstance(value, int) else f"1'b{value if value in '01' else 0}"

        for pin, bits in connections.items():
            if cell["port_directions"][pin] == "input" and kind != "SB_CARRY" and pin not in ("C", "CLK"):
                for bit in bits:
                    loads[bit] += 1
                    own[bit] = kind.startswith("SB_DFF") and pin == "D"
        if kind == "SB_LUT4":
            table = f"T{len(lines)}"
            lines.append(f"  localparam [15:0] {table} = 16'b{cell['parameters']['LUT_INIT']};")
            lines.append(f"  assign {read('O')} = {table}[{{{read('I3')}, {read('I2')}, {read('I1')}, {read('I0')}}}];")
            driver[connections["O"][0]] = "lut"
        elif kind == "SB_CARRY":
            a, b, c = read("I0"), read("I1"), read("CI")
            lines.append(f"  assign {read('CO')} = {a} & {b} | ({a} | {b}) & {c};")
            driver[connections["CO"][0]] = "carry"
        elif kind == "SB_DFF":
            q = f"q{len(lines)}"
            lines += [f"  reg {q} = 0;", f"  always @(posedge clk) {q} <= {read('D')};", f"  assign {read('Q')} = {q};"]
            driver[connections["Q"][0]] = "ff"
        elif kind == "SB_MAC16":
            for i, bit in enumerate(connections["O"]):
                if isinstance(bit, int):
                    driver[bit] = "dsp"
            a, b, o = ("{" + ", ".join(read(pin, i) for i in reversed(range(len(connections[pin])))) + "}" for pin in ("A", "B", "O"))
            lines.append(f"  wire [31:0] dsp = {a} * {b};")
            for i in range(len(connections["O"])):
                if isinstance(connections["O"][i], int):
                    lines.append(f"  assign n{connections['O'][i]} = dsp[{i}];")
        else:
            raise ValueError(f"cell {name} is a {kind}")
    nets = sorted({bit for cell in module["cells"].values() for bits in cell["connections"].values() for bit in bits if isinstance(bit, int)})
    clk = module["ports"]["clk"]["bits"][0]
    body = "".join(f"  wire n{net};\n" for net in nets) + f"  assign n{clk} = clk;\n" + "\n".join(lines) + "\n"
    routed = {bit: 0 if driver.get(bit) == "carry" or (driver.get(bit) == "lut" and loads[bit] == 1 and own[bit]) else loads[bit] for bit in nets}
    return body, driver, routed


def events(product, option, delays):
    """Per clock: toggles by driver, toggles of nets that leave their cell ("wire"), and those times the pins they reach ("pin"); cells."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "top.v").write_text(CIRCUIT.format(product=product))
        script = f"read_verilog top.v; synth_ice40 {option} -device u -top top; write_json top.json"
        subprocess.run(["yosys", "-q", "-p", script], cwd=work, check=True)
        body, driver, routed = verilog(json.loads((work / "top.json").read_text())["modules"]["top"])
        if delays:
            body = icarus.with_delays(body)
        end = icarus.time_of(CLOCKS + 60)
        bench = f"""`timescale 1ps/1ps
module top (input clk);
{body}endmodule
module bench;
  reg clk = 0;
  top top (.clk(clk));
  always #{icarus.PERIOD // 2} clk = !clk;
  initial begin $dumpfile("top.vcd"); $dumpvars(1, bench.top); #{end} $finish; end
endmodule
"""
        (work / "bench.v").write_text(bench)
        subprocess.run(["iverilog", "-g2012", "-o", "bench.vvp", "-s", "bench", "bench.v"], cwd=work, check=True)
        subprocess.run(["vvp", "-n", "bench.vvp"], cwd=work, check=True, stdout=subprocess.DEVNULL)
        counts = vcd.toggles(work / "top.vcd", "top", icarus.time_of(50) - 1, icarus.time_of(50 + CLOCKS) - 1)
    sums = Counter()
    for net, count in counts.items():
        if not re.fullmatch(r"n\d+", net) or int(net[1:]) not in driver:
            continue
        bit = int(net[1:])
        sums[driver[bit]] += count / CLOCKS
        if routed[bit]:
            sums["wire"] += count / CLOCKS
            sums["pin"] += routed[bit] * count / CLOCKS
    return sums, Counter(driver.values())


def picojoules(microamperes):
    """For each clock."""
    return microamperes * VOLTS / MHZ


def femtofarads(energy_pj, charges=1.0):
    return energy_pj * 1000 / VOLTS**2 / charges


def main():
    still, _ = events("0", "", True)  # the counters alone
    fast, cells = events("a * b", "", True)
    settled, _ = events("a * b", "", False)
    dsp, _ = events("a * b", "-dsp", True)
    print("cells of the multiplier circuit:", dict(cells))
    for name, sums in (("without delays", settled), ("with delays", fast), ("counters alone", still), ("with a DSP block", dsp)):
        print(f"toggles per clock, {name}:", {key: round(value, 2) for key, value in sorted(sums.items())})
    ff_clock_pj = picojoules(COUNTER_224 - COUNTER_28) / (224 - 28)  # a wider counter toggles hardly more; its flip-flops are clocked
    # MULTIPLIER has besides COUNTER_24 the circuit without its 24-bit counter, which toggles two LUTs and flip-flops a clock, and its nets.
    more = {key: value - {"lut": 2, "ff": 2, "wire": 2, "pin": 4}.get(key, 0) for key, value in fast.items()}
    energy = picojoules(MULTIPLIER - COUNTER_24) - 16 * ff_clock_pj
    cell_toggles = more["lut"] + more["ff"] + CARRY_OF_LUT * more["carry"]
    lut_pj = (1 - ROUTING_SHARE) * energy / cell_toggles
    pin_pj = ROUTING_SHARE * energy / (more["wire"] + more["pin"])  # a net's wire counts as one pin more
    toggling = lut_pj * (dsp["lut"] - 2 + dsp["ff"] - 2 + CARRY_OF_LUT * dsp["carry"]) + pin_pj * (dsp["wire"] + dsp["pin"])
    dsp_pj = picojoules(MULTIPLIER_DSP - COUNTER_24) - 16 * ff_clock_pj - toggling
    counter_pj = 28 * ff_clock_pj + 4 * lut_pj + 8 * pin_pj
    tree_pj = picojoules(COUNTER_28 - HALTED) - counter_pj
    slope = (COUNTER_28 - HALTED) / MHZ
    pll = [(current - HALTED - slope * mhz) / 1000 for mhz, current in PLL_EXTRA.items()]
    print(f"of {energy:.1f} pJ per clock: {lut_pj:.4f} pJ per toggle of a LUT or flip-flop, {pin_pj:.4f} pJ per toggle and wire or pin")
    print(f"glitch factor of the multiplier: {more['wire'] / (settled['wire'] - 2):.2f}")
    for name, value, unit in (("lut, ff", femtofarads(lut_pj, 0.5), "fF"), ("carry", femtofarads(CARRY_OF_LUT * lut_pj, 0.5), "fF"),
                              ("wire, pin", femtofarads(pin_pj, 0.5), "fF"), ("ff_clock", femtofarads(ff_clock_pj), "fF"),
                              ("clock_tree", femtofarads(tree_pj), "fF"), ("dsp operation", dsp_pj, "pJ"), ("pll", sum(pll) / len(pll), "mA")):
        print(f"{name:<14} {value:10.2f} {unit}")


if __name__ == "__main__":
    main()
