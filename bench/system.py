#!/usr/bin/env python3
"""Networks of ImageNet's size and how they scale, by the planner and the transaction-level model: writes bench/results/system.json and prints its tables (docs/system.md).

usage: bench/system.py BITLOOM [--only big,skips,scale,speed,fifos] [--networks NAME,..] [--work FOLDER] [--out bench/results/system.json]

big     ResNet-18, AlexNet, VGG-like, MobileNet-V1 on as few LFE5U-85F as hold them (compile --devices auto), links included
skips   ResNet-18 with and without skip connections at the same foldings, on one device with ten times the resources
scale   ResNet-18 shapes over image size, width and blocks of a stage
speed   the model and the RTL simulation of the same designs, side by side (digits on two boards)
fifos   depths of FIFOs in front of joins: by counting beats, and by the model

Sections that are not run keep what the file has. Needs python3-onnx, python3-numpy for the models.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEVICE = "ulx3s-85f"
ORDER = ["resnet18", "alexnet", "vgg", "mobilenet"]
PUBLISHED = {"resnet18_clocks": 1.85e6, "resnet18_over_alexnet_time": 1.175, "resources_32_to_96": 1.05}


class Bench:
    def __init__(self, bitloom, work):
        self.bitloom, self.work = str(pathlib.Path(bitloom).resolve()), pathlib.Path(work)
        self.home = self.work / "home"
        (self.home / "constraints").mkdir(parents=True, exist_ok=True)
        for folder in ("rtl", "sw"):
            if not (self.home / folder).exists():
                (self.home / folder).symlink_to(ROOT / folder)
        if not (self.home / "constraints" / DEVICE).exists():
            (self.home / "constraints" / DEVICE).symlink_to(ROOT / "constraints" / DEVICE)
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

    def compile(self, name, file, *options, devices=None, board=None):
        """The folder of a design, or of a system of several chips, or None and why not."""
        folder = self.work / f"{name}_{board or DEVICE}"
        start = time.monotonic()
        result = self.run("compile", file, "--board", board or DEVICE, *(["--devices", devices] if devices else []), *options, "--out", folder)
        if result.returncode != 0:
            return None, result.stderr.strip()
        return folder, time.monotonic() - start

    def measure(self, name, file, clocks, *options, devices="auto", board=None):
        folder, seconds = self.compile(name, file, *(["--clocks", clocks] if clocks else []), *options, devices=devices, board=board)
        if folder is None and "fit" not in seconds:
            sys.exit(f"{name}: {seconds}")
        if folder is None:
            return {"name": name, "failed": seconds}
        result = self.run("sim", folder, "--level", "tlm", "--images", 12, "--json")
        if result.returncode != 0:
            return {"name": name, "failed": result.stderr.strip()}
        return self.entry(name, folder, json.loads(result.stdout), seconds)

    def entry(self, name, folder, sim, seconds):
        system = json.loads((folder / "system.json").read_text()) if (folder / "system.json").exists() else None
        folders = [folder / chip["folder"] for chip in system["chips"]] if system else [folder]
        designs = [json.loads((chip / "design.json").read_text()) for chip in folders]
        clocks, mhz = sim["clocks_per_image"], self.device["clock_mhz"]
        layers = [layer | {"chip": c} for c, design in enumerate(designs) for layer in design["layers"]]
        kinds = {}
        for layer in layers:
            kind = kinds.setdefault(layer["kind"], [0, 0])
            kind[0] += layer["estimated_lut4"]
            kind[1] += layer["memory_bits"]
        fifos = [fifo for design in designs for fifo in design["fifos"]]
        fifo_bits = sum(fifo["width"] * fifo["depth"] for fifo in fifos)
        weights = sum(design["weight_bits"] for design in designs)
        links = [{"map": link["map"], "from": link["from"], "to": link["to"], "load": link["load"], "bits_per_clock": link["word_bits"] * link["words"] / clocks}
                 for link in (system["links"] if system else [])]
        return {"name": name, "devices": len(designs), "macs": sum(design["macs"] for design in designs), "weight_bits": weights,
                "devices_of_weights": weights / (self.device["bram"] * self.device["bram_bits"]),
                "predicted_clocks": (system or designs[0])["predicted_clocks_per_image"], "clocks": clocks, "latency": sim["first_image_latency"],
                "bottleneck": sim["bottleneck"], "bottleneck_share": sim["bottleneck_share"], "fps": mhz * 1e6 / clocks, "clock_mhz": mhz,
                "lut4": [design["estimate"]["lut4"] for design in designs], "block_rams": [design["estimate"]["block_rams"] for design in designs],
                "memory_bits": sum(layer["memory_bits"] for layer in layers) + fifo_bits, "fifo_bits": fifo_bits, "by_kind": kinds, "links": links,
                "splits": (system or {}).get("options", {}).get("splits", {}), "compile_seconds": seconds, "tlm_seconds": sim["run_seconds"],
                "tlm_images": sim["simulated_images"], "beats": sim["beats"]}


def show(entry):
    print(json.dumps({key: value for key, value in entry.items() if key not in ("by_kind", "links", "splits")}), flush=True)
    return entry


def big(bench, only=None):
    """ResNet-18 and MobileNet at 1.5 million clocks (joins cost some: the model's figure is what counts), AlexNet as much faster as published; VGG as fast as
    one device allows."""
    clocks = 1_500_000
    networks = {"resnet18": (clocks, {}), "alexnet": (int(clocks / PUBLISHED["resnet18_over_alexnet_time"]), {}), "vgg": (0, {"size": 32, "classes": 10}),
                "mobilenet": (clocks, {})}
    entries = []
    for network, (asked, options) in networks.items():
        if only and network not in only:
            continue
        name, file = bench.model(network, **options)
        entries.append(show(bench.measure(name, file, asked, devices="1" if network == "vgg" else "auto")))
    return entries


def skips(bench):
    """The foldings that the network with skips gets are given to both, convolution by convolution; nothing is short, so memories are alike."""
    board, entries, folds = bench.board(10), [], {}
    for options in ({}, {"no_skips": True}):
        name, file = bench.model("resnet18", **options)
        folder, seconds = bench.compile(f"{name}_free", file, "--clocks", int(PUBLISHED["resnet18_clocks"]), board=board)
        layers = [layer for layer in json.loads((folder / "design.json").read_text())["layers"] if layer["kind"] == "convolution"]
        folds = folds or {layer["source"]: layer for layer in layers}
        rules = []
        for layer in layers:
            fold = folds[layer["source"]]
            rules += ["--fold", f"{layer['name']}:pe={fold['pe']},simd={fold['simd']},pixels={fold['pixels']}"]
        entries.append(show(bench.measure(name, file, int(PUBLISHED["resnet18_clocks"]), *rules, devices="1", board=board)))
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
        fastest = bench.measure(name + "_fastest", file, 0, devices="1")
        entry["fastest_on_one"] = None if "failed" in fastest else {"clocks": fastest["clocks"], "bottleneck": fastest["bottleneck"]}
        entries.append(show(entry))
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
            folder, seconds = bench.compile(f"{name}_{fifos_are}", file, "--clocks", 8000, "--fifos", fifos_are)
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
        print("| " + " | ".join(("does not fit" if i == 1 else "") if "failed" in row and i > 0 else str(value(row)) for i, (_, value) in enumerate(columns)) + " |")


def thousands(value):
    return f"{value:,.0f}"


def busiest(row):
    links = sorted(row["links"], key=lambda link: link["load"])
    return f"{100 * links[-1]['load']:.1f} % of {len(links)}" if links else "none"


def report(results):
    columns = [("network", lambda r: r["name"]), ("devices", lambda r: r["devices"]), ("weights alone", lambda r: f"{r['devices_of_weights']:.2f}"), ("clocks/image", lambda r: thousands(r["clocks"])),
               ("planned", lambda r: thousands(r["predicted_clocks"])), ("first image", lambda r: thousands(r["latency"])), ("frames/s at 25 MHz", lambda r: f"{r['fps']:.1f}"),
               ("bottleneck", lambda r: f"{r['bottleneck']} ({100 * r['bottleneck_share']:.0f} %)"), ("LUT4 est.", lambda r: thousands(sum(r["lut4"]))),
               ("block RAMs est.", lambda r: sum(r["block_rams"])), ("memory Mbit", lambda r: f"{r['memory_bits'] / 1e6:.2f}"), ("of it skip FIFOs", lambda r: f"{r['fifo_bits'] / 1e6:.2f}"),
               ("busiest link", busiest), ("model s/frame", lambda r: f"{r['tlm_seconds'] / r['tlm_images']:.2f}")]
    for section in ("big", "skips"):
        if section in results:
            print(f"\n{section}\n")
            table(results[section], columns)
    if "scale" in results:
        print("\nscale\n")
        fastest = lambda r: thousands(r["fastest_on_one"]["clocks"]) if r.get("fastest_on_one") else "does not fit" if "fastest_on_one" in r else ""
        table(results["scale"], [("size", lambda r: r["size"]), ("width", lambda r: r["width"]), ("blocks", lambda r: r["blocks"])] + columns[1:5] + columns[8:13] + [("fastest on one device", fastest)])
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
    parser.add_argument("--only", default="big,skips,scale,speed,fifos")
    parser.add_argument("--networks", help="of big: resnet18, alexnet, vgg, mobilenet (default: all); others keep what the file has")
    parser.add_argument("--work", help="models and designs; kept, and models are not made again (default: a temporary folder)")
    parser.add_argument("--out", default=ROOT / "bench" / "results" / "system.json", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(arguments.bitloom, arguments.work or temporary)
        results = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
        for section in arguments.only.split(","):
            if section == "big":
                only = arguments.networks.split(",") if arguments.networks else None
                now = big(bench, only)
                kept = [entry for entry in results.get("big", []) if only and entry["name"] not in [new["name"] for new in now]]
                results[section] = sorted(now + kept, key=lambda entry: ORDER.index(entry["name"].split("_")[0]))
            else:
                results[section] = {"skips": skips, "scale": scale, "speed": speed, "fifos": fifos}[section](bench)
            partial = arguments.out.with_suffix(".partial")
            partial.write_text(json.dumps(results, indent=1) + "\n")
            partial.rename(arguments.out)
    report(results)


if __name__ == "__main__":
    main()
