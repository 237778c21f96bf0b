#!/usr/bin/env python3
"""What an iCE40UP5K reaches: frames of a CIFAR-10 network of 8-bit activations and binary weights, and bit operations per second of a whole design.

usage: bench/up5k.py --bitloom build/release/bin/bitloom [--work FOLDER] [--out bench/results/up5k.json] [--seeds 5]

Both designs are simulated against golden and placed and routed with the seeds 1 .. SEEDS; minutes each. Frames per second and bit operations per second are
those of the core at nextpnr's Fmax; clocks are simulated in steady state. A bit operation is a weight bit times an activation bit. Needs python3-onnx,
python3-numpy, Yosys, nextpnr-ice40 and Verilator.
"""
import argparse
import json
import pathlib
import statistics
import subprocess

import numpy
import onnx

import random_vgg

BOARD = "icebreaker"
BITS = 8
AIM_MHZ = 48  # what placement and routing try to reach

# Weights that fill the block RAMs (56 x 72 x 9 bits in nine), windows in SPRAM.
VGG = {"layers": "56,72,M,8,M4", "size": 32, "channels": 3,
       "compile": ["--fit", "1", "--clocks", "1060000", "--fold", "conv0:pe=2,simd=1", "--fold", "conv1:pe=9,simd=4", "--fold", "conv2:pe=1,simd=2"]}
# One wide layer: as many bit operations a clock as the chip takes.
WIDE = {"layers": "32b", "size": 16, "channels": 32, "compile": ["--fit", "1", "--fold", "conv0:pe=16,simd=16,pixels=1"]}


def measure(name, spec, bitloom, work, seeds):
    work.mkdir(parents=True, exist_ok=True)
    model, design, images = work / f"{name}.onnx", work / name, work / f"{name}.npy"
    onnx.save(random_vgg.make(spec["layers"], spec["size"], spec["channels"], 1), model)
    numpy.save(images, numpy.random.default_rng(1).integers(0, 256, (3, spec["size"], spec["size"], spec["channels"])).astype(numpy.uint8))

    def run(*arguments):
        subprocess.run([bitloom, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)

    run("compile", model, "--board", BOARD, *spec["compile"], "--out", design)
    run("sim", design, "--data", images, "--images", 3)
    sim = json.loads((design / "sim.json").read_text())
    run("synth", design, "--seeds", seeds, "--freq", AIM_MHZ)
    synth = json.loads((design / "build/synth" / BOARD / "synth.json").read_text())  # of the fastest seed
    described = json.loads((design / "design.json").read_text())
    fmax = [synth["fmax_by_seed"][str(seed)] for seed in range(1, seeds + 1)]
    clocks = sim["clocks_per_image"]
    used = {key: synth[key] for key in ("lut4", "ff", "bram", "spram", "dsp")}
    row = {"name": name, "model": spec["layers"], "compile": spec["compile"], "macs": described["macs"], "weight_bits": described["weight_bits"],
           "bit_exact": sim["bit_exact"], "clocks_per_frame": clocks, "predicted_clocks": sim["predicted_clocks_per_image"], **used,
           "fmax_mhz": fmax, "fmax_median": statistics.median(fmax), "fmax_best": max(fmax), "seed_of_best": 1 + fmax.index(max(fmax)),
           "ms_per_frame_median": clocks / statistics.median(fmax) / 1000, "ms_per_frame_best": clocks / max(fmax) / 1000,
           "giga_bit_operations_per_s_median": described["macs"] * BITS / clocks * statistics.median(fmax) / 1000,
           "giga_bit_operations_per_s_best": described["macs"] * BITS / clocks * max(fmax) / 1000}
    return row, synth["tools"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bitloom", default="bitloom")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/up5k"))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "results/up5k.json")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", choices=["vgg", "wide"], help="measure one of them, keep the other's figures")
    arguments = parser.parse_args()
    rows = {}
    if arguments.only and arguments.out.exists():
        rows = {row["name"]: row for row in json.loads(arguments.out.read_text())["rows"]}
    for name, spec in (("vgg", VGG), ("wide", WIDE)):
        if arguments.only not in (None, name):
            continue
        rows[name], tools = measure(name, spec, arguments.bitloom, arguments.work, arguments.seeds)
        print(json.dumps(rows[name], indent=1), flush=True)
        arguments.out.write_text(json.dumps({"board": BOARD, "rows": list(rows.values()), "tools": tools}, indent=2) + "\n")


if __name__ == "__main__":
    main()
