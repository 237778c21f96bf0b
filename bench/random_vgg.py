#!/usr/bin/env python3
"""Writes a VGG-shaped QONNX model with random weights, to measure hardware on: 3x3 convolutions, max pools, one fully connected layer.

usage: bench/random_vgg.py LAYERS OUT.onnx [--size 32] [--channels 3] [--seed 1]

LAYERS: `56,72,M,8,M4`: channels of each padded 3x3 convolution, M for a 2x2 max pool, M4 for 4x4. `28b` ends the network: the signs of its sums are the output. Else a fully connected layer of 10 classes ends it.
Weights are -1 or +1 (BipolarQuant); every map has 8 bits, unsigned: ReLU and Quant (rounding down) behind a convolution, its scale fitting the spread of the sums. Scales are
powers of two, so that all float32 values are exact; no weight is trained, so answers mean nothing. Needs python3-onnx, python3-numpy.
"""
import argparse
import math

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

BITS = 8
CLASSES = 10
DOMAIN = "qonnx.custom_op.general"


class Writer:
    def __init__(self, seed):
        self.random = numpy.random.default_rng(seed)
        self.nodes, self.constants = [], []

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(numpy.asarray(value, numpy.float32), name))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{op}_{output}", domain=DOMAIN if "Quant" in op else "", **attributes))
        return output

    def weights(self, name, shape):
        values = self.constant(f"{name}_values", self.random.choice((-1.0, 1.0), shape))
        return self.node("BipolarQuant", [values, self.constant(f"{name}_scale", 1)], name)

    def quantizer(self, name, source, scale):
        return self.node("Quant", [source, self.constant(f"{name}_unit", scale), self.constant(f"{name}_zero", 0), self.constant(f"{name}_bits", BITS)], name,
                         signed=0, narrow=0, rounding_mode="FLOOR")


def finish(writer, in_shape, out_shape):
    graph = helper.make_graph(writer.nodes, "random_vgg", [helper.make_tensor_value_info("in", TensorProto.FLOAT, in_shape)],
                              [helper.make_tensor_value_info("out", TensorProto.FLOAT, out_shape)], writer.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(DOMAIN, 1)])
    model.ir_version = 8
    return model


def make(layers, size, channels, seed):
    writer = Writer(seed)
    shape = [1, channels, size, size]
    map_name = writer.quantizer("pixels", "in", 1)
    unit = 1.0  # of a map's integers
    for i, layer in enumerate(layers.split(",")):
        name = f"layer{i}"
        is_last = layer[-1] == "b"
        layer = layer.rstrip("b")
        if layer[0] == "M":
            pool = int(layer[1:] or 2)
            shape = [1, shape[1], shape[2] // pool, shape[3] // pool]
            map_name = writer.node("MaxPool", [map_name], name, kernel_shape=[pool, pool], strides=[pool, pool])
            continue
        fan_in = 9 * shape[1]
        sums = writer.node("Conv", [map_name, writer.weights(f"{name}_weights", [int(layer), shape[1], 3, 3])], f"{name}_sums", kernel_shape=[3, 3],
                           pads=[1, 1, 1, 1])
        if is_last:
            writer.node("BipolarQuant", [sums, writer.constant("out_scale", 1)], "out")
            return finish(writer, [1, channels, size, size], [1, int(layer), *shape[2:]])
        # Inputs of about 2^7 give sums that spread by 2^7 * sqrt(fan_in): twice that becomes 2^8 levels.
        unit *= 2.0 ** math.ceil(math.log2(math.sqrt(fan_in)))
        map_name = writer.quantizer(name, writer.node("Relu", [sums], f"{name}_positive"), unit)
        shape = [1, int(layer), *shape[2:]]
    flat = writer.node("Flatten", [map_name], "flat")
    writer.node("MatMul", [flat, writer.weights("classes_weights", [math.prod(shape), CLASSES])], "out")
    return finish(writer, [1, channels, size, size], [1, CLASSES])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers")
    parser.add_argument("out")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--channels", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    onnx.save(make(arguments.layers, arguments.size, arguments.channels, arguments.seed), arguments.out)


if __name__ == "__main__":
    main()
