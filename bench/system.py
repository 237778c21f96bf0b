#!/usr/bin/env python3
"""Networks of ImageNet's size and how they scale, by the planner and the transaction-level model: writes bench/results/system.json and prints its tables (docs/system.md).

usage: bench/system.py BITLOOM [--only big,scale,speed,fifos] [--work FOLDER] [--out bench/results/system.json]

big     ResNet-18 with and without skips, AlexNet, VGG-like, MobileNet-V1 on as few LFE5U-85F as hold them
scale   ResNet-18 shapes over image size, width and blocks of a stage
speed   the model and the RTL simulation of the same designs, side by side (digits on two boards)
fifos   depths of FIFOs in front of joins: by counting beats, and by the model

N devices are planned as one with N times the resources (the links' load is counted from the maps between layers). Sections that are not run keep what the file has. Needs python3-onnx, python3-numpy for the models.
"""
import argparse
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEVICE = "ulx3s-85f"
PUBLISHED = {"resnet18_clocks": 1.85e6, "resnet18_over_alexnet_time": 1.175, "resources_32_to_96": 1.05}


class Bench:
    def __init__(self, bitloom, work):
        self.bitloom, self.work = str(pathlib.Path(bitloom).resolve()), pathlib.Path(work)
        self.home = self.work / "home"
        (self.home / "constraints").mkdir(parents=True, exist_ok=True)
        for folder in ("rtl", "sw"):
            if not (self.home / folder).exists():
                (self.home / folder).symlink_to(ROOT / folder)
        self.device = json.loads((ROOT / "constraints" / DEVICE / "board.json").read_text())

    def board(self, devices):
        """N devices as one."""
        board = dict(self.device, board=f"{DEVICE}x{devices}")
        for resource in ("lut4", "ff", "bram", "dsp"):
            board[resource] *= devices
        folder = self.home / "constraints" / board["board"]
        folder.mkdir(exist_ok=True)
        (folder / "board.json").write_text(json.dumps(board))
        (folder / board["pins_file"]).write_text((ROOT / "constraints" / DEVICE / board["pins_file"]).read_text())
        return board["board"]

    def run(self, *arguments):
        return subprocess.run([self.bitloom, *map(str, arguments)], env=dict(os.environ, BITLOOM_HOME=str(self.home)), capture_output=True, text=True)

    def model(self, network, **options):
        name = "_".join([network] + [f"{key}{value}" for key, value in sorted(options.items())])
        file = self.work / f"{name}.onnx"
        if not file.exists():
            flags = []
            for key, value in options.items():
                flags += ["--" + key.replace("_", "-")] + ([] if value is True else [str(value)])
            subprocess.run(["/usr/bin/python3", ROOT / "bench" / "big_networks.py", network, file, *flags], check=True)
        return name, file

    def design(self, name, file, devices, clocks, fit=0.7, fifos="counted"):
        folder = self.work / f"{name}_x{devices}_{clocks}_{fifos}"
        start = time.monotonic()
        result = self.run("compile", file, "--board", self.board(devices), *(["--clocks", clocks] if clocks else []), "--fit", fit, "--out", folder, "--fifos", fifos)
        if result.returncode != 0:
            return None, result.stderr.strip()
        return folder, time.monotonic() - start

    def measure(self, name, file, clocks, fifos="enough"):
        """The fewest devices on which the network can be planned at so many clocks, from those on that its weights alone would fill."""
        devices = max(1, math.ceil(self.weight_values(file) / (self.device["bram"] * self.device["bram_bits"])))
        while True:
            folder, seconds = self.design(name, file, devices, clocks, fifos=fifos)
            if folder is not None:
                break
            missing = re.search(r"(\d+) block RAMs are needed|about (\d+) LUT4|need (\d+) block RAMs", seconds)
            if not missing:
                sys.exit(f"{name} on {devices} devices: {seconds}")
            devices += 1
        result = self.run("sim", folder, "--level", "tlm", "--images", 12, "--json")
        if result.returncode != 0:
            sys.exit(f"{name}: {result.stderr}")
        return self.entry(name, devices, json.loads((folder / "design.json").read_text()), json.loads(result.stdout), seconds)

    @staticmethod
    def weight_values(file):
        import onnx
        return sum(math.prod(tensor.dims) for tensor in onnx.load(file).graph.initializer if tensor.name.endswith("weights_values"))

    def entry(self, name, devices, design, sim, seconds):
        clocks = sim["clocks_per_image"]
        mhz = self.device["clock_mhz"]
        bits = {boundary["map"]: boundary["beats"] * boundary["width"] for boundary in design["boundaries"]}
        kinds = {}
        for layer in design["layers"]:
            kinds.setdefault(layer["kind"], [0, 0])
            kinds[layer["kind"]][0] += layer["estimated_lut4"]
            kinds[layer["kind"]][1] += layer["memory_bits"]
        fifo_bits = sum(fifo["width"] * fifo["depth"] for fifo in design["fifos"])
        weights = design["weight_bits"]
        return {"name": name, "devices": devices, "macs": design["macs"], "weight_bits": weights, "devices_of_weights": weights / (self.device["bram"] * self.device["bram_bits"]),
                "predicted_clocks": design["predicted_clocks_per_image"], "clocks": clocks, "latency": sim["first_image_latency"], "bottleneck": sim["bottleneck"],
                "bottleneck_share": sim["bottleneck_share"], "fps": mhz * 1e6 / clocks, "clock_mhz": mhz, "lut4": design["estimate"]["lut4"], "block_rams": design["estimate"]["block_rams"],
                "memory_bits": sum(layer["memory_bits"] for layer in design["layers"]) + fifo_bits, "fifo_bits": fifo_bits, "by_kind": kinds,
                "link_bits_per_clock": {map_name: value / clocks for map_name, value in bits.items()}, "compile_seconds": seconds, "tlm_seconds": sim["run_seconds"],
                "tlm_images": sim["simulated_images"], "beats": sim["beats"]}


def big(bench, clocks=1_850_000):
    networks = [("resnet18", {}), ("resnet18", {"no_skips": True}), ("alexnet", {}), ("vgg", {"size": 32, "classes": 10}), ("mobilenet", {})]
    entries = []
    for network, options in networks:
        name, file = bench.model(network, **options)
        entries.append(bench.measure(name, file, clocks))
        print(json.dumps({k: v for k, v in entries[-1].items() if k not in ("by_kind", "link_bits_per_clock")}), flush=True)
    return entries


def scale(bench):
    """Sizes at clocks in proportion to the pixels, so that foldings stay; widths and blocks at the same clocks. And each as fast as one device allows."""
    base = {"size": 64, "width": 0.25, "blocks": 2, "classes": 100}
    points = [{"size": size} for size in (32, 64, 96, 128, 160, 224)] + [{"width": width} for width in (0.125, 0.5, 1.0)] + [{"blocks": blocks} for blocks in (1, 3, 4)]
    entries = []
    for changed in points:
        options = base | changed
        name, file = bench.model("resnet18", **options)
        entry = bench.measure(name, file, 40_000 * options["size"] ** 2 // 32**2) | options
        folder, seconds = bench.design(name, file, 1, 0, fifos="enough")
        if folder is None:
            entry["fastest_on_one"] = None
        else:
            sim = json.loads(bench.run("sim", folder, "--level", "tlm", "--images", 12, "--json").stdout)
            entry["fastest_on_one"] = {"clocks": sim["clocks_per_image"], "bottleneck": sim["bottleneck"]}
        entries.append(entry)
        print(json.dumps({k: v for k, v in entry.items() if k not in ("by_kind", "link_bits_per_clock")}), flush=True)
    return entries


def speed(bench):
    entries = []
    for board in ("icebreaker", "ulx3s-85f"):
        for model in ("digits-w1a1", "digits-w2a2"):
            folder = bench.work / f"{model}-{board}"
            environment = dict(os.environ)
            subprocess.run([bench.bitloom, "compile", ROOT / "sw/train/models" / f"{model}.onnx", "--board", board, "--argmax", "--out", folder], check=True, capture_output=True, env=environment)
            runs = {}
            for level, more in (("rtl", ["--data", "digits"]), ("tlm", []), ("tlm every image", ["--every-image"])):
                result = subprocess.run([bench.bitloom, "sim", folder, "--level", level.split()[0], "--images", "360", "--json", *more], check=True, capture_output=True, text=True, env=environment)
                runs[level] = json.loads(result.stdout)
            same = all(runs["rtl"][figure] == runs[level][figure] for figure in ("clocks_per_image", "first_image_latency", "total_clocks") for level in runs)
            entries.append({"model": model, "board": board, "images": 360, "clocks": runs["rtl"]["total_clocks"], "equal": same,
                            "seconds": {level: run["run_seconds"] for level, run in runs.items()},
                            "times": {level: runs["rtl"]["run_seconds"] / run["run_seconds"] for level, run in runs.items() if level != "rtl"}})
            print(json.dumps(entries[-1]), flush=True)
    return entries


def fifos(bench):
    entries = []
    for options in ({"size": 32, "width": 0.125, "classes": 10}, {"size": 64, "width": 0.25, "classes": 10}):
        name, file = bench.model("resnet18", **options)
        entry = {"name": name}
        for fifos_are in ("counted", "enough", "smallest"):
            folder, seconds = bench.design(name, file, 1, 8000, fifos=fifos_are)
            if folder is None:
                sys.exit(f"{name}: {seconds}")
            design = json.loads((folder / "design.json").read_text())
            sim = json.loads(bench.run("sim", folder, "--level", "tlm", "--json").stdout)
            entry[fifos_are] = {"bits": sum(f["width"] * f["depth"] for f in design["fifos"]), "depths": {f["name"]: f["depth"] for f in design["fifos"]},
                                                    "clocks": sim["clocks_per_image"], "predicted_clocks": design["predicted_clocks_per_image"]}
        entries.append(entry)
        print(json.dumps(entry), flush=True)
    return entries


def table(rows, columns):
    print("| " + " | ".join(title for title, _ in columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join("" if "failed" in row and i > 0 else str(value(row)) for i, (_, value) in enumerate(columns)) + " |")


def thousands(value):
    return f"{value:,.0f}"


def report(results):
    columns = [("network", lambda r: r["name"]), ("devices", lambda r: r["devices"]), ("weights alone", lambda r: f"{r['devices_of_weights']:.2f}"), ("clocks/image", lambda r: thousands(r["clocks"])),
               ("planned", lambda r: thousands(r["predicted_clocks"])), ("latency", lambda r: thousands(r["latency"])), ("frames/s at 25 MHz", lambda r: f"{r['fps']:.1f}"),
               ("bottleneck", lambda r: f"{r['bottleneck']} ({100 * r['bottleneck_share']:.0f} %)"), ("LUT4 est.", lambda r: thousands(r["lut4"])), ("block RAMs est.", lambda r: r["block_rams"]),
               ("memory Mbit", lambda r: f"{r['memory_bits'] / 1e6:.2f}"), ("of it skip FIFOs", lambda r: f"{r['fifo_bits'] / 1e6:.2f}"), ("model s/frame", lambda r: f"{r['tlm_seconds'] / r['tlm_images']:.2f}")]
    if "big" in results:
        print("\nbig\n")
        table(results["big"], columns)
    if "scale" in results:
        print("\nscale\n")
        fastest = lambda r: thousands(r["fastest_on_one"]["clocks"]) if r["fastest_on_one"] else "does not fit"
        table(results["scale"], [("size", lambda r: r["size"]), ("width", lambda r: r["width"]), ("blocks", lambda r: r["blocks"])] + columns[1:5] + columns[8:12] + [("fastest on one device", fastest)])
    if "speed" in results:
        print("\nspeed\n")
        table(results["speed"], [("design", lambda r: f"{r['model']} {r['board']}"), ("clocks", lambda r: thousands(r["clocks"])), ("equal", lambda r: r["equal"]),
                                 ("RTL s", lambda r: f"{r['seconds']['rtl']:.3f}"), ("model s", lambda r: f"{r['seconds']['tlm']:.5f}"), ("times", lambda r: thousands(r["times"]["tlm"])),
                                 ("every image s", lambda r: f"{r['seconds']['tlm every image']:.5f}"), ("times", lambda r: thousands(r["times"]["tlm every image"]))])
    if "fifos" in results:
        print("\nfifos\n")
        table(results["fifos"], [("network", lambda r: r["name"])] + [(f"{kind}: {what}", lambda r, k=kind, w=what: thousands(r[k][w])) for kind in ("counted", "enough", "smallest") for what in ("bits", "clocks", "predicted_clocks")])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bitloom")
    parser.add_argument("--only", default="big,scale,speed,fifos")
    parser.add_argument("--work", help="models and designs; kept, and models are not made again (default: a temporary folder)")
    parser.add_argument("--out", default=ROOT / "bench" / "results" / "system.json", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(arguments.bitloom, arguments.work or temporary)
        results = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
        for section in arguments.only.split(","):
            results[section] = {"big": big, "scale": scale, "speed": speed, "fifos": fifos}[section](bench)
            partial = arguments.out.with_suffix(".partial")
            partial.write_text(json.dumps(results, indent=1) + "\n")
            partial.rename(arguments.out)
    report(results)


if __name__ == "__main__":
    main()
