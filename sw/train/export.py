"""Writes a trained network as QONNX: Quant and BipolarQuant nodes, standard ONNX for the rest."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from decomposed import DecomposedConv2d
from layers import QuantConv2d, QuantLinear
from quantizers import Bipolar, Uniform
import export_rules

QONNX = "qonnx.custom_op.general"
OPSET = 13


class _Graph:
    """Nodes and initializers, named after their operator and its running number: Conv_0, Conv_1, ..."""

    def __init__(self):
        self.nodes, self.initializers, self.counts = [], [], {}

    def constant(self, name, values):
        self.initializers.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def node(self, op, inputs, domain="", constants=None, output=None, **attributes):
        """Appends a node; `constants` are further inputs, kept as initializers `<node>_<key>`. Returns the output's name."""
        number = self.counts.get(op, 0)
        self.counts[op] = number + 1
        name = f"{op}_{number}"
        inputs = inputs + [self.constant(f"{name}_{key}", value) for key, value in (constants or {}).items()]
        output = output or f"{name}_out"
        self.nodes.append(helper.make_node(op, inputs, [output], name=name, domain=domain, **attributes))
        return output

    def quantizer(self, quantizer, x, output=None):
        if isinstance(quantizer, Bipolar):
            return self.node("BipolarQuant", [x], QONNX, {"scale": 1.0}, output)
        parameters = {"scale": quantizer.scale, "zero_point": 0.0, "bits": quantizer.bits}
        return self.node(
            "Quant", [x], QONNX, parameters, output, signed=int(quantizer.signed), narrow=int(quantizer.narrow), rounding_mode="ROUND"
        )

    def weight(self, layer, name, transpose=False):
        """The quantized values stand in the file; the quantizer after them says their width and leaves them as they are."""
        values = layer.quantized_weight().detach().numpy() + 0.0  # -0 becomes 0
        return self.quantizer(layer.weight_quant, self.constant(f"{name}_weight", values.T.copy() if transpose else values), f"{name}_weight_quant")

    def decomposed(self, layer, x):
        """A ternary 1x1 convolution to K*M maps (row k*M + m), and a convolution of K groups whose kernels are the same M in each."""
        outputs, inputs, count = layer.coefficients.shape
        name = f"Conv_{self.counts.get('Conv', 0)}"
        ternary = layer.ternary_coefficients().detach().numpy().transpose(0, 2, 1).reshape(outputs * count, inputs, 1, 1) + 0.0
        weight = self.quantizer(Uniform(2, signed=True, narrow=True), self.constant(f"{name}_weight", ternary), f"{name}_weight_quant")
        x = self.node("Conv", [x, weight], kernel_shape=[1, 1], strides=[1, 1], pads=[0, 0, 0, 0])
        name = f"Conv_{self.counts.get('Conv', 0)}"
        basis = np.tile(layer.quantized_basis().detach().numpy() + 0.0, (outputs, 1, 1, 1))
        weight = self.quantizer(layer.basis_quant, self.constant(f"{name}_weight", basis), f"{name}_weight_quant")
        return self.node(
            "Conv", [x, weight], group=outputs, kernel_shape=list(layer.kernel_size), strides=list(layer.stride), pads=list(layer.padding) * 2
        )


def _array(tensor):
    return tensor.detach().numpy()


def _append(graph, layer, x):
    """Appends one layer of an nn.Sequential that reads tensor `x`; returns its output."""
    if isinstance(layer, (Bipolar, Uniform)):
        return graph.quantizer(layer, x)
    if isinstance(layer, QuantConv2d):
        name = f"Conv_{graph.counts.get('Conv', 0)}"
        pads = list(layer.padding) * 2
        return graph.node("Conv", [x, graph.weight(layer, name)], kernel_shape=list(layer.kernel_size), strides=list(layer.stride), pads=pads)
    if isinstance(layer, DecomposedConv2d):
        return graph.decomposed(layer, x)
    if isinstance(layer, nn.AdaptiveAvgPool2d):
        if layer.output_size != 1:
            raise TypeError(f"export: an average to {layer.output_size} pixels found; only the global average (1) has a rule")
        return graph.node("GlobalAveragePool", [x])
    if isinstance(layer, QuantLinear):
        name = f"MatMul_{graph.counts.get('MatMul', 0)}"
        return graph.node("MatMul", [x, graph.weight(layer, name, transpose=True)])
    if isinstance(layer, nn.BatchNorm2d):
        parameters = {
            "gamma": _array(layer.weight),
            "beta": _array(layer.bias),
            "mean": _array(layer.running_mean),
            "variance": _array(layer.running_var),
        }
        return graph.node("BatchNormalization", [x], constants=parameters, epsilon=layer.eps)
    if isinstance(layer, nn.ReLU):
        return graph.node("Relu", [x])
    if isinstance(layer, nn.MaxPool2d):
        size = [layer.kernel_size, layer.kernel_size]
        return graph.node("MaxPool", [x], kernel_shape=size, strides=size)
    if isinstance(layer, nn.Flatten):
        return graph.node("Flatten", [x], axis=1)
    return export_rules.append(graph, layer, x, _append)


def to_onnx(model, name, image_shape, classes, metadata):
    """The model as onnx.ModelProto: input "image" [1, ...image_shape], output "scores" [1, classes]. `metadata` is kept as text."""
    model.eval()
    graph = _Graph()
    x = "image"
    for layer in model:
        x = _append(graph, layer, x)
    graph.nodes[-1].output[0] = "scores"
    inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, *image_shape])]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, classes])]
    body = helper.make_graph(graph.nodes, name.replace("-", "_"), inputs, outputs, graph.initializers)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(QONNX, 1)]
    proto = helper.make_model(body, producer_name="bitloom-train", opset_imports=opsets)
    proto.ir_version = 8
    helper.set_model_props(proto, {key: str(value) for key, value in metadata.items()})
    onnx.checker.check_model(proto)
    return proto
