#!/usr/bin/env python3
"""Clocks of a pruned network on the plane engine against the same network without a zero, at the same foldings, as `bitloom compile` plans them.

usage: bench/pruned_clocks.py --bitloom build/release/bin/bitloom [--model FILE.onnx] [--board ulx3s-85f] [--work FOLDER]

In the dense twin every weight that is 0 is a random level of the same step (seed 1). Prints a line for each layer and folding (docs/training.md). Seconds; needs
python3-onnx and python3-numpy.
"""
import argparse
import json
import pathlib
import subprocess

import numpy
import onnx
from onnx import numpy_helper

LEVELS = 8  # a side, ADMM's at 4 bits
FOLDINGS = {
    "a weight a word": ["conv0:pe=1,simd=5,apar=4,wpar=1,pixels=1", "conv1:pe=1,simd=1,apar=4,wpar=1,pixels=1", "fc0:pe=1,simd=1,apar=4,wpar=1",
                        "fc1:pe=1,simd=1,apar=4,wpar=1"],
    "words of 10 x 10": ["conv0:pe=5,simd=5,wpar=1,pixels=1", "conv1:pe=10,simd=10,apar=4,wpar=1,pixels=1", "fc0:pe=10,simd=10,apar=4,wpar=1",
                         "fc1:pe=5,simd=10,apar=4,wpar=1"],
}  # fmt: skip


def dense(model):
    random = numpy.random.default_rng(1)
    for initializer in model.graph.initializer:
        weights = numpy_helper.to_array(initializer)
        if weights.ndim < 2 or not weights.any():
            continue
        step = numpy.abs(weights[weights != 0]).min()
        filling = step * random.integers(1, LEVELS + 1, weights.shape) * random.choice([-1, 1], weights.shape)
        initializer.CopyFrom(numpy_helper.from_array(numpy.where(weights == 0, filling, weights).astype(weights.dtype), initializer.name))
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--bitloom", default="bitloom")
    parser.add_argument("--model", type=pathlib.Path, default=root / "sw/train/models/mnist/lenet5-admm-prune-60x.onnx")
    parser.add_argument("--board", default="ulx3s-85f")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/pruned_clocks"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    onnx.save(dense(onnx.load(str(options.model))), str(options.work / "dense.onnx"))

    def layers(model, name, rules):
        arguments = [item for rule in rules for item in ("--fold", rule)]
        done = subprocess.run([options.bitloom, "compile", model, "--board", options.board, "--fit", "1", *arguments, "--out", options.work / name, "--json"],
                              check=True, stdout=subprocess.PIPE, text=True)
        design = json.loads(done.stdout)
        return {layer["name"]: layer["clocks"] for layer in design["layers"] if layer["kind"] == "convolution"} | {"an image": design["predicted_clocks_per_image"]}

    for folding, rules in FOLDINGS.items():
        pruned, whole = layers(options.model, "pruned", rules), layers(options.work / "dense.onnx", "dense", rules)
        for layer, clocks in pruned.items():
            print(f"{folding:17} {layer:9} {clocks:9,} of {whole[layer]:9,}: {whole[layer] / clocks:.2f} times fewer")


if __name__ == "__main__":
    main()
