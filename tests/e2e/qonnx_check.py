#!/usr/bin/env python3
"""The QONNX operators in Bitloom's executor against tests/reference/onnx_numpy.py, written from their specification: random cases of every variant.

usage: qonnx_check.py ONNX_EXECUTE [SEED]     exit status 77: numpy or onnx is missing
"""
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

for module in ("numpy", "onnx"):
    if importlib.util.find_spec(module) is None:
        print(f"skipped: python3-{module} is not installed")
        sys.exit(77)

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "reference"))
import onnx_numpy

DOMAIN = "qonnx.custom_op.general"
MODES = ["ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "ROUND_TO_ZERO", "HALF_UP", "HALF_DOWN", "half_up"]
SHAPES = [(3, 5), (2, 3, 4), (1, 4, 3, 5)]


class Model:
    """Independent nodes, each with its inputs as initializers."""

    def __init__(self):
        self.nodes, self.initializers, self.labels = [], [], {}

    def add(self, op, inputs, label, **attributes):
        names = []
        for value in inputs:
            names.append(f"i{len(self.initializers)}")
            self.initializers.append(numpy_helper.from_array(np.asarray(value, np.float32), names[-1]))
        output = f"y{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, names, [output], name=f"{op}{len(self.nodes)}", domain=DOMAIN, **attributes))
        self.labels[output] = label

    def build(self):
        info = helper.make_tensor_value_info
        passed = helper.make_node("Identity", ["x"], ["y"])
        graph = helper.make_graph(self.nodes + [passed], "qonnx", [info("x", TensorProto.FLOAT, [1])], [info("y", TensorProto.FLOAT, [1])],
                                  self.initializers)
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid(DOMAIN, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def data(random, shape, scale):
    """Values around the quantizer's steps: ties, exact steps, halves of steps, and anything; also beyond the range."""
    steps = random.integers(-40, 41, shape).astype(np.float32) / np.float32(random.choice([1, 2, 4]))
    x = steps * np.asarray(scale, np.float32)
    anything = random.normal(0, 10, shape).astype(np.float32) * np.asarray(scale, np.float32)
    return np.where(random.random(shape) < 0.3, anything, x).astype(np.float32)


def per_channel(random, shape, make):
    """One parameter for all, or one per channel."""
    if random.random() < 0.5:
        return np.float32(make())
    form = [1] * len(shape)
    form[1] = shape[1]
    return np.array([make() for _ in range(shape[1])], np.float32).reshape(form)


def scale_of(random):
    return random.choice([0.25, 0.5, 1, 2, 0.1, 0.3, 1 / 3, 0.0078125, 3.7])


def add_quant(model, random):
    for mode in MODES:
        for signed in (0, 1):
            for narrow in (0, 1):
                for bits in (1, 2, 3, 4, 8, 2.5):
                    if not signed and narrow and bits == 1:
                        continue  # a range of the single value 0
                    shape = SHAPES[random.integers(len(SHAPES))]
                    scale = per_channel(random, shape, lambda: scale_of(random))
                    zero = 0 if random.random() < 0.5 else per_channel(random, shape, lambda: float(random.integers(-3, 4)))
                    width = np.float32(bits)
                    model.add("Quant", [data(random, shape, scale), scale, zero, width],
                              f"Quant {mode} signed={signed} narrow={narrow} bits={bits} scale{np.shape(scale)} zero{np.shape(zero)}",
                              rounding_mode=mode, signed=signed, narrow=narrow)
    # Bit widths per channel, and the defaults.
    for shape in SHAPES:
        width = np.arange(2, 2 + shape[1], dtype=np.float32).reshape([1, -1] + [1] * (len(shape) - 2))
        model.add("Quant", [data(random, shape, 0.5), 0.5, 0, width], "Quant with bits per channel", rounding_mode="ROUND", signed=1, narrow=0)
        model.add("Quant", [data(random, shape, 0.5), 0.5, 0, 4], "Quant with its defaults")


def add_bipolar(model, random):
    for shape in SHAPES * 4:
        scale = per_channel(random, shape, lambda: scale_of(random))
        x = data(random, shape, scale)
        x.flat[0], x.flat[1] = 0.0, -0.0
        model.add("BipolarQuant", [x, scale], "BipolarQuant")


def add_trunc(model, random):
    for mode in MODES:
        for in_bits, out_bits in ((8, 4), (6, 6), (10, 3)):
            shape = SHAPES[random.integers(len(SHAPES))]
            scale = per_channel(random, shape, lambda: scale_of(random))
            zero = float(random.integers(-2, 3))
            x = (random.integers(-130, 130, shape) * scale).astype(np.float32)
            model.add("Trunc", [x, scale, zero, in_bits, out_bits], f"Trunc {mode} {in_bits} -> {out_bits}", rounding_mode=mode)


def add_second_trunc(model, random):
    """Version 2, with and without the output zero point that its implementation has."""
    for mode in MODES:
        for signed in (0, 1):
            for narrow in (0, 1):
                shape = SHAPES[random.integers(len(SHAPES))]
                scale = np.float32(scale_of(random))
                x = (random.integers(-130, 130, shape) * scale).astype(np.float32)
                inputs = [x, scale, float(random.integers(-2, 3)), 8, scale * np.float32(random.choice([1, 4, 16]))]
                inputs += [0, 4] if random.random() < 0.5 else [4]
                model.add("Trunc", inputs, f"Trunc 2 {mode} {signed} {narrow}", rounding_mode=mode, signed=signed, narrow=narrow)


def add_multi_threshold(model, random):
    for layout in ("NCHW", "NHWC", "NC", "NCW", "NWC", None):
        for rows in ("one", "each"):
            for out_scale, out_bias in ((1, 0), (2, -1), (0.5, 0.25), (-1, 3)):
                rank = {"NC": 2, "NCW": 3, "NWC": 3}.get(layout, 4)
                shape = [1, 4, 3, 5][:rank]
                channel = rank - 1 if layout in ("NHWC", "NWC") else 1
                levels = int(random.integers(1, 8))
                table = np.sort(random.integers(-8, 9, (shape[channel] if rows == "each" else 1, levels)).astype(np.float32) / 2, 1)
                x = random.integers(-20, 21, shape).astype(np.float32) / 4
                attributes = {} if layout is None else {"data_layout": layout}
                model.add("MultiThreshold", [x, table], f"MultiThreshold {layout} {rows} {out_scale} {out_bias}", out_scale=float(out_scale),
                          out_bias=float(out_bias), **attributes)


def main():
    execute = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    random = np.random.default_rng(seed)
    model = Model()
    for add in (add_quant, add_bipolar, add_trunc, add_second_trunc, add_multi_threshold):
        add(model, random)
    built = model.build()
    with tempfile.TemporaryDirectory() as folder:
        file, inputs, out = (str(pathlib.Path(folder, name)) for name in ("model.onnx", "in.npz", "out.npz"))
        onnx.save(built, file)
        np.savez(inputs, x=np.zeros(1, np.float32))
        subprocess.run([execute, file, inputs, out], check=True)
        found = dict(np.load(out))
    expected = onnx_numpy.run(built, np.zeros(1, np.float32))
    failures, values = 0, 0
    for node in built.graph.node[:-1]:
        want, got = expected[node.output[0]], found[node.output[0]]
        values += want.size
        if want.shape == got.shape and np.array_equal(want, got):
            continue
        failures += 1
        where = np.argmax(want != got) if want.shape == got.shape else None
        detail = f"{got.flat[where]} found, {want.flat[where]} expected" if where is not None else f"shape {got.shape}, {want.shape} expected"
        print(f"{node.name} ({model.labels[node.output[0]]}): {detail}")
    print(f"seed {seed}: {len(model.nodes)} random cases with {values} values, {failures} different")
    # The comparison can fail: a quantizer with other steps gives other values.
    name = built.graph.node[1].output[0]
    return 1 if failures or np.array_equal(found[name] + 1, expected[name]) else 0


if __name__ == "__main__":
    sys.exit(main())
