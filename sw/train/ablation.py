#!/usr/bin/env python3
"""The ablation: widths x switches x seeds, trained with equal recipes, and the table of what each does to accuracy and cost.

Examples: python3 sw/train/ablation.py train --data DIR --out build/ablation --time-limit 500 --pack build/packed
          python3 sw/train/ablation.py table --out build/ablation --bitloom build/release/bin/bitloom --write docs/ablation.md

`train` goes on where it was, cheapest runs first; it needs torch and numpy only. `table` reads what is finished, from folders or from ZIP
files of --pack; with --bitloom it adds BOPs, weight bits and clocks, for which it needs the onnx package.
"""
import argparse
import copy
import json
import pathlib
import statistics
import sys

import card
import check_golden
import recipe as recipes
from deploy import load_frozen, weight_statistics
from runner import finished
from train_many import add_options, run_jobs, sharing_float, unpack

WIDTHS = ((1, 1), (1, 2), (2, 2), (3, 3), (4, 4), (4, 8))
CODEBOOKS = (2, 3, 4)
SEEDS = [1, 2, 3]
RECIPE = "ablation-fashion"
BOARD = "ulx3s-85f"


def variants():
    """{name: what goes over the recipe's [quantize]}, in the table's order."""
    out = {}
    for weights, activations in WIDTHS:
        for noise in (True, False):
            for clamp in (True, False) if activations > 1 else (True,):
                words = [] if noise and (clamp or activations == 1) else (["noise off"] if not noise else []) + (["clamp fixed"] if not clamp else [])
                name = f"w{weights}a{activations}" + "".join("-" + word.replace(" ", "-") for word in words)
                over = {"method": "nice", "weight_bits": weights, "activation_bits": activations, "learned_clamp": clamp}
                out[name] = {**over, "noise": 0.05 if noise else 0.0}
    for bits in CODEBOOKS:
        out[f"codebook-w{bits}a{bits}"] = {"method": "uniq", "weight_bits": bits, "activation_bits": bits}
    return out


def jobs(base, seeds, only=None):
    """The float runs, one for each seed and kind of activation, and the quantized runs that start from them."""
    family = [
        recipes.check({**copy.deepcopy(base), "name": f"{base['name']}-{name}", "seed": seed, "quantize": over}, "ablation")
        for seed in seeds
        for name, over in variants().items()
        if not only or name in only
    ]
    return sharing_float(base["name"], family)


def spread(values):
    """Mean and sample standard deviation (None of a single value)."""
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def shown(values, unit=100):
    if not values:
        return ""
    mean, deviation = spread(values)
    return f"{unit * mean:.2f}" + (f" ± {unit * deviation:.2f}" if deviation is not None else "")


def costs(folder, program, board):
    """BOPs, weight bits and clocks of one run's network, compiled as fast as fits 70 % of the board."""
    model, recipe = load_frozen(folder / "model.npz")
    file = check_golden.export(folder, model, recipe, finished(folder))
    info = json.loads(check_golden.bitloom(program, "info", file, "--json"))
    stored = weight_statistics(model)["stored_weight_bits"]
    return {"bops": info["bops_uniq"], "weight_bits": info["weight_bits"], "stored": stored, "clocks": check_golden.clocks(program, file, board)}


def collect(out, base):
    """{variant: {seed: result}} and {kind: {seed: result}} of the float runs, of what is finished."""
    found, floats = {}, {}
    for path in sorted(out.glob(f"{base}-*/result.json")):
        result = finished(path.parent)
        name = result["name"][len(base) + 1 :]
        table = floats if name.startswith("float-") else found
        table.setdefault(name.removeprefix("float-"), {})[result["seed"]] = {**result, "folder": path.parent}
    return found, floats


def difference(found, first, second):
    """Differences of accuracies, seed by seed, over the seeds that both have."""
    a, b = found.get(first, {}), found.get(second, {})
    return [a[seed]["accuracy"] - b[seed]["accuracy"] for seed in sorted(set(a) & set(b))]


def comparisons():
    """(what is compared, first, second) for the table of differences."""
    for weights, activations in WIDTHS:
        name = f"w{weights}a{activations}"
        if activations == 1:
            yield f"{name}: noise", name, f"{name}-noise-off"
            continue
        yield f"{name}: noise and learned clamp against neither", name, f"{name}-noise-off-clamp-fixed"
        yield f"{name}: noise alone", f"{name}-clamp-fixed", f"{name}-noise-off-clamp-fixed"
        yield f"{name}: learned clamp alone", f"{name}-noise-off", f"{name}-noise-off-clamp-fixed"
    for bits in CODEBOOKS:
        yield f"{bits} bits: codebook against uniform", f"codebook-w{bits}a{bits}", f"w{bits}a{bits}"


def table(out, base, program, board):
    """The tables as Markdown."""
    found, floats = collect(out, base)
    if not found:
        raise FileNotFoundError(f"{out}: holds no finished quantized run of '{base}'")
    any_result = next(iter(next(iter(found.values())).values()))
    lines = [
        f"Test accuracy in per cent, mean ± standard deviation over seeds, on {any_result['test_images']:,} test images; trained on "
        f"{any_result['device']} with PyTorch {any_result['torch']}. "
        + "Float: "
        + "; ".join(f"{kind} {shown([r['float_accuracy'] for r in results.values()])} ({len(results)} seeds)" for kind, results in floats.items())
        + ".",
        "",
        "| quantizers | seeds | accuracy |" + (f" BOPs (UNIQ) | weight bits | with codes | clocks, {board} |" if program else ""),
        "|---|---|---|" + ("---|---|---|---|" if program else ""),
    ]
    for name in variants():
        results = found.get(name)
        if not results:
            lines.append(f"| {name} | 0 | not trained |" + (" | | | |" if program else ""))
            continue
        row = f"| {name} | {len(results)} | {shown([r['accuracy'] for r in results.values()])} |"
        if program:
            price = costs(results[min(results)]["folder"], program, board)
            row += f" {price['bops']:,.0f} | {price['weight_bits']:,} | {price['stored']:,} | {card.number(price['clocks'])} |"
        lines.append(row)
    lines += ["", "Differences in points, seed by seed:", "", "| what | seeds | difference |", "|---|---|---|"]
    for what, first, second in comparisons():
        values = difference(found, first, second)
        lines.append(f"| {what} | {len(values)} | {shown(values) or 'not trained'} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train what is not finished yet")
    add_options(train)
    train.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    train.add_argument("--only", help="comma-separated names of the table's rows")
    train.add_argument("--width", type=float, help="of the network, instead of the recipe's")
    make = commands.add_parser("table", help="write the tables")
    make.add_argument("--out", type=pathlib.Path, required=True, help="folder of the runs, or of the ZIP files of --pack")
    make.add_argument("--bitloom", help="the command; without it the table has accuracies only")
    make.add_argument("--board", default=BOARD)
    make.add_argument("--write", type=pathlib.Path, help="file for the tables (default: print them)")
    for command in (train, make):
        command.add_argument("--recipe", default=RECIPE)
    options = parser.parse_args()
    try:
        base = recipes.load(options.recipe)
        if options.command == "train":
            if options.width:
                base["net"]["width"] = options.width
            only = options.only.split(",") if options.only else None
            unknown = set(only or ()) - set(variants())
            if unknown:
                raise ValueError(f"--only {', '.join(sorted(unknown))}: no such rows; {', '.join(variants())} are")
            return run_jobs(jobs(base, [int(seed) for seed in options.seeds.split(",")], only), options)
        unpack(options.out)
        text = table(options.out, base["name"], options.bitloom, options.board)
        options.write.write_text(text) if options.write else print(text, end="")
    except (ValueError, FileNotFoundError, RuntimeError) as error:
        print(f"ablation: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
