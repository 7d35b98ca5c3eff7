"""What the checks of PyTorch's functions leave alone and catch, beside gradcheck: tables of docs/custom_gradients.md.

python -m tests.tools.outside_checks --write
"""

import argparse
import ast
import os
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from hypothesis.strategies import SearchStrategy

import minidl.testing.torch
from minidl.testing import CheckError
from minidl.testing.functions import some_input
from tests.corpus.outside import RIGHT, WRONG

PAGE = Path(__file__).parents[2] / "docs" / "custom_gradients.md"
DECLARED = ("shape", "rows_mix", "stochastic", "domain", "integers", "constants", "jumps", "n")
ON_GRID = 100  # inputs on which gradcheck is tried


def found(item, examples):
    """The error that the check of an item raises, None if it raises none."""
    try:
        getattr(minidl.testing.torch, f"check_{item.kind}")(item.thing, max_examples=examples, **item.options)
    except CheckError as error:
        return error
    return None


def numbers_in(error):
    """How many numbers the inputs of the smallest case hold."""
    at = re.search(r"\bat=(\{[^}]*\})", str(error).rsplit("repeat with", 1)[1])
    return sum(np.size(value) for name, value in ast.literal_eval(at[1]).items() if name != "seed")


def inputs(item, rng, *, grid):
    """Float64 tensors for gradcheck: of sizes from 2 to 4 on the grid of the checks, or 4 and 3 and normal."""
    shape = item.options.get("shape", ("n", "features"))
    shapes, sizes = shape if isinstance(shape, dict) else {"x": shape}, {}
    tensors = []
    for name, one in shapes.items():
        drawn = tuple(
            size
            if isinstance(size, int)
            else sizes.setdefault(str(size), int(rng.integers(2, 5)) if grid else 4 - len(sizes) % 2)
            for size in one
        )
        if name in item.options.get("integers", {}):
            classes = sizes[item.options["integers"][name][1]]
            tensors.append(torch.from_numpy(rng.integers(0, classes, drawn)))
            continue
        low, high = item.options.get("domain") or (-np.inf, np.inf)
        values = some_input(drawn, item.options.get("domain"), rng) if grid else rng.standard_normal(drawn)
        if not grid and np.isfinite(low):
            values = rng.uniform(low, high, drawn)
        tensors.append(torch.tensor(values, dtype=torch.float64, requires_grad=True))
    return tensors


def accepted_by_gradcheck(item, rng, *, grid):
    """Whether gradcheck, as it comes, accepts an item at one input."""
    tensors = inputs(item, rng, grid=grid)
    arguments = {k: 1.0 if isinstance(v, SearchStrategy) else v for k, v in item.options.items() if k not in DECLARED}
    thing = item.thing
    if item.kind == "module":
        width = {"num_features": tensors[0].shape[1]} if "num_features" in str(item.options.get("shape")) else {}
        module = thing(**width).double()
        call, tensors = (lambda x, *_: module(x)), [*tensors, *module.parameters()]
    elif isinstance(thing, type):
        call = thing.apply
    else:
        names = ("height", "width")
        call = partial(thing, **{k: v for k, v in arguments.items() if k not in names})
    try:
        return torch.autograd.gradcheck(call, tensors, raise_exception=True)
    except Exception:  # what it raises where a function raises is its answer, too
        return False


def right(index, examples):
    """A row of the table of right functions: name, what was found, alarms of gradcheck."""
    torch.set_num_threads(1)
    item, began, rng = RIGHT[index], time.perf_counter(), np.random.default_rng(0)
    error = found(item, examples)
    property_ = "none" if error is None else error.property
    seconds = time.perf_counter() - began
    alarms = sum(not accepted_by_gradcheck(item, rng, grid=True) for _ in range(ON_GRID))
    return item.name, property_, seconds, alarms


def wrong(index, examples):
    """A row of the table of wrong functions: name, what is wrong, what was found, and whether gradcheck accepts it."""
    torch.set_num_threads(1)
    item = WRONG[index]
    error = found(item, examples)
    row = ("none", 0) if error is None else (error.property, numbers_in(error))
    return item.name, item.thing.__doc__, *row, accepted_by_gradcheck(item, np.random.default_rng(0), grid=False)


def table_of_right(rows, examples):
    """The table, and how many false alarms there were."""
    yield f"| | false alarms in {examples} cases | alarms of gradcheck in {ON_GRID} |"
    yield "|---|---|---|"
    for name, property_, _, alarms in rows:
        yield f"| {name} | {property_} | {alarms} |"


def table_of_wrong(rows):
    """The table of what is caught, with the size of the smallest case."""
    yield "| | what is wrong | property that fails | numbers in the smallest case | gradcheck |"
    yield "|---|---|---|---|---|"
    for name, about, property_, numbers, accepted in rows:
        shown = about.replace("|", "\\|")
        yield f"| {name} | {shown} | {property_} | {numbers} | {'silent' if accepted else 'caught'} |"


def written(page, name, lines):
    """The page with a table in its place."""
    table = "\n".join(lines)
    return re.sub(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", lambda m: m[1] + table + m[2], page, flags=re.DOTALL)


def main():
    """Print both tables, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="for each right function (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/custom_gradients.md")
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:
        work = [pool.submit(wrong, index, 100) for index in range(len(WRONG))]
        left = [pool.submit(right, index, options.cases) for index in range(len(RIGHT))]
        caught, alone = [], []
        for future in work:
            caught.append(future.result())
            print(f"  {caught[-1][0]}: {caught[-1][2]}", flush=True)
        for future in left:
            alone.append(future.result())
            name, property_, seconds, _ = alone[-1]
            print(f"  {name}: false alarms: {property_}, {seconds:.0f} s", flush=True)
    tables = {"right": list(table_of_right(alone, options.cases)), "wrong": list(table_of_wrong(caught))}
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        for name, lines in tables.items():
            page = written(page, name, lines)
        PAGE.write_text(page, encoding="utf-8")
    else:
        print("\n".join([*tables["right"], "", *tables["wrong"]]))
    silent = [name for name, property_, *_ in alone if property_ == "none"]
    sizes = [numbers for *_, property_, numbers, _ in caught if property_ != "none"]
    print(f"right: {len(silent)} of {len(alone)} left alone; wrong: {len(sizes)} of {len(caught)} caught,", end=" ")
    print(f"{sum(size <= 4 for size in sizes)} with a smallest case of at most 4 numbers;", end=" ")
    print(f"gradcheck caught {sum(not accepted for *_, accepted in caught)}")
    sys.exit(len(silent) < len(alone) or len(sizes) < len(caught))


if __name__ == "__main__":
    main()
