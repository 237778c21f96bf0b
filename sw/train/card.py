"""The card of a model: where it comes from and what was measured, as Markdown."""


def percent(value):
    return "not measured" if value is None else f"{100 * value:.2f} %"


def number(value):
    """A number with separators; a text as it is."""
    return value if isinstance(value, str) else f"{value:,}"


def describe(quantize):
    """The recipe's [quantize] in words."""
    words = [f"{quantize['method']}, weights {quantize['weight_bits']} bit, activations {quantize['activation_bits']} bit"]
    words += [f"{key} {value}" for key, value in quantize.items() if key not in ("method", "weight_bits", "activation_bits")]
    return "; ".join(words)


def phases(recipe, start=None):
    """All phases in words, those of the float run first that the training started from."""
    return ", then ".join(
        f"{phase['kind']} {phase['epochs']:g} epochs ({', '.join(f'{k} {v}' for k, v in phase.items() if k not in ('kind', 'epochs'))})"
        for phase in [*(start["phase"] if start else []), *recipe["phase"]]
    )


def text(result, check):
    """result.json and check.json as a card."""
    recipe, info = result["recipe"], check["info"]
    own_float = " (of the float phase of the same run)" if result["float_accuracy"] is not None and not recipe.get("init") and not result.get("start") else ""
    elsewhere = abs(result["accuracy"] - check["trainer_accuracy"]) > 1e-9
    rows = [
        ("data", f"{recipe['data']['set']}, {check['images']:,} test images"),
        ("network", ", ".join(f"{key} {value}" for key, value in recipe["net"].items())),
        ("quantizers", describe(recipe["quantize"])),
        ("training", f"batch {recipe['batch']}; {phases(recipe, result.get('start'))}"),
        ("seed", f"{recipe['seed']}"),
        ("trained with", f"PyTorch {result['torch']}, {result['device']}, {result['seconds']:.0f} s"),
        ("float accuracy", percent(result["float_accuracy"]) + own_float),
        (
            "accuracy, trainer",
            percent(check["trainer_accuracy"]) + (f" (on the device that trained it: {percent(result['accuracy'])})" if elsewhere else ""),
        ),
        ("accuracy, golden", percent(check["golden_accuracy"])),
        (
            "answers equal",
            f"{check['equal_answers']:,} of {check['images']:,}; {check['ties']} differ by ties within float32 rounding, "
            f"{check['real_differences']} really",
        ),
        ("MACs", f"{info['macs']:,}"),
        ("BOPs (UNIQ)", f"{info['bops_uniq']:,.0f}"),
        ("BOPs (QONNX)", f"{info['bops_qonnx']:,}"),
        (
            "weights",
            f"{result['weights']:,}, of which {result['nonzero_weights']:,} are not 0: "
            f"{result['weights'] / max(1, result['nonzero_weights']):.1f} times fewer",
        ),
        (
            "weight bits",
            f"{info['weight_bits']:,} as the network's integers; {check['stored_weight_bits']:,} as codes with their tables; "
            f"{(check['indexed_weight_bits'] + 7) // 8:,} bytes where layers with many zeros are lists with indices",
        ),
        *[(f"clocks an image, {place}", number(clocks)) for place, clocks in check["clocks"].items()],
        ("file", f"{check['onnx_bytes']:,} bytes"),
    ]
    return f"# {result['name']}\n\n| | |\n|---|---|\n" + "".join(f"| {key} | {value} |\n" for key, value in rows)
