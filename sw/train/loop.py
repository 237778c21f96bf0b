"""Data and the training loop: seeded, one thread, so that one machine with one PyTorch version repeats itself."""
import gzip
import pathlib
import struct
import time

import numpy as np
import torch
from torch import nn

from layers import QuantConv2d, QuantLinear
from quantizers import set_enabled

DIGITS = pathlib.Path(__file__).resolve().parent.parent / "data" / "digits"


def read_idx(path):
    with gzip.open(path, "rb") as file:
        content = file.read()
    dims = struct.unpack(f">{content[3]}I", content[4 : 4 + 4 * content[3]])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(dims)


def load_digits(part):
    """Images [N, 1, 8, 8] float and labels [N] of "train" or "t10k" (the test set)."""
    images = torch.from_numpy(read_idx(DIGITS / f"{part}-images-idx3-ubyte.gz").astype(np.float32)).unsqueeze(1)
    return images, torch.from_numpy(read_idx(DIGITS / f"{part}-labels-idx1-ubyte.gz").astype(np.int64))


def seed_everything(seed):
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)


def shifted(images):
    """Each image moved by -1, 0 or +1 pixels (0 twice as likely) in each direction, zeros moving in."""
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    n, _, height, width = images.shape
    steps = torch.tensor([0, 1, 1, 2])[torch.randint(0, 4, (2, n))]
    rows = (steps[0].unsqueeze(1) + torch.arange(height)).view(n, height, 1)
    columns = (steps[1].unsqueeze(1) + torch.arange(width)).view(n, 1, width)
    return padded[torch.arange(n).view(n, 1, 1), 0, rows, columns].unsqueeze(1)


def predict(model, images):
    model.eval()
    with torch.no_grad():
        return model(images)


def accuracy(model, images, labels):
    return (predict(model, images).argmax(1) == labels).double().mean().item()


def train(model, images, labels, epochs, rate=0.01, batch=64, augment=True, log=None):
    """Cross entropy, Adam, cosine learning rate. Float shadow weights are clamped to what their quantizer can
    represent, where its gradient passes."""
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    batches = (len(images) + batch - 1) // batch
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * batches)
    layers = [part for part in model.modules() if isinstance(part, (QuantConv2d, QuantLinear))]
    # The last layer has no batch norm; this brings its integer scores to the range where a softmax learns. It does not change the argmax.
    temperature = 3 * layers[-1].in_features ** -0.5
    start = time.time()
    for epoch in range(epochs):
        model.train()
        order = torch.randperm(len(images))
        for chunk in order.split(batch):
            x = shifted(images[chunk]) if augment else images[chunk]
            loss = nn.functional.cross_entropy(model(x) * temperature, labels[chunk])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                for layer in layers:
                    if layer.weight_quant.enabled:
                        layer.weight.clamp_(*layer.weight_quant.limits)
        if log and (epoch % 20 == 19 or epoch + 1 == epochs):
            log(f"epoch {epoch + 1}/{epochs}: loss {loss.item():.3f}, {time.time() - start:.0f} s")
    model.eval()
    return model


def without_quantizers(model):
    """The same architecture in float: quantizers off, the input's included."""
    set_enabled(model, False)
    return model
