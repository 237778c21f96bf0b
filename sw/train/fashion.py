"""Fashion-MNIST, and a small network of 3x3 convolutions for it with 8-bit weights and activations."""
import numpy as np
import torch
from torch import nn

from layers import QuantConv2d, QuantLinear
from loop import read_idx
from models import CLASSES
from quantizers import FusedUniform

HELD_OUT = 5000  # of the training images, the last ones: what decisions are made on


def load(folder, part):
    """Images [N, 1, 28, 28] float, 0 to 255, and labels [N] of "train" or "t10k"."""
    images = torch.from_numpy(read_idx(folder / f"{part}-images-idx3-ubyte.gz").astype(np.float32)).unsqueeze(1)
    return images, torch.from_numpy(read_idx(folder / f"{part}-labels-idx1-ubyte.gz").astype(np.int64))


def augmented(images):
    """Half of the images mirrored, all moved by up to two pixels in each direction together, zeros moving in."""
    flipped = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images, images.flip(3))
    down, right = torch.randint(0, 5, (2,)).tolist()
    return nn.functional.pad(flipped, (2, 2, 2, 2))[:, :, down : down + images.shape[2], right : right + images.shape[3]]


def activation():
    """ReLU and 8 bits in one: 1/32 * {0 .. 255}."""
    return FusedUniform(8, signed=False, scale=2.0**-5)


def network(channels, strides):
    """Four 3x3 convolutions with batch norm, the average over the map, a classifier. Pixels come as integers 0 to 255."""
    layers, inputs = [FusedUniform(8, signed=False)], 1
    for outputs, stride in zip(channels, strides):
        # PyTorch starts weights within 1 / sqrt(fan in); these quantizers reach three times as far or more.
        weights = FusedUniform(8, signed=True, scale=2.0**-7 if inputs == 1 else 2.0**-9, narrow=True)
        layers += [QuantConv2d(inputs, outputs, 3, weights, padding=1, stride=stride, start=False), nn.BatchNorm2d(outputs), activation()]
        inputs = outputs
    classifier = FusedUniform(8, signed=True, scale=2.0**-8, narrow=True)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), activation(), nn.Flatten(), QuantLinear(inputs, CLASSES, classifier, start=False))
