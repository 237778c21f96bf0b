"""Quantizers, and what the exporter writes, against plain NumPy. Exit status 77: PyTorch or onnx is not installed."""
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "sw" / "train"))
try:
    import numpy as np
    import onnx
    import torch
    from onnx import helper, numpy_helper
except ImportError as missing:
    print(f"skipped: {missing}; on Debian: apt-get install python3-torch python3-onnx")
    sys.exit(77)

import make_digits
from export import QONNX, to_onnx
from loop import load_digits, predict, read_idx, seed_everything, train, without_quantizers
from models import CLASSES, MODELS
from quantizers import Bipolar, Uniform


def quant(x, scale, zero_point, bits, attributes):
    """QONNX Quant, written from its specification."""
    signed, narrow = attributes["signed"], attributes["narrow"]
    low = -(2 ** (bits - 1)) + narrow if signed else 0
    high = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow
    return (np.clip(np.round(x / scale + zero_point), low, high) - zero_point) * scale


def convolve(x, w, attributes):
    top, left, bottom, right = attributes["pads"]
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("nchwrs,kcrs->nkhw", windows, w)


def pool(x, attributes):
    size = attributes["kernel_shape"][0]
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3))
    return windows[:, :, ::size, ::size].max(axis=(4, 5))


def normalize(x, gamma, beta, mean, variance, attributes):
    column = (-1, 1, 1)
    scale = gamma / np.sqrt(variance + attributes["epsilon"])
    return (x - mean.reshape(column)) * scale.reshape(column) + beta.reshape(column)


RULES = {
    "Quant": lambda a, x, s, z, b: quant(x, s, z, int(b), a),
    "BipolarQuant": lambda a, x, s: np.where(x >= 0, 1.0, -1.0) * s,
    "Conv": lambda a, x, w: convolve(x, w, a),
    "BatchNormalization": lambda a, x, *p: normalize(x, *p, a),
    "Relu": lambda a, x: np.maximum(x, 0),
    "MaxPool": lambda a, x: pool(x, a),
    "Flatten": lambda a, x: x.reshape(len(x), -1),
    "MatMul": lambda a, x, w: x @ w,
}


def execute(proto, images):
    """The model's output in double precision."""
    values = {i.name: numpy_helper.to_array(i).astype(np.float64) for i in proto.graph.initializer}
    values["image"] = np.asarray(images, np.float64)
    for node in proto.graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        values[node.output[0]] = RULES[node.op_type](attributes, *[values[name] for name in node.input])
    return values["scores"]


class Quantizers(unittest.TestCase):
    def test_uniform_values(self):
        x = torch.tensor([-9.0, -1.26, -1.25, -0.75, -0.25, 0.0, 0.25, 0.26, 0.75, 9.0])
        signed = Uniform(2, signed=True, scale=0.5)(x)  # ties go to the even code
        self.assertEqual(signed.tolist(), [-1, -1, -1, -1, 0, 0, 0, 0.5, 0.5, 0.5])
        narrow = Uniform(2, signed=True, scale=0.5, narrow=True)(x)
        self.assertEqual(narrow.tolist(), [-0.5, -0.5, -0.5, -0.5, 0, 0, 0, 0.5, 0.5, 0.5])
        unsigned = Uniform(2, signed=False, scale=0.5)(x)
        self.assertEqual(unsigned.tolist(), [0, 0, 0, 0, 0, 0, 0, 0.5, 1, 1.5])

    def test_bipolar_values(self):
        self.assertEqual(Bipolar()(torch.tensor([-2.0, -0.0, 0.0, 1e-9])).tolist(), [-1, 1, 1, 1])

    def test_gradients_pass_inside_the_range_only(self):
        for quantizer, inside, outside in ((Bipolar(), 0.9, 1.1), (Uniform(2, True, 0.5), -1.2, -1.3), (Uniform(2, False, 0.5), 1.7, 1.8)):
            x = torch.tensor([inside, outside], requires_grad=True)
            quantizer(x).sum().backward()
            self.assertEqual(x.grad.tolist(), [1, 0], type(quantizer).__name__)

    def test_without_quantizers_the_network_is_float(self):
        seed_everything(1)
        model = without_quantizers(MODELS["digits-w2a2"]())
        x = torch.rand(2, 1, 8, 8)
        self.assertFalse(torch.equal(predict(model, x), predict(model, x + 0.01)))


class Split(unittest.TestCase):
    def test_quotas_are_shares(self):
        labels = np.repeat([0, 1, 2], [100, 50, 27])
        self.assertEqual(make_digits.class_quotas(labels, 20).tolist(), [11, 6, 3])

    def test_parts_are_disjoint_and_whole(self):
        labels = np.arange(1797) % 10
        train_part, test_part = make_digits.split(labels)
        self.assertEqual(len(test_part), 360)
        self.assertEqual(sorted([*train_part, *test_part]), list(range(1797)))

    def test_idx_files_come_back(self):
        array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a.gz"
            make_digits.write_idx(path, array)
            self.assertTrue(np.array_equal(read_idx(path), array))


class Export(unittest.TestCase):
    def test_one_epoch_exports_what_was_trained(self):
        images, labels = load_digits("train")
        for name, make in MODELS.items():
            with self.subTest(name):
                seed_everything(3)
                model = train(make(), images[:256], labels[:256], epochs=1)
                proto = to_onnx(model, name, images.shape[1:], CLASSES, {"seed": 3})
                onnx.checker.check_model(proto)
                self.assertTrue(np.array_equal(execute(proto, images[:64]), predict(model, images[:64]).double().numpy()))
                self.assertEqual({p.key: p.value for p in proto.metadata_props}, {"seed": "3"})
                self.assertLessEqual(proto.ir_version, 8)
                self.assertEqual({n.domain for n in proto.graph.node}, {"", QONNX})
                self.assertEqual(len({n.name for n in proto.graph.node}), len(proto.graph.node))
                seed_everything(3)
                again = to_onnx(train(make(), images[:256], labels[:256], epochs=1), name, images.shape[1:], CLASSES, {"seed": 3})
                self.assertEqual(proto.SerializeToString(), again.SerializeToString(), "the same seed gives the same file")

    def test_committed_models_reach_the_accuracy_that_they_state(self):
        images, labels = load_digits("t10k")
        for name, least in (("digits-w1a1", 0.94), ("digits-w2a2", 0.97)):
            with self.subTest(name):
                proto = onnx.load(str(ROOT / "sw" / "train" / "models" / f"{name}.onnx"))
                accuracy = (execute(proto, images).argmax(1) == labels.numpy()).mean()
                self.assertEqual(f"{accuracy:.4f}", {p.key: p.value for p in proto.metadata_props}["trainer_accuracy"])
                self.assertGreaterEqual(accuracy, least)


if __name__ == "__main__":
    unittest.main()
