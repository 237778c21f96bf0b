"""Recipes: TOML files that say what is trained, how, and from which seed. `load` reads one, puts a variant over it, and checks every key."""
import copy
import pathlib

from datasets import NAMES
from methods import METHODS
from nets import NETS
from schedule import KINDS

FOLDER = pathlib.Path(__file__).resolve().parent / "recipes"

# Key -> the type of its value; a tuple of strings is a choice.
TOP = {"name": str, "seed": int, "batch": int, "data": dict, "net": dict, "quantize": dict, "phase": list, "init": str}
DATA = {"set": NAMES, "shift": int, "flip": bool}
NET = {"name": tuple(NETS), "width": float, "padding": int, "channels": list}
QUANTIZE = {
    "method": METHODS, "weight_bits": int, "activation_bits": int, "edge_bits": int, "join_bits": int, "learned_clamp": bool,
    "activation_alpha": (float, str), "hardware": bool, "noise": float, "alpha": (float, str), "mean": bool, "level_bits": int,
    "keep": float, "rho": float, "word": list, "channels_last": list, "layers": dict,
}  # fmt: skip
PHASE = {
    "kind": KINDS, "epochs": float, "rate": float, "optimizer": ("adam", "sgd"), "weight_decay": float, "smoothing": float, "warmup": float,
    "clamp_rate": float, "epochs_per_block": float, "freeze_done": bool, "update_steps": int, "rounds": int, "last_rate": float,
    "teacher": float, "temperature": float,
}  # fmt: skip


class RecipeError(ValueError):
    """A recipe says something that is not understood."""


def _check(where, table, allowed, required=()):
    for key, value in table.items():
        if key not in allowed:
            raise RecipeError(f"{where}: key '{key}' is not known; {', '.join(sorted(allowed))} are")
        kind = allowed[key]
        if isinstance(kind, tuple) and isinstance(kind[0], str):
            if value not in kind:
                raise RecipeError(f"{where}: {key} is '{value}'; one of {', '.join(kind)} is expected")
            continue
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if float in kinds:
            kinds += (int,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise RecipeError(f"{where}: {key} is {value!r}; {' or '.join(k.__name__ for k in kinds)} is expected")
    for key in required:
        if key not in table:
            raise RecipeError(f"{where}: key '{key}' is missing")


def check(recipe, where):
    """Throws RecipeError at the first key or value that is not understood."""
    _check(where, recipe, TOP, ("name", "seed", "batch", "data", "net", "phase"))
    _check(f"{where} [data]", recipe["data"], DATA, ("set",))
    _check(f"{where} [net]", recipe["net"], NET, ("name",))
    if recipe.get("quantize"):
        _check(f"{where} [quantize]", recipe["quantize"], QUANTIZE, ("method", "weight_bits", "activation_bits"))
        for name, layer in recipe["quantize"].get("layers", {}).items():
            _check(f"{where} [quantize.layers.{name}]", layer, QUANTIZE)
    if not recipe["phase"]:
        raise RecipeError(f"{where}: no [[phase]]; one or more are expected")
    for number, phase in enumerate(recipe["phase"]):
        at = f"{where} [[phase]] {number}"
        _check(at, phase, PHASE, ("kind", "epochs", "rate"))
        if not phase["epochs"] > 0 or not phase["rate"] > 0:
            raise RecipeError(f"{at}: epochs {phase['epochs']} and rate {phase['rate']}; both must be more than 0")
        if not 0 <= phase.get("teacher", 0) <= 1 or not phase.get("temperature", 1) > 0:
            raise RecipeError(f"{at}: teacher {phase.get('teacher', 0)} and temperature {phase.get('temperature', 1)}; a share from 0 to 1 and a number above 0 are expected")
        if phase["kind"] == "float" and phase.get("teacher"):
            raise RecipeError(f"{at}: a float phase cannot have a teacher, which is the float network")
        if phase["kind"] != "float" and not recipe.get("quantize"):
            raise RecipeError(f"{at}: kind '{phase['kind']}', but the recipe has no [quantize]")
    return recipe


def merged(base, over):
    """`base` with the keys of `over` put over it, table by table; lists are replaced as a whole."""
    out = copy.deepcopy(base)
    for key, value in over.items():
        out[key] = merged(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else copy.deepcopy(value)
    return out


def read_file(path):
    """The file's tables: (what all variants share, {variant: what it puts over that})."""
    try:
        import tomllib
    except ImportError as missing:
        raise RecipeError(f"{path}: TOML files need Python 3.11 or newer (tomllib)") from missing
    path = pathlib.Path(path)
    if not path.exists() and (FOLDER / f"{path}.toml").exists():
        path = FOLDER / f"{path}.toml"
    try:
        tables = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise RecipeError(f"{path}: not found; recipes are: {', '.join(sorted(p.stem for p in FOLDER.glob('*.toml')))}") from None
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path}: {error}") from None
    return tables, tables.pop("variant", {})


def load(path, variant=None, seed=None, longer=1.0):
    """One recipe, checked. `variant`: a table [variant.NAME] of the file; its recipe is called <name>-NAME. `seed` over the file's.
    `longer`: a factor for the epochs of every phase and of a gradual phase's stages."""
    base, variants = read_file(path)
    if variants and variant not in variants:
        raise RecipeError(f"{path}: variant '{variant}'; it has {', '.join(variants)}")
    if variant is not None and not variants:
        raise RecipeError(f"{path}: it has no variants, '{variant}' is asked for")
    recipe = merged(base, variants.get(variant, {}))
    if variant is not None:
        recipe["name"] = f"{base.get('name', '')}-{variant}"
    if seed is not None:
        recipe["seed"] = seed
    check(recipe, f"{path}")
    for phase in recipe["phase"] if longer != 1 else ():
        phase["epochs"] = max(1, round(phase["epochs"] * longer))
        if "epochs_per_block" in phase:
            phase["epochs_per_block"] *= longer
    return check(recipe, f"{path}" + (f", variant {variant}" if variant else ""))
