"""Trained networks as files: frozen ones (whole-number weights and their steps, everything else as it is) in NPZ files, and as QONNX."""
import json
import os

import numpy as np
import torch


from methods import HARD, WeightCode, activations_of, freeze, quantize
from nets import NETS


UNSAVED = ("statistics", "num_batches_tracked")  # of training only


def build(recipe, state=None):
    """The recipe's network with its quantizers, in float mode: (model, blocks). `state`: of float_state, to start from."""
    model = NETS[recipe["net"]["name"]](**{key: value for key, value in recipe["net"].items() if key != "name"})
    if state is not None:
        model.load_state_dict(state)
    return model, put_quantizers(model, recipe)


def put_quantizers(model, recipe):
    if not recipe.get("quantize"):
        return []
    options = dict(recipe["quantize"])
    bits = options.pop("weight_bits"), options.pop("activation_bits")
    return quantize(model, options.pop("method"), *bits, **options)


def write_atomically(path, write):
    """Calls write(temporary name) and renames the result."""
    part = path.with_name(path.name + ".part")
    write(part)
    os.replace(part, path)


def save_frozen(path, model, recipe):
    """A frozen model as NPZ: "recipe" (JSON), and the state: weights as codes of 8 or 16 bits, with <name>_code, the rest in float32."""
    state = model.state_dict().items()
    arrays = {name: value.detach().cpu().numpy() for name, value in state if not name.endswith(UNSAVED)}
    for name, layer in model.named_modules():
        if not hasattr(layer, "weight_code"):
            continue
        code = layer.weight_code
        values = np.rint(arrays[f"{name}.weight"] / np.float32(code.step))
        if not np.array_equal(values.astype(np.float32) * np.float32(code.step), arrays[f"{name}.weight"]):
            raise ValueError(f"{name}: its frozen weights are no whole numbers times {code.step}")
        arrays[f"{name}.weight"] = values.astype(np.int8 if np.abs(values).max() < 128 else np.int16)
        arrays[f"{name}.weight_code"] = np.array(json.dumps(code.__dict__))
    arrays["recipe"] = np.array(json.dumps(recipe))

    def write(part):
        with open(part, "wb") as file:
            np.savez_compressed(file, **arrays)

    write_atomically(path, write)


def load_frozen(path):
    """(model, recipe) from save_frozen, on the CPU, ready for inference."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    recipe = json.loads(str(arrays.pop("recipe")))
    model, blocks = build(recipe)
    for block in blocks:
        block.quantizer.step.fill_(1.0)  # what is prepared now is overwritten below
    freeze(model, blocks)
    state = {}
    for name, value in arrays.items():
        if not name.endswith(".weight_code"):
            state[name] = torch.from_numpy(value)
    for name, layer in model.named_modules():
        if hasattr(layer, "weight_code"):
            layer.weight_code = WeightCode(**json.loads(str(arrays[f"{name}.weight_code"])))
            state[f"{name}.weight"] = state[f"{name}.weight"].float() * torch.tensor(layer.weight_code.step, dtype=torch.float32)
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith(UNSAVED)]
    if missing or unexpected:
        raise ValueError(f"{path}: holds no {', '.join(missing) or '-'}, and {', '.join(unexpected) or 'nothing'} too much")
    for activation in activations_of(model):
        activation.mode = HARD
    return model.eval(), recipe


def float_state(model):
    """The state of a network without its quantizers: what a plain one of the same architecture loads."""
    state = {}
    for name, value in model.state_dict().items():
        if name.endswith(".original"):
            name = name.replace("parametrizations.", "").removesuffix(".original")
        elif ".parametrizations." in name or name.endswith((".clamp", ".statistics")):
            continue
        state[name] = value.detach().cpu().clone()
    return state


def predict(model, images, batch=1000):
    """Scores [N, classes] of uint8 images, in float32 (never in a narrower format of the GPU), on the CPU."""
    cuda = images.is_cuda
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    if cuda:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    model.eval()
    dtype = next(part for part in model.parameters()).dtype
    with torch.no_grad():
        scores = torch.cat([model(part.to(dtype)) for part in images.split(batch)])
    if cuda:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before
    return scores


def accuracy(model, part, batch=1000):
    if not len(part):
        return None
    return (predict(model, part.images, batch).argmax(1) == part.labels).double().mean().item()


def indexed_bits(weights, bits):
    """Bits of a pruned tensor as a list of (gap, weight): a gap counts the zeros before a weight in the engine's order, in g bits; longer ones
    take fillers. The least over g."""
    flat = weights.permute(0, 2, 3, 1).reshape(-1) if weights.dim() == 4 else weights.reshape(-1)
    at = flat.nonzero().reshape(-1)
    gaps = torch.diff(at, prepend=torch.tensor([-1])) - 1
    return min(int((len(at) + (gaps // 2**g).sum()) * (g + bits)) for g in range(1, 17))


def weight_statistics(model):
    """Totals over the layers of a frozen model: weights; those that are not 0; `stored_weight_bits`: as codes, with the tables of codebooks;
    `indexed_weight_bits`: each layer as that or as a list of what is not pruned, whichever is shorter."""
    weights = kept = stored = indexed = 0
    for layer in model.modules():
        code = getattr(layer, "weight_code", None)
        if code is None:
            continue
        values = layer.weight.detach().cpu()
        table = code.bits << code.stored_bits if code.method == "uniq" else 0
        dense = values.numel() * (code.stored_bits if code.method == "uniq" else code.bits) + table
        weights += values.numel()
        kept += int((values != 0).sum())
        stored += dense
        indexed += min(dense, indexed_bits(values, code.stored_bits))
    return {"weights": weights, "nonzero_weights": kept, "stored_weight_bits": stored, "indexed_weight_bits": indexed}
