"""The decomposed convolution: its start, its projection, its training and its export, against plain NumPy. Exit status 77: PyTorch or onnx is missing."""
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

import argparse

import decomposed as d
import train_fashion
from export import to_onnx
from fashion import network
from layers import QuantConv2d
from loop import predict, seed_everything
from quantizers import FusedUniform, Uniform

SHAPE, CLASSES = (1, 28, 28), 10


def convolution(weight, stride=1, padding=1):
    """A trained convolution with these weights, which its quantizer leaves as they are."""
    layer = QuantConv2d(weight.shape[1], weight.shape[0], weight.shape[2], FusedUniform(8, signed=True, scale=2.0**-6, narrow=True), padding, stride)
    with torch.no_grad():
        layer.weight.copy_(weight)
    return layer


def grid(*shape):
    return torch.randint(-64, 65, shape) * 2.0**-6


def unit_outputs(weight):
    return weight / weight.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def small_network(basis=3, density=0.3):
    """A decomposed network that was not trained, with batch norms that do something."""
    seed_everything(5)
    reference = network([4, 6, 8, 8], [2, 2, 1, 2])
    for part in reference:
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.weight, 0.5, 2)
            torch.nn.init.uniform_(part.bias, -1, 1)
            part.running_var.uniform_(1, 1000)
    options = argparse.Namespace(basis=basis, classifier_bits=4)
    model = train_fashion.decompose(reference, options)
    for layer in d.decomposed_layers(model):
        layer.ternary, layer.density = True, density
    return model


class Start(unittest.TestCase):
    def test_the_whole_basis_gives_the_kernels_back(self):
        seed_everything(1)
        layer = convolution(grid(5, 4, 3, 3), stride=2)
        errors = []
        for count in (1, 3, 6, 9):
            made = d.DecomposedConv2d.from_dense(layer, count)
            self.assertEqual((made.stride, made.padding, made.kernel_size), ((2, 2), (1, 1), (3, 3)))
            wanted, found = unit_outputs(layer.weight), unit_outputs(made.quantized_weight())
            errors.append((wanted - found).norm().item() / wanted.norm().item())
        self.assertEqual(errors, sorted(errors, reverse=True))
        self.assertLess(errors[-1], 0.02)  # what 8 bits of basis lose

    def test_a_mean_kernel_is_not_lost(self):
        # All kernels are multiples of one that is far from zero: with centring a single basis kernel could not hold it.
        kernel = torch.ones(3, 3) * 0.5
        kernel[1, 1] = 1
        weight = torch.tensor([1.0, 0.5, -0.25, 0.75]).view(2, 2, 1, 1) * kernel
        made = d.DecomposedConv2d.from_dense(convolution(weight), 1)
        self.assertLess((unit_outputs(weight) - unit_outputs(made.quantized_weight())).abs().max().item(), 0.01)

    def test_more_kernels_than_taps_are_refused(self):
        with self.assertRaises(ValueError):
            d.DecomposedConv2d(2, 2, 3, 10)


class Projection(unittest.TestCase):
    def setUp(self):
        seed_everything(2)
        self.layer = d.DecomposedConv2d.from_dense(convolution(grid(8, 6, 3, 3)), 4)
        self.layer.ternary = True

    def test_the_largest_coefficients_keep_their_signs(self):
        for density in (0.05, 0.3, 1.0):
            self.layer.density = density
            ternary = self.layer.ternary_coefficients()
            self.assertEqual(set(ternary.unique().tolist()) - {-1.0, 0.0, 1.0}, set())
            kept = ternary != 0
            self.assertEqual(kept.sum().item(), round(density * ternary.numel()))
            self.assertTrue(torch.equal(ternary[kept], torch.sign(self.layer.coefficients[kept])))
            if density < 1:
                self.assertGreaterEqual(self.layer.coefficients[kept].abs().min().item(), self.layer.coefficients[~kept].abs().max().item())

    def test_gradients_pass_to_what_is_zero_until_the_choice_is_frozen(self):
        self.layer.density = 0.2
        x = torch.randn(2, 6, 5, 5)
        self.layer(x).square().sum().backward()
        self.assertTrue((self.layer.coefficients.grad[self.layer.kept() == 0] != 0).any())
        self.assertTrue((self.layer.basis.grad != 0).any())
        self.layer.freeze_mask()
        before = self.layer.kept().clone()
        with torch.no_grad():
            self.layer.coefficients.copy_(torch.randn_like(self.layer.coefficients))
        self.assertTrue(torch.equal(self.layer.kept(), before))
        self.assertTrue(torch.equal(self.layer.ternary_coefficients() != 0, before != 0))

    def test_factors_are_trained_in_turn(self):
        model = torch.nn.Sequential(self.layer)
        d.alternate(model, train_basis=True)
        self.assertEqual((self.layer.basis.requires_grad, self.layer.coefficients.requires_grad), (True, False))
        d.alternate(model, train_basis=False)
        self.assertEqual((self.layer.basis.requires_grad, self.layer.coefficients.requires_grad), (False, True))

    def test_density_falls_from_start_to_end(self):
        steps = [d.density_at(i / 10, 0.5, 0.1) for i in range(11)]
        self.assertAlmostEqual(steps[0], 0.5)
        self.assertAlmostEqual(steps[-1], 0.1)
        self.assertEqual(steps, sorted(steps, reverse=True))


def quant(x, scale, zero_point, bits, attributes):
    signed, narrow = attributes["signed"], attributes["narrow"]
    low = -(2 ** (int(bits) - 1)) + narrow if signed else 0
    high = 2 ** (int(bits) - 1) - 1 if signed else 2 ** int(bits) - 1 - narrow
    return (np.clip(np.round(x / scale + zero_point), low, high) - zero_point) * scale


def convolve(x, w, attributes):
    """Grouped convolution, a group at a time."""
    groups = attributes.get("group", 1)
    top, left, bottom, right = attributes["pads"]
    (down, across), size = attributes["strides"], len(w) // groups
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::down, ::across]
    outputs = [
        np.einsum("nchwrs,kcrs->nkhw", windows[:, g * w.shape[1] : (g + 1) * w.shape[1]], w[g * size : (g + 1) * size]) for g in range(groups)
    ]
    return np.concatenate(outputs, axis=1)


def normalize(x, gamma, beta, mean, variance, attributes):
    column = (-1, 1, 1)
    return (x - mean.reshape(column)) * (gamma / np.sqrt(variance + attributes["epsilon"])).reshape(column) + beta.reshape(column)


RULES = {
    "Quant": lambda a, x, s, z, b: quant(x, s, z, b, a),
    "Conv": lambda a, x, w: convolve(x, w, a),
    "BatchNormalization": lambda a, x, *p: normalize(x, *p, a),
    "GlobalAveragePool": lambda a, x: x.mean(axis=(2, 3), keepdims=True),
    "Flatten": lambda a, x: x.reshape(len(x), -1),
    "MatMul": lambda a, x, w: x @ w,
}


def execute(proto, images):
    """All values of the model, in double precision."""
    values = {i.name: numpy_helper.to_array(i).astype(np.float64) for i in proto.graph.initializer}
    values["image"] = np.asarray(images, np.float64)
    for node in proto.graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        values[node.output[0]] = RULES[node.op_type](attributes, *[values[name] for name in node.input])
    return values


class Export(unittest.TestCase):
    def test_the_file_computes_what_was_trained(self):
        model = small_network()
        images = torch.randint(0, 256, (3, *SHAPE)).float()
        proto = to_onnx(model, "decomposed", SHAPE, CLASSES, {})
        self.assertTrue(np.array_equal(execute(proto, images)["scores"], predict(model, images).double().numpy()))

    def test_the_pattern_is_the_one_that_is_recognized(self):
        model = small_network(basis=3)
        proto = to_onnx(model, "decomposed", SHAPE, CLASSES, {})
        values = execute(proto, torch.zeros(1, *SHAPE))
        readers = {name: node for node in proto.graph.node for name in node.input[:1]}
        layers = iter(d.decomposed_layers(model))
        pairs = 0
        for first in proto.graph.node:
            if first.op_type != "Conv" or readers[first.output[0]].op_type != "Conv":
                continue
            second, layer = readers[first.output[0]], next(layers)
            pairs += 1
            outputs, inputs, count = layer.coefficients.shape
            ternary, basis = values[first.input[1]], values[second.input[1]]
            self.assertEqual(ternary.shape, (outputs * count, inputs, 1, 1))
            expected = layer.ternary_coefficients().detach().numpy()
            for k in range(outputs):
                for m in range(count):
                    self.assertTrue(np.array_equal(ternary[k * count + m, :, 0, 0], expected[k, :, m]))
            self.assertEqual(basis.shape, (outputs, count, 3, 3))
            self.assertTrue((basis == basis[:1]).all())
            integers = basis * 128
            self.assertTrue(np.array_equal(integers, np.round(integers)) and np.abs(integers).max() <= 127)
            attributes = {a.name: helper.get_attribute_value(a) for a in second.attribute}
            self.assertEqual((attributes["group"], list(attributes["strides"]), list(attributes["pads"])), (outputs, list(layer.stride), [1, 1, 1, 1]))
        self.assertEqual(pairs, 3)


class FusedQuantizer(unittest.TestCase):
    def test_it_is_the_uniform_quantizer(self):
        seed_everything(3)
        for signed, narrow, scale in ((True, True, 2.0**-9), (True, False, 0.5), (False, False, 2.0**-5)):
            x = torch.cat([torch.randn(2000) * 40 * scale, torch.arange(-20, 20) * scale / 2])
            plain, fused = Uniform(4, signed, scale, narrow), FusedUniform(4, signed, scale, narrow)
            self.assertTrue(torch.equal(plain(x), fused(x)))


class Training(unittest.TestCase):
    def options(self, **changes):
        options = dict(basis=3, density=0.2, classifier_bits=4, warm_epochs=0.5, prune_epochs=1.5, cross_interval=2, l1=1e-6)
        return argparse.Namespace(**{**options, **changes})

    def run_training(self, folder, stop=None):
        """A decomposed network trained for three epochs; `stop`: only the first epoch is trained, as if the rest had been cut off."""
        seed_everything(7)
        images = torch.randint(0, 256, (850, *SHAPE)).float()
        labels = torch.randint(0, CLASSES, (850,))
        model = train_fashion.decompose(network([4, 4, 4, 4], [2, 2, 2, 2]), self.options())
        checkpoint = pathlib.Path(folder) / "checkpoint.pt"
        saved = train_fashion.os.replace
        if stop:

            def cut(source, target):
                saved(source, target)
                raise KeyboardInterrupt

            train_fashion.os.replace = cut
        try:
            return train_fashion.fit(model, images, labels, 3, 0.01, checkpoint, train_fashion.Phases(self.options()), held_out=50)
        except KeyboardInterrupt:
            return None
        finally:
            train_fashion.os.replace = saved

    def test_it_goes_on_where_it_was_interrupted_and_ends_the_same(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            whole = self.run_training(one)
            self.assertIsNone(self.run_training(two, stop=True))
            self.assertFalse(torch.load(pathlib.Path(two) / "checkpoint.pt")["finished"])
            resumed = self.run_training(two)
            self.assertTrue(torch.load(pathlib.Path(two) / "checkpoint.pt")["finished"])
            for a, b in zip(whole.parameters(), resumed.parameters()):
                self.assertTrue(torch.equal(a, b))
            for layer in d.decomposed_layers(resumed):
                self.assertEqual(layer.kept().sum().item(), round(0.2 * layer.coefficients.numel()))
                self.assertTrue(layer.mask.numel())  # frozen at the end


if __name__ == "__main__":
    unittest.main()
