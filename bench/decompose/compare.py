#!/usr/bin/env python3
"""One 3x3 layer on the plane engine, dense at 8, 4 and 2 bits, and on the basis-first engine at several M and densities: bytes and clocks.

usage: bench/decompose/compare.py --bitloom build/release/bin/bitloom [--channels 64] [--size 16] [--board ulx3s-85f] [--fit 0.1,0.2] [--out bench/results/decompose.json]

Bytes are what `bitloom info` counts: dense weights by their type, decomposed ones with the code of their indices. Clocks are those of the plan that `bitloom compile`
chooses within the same share of the device's LUTs: the schedule's clocks, which simulation confirms, and LUTs by the cost model, not placed. Weights are random. With
--models and --data also the trained networks: bytes of the whole network, and accuracy by golden. Needs python3-onnx and python3-numpy.
"""
import argparse
import json
import os
import pathlib
import subprocess

import layer_model

DENSE_BITS = (8, 4, 2)
SEED = 1


def run(bitloom, *arguments):
    """The JSON that the command prints, or the reason why it refuses."""
    result = subprocess.run([bitloom, *map(str, arguments), "--json"], capture_output=True, text=True)
    return (json.loads(result.stdout), None) if result.returncode == 0 else (None, result.stderr.strip())


def layers_with_weights(info):
    return [layer for layer in info["layers"] if layer["weight_bits"] and "AveragePool" not in layer["source"]]


def dense_weights(layer):
    """How many weights the layer has as a dense one; multiply-accumulates are counted so for decomposed layers, too."""
    height, width, _ = layer["output_shape"]
    return layer["macs"] // (height * width)


def measure_layer(bitloom, work, name, model, options):
    path = work / f"{name}.onnx"
    layer_model.save(model, path)
    info, why = run(bitloom, "info", path)
    if info is None:
        raise SystemExit(f"{path}: {why}")
    layer = layers_with_weights(info)[0]
    row = {"name": name, "bytes": layer["weight_bits"] / 8, "bytes_float32": 4 * dense_weights(layer), "designs": []}
    for fit in options.fit:
        design, why = run(bitloom, "compile", path, "--board", options.board, "--fit", fit, "--out", work / f"{name}-{fit:g}")
        entry = {"fit": fit, "refused": why} if design is None else {"fit": fit, "clocks": design["predicted_clocks_per_image"], "lut4": round(design["estimate"]["lut4"]),
                                                                       "engine": design["layers"][0]["engine"]}
        row["designs"].append(entry)
    print(json.dumps(row), flush=True)
    return row


def measure_network(bitloom, path, data):
    info, why = run(bitloom, "info", path)
    if info is None:
        raise SystemExit(f"{path}: {why}")
    layers = layers_with_weights(info)
    bits, weights = sum(layer["weight_bits"] for layer in layers), sum(map(dense_weights, layers))
    channels = sum(layer["output_shape"][2] for layer in layers)
    row = {"name": path.stem, "weights": weights, "bytes": bits / 8, "times_fewer_than_float32": 32 * weights / bits,
           # Each output channel has a factor and a summand behind its sums: 32 bits each, on both sides.
           "times_fewer_with_channel_constants": (4 * weights + 8 * channels) / (bits / 8 + 8 * channels)}
    if data:
        result, why = run(bitloom, "run", path, "--data", data)
        if result is None:
            raise SystemExit(f"{path}: {why}")
        row.update({"accuracy": result["accuracy"], "images": result["images"]})
    print(json.dumps(row), flush=True)
    return row


def write(path, results):
    part = path.with_suffix(".part")
    part.write_text(json.dumps(results, indent=1) + "\n")
    os.replace(part, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bitloom", default="bitloom")
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--size", type=int, default=16, help="of the map")
    parser.add_argument("--board", default="ulx3s-85f")
    numbers = lambda text: [float(part) for part in text.split(",")]
    parser.add_argument("--basis", type=numbers, default=[2, 3, 4, 5, 6], help="M")
    parser.add_argument("--density", type=numbers, default=[0.02, 0.05, 0.1, 0.15, 0.2, 0.3])
    parser.add_argument("--fit", type=numbers, default=[0.1, 0.2], help="shares of the board's LUTs")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/decompose"))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent / "results/decompose.json")
    parser.add_argument("--models", type=pathlib.Path, nargs="*", help="trained networks instead of the layer, whose figures are kept")
    parser.add_argument("--data", help="as bitloom run takes it, to measure the networks' accuracy on")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    results = json.loads(options.out.read_text()) if options.out.exists() else {}
    if options.models:
        results["networks"] = [measure_network(options.bitloom, path, options.data) for path in options.models]
    else:
        size, channels = options.size, options.channels
        models = {f"dense-w{bits}": layer_model.dense(channels, size, bits, SEED) for bits in DENSE_BITS}
        for count in map(int, options.basis):
            for density in options.density:
                models[f"basis-m{count}-d{density * 100:g}"] = layer_model.decomposed(channels, size, count, density, SEED)
        rows = []
        results["layer"] = {"channels": channels, "size": size, "board": options.board, "seed": SEED, "rows": rows}
        for name, model in models.items():
            rows.append(measure_layer(options.bitloom, options.work, name, model, options))
            write(options.out, results)
    write(options.out, results)


if __name__ == "__main__":
    main()
