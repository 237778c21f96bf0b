"""Few-bit quantization of any torch module by one call: `quantize` puts parametrizations on its weights and takes the place of its ReLUs,
`set_mode` and the schedules of schedule.py switch them, `freeze` leaves plain weights that are whole numbers times a step.

    model = nn.Sequential(nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 10, bias=False))
    blocks = quantize(model, "nice", weight_bits=4, activation_bits=4)
"""
import inspect
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn.utils import parametrize

from .activations import ACTIVATIONS, ClampedActivation, SignActivation
from .admm import AdmmWeight
from .common import FLOAT, HARD, NOISY, WeightCode, WeightQuantizer, ste
from .nice import NiceWeight
from .plain import BinaryWeight, SteWeight, TernaryWeight
from .uniq import UniqWeight

BIAS_TOP = 2**15 - 1  # NICE: biases are whole numbers of 16 bits


class Branch(nn.Identity):
    """Marks the end of a branch of a residual sum: a signed quantizer of `join_bits` takes its place."""


class JoinReLU(nn.ReLU):
    """A ReLU behind a residual sum: its quantizer has `join_bits`."""


class BiasQuantizer(nn.Module):
    """Parametrization of a bias: a whole number of up to 16 bits in units of the layer's own weight step times its input's step (NICE's
    code takes the largest activation clamp of the network instead). It follows the mode of the weights."""

    def __init__(self, weight, source):
        super().__init__()
        self.sources = (weight, source)  # in a tuple, so that they are no submodules

    def unit(self):
        weight, source = self.sources
        return weight.step * (source.step() if source is not None else 1.0)

    def forward(self, bias):
        if self.sources[0].mode not in (NOISY, HARD):
            return bias
        unit = self.unit()
        with torch.no_grad():
            value = torch.clamp(torch.round(bias / unit), -BIAS_TOP, BIAS_TOP) * unit
        return ste(bias, value)


@dataclass
class Block:
    """A layer with weights and the activations behind it, as far as the next layer: the unit of a gradual schedule."""

    layer: nn.Module
    quantizer: WeightQuantizer
    activations: list = field(default_factory=list)

    @property
    def weight(self):
        """The float weights behind the quantized ones."""
        return self.layer.parametrizations.weight.original

    def enter(self, mode):
        self.quantizer.enter(mode, self.weight)
        for activation in self.activations:
            activation.mode = FLOAT if mode == FLOAT else HARD


KINDS = {"nice": NiceWeight, "uniq": UniqWeight, "admm": AdmmWeight, "binary": BinaryWeight, "ternary": TernaryWeight, "ste": SteWeight}
METHODS = tuple(KINDS)


def weight_quantizer(method, bits, options):
    """The parametrization of one weight. `bits`: of "uniq" those of the code; of "admm" those of a kept weight, which has one of
    2^(bits - 1) levels a side. NICE has no 1-bit form: "nice" with 1 bit is "binary", with NICE's noise."""
    if method not in KINDS:
        raise ValueError(f"method '{method}'; one of {', '.join(METHODS)} is expected")
    if method == "nice" and bits == 1:
        method, options = "binary", {"noise": 0.05, **{key: value for key, value in options.items() if key != "alpha"}}
    kind = KINDS[method]
    unknown = set(options) - set(inspect.signature(kind.__init__).parameters)
    if unknown:
        raise ValueError(f"method '{method}' has no option {', '.join(sorted(unknown))}")
    return kind(levels=2 ** (bits - 1), **options) if method == "admm" else kind(bits, **options)


def activation_quantizer(bits, learned_clamp, alpha, hardware, signed=False):
    if bits == 1 and not signed:
        return SignActivation()
    return ClampedActivation(bits, learned_clamp, alpha, hardware, signed)


def _replace(root, name, new):
    *path, last = name.split(".")
    parent = root
    for part in path:
        parent = getattr(parent, part)
    setattr(parent, last, new)


def quantize(
    model,
    method,
    weight_bits,
    activation_bits,
    *,
    edge_bits=None,
    join_bits=8,
    learned_clamp=True,
    activation_alpha="least-error",
    hardware=True,
    layers=None,
    **options,
):
    """Quantizes every Conv2d, Conv1d and Linear of `model`, in the order in which they are registered, and every ReLU; returns the blocks.

    weight_bits, activation_bits: of all layers; edge_bits: of the first and last layer's weights, where they differ (method "nice").
    learned_clamp False: activation clamps stay at what calibration found. hardware: steps are b * 2^p, b in 5 .. 8.
    layers: options for single layers by number ("0", "1", ..) or by dotted name, over `options`, which go to the method's class: noise, alpha, mean, level_bits,
    keep, rho, word, .. (noise 0 switches it off).
    """
    layers = dict(layers or {})
    kinds = (nn.Conv2d, nn.Conv1d, nn.Linear)
    named = [(name, part) for name, part in model.named_modules() if isinstance(part, kinds + (nn.ReLU, Branch))]
    total = sum(isinstance(part, kinds) for _, part in named)
    blocks, source, number = [], None, 0
    for name, part in named:
        if isinstance(part, kinds):
            edge = edge_bits is not None and number in (0, total - 1)
            own = {**({} if edge else options), **layers.pop(str(number), {})}
            if not name.isdigit():  # the numbers of nn.Sequential are names too
                own.update(layers.pop(name, {}))
            own.setdefault("hardware", hardware)
            bits = own.pop("weight_bits", edge_bits if edge else weight_bits)
            quantizer = weight_quantizer(own.pop("method", "nice" if edge else method), bits, own)
            parametrize.register_parametrization(part, "weight", quantizer)
            if getattr(part, "bias", None) is not None:
                parametrize.register_parametrization(part, "bias", BiasQuantizer(quantizer, source))
            blocks.append(Block(part, quantizer))
            number += 1
            continue
        bits = join_bits if isinstance(part, (Branch, JoinReLU)) else activation_bits
        source = activation_quantizer(bits, learned_clamp, activation_alpha, hardware, isinstance(part, Branch))
        _replace(model, name, source)
        if blocks:
            blocks[-1].activations.append(source)
    if layers:
        raise ValueError(f"options for the layers {', '.join(layers)}, which the network does not have; it has {total} layers")
    if not blocks:
        raise ValueError("the module has no convolution and no fully connected layer to quantize")
    return blocks


def set_mode(blocks, mode):
    for block in blocks:
        block.enter(mode)


def activations_of(model):
    return [part for part in model.modules() if isinstance(part, ACTIVATIONS)]


def calibrate(model, batches):
    """Sets every activation's clamp from float activations: `batches` of images through the model, nothing quantized."""
    activations = activations_of(model)
    training = model.training
    model.train()
    kept = [(norm, norm.momentum) for norm in model.modules() if isinstance(norm, nn.modules.batchnorm._BatchNorm)]
    for norm, _ in kept:
        norm.momentum = 0.0  # running statistics are none of calibration's business
    for activation in activations:
        activation.calibrate(True)
    with torch.no_grad():
        for images in batches:
            model(images)
    for activation in activations:
        activation.calibrate(False)
    for norm, momentum in kept:
        norm.momentum = momentum
    model.train(training)


def freeze(model, blocks):
    """Ends training: plain weights that hold code * step, and beside them `weight_code`, a WeightCode. The forward pass stays the same,
    value for value."""
    set_mode(blocks, HARD)
    model.eval()
    for block in blocks:
        layer = block.layer
        with torch.no_grad():
            layer.weight  # the step of a quantizer that follows its weights is as of now
            code = block.quantizer.code()
        if parametrize.is_parametrized(layer, "bias"):
            parametrize.remove_parametrizations(layer, "bias", leave_parametrized=True)
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
        layer.weight_code = code
    return model
