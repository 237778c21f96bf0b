"""check_toggles.py BITLOOM DESIGN NETLIST: every net's toggles by `bitloom power` against Icarus Verilog's value change dump, counted by vcd.py.

DESIGN takes one-channel images of unsigned pixels. Random images are made for it. Exit status 0: equal, and a planted difference is found; 1: not.
"""
import csv
import json
import math
import random
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import icarus

IMAGES = 8


def write_npy(file, images, shape):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {(len(images), *shape)}, }}".ljust(117) + "\n"
    file.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(v for image in images for v in image))


def main(bitloom, folder, which):
    design = json.loads((Path(folder) / "design.json").read_text())
    values = design["input"]["beats"] * design["input"]["lanes"]
    bits = design["input"]["width"] // design["input"]["lanes"]
    side = math.isqrt(values)
    draw = random.Random(1)
    images = [[draw.randrange(1 << bits) for _ in range(values)] for _ in range(IMAGES)]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        write_npy(work / "images.npy", images, (1, side, side))
        subprocess.run([bitloom, "power", folder, "--data", work / "images.npy", "--images", str(IMAGES), "--netlist", which, "--nets", work / "nets.csv"],
                       check=True, stdout=subprocess.DEVNULL)
        power = json.loads((Path(folder) / "power.json").read_text())
        with open(work / "nets.csv", newline="") as table:
            counted = {row["net"]: int(row["toggles"]) for row in csv.DictReader(table)}

        def differing(edit):
            independent = icarus.toggles(folder, which, images, power["first_counted_clock"], power["counted_clocks"], work, edit)
            return [f"{net}: bitloom counts {n}, the dump {independent.get(net)}" for net, n in counted.items() if independent.get(net) != n]

        differences = differing(lambda netlist: netlist)
        for line in differences[:10]:
            print(line)
        print(f"{which}: {len(counted)} nets, {sum(counted.values())} toggles in {power['counted_clocks']} clocks, {len(differences)} differ")
        if differences or sum(counted.values()) == 0:
            return 1
        busiest = max((net for net in counted if net[0] == "n"), key=counted.get)
        planted = differing(lambda netlist: re.sub(rf"^  assign {busiest} = .*;$", f"  assign {busiest} = 1'b0;", netlist, flags=re.M))
        print(f"with {busiest} held at 0, {len(planted)} differ")
        return 0 if any(line.startswith(busiest + ":") for line in planted) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
