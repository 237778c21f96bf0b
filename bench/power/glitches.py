"""How often logic toggles in a netlist with delays, for each time that it toggles without: the coefficient `glitch` of constraints/power.

    python3 bench/power/glitches.py DESIGN [IMAGES]     a synthesized design of the digits

Delays are those of tests/power/icarus.py, drawn by the nets' names: no routed ones, so this is a spread of plausible placements, not one of them.
"""
import gzip
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "power"))
import icarus

SIDE = 8


def digits(count):
    data = gzip.decompress((Path(__file__).resolve().parents[2] / "sw" / "data" / "digits" / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    return [list(data[i * SIDE * SIDE : (i + 1) * SIDE * SIDE]) for i in range(count)]


def main(folder, count=4):
    images = digits(int(count))
    clocks = {"first_clock": 200, "clocks": 1000}
    netlist = next(Path(folder).glob("build/synth/*/netlist_synthesized.v")).read_text()
    logic = set(re.findall(r"^  assign (n\d+) = !?T", netlist, flags=re.M)) | set(re.findall(r"^  assign (n\d+) = .*&", netlist, flags=re.M))
    sums = []
    for edit in (lambda text: text, icarus.with_delays):
        with tempfile.TemporaryDirectory() as work:
            counts = icarus.toggles(folder, "synthesized", images, work=work, edit=edit, **clocks)
        sums.append(sum(n for net, n in counts.items() if net in logic))
    print(f"{len(logic)} nets of logic over {clocks['clocks']} clocks: {sums[0]} toggles without delays, {sums[1]} with: {sums[1] / sums[0]:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
