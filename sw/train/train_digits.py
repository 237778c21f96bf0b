#!/usr/bin/env python3
"""Trains an example network on the built-in digits and writes it as QONNX.

Example: python3 sw/train/train_digits.py --model digits-w1a1 --out sw/train/models
"""
import argparse
import pathlib

import onnx

from export import to_onnx
from loop import accuracy, load_digits, seed_everything, train, without_quantizers
from models import CLASSES, MODELS

RECIPE = "straight-through estimators; Adam, learning rate 0.01 falling by a cosine; batch 64; {epochs} epochs; shifts by one pixel"


def trained(name, epochs, seed, quantized):
    seed_everything(seed)
    model = MODELS[name]()
    if not quantized:
        without_quantizers(model)
    return train(model, *load_digits("train"), epochs, log=lambda line: print(line, flush=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=sorted(MODELS), required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for MODEL.onnx")
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--float-epochs", type=int, default=100, help="epochs of the float network beside it; 0: none")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    test = load_digits("t10k")
    metadata = {"recipe": RECIPE.format(epochs=options.epochs), "seed": options.seed}
    metadata["command"] = (
        f"python3 sw/train/train_digits.py --model {options.model} --out sw/train/models "
        f"--epochs {options.epochs} --float-epochs {options.float_epochs} --seed {options.seed}"
    )
    if options.float_epochs:
        metadata["float_accuracy"] = f"{accuracy(trained(options.model, options.float_epochs, options.seed, False), *test):.4f}"
        print(f"float accuracy on the test images: {metadata['float_accuracy']}")
    model = trained(options.model, options.epochs, options.seed, True)
    metadata["trainer_accuracy"] = f"{accuracy(model, *test):.4f}"
    print(f"accuracy on the test images: {metadata['trainer_accuracy']}")
    proto = to_onnx(model, options.model, test[0].shape[1:], CLASSES, metadata)
    options.out.mkdir(parents=True, exist_ok=True)
    onnx.save(proto, str(options.out / f"{options.model}.onnx"))


if __name__ == "__main__":
    main()
