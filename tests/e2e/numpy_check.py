#!/usr/bin/env python3
"""The scores of `bitloom run` against an execution of the same ONNX file by numpy alone, on all digits images.

usage: numpy_check.py BITLOOM REPOSITORY     exit status 77: numpy or onnx is missing
"""
import gzip
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

for module in ("numpy", "onnx"):
    if importlib.util.find_spec(module) is None:
        print(f"skipped: python3-{module} is not installed")
        sys.exit(77)

import numpy


def images(file):
    """The images of a gzipped IDX file, one channel each."""
    data = gzip.decompress(file.read_bytes())
    count, height, width = (int.from_bytes(data[at : at + 4], "big") for at in (4, 8, 12))
    return numpy.frombuffer(data, numpy.uint8, offset=16).reshape(count, 1, height, width)


def main():
    bitloom, repository = sys.argv[1], pathlib.Path(sys.argv[2])
    (test_images,) = (repository / "sw/data/digits").glob("*t10k-images*")
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        pixels, scores = pathlib.Path(folder, "pixels.npy"), pathlib.Path(folder, "scores.npy")
        numpy.save(pixels, images(test_images).astype(numpy.float32))
        for model in sorted((repository / "sw/train/models").glob("digits-*.onnx")):
            numpy_run = [sys.executable, repository / "tests/reference/onnx_numpy.py", model, "--data", pixels, "--out", scores]
            subprocess.run(numpy_run, check=True)
            status = subprocess.run([bitloom, "run", model, "--data", pixels, "--expect", scores], stdout=subprocess.DEVNULL).returncode
            print(f"{model.stem}: {'equal' if status == 0 else 'DIFFERENT'} on {len(numpy.load(scores))} images")
            failures += status != 0
            # The comparison itself can fail.
            changed = numpy.load(scores)
            changed[7, 3] += 1
            numpy.save(scores, changed)
            status = subprocess.run([bitloom, "run", model, "--data", pixels, "--expect", scores], capture_output=True).returncode
            failures += status != 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
