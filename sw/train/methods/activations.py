"""Activation quantizers. Each stands where a plain network has its ReLU, and calibrates its clamp on float activations before training."""
import torch
from torch import nn

from .common import FLOAT, gaussian_step, hardware_step

MOMENTUM = 0.9  # of the running statistics while calibrating


class _ClampRound(torch.autograd.Function):
    """round(x / step) clamped to low .. high, times step. The gradient passes inside the range, and beyond it goes to the clamp."""

    @staticmethod
    def forward(ctx, x, clamp, step, low, high):
        steps = x / step
        ctx.save_for_backward(steps, clamp)
        ctx.range = low, high
        return steps.round().clamp_(low, high).mul_(step)

    @staticmethod
    def backward(ctx, gradient):
        steps, clamp = ctx.saved_tensors
        low, high = ctx.range
        to_clamp = None
        if ctx.needs_input_grad[1]:
            to_clamp = (gradient * (steps > high)).sum() - ((gradient * (steps < low)).sum() if low < 0 else 0)
            to_clamp = (to_clamp * torch.sign(clamp)).reshape(clamp.shape)
        return torch.ops.aten.hardtanh_backward(gradient, steps, low, high), to_clamp, None, None, None


class ClampedActivation(nn.Module):
    """NICE's activation: 0 .. Q steps, Q = 2^bits - 1, step = |c| / Q, rounded up to b * 2^p with `hardware`.

    The clamp c starts at mean + alpha * std of the input of the ReLU, both running means over the calibration batches; with `learned` it
    is trained: of y = relu(x) - relu(x - |c|) the derivative by c is sign(c) where x > |c|. alpha: a number, 5.0 in the paper's code, or
    "least-error": where the steps have the least squared error for a rectified normal variable, and 5.0 at most; or "max": the largest
    value that was seen (plain straight-through training). `signed`: no ReLU, codes -Q .. Q of `bits` bits, the clamp on both sides; for
    the branches of a residual sum.
    """

    def __init__(self, bits, learned=True, alpha="least-error", hardware=True, signed=False):
        super().__init__()
        self.bits, self.learned, self.signed, self.hardware, self.alpha = bits, learned, signed, hardware, alpha
        self.high = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
        self.low = -self.high if signed else 0
        if self.high < 1:
            raise ValueError(f"an activation of {bits} {'signed ' if signed else ''}bits has no level above 0")
        self.mode, self.calibrating = FLOAT, False
        self.clamp = nn.Parameter(torch.zeros(1), requires_grad=learned)
        self.register_buffer("statistics", torch.zeros(4))  # batches, mean, std, largest

    def calibrate(self, on):
        """Between calibrate(True) and calibrate(False) the inputs are watched; then the clamp is set."""
        self.calibrating = on
        if on:
            self.statistics.zero_()
            return
        batches, mean, std, largest = self.statistics.tolist()
        if not batches:
            raise RuntimeError("an activation saw no batch while it was calibrated")
        alpha = min(5.0, self.high * gaussian_step(self.low, self.high)) if self.alpha == "least-error" else self.alpha
        clamp = largest if alpha == "max" else abs(mean) + alpha * std if self.signed else mean + alpha * std
        with torch.no_grad():
            self.clamp.fill_(max(clamp, 1e-3))

    def watch(self, x):
        with torch.no_grad():
            new = torch.stack([x.mean(), x.std(), x.abs().max() if self.signed else x.max()])
            first = self.statistics[:1] == 0
            old = self.statistics[1:]
            mixed = torch.cat([MOMENTUM * old[:2] + (1 - MOMENTUM) * new[:2], torch.maximum(old[2:], new[2:])])
            self.statistics[1:] = torch.where(first, new, mixed)
            self.statistics[0] += 1

    def step(self):
        """A scalar tensor."""
        step = self.clamp.detach().abs().clamp_min(1e-6)[0] / self.high
        return hardware_step(step) if self.hardware else step

    def forward(self, x):
        if self.calibrating:
            self.watch(x)
        if self.mode == FLOAT:
            return x if self.signed else nn.functional.relu(x)
        return _ClampRound.apply(x, self.clamp, self.step(), self.low, self.high)


class _Sign(torch.autograd.Function):
    """-1 or +1. The gradient passes where the hard tanh's does: inside -1 .. 1."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.copysign(torch.ones((), dtype=x.dtype, device=x.device), x + 0.0)  # + 0.0: of -0 the sign is +1 too

    @staticmethod
    def backward(ctx, gradient):
        return torch.ops.aten.hardtanh_backward(gradient, *ctx.saved_tensors, -1.0, 1.0)


class SignActivation(nn.Module):
    """-1 or +1 (0 becomes +1); the gradient passes where |x| < 1. Its float stand-in is a hard tanh."""

    bits, learned, signed = 1, False, True

    def __init__(self):
        super().__init__()
        self.mode = FLOAT

    def calibrate(self, on):
        """Nothing: there is no clamp."""

    def step(self):
        return torch.ones(())

    def forward(self, x):
        return nn.functional.hardtanh(x) if self.mode == FLOAT else _Sign.apply(x)


ACTIVATIONS = (ClampedActivation, SignActivation)
