"""QONNX models of one 3x3 convolution with random weights: dense ones of 2, 4 or 8 bits, or M shared kernels and ternary coefficients of a density."""
import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

DOMAIN = "qonnx.custom_op.general"
ACTIVATION_BITS = 8


class Model:
    """Nodes and constants in the order in which they are added; every scale is a power of two."""

    def __init__(self, channels, size):
        self.channels, self.size, self.nodes, self.constants = channels, size, [], []

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(numpy.asarray(values, numpy.float32), name))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{op}_{output}", domain=DOMAIN if op == "Quant" else "", **attributes))
        return output

    def quant(self, source, output, bits, signed, scale=1.0):
        inputs = [source, self.constant(f"{output}_scale", scale), self.constant(f"{output}_zero", 0), self.constant(f"{output}_bits", bits)]
        return self.node("Quant", inputs, output, signed=int(signed), narrow=int(signed), rounding_mode="ROUND")

    def weights(self, name, values, bits):
        return self.quant(self.constant(f"{name}_stored", values), name, bits, True)

    def finished(self, sums, spread):
        """ReLU and 8 bits behind sums of this standard deviation."""
        scale = 2.0 ** round(numpy.log2(max(1.0, spread) / 64))
        self.quant(sums, "out", ACTIVATION_BITS, False, scale)
        shape = [1, self.channels, self.size, self.size]
        graph = helper.make_graph(self.nodes, "layer", [helper.make_tensor_value_info("in", TensorProto.FLOAT, shape)],
                                  [helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid(DOMAIN, 1)])
        model.ir_version = 8
        return model


def spread(kernels):
    """Standard deviation of the sums over independent activations, uniform over 0 .. 255."""
    return float(numpy.sqrt((kernels**2).sum(axis=(1, 2, 3)).mean()) * 74)


def dense(channels, size, bits, seed):
    random = numpy.random.default_rng(seed)
    most = 2 ** (bits - 1) - 1
    kernels = random.integers(-most, most + 1, (channels, channels, 3, 3))
    model = Model(channels, size)
    model.quant("in", "activations", ACTIVATION_BITS, False)
    model.node("Conv", ["activations", model.weights("kernels", kernels, bits)], "sums", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    return model.finished("sums", spread(kernels))


def decomposed(channels, size, basis_count, density, seed):
    """A share `density` of the coefficients, drawn over the whole layer, is -1 or +1."""
    random = numpy.random.default_rng(seed)
    coefficients = numpy.zeros(channels * channels * basis_count)
    chosen = random.permutation(len(coefficients))[: max(1, round(density * len(coefficients)))]
    coefficients[chosen] = random.choice((-1, 1), len(chosen))
    coefficients = coefficients.reshape(channels, basis_count, channels)
    basis = random.integers(-127, 128, (basis_count, 3, 3))
    model = Model(channels, size)
    model.quant("in", "activations", ACTIVATION_BITS, False)
    ternary = model.weights("coefficients", coefficients.reshape(channels * basis_count, channels, 1, 1), 2)
    model.node("Conv", ["activations", ternary], "between", kernel_shape=[1, 1])
    shared = model.weights("basis", numpy.tile(basis, (channels, 1, 1, 1)), 8)
    model.node("Conv", ["between", shared], "sums", kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=channels)
    return model.finished("sums", spread(numpy.einsum("kmc,mrs->kcrs", coefficients, basis)))


def save(model, path):
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
