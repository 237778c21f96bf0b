#!/usr/bin/env python3
"""Runs an ONNX or QONNX file node by node in numpy: an independent check of Bitloom's executor and lowering.

Written from the operator specifications of ONNX and QONNX; shares no code with the C++ libraries. Needs numpy and onnx.

    onnx_numpy.py MODEL --data in.npy --out out.npy [--scale a] [--shift b] [--batch N] [--labels labels.npy]

in.npy holds images [N, ...]; the model sees float32(in * scale + shift). out.npy gets the first output of the model. With --labels the share of
images whose largest output is the label is printed.
"""

import argparse
import sys

import numpy as np
import onnx
from onnx import numpy_helper

OPERATORS = {}


def numpy_type(element_type):
    """The numpy type of an ONNX element type, in old and new versions of onnx."""
    if hasattr(onnx.helper, "tensor_dtype_to_np_dtype"):
        return onnx.helper.tensor_dtype_to_np_dtype(element_type)
    return onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[element_type]


def operator(*names):
    def register(function):
        for name in names:
            OPERATORS[name] = function
        return function

    return register


# Elementwise operators. Every function takes (attributes, opset, *inputs); an omitted optional input is None.

for _name, _function in {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Neg": np.negative, "Abs": np.abs, "Sqrt": np.sqrt, "Floor": np.floor,
    "Ceil": np.ceil, "Round": np.rint, "Sign": np.sign,
}.items():
    OPERATORS[_name] = lambda a, v, *x, f=_function: f(*x)


@operator("Div")
def div(a, opset, x, y):
    return x / y if np.issubdtype(x.dtype, np.floating) else (np.sign(x) * np.sign(y) * (abs(x) // abs(y))).astype(x.dtype)


@operator("Pow")
def power(a, opset, x, y):
    return np.power(x, y).astype(x.dtype)


@operator("Min")
def minimum(a, opset, *x):
    return np.minimum.reduce(np.broadcast_arrays(*x))


@operator("Max")
def maximum(a, opset, *x):
    return np.maximum.reduce(np.broadcast_arrays(*x))


@operator("Relu")
def relu(a, opset, x):
    return np.maximum(x, x.dtype.type(0))


@operator("LeakyRelu")
def leaky_relu(a, opset, x):
    return np.where(x < 0, np.float32(a.get("alpha", 0.01)) * x, x)


@operator("Clip")
def clip(a, opset, x, low=None, high=None):
    if opset < 11:
        low, high = a.get("min"), a.get("max")
    x = x if low is None else np.maximum(x, np.asarray(low, x.dtype))
    return x if high is None else np.minimum(x, np.asarray(high, x.dtype))


@operator("Identity", "Dropout")
def identity(a, opset, x, *unused):
    return x


@operator("Cast")
def cast(a, opset, x):
    return x.astype(numpy_type(a["to"]))


@operator("BatchNormalization")
def batch_normalization(a, opset, x, scale, bias, mean, variance):
    shape = [1, -1] + [1] * (x.ndim - 2)
    scale, bias, mean, variance = (p.reshape(shape) for p in (scale, bias, mean, variance))
    return scale * (x - mean) / np.sqrt(variance + np.float32(a.get("epsilon", 1e-5))) + bias


# Shapes.

@operator("Shape")
def shape_of(a, opset, x):
    return np.array(x.shape[slice(a.get("start", 0), a.get("end"))], np.int64)


@operator("Reshape")
def reshape(a, opset, x, shape):
    return x.reshape([x.shape[i] if d == 0 and not a.get("allowzero", 0) else d for i, d in enumerate(shape.tolist())])


@operator("Flatten")
def flatten(a, opset, x):
    axis = a.get("axis", 1)
    return x.reshape(int(np.prod(x.shape[:axis], dtype=np.int64)), -1)


@operator("Transpose")
def transpose(a, opset, x):
    return np.transpose(x, a.get("perm"))


@operator("Squeeze")
def squeeze(a, opset, x, axes=None):
    axes = a.get("axes") if axes is None else axes.tolist()
    return np.squeeze(x, None if axes is None else tuple(axes))


@operator("Unsqueeze")
def unsqueeze(a, opset, x, axes=None):
    return np.expand_dims(x, tuple(a["axes"] if axes is None else axes.tolist()))


@operator("Concat")
def concat(a, opset, *x):
    return np.concatenate(x, a["axis"])


@operator("Gather")
def gather(a, opset, x, indices):
    return np.take(x, indices, a.get("axis", 0))


@operator("Slice")
def slice_of(a, opset, x, starts=None, ends=None, axes=None, steps=None):
    starts, ends = (a["starts"], a["ends"]) if starts is None else (starts, ends)
    axes = a.get("axes", range(len(starts))) if axes is None else axes
    cut = [slice(None)] * x.ndim
    for i, axis in enumerate(axes):
        cut[axis] = slice(int(starts[i]), int(ends[i]), 1 if steps is None else int(steps[i]))
    return x[tuple(cut)]


@operator("ArgMax")
def arg_max(a, opset, x):
    index = np.argmax(x, a.get("axis", 0))
    return np.expand_dims(index, a.get("axis", 0)) if a.get("keepdims", 1) else index


@operator("TopK")
def top_k(a, opset, x, k=None):
    k, axis = int(a["k"] if k is None else k.reshape(-1)[0]), a.get("axis", -1)
    order = np.argsort(-x if a.get("largest", 1) else x, axis, kind="stable")
    index = np.take(order, range(k), axis)
    return np.take_along_axis(x, index, axis), index


# Products and windows.

@operator("MatMul")
def matmul(a, opset, x, y):
    return np.matmul(x, y)


@operator("Gemm")
def gemm(a, opset, x, y, c=None):
    product = np.matmul(x.T if a.get("transA", 0) else x, y.T if a.get("transB", 0) else y) * np.float32(a.get("alpha", 1.0))
    return product if c is None else product + np.float32(a.get("beta", 1.0)) * c


def windows(a, x, kernel, fill):
    """x [N, C, spatial] as [N, C, out spatial, kernel], padded with `fill`."""
    rank = x.ndim - 2
    strides, dilations, pads = a.get("strides", [1] * rank), a.get("dilations", [1] * rank), list(a.get("pads", [0] * 2 * rank))
    span = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    mode = a.get("auto_pad", b"NOTSET").decode()
    for i in range(rank if mode.startswith("SAME") else 0):
        total = max((-(-x.shape[2 + i] // strides[i]) - 1) * strides[i] + span[i] - x.shape[2 + i], 0)
        pads[i], pads[rank + i] = (total // 2, total - total // 2) if mode == "SAME_UPPER" else (total - total // 2, total // 2)
    if a.get("ceil_mode", 0):
        for i in range(rank):
            rest = (x.shape[2 + i] + pads[i] + pads[rank + i] - span[i]) % strides[i]
            last = -(-(x.shape[2 + i] + pads[i] + pads[rank + i] - span[i]) // strides[i]) * strides[i]
            if rest and last < x.shape[2 + i] + pads[i]:
                pads[rank + i] += strides[i] - rest
    x = np.pad(x, [(0, 0), (0, 0)] + [(pads[i], pads[rank + i]) for i in range(rank)], constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, span, tuple(range(2, 2 + rank)))
    step = tuple(slice(None, None, s) for s in strides)
    tap = tuple(slice(None, None, d) for d in dilations)
    return view[(slice(None), slice(None)) + step + tap]


@operator("Conv")
def conv(a, opset, x, weights, bias=None):
    rank, groups = x.ndim - 2, a.get("group", 1)
    view = windows(a, x, weights.shape[2:], 0)
    outputs = []
    for part, kernel in zip(np.split(view, groups, 1), np.split(weights, groups, 0)):
        axes = [1] + list(range(2 + rank, 2 + 2 * rank))
        outputs.append(np.moveaxis(np.tensordot(part, kernel, (axes, list(range(1, 2 + rank)))), -1, 1))
    out = np.concatenate(outputs, 1)
    return out if bias is None else out + bias.reshape([1, -1] + [1] * rank)


@operator("MaxPool")
def max_pool(a, opset, x):
    view = windows(a, x, a["kernel_shape"], -np.inf if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min)
    return view.max(tuple(range(x.ndim, view.ndim)))


@operator("AveragePool")
def average_pool(a, opset, x):
    inner = tuple(range(x.ndim, 2 * x.ndim - 2))
    total = windows(a, x, a["kernel_shape"], 0).sum(inner)
    if a.get("count_include_pad", 0):
        return total / np.float32(np.prod(a["kernel_shape"]))
    return total / windows(a, np.ones_like(x), a["kernel_shape"], 0).sum(inner)


@operator("GlobalAveragePool")
def global_average_pool(a, opset, x):
    return x.mean(tuple(range(2, x.ndim)), keepdims=True, dtype=x.dtype)


# QONNX.

ROUNDING = {
    "ROUND": np.rint, "HALF_EVEN": np.rint, "CEIL": np.ceil, "FLOOR": np.floor, "DOWN": np.trunc, "ROUND_TO_ZERO": np.trunc,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "HALF_UP": lambda x: np.sign(x) * np.floor(np.abs(x) + np.float32(0.5)),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(np.abs(x) - np.float32(0.5)),
}


def bounds(signed, narrow, bits):
    """The smallest and largest integer of a width, as float32."""
    bits = np.asarray(bits, np.float32)
    low = -(2.0 ** (bits - 1)) + (1 if narrow else 0) if signed else 0.0 * bits
    high = 2.0 ** (bits - 1) - 1 if signed else 2.0**bits - (2 if narrow else 1)
    return np.asarray(low, np.float32), np.asarray(high, np.float32)


def rounding(a, fallback):
    return ROUNDING[a.get("rounding_mode", fallback).decode().upper()]


@operator("Quant")
def quant(a, opset, x, scale, zero_point, bits):
    signed, narrow = a.get("signed", 1), a.get("narrow", 1)
    q = x / scale + zero_point
    whole = np.broadcast_to(bits, q.shape)
    clipped = rounding(a, b"ROUND")(np.clip(q, *bounds(signed, narrow, whole)))
    if signed:  # one bit means -1 and +1
        clipped = np.where(whole == 1, np.where(q >= 0, np.float32(1), np.float32(-1)), clipped)
    return ((clipped - zero_point) * scale).astype(np.float32)


@operator("Trunc")
def trunc(a, opset, x, scale, zero_point, in_bits, out_bits, *more):
    if more:  # version 2
        out_scale, step = out_bits, np.exp2(np.rint(np.log2(out_bits / scale)))
        q = np.clip(np.rint(x / scale + zero_point) / step, *bounds(a.get("signed", 1), a.get("narrow", 0), more[-1]))
        return ((rounding(a, b"FLOOR")(q) - zero_point / step) * out_scale).astype(np.float32)
    q = np.rint(x / scale + zero_point) / np.exp2(in_bits - out_bits)
    return ((rounding(a, b"FLOOR")(q) - zero_point) * scale).astype(np.float32)


@operator("BipolarQuant")
def bipolar_quant(a, opset, x, scale):
    return np.where(x >= 0, np.float32(1), np.float32(-1)) * scale


@operator("MultiThreshold")
def multi_threshold(a, opset, x, thresholds):
    axis = x.ndim - 1 if a.get("data_layout", b"NCHW") in (b"NHWC", b"NWC") else min(1, x.ndim - 1)
    rows = thresholds.reshape([-1] + [1] * (x.ndim - 1 - axis) + [thresholds.shape[1]])
    count = np.zeros(x.shape, np.float32)
    for level in range(thresholds.shape[1]):
        count += x >= rows[..., level]
    return np.float32(a.get("out_scale", 1.0)) * count + np.float32(a.get("out_bias", 0.0))


# Execution.

def attributes(node):
    values = {}
    for a in node.attribute:
        value = onnx.helper.get_attribute_value(a)
        values[a.name] = numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value
    return values


def constant(values):
    (name, value), = values.items()
    kinds = {"value": None, "value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
    return value if kinds[name] is None else np.array(value, kinds[name])


def run(model, x):
    """The value of every tensor by name, for the model's only input x."""
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    values = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    free = [i.name for i in model.graph.input if i.name not in values]
    if len(free) != 1:
        sys.exit(f"the model has {len(free)} inputs, one is supported")
    values[free[0]] = x
    for node in model.graph.node:
        a = attributes(node)
        if node.op_type == "Constant":
            results = (constant(a),)
        elif node.op_type in OPERATORS:
            results = OPERATORS[node.op_type](a, opset, *(values[name] if name else None for name in node.input))
            results = results if isinstance(results, tuple) else (results,)
        else:
            sys.exit(f"{node.name}: operator {node.op_type} of domain '{node.domain}' is not supported here")
        values.update(zip(node.output, (np.asarray(r) for r in results)))
    return values


def main():
    parser = argparse.ArgumentParser(description="Runs an ONNX or QONNX model in numpy.")
    parser.add_argument("model")
    parser.add_argument("--data", required=True, help="images, .npy [N, ...]")
    parser.add_argument("--out", help="outputs, .npy")
    parser.add_argument("--labels", help="labels, .npy [N]: prints the accuracy")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--shift", type=float, default=0.0)
    parser.add_argument("--batch", type=int, default=1000, help="images at once; 1 for models with a fixed batch (default %(default)s)")
    options = parser.parse_args()

    model = onnx.load(options.model)
    known = {i.name for i in model.graph.initializer}
    info = next(i for i in model.graph.input if i.name not in known)
    image_shape = [d.dim_value for d in info.type.tensor_type.shape.dim][1:]
    images = np.load(options.data)
    outputs = []
    for start in range(0, len(images), options.batch):
        part = images[start:start + options.batch].astype(np.float64) * options.scale + options.shift
        dtype = numpy_type(info.type.tensor_type.elem_type)
        values = run(model, part.astype(dtype).reshape([-1] + image_shape))
        outputs.append(values[model.graph.output[0].name])
    result = np.concatenate(outputs)
    if options.out:
        np.save(options.out, result)
    if options.labels:
        print(f"accuracy {100 * np.mean(result.reshape(len(images), -1).argmax(1) == np.load(options.labels)):.2f} %")


if __name__ == "__main__":
    main()
