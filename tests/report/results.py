"""The digits' results for the report's test: golden and compiled designs by the command itself, and files of other commands with made-up figures.

What takes simulators and place and route minutes is written here as these commands write it (docs/architecture.md, section 6): the test is of
the page, not of the figures on it.
"""

import json
import pathlib
import subprocess

MODELS = ("digits-w1a1", "digits-w2a2")
BOARDS = ("icebreaker", "ulx3s-85f")
HOSTILE = "<script>alert(1)</script> & \"a name that is much too long for any table or plot to show in full\""


def write(bitloom, source, folder):
    """Fills `folder`; returns the ids that its report must have."""
    expected = ["summary", "devices", "definitions", "fronts", "fronts0-bops", "fronts0-lut4", "fronts0-energy", "fronts0-rate", "sweep-0", "sweep-0-front-bops",
                "sweep-0-front-lut4", "sweep-0-front-energy", "sweep-0-front-rate", "sweep-0-front-clocks", "sweep-0-fit-0", "sweep-0-fit-0-residuals", "sweep-0-fit-1", "sweep-0-fit-1-residuals"]
    for m, model in enumerate(MODELS):
        file = source / "sw" / "train" / "models" / f"{model}.onnx"
        run(bitloom, "run", file, "--data", "digits", "--result", folder / model / "run.json")
        expected += [f"model-{m}", f"model-{m}-confusion", f"model-{m}-images"]
        for b, board in enumerate(BOARDS):
            design = folder / model / board
            run(bitloom, "compile", file, "--argmax", "--board", board, "--fit", "0.7" if board == "icebreaker" else "0.15", "--out", design)
            description = json.loads((design / "design.json").read_text())
            put(design / "sim.json", simulation(description))
            put(design / "build" / "synth" / board / "synth.json", synthesis(description))
            put(design / "power.json", power(description))
            expected += [f"m{m}d{b}{part}" for part in ("", "-clocks", "-roofline", "-cells", "-power-layers", "-power-kinds")]
    put(folder / "explore.json", sweep())
    return expected


def run(bitloom, *arguments):
    pathlib.Path(arguments[-1]).parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([bitloom, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def put(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def simulation(design):
    clocks = design["predicted_clocks_per_image"]
    return {"model": design["name"], "board": design["board"], "images": 10, "bit_exact": True, "accuracy": 0.9, "clocks_per_image": float(clocks),
            "predicted_clocks_per_image": clocks, "first_image_latency": 2 * clocks, "total_clocks": 11 * clocks, "span_clocks": 9 * clocks, "stall_probability": 0.0, "seed": 1,
            "layers": [{"name": layer["name"], "busy": 9 * layer["clocks"], "starved": 3 * (clocks - layer["clocks"]), "stalled": 6 * (clocks - layer["clocks"])}
                       for layer in design["layers"] if layer["activity"] >= 0], "boundaries": [], "tool": "made up"}


def synthesis(design):
    layers = [{"name": layer["name"], "lut4": 100 + round(layer["estimated_lut4"]), "ff": 150 + 10 * i, "bram": i % 3, "dsp": 0, "spram": 0}
              for i, layer in enumerate(design["layers"])] + [{"name": "link and board", "lut4": 900, "ff": 400, "bram": 2, "dsp": 1, "spram": 0}]
    result = {"design": design["name"], "board": design["board"], "device": "made-up", "tools": {"yosys": "made up"}, "seed": 1, "target_mhz": 12.0, "clock_mhz": 12.0,
              "fmax_mhz": 31.4, "timing_met": True, "layers": layers, "yosys_cells": {}, "bitstream": "design.bin", "bitstream_bytes": 104090, "seconds": 1.0}
    for kind, available in (("lut4", 20000), ("ff", 20000), ("bram", 60), ("dsp", 8), ("spram", 4)):
        result[kind] = sum(layer[kind] for layer in layers)
        result[kind + "_available"] = available
    return result


def power(design):
    layers = [{"name": layer["name"], "mw": 0.1 + layer["bops_uniq"] / 1e6, "share": 0.1} for layer in design["layers"]]
    dynamic = sum(layer["mw"] for layer in layers)
    rate = 12e6 / design["predicted_clocks_per_image"]
    return {"model": design["name"], "board": design["board"], "device": "made-up", "clock_mhz": 12.0, "netlist": "synthesized", "images": 10, "voltage": 1.2, "static_mw": 0.2,
            "dynamic_mw": dynamic, "total_mw": dynamic + 0.2, "uncertainty": 0.4, "nj_per_inference": 1e6 * (dynamic + 0.2) / rate, "fj_per_bit_operation": 12.5,
            "frames_per_second": rate, "kinds": [{"kind": kind, "mw": dynamic / 4, "toggles": 123456} for kind in ("LUT", "flip-flop", "RAM", HOSTILE)], "layers": layers,
            "estimate": True, "sources": ["made up", HOSTILE]}


def sweep():
    points = []
    for board in BOARDS:
        for engine in ("parallel", "bit-serial"):
            for bits in range(1, 9):
                bops = 64.0 * (bits * bits + 2 * bits + 10)
                lut4 = round(bops * (1.1 if engine == "parallel" else 0.2) + 20 * (bits % 3) + 80)
                points.append({"id": f"{HOSTILE if bits == 8 else 'p'}{len(points)}", "weight_bits": bits, "activation_bits": bits, "engine": engine,
                               "folding": {"pe": 4, "simd": 16}, "board": board, "bops_uniq": bops, "bops_qonnx": 64 * bits * bits, "clocks": 64 if engine == "parallel" else 64 * bits,
                               "lut4": lut4, "ff": lut4, "bram": 1, "dsp": 0, "fmax_mhz": 40.0 - bits, "accuracy": 0.97 - 0.1 / bits, "total_mw": lut4 / 500,
                               "nj_per_inference": lut4 * bits / 100})
    return {"explore": 1, "model": "C=16,K=16,kernel=3,map=8x8,stride=1,pad=1,out=1", "points": points,
            "fits": [{"device": "up5k", "engine": "parallel", "pe": 4, "simd": 16, "x": "bops_uniq", "y": "lut4", "slope": 1.1, "intercept": 100.0, "r2": 0.999, "points": 8},
                     {"device": "85k", "engine": "bit-serial", "x": "bops_qonnx", "y": "total_mw", "slope": 0.001, "intercept": 0.3, "r2": 0.98, "points": 8}]}
