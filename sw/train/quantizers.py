"""Few-bit quantizers with straight-through estimators. Forward is exactly what the QONNX operators Quant and BipolarQuant compute."""
import torch
from torch import nn


class _BipolarSte(torch.autograd.Function):
    """-1 or +1 (0 becomes +1). The gradient passes where |x| <= 1, as if the sign were a hard tanh."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, torch.ones_like(x), -torch.ones_like(x))

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() <= 1).to(gradient.dtype)


class _UniformSte(torch.autograd.Function):
    """Round half to even, then clamp to low .. high. The gradient passes within half a step of that range."""

    @staticmethod
    def forward(ctx, x, low, high):
        ctx.save_for_backward((x >= low - 0.5) & (x <= high + 0.5))
        return torch.clamp(torch.round(x), low, high)

    @staticmethod
    def backward(ctx, gradient):
        (passes,) = ctx.saved_tensors
        return gradient * passes.to(gradient.dtype), None, None


class Bipolar(nn.Module):
    """Values {-1, +1}: QONNX BipolarQuant with scale 1. `enabled = False` gives the float network's stand-in, a hard tanh."""

    def __init__(self):
        super().__init__()
        self.enabled = True
        self.limits = (-1.0, 1.0)

    def forward(self, x):
        return _BipolarSte.apply(x) if self.enabled else nn.functional.hardtanh(x)


class Uniform(nn.Module):
    """Values scale * {low .. high}: QONNX Quant with zero point 0 and rounding mode ROUND. `enabled = False` passes x.

    The scale is fixed and should be a power of two: then float arithmetic on quantized values is exact.
    """

    def __init__(self, bits, signed, scale=1.0, narrow=False):
        super().__init__()
        self.bits, self.signed, self.scale, self.narrow = bits, signed, scale, narrow
        self.low = (-(2 ** (bits - 1)) + narrow) if signed else 0
        self.high = (2 ** (bits - 1) - 1) if signed else (2**bits - 1 - narrow)
        self.limits = (self.low * scale, self.high * scale)
        self.enabled = True

    def forward(self, x):
        return _UniformSte.apply(x / self.scale, self.low, self.high) * self.scale if self.enabled else x


class FusedUniform(Uniform):
    """The same values and gradients by one operator of PyTorch instead of six: what large maps are trained with. The scale must be a power
    of two, since PyTorch multiplies by its reciprocal."""

    def forward(self, x):
        return torch.fake_quantize_per_tensor_affine(x, self.scale, 0, self.low, self.high) if self.enabled else x


def set_enabled(module, enabled):
    """Turns every quantizer inside `module` on or off."""
    for part in module.modules():
        if isinstance(part, (Bipolar, Uniform)):
            part.enabled = enabled
