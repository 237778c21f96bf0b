"""The training methods against their equations in plain NumPy. Exit status 77: PyTorch is not installed."""
import math
import pathlib
import sys
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

import runner
from methods import (HARD, NOISY, AdmmWeight, BinaryWeight, ClampedActivation, NiceWeight, SteWeight, TernaryWeight, UniqWeight, freeze,
                     quantize)  # fmt: skip
from methods.admm import LEVELS, PRUNE, fit_step, kept, to_levels
from methods.common import gaussian_step, hardware_step
from methods.uniq import phi, quantile_levels
from schedule import Schedule

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


if __name__ == "__main__":
    unittest.main()
