"""Schedules, resumed runs, recipes and data files. Exit status 77: PyTorch is not installed."""
import json
import lzma
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "sw" / "train"))
try:
    import numpy as np
    import torch
    from torch import nn
except ImportError as missing:
    print(f"skipped: {missing}; on Debian: apt-get install python3-torch")
    sys.exit(77)

import datasets
import recipe as recipes
import runner
from methods import FLOAT, HARD, NOISY, activations_of, calibrate, freeze, quantize, set_mode
from schedule import Schedule, gradual_modes

runner.set_up("cpu")


class Schedules(unittest.TestCase):
    def test_blocks_go_from_float_over_noisy_to_hard(self):
        self.assertEqual(gradual_modes(3, 1), [HARD, NOISY, FLOAT])
        model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
        blocks = quantize(model, "nice", 4, 4)
        calibrate(model, [torch.randn(64, 4)])
        schedule = Schedule({"kind": "gradual", "epochs": 4, "epochs_per_block": 0.5}, blocks, 10)
        seen = []
        for step in range(40):
            schedule.before_step(step)
            modes = [block.quantizer.mode for block in blocks]
            if not seen or seen[-1][1] != modes:
                seen.append((step, modes))
        expected = [[NOISY, FLOAT, FLOAT], [HARD, NOISY, FLOAT], [HARD, HARD, NOISY], [HARD, HARD, HARD]]
        self.assertEqual(seen, list(zip((0, 5, 10, 15), expected)))
        self.assertEqual([len(block.activations) for block in blocks], [1, 1, 0])
        self.assertEqual([a.mode for a in activations_of(model)], [HARD, HARD])

    def test_activations_are_quantized_with_their_block(self):
        model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
        blocks = quantize(model, "nice", 4, 4)
        calibrate(model, [torch.randn(64, 4)])
        Schedule({"kind": "gradual", "epochs": 3}, blocks, 10).before_step(12)
        self.assertEqual([a.mode for a in activations_of(model)], [HARD, HARD])
        set_mode(blocks, FLOAT)
        self.assertEqual([a.mode for a in activations_of(model)], [FLOAT, FLOAT])

    def test_freezing_changes_no_value(self):
        for method, bits in (("nice", 3), ("uniq", 2), ("binary", 1), ("ternary", 2), ("ste", 4)):
            torch.manual_seed(4)
            model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
            blocks = quantize(model, method, bits, 4)
            x = torch.randn(64, 6)
            calibrate(model, [x])
            set_mode(blocks, HARD)
            before = model.eval()(x)
            self.assertTrue(torch.equal(freeze(model, blocks)(x), before), method)
            code = model[3].weight_code
            whole = model[3].weight / code.step
            self.assertTrue(torch.equal(whole, whole.round()))
            unit = code.step * float(model[2].step())
            self.assertTrue(torch.allclose(model[3].bias / unit, (model[3].bias / unit).round(), atol=1e-3), "biases are whole too")


def small_data(count=200):
    data = datasets.load("digits")
    cut = lambda part, n: datasets.Part(part.images[:n], part.labels[:n])  # noqa: E731
    return datasets.Data("digits", cut(data.train, count), data.held, cut(data.test, 60), 5)


def small_recipe(**over):
    base = recipes.load("digits", over.pop("variant", "nice-w3a3"))
    phases = over.pop("phase")
    return recipes.check({**base, "phase": phases, "batch": 50, **over}, "test")


ADMM_PHASES = [{"kind": kind, "epochs": 2, "rate": 0.003, "rounds": 2, "update_steps": 3} for kind in ("float", "prune", "masked", "levels", "fixing")]
NICE_PHASES = [{"kind": "float", "epochs": 1, "rate": 0.01}, {"kind": "gradual", "epochs": 5, "epochs_per_block": 0.75, "rate": 0.005, "teacher": 0.5}]


class Runs(unittest.TestCase):
    def run_in(self, folder, recipe, stop_after=None):
        run = runner.Run(recipe, small_data(), pathlib.Path(folder), "cpu", say=lambda text: None)
        saved, save = 0, run.save

        def counting():
            nonlocal saved
            save()
            saved += 1
            if saved == stop_after:
                raise runner.Interrupted

        run.save = counting
        return run.run()

    def test_a_resumed_run_ends_with_the_same_weights(self):
        cases = {
            "nice": small_recipe(phase=NICE_PHASES),
            "uniq": small_recipe(variant="uniq-w2a2", phase=NICE_PHASES),
            "admm": small_recipe(variant="admm-w3a4", phase=ADMM_PHASES),
        }
        for name, recipe in cases.items():
            with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as cut:
                self.run_in(whole, recipe)
                for stop in (2, 2, 1, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, None):
                    try:
                        self.run_in(cut, recipe, stop)
                        break
                    except runner.Interrupted:
                        continue
                first, second = (np.load(pathlib.Path(folder) / "model.npz") for folder in (whole, cut))
                self.assertEqual(set(first.files), set(second.files))
                for key in first.files:
                    self.assertTrue(np.array_equal(first[key], second[key]), f"{name}: {key}")
                results = [json.loads((pathlib.Path(folder) / "result.json").read_text()) for folder in (whole, cut)]
                self.assertEqual(results[0]["accuracy"], results[1]["accuracy"])

    def test_a_teacher_alone_makes_labels_irrelevant(self):
        """With teacher = 1 the loss has no label in it; with less than that it has."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            self.run_in(folder / "float", small_recipe(phase=NICE_PHASES[:1]))
            weights = {}
            for teacher in (1.0, 0.5):
                for turned in (0, 1):
                    data = small_data()
                    data.train.labels[:] = (data.train.labels + turned) % 10
                    recipe = small_recipe(phase=[{"kind": "hard", "epochs": 2, "rate": 0.005, "teacher": teacher}])
                    out = folder / f"{teacher}-{turned}"
                    runner.Run(recipe, data, out, "cpu", init=folder / "float/float.pt", say=lambda text: None).run()
                    weights[teacher, turned] = {key: value for key, value in np.load(out / "model.npz").items() if value.dtype == np.float32}
            same = {teacher: all(np.array_equal(weights[teacher, 0][key], weights[teacher, 1][key]) for key in weights[teacher, 0]) for teacher in (1.0, 0.5)}
            self.assertEqual(same, {1.0: True, 0.5: False})

    def test_distillation_is_the_divergence_of_softened_outputs(self):
        ours, theirs = torch.tensor([[1.0, 3.0], [0.0, 0.0]]), torch.tensor([[2.0, -2.0], [0.0, 0.0]])
        p, q = torch.softmax(theirs / 2, 1), torch.softmax(ours / 2, 1)
        expected = 4 * (p * (p / q).log()).sum() / 2
        self.assertAlmostEqual(runner.distillation(ours, theirs, 2.0).item(), expected.item(), places=5)
        self.assertEqual(runner.distillation(theirs, theirs, 2.0).item(), 0)

    def test_a_teacher_needs_a_float_network(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(ValueError, "Put a phase of kind 'float' first"):
                self.run_in(folder, small_recipe(phase=[{"kind": "hard", "epochs": 1, "rate": 0.005, "teacher": 0.5}]))

    def test_admm_reaches_its_ratio(self):
        with tempfile.TemporaryDirectory() as folder:
            result = self.run_in(folder, small_recipe(variant="admm-w3a4", phase=ADMM_PHASES))
            expected = sum(round(share * count) for share, count in ((0.6, 144), (0.25, 2304), (0.25, 4608), (0.25, 1280)))
            self.assertEqual(result["nonzero_weights"], expected)

    def test_the_deadline_stops_and_another_recipe_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            recipe = small_recipe(phase=NICE_PHASES)
            with self.assertRaises(runner.Interrupted):
                self.run_in(folder, recipe, 1)
            late = runner.Run(recipe, small_data(), pathlib.Path(folder), "cpu", deadline=1.0, say=lambda text: None)
            with self.assertRaises(runner.Interrupted):
                late.run()
            with self.assertRaisesRegex(ValueError, "another recipe"):
                self.run_in(folder, {**recipe, "seed": 2})


class Recipes(unittest.TestCase):
    def test_all_load(self):
        for path in sorted(recipes.FOLDER.glob("*.toml")):
            _, variants = recipes.read_file(path)
            for variant in variants or [None]:
                recipe = recipes.load(path, variant, seed=9)
                self.assertEqual(recipe["seed"], 9)
                runner.build(recipe)

    def test_mistakes_are_named(self):
        good = recipes.load("digits", "nice-w4a4")
        for change, expected in (
            ({"batches": 3}, "key 'batches' is not known"),
            ({"seed": "one"}, "seed is 'one'; int is expected"),
            ({"net": {"name": "vgg"}}, "one of digits-cnn"),
            ({"phase": []}, r"no \[\[phase\]\]"),
            ({"phase": [{"kind": "float", "epochs": 0, "rate": 1}]}, "more than 0"),
            ({"phase": [{"kind": "hard", "epochs": 1, "rate": 1, "teacher": 1.5}]}, "teacher 1.5 and temperature 1; a share from 0 to 1"),
            ({"phase": [{"kind": "float", "epochs": 1, "rate": 1, "teacher": 0.5}]}, "a float phase cannot have a teacher"),
            ({"data": {}}, "key 'set' is missing"),
        ):
            with self.assertRaisesRegex(recipes.RecipeError, expected):
                recipes.check({**good, **change}, "file.toml")
        with self.assertRaisesRegex(recipes.RecipeError, "variant 'w9'"):
            recipes.load("digits", "w9")
        with self.assertRaisesRegex(ValueError, "no option keep"):
            quantize(nn.Sequential(nn.Linear(2, 2)), "nice", 4, 4, keep=0.5)
        with self.assertRaisesRegex(ValueError, "layers 7"):
            quantize(nn.Sequential(nn.Linear(2, 2)), "nice", 4, 4, layers={"7": {}})

    def test_options_of_single_layers_go_by_number(self):
        """Not by the names that nn.Sequential gives, which are numbers too."""
        _, blocks = runner.build(recipes.load("mnist-lenet5-admm", "prune-71x"))
        self.assertEqual([block.quantizer.keep for block in blocks], [0.2, 0.08, 0.009, 0.07])
        kept_weights = sum(round(block.quantizer.keep * block.weight.numel()) for block in blocks)
        self.assertEqual(kept_weights, 6050)
        model = nn.Sequential(nn.Sequential(nn.Linear(4, 4)), nn.ReLU(), nn.Linear(4, 2))
        blocks = quantize(model, "nice", 4, 4, layers={"0.0": {"weight_bits": 2}, "1": {"weight_bits": 3}})
        self.assertEqual([block.quantizer.bits for block in blocks], [2, 3])

    def test_data_files(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            with self.assertRaisesRegex(FileNotFoundError, "train-images"):
                datasets.load("mnist", folder)
            images = np.random.RandomState(1).randint(0, 256, (5100, 2, 3), np.uint8)
            labels = np.arange(5100, dtype=np.uint8) % 10
            for part in ("train", "t10k"):
                header = bytes([0, 0, 8, 3]) + np.array(images.shape, ">u4").tobytes()
                with lzma.open(folder / f"{part}-images-idx3-ubyte.xz", "wb") as file:
                    file.write(header + images.tobytes())
                (folder / f"{part}-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1]) + np.array([5100], ">u4").tobytes() + labels.tobytes())
            data = datasets.load("mnist", folder)
            self.assertEqual((len(data.train), len(data.held), len(data.test)), (100, 5000, 5100))
            self.assertTrue(np.array_equal(data.held.images[0, 0].numpy(), images[100]))
            (folder / "t10k-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x02\0")
            with self.assertRaisesRegex(ValueError, "follow from its header"):
                datasets.load("mnist", folder)
            (folder / "data_batch_1.bin").write_bytes(bytes(3073 * 2 - 1))
            with self.assertRaisesRegex(ValueError, "whole records"):
                datasets.read_cifar(folder / "data_batch_1.bin")

    def test_augmentation_moves_and_mirrors(self):
        torch.manual_seed(1)
        images = torch.arange(2 * 3 * 3).float().reshape(1, 2, 3, 3).repeat(400, 1, 1, 1) + 1
        self.assertTrue(torch.equal(datasets.augmented(images), images))
        moved = datasets.augmented(images, shift=1, flip=True)
        padded = np.pad(images[0].numpy(), ((0, 0), (1, 1), (1, 1)))
        possible = {padded[:, r : r + 3, c : c + 3][:, :, ::d].tobytes() for r in range(3) for c in range(3) for d in (1, -1)}
        self.assertEqual({np.ascontiguousarray(image.numpy()).tobytes() for image in moved}, {np.frombuffer(p, np.float32).tobytes() for p in possible})


if __name__ == "__main__":
    unittest.main()
