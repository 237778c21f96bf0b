"""A netlist that `bitloom synth` wrote, run by Icarus Verilog on the stimulus of `bitloom power`, with a value change dump of all its nets.

The testbench repeats what the simulator of Bitloom does without stalls: five clocks of reset, then a beat offered in every clock and every result
taken. Clock k is the time from the k-th clock edge after the reset to the next.
"""
import json
import re
import subprocess
import zlib
from pathlib import Path

import vcd

PERIOD = 83334  # ps: 12 MHz
RESET = 5  # clock edges

TESTBENCH = """`timescale 1ps/1ps
module bench;
  reg clk = 0, rst = 1, in_valid = 0, in_last = 0, out_ready = 0;
  reg [{width}-1:0] in_data = 0;
  reg [{width}-1:0] beats [0:{total}-1];
  integer sent = 0, edges = 0;
  bitloom_core core (.clk(clk), .rst(rst), .in_valid(in_valid), .in_data(in_data), .in_last(in_last), .out_ready(out_ready));
  always #{half} clk = !clk;
  always @(posedge clk) begin
    edges <= edges + 1;
    if (edges >= {reset} - 1) begin
      rst <= 0;
      out_ready <= 1;
      if (!in_valid || core.in_ready) begin
        in_valid <= sent < {total};
        if (sent < {total}) begin
          in_data <= beats[sent];
          in_last <= sent % {per_image} == {per_image} - 1;
        end
        sent <= sent + 1;
      end
    end
  end
  initial begin
    $readmemh("beats.mem", beats);
    $dumpfile("{dump}");
    $dumpvars(1, bench.core);
    #{end} $finish;
  end
endmodule
"""


def time_of(clock):
    """The time of the edge that begins a clock, in ps."""
    return PERIOD // 2 + (RESET - 1 + clock) * PERIOD


def beats_of(images, design):
    """The words of the core's input for images of values in the order of the input stream."""
    lanes, bits = design["input"]["lanes"], design["input"]["width"] // design["input"]["lanes"]
    for image in images:
        for first in range(0, len(image), lanes):
            yield sum((value & (1 << bits) - 1) << i * bits for i, value in enumerate(image[first : first + lanes]))


def with_delays(netlist):
    """The netlist with a delay at every cell's output, in ps: of UP5K's cells by IceStorm's timing (LUT 1.3 ns, carry 0.28 ns, clock to output 1.4 ns)
    with routing of 1.7 to 4.7 ns, drawn from the net's name. Pulses shorter than a cell's delay do not pass it."""

    def delayed(match):
        net, value = match.group(1), match.group(2)
        draw = 1700 + zlib.crc32(net.encode()) % 3000
        if value.startswith(("T", "!T")) or " ? " in value:
            delay = 1300 + draw
        elif re.fullmatch(r"q\d+", value):
            delay = 1400 + draw
        elif "&" in value:
            delay = 278
        else:
            return match.group(0)
        return f"  assign #{delay} {net} = {value};"

    return re.sub(r"^  assign (n\d+) = (.*);$", delayed, netlist, flags=re.M)


def toggles(design_folder, which, images, first_clock, clocks, work, edit=lambda netlist: netlist):
    """{net: toggles} of the netlist in `clocks` clocks from `first_clock` on, each net as it is at the end of a clock and of every delay in it. `edit`
    changes the netlist's text before it is run."""
    design_folder, work = Path(design_folder), Path(work)
    design = json.loads((design_folder / "design.json").read_text())
    netlist = design_folder / "build" / "synth" / design["board"] / f"netlist_{which}.v"
    (work / "netlist.v").write_text("`timescale 1ps/1ps\n" + edit(netlist.read_text()))
    beats = list(beats_of(images, design))
    (work / "beats.mem").write_text("\n".join(f"{beat:x}" for beat in beats) + "\n")
    last = time_of(first_clock + clocks + 1) - 1
    (work / "bench.v").write_text(
        TESTBENCH.format(width=design["input"]["width"], total=len(beats), per_image=len(beats) // len(images), half=PERIOD // 2, reset=RESET,
                         dump="nets.vcd", end=last)
    )
    family = json.loads((Path(__file__).parents[2] / "constraints" / design["board"] / "board.json").read_text())["family"]
    cells = Path(__file__).parents[2] / "sim" / "cells" / f"{family}.sv"
    subprocess.run(["iverilog", "-g2012", "-o", "bench.vvp", "-s", "bench", "bench.v", "netlist.v", cells], cwd=work, check=True)
    subprocess.run(["vvp", "-n", "bench.vvp"], cwd=work, check=True, stdout=subprocess.DEVNULL)
    return vcd.toggles(work / "nets.vcd", "core", time_of(first_clock + 1) - 1, last)
