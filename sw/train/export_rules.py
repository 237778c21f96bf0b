"""QONNX of what methods.quantize and nets.py use; export.py asks here for layers that it does not know itself."""
import numpy as np
from onnx import numpy_helper
from torch import nn

from methods import ClampedActivation, SignActivation
from nets import Residual

QONNX = "qonnx.custom_op.general"
LARGE = 2**16  # weights


def _pair(value):
    return list(value) if isinstance(value, (tuple, list)) else [value, value]


def _weight(graph, layer, name, transpose=False):
    """The frozen weights as values, and behind them the quantizer that says their width: it leaves them as they are. Large tensors stand in
    the file as 8-bit codes, with a DequantizeLinear for code * step."""
    if not hasattr(layer, "weight_code"):
        raise TypeError(f"export: the weights of {name} are still trained; freeze the model first (methods.freeze)")
    code = layer.weight_code
    values = layer.weight.detach().cpu().numpy() + 0.0  # -0 becomes 0
    values = values.T.copy() if transpose else values
    if values.size >= LARGE and code.bits <= 8:
        codes = np.rint(values / np.float32(code.step)).astype(np.int8)
        graph.initializers.append(numpy_helper.from_array(codes, f"{name}_weight_codes"))
        constant = graph.node("DequantizeLinear", [f"{name}_weight_codes"], "", {"scale": code.step}, f"{name}_weight")
    else:
        constant = graph.constant(f"{name}_weight", values)
    if code.bits == 1:
        return graph.node("BipolarQuant", [constant], QONNX, {"scale": code.step}, f"{name}_weight_quant")
    return _quant(graph, constant, code.step, code.bits, True, f"{name}_weight_quant")


def _quant(graph, x, step, bits, signed, output=None):
    parameters = {"scale": step, "zero_point": 0.0, "bits": bits}
    return graph.node("Quant", [x], QONNX, parameters, output, signed=int(signed), narrow=int(signed), rounding_mode="ROUND")


def _conv(graph, layer, x):
    name = f"Conv_{graph.counts.get('Conv', 0)}"
    inputs = [x, _weight(graph, layer, name)]
    if layer.bias is not None:
        inputs.append(graph.constant(f"{name}_bias", layer.bias.detach().cpu().numpy()))
    pads = list(layer.padding) * 2
    shape = {"kernel_shape": list(layer.kernel_size), "strides": list(layer.stride), "pads": pads, "dilations": list(layer.dilation)}
    return graph.node("Conv", inputs, group=layer.groups, **shape)


def _linear(graph, layer, x):
    name = f"MatMul_{graph.counts.get('MatMul', 0)}"
    x = graph.node("MatMul", [x, _weight(graph, layer, name, transpose=True)])
    if layer.bias is None:
        return x
    return graph.node("Add", [x], constants={"bias": layer.bias.detach().cpu().numpy()})


def _activation(graph, layer, x):
    step = float(layer.step())
    return _quant(graph, x if layer.signed else graph.node("Relu", [x]), step, layer.bits, layer.signed)


def _batch_norm(graph, layer, x):
    parameters = {"gamma": layer.weight, "beta": layer.bias, "mean": layer.running_mean, "variance": layer.running_var}
    constants = {key: value.detach().cpu().numpy() for key, value in parameters.items()}
    return graph.node("BatchNormalization", [x], constants=constants, epsilon=layer.eps)


def append(graph, layer, x, append_any):
    """Appends `layer`, which reads tensor `x`, to the graph; returns its output. `append_any`: export's own rule, for what is inside."""
    if isinstance(layer, (nn.Conv2d, nn.Conv1d)):
        return _conv(graph, layer, x)
    if isinstance(layer, nn.Linear):
        return _linear(graph, layer, x)
    if isinstance(layer, ClampedActivation):
        return _activation(graph, layer, x)
    if isinstance(layer, SignActivation):
        return graph.node("BipolarQuant", [x], QONNX, {"scale": 1.0})
    if isinstance(layer, nn.BatchNorm1d):
        return _batch_norm(graph, layer, x)
    if isinstance(layer, nn.AvgPool2d):
        return graph.node("AveragePool", [x], kernel_shape=_pair(layer.kernel_size), strides=_pair(layer.stride))
    if isinstance(layer, nn.AdaptiveAvgPool2d) and layer.output_size in (1, (1, 1)):
        return graph.node("GlobalAveragePool", [x])
    if isinstance(layer, Residual):
        return append_any(graph, layer.join, graph.node("Add", [append_any(graph, layer.body, x), append_any(graph, layer.shortcut, x)]))
    if isinstance(layer, nn.Sequential):
        for part in layer:
            x = append_any(graph, part, x)
        return x
    raise TypeError(f"export: no rule for a layer of type {type(layer).__name__}; add one to export_rules.py")
