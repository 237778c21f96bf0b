#!/usr/bin/env python3
"""Speed of golden inference on CNV-W1A1, side by side in one run: plain model, packed model, and ONNX Runtime on an equivalent float graph.

ONNX Runtime knows no QONNX operators. The graph it gets has the same values in standard ones: weights folded to constants; a bipolar
activation y = (acc >= T ? 1 : -1) as Sign(acc - (T - half a unit)), the subtraction folded into the bias of the convolution.
Its answers are compared with Bitloom's, image by image, before anything is measured. Each of several rounds measures the three in turn,
on one thread and on --threads; the medians count.
Bitloom's time includes turning pixels into integers; ONNX Runtime gets its floats ready made, and its best batch size counts.

Needs: pip install onnxruntime onnx numpy. Exit status 1 where the answers differ, 2 where something is missing.
"""
import argparse
import json
import lzma
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import helper, numpy_helper
except ImportError as error:
    sys.exit(f"bench/golden.py: {error}; run: python3 -m pip install onnxruntime onnx numpy")

BATCHES = (1, 10, 100)


class StandardGraph:
    """Rewrites CNV-W1A1 node by node."""

    def __init__(self, model):
        self.constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        self.nodes, self.initializers = [], []
        self.readers = {name: node for node in model.graph.node for name in node.input}
        for node in model.graph.node:
            getattr(self, "_" + node.op_type)(node)
        data = helper.make_tensor_value_info(model.graph.input[0].name, onnx.TensorProto.FLOAT, ["N", 3, 32, 32])
        scores = helper.make_tensor_value_info(model.graph.output[0].name, onnx.TensorProto.FLOAT, ["N", 10])
        graph = helper.make_graph(self.nodes, "cnv_w1a1", [data], [scores], self.initializers)
        self.model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
        onnx.checker.check_model(self.model)

    def _constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array, dtype=np.float32), name))
        return name

    def _add(self, operator, inputs, outputs, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))

    def _Quant(self, node):
        # The input, in steps of 1/128: 8 bits signed. Round is to even, as QONNX's ROUND.
        assert float(self.constants[node.input[1]]) == 1 / 128 and float(self.constants[node.input[3]]) == 8
        name = node.output[0]
        self._add("Mul", [node.input[0], self._constant(name + "_128", np.float32(128))], [name + "_steps"])
        self._add("Round", [name + "_steps"], [name + "_round"])
        limits = [self._constant(name + "_low", np.float32(-128)), self._constant(name + "_high", np.float32(127))]
        self._add("Clip", [name + "_round"] + limits, [name + "_clip"])
        self._add("Mul", [name + "_clip", self._constant(name + "_unit", np.float32(1 / 128))], [name])

    def _BipolarQuant(self, node):
        weights, scale = (self.constants[name] for name in node.input)
        self.constants[node.output[0]] = np.where(weights >= 0, scale, -scale)

    def _bias(self, product):
        """What makes the sign of the sum the activation: minus the threshold, plus half of the sum's unit."""
        activation = self.readers.get(product.output[0])
        if activation is None:
            return None
        assert activation.op_type == "MultiThreshold" and self.constants[activation.input[1]].shape[1] == 1
        unit = 1 / 128 if product.input[0].startswith("Quant") else 1
        return unit / 2 - self.constants[activation.input[1]][:, 0]

    def _Conv(self, node):
        inputs = [node.input[0], self._constant(node.output[0] + "_w", self.constants[node.input[1]])]
        inputs.append(self._constant(node.output[0] + "_b", self._bias(node)))
        self._add("Conv", inputs, node.output, **{a.name: helper.get_attribute_value(a) for a in node.attribute})

    def _MatMul(self, node):
        inputs = [node.input[0], self._constant(node.output[0] + "_w", self.constants[node.input[1]])]
        bias = self._bias(node)
        if bias is not None:
            inputs.append(self._constant(node.output[0] + "_b", bias))
        self._add("Gemm", inputs, node.output)

    def _MultiThreshold(self, node):
        values = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        assert values["out_scale"] == 2 and values["out_bias"] == -1
        self._add("Sign", node.input[:1], node.output)

    def _MaxPool(self, node):
        self.nodes.append(node)

    def _Flatten(self, node):
        self.nodes.append(node)


def load_cifar(path, count):
    records = np.frombuffer(lzma.open(path).read(count * 3073), np.uint8).reshape(-1, 3073)
    return (records[:, 1:].astype(np.float64) * (2 / 255) - 1).astype(np.float32).reshape(-1, 3, 32, 32)


class Bitloom:
    def __init__(self, program, model, data):
        self.command = [program, "run", model, "--data", data, "--scale", "2/255", "--shift", "-1", "--json"]

    def __call__(self, images, threads, *options):
        """Images per second."""
        command = self.command + ["--images", str(images), "--jobs", str(threads), *options]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["images_per_second"]


def open_session(graph, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def time_onnxruntime(session, images, batch):
    start = time.perf_counter()
    for first in range(0, len(images), batch):
        session.run(None, {"global_in": images[first : first + batch]})
    return len(images) / (time.perf_counter() - start)


def measure(bitloom, sessions, images):
    """One round: images per second of everything, by number of threads."""
    return {
        threads: {
            "plain": bitloom(5 * threads, threads, "--plain"),
            "packed": bitloom(5000, threads),
            **{f"onnxruntime, batch {batch}": time_onnxruntime(session, images, batch) for batch in BATCHES},
        }
        for threads, session in sessions.items()
    }


def fastest_batch(rates):
    return max(rates[f"onnxruntime, batch {batch}"] for batch in BATCHES)


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bitloom", required=True, help="the program")
    parser.add_argument("--shared", type=pathlib.Path, required=True, help="the folder with models/ and data/")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=pathlib.Path, help="the results as JSON")
    args = parser.parse_args()
    args.model = str(args.shared / "models/cnv/CNV_1W1A.onnx")
    data = str(args.shared / "data/cifar-10/data_batch_1.bin.xz")
    for path in (args.model, data):
        if not os.path.exists(path):
            print(f"bench/golden.py: {path} is missing", file=sys.stderr)
            return 2

    graph = StandardGraph(onnx.load(args.model)).model.SerializeToString()
    sessions = {threads: open_session(graph, threads) for threads in {1, args.threads}}
    images = load_cifar(data, 1000)
    bitloom = Bitloom(args.bitloom, args.model, data)

    with tempfile.TemporaryDirectory() as folder:
        bitloom(len(images), args.threads, "--out", folder + "/out.npy")
        expected = np.load(folder + "/out.npy").reshape(len(images), 10)
    scores = np.concatenate([sessions[1].run(None, {"global_in": images[i : i + 100]})[0] for i in range(0, len(images), 100)])
    if not np.array_equal(scores, expected):
        print(f"bench/golden.py: {np.sum(scores != expected)} of {expected.size} scores differ", file=sys.stderr)
        return 1

    load = os.getloadavg()[0]
    rounds = [measure(bitloom, sessions, images) for _ in range(args.rounds)]
    measured = []
    for threads in sorted(sessions):
        rates = {name: statistics.median(r[threads][name] for r in rounds) for name in rounds[0][threads]}
        ratios = [r[threads]["packed"] / fastest_batch(r[threads]) for r in rounds]
        measured.append({
            "threads": threads,
            "images_per_second": {name: round(rate, 1) for name, rate in rates.items()},
            "packed_to_onnxruntime": round(rates["packed"] / fastest_batch(rates), 2),
            "in_each_round": [round(ratio, 2) for ratio in ratios],
            "packed_to_plain": round(rates["packed"] / rates["plain"], 1),
        })
    result = {
        "model": "CNV_1W1A",
        "rounds": args.rounds,
        "processor": processor(),
        "cores": os.cpu_count(),
        "load_average_at_start": round(load, 2),
        "versions": {
            "bitloom": subprocess.run([args.bitloom, "--version"], capture_output=True, text=True).stdout.strip(),
            "onnxruntime": onnxruntime.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "measured": measured,
    }
    text = json.dumps(result, indent=2) + "\n"
    print(text, end="")
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        partial = args.out.with_suffix(".partial")
        partial.write_text(text)
        partial.replace(args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
