#!/usr/bin/env python3
"""Trains what a recipe says. Interrupted, it goes on from its last epoch when the same command is given again.

Examples: python3 sw/train/train_recipe.py digits --variant nice-w3a3 --out build/train
          python3 sw/train/train_recipe.py fashion --variant w4a4 --data DIR --out build/train --threads 2
          python3 sw/train/train_recipe.py fashion --list
"""
import argparse
import pathlib
import sys
import time

import datasets
import recipe as recipes
from runner import Interrupted, Run, choose_device, finished, set_up


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", help="a TOML file, or the name of one in sw/train/recipes")
    parser.add_argument("--variant", help="which of the file's variants")
    parser.add_argument("--list", action="store_true", help="list the variants and end")
    parser.add_argument("--data", type=pathlib.Path, help="folder of the data set's files, or of folders mnist, fashion-mnist, cifar-10")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/train"), help="the run's folder is made in here")
    parser.add_argument("--seed", type=int, help="another one than the recipe's")
    parser.add_argument("--longer", type=float, default=1.0, help="factor for the epochs of every phase")
    parser.add_argument("--device", default="auto", help="auto (a GPU when there is one), cpu, cuda, cuda:1")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU; another number ends with other weights")
    parser.add_argument("--time-limit", type=float, help="seconds; then the run stops, and can go on")
    options = parser.parse_args()
    try:
        if options.list:
            print("\n".join(recipes.read_file(options.recipe)[1]) or "no variants")
            return 0
        recipe = recipes.load(options.recipe, options.variant, options.seed, options.longer)
        folder = options.out / run_name(recipe)
        if finished(folder):
            print(f"{folder}: is finished; accuracy {finished(folder).get('accuracy')}")
            return 0
        device = choose_device(options.device)
        set_up(device, options.threads)
        data = datasets.load(recipe["data"]["set"], options.data).to(device)
        deadline = time.time() + options.time_limit if options.time_limit else None
        print(f"{recipe['name']}: seed {recipe['seed']}, on {device}, in {folder}", flush=True)
        Run(recipe, data, folder, device, deadline, recipe.get("init"), say=lambda text: print(text, flush=True)).run()
    except Interrupted:
        print("the time is up; the same command goes on from the last epoch")
        return 3
    except (recipes.RecipeError, ValueError, FileNotFoundError) as error:
        print(f"train_recipe: {error}", file=sys.stderr)
        return 2
    return 0


def run_name(recipe):
    return f"{recipe['name']}-s{recipe['seed']}"


if __name__ == "__main__":
    sys.exit(main())
