"""Convolution decomposed into M shared basis kernels and sparse ternary coefficients: W[k, c] = sum_m T[k, c, m] * B[m].

Trained as the dense convolution of the reconstructed kernel; exported as a ternary 1x1 convolution to K*M maps and a grouped convolution
with shared kernels, which is the same function. No scales beside the two quantizers': a batch norm must follow, and absorbs them.
"""
import torch
from torch import nn
from torch.nn import functional

from quantizers import FusedUniform

BASIS_BITS = 8


class _TernarySte(torch.autograd.Function):
    """sign(c) where `mask`, else 0. The gradient passes everywhere, so that a pruned coefficient may come back while the mask moves."""

    @staticmethod
    def forward(ctx, coefficients, mask):
        return torch.sign(coefficients) * mask

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


class DecomposedConv2d(nn.Module):
    """Shadow coefficients [K, C, M] and basis [M, R, S] in float; forward sees ternary coefficients and an 8-bit basis.

    `ternary` False leaves the coefficients float (the first phase of training). `density` is the share of coefficients that are not zero,
    the largest ones of the layer; `freeze_mask` keeps the present choice from then on.
    """

    def __init__(self, inputs, outputs, kernel, basis_count, stride=1, padding=0):
        super().__init__()
        self.kernel_size, self.stride, self.padding = (kernel, kernel), (stride, stride), (padding, padding)
        if not 1 <= basis_count <= kernel * kernel:
            raise ValueError(f"{basis_count} basis kernels given; 1 to {kernel * kernel} expected for {kernel}x{kernel}")
        self.coefficients = nn.Parameter(torch.zeros(outputs, inputs, basis_count))
        self.basis = nn.Parameter(torch.zeros(basis_count, kernel, kernel))
        self.basis_quant = FusedUniform(BASIS_BITS, signed=True, scale=2.0 ** (1 - BASIS_BITS), narrow=True)
        self.ternary, self.density = False, 1.0
        self.register_buffer("mask", torch.zeros(0))

    @classmethod
    def from_dense(cls, convolution, basis_count):
        """Singular value decomposition of the K*C kernels as they are, without centring: their mean needs no kernel of its own.

        Output channels are brought to one norm first; the batch norm behind makes up for it."""
        weight = convolution.quantized_weight().detach().double()
        outputs, inputs, kernel, _ = weight.shape
        layer = cls(inputs, outputs, kernel, basis_count, convolution.stride[0], convolution.padding[0])
        rows = (weight / weight.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)).reshape(outputs * inputs, -1)
        left, values, right = torch.linalg.svd(rows, full_matrices=False)
        basis = right[:basis_count]
        basis = basis * (0.75 * layer.basis_quant.limits[1] / basis.abs().max())
        coefficients = (left * values)[:, :basis_count].reshape(outputs, inputs, basis_count)
        coefficients = coefficients / coefficients.flatten(1).pow(2).mean(1).sqrt().view(-1, 1, 1)
        with torch.no_grad():
            layer.basis.copy_(basis.reshape(basis_count, kernel, kernel))
            layer.coefficients.copy_(coefficients)
        return layer

    def kept(self):
        """Which coefficients are not zero: the largest `density` of the layer, or the frozen choice."""
        if self.mask.numel():
            return self.mask
        size = self.coefficients.abs()
        count = max(1, round(self.density * size.numel()))
        threshold = size.flatten().kthvalue(size.numel() - count + 1).values
        return (size >= threshold).to(size.dtype)

    def freeze_mask(self):
        self.mask = self.kept().detach()

    def ternary_coefficients(self):
        return _TernarySte.apply(self.coefficients, self.kept())

    def quantized_basis(self):
        return self.basis_quant(self.basis)

    def quantized_weight(self):
        coefficients = self.ternary_coefficients() if self.ternary else self.coefficients
        outputs, inputs, count = coefficients.shape
        weight = coefficients.reshape(-1, count) @ self.quantized_basis().reshape(count, -1)
        return weight.reshape(outputs, inputs, *self.kernel_size)

    def forward(self, x):
        return functional.conv2d(x, self.quantized_weight(), stride=self.stride, padding=self.padding)


def decomposed_layers(model):
    return [part for part in model.modules() if isinstance(part, DecomposedConv2d)]


def l1(model):
    """Sum of the coefficients' magnitudes, to be weighed into the loss: what carries little shrinks until it is pruned."""
    return sum(layer.coefficients.abs().sum() for layer in decomposed_layers(model))


def density_at(progress, start, final):
    """Density after `progress` (0 to 1) of the pruning phase: falls fast at first, by a cubic, so that the last and dearest steps are small."""
    return final + (start - final) * (1 - progress) ** 3


def alternate(model, train_basis):
    """Lets gradients into either the bases or the coefficients of all decomposed layers: a bilinear form is better trained a factor at a time."""
    for layer in decomposed_layers(model):
        layer.basis.requires_grad_(train_basis)
        layer.coefficients.requires_grad_(not train_basis)
