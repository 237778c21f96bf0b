"""Runs a recipe: phases of training, a checkpoint after each epoch, curves, and at the end the frozen network and its result.

An interrupted run that goes on from its checkpoint ends with the same weights as one that was not interrupted.

Files in the run's folder: checkpoint.pt; curves.csv (a line for each epoch); log.txt; float.pt (the float network after the last float
phase); at the end model.npz (deploy.save_frozen) and result.json.
"""
import contextlib
import csv
import ctypes
import importlib
import json
import math
import os
import pathlib
import platform
import time

import torch
from torch import nn

import datasets
from deploy import accuracy, build, float_state, save_frozen, weight_statistics, write_atomically
from methods import activations_of, calibrate, freeze
from nets import weight_count
from schedule import Schedule

CALIBRATION = (81, 64)  # batches, and images in each, as in NICE
CURVES = ("phase", "kind", "epoch", "rate", "loss", "held_accuracy", "seconds")
TEMPERATURE = 4.0  # of a teacher's softened outputs
POLL = 20  # steps between looks at the clock


class Interrupted(Exception):
    """The time was up; the checkpoint holds all whole epochs."""


def choose_device(name="auto"):
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def keep_memory():
    """Has glibc keep freed memory: by default it returns each large tensor to the system, and the next step pays for zeroed pages again, a third of a
    training's time on a CPU. Nothing happens where the C library has no mallopt (malloc.h: M_TRIM_THRESHOLD is -1, M_MMAP_MAX -4)."""
    with contextlib.suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(-1, 2**31 - 1)
        libc.mallopt(-4, 0)


def set_up(device, threads=1):
    """Determinism, threads, memory, and TF32 for training on a GPU (measuring never uses it)."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    cuda = torch.device(device).type == "cuda"
    torch.use_deterministic_algorithms(True, warn_only=cuda)
    with contextlib.suppress(ImportError):  # torch 2 would fill every new tensor, and nothing here reads what it has not written
        importlib.import_module("torch.utils.deterministic").fill_uninitialized_memory = False
    keep_memory()
    if cuda:
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True


def random_state(device):
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None}


def set_random_state(state, device):
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], device)


def load_checkpoint(path):
    """A file that this module wrote, on the CPU: what takes it moves it. torch 2.6 and later must be told that it holds more than tensors."""
    return torch.load(path, map_location="cpu", weights_only=False)


def optimizer_of(model, phase):
    """Weights decay; biases, batch norms and clamps do not; clamps have a rate of their own, `clamp_rate` times the others'."""
    clamps = {id(part.clamp) for part in activations_of(model) if hasattr(part, "clamp")}
    groups = {"decay": [], "plain": [], "clamp": []}
    for parameter in model.parameters():
        groups["clamp" if id(parameter) in clamps else "decay" if parameter.dim() > 1 else "plain"].append(parameter)
    tables = [
        {"params": groups["decay"], "weight_decay": phase.get("weight_decay", 0.0), "factor": 1.0},
        {"params": groups["plain"], "weight_decay": 0.0, "factor": 1.0},
        {"params": groups["clamp"], "weight_decay": 0.0, "factor": phase.get("clamp_rate", 1.0)},
    ]
    tables = [table for table in tables if table["params"]]
    if phase.get("optimizer", "adam") == "sgd":
        return torch.optim.SGD(tables, lr=phase["rate"], momentum=0.9, nesterov=True)
    return torch.optim.Adam(tables, lr=phase["rate"])


def rate_at(phase, step, total, steps):
    """A linear rise over `warmup` epochs, then half a cosine down to `last_rate`."""
    warm = phase.get("warmup", 0) * steps
    if step < warm:
        return phase["rate"] * (step + 1) / warm
    last = phase.get("last_rate", 0.0)
    return last + 0.5 * (phase["rate"] - last) * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def distillation(scores, teacher_scores, temperature):
    """What a teacher adds to the loss: the divergence of the softened outputs, times temperature^2, which keeps the size of its gradient beside that
    of the labels (Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, 2015). Mean over the batch."""
    ours, theirs = (nn.functional.log_softmax(x / temperature, 1) for x in (scores, teacher_scores))
    return temperature**2 * nn.functional.kl_div(ours, theirs, reduction="batchmean", log_target=True)


class Run:
    """One recipe in one folder. `data`: on the device; `deadline`: on time.time()'s clock, or None; `init`: a float.pt to start from; the result then
    states the float accuracy of its run."""

    def __init__(self, recipe, data, folder, device, deadline=None, init=None, say=print):
        self.recipe, self.data, self.folder, self.device = recipe, data, folder, torch.device(device)
        self.deadline, self.say = deadline, say
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(recipe["seed"])
        init = pathlib.Path(init) if init else None
        self.float_file = init or folder / "float.pt"
        model, self.blocks = build(recipe, load_checkpoint(init) if init else None)
        self.model = model.to(self.device, memory_format=torch.channels_last)  # a fifth faster on a CPU than channels first
        self.phase, self.epoch, self.curves, self.seconds, self.float_accuracy = 0, 0, [], 0.0, None
        self.optimizer = None
        self.start = None  # the float run whose network this one starts from: its name and phases, for the card
        if init is not None and (before := finished(init.parent)):
            self.float_accuracy = before["float_accuracy"]
            self.start = {"name": before["name"], "phase": before["recipe"]["phase"]}
        self._resume()

    def log(self, text):
        self.say(f"{self.recipe['name']}, seed {self.recipe['seed']}: {text}")
        with open(self.folder / "log.txt", "a") as file:
            file.write(text + "\n")

    def _resume(self):
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        state = load_checkpoint(path)
        if state["recipe"] != self.recipe:
            raise ValueError(f"{path}: belongs to another recipe; give another --out, or delete the folder")
        # ADMM's and the codebooks' buffers change their values only; modes follow from the phase.
        self.model.load_state_dict(state["model"])
        for key in ("phase", "epoch", "curves", "seconds", "float_accuracy"):
            setattr(self, key, state[key])
        self.saved_optimizer = state["optimizer"]
        set_random_state(state["random"], self.device)
        self.log(f"going on after epoch {self.epoch} of phase {self.phase}")

    def save(self):
        state = {key: getattr(self, key) for key in ("recipe", "phase", "epoch", "curves", "seconds", "float_accuracy")}
        state.update(model=self.model.state_dict(), random=random_state(self.device))
        state["optimizer"] = self.optimizer.state_dict() if self.optimizer and self.epoch else None
        write_atomically(self.folder / "checkpoint.pt", lambda part: torch.save(state, part))

    def epochs_left(self):
        return sum(phase["epochs"] for phase in self.recipe["phase"][self.phase :]) - self.epoch

    def total_epochs(self):
        return sum(phase["epochs"] for phase in self.recipe["phase"])

    def run(self):
        """Trains to the end and returns the result; throws Interrupted at the deadline."""
        while self.phase < len(self.recipe["phase"]):
            self._run_phase(self.recipe["phase"][self.phase])
        return self._finish()

    def _calibrate(self):
        if not any(part.statistics[0] == 0 for part in activations_of(self.model) if hasattr(part, "statistics")):
            return
        count, size = CALIBRATION
        order = torch.randperm(len(self.data.train), device=self.device)
        calibrate(self.model, (self.data.train.images[order[i * size : (i + 1) * size]].float() for i in range(min(count, len(order) // size))))
        clamps = ", ".join(f"{part.clamp.item():.3g}" for part in activations_of(self.model) if hasattr(part, "clamp"))
        self.log(f"clamps calibrated: {clamps}")

    def _teacher(self, phase):
        """The float network that this run started from, or None where the phase has no `teacher`."""
        if not phase.get("teacher"):
            return None
        if not self.float_file.exists():
            raise ValueError(f"{self.recipe['name']}: a phase has a teacher, which is the float network; there is no {self.float_file}. Put a phase of kind 'float' first")
        with torch.random.fork_rng(devices=[]):  # building it must not change what is drawn afterwards
            model, _ = build(self.recipe, load_checkpoint(self.float_file))
        return model.to(self.device, memory_format=torch.channels_last).eval()

    def _loss(self, phase, teacher, x, labels):
        scores, share = self.model(x), phase.get("teacher", 0.0)
        loss = (1 - share) * nn.functional.cross_entropy(scores, labels, label_smoothing=phase.get("smoothing", 0.0))
        if teacher is None:
            return loss
        with torch.no_grad():
            theirs = teacher(x)
        return loss + share * distillation(scores, theirs, phase.get("temperature", TEMPERATURE))

    def _run_phase(self, phase):
        images, labels, batch = self.data.train.images, self.data.train.labels, self.recipe["batch"]
        steps = -(-len(labels) // batch)
        total = int(phase["epochs"] * steps)
        schedule = Schedule(phase, self.blocks, steps)
        if phase["kind"] != "float" and self.epoch == 0:
            self._calibrate()
        begun = self.epoch * steps
        schedule.before_step(begun)
        self.optimizer = optimizer_of(self.model, phase)
        if self.epoch:
            self.optimizer.load_state_dict(self.saved_optimizer)
        augmentation = {key: self.recipe["data"][key] for key in ("shift", "flip") if key in self.recipe["data"]}
        teacher = self._teacher(phase)
        while self.epoch * steps < total:
            start = time.time()
            self.model.train()
            losses = torch.zeros((), device=self.device)
            first = self.epoch * steps
            chunks = torch.randperm(len(labels), device=self.device).split(batch)[: total - first]
            for number, chunk in enumerate(chunks):
                step = first + number
                if number % POLL == 0 and self.deadline is not None and time.time() > self.deadline:
                    raise Interrupted
                if step != begun:
                    schedule.before_step(step)
                rate = rate_at(phase, step, total, steps)
                for group in self.optimizer.param_groups:
                    group["lr"] = rate * group["factor"]
                x = datasets.augmented(images[chunk].float(), **augmentation)
                loss = self._loss(phase, teacher, x, labels[chunk])
                losses += loss.detach()
                if schedule.has_penalty:
                    loss = loss + schedule.penalty()
                self.optimizer.zero_grad(set_to_none=True)
                loss.backward()
                self.optimizer.step()
                schedule.after_step(step)
            self.epoch += 1
            self._measure(phase, schedule, losses.item() / len(chunks), rate, time.time() - start)
        self._end_phase(phase, schedule)

    def _measure(self, phase, schedule, loss, rate, seconds):
        unfinished = phase["kind"] in ("prune", "levels", "fixing") or (phase["kind"] == "gradual" and schedule.stage < len(self.blocks))
        held = None if unfinished else accuracy(self.model, self.data.held)
        self.seconds += seconds
        self.curves.append([self.phase, phase["kind"], self.epoch, rate, loss, held, round(seconds, 3)])
        left = self.seconds / len(self.curves) * self.epochs_left()
        self.log(
            f"phase {self.phase} ({phase['kind']}), epoch {self.epoch}/{math.ceil(phase['epochs'])}: loss {loss:.4f}"
            + (f", held out {held:.4f}" if held is not None else "")
            + f", {seconds:.1f} s, {left:.0f} s left"
        )
        if not math.isfinite(loss):
            raise FloatingPointError(f"{self.recipe['name']}: the loss is {loss} in epoch {self.epoch} of phase {self.phase}; lower the rate")
        self.save()
        self._write_curves()

    def _end_phase(self, phase, schedule):
        schedule.finish()
        if phase["kind"] == "float":
            self.float_accuracy = accuracy(self.model, self.data.test)
            self.log(f"float accuracy on the {len(self.data.test)} test images: {self.float_accuracy:.4f}")
            write_atomically(self.folder / "float.pt", lambda part: torch.save(float_state(self.model), part))
        self.phase, self.epoch, self.saved_optimizer = self.phase + 1, 0, None
        self.save()

    def _write_curves(self):
        def write(part):
            with open(part, "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(CURVES)
                writer.writerows(self.curves)

        write_atomically(self.folder / "curves.csv", write)

    def _finish(self):
        result = {
            "name": self.recipe["name"], "seed": self.recipe["seed"], "recipe": self.recipe, "start": self.start, "float_accuracy": self.float_accuracy,
            "epochs": self.total_epochs(), "seconds": round(self.seconds, 1), "test_images": len(self.data.test),
            "torch": torch.__version__, "python": platform.python_version(),
            "device": torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu",
        }  # fmt: skip
        if any(phase["kind"] != "float" for phase in self.recipe["phase"]):
            freeze(self.model, self.blocks)
            result["held_accuracy"] = accuracy(self.model, self.data.held)
            result["accuracy"] = accuracy(self.model, self.data.test)
            result.update(weight_statistics(self.model))
            save_frozen(self.folder / "model.npz", self.model, self.recipe)
            self.log(f"accuracy on the {len(self.data.test)} test images: {result['accuracy']:.4f}")
        else:
            result["weights"] = weight_count(self.model)
        write_atomically(self.folder / "result.json", lambda part: part.write_text(json.dumps(result, indent=2) + "\n"))
        return result


def finished(folder):
    """The result of a finished run, or None."""
    path = folder / "result.json"
    return json.loads(path.read_text()) if path.exists() else None
