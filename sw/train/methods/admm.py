"""ADMM: pruning, of single weights or of the plane engine's words, and then equal steps for what is left.

Ren et al., "ADMM-NN: An Algorithm-Hardware Co-Design Framework of DNNs Using Alternating Direction Methods of Multipliers", ASPLOS 2019.
"""
import math

import torch

from .common import FLOAT, HARD, WeightQuantizer, nearest_hardware_step, ste

# What the layer sees in a mode. PRUNE: its weights; MASKED, LEVELS: those that are kept; FIXING: of these some at their level and some not
# yet; HARD: all at their level. PRUNE and LEVELS add the penalty.
PRUNE, MASKED, LEVELS, FIXING = "prune", "masked", "levels", "fixing"


GROWN = ("z", "u", "mask", "fixed")  # buffers that are empty until they are needed, and then have the weight's shape


def in_words(weight, word, channels_last):
    """The weights as [groups, PE, words, SIMD], as the plane engine reads them: an output group is PE kernels, a word SIMD weights of each
    that follow one another in the order kernel row, kernel column, channel. word: (PE, SIMD).
    channels_last: for a layer behind a Flatten, the map's (channels, height, width); its inputs are stored channel by channel."""
    pe, simd = word
    outputs = weight.shape[0]
    if weight.dim() == 4:
        flat = weight.permute(0, 2, 3, 1).reshape(outputs, -1)
    else:
        flat = weight.reshape(outputs, *channels_last).permute(0, 2, 3, 1).reshape(outputs, -1) if channels_last else weight
    if outputs % pe or flat.shape[1] % simd:
        raise ValueError(f"words of {pe} kernels x {simd} weights do not divide weights of {outputs} kernels x {flat.shape[1]}")
    return flat.reshape(outputs // pe, pe, flat.shape[1] // simd, simd)


def out_of_words(words, shape, channels_last):
    """Undoes in_words."""
    flat = words.reshape(shape[0], -1)
    if len(shape) == 4:
        return flat.reshape(shape[0], shape[2], shape[3], shape[1]).permute(0, 3, 1, 2)
    if channels_last:
        channels, height, width = channels_last
        return flat.reshape(shape[0], height, width, channels).permute(0, 3, 1, 2).reshape(shape)
    return flat


def largest(size, count):
    """A mask with `count` ones where `size` is largest (of equal ones, which is left to topk)."""
    mask = torch.zeros(size.numel(), device=size.device)
    mask[torch.topk(size.reshape(-1), count).indices] = 1
    return mask.reshape(size.shape)


def kept(weight, share, word=None, channels_last=None):
    """A mask that keeps the `share` of weights with the largest magnitude, at least one; of words those with the largest sum of squares."""
    if word is None:
        return largest(weight.abs(), max(1, round(share * weight.numel())))
    blocks = in_words(weight, word, channels_last)
    energy = blocks.pow(2).sum((1, 3), keepdim=True)
    mask = largest(energy, max(1, round(share * energy.numel())))
    return out_of_words(mask.expand_as(blocks), weight.shape, channels_last)


def to_levels(weight, step, top):
    """The nearest of +-1 .. +-top for each weight, in steps; no zero level, 0 stays 0."""
    return torch.sign(weight) * torch.clamp(torch.ceil(weight.abs() / step - 0.5), 1, top)


def fit_step(weight, top, hardware):
    """The step of the least squared error among 0.9 .. 1.1 times max|W| / top, by 0.001; with `hardware` among all b * 2^p from half of
    max|W| / top on, since their distances are wider than that."""
    weight = weight[weight != 0]
    first = weight.abs().max() / top
    if hardware:
        candidates = {float(nearest_hardware_step(first * factor)) for factor in torch.arange(0.4, 1.3, 0.02)}
    else:
        candidates = {float(first * (0.9 + 0.001 * i)) for i in range(201)}
    return min(sorted(candidates), key=lambda step: (weight - to_levels(weight, step, top) * step).pow(2).sum().item())


class AdmmWeight(WeightQuantizer):
    """keep: the share of weights (of words) that stay; levels n: codes +-1 .. +-n, 0 where pruned; rho: weight of the penalty; `word`:
    (PE, SIMD) prunes whole words of the plane engine.

    Every step adds rho * (W - Z + U) to the gradient (`penalty`); `update` sets Z = Proj(W + U) and U += W - Z. Z starts as Proj(W), U as 0.
    """

    method = "admm"

    def __init__(self, keep, levels, rho=1e-3, word=None, channels_last=None, hardware=True):
        super().__init__((levels).bit_length() + 1, hardware)
        if not 0 < keep <= 1 or levels < 1:
            raise ValueError(f"ADMM that keeps {keep} of the weights in {levels} levels a side; a share up to 1 and 1 level or more expected")
        self.keep, self.levels, self.rho, self.word, self.channels_last = keep, levels, rho, word, channels_last
        for name in GROWN:
            self.register_buffer(name, torch.empty(0))
        self.register_buffer("constraint", torch.zeros(()))  # that Z obeys: 0 none yet, 1 pruned, 2 levels

    @property
    def top(self):
        return self.levels

    @property
    def stored_bits(self):
        """Of a kept weight, which is never 0."""
        return (2 * self.levels - 1).bit_length()

    def _load_from_state_dict(self, state, prefix, *rest):
        for name in GROWN:
            if prefix + name in state:
                setattr(self, name, torch.empty_like(state[prefix + name], device=getattr(self, name).device))
        super()._load_from_state_dict(state, prefix, *rest)

    def project(self, weight):
        if self.mode == LEVELS:
            return to_levels(weight * self.mask, self.step, self.levels) * self.step
        return weight * kept(weight, self.keep, self.word, self.channels_last)

    def prepare(self, weight):
        """The step comes when the weights to keep are known."""

    def enter(self, mode, weight):
        self.mode = mode
        with torch.no_grad():
            if mode in (MASKED, LEVELS, FIXING, HARD) and not self.mask.numel():
                self.mask = kept(weight, self.keep, self.word, self.channels_last)
            if mode in (LEVELS, FIXING, HARD) and self.step.item() == 0:
                self.step.fill_(fit_step(weight * self.mask, self.levels, self.hardware))
            constraint = {PRUNE: 1, LEVELS: 2}.get(mode, 0)
            if constraint and self.constraint.item() != constraint:
                self.z, self.u = self.project(weight), torch.zeros_like(weight)
                self.constraint.fill_(constraint)
            if mode == FIXING and not self.fixed.numel():
                self.fixed = torch.zeros_like(weight)

    def penalty(self, weight):
        """rho / 2 * ||W - Z + U||^2, whose gradient is rho * (W - Z + U)."""
        return 0.5 * self.rho * (weight - self.z + self.u).pow(2).sum()

    @torch.no_grad()
    def update(self, weight):
        self.z = self.project(weight + self.u)
        self.u = self.u + weight - self.z

    @torch.no_grad()
    def fix(self, weight, share=0.3):
        """Of the weights at each level that are not fixed yet, fixes the `share` closest to it there."""
        codes = to_levels(weight * self.mask, self.step, self.levels)
        distance = (weight - codes * self.step).abs().reshape(-1)
        fixed = self.fixed.reshape(-1)  # a copy where the layer's memory has another order
        for code in torch.unique(codes[self.mask != 0]):
            free = ((codes == code) & (self.mask != 0) & (self.fixed == 0)).reshape(-1).nonzero().reshape(-1)
            chosen = free[torch.argsort(distance[free])[: math.ceil(share * len(free) - 1e-9)]]
            fixed[chosen] = code
        self.fixed = fixed.reshape(self.fixed.shape)

    def codes(self, weight):
        codes = to_levels(weight * self.mask, self.step, self.levels)
        return torch.where(self.fixed != 0, self.fixed, codes) if self.fixed.numel() else codes

    def forward(self, weight):
        if self.mode in (FLOAT, PRUNE):
            return weight
        if self.mode in (MASKED, LEVELS):
            return weight * self.mask
        if self.mode == FIXING:
            return torch.where(self.fixed != 0, self.fixed * self.step, weight * self.mask)
        with torch.no_grad():
            value = self.codes(weight) * self.step
        return ste(weight, value)
