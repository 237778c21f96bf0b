"""UNIQ weights: a codebook of the k-quantiles of a normal distribution, noise in the uniformized domain.

Baskin et al., "UNIQ: Uniform Noise Injection for Non-Uniform Quantization of Neural Networks", ACM TOCS 37, 2021.
"""
import math

import torch

from .common import WeightQuantizer, hardware_step, ste

EDGE = 1e-5  # the uniformized weight stays this far from 0 and 1


def phi(z):
    """The normal distribution function."""
    return 0.5 * (1 + torch.erf(z / math.sqrt(2)))


def phi_inverse(u):
    return math.sqrt(2) * torch.erfinv(2 * u - 1)


def quantile_levels(bits):
    """The medians of 2^bits equally probable parts of a unit normal distribution, ascending."""
    k = 2**bits
    return phi_inverse((torch.arange(k, dtype=torch.float64) + 0.5) / k)


class UniqWeight(WeightQuantizer):
    """u = Phi((W - mu) / sd); index i = floor(2^code_bits * u); value = table[i] * step.

    The table holds the quantile levels as whole numbers of `level_bits` (default: two more than code_bits; the largest is
    2^(level_bits - 1) - 1), step = sd * largest level / largest whole number, rounded up to b * 2^p with `hardware`. sd follows the
    weights while they train. `mean` False trains with mu = 0; True adds round(mu / step) to the table.
    In NOISY mode the layer sees mu + sd * Phi^-1(clamp(u + e)), e uniform within half a part, and the gradient passes through it.
    `noise` 0 turns that off. The compiler sees at most 16 different whole numbers and makes levels of them where that is shorter.
    """

    method = "uniq"

    def __init__(self, code_bits, noise=1.0, level_bits=None, mean=False, hardware=True):
        if not 1 <= code_bits <= 4:
            raise ValueError(f"a codebook of {code_bits} bits; 1 to 4 are expected")
        level_bits = level_bits or code_bits + 2
        super().__init__(level_bits + int(mean), hardware)  # the mean shifts the table by less than its own range
        self.code_bits, self.noise, self.mean = code_bits, noise, mean
        levels = quantile_levels(code_bits)
        self.unit = float(levels[-1]) / (2 ** (level_bits - 1) - 1)
        self.register_buffer("table", torch.round(levels / self.unit).float(), persistent=False)
        if len(set(self.table.tolist())) != 2**code_bits:
            raise ValueError(f"a codebook of {code_bits} bits needs levels of more than {level_bits} bits to keep them apart")

    @property
    def stored_bits(self):
        return self.code_bits

    def statistics(self, weight):
        """mu and sd, without gradient."""
        weight = weight.detach()
        mu = weight.mean() if self.mean else weight.new_zeros(())
        return mu, (weight - mu).pow(2).mean().sqrt().clamp_min(1e-5)

    def prepare(self, weight):
        self.set_step(self.statistics(weight)[1] * self.unit)

    def codes(self, weight):
        mu, sd = self.statistics(weight)
        step = sd * self.unit
        self.step.copy_(hardware_step(step) if self.hardware else step)
        u = phi((weight - mu) / sd)
        index = torch.clamp(torch.floor(u * 2**self.code_bits), 0, 2**self.code_bits - 1).long()
        limit = 2 ** (self.bits - 1) - 1
        return torch.clamp(self.table[index] + torch.round(mu / self.step), -limit, limit)

    def noisy(self, weight, value):
        if not self.noise:
            return ste(weight, value)
        mu, sd = self.statistics(weight)
        half = self.noise / 2 ** (self.code_bits + 1)
        u = phi((weight - mu) / sd) + (2 * torch.rand_like(weight) - 1) * half
        return mu + sd * phi_inverse(torch.clamp(u, EDGE, 1 - EDGE))
