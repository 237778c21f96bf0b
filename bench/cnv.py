#!/usr/bin/env python3
"""Frames per second of FINN's CNV-W1A1 (CIFAR-10) on an ECP5-85F, all weights on the chip: clocks per image simulated against golden, Fmax placed and routed.

usage: bench/cnv.py --bitloom build/release/bin/bitloom [--shared ../shared] [--work FOLDER] [--clocks 14400]... [--seeds 1] [--out bench/results/cnv.json]

For each pace the planner balances all layers (`compile --clocks`); frames per second are Fmax / simulated clocks per image. A pace in the file that is not asked for
is kept. Tens of minutes for each. Needs numpy, Verilator, Yosys and nextpnr-ecp5.
"""
import argparse
import json
import pathlib
import subprocess

import numpy

BOARD = "ulx3s-85f"
AIM_MHZ = 100  # what placement and routing try to reach
IMAGES = 8  # random ones: clocks do not depend on pixels


def measure(bitloom, model, clocks, seeds, work):
    design = work / f"cnv-{clocks}"

    def run(*arguments):
        subprocess.run([bitloom, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)

    run("compile", model, "--board", BOARD, "--scale", "2/255", "--shift", "-1", "--fit", "1", "--clocks", clocks, "--out", design)
    images = work / "images.npy"
    numpy.save(images, numpy.random.default_rng(1).integers(0, 256, (IMAGES, 32, 32, 3)).astype(numpy.uint8))
    run("sim", design, "--data", images, "--images", IMAGES)
    run("synth", design, "--freq", AIM_MHZ, "--seeds", seeds, "--router", "router2")
    sim = json.loads((design / "sim.json").read_text())
    synth = json.loads((design / "build/synth" / BOARD / "synth.json").read_text())
    row = {"clocks_asked": clocks, "bit_exact": sim["bit_exact"], "images": IMAGES, "clocks_per_image": sim["clocks_per_image"],
           "predicted_clocks": sim["predicted_clocks_per_image"], "fmax_by_seed": synth["fmax_by_seed"], "fmax_mhz": synth["fmax_mhz"], "seed": synth["seed"],
           "frames_per_second": round(synth["fmax_mhz"] * 1e6 / sim["clocks_per_image"]), "synth_seconds": round(synth["seconds"]),
           **{key: synth[key] for key in ("lut4", "ff", "bram", "dsp")}, "layers": synth["layers"]}
    return row, synth["tools"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent
    parser.add_argument("--bitloom", default="bitloom")
    parser.add_argument("--shared", type=pathlib.Path, default=root.parent / "../shared")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/cnv"))
    parser.add_argument("--clocks", type=int, action="append")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=root / "results/cnv.json")
    arguments = parser.parse_args()
    rows = {row["clocks_asked"]: row for row in json.loads(arguments.out.read_text())["rows"]} if arguments.out.exists() else {}
    arguments.work.mkdir(parents=True, exist_ok=True)
    for clocks in arguments.clocks or [14400]:
        rows[clocks], tools = measure(arguments.bitloom, arguments.shared / "models/cnv/CNV_1W1A.onnx", clocks, arguments.seeds, arguments.work)
        print(json.dumps(rows[clocks], indent=1), flush=True)
        arguments.out.write_text(json.dumps({"board": BOARD, "rows": list(rows.values()), "tools": tools}, indent=2) + "\n")


if __name__ == "__main__":
    main()
