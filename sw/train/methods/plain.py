"""Baselines: binary, ternary, and uniform weights with nothing but a straight-through estimator."""
import torch

from .common import WeightQuantizer, ste


class BinaryWeight(WeightQuantizer):
    """-1 or +1 (0 becomes +1) times a step: the mean magnitude at the start. `noise`: as in NICE, the share of weights that are float
    values within -step .. step plus a uniform number of up to half the distance of the two levels."""

    method = "binary"

    def __init__(self, bits=1, noise=0.0, hardware=True):
        super().__init__(1, hardware)
        self.noise = noise

    def prepare(self, weight):
        self.set_step(weight.abs().mean())

    def codes(self, weight):
        return torch.where(weight >= 0, 1.0, -1.0)

    def noisy(self, weight, value):
        if not self.noise:
            return ste(weight, value)
        with torch.no_grad():
            moved = weight + (2 * torch.rand_like(weight) - 1) * self.step
            moved = torch.minimum(torch.maximum(moved, -self.step), self.step)
            value = torch.where(torch.rand_like(weight) < self.noise, moved, value)
        return ste(weight, value)


class TernaryWeight(WeightQuantizer):
    """-1, 0, +1 times a step. 0 where |W| is at most 0.7 times its mean; step: the mean of the other magnitudes, at the start
    (Li, Liu, "Ternary Weight Networks", 2016)."""

    method = "ternary"

    def __init__(self, bits=2, hardware=True):
        super().__init__(2, hardware)

    def prepare(self, weight):
        self.set_step(weight.abs()[self.codes(weight) != 0].mean())

    def codes(self, weight):
        threshold = 0.7 * weight.abs().mean()
        return torch.where(weight.abs() > threshold, torch.sign(weight), torch.zeros_like(weight))


class SteWeight(WeightQuantizer):
    """Round to -Q .. Q steps of max|W| / Q, taken at the start: no statistics, no noise."""

    method = "ste"

    def prepare(self, weight):
        self.set_step(weight.abs().max() / self.top)

    def codes(self, weight):
        return torch.clamp(torch.round(weight / self.step), -self.top, self.top)
