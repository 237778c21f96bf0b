#!/usr/bin/env python3
"""Trains many recipes side by side, cheapest first, until all are done or the time is up. What is done stays done: the same command goes on.

Examples: python3 sw/train/train_many.py digits --data DIR --out build/train
          python3 sw/train/train_many.py ablation fashion:w4a4 --data DIR --out build/train --time-limit 500 --workers 6 --pack OUT

Each worker is a process that holds the data on the device and trains one recipe after the other; several of them share a GPU well, since
networks this small leave it idle most of the time. Needs torch and numpy only; QONNX files come later, from check_golden.py.
`--pack FOLDER` puts what is needed for that into at most 7 ZIP files of at most 15 MB there, anew after each finished run.
"""
import argparse
import copy
import functools
import itertools
import json
import multiprocessing as processes
import os
import pathlib
import sys
import threading
import time
import traceback
import zipfile
from dataclasses import dataclass

import torch

import datasets
import recipe as recipes
from nets import NETS
from runner import Interrupted, Run, choose_device, finished, set_up
from train_recipe import run_name

PACKED = ("result.json", "curves.csv", "model.npz", "float.pt")  # float.pt of float runs only: what others start from
PACK_BYTES, PACKS = 15_000_000, 7


@dataclass
class Job:
    recipe: dict
    start: str = ""  # the name of the run whose float.pt it starts from

    @property
    def name(self):
        return run_name(self.recipe)


def sharing_float(base_name, all_recipes):
    """Jobs for recipes of one family, each with its float phases first: what begins with the same float training (network, data, seed, kind of
    activation) starts from one float run, which is trained once."""
    floats, quantized = {}, []
    for recipe in all_recipes:
        first = list(itertools.takewhile(lambda phase: phase["kind"] == "float", recipe["phase"]))
        rest = recipe["phase"][len(first) :]
        kind = "hardtanh" if recipe.get("quantize") and recipe["quantize"]["activation_bits"] == 1 else "relu"
        if not first or not rest:
            quantized.append(Job(recipe))
            continue
        alone = {**copy.deepcopy(recipe), "phase": first, "quantize": {"method": "nice", "weight_bits": 2, "activation_bits": 1 if kind == "hardtanh" else 8}}
        key = json.dumps({**alone, "name": ""}, sort_keys=True)
        if key not in floats:
            like = sum(job.recipe["seed"] == recipe["seed"] and f"-float-{kind}" in job.recipe["name"] for job in floats.values())
            floats[key] = Job(recipes.check({**alone, "name": f"{base_name}-float-{kind}" + (f"-{like + 1}" if like else "")}, base_name))
        quantized.append(Job(recipes.check({**recipe, "phase": rest}, recipe["name"]), floats[key].name))
    return [*floats.values(), *quantized]


IMAGE = {"digits": (1, 8, 8), "cifar-10": (3, 32, 32)}  # shapes; the others are 1 x 28 x 28
TRAINED = {"digits": 1437, "cifar-10": 40000}  # images; the others train on 55,000


@functools.lru_cache(maxsize=None)
def macs(net, shape):
    """Multiply-accumulates of one image: `net` is a recipe's [net] as JSON."""
    options = json.loads(net)
    model = NETS[options.pop("name")](**options).eval()
    total = 0

    def count(layer, _, output):
        nonlocal total
        total += output[0].numel() * layer.weight[0].numel()

    for layer in model.modules():
        if hasattr(layer, "weight") and layer.weight.dim() > 1:
            layer.register_forward_hook(count)
    with torch.no_grad():
        model(torch.zeros(1, *shape))
    return total


def cost(recipe):
    """Multiply-accumulates of a whole training, one pass of each image counted once: for the order and the time left."""
    name = recipe["data"]["set"]
    one = macs(json.dumps(recipe["net"]), IMAGE.get(name, (1, 28, 28)))
    return one * TRAINED.get(name, 55000) * sum(phase["epochs"] for phase in recipe["phase"])


def in_order(jobs):
    """Cheapest first, what a run starts from counted in; of equal ones the first seeds first, so that a table fills evenly."""
    own = {job.name: cost(job.recipe) for job in jobs}
    return sorted(jobs, key=lambda job: (own[job.name] + own.get(job.start, 0), job.recipe["seed"]))


def work(number, device, threads, data_folder, out, deadline, tasks, answers):
    """A worker process: runs jobs until it is sent None, or until the process that started it is gone, however it ended."""
    threading.Thread(target=lambda: (processes.parent_process().join(), os._exit(1)), daemon=True).start()
    device = torch.device(device)
    set_up(device, threads)
    loaded = {}
    for job in iter(tasks.get, None):
        folder = out / job.name
        try:
            name = job.recipe["data"]["set"]
            if name not in loaded:
                loaded[name] = datasets.load(name, data_folder).to(device)
            start = out / job.start / "float.pt" if job.start else None
            folder.mkdir(parents=True, exist_ok=True)
            Run(job.recipe, loaded[name], folder, device, deadline, start, say=lambda text: None).run()
            answers.put((number, job.name, "done"))
        except Interrupted:
            answers.put((number, job.name, "interrupted"))
        except Exception as error:  # one bad run must not end the others
            with open(folder / "error.txt", "w") as file:
                traceback.print_exc(file=file)
            answers.put((number, job.name, f"failed: {type(error).__name__}: {error}"))


def pack(out, target):
    """The files of all finished runs as ZIP files in `target`."""
    target.mkdir(parents=True, exist_ok=True)
    part, size, archive = 0, 0, None
    for folder in sorted(path.parent for path in out.glob("*/result.json")):
        files = [folder / name for name in PACKED if (folder / name).exists() and (name != "float.pt" or not (folder / "model.npz").exists())]
        bytes_here = sum(file.stat().st_size for file in files)
        if archive is None or size + bytes_here > PACK_BYTES:
            if part == PACKS:
                print(f"pack: more than {PACKS} files of {PACK_BYTES} bytes would be needed; {folder.name} and what follows are left out", flush=True)
                break
            if archive:
                _close(archive, target, part)
            part, size = part + 1, 0
            archive = zipfile.ZipFile(target / f"runs-{part}.zip.part", "w")
        for file in files:
            archive.write(file, f"{folder.name}/{file.name}")
        size += bytes_here
    if archive:
        _close(archive, target, part)


def unpack(out):
    """Puts runs from the ZIP files of --pack that lie in `out` into folders there, once."""
    for path in sorted(out.glob("runs-*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not (out / name).exists():
                    archive.extract(name, out)


def _close(archive, target, part):
    archive.close()
    os.replace(target / f"runs-{part}.zip.part", target / f"runs-{part}.zip")


def train_all(jobs, out, data_folder, device, workers, threads=1, deadline=None, pack_into=None, say=print):
    """Runs the jobs; returns how many are (done, failed, left)."""
    out.mkdir(parents=True, exist_ok=True)
    unpack(out)
    waiting = [job for job in in_order(jobs) if finished(out / job.name) is None]
    done, failed, running, begun = len(jobs) - len(waiting), 0, 0, time.time()
    costs, trained = {job.name: cost(job.recipe) for job in jobs}, 0.0
    remaining = sum(costs[job.name] for job in waiting)
    say(f"{len(jobs)} runs, {done} done before; {workers} workers on {device}")
    context = processes.get_context("spawn")
    answers = context.Queue()
    queues = [context.Queue() for _ in range(workers)]
    idle = list(range(workers))
    crew = [
        context.Process(target=work, args=(i, str(device), threads, data_folder, out, deadline, queues[i], answers), daemon=True)
        for i in range(workers)
    ]
    for process in crew:
        process.start()
    names = {job.name for job in jobs}
    while waiting or running:
        late = deadline is not None and time.time() > deadline
        ready = [job for job in waiting if not job.start or job.start not in names or finished(out / job.start)]
        while ready and idle and not late:
            job = ready.pop(0)
            waiting.remove(job)
            queues[idle.pop(0)].put(job)
            running += 1
        if not running:
            break  # the time is up, or what the others start from has failed
        try:
            number, name, outcome = answers.get(timeout=5)
        except Exception:  # queue.Empty; a worker that died gives no answer
            if any(not process.is_alive() for process in crew):
                say("a worker process ended by itself (out of memory?); what it did since its last epoch is lost. Start again with fewer --workers")
                break
            continue
        idle.append(number)
        running -= 1
        done += outcome == "done"
        if outcome == "done":
            trained += costs[name]
        failed += outcome.startswith("failed")
        result = finished(out / name) or {}
        accuracy = result.get("accuracy", result.get("float_accuracy"))
        seconds = time.time() - begun
        left = f"about {seconds * (remaining / trained - 1):.0f} s" if trained else "unknown time"
        say(
            f"[{done}/{len(jobs)}] {name}: {outcome}" + (f", accuracy {accuracy:.4f}" if accuracy is not None else "")
            + f"; {seconds:.0f} s, {left} left"
        )  # fmt: skip
        if pack_into is not None and outcome == "done":
            pack(out, pack_into)
    for queue in queues:
        queue.put(None)
    for process in crew:
        process.join(10)
        if process.is_alive():
            process.terminate()
    return done, failed, len(jobs) - done - failed


def add_options(parser):
    parser.add_argument("--data", type=pathlib.Path, help="folder of the data set's files, or of folders mnist, fashion-mnist, cifar-10")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/train"), help="folder of the runs")
    parser.add_argument("--device", default="auto", help="auto (a GPU when there is one), cpu, cuda")
    parser.add_argument("--workers", type=int, help="processes (default: 6 on a GPU, else 1)")
    parser.add_argument("--threads", type=int, default=1, help="of a worker, on the CPU")
    parser.add_argument("--time-limit", type=float, help="seconds, counted from the start of the command")
    parser.add_argument("--pack", type=pathlib.Path, help="folder for ZIP files of what is finished")


def run_jobs(jobs, options):
    """train_all as the options say; the exit status."""
    device = choose_device(options.device)
    workers = options.workers or (6 if device.type == "cuda" else 1)
    deadline = time.time() + options.time_limit if options.time_limit else None
    say = lambda text: print(text, flush=True)  # noqa: E731
    done, failed, left = train_all(jobs, options.out, options.data, device, workers, options.threads, deadline, options.pack, say)
    print(f"{done} runs done, {failed} failed, {left} left" + ("; the same command goes on" if left else ""))
    return 1 if failed else 3 if left else 0


def jobs_of(names, seeds, longer=1.0):
    """Jobs for "RECIPE" (all its variants), "RECIPE:VARIANT" and "ablation". Variants of one file share their float training."""
    jobs, families = [], {}
    for name in names:
        if name == "ablation":
            import ablation  # which imports this module

            jobs += ablation.jobs(recipes.load(ablation.RECIPE), seeds or ablation.SEEDS)
            continue
        file, _, variant = name.partition(":")
        variants = [variant] if variant else list(recipes.read_file(file)[1]) or [None]
        for variant in variants:
            families.setdefault(file, []).extend(recipes.load(file, variant, seed, longer) for seed in (seeds or [None]))
    for file, family in families.items():
        jobs += sharing_float(recipes.read_file(file)[0]["name"], family)
    return jobs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="+", help="RECIPE (all variants), RECIPE:VARIANT, or ablation")
    parser.add_argument("--seeds", help="comma-separated; default: each recipe's own")
    parser.add_argument("--longer", type=float, default=1.0, help="factor for the epochs of every phase")
    add_options(parser)
    options = parser.parse_args()
    try:
        seeds = [int(seed) for seed in options.seeds.split(",")] if options.seeds else None
        return run_jobs(jobs_of(options.recipes, seeds, options.longer), options)
    except (ValueError, FileNotFoundError) as error:
        print(f"train_many: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
