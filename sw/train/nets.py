"""Architectures in plain PyTorch: the quantizers come by methods.quantize. Each starts with the pixels as they are, so that scales and batch
norm of the first layer take care of their range, and ends in a fully connected layer whose sums are the scores."""
from torch import nn

from methods import Branch, JoinReLU
from quantizers import Uniform


def conv(inputs, outputs, kernel=3, padding=1, stride=1):
    """Convolution, batch norm, ReLU."""
    return [nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def linear(inputs, outputs):
    return [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]


def pixels(bits):
    """The first quantizer: says that pixels are whole numbers, and leaves them as they are."""
    return Uniform(bits, signed=False)


def digits_cnn(width=1.0):
    """8x8 digits: 16, 16, 32 channels. 8,336 weights at width 1. Padded; binary maps have no zero, digits_bnn is for them."""
    a, b = round(16 * width), round(32 * width)
    return nn.Sequential(
        pixels(5), *conv(1, a), *conv(a, a), nn.MaxPool2d(2), *conv(a, b), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * b, 10, bias=False)
    )


def digits_bnn(width=1.0):
    """8x8 digits: 16, 32 channels, only the first convolution padded."""
    a, b = round(16 * width), round(32 * width)
    return nn.Sequential(
        pixels(5), *conv(1, a), *conv(a, b, padding=0), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(9 * b, 10, bias=False)
    )


def fashion_cnn(width=1.0, padding=1, channels=(32, 48, 64, 96, 128)):
    """28x28 pixels: five 3x3 convolutions. 219,168 weights and 16.5 M multiply-accumulates at width 1.

    padding 0: only the first convolution is padded, and there is no third pool: 208,928 weights, 5.5 M multiply-accumulates."""
    a, b, c, d, e = (round(count * width / 4) * 4 for count in channels)
    return nn.Sequential(
        pixels(8),
        *conv(1, a),
        nn.MaxPool2d(2),
        *conv(a, b, padding=padding),
        *conv(b, c, padding=padding),
        nn.MaxPool2d(2),
        *conv(c, d, padding=padding),
        *conv(d, e, padding=padding),
        *([nn.MaxPool2d(2)] if padding else []),
        nn.Flatten(),
        nn.Linear(9 * e if padding else e, 10, bias=False),
    )


def lenet5(width=1.0):
    """LeNet-5 as pruning papers have it: 20 and 50 channels of 5x5, 500 and 10 neurons, biases, no batch norm. 430,500 weights."""
    a, b, c = round(20 * width), round(50 * width), round(500 * width)
    return nn.Sequential(
        pixels(8),
        nn.Conv2d(1, a, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(a, b, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * b, c),
        nn.ReLU(),
        nn.Linear(c, 10),
    )


def cnv(width=1.0):
    """32x32 colour pixels, FINN's CNV: 3x3 convolutions without padding, so that binary maps need no zero. 1,542,848 weights."""
    a, b, c, d = (round(channels * width / 8) * 8 for channels in (64, 128, 256, 512))
    return nn.Sequential(
        pixels(8),
        *conv(3, a, padding=0),
        *conv(a, a, padding=0),
        nn.MaxPool2d(2),
        *conv(a, b, padding=0),
        *conv(b, b, padding=0),
        nn.MaxPool2d(2),
        *conv(b, c, padding=0),
        *conv(c, c, padding=0),
        nn.Flatten(),
        *linear(c, d),
        *linear(d, d),
        nn.Linear(d, 10, bias=False),
    )


def tinbinn(width=1.0):
    """32x32 colour pixels: pairs of 48, 96, 128 channels of 3x3 with a pool behind each, 256 and 256 neurons; meant for binary weights and
    8-bit activations, as TinBiNN has them."""
    a, b, c, d = (round(channels * width / 8) * 8 for channels in (48, 96, 128, 256))
    pairs = []
    for inputs, outputs in ((3, a), (a, b), (b, c)):
        pairs += [*conv(inputs, outputs), *conv(outputs, outputs), nn.MaxPool2d(2)]
    return nn.Sequential(pixels(8), *pairs, nn.Flatten(), *linear(16 * c, d), *linear(d, d), nn.Linear(d, 10, bias=False))


class Residual(nn.Module):
    """relu(body(x) + shortcut(x)). The sum has `join_bits` bits; inside the branches the bits of the other activations."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReLU(),  # x is not negative: this only makes room for a narrower quantizer
            *conv(inputs, outputs, stride=stride),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
            Branch(),
        )
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.ReLU(), nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs), Branch())
        self.join = JoinReLU()

    def forward(self, x):
        return self.join(self.body(x) + self.shortcut(x))


def resnet20(width=1.0):
    """32x32 colour pixels: three stages of three residual blocks, 16, 32, 64 channels, and the average over the map."""
    stages = [round(channels * width / 4) * 4 for channels in (16, 32, 64)]
    layers, inputs = [pixels(8), nn.Conv2d(3, stages[0], 3, 1, 1, bias=False), nn.BatchNorm2d(stages[0]), JoinReLU()], stages[0]
    for number, outputs in enumerate(stages):
        for block in range(3):
            layers.append(Residual(inputs, outputs, 2 if number and not block else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), JoinReLU(), nn.Flatten(), nn.Linear(inputs, 10, bias=False))


NETS = {
    "digits-cnn": digits_cnn,
    "digits-bnn": digits_bnn,
    "fashion-cnn": fashion_cnn,
    "lenet5": lenet5,
    "cnv": cnv,
    "tinbinn": tinbinn,
    "resnet20": resnet20,
}


def weight_count(model):
    return sum(part.weight.numel() for part in model.modules() if isinstance(part, (nn.Conv1d, nn.Conv2d, nn.Linear)))
