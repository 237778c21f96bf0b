#!/usr/bin/env python3
"""Trains a network of 3x3 convolutions on Fashion-MNIST, first with 8-bit weights, then decomposed into basis kernels and ternary coefficients.

Example: python3 sw/train/train_fashion.py --data DIR --work build/fashion --out sw/train/models reference
         python3 sw/train/train_fashion.py --data DIR --work build/fashion --out sw/train/models decomposed --basis 4 --density 0.1

DIR holds the four IDX files of the data set (https://github.com/zalandoresearch/fashion-mnist). Interrupted training goes on from its last
epoch when the same command is given again. Hyperparameters are chosen on 5,000 training images held out, never on the test images.
"""
import argparse
import copy
import os
import pathlib
import time

import onnx
import torch
from torch import nn

import decomposed as d
from export import to_onnx
from fashion import load, network, augmented, HELD_OUT
from layers import QuantConv2d, QuantLinear
from loop import seed_everything
from models import CLASSES
from quantizers import FusedUniform

BATCH = 200
TEMPERATURE = 4.0  # of distillation


def accuracy(model, images, labels):
    model.eval()
    with torch.no_grad():
        right = sum((model(x).argmax(1) == y).sum().item() for x, y in zip(images.split(1000), labels.split(1000)))
    return right / len(labels)


def parameter_groups(model, rate):
    """Coefficients are around 1, the other weights around 0.05: Adam's steps are as large for all, so each kind has a rate of its own."""
    coefficients = [layer.coefficients for layer in d.decomposed_layers(model)]
    basis = [layer.basis for layer in d.decomposed_layers(model)]
    special = {id(p) for p in coefficients + basis}
    groups = [{"params": [p for p in model.parameters() if id(p) not in special], "lr": rate}]
    if coefficients:
        groups += [{"params": coefficients, "lr": 5 * rate}, {"params": basis, "lr": rate}]
    return groups


def clamp_weights(model):
    """Shadow weights stay where their quantizer passes the gradient; coefficients within three times what a kept one stands for."""
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, (QuantConv2d, QuantLinear)):
                part.weight.clamp_(*part.weight_quant.limits)
            elif isinstance(part, d.DecomposedConv2d):
                part.coefficients.clamp_(-3, 3)
                part.basis.clamp_(*part.basis_quant.limits)


class Phases:
    """What changes over the epochs of a decomposed network: float coefficients, then ternary ones of falling density, then a frozen choice."""

    def __init__(self, options):
        self.warm, self.prune = options.warm_epochs, options.prune_epochs
        self.density, self.interval, self.weight = options.density, options.cross_interval, options.l1

    def step(self, model, step, steps_per_epoch):
        """Sets the layers up for training step `step`; returns the weight of the L1 term."""
        epoch = step / steps_per_epoch
        d.alternate(model, train_basis=(step // self.interval) % 4 == 3)  # a basis is a few values: it gets a quarter of the steps
        for layer in d.decomposed_layers(model):
            layer.ternary = epoch >= self.warm
            if epoch < self.warm + self.prune:
                layer.density = d.density_at(max(0.0, epoch - self.warm) / self.prune, 0.5, self.density)
            elif not layer.mask.numel():
                layer.density = self.density
                layer.freeze_mask()
        return self.weight if epoch < self.warm + self.prune else 0.0


def distilled(scores, targets):
    """Cross entropy against a teacher's softened answers (Hinton, Vinyals and Dean 2015, arXiv 1503.02531), with the weight TEMPERATURE^2 that
    keeps its gradient as large as that against labels."""
    soft = nn.functional.log_softmax(scores / TEMPERATURE, 1)
    return TEMPERATURE**2 * nn.functional.kl_div(soft, nn.functional.log_softmax(targets / TEMPERATURE, 1), reduction="batchmean", log_target=True)


def fit(model, images, labels, epochs, rate, checkpoint, phases=None, held_out=HELD_OUT, teacher=None, share=0.0):
    """Cross entropy, Adam, cosine learning rate. Writes `checkpoint` after each epoch and goes on from it. `share` of the loss is what the
    answers differ from `teacher`'s for the same image, the rest against the labels."""
    optimizer = torch.optim.Adam(parameter_groups(model, rate))
    train, held = slice(0, len(images) - held_out), slice(len(images) - held_out, None)
    steps = -(-train.stop // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps)
    first = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=False)  # it holds the model itself
        model, optimizer, schedule, first = state["model"], state["optimizer"], state["schedule"], state["epoch"]
        torch.set_rng_state(state["random"])
        print(f"{checkpoint}: going on after epoch {first}", flush=True)
    start = time.time()
    for epoch in range(first, epochs):
        model.train()
        total, chunks = 0.0, torch.randperm(train.stop).split(BATCH)
        for number, chunk in enumerate(chunks):
            weight = phases.step(model, epoch * len(chunks) + number, len(chunks)) if phases else 0.0
            x = augmented(images[chunk]).contiguous(memory_format=torch.channels_last)  # faster on a CPU
            scores = model(x)
            loss = nn.functional.cross_entropy(scores, labels[chunk])
            total += loss.item()
            if share:
                with torch.no_grad():
                    targets = teacher(x)
                loss = (1 - share) * loss + share * distilled(scores, targets)
            if weight:
                loss = loss + weight * d.l1(model)
            optimizer.zero_grad(set_to_none=True)  # else the factor that is not trained would move by its momentum
            loss.backward()
            optimizer.step()
            schedule.step()
            clamp_weights(model)
        left = (time.time() - start) / (epoch + 1 - first) * (epochs - epoch - 1)
        density = "".join(f" {layer.kept().mean().item():.3f}" for layer in d.decomposed_layers(model))
        held_accuracy = accuracy(model, images[held], labels[held])
        print(
            f"epoch {epoch + 1}/{epochs}: loss {total / len(chunks):.4f}, held out {held_accuracy:.4f}"
            + (f", density{density}" if density else "") + f", {left:.0f} s left", flush=True,
        )
        part = checkpoint.with_suffix(".part")
        state = {"model": model, "optimizer": optimizer, "schedule": schedule, "epoch": epoch + 1, "random": torch.get_rng_state()}
        torch.save({**state, "finished": epoch + 1 == epochs}, part)
        os.replace(part, checkpoint)
    model.eval()
    return model


def decompose(reference, options):
    """A copy of the trained network with all 3x3 convolutions but the first decomposed, and the classifier's weights in fewer bits."""
    model = copy.deepcopy(reference)
    for i, layer in enumerate(model):
        if isinstance(layer, QuantConv2d) and layer.in_channels > 1:
            model[i] = d.DecomposedConv2d.from_dense(layer, options.basis)
        elif isinstance(layer, QuantLinear):
            layer.weight_quant = FusedUniform(options.classifier_bits, signed=True, scale=2.0 ** -options.classifier_bits, narrow=True)
    return model


def save(model, name, options, test):
    result = accuracy(model, *test)
    print(f"{name}: accuracy on the 10,000 test images {result:.4f}", flush=True)
    recipe = {key: value for key, value in vars(options).items() if key not in ("data", "work", "out")}
    metadata = {"recipe": "sw/train/train_fashion.py: " + ", ".join(f"{k} {v}" for k, v in sorted(recipe.items())), "trainer_accuracy": f"{result:.4f}"}
    proto = to_onnx(model, name, test[0].shape[1:], CLASSES, metadata)
    options.out.mkdir(parents=True, exist_ok=True)
    onnx.save(proto, str(options.out / f"{name}.onnx.part"))
    os.replace(options.out / f"{name}.onnx.part", options.out / f"{name}.onnx")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of the IDX files")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for checkpoints")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the ONNX files")
    parser.add_argument("--name", default="fashion", help="the networks are called NAME-w8 and NAME-mM-dD")
    parser.add_argument("--channels", type=int, nargs=4, default=[16, 32, 64, 128])
    parser.add_argument("--strides", type=int, nargs=4, default=[2, 2, 2, 1])
    parser.add_argument("--seed", type=int, default=1)
    networks = parser.add_subparsers(dest="network", required=True)
    reference = networks.add_parser("reference", help="8-bit weights")
    reference.add_argument("--epochs", type=int, default=12)
    reference.add_argument("--rate", type=float, default=0.004)
    decomposed = networks.add_parser("decomposed", help="from the reference's checkpoint")
    decomposed.add_argument("--basis", type=int, default=4, help="basis kernels M")
    decomposed.add_argument("--density", type=float, default=0.1, help="share of coefficients that are not zero")
    decomposed.add_argument("--classifier-bits", type=int, default=4)
    decomposed.add_argument("--warm-epochs", type=float, default=0.5, help="with float coefficients")
    decomposed.add_argument("--prune-epochs", type=float, default=5)
    decomposed.add_argument("--tune-epochs", type=float, default=4.5, help="with the non-zero coefficients chosen")
    decomposed.add_argument("--rate", type=float, default=0.002)
    decomposed.add_argument("--l1", type=float, default=1e-6, help="weight of the sum of the coefficients' magnitudes")
    decomposed.add_argument("--cross-interval", type=int, default=50, help="steps for the bases, after three times as many for the coefficients")
    decomposed.add_argument("--distill", type=float, default=0.0, help="share of the loss against the reference's answers, the rest against the labels")
    options = parser.parse_args()

    options.work.mkdir(parents=True, exist_ok=True)
    images, labels = load(options.data, "train")
    test = load(options.data, "t10k")
    seed_everything(options.seed)
    print(f"seed {options.seed}", flush=True)
    reference_file = options.work / f"{options.name}-w8.pt"
    if options.network == "reference":
        model = fit(network(options.channels, options.strides), images, labels, options.epochs, options.rate, reference_file)
        save(model, f"{options.name}-w8", options, test)
        return
    trained = torch.load(reference_file, weights_only=False) if reference_file.exists() else {}
    if not trained.get("finished"):
        parser.error(f"{reference_file}: no finished reference; train it first, with the same --work and --name")
    epochs = options.warm_epochs + options.prune_epochs + options.tune_epochs
    if epochs != int(epochs) or options.prune_epochs <= 0:
        parser.error(f"{epochs} epochs in all, {options.prune_epochs} of pruning; a whole number in all, and some pruning, expected")
    name = f"{options.name}-m{options.basis}-d{options.density * 100:g}"
    model = decompose(trained["model"], options)
    model = fit(model, images, labels, int(epochs), options.rate, options.work / f"{name}.pt", Phases(options), teacher=trained["model"].eval(), share=options.distill)
    save(model, name, options, test)


if __name__ == "__main__":
    main()
