"""Trained networks as files and in Bitloom: equal answers for every method, planted faults, packing, the ablation's table.

Usage: test_deploy.py BITLOOM. Exit status 77: PyTorch or onnx is not installed."""
import copy
import json
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
    from onnx import numpy_helper
    from torch import nn
except ImportError as missing:
    print(f"skipped: {missing}; on Debian: apt-get install python3-torch python3-onnx")
    sys.exit(77)

import ablation
import check_golden
import datasets
import nets
import recipe as recipes
import runner
import train_many
from deploy import indexed_bits, load_frozen, predict, save_frozen
from methods import HARD, NOISY, activations_of, calibrate, freeze, quantize, set_mode

BITLOOM = sys.argv.pop(1) if __name__ == "__main__" and len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "bitloom"
runner.set_up("cpu")


def residual_net(width=1.0):
    return nn.Sequential(
        nets.pixels(5), *nets.conv(1, 8), nets.Residual(8, 8, 1), nets.Residual(8, 12, 2), nn.AdaptiveAvgPool2d(1), nets.JoinReLU(),
        nn.Flatten(), nn.Linear(12, 10, bias=False),
    )  # fmt: skip


def biased_net(width=1.0):
    """As LeNet-5: biases, no batch norm."""
    return nn.Sequential(
        nets.pixels(5), nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 20), nn.ReLU(),
        nn.Linear(20, 10),
    )  # fmt: skip


nets.NETS.update({"test-residual": residual_net, "test-biased": biased_net})

LAYERS_ADMM = {"0": {"keep": 0.8}}
CASES = {  # name: ([net], [quantize])
    "nice": ("digits-cnn", {"method": "nice", "weight_bits": 3, "activation_bits": 3}),
    "nice-free-scales": ("digits-cnn", {"method": "nice", "weight_bits": 4, "activation_bits": 4, "hardware": False}),
    "nice-edges": ("digits-cnn", {"method": "nice", "weight_bits": 2, "activation_bits": 2, "edge_bits": 8}),
    "nice-residual": ("test-residual", {"method": "nice", "weight_bits": 4, "activation_bits": 4}),
    "nice-biases": ("test-biased", {"method": "nice", "weight_bits": 4, "activation_bits": 4}),
    "uniq": ("digits-cnn", {"method": "uniq", "weight_bits": 2, "activation_bits": 2}),
    "uniq-mean": ("digits-cnn", {"method": "uniq", "weight_bits": 3, "activation_bits": 4, "mean": True}),
    "admm": ("test-biased", {"method": "admm", "weight_bits": 3, "activation_bits": 4, "keep": 0.3, "layers": LAYERS_ADMM}),
    "binary": ("digits-bnn", {"method": "binary", "weight_bits": 1, "activation_bits": 1}),
    "binary-a4": ("digits-cnn", {"method": "nice", "weight_bits": 1, "activation_bits": 4}),
    "ternary": ("digits-cnn", {"method": "ternary", "weight_bits": 2, "activation_bits": 2}),
    "ste": ("digits-cnn", {"method": "ste", "weight_bits": 4, "activation_bits": 4, "learned_clamp": False, "activation_alpha": "max"}),
}


def small_recipe(name, net, quantizers):
    phases = [{"kind": "float", "epochs": 2, "rate": 0.01}, {"kind": "hard", "epochs": 2, "rate": 0.003}]
    tables = {"name": name, "seed": 3, "batch": 64, "data": {"set": "digits"}, "net": {"name": net, "width": 0.5}, "quantize": quantizers, "phase": phases}
    recipes.NET["name"] = tuple(nets.NETS)
    return recipes.check(tables, name)


def trained(folder, name, net, quantizers):
    data = datasets.load("digits")
    data.train = datasets.Part(data.train.images[:400], data.train.labels[:400])
    runner.Run(small_recipe(name, net, quantizers), data, folder, "cpu", say=lambda text: None).run()
    return folder


class Golden(unittest.TestCase):
    def test_every_method_gives_the_trainers_answers(self):
        with tempfile.TemporaryDirectory() as scratch:
            for name, (net, quantizers) in CASES.items():
                with self.subTest(name):
                    folder = trained(pathlib.Path(scratch) / name, name, net, quantizers)
                    outcome = check_golden.check(folder, BITLOOM, None, board="ulx3s-85f" if name == "admm" else None)
                    self.assertEqual(outcome["images"], 360)
                    if name == "admm":
                        self.assertLess(outcome["indexed_weight_bits"], outcome["stored_weight_bits"])
                        self.assertGreater(outcome["clocks"]["ulx3s-85f"], 0)
                    self.assertEqual(outcome["images_with_really_other_scores"], 0, outcome["shown"])
                    self.assertGreaterEqual(outcome["equal_answers"] + outcome["ties"], 360)
                    self.assertLessEqual(outcome["ties"], 2)
                    self.assertGreater(outcome["golden_accuracy"], 0.3, "it has learned something, so equal answers mean something")
                    card = (folder / "card.md").read_text()
                    self.assertIn(f"| accuracy, golden | {100 * outcome['golden_accuracy']:.2f} % |", card)
                    self.assertIn(f"{outcome['info']['weight_bits']:,}", card)
                    self.codes_are_symmetric(folder)

    def codes_are_symmetric(self, folder):
        with np.load(folder / "model.npz") as file:
            for key in file.files:
                if key.endswith(".weight_code"):
                    code = json.loads(str(file[key]))
                    self.assertLessEqual(np.abs(file[key.removesuffix("_code")]).max(), max(1, 2 ** (code["bits"] - 1) - 1))

    def test_a_codebook_becomes_levels(self):
        """Two bits of code: four planes for a layer, as many as levels, whatever the bits of the levels."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = trained(pathlib.Path(scratch) / "uniq", "uniq", "digits-cnn", {**CASES["uniq"][1], "level_bits": 8})
            check_golden.check(folder, BITLOOM, None)
            fold = ["--fold", "conv1:pe=8,simd=8,wpar=1"]
            arguments = ["compile", folder / "model.onnx", "--board", "ulx3s-85f", "--argmax", "--out", folder / "design", "--json", *fold]
            design = json.loads(check_golden.bitloom(BITLOOM, *arguments))
            (stage,) = [stage for stage in design["layers"] if stage["name"] == "conv1"]
            self.assertEqual(stage["planes"], "levels")

    def test_planted_faults_are_found(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = trained(pathlib.Path(scratch) / "nice", "nice", *CASES["nice"])
            check_golden.check(folder, BITLOOM, None)
            model, _ = load_frozen(folder / "model.npz")
            part = datasets.load("digits").test
            proto = onnx.load(str(folder / "model.onnx"))

            def golden_of(changed):
                onnx.save(changed, str(folder / "changed.onnx"))
                check_golden.bitloom(BITLOOM, "run", folder / "changed.onnx", "--data", "digits", "--out", folder / "scores.npy")
                return check_golden.compare(model, part, np.load(folder / "scores.npy").astype(np.float64))

            self.assertEqual(golden_of(proto)["images_with_other_scores"], 0)
            for tensor, factor in (("Conv_1_weight", None), ("BatchNormalization_0_beta", 0.5), ("Quant_2_scale", 2.0)):
                changed = copy.deepcopy(proto)
                for initializer in changed.graph.initializer:
                    if initializer.name == tensor:
                        values = numpy_helper.to_array(initializer).copy()
                        if factor is None:  # one weight by one code
                            step = np.abs(values[values != 0]).min()
                            at = np.unravel_index(np.abs(values).argmin(), values.shape)
                            values[at] += step
                        else:
                            values = (values * factor).astype(np.float32)
                        initializer.CopyFrom(numpy_helper.from_array(values, tensor))
                self.assertNotEqual(changed.SerializeToString(), proto.SerializeToString(), tensor)
                self.assertGreater(golden_of(changed)["images_with_really_other_scores"], 0, tensor)

    def test_a_tie_is_called_a_tie_and_nothing_else(self):
        """A pixel of 1 stands at half a step of the activation: which way it is rounded is nobody's fault."""
        model = nn.Sequential(nets.pixels(8), nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 2, bias=False))
        with torch.no_grad():
            model[1].weight.copy_(torch.eye(2))
            model[3].weight.copy_(torch.eye(2))
        blocks = quantize(model, "ste", 2, 2)
        calibrate(model, [torch.rand(64, 2)])
        with torch.no_grad():
            model[2].clamp.fill_(6.0)  # steps of 2
        set_mode(blocks, HARD)
        freeze(model, blocks)
        images = torch.tensor([[1, 0], [3, 0], [4, 2]], dtype=torch.uint8)
        part = datasets.Part(images, torch.tensor([0, 0, 0]))
        scores = predict(model, images).double().numpy()
        self.assertEqual(check_golden.compare(model, part, scores)["images_with_other_scores"], 0)
        up = check_golden.nudged(model, images, 1)
        self.assertFalse(np.array_equal(up, scores))
        outcome = check_golden.compare(model, part, up)
        self.assertEqual((outcome["images_with_other_scores"], outcome["images_with_really_other_scores"]), (1, 0), "3 steps and a half go to 4 both ways")
        scores[2, 0] += 2
        self.assertEqual(check_golden.compare(model, part, scores)["images_with_really_other_scores"], 1)

        # Two such pixels that are rounded differently, and one score that no rounding gives.
        both = datasets.Part(torch.tensor([[1, 1], [1, 1]], dtype=torch.uint8), torch.tensor([0, 0]))
        step = up[0, 0]
        self.assertGreater(step, 0)
        outcome = check_golden.compare(model, both, np.array([[step, 0.0], [2 * step, 0.0]]))
        self.assertEqual((outcome["images_with_other_scores"], outcome["images_with_really_other_scores"]), (2, 1))


class Files(unittest.TestCase):
    def test_bits_of_a_pruned_tensor(self):
        weights = torch.zeros(2, 50)
        weights[0, [0, 3, 30]] = weights[1, 49] = 1.0  # gaps of 0, 2, 26 and 68 zeros
        by_gap_bits = {g: (4 + sum(gap // 2**g for gap in (0, 2, 26, 68))) * (g + 3) for g in range(1, 17)}
        self.assertEqual(indexed_bits(weights, 3), min(by_gap_bits.values()))
        swapped = torch.zeros(1, 2, 1, 3)  # the engine's order: channels fastest
        swapped[0, 1, 0, 0] = swapped[0, 0, 0, 1] = 1.0
        self.assertEqual(indexed_bits(swapped, 3), 2 * 4)

    def test_frozen_files_come_back(self):
        recipe = small_recipe("nice", *CASES["nice"])
        model, blocks = runner.build(recipe)
        images = datasets.load("digits").test.images
        calibrate(model, [images.float()])
        freeze(model, blocks)
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch) / "model.npz"
            save_frozen(path, model, recipe)
            again, read = load_frozen(path)
            self.assertEqual(read, recipe)
            self.assertTrue(torch.equal(predict(model, images), predict(again, images)))
            with torch.no_grad():
                model[1].weight[0, 0, 0, 0] += 0.3 * model[1].weight_code.step
            with self.assertRaisesRegex(ValueError, "no whole numbers"):
                save_frozen(path, model, recipe)

    def test_many_runs_a_table_and_packed_files(self):
        base = recipes.load("digits", "nice-w4a4")
        base.update(name="toy", batch=128, net={"name": "digits-cnn", "width": 0.25})
        base["phase"] = [{"kind": "float", "epochs": 1, "rate": 0.01}, {"kind": "gradual", "epochs": 2, "epochs_per_block": 0.25, "rate": 0.005}]
        only = ["w2a2", "w2a2-noise-off-clamp-fixed", "codebook-w2a2"]
        jobs = ablation.jobs(base, [1, 2], only)
        self.assertEqual(len(jobs), 2 + 6)
        with tempfile.TemporaryDirectory() as scratch:
            out, packed = pathlib.Path(scratch) / "runs", pathlib.Path(scratch) / "packed"
            lines = []
            outcome = train_many.train_all(jobs, out, None, "cpu", 1, pack_into=packed, say=lines.append)
            self.assertEqual(outcome, (8, 0, 0), lines)
            again = []
            self.assertEqual(train_many.train_all(jobs, out, None, "cpu", 1, say=again.append), (8, 0, 0))
            self.assertEqual(len(again), 1, "nothing was trained again")
            train_many.unpack(packed)
            self.assertEqual(train_many.train_all(jobs, packed, None, "cpu", 1, say=again.append), (8, 0, 0))
            self.assertEqual(len(again), 2, "packed files are as good as folders")
            text = ablation.table(packed, "toy", BITLOOM, "ulx3s-85f")
            found, _ = ablation.collect(out, "toy")
            accuracies = [found["w2a2"][seed]["accuracy"] for seed in (1, 2)]
            row = next(line for line in text.splitlines() if line.startswith("| w2a2 |")).split(" | ")
            self.assertEqual(row[2], f"{100 * np.mean(accuracies):.2f} ± {100 * np.std(accuracies, ddof=1):.2f}")
            self.assertEqual(len(row), 7)
            self.assertTrue(all(part.strip(" |").replace(",", "").isdigit() for part in row[3:]), row)
            self.assertIn("| w3a3 | 0 | not trained |", text)
            self.assertIn("| w2a2: noise and learned clamp against neither | 2 |", text)
            self.assertIn("| 2 bits: codebook against uniform | 2 |", text)

    def test_variants_of_a_file_share_their_float_training(self):
        jobs = train_many.jobs_of(["fashion:w4a4", "fashion:w2a2", "fashion:w1a1"], [1, 2])
        starts = {job.name: job.start for job in jobs}
        self.assertEqual(len(jobs), 4 + 6)
        for seed in (1, 2):
            self.assertEqual(starts[f"fashion-w4a4-s{seed}"], starts[f"fashion-w2a2-s{seed}"])
            self.assertNotEqual(starts[f"fashion-w4a4-s{seed}"], starts[f"fashion-w1a1-s{seed}"], "another network and activation")
        self.assertNotEqual(starts["fashion-w4a4-s1"], starts["fashion-w4a4-s2"])
        kinds = {job.name: {phase["kind"] for phase in job.recipe["phase"]} for job in jobs}
        self.assertTrue(all("float" not in kinds[job.name] if job.start else kinds[job.name] == {"float"} for job in jobs), kinds)

    def test_a_failed_run_does_not_end_the_others(self):
        base = recipes.load("digits", "nice-w4a4")
        base.update(batch=128, net={"name": "digits-cnn", "width": 0.25}, phase=[{"kind": "float", "epochs": 1, "rate": 0.01}])
        bad = {**copy.deepcopy(base), "name": "bad"}
        bad["phase"][0]["rate"] = 1e30
        with tempfile.TemporaryDirectory() as scratch:
            out = pathlib.Path(scratch)
            self.assertEqual(train_many.train_all([train_many.Job(bad), train_many.Job(base)], out, None, "cpu", 1, say=lambda text: None), (1, 1, 0))
            self.assertIn("lower the rate", (out / "bad-s1" / "error.txt").read_text())

    def test_every_row_of_the_ablation_trains(self):
        base = recipes.load("ablation-fashion")
        base["net"]["width"] = 0.125
        torch.manual_seed(2)
        images, labels = torch.randint(0, 256, (16, 1, 28, 28)).float(), torch.randint(0, 10, (16,))
        for job in ablation.jobs(base, [1]):
            with self.subTest(job.name):
                model, blocks = runner.build(job.recipe)
                calibrate(model, [images])
                switches = job.recipe["quantize"]
                for mode in (NOISY, HARD):
                    set_mode(blocks, mode)
                    model.train()
                    nn.functional.cross_entropy(model(images), labels).backward()
                    for block in blocks:
                        self.assertGreater(block.weight.grad.abs().sum().item(), 0)
                        codes = block.quantizer.codes(block.weight.detach())
                        self.assertTrue(torch.equal(codes, codes.round()))
                    for activation in activations_of(model):
                        learned = switches.get("learned_clamp", True) and activation.bits > 1
                        self.assertEqual(activation.learned, learned)

    def test_cheapest_first_and_behind_what_they_start_from(self):
        jobs = ablation.jobs(recipes.load("ablation-fashion"), [1, 2, 3])
        self.assertEqual(len(jobs), 6 + 3 * (22 + 3))
        order = [job.name for job in train_many.in_order(jobs)]
        self.assertTrue(all("float" in name for name in order[:6]))
        for job in jobs:
            if job.start:
                self.assertLess(order.index(job.start), order.index(job.name))


if __name__ == "__main__":
    unittest.main()
