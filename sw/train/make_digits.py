#!/usr/bin/env python3
"""Makes sw/data/digits from the digits that scikit-learn ships: four gzipped IDX files, the same bytes each time."""
import argparse
import gzip
import pathlib
import struct

import numpy as np

SEED = 1998
TEST_IMAGES = 360


def class_quotas(labels, total):
    """How many of `total` images each class gives: its share rounded down, what is left goes to the largest remainders."""
    counts = np.bincount(labels)
    quotas = counts * total // len(labels)
    remainders = counts * total % len(labels)
    for c in np.argsort(-remainders, kind="stable")[: total - quotas.sum()]:
        quotas[c] += 1
    return quotas


def split(labels):
    """Walks through one seeded permutation; an image goes to the test set while its class has quota left. Returns (train, test)."""
    quotas = class_quotas(labels, TEST_IMAGES)
    train, test = [], []
    for i in np.random.RandomState(SEED).permutation(len(labels)):  # RandomState's stream is frozen across NumPy versions
        wanted = quotas[labels[i]] > 0
        quotas[labels[i]] -= wanted
        (test if wanted else train).append(i)
    return np.array(train), np.array(test)


def write_idx(path, array):
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(header + array.astype(np.uint8).tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent / "data" / "digits")
    out = parser.parse_args().out
    from sklearn.datasets import load_digits

    digits = load_digits()
    out.mkdir(parents=True, exist_ok=True)
    for name, indices in zip(("train", "t10k"), split(digits.target)):
        write_idx(out / f"{name}-images-idx3-ubyte.gz", digits.images[indices])
        write_idx(out / f"{name}-labels-idx1-ubyte.gz", digits.target[indices])
        print(f"{name}: {len(indices)} images")


if __name__ == "__main__":
    main()
