"""Data sets from files that are there: nothing is downloaded. Images stay 8-bit pixels; the network's first quantizer takes them as they are."""
import gzip
import lzma
import pathlib
import struct
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from loop import DIGITS

OPENERS = {".gz": gzip.open, ".xz": lzma.open}
CIFAR_RECORD = 1 + 3 * 32 * 32
IDX_SETS = {"digits": 0, "mnist": 5000, "fashion-mnist": 5000}  # and how many training images, the last ones, are held out
NAMES = (*IDX_SETS, "cifar-10")


@dataclass
class Part:
    images: torch.Tensor  # uint8 [N, C, H, W]
    labels: torch.Tensor  # int64 [N]

    def __len__(self):
        return len(self.labels)

    def to(self, device):
        return Part(self.images.to(device), self.labels.to(device))


@dataclass
class Data:
    """train: what is trained on; held: training images held out, for decisions; test: what is reported. `pixel_bits`: of a pixel."""

    name: str
    train: Part
    held: Part
    test: Part
    pixel_bits: int
    classes: int = 10

    def to(self, device):
        return Data(self.name, self.train.to(device), self.held.to(device), self.test.to(device), self.pixel_bits, self.classes)


def find(folder, stem):
    """The file `stem`, `stem`.gz or `stem`.xz in a folder."""
    for path in (folder / stem, folder / f"{stem}.gz", folder / f"{stem}.xz"):
        if path.exists():
            return path
    raise FileNotFoundError(f"{folder / stem}: not found, nor with .gz or .xz; give the folder that holds the data set (see sw/train/README.md)")


def read(path):
    with OPENERS.get(path.suffix, open)(path, "rb") as file:
        return file.read()


def read_idx(path):
    """An IDX file of unsigned bytes, plain, .gz or .xz, as an array."""
    content = read(path)
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise ValueError(f"{path}: is no IDX file of unsigned bytes: it starts with {content[:4].hex()}, 000008 expected")
    dims = struct.unpack_from(f">{content[3]}I", content, 4)
    if len(content) != 4 + 4 * len(dims) + int(np.prod(dims)):
        raise ValueError(f"{path}: has {len(content)} bytes; {4 + 4 * len(dims) + int(np.prod(dims))} follow from its header")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(dims)).reshape(dims)


def read_cifar(path):
    """Images [N, 3, 32, 32] and labels [N] of a CIFAR-10 binary batch."""
    content = np.frombuffer(read(path), np.uint8)
    if not len(content) or len(content) % CIFAR_RECORD:
        raise ValueError(f"{path}: has {len(content)} bytes; whole records of {CIFAR_RECORD} bytes are expected")
    records = content.reshape(-1, CIFAR_RECORD)
    if records[:, 0].max() > 9:
        raise ValueError(f"{path}: a label is {records[:, 0].max()}; 0 to 9 expected")
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]


def _part(images, labels):
    return Part(torch.from_numpy(np.array(images)), torch.from_numpy(labels.astype(np.int64)))


def _load_idx(folder, held):
    parts = {}
    for name in ("train", "t10k"):
        images, labels = read_idx(find(folder, f"{name}-images-idx3-ubyte")), read_idx(find(folder, f"{name}-labels-idx1-ubyte"))
        if len(images) != len(labels):
            raise ValueError(f"{folder}: {len(images)} images of '{name}' and {len(labels)} labels")
        parts[name] = (images[:, None], labels)
    images, labels = parts["train"]
    cut = len(images) - held
    return _part(images[:cut], labels[:cut]), _part(images[cut:], labels[cut:]), _part(*parts["t10k"])


def _load_cifar(folder):
    """Batches 1 to 4 train, batch 5 is held out; the test batch, or test_batch_first1000.bin where only that is there."""
    batches = [read_cifar(find(folder, f"data_batch_{i}.bin")) for i in range(1, 6)]
    try:
        test = read_cifar(find(folder, "test_batch.bin"))
    except FileNotFoundError:
        test = read_cifar(find(folder, "test_batch_first1000.bin"))
    images, labels = (np.concatenate(parts) for parts in zip(*batches[:4]))
    return _part(images, labels), _part(*batches[4]), _part(*test)


def load(name, folder=None):
    """The data set `name` (one of NAMES) from the folder of its files; "digits" are built in. Of IDX sets the last 5,000 training images are
    held out; the digits are too few for that, their held-out part is empty."""
    if name not in NAMES:
        raise ValueError(f"data set '{name}'; one of {', '.join(NAMES)} is expected")
    if name == "digits":
        return Data(name, *_load_idx(DIGITS, 0), pixel_bits=5)
    if folder is None:
        raise FileNotFoundError(f"the data set {name} is not built in: say where its files are (--data FOLDER)")
    folder = pathlib.Path(folder)
    if (folder / name).is_dir():
        folder = folder / name
    return Data(name, *(_load_cifar(folder) if name == "cifar-10" else _load_idx(folder, IDX_SETS[name])), pixel_bits=8)


def augmented(images, shift=0, flip=False):
    """Float images [N, C, H, W], each moved by up to `shift` pixels in each direction, zeros moving in, and mirrored by chance."""
    if not shift and not flip:
        return images
    count, channels, height, width = images.shape
    on = {"device": images.device}
    images = nn.functional.pad(images, (shift,) * 4)
    steps = torch.randint(0, 2 * shift + 1, (2, count, 1), **on)
    rows, columns = steps[0] + torch.arange(height, **on), steps[1] + torch.arange(width, **on)
    if flip:
        columns = torch.where(torch.rand(count, 1, **on) < 0.5, columns.flip(1), columns)
    first, second = torch.arange(count, **on)[:, None, None, None], torch.arange(channels, **on)[None, :, None, None]
    return images[first, second, rows[:, None, :, None], columns[:, None, None, :]]
