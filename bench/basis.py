#!/usr/bin/env python3
"""One decomposed layer in the basis engine against the same dense layer with 8-bit weights in the plane engine, at about equal LUTs.

usage: bench/basis.py --bitloom build/release/bin/bitloom [--work FOLDER] [--out bench/results/basis.json] [--only NAME]... [--place SEEDS]

The layer: 64 to 64 channels, 3x3, padding 1, on a map of 16 x 32, M = 6 shared kernels, random coefficients of the given density, 4-bit codes behind it; the dense
layer has random weights of 8 bits. Clocks are simulated in steady state, bit-exact against golden. LUTs are those of `bitloom synth --estimate` (Yosys for ECP5 with the
flow's options: LUT4, and two for each carry cell) of the whole core, block RAMs and multipliers apart; --place also places and routes the core alone on an ECP5 85F
(ulx3s-85f) with so many seeds: its Fmax. The ratio compares products of clocks and LUTs: what the plane engine would take at the basis engine's LUTs, if its clocks fell as
its LUTs rise (which `explore` shows to hold within a few per cent where foldings are near). Needs python3-onnx, Yosys, Verilator; with --place nextpnr-ecp5.
"""
import argparse
import json
import pathlib
import subprocess

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

BOARD = "ulx3s-85f"
AIM_MHZ = 110  # what placement and routing try to reach
CELLS = ("lut4", "ff", "bram", "dsp")
C = K = 64
HEIGHT, WIDTH, TAPS = 16, 32, 3
# name: activation bits, density (None: dense), M, folding
DESIGNS = {
    "basis-a8": (8, 0.1, 6, "engine=basis,sparse=7,rows=3,pixels=8"),
    "plane-a8": (8, None, 0, "pe=8,simd=64,wpar=1,pixels=1"),
    "basis-a4": (4, 0.1, 6, "engine=basis,sparse=7,rows=3,pixels=8"),
    "plane-a4": (4, None, 0, "pe=16,simd=64,wpar=1,pixels=1"),
    "basis-a8-6": (8, 0.1, 6, "engine=basis,sparse=6,rows=3,pixels=8"),
    "basis-a8-small": (8, 0.1, 6, "engine=basis,sparse=2,rows=1,pixels=2"),
}


def tensor(name, values):
    return numpy_helper.from_array(numpy.asarray(values, numpy.float32), name)


def quant(name, value, scale, bits, signed, narrow, constants):
    constants += [tensor(f"{name}_scale", scale), tensor(f"{name}_zero", 0), tensor(f"{name}_bits", bits)]
    return helper.make_node("Quant", [value, f"{name}_scale", f"{name}_zero", f"{name}_bits"], [name], domain="qonnx.custom_op.general", signed=signed, narrow=narrow,
                            rounding_mode="ROUND")


def model(bits, density, kernels, seed=1):
    random = numpy.random.default_rng(seed)
    constants, pads = [], [1, 1, 1, 1]
    nodes = [quant("q", "x", 1, bits, 0, 0, constants)]
    if density is None:
        weights = random.integers(-127, 128, (K, C, TAPS, TAPS))
        constants.append(tensor("w", weights))
        nodes += [quant("wq", "w", 1, 8, 1, 1, constants), helper.make_node("Conv", ["q", "wq"], ["sums"], pads=pads)]
        dense = weights
    else:
        coefficients = random.integers(0, 2, (K, kernels, C)) * 2 - 1
        coefficients *= random.random((K, kernels, C)) < density
        basis = random.integers(-127, 128, (kernels, TAPS, TAPS))
        constants += [tensor("c", coefficients.reshape(K * kernels, C, 1, 1)), tensor("b", numpy.broadcast_to(basis, (K, kernels, TAPS, TAPS)))]
        nodes += [quant("cq", "c", 1, 2, 1, 1, constants), helper.make_node("Conv", ["q", "cq"], ["maps"]), quant("bq", "b", 1, 8, 1, 1, constants),
                  helper.make_node("Conv", ["maps", "bq"], ["sums"], group=K, pads=pads)]
        dense = numpy.einsum("kmc,mrs->kcrs", coefficients, basis)
    step = 2.0 ** round(numpy.log2(numpy.sqrt((dense.astype(float) ** 2).sum() / K) * 2 ** (bits - 1) / 2))
    nodes.append(quant("y", "sums", step, 4, 0, 0, constants))
    graph = helper.make_graph(nodes, "layer", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, C, HEIGHT, WIDTH])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, K, HEIGHT, WIDTH])], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("qonnx.custom_op.general", 1)], ir_version=8)


def measure(name, bitloom, work, place):
    bits, density, kernels, fold = DESIGNS[name]
    work = (work / name).absolute()
    work.mkdir(parents=True, exist_ok=True)
    onnx.save(model(bits, density, kernels), work / "model.onnx")
    numpy.save(work / "images.npy", numpy.random.default_rng(1).integers(0, 2**bits, (4, HEIGHT, WIDTH, C)).astype(numpy.uint8))
    design = work / "design"

    def run(*arguments):
        return subprocess.run([bitloom, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout

    run("compile", work / "model.onnx", "--board", BOARD, "--fit", "1", "--fold", f"conv0:{fold}", "--out", design)
    run("sim", design, "--data", work / "images.npy", "--images", 4)
    sim = json.loads((design / "sim.json").read_text())
    described = json.loads((design / "design.json").read_text())
    layer = next(entry for entry in described["layers"] if entry["kind"] == "convolution")
    cells = json.loads(run("synth", design, "--estimate", "--json"))
    row = {"name": name, "activation_bits": bits, "density": density, "kernels": kernels, "fold": fold, "bit_exact": sim["bit_exact"],
           "clocks_per_frame": sim["clocks_per_image"], "predicted_clocks": sim["predicted_clocks_per_image"], "clocks_per_pixel": sim["clocks_per_image"] / (HEIGHT * WIDTH),
           "weight_bits": described["weight_bits"], "estimated_lut4": layer["estimated_lut4"], **{key: cells[key] for key in CELLS}}
    if "basis" in layer:
        row["basis"] = layer["basis"]
        lanes = layer["basis"]["sparse_lanes"]
        # Additions of a frame, each for all pixels of a block at once, among the lanes' clocks.
        row["adders_busy"] = layer["basis"]["additions"] / layer["pixels"] / (lanes * sim["clocks_per_image"])
    if place:
        synth = json.loads(run("synth", design, "--alone", "--freq", AIM_MHZ, "--seeds", place, "--json"))
        row["placed"] = {"fmax_mhz": synth["fmax_mhz"], "fmax_by_seed": synth["fmax_by_seed"], "device": synth["device"], "tools": synth["tools"], **{key: synth[key] for key in CELLS}}
    return row


def compare(rows):
    """Clocks of the dense plane layer at a basis layer's LUTs, over that layer's."""
    found = {}
    for name, basis in rows.items():
        plane = rows.get(f"plane-a{basis['activation_bits']}")
        if basis["density"] is not None and plane:
            found[name] = {"clocks": plane["clocks_per_frame"] / basis["clocks_per_frame"], "luts": plane["lut4"] / basis["lut4"],
                           "clocks_at_equal_luts": plane["clocks_per_frame"] * plane["lut4"] / (basis["clocks_per_frame"] * basis["lut4"]), "multipliers": basis["dsp"]}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bitloom", default="bitloom")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/basis"))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "results/basis.json")
    parser.add_argument("--only", action="append", choices=list(DESIGNS), help="measure these, keep the others' figures")
    parser.add_argument("--place", type=int, default=0, metavar="SEEDS")
    arguments = parser.parse_args()
    rows = {}
    if arguments.only and arguments.out.exists():
        rows = {row["name"]: row for row in json.loads(arguments.out.read_text())["rows"]}
    for name in arguments.only or DESIGNS:
        rows[name] = measure(name, pathlib.Path(arguments.bitloom).absolute(), arguments.work, arguments.place)
        print(json.dumps(rows[name], indent=1), flush=True)
        arguments.out.write_text(json.dumps({"layer": {"channels": C, "outputs": K, "kernel": TAPS, "map": [HEIGHT, WIDTH]}, "rows": list(rows.values()),
                                             "comparison": compare(rows)}, indent=2) + "\n")


if __name__ == "__main__":
    main()
