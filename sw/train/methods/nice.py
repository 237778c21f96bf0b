"""NICE weights: symmetric integers, clamps from statistics, uniform noise of half a step on a random share of the weights.

Baskin et al., "NICE: Noise Injection and Clamping Estimation for Neural Network Quantization", Mathematics 2021, 9(17), 2144.
"""
import torch

from .common import WeightQuantizer, gaussian_step, ste


class NiceWeight(WeightQuantizer):
    """codes = round(W / step), clamped to -Q .. Q, Q = 2^(bits - 1) - 1; step = c / Q, rounded up to b * 2^p with `hardware`.

    c = |mean(W) + sign(mean(W)) * alpha * std(W)| (a mean of exactly 0 counts as positive, else c would be 0). alpha: a number, 3.45 in
    the paper's code; or "least-error", where Q steps are those with the least squared error for normal weights, and 3.45 at most. With few
    codes 3.45 is too far out: of normal weights in 2 bits, 92 % would be 0.
    In NOISY mode each weight gets, with probability `noise`, its float value within -c .. c plus a uniform number of up to half a step.
    """

    method = "nice"

    def __init__(self, bits, noise=0.05, alpha="least-error", hardware=True):
        super().__init__(bits, hardware)
        if bits < 2:
            raise ValueError(f"NICE weights of {bits} bits; 2 or more are expected (1 bit: method binary)")
        self.noise = noise
        self.alpha = min(3.45, self.top * gaussian_step(-self.top, self.top)) if alpha == "least-error" else alpha

    def clamp_of(self, weight):
        mean = weight.mean()
        sign = torch.where(mean < 0, -1.0, 1.0)
        return (mean + sign * self.alpha * weight.std(unbiased=False)).abs()

    def prepare(self, weight):
        self.set_step(self.clamp_of(weight) / self.top)

    def codes(self, weight):
        return torch.clamp(torch.round(weight / self.step), -self.top, self.top)

    def noisy(self, weight, value):
        if not self.noise:
            return ste(weight, value)
        with torch.no_grad():
            clamp = self.step * self.top
            moved = weight + (torch.rand_like(weight) - 0.5) * self.step
            moved = torch.minimum(torch.maximum(moved, -clamp), clamp)
            value = torch.where(torch.rand_like(weight) < self.noise, moved, value)
        return ste(weight, value)
