#!/usr/bin/env python3
"""Writes a network of ImageNet's shapes as a QONNX model with seeded random weights: what it answers means nothing, what it takes in hardware does not depend on that.

usage: bench/big_networks.py {resnet18,alexnet,vgg,mobilenet} OUT.onnx [--size 224] [--width 1.0] [--blocks 2] [--no-skips] [--weights 1] [--activations 2] [--classes 1000] [--seed 1]

resnet18   7x7 convolution, max pool, four stages of `--blocks` residual blocks, average, one fully connected layer. A block adds its input to its second convolution's sums before they are
           quantized, and passes the sum on with all its bits; only what a convolution takes is quantized. --no-skips leaves the additions (and 1x1 convolutions beside them) out.
alexnet    the first one, with two groups in convolutions 2, 4 and 5 (724 million multiplications at 224x224).
vgg        FINN's CNV: six 3x3 convolutions without padding in three pairs, three fully connected layers. --size 32 is its own.
mobilenet  V1: 3x3 depthwise and 1x1 convolutions in turn.

Weights are -1 or +1 (BipolarQuant), with --weights N > 1 signed N-bit integers; the input has 8 bits, maps have --activations bits, unsigned. Each convolution is followed by a shift of its own for each channel
(batch normalization) and a Quant that rounds down, of a scale that fits the spread of the sums; scales are powers of two. --width multiplies the channels of all layers (multiples of 8). Needs python3-onnx, python3-numpy.
"""
import argparse
import math

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

DOMAIN = "qonnx.custom_op.general"


class Writer:
    def __init__(self, arguments):
        self.random = numpy.random.default_rng(arguments.seed)
        self.weight_bits, self.bits, self.width = arguments.weights, arguments.activations, arguments.width
        self.nodes, self.constants = [], []

    def channels(self, n):
        return max(8, round(n * self.width / 8) * 8)

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(numpy.asarray(value, numpy.float32), name))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{op}_{output}", domain=DOMAIN if "Quant" in op else "", **attributes))
        return output

    def weights(self, name, shape):
        if self.weight_bits == 1:
            values = self.constant(f"{name}_values", self.random.integers(0, 2, shape, numpy.int8) * 2 - 1)
            return self.node("BipolarQuant", [values, self.constant(f"{name}_scale", 1)], name)
        high = 2 ** (self.weight_bits - 1)
        values = self.constant(f"{name}_values", self.random.integers(-high, high, shape, numpy.int8))
        parameters = [self.constant(f"{name}_{p}", v) for p, v in (("scale", 1), ("zero", 0), ("bits", self.weight_bits))]
        return self.node("Quant", [values, *parameters], name, signed=1, narrow=0, rounding_mode="ROUND")

    def quantizer(self, name, source, scale, bits):
        return self.node("Quant", [source, self.constant(f"{name}_unit", scale), self.constant(f"{name}_zero", 0), self.constant(f"{name}_bits", bits)], name,
                         signed=0, narrow=0, rounding_mode="FLOOR")

    def sums(self, name, source, kernel, stride, pad, groups=1):
        """A convolution; source and result are (map's name, shape, spread of its values)."""
        map_name, (_, c, h, w), spread = source
        k, size = kernel
        out = [1, k, (h + 2 * pad - size) // stride + 1, (w + 2 * pad - size) // stride + 1]
        fan_in = size * size * c // groups
        self.node("Conv", [map_name, self.weights(f"{name}_weights", [k, c // groups, size, size])], name, kernel_shape=[size, size], strides=[stride, stride],
                  pads=[pad] * 4, group=groups)
        weight_spread = 1 if self.weight_bits == 1 else 2 ** (self.weight_bits - 1) / math.sqrt(3)
        return name, out, spread * weight_spread * math.sqrt(fan_in)

    def activation(self, name, source, per_channel=True):
        map_name, shape, spread = source
        if per_channel:
            shift = numpy.round(self.random.normal(0, spread / 4, [1, shape[1], 1, 1])) + 0.5
            map_name = self.node("Add", [map_name, self.constant(f"{name}_shift", shift)], f"{name}_shifted")
        map_name = self.node("Relu", [map_name], f"{name}_positive")
        scale = 2.0 ** round(math.log2(2 * spread / 2**self.bits))
        return self.quantizer(name, map_name, scale, self.bits), shape, 2**self.bits / 3

    def convolution(self, name, source, kernel, stride=1, pad=0, groups=1):
        return self.activation(f"{name}_act", self.sums(name, source, kernel, stride, pad, groups))

    def max_pool(self, name, source, size, stride, pad=0):
        map_name, (n, c, h, w), spread = source
        out = [n, c, (h + 2 * pad - size) // stride + 1, (w + 2 * pad - size) // stride + 1]
        return self.node("MaxPool", [map_name], name, kernel_shape=[size, size], strides=[stride, stride], pads=[pad] * 4), out, spread

    def fully_connected(self, name, source, outputs, flatten=False):
        map_name, shape, spread = source
        values = math.prod(shape)
        if flatten:
            map_name = self.node("Flatten", [map_name], f"{name}_flat")
        return self.node("MatMul", [map_name, self.weights(f"{name}_weights", [values, outputs])], name), [1, outputs], spread * math.sqrt(values)


def residual_block(w, name, source, channels, stride, skips):
    """`source`: (sums, quantized): with skips both leave a block."""
    sums, quantized = source
    inner = w.convolution(f"{name}_1", quantized, (channels, 3), stride, 1)
    out = w.sums(f"{name}_2", inner, (channels, 3), 1, 1)
    if skips:
        if stride != 1 or sums[1][1] != channels:
            sums = w.sums(f"{name}_skip", quantized, (channels, 1), stride, 0)
        out = w.node("Add", [out[0], sums[0]], f"{name}_sum"), out[1], math.hypot(out[2], sums[2])
    return out, w.activation(f"{name}_act", out)


def resnet(w, source, blocks, skips):
    first = w.convolution("conv1", source, (w.channels(64), 7), 2, 3)
    first = w.max_pool("pool1", first, 3, 2, 1)
    source = first, first
    for stage in range(4):
        for block in range(blocks):
            source = residual_block(w, f"stage{stage + 1}_{block + 1}", source, w.channels(64 << stage), 2 if stage > 0 and block == 0 else 1, skips)
    map_name, shape, spread = source[1]
    average = w.node("GlobalAveragePool", [map_name], "average"), [1, shape[1], 1, 1], spread / math.sqrt(shape[2] * shape[3])
    return w.node("Flatten", [average[0]], "features"), [1, shape[1]], average[2]


def alexnet(w, source):
    source = w.max_pool("pool1", w.convolution("conv1", source, (w.channels(96), 11), 4, 2), 3, 2)
    source = w.max_pool("pool2", w.convolution("conv2", source, (w.channels(256), 5), 1, 2, 2), 3, 2)
    source = w.convolution("conv3", source, (w.channels(384), 3), 1, 1)
    source = w.convolution("conv4", source, (w.channels(384), 3), 1, 1, 2)
    source = w.max_pool("pool5", w.convolution("conv5", source, (w.channels(256), 3), 1, 1, 2), 3, 2)
    for i in (6, 7):
        source = w.activation(f"fc{i}_act", w.fully_connected(f"fc{i}", source, w.channels(4096), i == 6), per_channel=False)
    return source


def vgg(w, source):
    for i, channels in enumerate((64, 64, 128, 128, 256, 256)):
        source = w.convolution(f"conv{i + 1}", source, (w.channels(channels), 3))
        if i in (1, 3):
            source = w.max_pool(f"pool{i + 1}", source, 2, 2)
    for i in range(2):
        source = w.activation(f"fc{i + 1}_act", w.fully_connected(f"fc{i + 1}", source, w.channels(512), i == 0), per_channel=False)
    return source


def mobilenet(w, source):
    source = w.convolution("conv1", source, (w.channels(32), 3), 2, 1)
    layers = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + 5 * [(512, 1)] + [(1024, 2), (1024, 1)]
    for i, (channels, stride) in enumerate(layers):
        c = source[1][1]
        source = w.convolution(f"dw{i + 1}", source, (c, 3), stride, 1, c)
        source = w.convolution(f"pw{i + 1}", source, (w.channels(channels), 1))
    map_name, shape, spread = source
    average = w.node("GlobalAveragePool", [map_name], "average"), [1, shape[1], 1, 1], spread / math.sqrt(shape[2] * shape[3])
    return w.node("Flatten", [average[0]], "features"), [1, shape[1]], average[2]


def make(arguments):
    w = Writer(arguments)
    shape = [1, 3, arguments.size, arguments.size]
    source = w.quantizer("pixels", "in", 1, 8), shape, 128
    if arguments.network == "resnet18":
        source = resnet(w, source, arguments.blocks, not arguments.no_skips)
    else:
        source = {"alexnet": alexnet, "vgg": vgg, "mobilenet": mobilenet}[arguments.network](w, source)
    w.node("MatMul", [source[0], w.weights("classes_weights", [source[1][1], arguments.classes])], "out")
    graph = helper.make_graph(w.nodes, arguments.network, [helper.make_tensor_value_info("in", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, arguments.classes])], w.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(DOMAIN, 1)])
    model.ir_version = 8
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=("resnet18", "alexnet", "vgg", "mobilenet"))
    parser.add_argument("out")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--no-skips", action="store_true")
    parser.add_argument("--weights", type=int, default=1)
    parser.add_argument("--activations", type=int, default=2)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    onnx.save(make(arguments), arguments.out)


if __name__ == "__main__":
    main()
