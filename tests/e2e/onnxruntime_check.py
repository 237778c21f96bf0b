#!/usr/bin/env python3
"""Bitloom's executor against ONNX Runtime: every node of standard ONNX in the models of shared/, given Bitloom's own values of its inputs, and random
small cases of single operators.

usage: onnxruntime_check.py ONNX_EXECUTE [SEED] [MODEL ...]     exit status 77: numpy, onnx or onnxruntime is missing
"""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import time

for module in ("numpy", "onnx", "onnxruntime"):
    if importlib.util.find_spec(module) is None:
        print(f"skipped: the Python package {module} is not installed")
        sys.exit(77)

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

LARGEST_FILE = 500_000
CUSTOM = {"RequantShift", "Quant", "BipolarQuant", "Trunc", "MultiThreshold", "iRMSNorm"}  # some models write these without a domain


def dtype_of(element_type):
    return helper.tensor_dtype_to_np_dtype(element_type)


def run_ort(model, inputs):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))


def different(want, got, steps=False):
    """How many values differ. Floats: relative to the largest value in float32, since sums may be taken in another order. `steps`: one apart is a tie."""
    if want.shape != got.shape:
        return max(want.size, 1)
    if want.dtype.kind != "f":
        apart = np.abs(want.astype(np.float64) - got.astype(np.float64))
        return int(np.count_nonzero(apart > (1 if steps else 0)))
    want, got = want.astype(np.float64), got.astype(np.float64)
    same = (want == got) | (np.isnan(want) & np.isnan(got))
    finite = np.abs(want[np.isfinite(want)])
    with np.errstate(invalid="ignore"):
        near = np.abs(want - got) <= 2e-6 * np.abs(want) + 1e-6 * (finite.max() if finite.size else 0)
    return int(np.count_nonzero(~(same | near)))


def execute(program, model, inputs):
    with tempfile.TemporaryDirectory() as folder:
        file, given, out = (str(pathlib.Path(folder, name)) for name in ("model.onnx", "in.npz", "out.npz"))
        onnx.save(model, file)
        if inputs:
            np.savez(given, **inputs)
        result = subprocess.run([program, file, given, out], capture_output=True, text=True)
        return (dict(np.load(out)), "") if result.returncode == 0 else (None, result.stderr.strip())


def random_inputs(model, random):
    known = {i.name for i in model.graph.initializer}
    inputs = {}
    for info in model.graph.input:
        if info.name in known:
            continue
        tensor = info.type.tensor_type
        shape = [max(d.dim_value, 1) for d in tensor.shape.dim]
        kind = dtype_of(tensor.elem_type or TensorProto.FLOAT)
        low = 0 if kind.kind == "u" else -100
        values = random.integers(low, 100, shape)
        inputs[info.name] = values.astype(kind)
    return inputs


class Counts:
    def __init__(self):
        self.models = self.nodes = self.values = self.custom = self.refused = self.failures = 0


def stand_alone(node, model, values, types):
    """A model of this node alone, and its inputs."""
    opsets = [o for o in model.opset_import if o.domain in ("", "ai.onnx")]
    inputs, infos = {}, []
    for name in dict.fromkeys(node.input):
        if not name:
            continue
        value = values[name]
        kind = dtype_of(types[name]) if types.get(name) else (np.dtype(np.float32) if value.dtype.kind == "f" else np.dtype(np.int64))
        inputs[name] = value.astype(kind)
        infos.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(kind), value.shape))
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
    return helper.make_model(helper.make_graph([node], "node", infos, outputs), opset_imports=opsets, ir_version=8), inputs


def check_model(program, file, random, counts):
    model = onnx.load(file)
    inputs = random_inputs(model, random)
    found, error = execute(program, model, {k: v if v.dtype.kind == "f" else v.astype(np.int64) for k, v in inputs.items()})
    if found is None:
        counts.refused += 1
        return
    counts.models += 1
    values = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    values.update({n.output[0]: numpy_helper.to_array(n.attribute[0].t) for n in model.graph.node
                   if n.op_type == "Constant" and n.attribute[0].type == onnx.AttributeProto.TENSOR})
    types = {name: helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in values.items()}
    try:
        inferred = onnx.shape_inference.infer_shapes(model)
        for info in [*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output]:
            types.setdefault(info.name, info.type.tensor_type.elem_type)
    except Exception:  # unknown operators: types fall back to float32 and int64
        pass
    values.update(inputs)
    values.update(found)
    for node in model.graph.node:
        if node.op_type == "Constant":
            continue
        if node.domain not in ("", "ai.onnx") or node.op_type in CUSTOM or any(name not in values for name in node.input if name):
            counts.custom += 1
            continue
        try:
            single, given = stand_alone(node, model, values, types)
            outputs = run_ort(single, given)
        except Exception as problem:  # an operator or type that ONNX Runtime does not implement
            counts.refused += 1
            if "-v" in sys.argv:
                print(f"{file}: {node.op_type} {node.name}: {str(problem)[:150]}")
            continue
        counts.nodes += 1
        for name, want in outputs.items():
            counts.values += want.size
            count = different(want, found[name], steps=node.op_type.startswith("QLinear"))
            if count:
                counts.failures += 1
                print(f"{file}: {node.op_type} {node.name}: {count} of {want.size} values of '{name}' differ")


# Random single operators: name, inputs, attributes, opset.

def cases(random):
    f = lambda *shape: random.normal(0, 2, shape).astype(np.float32)
    ints = lambda low, high, shape, kind: random.integers(low, high, shape).astype(kind)
    pick = lambda *options: options[random.integers(len(options))]
    flag = lambda: int(random.integers(2))
    i64 = lambda *values: np.array(values, np.int64)
    window = lambda rank: {"strides": [int(random.integers(1, 3)) for _ in range(rank)], "pads": [int(random.integers(0, 2)) for _ in range(2 * rank)]}
    for _ in range(8):
        rank = pick(1, 2)
        space = [int(random.integers(5, 9)) for _ in range(rank)]
        kernel = [int(random.integers(1, 4)) for _ in range(rank)]
        groups = pick(1, 1, 2, 4)
        conv = {"kernel_shape": kernel, "group": groups, "dilations": [pick(1, 2) for _ in range(rank)], **window(rank)}
        weights = (pick(4, 8), 4 // groups, *kernel)
        yield "Conv", [f(2, 4, *space), f(*weights), *([f(weights[0])] if flag() else [])], conv, 13
        yield "ConvInteger", [ints(0, 255, (1, 4, *space), np.uint8), ints(0, 9, weights, np.uint8), np.uint8(7), np.uint8(3)], conv, 13
        scales = np.abs(f(weights[0])) / 50 + np.float32(0.01)
        yield "QLinearConv", [ints(0, 255, (1, 4, *space), np.uint8), np.float32(0.1), np.uint8(5), ints(-99, 99, weights, np.int8), scales,
                              np.zeros(weights[0], np.int8), np.float32(0.7), np.uint8(pick(0, 128)), ints(-999, 999, weights[0], np.int32)], conv, 13
        auto = {"kernel_shape": kernel, "auto_pad": pick("SAME_UPPER", "SAME_LOWER", "VALID"), "strides": window(rank)["strides"]}
        yield "Conv", [f(1, 2, *space), f(3, 2, *kernel)], auto, 13
        big = [k + 1 for k in kernel]
        pool = {"kernel_shape": big, "ceil_mode": flag(), **window(rank)}
        yield "MaxPool", [f(2, 3, *space)], pool, 13
        yield "AveragePool", [f(2, 3, *space)], {**pool, "ceil_mode": 0, "count_include_pad": flag()}, 13
        yield pick("GlobalAveragePool", "GlobalMaxPool"), [f(2, 3, *space)], {}, 13
        a, b = flag(), flag()
        yield "Gemm", [f(*((5, 3) if a else (3, 5))), f(*((4, 5) if b else (5, 4))), f(*pick((4,), (3, 4), (3, 1), ()))], \
            {"transA": a, "transB": b, "alpha": float(pick(1, 0.5, -2)), "beta": float(pick(1, 0.25))}, 13
        left, right = pick(((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (3, 4, 2)), ((4,), (4, 3)), ((3, 4), (4,)))
        yield "MatMul", [f(*left), f(*right)], {}, 13
        yield "MatMulInteger", [ints(0, 255, (3, 4), np.uint8), ints(-9, 9, (4, 5), np.int8), np.uint8(9), np.int8(1)], {}, 13
        yield "QLinearMatMul", [ints(0, 255, (3, 4), np.uint8), np.float32(0.1), np.uint8(3), ints(0, 255, (4, 5), np.uint8), np.float32(0.2), np.uint8(99),
                                np.float32(3.1), np.uint8(128)], {}, 13
        kind = pick(np.uint8, np.int8)
        axis = pick(0, 1, -1)
        x = f(3, 4, 5) * 40
        size = x.shape[axis]
        many = flag()
        scale = (np.abs(f(size)) + np.float32(0.1)) if many else np.float32(0.3)
        zero = ints(0, 20, size, kind) if many else kind(pick(0, 7))
        yield "QuantizeLinear", [x, scale, zero], {"axis": axis}, 13
        yield "DequantizeLinear", [ints(0, 120, (3, 4, 5), kind), scale, zero], {"axis": axis}, 13
        yield "DynamicQuantizeLinear", [f(3, 7)], {}, 13
        for op in ("Add", "Sub", "Mul", "Div"):
            left, right = pick(((2, 3, 4), (3, 4)), ((2, 3, 4), (1,)), ((2, 1, 4), (3, 1)), ((), (3,)))
            yield op, [f(*left), f(*right)], {}, 13
            yield op, [ints(-50, 50, left, np.int64), ints(1, 9, right, np.int64) * pick(1, -1)], {}, 13
        for op in ("Abs", "Ceil", "Floor", "Round", "Sign", "Neg", "Relu", "Sigmoid", "Identity"):
            yield op, [np.round(f(3, 5) * 4) / 4], {}, 13
        yield "Sqrt", [np.abs(f(3, 5))], {}, 13
        yield "Pow", [np.abs(f(3, 5)), np.float32(pick(2, 0.5, 3))], {}, 13
        yield pick("Min", "Max"), [f(3, 5), f(5), f(3, 1)], {}, 13
        yield "LeakyRelu", [f(3, 5)], {"alpha": float(pick(0.1, 0.01, -0.5))}, 13
        yield "Clip", [f(3, 5), np.float32(-1), np.float32(1.5)], {}, 13
        yield "BatchNormalization", [f(2, 3, 4), f(3), f(3), f(3), np.abs(f(3)) + np.float32(0.1)], {"epsilon": 1e-3}, 13
        yield pick("Softmax", "LogSoftmax"), [f(2, 3, 4)], {"axis": pick(0, 1, 2, -1)}, pick(11, 13)
        yield "ArgMax", [np.round(f(3, 4, 5))], {"axis": pick(0, 1, 2, -1), "keepdims": flag(), "select_last_index": flag()}, 13
        yield "TopK", [f(3, 6), i64(int(random.integers(1, 5)))], {"axis": pick(1, -1), "largest": flag()}, 13
        yield "Transpose", [f(2, 3, 4)], {"perm": [int(p) for p in random.permutation(3)]}, 13
        yield "Reshape", [f(2, 3, 4), pick(i64(6, 4), i64(-1, 2), i64(0, -1), i64(24), i64(2, 0, 2, 2))], {}, 13
        yield "Flatten", [f(2, 3, 4)], {"axis": pick(0, 1, 2, 3, -1)}, 13
        yield "Squeeze", [f(1, 3, 1), *pick([], [i64(0)], [i64(-1, 0)])], {}, 13
        yield "Unsqueeze", [f(2, 3), pick(i64(0), i64(1, 3), i64(-1))], {}, 13
        yield "Concat", [f(2, 3), f(2, 3), f(2, 3)], {"axis": pick(0, 1, -1)}, 13
        yield "Gather", [f(3, 4, 5), ints(-3, 3, pick((), (2,), (2, 2)), np.int64)], {"axis": pick(0, 1, 2)}, 13
        step = pick(1, 2, -1, -2)
        yield "Slice", [f(6, 7), i64(pick(0, 1, 5, -2)), i64(pick(-1, 3, 100, -100)), i64(pick(0, 1, -1)), i64(step)], {}, 13
        yield "Pad", [f(2, 3), i64(*[int(v) for v in random.integers(-1, 3, 4)]), np.float32(pick(0, 1.5))], {}, 13
        yield "Shape", [f(2, 3, 4)], {}, 13
        yield "Cast", [f(3, 4) * 30], {"to": pick(TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL, TensorProto.FLOAT)}, 13
        yield "Cast", [ints(-300, 300, (3, 4), np.int32)], {"to": pick(TensorProto.INT8, TensorProto.UINT8, TensorProto.INT64, TensorProto.FLOAT)}, 13
        yield "DepthToSpace", [f(1, 8, 2, 3)], {"blocksize": 2, "mode": pick("DCR", "CRD")}, 13
        mode = {"mode": "nearest", "nearest_mode": pick("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"),
                "coordinate_transformation_mode": pick("asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel")}
        yield "Resize", [f(1, 2, 3, 4), None, np.array([1, 1, pick(1, 2, 3), pick(2, 4)], np.float32)], mode, 13
        yield "Resize", [f(1, 2, 3, 4), None, None, i64(1, 2, pick(6, 9), 8)], mode, 13


def check_cases(program, seed, counts):
    """All cases of an operator set as nodes of one model, with initializers as inputs."""
    by_opset = {}
    for case in cases(np.random.default_rng(seed)):
        by_opset.setdefault(case[3], []).append(case)
    for opset, group in by_opset.items():
        nodes, initializers, outputs = [], [], []
        for op, inputs, attributes, _ in group:
            names = []
            for value in inputs:
                names.append("" if value is None else f"i{len(initializers)}")
                if value is not None:
                    initializers.append(numpy_helper.from_array(np.asarray(value), names[-1]))
            results = [f"y{len(nodes)}_{k}" for k in range({"TopK": 2, "DynamicQuantizeLinear": 3}.get(op, 1))]
            nodes.append(helper.make_node(op, names, results, name=f"{op}{len(nodes)}", **attributes))
            outputs += results
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
        copy = helper.make_node("Identity", ["x"], ["copied"])
        build = lambda some: helper.make_model(
            helper.make_graph(some, "cases", [x], [helper.make_empty_tensor_value_info(o) for n in some for o in n.output], initializers),
            opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        whole = build(nodes + [copy])
        del whole.graph.output[:]  # Bitloom wants typed outputs, and tells of every value anyway
        whole.graph.output.append(helper.make_tensor_value_info("copied", TensorProto.FLOAT, [1]))
        found, error = execute(program, whole, {"x": np.zeros(1, np.float32)})
        if found is None:
            counts.failures += 1
            print(error)
            continue
        for node, (op, inputs, attributes, _) in zip(nodes, group):
            try:
                outputs = run_ort(build([node, copy]), {"x": np.zeros(1, np.float32)})
            except Exception as problem:
                counts.refused += 1
                if "-v" in sys.argv:
                    print(f"{node.op_type}: {str(problem)[:200]}")
                continue
            counts.nodes += 1
            for name in node.output:
                counts.values += outputs[name].size
                count = different(outputs[name], found[name], steps=op.startswith("QLinear"))
                if count:
                    counts.failures += 1
                    print(f"random {op} {attributes} {[np.shape(i) for i in inputs]}: {count} of {outputs[name].size} values differ")
                    if "-v" in sys.argv:
                        print(outputs[name], found[name])


def main():
    program = sys.argv[1]
    arguments = [a for a in sys.argv[2:] if a != "-v"]
    seed = int(arguments[0]) if arguments else 1
    start = time.time()
    counts = Counts()
    check_cases(program, seed, counts)
    print(f"seed {seed}: {counts.nodes} random operators, {counts.values} values; {counts.refused} that ONNX Runtime does not run; {counts.failures} different")
    failures = counts.failures
    counts = Counts()
    shared = pathlib.Path(os.environ.get("BITLOOM_SHARED", "")) / "models"
    files = [pathlib.Path(a) for a in arguments[1:]]
    if not files and os.environ.get("BITLOOM_SHARED") and shared.is_dir():
        files = [f for f in sorted(shared.rglob("*.onnx")) if f.stat().st_size <= LARGEST_FILE and "onnx_backend_node" not in f.parts]
    if not files:
        print("the models of shared/ are not here: left out")
    random = np.random.default_rng(seed)
    for file in files:
        check_model(program, file, random, counts)
    print(f"{counts.models} models, {counts.nodes} standard nodes, {counts.values} values; {counts.custom} custom nodes left out, "
          f"{counts.refused} models or nodes that one of the two does not run; {counts.failures} different; {time.time() - start:.0f} s")
    # The comparison can fail.
    assert different(np.float32([1, 2]), np.float32([1, 2.0001])) == 1 and different(np.int64([1]), np.int64([2])) == 1
    return 1 if failures + counts.failures else 0


if __name__ == "__main__":
    sys.exit(main())
