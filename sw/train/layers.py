"""Layers with quantized weights, and batch normalization whose scale starts with either sign."""
import torch
from torch import nn
from torch.nn import functional

from quantizers import Uniform


def spread(weight, quantizer):
    """Starts a uniform quantizer's weights over all its codes: PyTorch's small start would round to zero everywhere and stay there."""
    if isinstance(quantizer, Uniform):
        reach = -quantizer.limits[0] * 0.75
        nn.init.uniform_(weight, -reach, reach)


class QuantConv2d(nn.Conv2d):
    """Convolution without bias; `weight_quant` shapes the weights that the forward pass sees. `start` False: PyTorch's own start."""

    def __init__(self, inputs, outputs, kernel, weight_quant, padding=0, stride=1, start=True):
        super().__init__(inputs, outputs, kernel, padding=padding, stride=stride, bias=False)
        self.weight_quant = weight_quant
        if start:
            spread(self.weight, weight_quant)

    def quantized_weight(self):
        return self.weight_quant(self.weight)

    def forward(self, x):
        return functional.conv2d(x, self.quantized_weight(), stride=self.stride, padding=self.padding)


class QuantLinear(nn.Linear):
    """Fully connected layer without bias."""

    def __init__(self, inputs, outputs, weight_quant, start=True):
        super().__init__(inputs, outputs, bias=False)
        self.weight_quant = weight_quant
        if start:
            spread(self.weight, weight_quant)

    def quantized_weight(self):
        return self.weight_quant(self.weight)

    def forward(self, x):
        return functional.linear(x, self.quantized_weight())


def signed_batch_norm(channels):
    """Half of the channels, by chance, start with a negative gamma: trained models then hold rising and falling thresholds alike."""
    norm = nn.BatchNorm2d(channels)
    with torch.no_grad():
        norm.weight.copy_(torch.where(torch.rand(channels) < 0.5, -1.0, 1.0) * torch.ones(channels))
    return norm
