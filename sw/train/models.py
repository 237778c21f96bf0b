"""The example networks. Each is an nn.Sequential of layers that export.py knows, so the list is also the exported graph."""
from torch import nn

from layers import QuantConv2d, QuantLinear, signed_batch_norm
from quantizers import Bipolar, Uniform

CLASSES = 10


def digits_w1a1():
    """Weights and activations {-1, +1}. Only the first convolution is padded: binary maps have no zero to pad with."""
    return nn.Sequential(
        Uniform(5, signed=False),  # the pixels 0 .. 16, as integers
        QuantConv2d(1, 16, 3, Bipolar(), padding=1),
        signed_batch_norm(16),
        Bipolar(),
        QuantConv2d(16, 32, 3, Bipolar()),
        signed_batch_norm(32),
        Bipolar(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        QuantLinear(32 * 3 * 3, CLASSES, Bipolar()),
    )


def digits_w2a2():
    """Weights 0.5 * {-2 .. 1}, activations 0.5 * {0 .. 3}."""

    def weights():
        return Uniform(2, signed=True, scale=0.5)

    def activation():
        return [nn.ReLU(), Uniform(2, signed=False, scale=0.5)]

    return nn.Sequential(
        Uniform(5, signed=False),
        QuantConv2d(1, 16, 3, weights(), padding=1),
        signed_batch_norm(16),
        *activation(),
        QuantConv2d(16, 16, 3, weights(), padding=1),
        signed_batch_norm(16),
        *activation(),
        nn.MaxPool2d(2),
        QuantConv2d(16, 32, 3, weights(), padding=1),
        signed_batch_norm(32),
        *activation(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        QuantLinear(32 * 2 * 2, CLASSES, weights()),
    )


MODELS = {"digits-w1a1": digits_w1a1, "digits-w2a2": digits_w2a2}
