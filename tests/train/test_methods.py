"""The training methods against their equations in plain NumPy, their schedules, and resumed runs. Exit status 77: PyTorch is not installed."""
import json
import lzma
import math
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
from methods import (FLOAT, HARD, NOISY, AdmmWeight, BinaryWeight, ClampedActivation, NiceWeight, SteWeight, TernaryWeight, UniqWeight,
                     activations_of, calibrate, freeze, quantize, set_mode)  # fmt: skip
from methods.admm import LEVELS, PRUNE, fit_step, kept, to_levels
from methods.common import gaussian_step, hardware_step
from methods.uniq import phi, quantile_levels
from schedule import Schedule, gradual_modes

runner.set_up("cpu")


def weights(seed, *shape, scale=0.1):
    return torch.from_numpy(np.random.RandomState(seed).normal(0.01, scale, shape).astype(np.float32))


def entered(quantizer, weight, mode=HARD):
    quantizer.train()
    quantizer.enter(mode, weight)
    return quantizer


def numpy_hardware_step(step):
    """NICE's b * 2^p from its equations."""
    p = math.ceil(math.log2(step / 8))
    return math.ceil(min(max(step / 2.0**p, 1), 8)) * 2.0**p


class Steps(unittest.TestCase):
    def test_hardware_steps(self):
        for step in np.geomspace(1e-4, 900, 301):
            found = float(hardware_step(torch.tensor(step)))
            self.assertEqual(found, numpy_hardware_step(step))
            mantissa = math.frexp(found)[0] * 16
            self.assertIn(mantissa if mantissa < 16 else 8, (8, 10, 12, 14), "b is one of 5, 6, 7, 8")
            self.assertTrue(step <= found <= step * 1.25)

    def test_least_error_steps_are_those_of_the_literature(self):
        # J. Max, "Quantizing for minimum distortion", 1960: uniform quantizers of a normal variable; odd numbers of levels lie between its rows.
        self.assertAlmostEqual(gaussian_step(-1, 1), 1.224, delta=0.02)
        self.assertTrue(0.5860 < gaussian_step(-3, 3) < 0.7334)  # 8 and 6 levels
        self.assertTrue(0.3352 < gaussian_step(-7, 7) < 0.3739)  # 16 and 14 levels


class Nice(unittest.TestCase):
    def test_integers_follow_the_equations(self):
        for bits in (2, 3, 4, 8):
            for hardware in (True, False):
                for mean in (0.02, -0.02):
                    with self.subTest(bits=bits, hardware=hardware, mean=mean):
                        w = weights(bits, 40, 30) + mean
                        quantizer = entered(NiceWeight(bits, alpha=3.45, hardware=hardware), w)
                        x = w.numpy().astype(np.float64)
                        top = 2 ** (bits - 1) - 1
                        clamp = abs(x.mean() + np.sign(x.mean()) * 3.45 * x.std())
                        step = numpy_hardware_step(clamp / top) if hardware else clamp / top
                        self.assertAlmostEqual(float(quantizer.step), step, delta=1e-6 * step)
                        expected = np.clip(np.round(w.numpy() / np.float32(quantizer.step)), -top, top)
                        self.assertTrue(np.array_equal(quantizer.codes(w).numpy(), expected))
                        self.assertTrue(np.array_equal(quantizer(w).numpy(), expected * np.float32(quantizer.step)))

    def test_no_code_lies_below_the_symmetric_range(self):
        for bits in (2, 3, 4, 8):
            w = weights(1, 100, 100)
            w[0], w[1] = -50, 50
            quantizer = entered(NiceWeight(bits), w)
            codes = quantizer.codes(w)
            self.assertEqual((codes.min().item(), codes.max().item()), (1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1))

    def test_a_mean_of_zero_keeps_the_clamp(self):
        w = torch.tensor([-1.0, 1.0, -0.5, 0.5])
        self.assertEqual(w.mean().item(), 0)
        self.assertAlmostEqual(float(NiceWeight(4, alpha=2.0).clamp_of(w)), 2 * float(w.std(unbiased=False)), places=6)

    def test_noise(self):
        torch.manual_seed(5)
        w = weights(2, 400, 500, scale=1.0)
        quantizer = entered(NiceWeight(4, noise=0.05), w, NOISY)
        step = float(quantizer.step)
        hard = quantizer.codes(w) * quantizer.step
        seen = quantizer(w)
        changed = seen != hard
        share = changed.float().mean().item()
        self.assertAlmostEqual(share, 0.05, delta=5 * math.sqrt(0.05 * 0.95 / w.numel()))
        self.assertLessEqual(seen.abs().max().item(), 7 * step * (1 + 1e-6))
        inner = changed & (w.abs() < 6 * step)
        noise = (seen - w)[inner] / step
        self.assertLessEqual(noise.abs().max().item(), 0.5 + 1e-4)
        self.assertAlmostEqual(noise.mean().item(), 0, delta=5 / math.sqrt(12 * len(noise)))
        self.assertAlmostEqual(noise.std().item(), 1 / math.sqrt(12), delta=0.01)
        quantizer.noise = 0.0
        self.assertTrue(torch.equal(quantizer(w), hard), "switched off")
        quantizer.noise = 0.05
        self.assertTrue(torch.equal(quantizer.eval()(w), hard), "none while measuring")

    def test_all_of_the_gradient_reaches_the_float_weights(self):
        w = (weights(3, 50, 50) * 5).requires_grad_()
        for mode in (HARD, NOISY):
            entered(NiceWeight(3), w.detach(), mode)(w).sum().backward()
            self.assertTrue(torch.equal(w.grad, torch.ones_like(w)))
            w.grad = None


class Activations(unittest.TestCase):
    def test_calibration_is_the_running_mean_and_spread(self):
        activation = ClampedActivation(4, alpha=5.0, hardware=False)
        activation.calibrate(True)
        mean = std = None
        for seed in range(6):
            x = weights(seed, 64, 32, scale=1 + seed)
            self.assertTrue(torch.equal(activation(x), x.clamp_min(0)), "float while calibrating")
            m, s = x.mean().item(), x.std().item()
            mean, std = (m, s) if mean is None else (0.9 * mean + 0.1 * m, 0.9 * std + 0.1 * s)
        activation.calibrate(False)
        self.assertAlmostEqual(activation.clamp.item(), mean + 5 * std, places=4)
        self.assertAlmostEqual(float(activation.step()), (mean + 5 * std) / 15, places=5)

    def test_values_and_gradients(self):
        for hardware in (True, False):
            for signed in (False, True):
                activation = ClampedActivation(3, hardware=hardware, signed=signed)
                activation.mode = HARD
                with torch.no_grad():
                    activation.clamp.fill_(2.9)
                high = 3 if signed else 7
                low = -high if signed else 0
                step = np.float32(numpy_hardware_step(np.float32(2.9) / high) if hardware else np.float32(2.9) / high)
                x = (weights(7, 400) * 30).requires_grad_()
                y = activation(x)
                expected = np.clip(np.round(x.detach().numpy() / step), low, high) * step
                self.assertTrue(np.array_equal(y.detach().numpy(), expected))
                upstream = weights(8, 400)
                y.backward(upstream)
                v, g = x.detach().numpy(), upstream.numpy()
                self.assertTrue(np.array_equal(x.grad.numpy(), g * ((v > low * step) & (v <= high * step))))
                clamp_gradient = g[v > high * step].sum() - (g[v < low * step].sum() if signed else 0)
                self.assertAlmostEqual(activation.clamp.grad.item(), clamp_gradient, places=4)

    def test_a_fixed_clamp_stays(self):
        model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
        quantize(model, "nice", 4, 4, learned_clamp=False)
        self.assertFalse(model[1].clamp.requires_grad)


class Uniq(unittest.TestCase):
    def test_levels_of_the_normal_distribution(self):
        published = {1: [0.6745], 2: [0.3186, 1.1503], 3: [0.1573, 0.4888, 0.8871, 1.5341],
                     4: [0.0784, 0.2372, 0.4023, 0.5791, 0.7764, 1.0100, 1.3180, 1.8627]}  # fmt: skip
        for bits, positive in published.items():
            levels = quantile_levels(bits).numpy()
            self.assertTrue(np.allclose(levels[2 ** (bits - 1) :], positive, atol=5e-5))
            self.assertTrue(np.allclose(levels, -levels[::-1]))

    def test_codes_follow_the_equations(self):
        for bits in (1, 2, 3, 4):
            for mean in (False, True):
                with self.subTest(bits=bits, mean=mean):
                    w = weights(bits, 60, 50) + 0.05
                    quantizer = entered(UniqWeight(bits, mean=mean), w)
                    x = w.numpy().astype(np.float64)
                    mu = x.mean() if mean else 0.0
                    sd = math.sqrt(((x - mu) ** 2).mean())
                    levels = quantile_levels(bits).numpy()
                    top = 2 ** (bits + 1) - 1
                    table = np.round(levels / (levels[-1] / top))
                    step = numpy_hardware_step(sd * levels[-1] / top)
                    u = np.array([0.5 * (1 + math.erf(z / math.sqrt(2))) for z in ((x - mu) / sd).ravel()])
                    clear = np.abs(u * 2**bits - np.round(u * 2**bits)) > 1e-4  # float32 may put the others on either side
                    expected = table[np.clip(np.floor(u * 2**bits), 0, 2**bits - 1).astype(int)] + np.round(mu / step)
                    codes = quantizer.codes(w).numpy().ravel()
                    self.assertEqual(float(quantizer.step), step)
                    self.assertTrue(np.array_equal(codes[clear], expected[clear]))
                    self.assertGreater(clear.mean(), 0.99)
                    self.assertLessEqual(len(set(codes.tolist())), 2**bits)
                    self.assertLess(np.abs(codes).max(), 2 ** (quantizer.bits - 1))

    def test_parts_are_equally_probable(self):
        w = weights(4, 300, 300)
        w -= w.mean()
        codes = entered(UniqWeight(3), w).codes(w).numpy()
        counts = np.unique(codes, return_counts=True)[1] / codes.size
        self.assertEqual(len(counts), 8)
        self.assertTrue(np.all(np.abs(counts - 1 / 8) < 0.01))

    def test_noise_is_uniform_where_weights_are(self):
        torch.manual_seed(6)
        w = weights(5, 300, 300)
        quantizer = entered(UniqWeight(3), w, NOISY)
        _, sd = quantizer.statistics(w)
        moved = phi(quantizer(w) / sd) - phi(w / sd)
        inner = (phi(w / sd) - 0.5).abs() < 0.4
        self.assertLessEqual(moved[inner].abs().max().item(), 1 / 16 + 1e-4)
        self.assertAlmostEqual(moved[inner].std().item(), 1 / 8 / math.sqrt(12), delta=5e-4)
        quantizer.noise = 0.0
        self.assertTrue(torch.equal(quantizer(w), quantizer.codes(w) * quantizer.step))


class Baselines(unittest.TestCase):
    def test_values(self):
        w = weights(9, 50, 60)
        x = w.numpy()
        binary = entered(BinaryWeight(), w)
        self.assertEqual(float(binary.step), numpy_hardware_step(float(w.abs().mean())))
        self.assertTrue(np.array_equal(binary(w).numpy(), np.where(x >= 0, 1, -1) * np.float32(binary.step)))
        ternary = entered(TernaryWeight(), w)
        threshold = 0.7 * np.abs(x).mean()
        expected = np.where(np.abs(x) > threshold, np.sign(x), 0)
        self.assertTrue(np.array_equal(ternary.codes(w).numpy(), expected))
        self.assertAlmostEqual(float(ternary.step) / numpy_hardware_step(np.abs(x)[expected != 0].mean()), 1, places=6)
        plain = entered(SteWeight(4), w)
        self.assertEqual(float(plain.step), numpy_hardware_step(np.abs(x).max() / np.float32(7)))
        self.assertTrue(np.array_equal(plain.codes(w).numpy(), np.clip(np.round(x / np.float32(plain.step)), -7, 7)))

    def test_noise_on_binary_weights(self):
        torch.manual_seed(7)
        w = weights(10, 300, 300)
        quantizer = entered(BinaryWeight(noise=0.05), w, NOISY)
        seen, step = quantizer(w), float(quantizer.step)
        self.assertAlmostEqual((seen.abs() < step * 0.999).float().mean().item(), 0.05, delta=0.025)
        self.assertLessEqual(seen.abs().max().item(), step * (1 + 1e-6))


class Admm(unittest.TestCase):
    def test_projections(self):
        w = weights(11, 12, 8, 3, 3)
        mask = kept(w, 0.1)
        self.assertEqual(int(mask.sum()), round(0.1 * w.numel()))
        self.assertGreaterEqual(w.abs()[mask != 0].min().item(), w.abs()[mask == 0].max().item())
        # Words of 4 kernels x 8 weights in the engine's order: kernel row, kernel column, channel.
        mask = kept(w, 0.25, (4, 8)).numpy().transpose(0, 2, 3, 1).reshape(3, 4, 9, 8)
        energy = (w.numpy().transpose(0, 2, 3, 1).reshape(3, 4, 9, 8) ** 2).sum((1, 3))
        whole = mask.all((1, 3))
        self.assertTrue(np.array_equal(mask.any((1, 3)), whole), "a word stays or goes as a whole")
        self.assertEqual(int(whole.sum()), round(0.25 * 27))
        self.assertGreater(energy[whole].min(), energy[~whole].max())
        # Behind a Flatten the inputs are stored channel by channel.
        flat = weights(12, 4, 2 * 3 * 3)
        mask = kept(flat, 0.5, (4, 2), (2, 3, 3)).numpy().reshape(4, 2, 9).transpose(0, 2, 1)
        self.assertTrue(np.array_equal(mask.any((0, 2)), mask.all((0, 2))))
        with self.assertRaises(ValueError):
            kept(w, 0.5, (5, 8))

    def test_levels_have_no_zero(self):
        w = torch.tensor([-9.0, -1.6, -1.4, -0.1, 0.0, 0.2, 0.9, 2.4, 2.6, 7.0])
        self.assertEqual(to_levels(w, 1.0, 4).tolist(), [-4, -2, -1, -1, 0, 1, 1, 2, 3, 4])
        w = weights(13, 500)
        step = fit_step(w, 4, hardware=False)
        first = w.abs().max().item() / 4
        errors = {q: float(((w.double() - to_levels(w.double(), q, 4) * q) ** 2).sum()) for q in np.arange(0.9, 1.1005, 0.001) * first}
        self.assertAlmostEqual(step, min(errors, key=errors.get), delta=0.0015 * first)

    def test_update_and_penalty_follow_the_equations(self):
        layer = nn.Linear(6, 5, bias=False)
        quantizer = AdmmWeight(keep=0.3, levels=2, rho=0.02)
        w = layer.weight
        quantizer.enter(PRUNE, w)
        z, u = w.detach() * kept(w.detach(), 0.3), torch.zeros_like(w)
        self.assertTrue(torch.equal(quantizer.z, z))
        quantizer.penalty(w).backward()
        self.assertTrue(torch.allclose(w.grad, 0.02 * (w - z + u)))
        for _ in range(3):
            with torch.no_grad():
                w.mul_(0.9).add_(0.01)
            quantizer.update(w)
            z = (w.detach() + u) * kept(w.detach() + u, 0.3)
            u = u + w.detach() - z
            self.assertTrue(torch.allclose(quantizer.z, z) and torch.allclose(quantizer.u, u))
        quantizer.enter(LEVELS, w)
        self.assertEqual(int((quantizer.z != 0).sum()), round(0.3 * 30), "pruned weights stay pruned")

    def test_thirty_per_cent_of_each_level_are_fixed(self):
        w = weights(14, 40, 50)
        quantizer = AdmmWeight(keep=0.5, levels=2)
        quantizer.enter("fixing", w)
        before = to_levels(w * quantizer.mask, quantizer.step, 2)
        quantizer.fix(w)
        for code in (-2, -1, 1, 2):
            at = before == code
            fixed = at & (quantizer.fixed != 0)
            self.assertEqual(int(fixed.sum()), math.ceil(0.3 * int(at.sum()) - 1e-9))
            distance = (w - before * quantizer.step).abs()
            self.assertLessEqual(distance[fixed].max().item(), distance[at & ~fixed].min().item())
        moved = w + 10
        seen = quantizer(moved)
        self.assertTrue(torch.equal(seen[quantizer.fixed != 0], (before * quantizer.step)[quantizer.fixed != 0]), "fixed weights do not move")

    def test_a_sparse_regression_is_found(self):
        """y = A x with 1 coefficient in 16 that counts, whole multiples of 0.5: ADMM finds which, and their levels."""
        torch.manual_seed(3)
        truth = torch.zeros(4, 32)
        for row in range(4):
            truth[row, torch.randperm(32)[:2]] = torch.tensor([0.5, -1.0])
        x = torch.randn(512, 32)
        y = x @ truth.T
        layer = nn.Linear(32, 4, bias=False)
        (block,) = quantize(layer_in := nn.Sequential(layer), "admm", 2, 8, keep=1 / 16, rho=0.05)
        for kind, epochs in (("float", 1), ("prune", 20), ("masked", 5), ("levels", 5), ("fixing", 5)):
            schedule = Schedule({"kind": kind, "epochs": epochs, "update_steps": 10, "rounds": 3}, [block], 20)
            schedule.before_step(0)
            optimizer = torch.optim.Adam(layer_in.parameters(), 0.02)
            for step in range(epochs * 20):
                schedule.before_step(step) if step else None
                loss = (layer_in(x) - y).pow(2).mean() + schedule.penalty()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.after_step(step)
        freeze(layer_in, [block])
        self.assertEqual(int((layer.weight != 0).sum()), 8, "16 times fewer weights")
        self.assertTrue(torch.equal(layer.weight != 0, truth != 0))
        self.assertTrue(torch.allclose(layer.weight, truth, atol=0.07), f"{layer.weight[truth != 0].tolist()}")


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
NICE_PHASES = [{"kind": "float", "epochs": 1, "rate": 0.01}, {"kind": "gradual", "epochs": 5, "epochs_per_block": 0.75, "rate": 0.005}]


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
