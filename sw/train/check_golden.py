#!/usr/bin/env python3
"""Finished runs against Bitloom: exports model.onnx, compares golden's answer with the trainer's quantized forward pass on every test image,
explains each difference, and writes check.json and the model's card.

Example: python3 sw/train/check_golden.py build/train/digits-nice-w3a3-s1 --bitloom build/release/bin/bitloom
         python3 sw/train/check_golden.py build/train/* --data DIR --bitloom build/release/bin/bitloom --publish sw/train/models

A difference is a tie if the trainer's network, computed in double precision, agrees with golden as it is, or with every quantizer's input moved up or
down by 2^-18 of itself, or with a single value moved that this takes to another code: then float32 rounding alone decides between the two. Any other
difference is real: exit status 1.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np

import card
import datasets
from deploy import load_frozen, predict, weight_statistics, write_atomically
from methods import activations_of
from runner import finished, set_up

SHOWN = 20  # differing images that check.json lists
NUDGE = 2.0**-18  # of a quantizer's input: some 30 roundings of float32
MOST_MOVED = 1000  # values of an image that are moved one by one
SAME = 1e-4  # scores are whole numbers times two steps: equal ones differ by float32 rounding, others by far more


class BitloomFailed(RuntimeError):
    """The command ended with an error; its message is the text."""


def bitloom(program, *arguments):
    """Runs the command; returns what it printed."""
    done = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise BitloomFailed(f"bitloom {' '.join(map(str, arguments))}: exit status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def export(folder, model, recipe, result):
    """Writes folder/model.onnx; returns its path. Needs the onnx package."""
    import onnx

    from export import to_onnx

    shape = {"digits": (1, 8, 8), "cifar-10": (3, 32, 32)}.get(recipe["data"]["set"], (1, 28, 28))
    metadata = {"recipe": json.dumps(recipe), "seed": recipe["seed"], "trainer_accuracy": f"{result['accuracy']:.4f}"}
    if result.get("float_accuracy") is not None:
        metadata["float_accuracy"] = f"{result['float_accuracy']:.4f}"
    proto = to_onnx(model, recipe["name"], shape, 10, metadata)
    path = folder / "model.onnx"
    write_atomically(path, lambda part: onnx.save(proto, str(part)))
    return path


def data_argument(name, folder):
    """What `bitloom --data` takes for the test set that the trainer measures on."""
    if name == "digits":
        return "digits"
    folder = folder / name if (folder / name).is_dir() else folder
    if name != "cifar-10":
        return datasets.find(folder, "t10k-images-idx3-ubyte")
    try:
        return datasets.find(folder, "test_batch.bin")
    except FileNotFoundError:
        return datasets.find(folder, "test_batch_first1000.bin")


def nudged(model, images, direction):
    """Scores in double precision with the input of every quantizer moved by `direction` * NUDGE of itself (of 1, if that is more)."""
    return with_hooks(model, images, lambda number, part, x: moved(x, direction))


def moved(x, direction):
    """`x` moved by so many times NUDGE of itself (of 1, if that is more)."""
    return x + direction * NUDGE * x.abs().clamp_min(1.0)


def with_hooks(model, images, hook):
    """Scores in double precision; `hook(number of the quantizer, the quantizer, its input)` gives what it takes instead."""
    handles = [
        part.register_forward_pre_hook(lambda part, inputs, number=number: (hook(number, part, inputs[0]),))
        for number, part in enumerate(activations_of(model))
    ]
    scores = predict(model.double(), images).numpy()
    model.float()
    for handle in handles:
        handle.remove()
    return scores


def one_moved(model, image):
    """Scores [n, classes] of one image [1, C, H, W] with one value moved, for each value between two codes whose code a move decides."""
    found = []  # (quantizer, place, direction)

    def find(number, part, x):
        code = part.forward(x)
        for direction in (1, -1):
            places = np.flatnonzero((part.forward(moved(x, direction)) != code).numpy())
            found.extend((number, int(place), direction) for place in places[: MOST_MOVED - len(found)])
        return x

    with_hooks(model, image, find)
    if not found:
        return np.empty((0, 1))

    def move(number, _, x):
        x = x.clone()
        for row, (quantizer, place, direction) in enumerate(found):
            if quantizer == number:
                value = x[row].reshape(-1)[place]
                x[row].view(-1)[place] = moved(value, direction)
        return x

    return with_hooks(model, image.expand(len(found), *image.shape[1:]).contiguous(), move)


def differ(scores, golden):
    """Which images have other scores, beyond float32 rounding."""
    return np.abs(scores - golden).max(1) > SAME * np.maximum(1.0, np.abs(golden).max(1))


def compare(model, part, golden):
    """Golden's scores [N, classes] against the model's on the same images. Answers are the first largest score."""
    scores = predict(model, part.images).double().numpy()
    golden = golden.reshape(len(golden), -1)
    if golden.shape != scores.shape:
        raise ValueError(f"golden gives scores of shape {golden.shape}, the trainer {scores.shape}")
    ours, theirs, labels = scores.argmax(1), golden.argmax(1), part.labels.numpy()
    unsure = np.flatnonzero(differ(scores, golden) | (ours != theirs))
    real = np.ones(len(unsure), bool)
    for direction in (0, 1, -1):
        if len(unsure):
            real &= differ(nudged(model, part.images[unsure], direction), golden[unsure])
    for place in np.flatnonzero(real):
        image = unsure[place]
        others = one_moved(model, part.images[image : image + 1])
        real[place] = not len(others) or bool(differ(others, golden[image : image + 1]).all())
    causes = dict(zip(unsure.tolist(), ("real" if flag else "tie" for flag in real)))
    answers = np.flatnonzero(ours != theirs).tolist()
    return {
        "images": len(labels), "equal_answers": int((ours == theirs).sum()),
        "trainer_accuracy": float((ours == labels).mean()), "golden_accuracy": float((theirs == labels).mean()),
        "ties": sum(causes[i] == "tie" for i in answers), "real_differences": sum(causes[i] == "real" for i in answers),
        "images_with_other_scores": len(unsure), "images_with_really_other_scores": int(real.sum()),
        "shown": [
            {"image": i, "label": int(labels[i]), "trainer": int(ours[i]), "golden": int(theirs[i]), "cause": cause}
            for i, cause in list(causes.items())[:SHOWN]
        ],
    }  # fmt: skip


def clocks(program, onnx_file, board, folds=()):
    """Clocks an image of the network compiled for a board, as fast as fits 70 % of it, or with foldings as `bitloom compile --fold` takes them.
    Where there is no such design, Bitloom's reason."""
    with tempfile.TemporaryDirectory() as scratch:
        rules = [argument for fold in folds for argument in ("--fold", fold)]
        out = pathlib.Path(scratch) / "design"
        try:
            text = bitloom(program, "compile", onnx_file, "--board", board, "--argmax", "--out", out, "--json", *rules)
        except BitloomFailed as error:
            if "does not fit" not in str(error):
                raise
            return f"does not fit{str(error).split('does not fit')[1]}"
        return json.loads(text)["predicted_clocks_per_image"]


def check(folder, program, data_folder, float_check=False, board=None, folds=()):
    """Checks one finished run; writes check.json and card.md into its folder, and returns the check. `board`, `folds`: see clocks."""
    result = finished(folder)
    if result is None or "accuracy" not in result:
        raise ValueError(f"{folder}: holds no finished quantized network (result.json, model.npz)")
    model, recipe = load_frozen(folder / "model.npz")
    onnx_file = export(folder, model, recipe, result)
    test = datasets.load(recipe["data"]["set"], data_folder).test
    argument = data_argument(recipe["data"]["set"], data_folder)
    with tempfile.TemporaryDirectory() as scratch:
        scores = pathlib.Path(scratch) / "scores.npy"
        arguments = ["--data", argument, "--out", scores, "--json"] + (["--check"] if float_check else [])
        run = json.loads(bitloom(program, "run", onnx_file, *arguments))
        outcome = compare(model, test, np.load(scores).astype(np.float64))
    if abs(outcome["golden_accuracy"] - run["accuracy"]) > 1e-9:
        raise ValueError(f"{folder}: bitloom states {run['accuracy']}, its scores give {outcome['golden_accuracy']}: other labels or images?")
    outcome["info"] = {key: value for key, value in json.loads(bitloom(program, "info", onnx_file, "--json")).items() if key != "layers"}
    if float_check:
        outcome["float_check"] = run["check"]
    outcome["onnx_bytes"] = onnx_file.stat().st_size
    outcome.update(weight_statistics(model))
    place = ", ".join([board, *folds]) if board else ""
    outcome["clocks"] = {place: clocks(program, onnx_file, board, folds)} if board else {}
    write_atomically(folder / "check.json", lambda part: part.write_text(json.dumps(outcome, indent=2) + "\n"))
    write_atomically(folder / "card.md", lambda part: part.write_text(card.text(result, outcome)))
    return outcome


def publish(folder, target, recipe_name):
    """Copies model and card under the recipe's name."""
    target.mkdir(parents=True, exist_ok=True)
    for source, name in (("model.onnx", f"{recipe_name}.onnx"), ("card.md", f"{recipe_name}.md")):
        write_atomically(target / name, lambda part, source=source: shutil.copyfile(folder / source, part))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=pathlib.Path, nargs="+", help="folders of finished runs")
    parser.add_argument("--bitloom", default="bitloom", help="the command (default: on PATH)")
    parser.add_argument("--data", type=pathlib.Path, help="folder of the data set's files")
    parser.add_argument("--float-check", action="store_true", help="bitloom run --check too: golden against the ONNX operators, tensor by tensor")
    parser.add_argument("--board", help="compile for it, and state the clocks in the card")
    parser.add_argument("--fold", action="append", default=[], help="with --board, as in bitloom compile: LAYER:pe=10,simd=10; may be repeated")
    parser.add_argument("--publish", type=pathlib.Path, help="copy models that pass, with their cards, into this folder")
    options = parser.parse_args()
    set_up("cpu")
    failed = 0
    for folder in options.folders:
        if finished(folder) is None or "accuracy" not in finished(folder):
            print(f"{folder}: skipped, it holds no finished quantized network")
            continue
        try:
            outcome = check(folder, options.bitloom, options.data, options.float_check, options.board, options.fold)
        except (ValueError, BitloomFailed, FileNotFoundError) as error:
            print(f"check_golden: {error}", file=sys.stderr)
            return 2
        real = outcome["images_with_really_other_scores"]
        print(
            f"{folder}: trainer {outcome['trainer_accuracy']:.4f}, golden {outcome['golden_accuracy']:.4f}; {outcome['equal_answers']} of "
            f"{outcome['images']} answers equal, {outcome['ties']} ties, {outcome['real_differences']} real differences"
            + f"; scores differ on {outcome['images_with_other_scores']} images, really on {real}"
        )
        failed += real > 0
        if options.publish and not real:
            publish(folder, options.publish, finished(folder)["name"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
