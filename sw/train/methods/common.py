"""What all methods share: straight-through values, hardware scales, modes, and the base of the weight parametrizations."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

# What a quantizer does: FLOAT passes its input, NOISY trains with noise, HARD gives what the hardware computes.
FLOAT, NOISY, HARD = "float", "noisy", "hard"


class _Ste(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, value):
        return value.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


def ste(x, value):
    """`value` forward, and all of the gradient to `x`: the float weights stand behind the quantized ones."""
    return _Ste.apply(x, value)


def hardware_step(step):
    """The least b * 2^p that is at least `step` (a tensor > 0), b one of 5, 6, 7, 8: a requantizer then multiplies by three bits.

    NICE's p = ceil(log2(step / 8)), b = ceil(clip(step / 2^p, 1, 8)); since p is a ceiling, step / 2^p lies in (4, 8].
    """
    step = step.double()
    power = torch.exp2(torch.ceil(torch.log2(step / 8)))
    return (power * torch.ceil(torch.clamp(step / power, 1, 8))).float()


def nearest_hardware_step(step):
    """The b * 2^p, b one of 5, 6, 7, 8, that is nearest to `step` by ratio."""
    step = step.double()
    power = torch.exp2(torch.ceil(torch.log2(step / 8)))
    factors = torch.tensor([4.0, 5.0, 6.0, 7.0, 8.0], dtype=torch.float64, device=step.device)  # 4 * 2^p is 8 * 2^(p - 1)
    return (power * factors[torch.argmin((factors / (step / power)).log().abs())]).float()


def gaussian_step(low, high):
    """The step with the least mean squared error for a unit normal variable (rectified where low is 0) rounded to codes low .. high."""
    x = np.linspace(-8, 8, 8001)
    density = np.exp(-x * x / 2)
    x = np.maximum(x, 0) if low == 0 else x
    steps = np.geomspace(0.005, 4, 600)
    errors = [(density * (x - step * np.clip(np.round(x / step), low, high)) ** 2).sum() for step in steps]
    return float(steps[int(np.argmin(errors))])


@dataclass(frozen=True)
class WeightCode:
    """How the values of a frozen weight read as integers: value = code * step."""

    bits: int  # of a code; 1: -1 and +1
    step: float
    stored_bits: int  # of a weight where fewer do: its index in a codebook, or which level it has if it is not pruned
    method: str


class WeightQuantizer(nn.Module):
    """Base of the parametrizations of weights. A subclass computes `codes` (whole numbers, as float) and sets `step` in `prepare`.

    method: its name; bits: of a code, signed and without -2^(bits - 1), or 1 for -1 and +1.
    """

    method = ""

    def __init__(self, bits, hardware=True):
        super().__init__()
        self.bits, self.hardware = bits, hardware
        self.mode = FLOAT
        self.register_buffer("step", torch.zeros(()))

    @property
    def top(self):
        """The largest code."""
        return 1 if self.bits == 1 else 2 ** (self.bits - 1) - 1

    @property
    def stored_bits(self):
        return self.bits

    def prepare(self, weight):
        """Sets the step from the weight's statistics; called once, when its layer leaves FLOAT."""
        raise NotImplementedError

    def codes(self, weight):
        raise NotImplementedError

    def noisy(self, weight, value):
        """What the layer sees in NOISY mode, with the gradient's way to `weight`; `value` is what it sees in HARD mode."""
        return ste(weight, value)

    def set_step(self, step):
        step = torch.as_tensor(step, dtype=torch.float32)
        self.step.copy_(hardware_step(step) if self.hardware else step)

    def enter(self, mode, weight):
        """Changes the mode; on the way out of FLOAT for the first time the statistics are taken."""
        if mode != FLOAT and self.step.item() == 0:
            with torch.no_grad():
                self.prepare(weight)
        self.mode = mode

    def forward(self, weight):
        if self.mode == FLOAT:
            return weight
        with torch.no_grad():
            value = self.codes(weight) * self.step
        return self.noisy(weight, value) if self.mode == NOISY and self.training else ste(weight, value)

    def code(self):
        """The WeightCode of what HARD mode gives."""
        return WeightCode(self.bits, float(self.step), self.stored_bits, self.method)
