"""How many wrong components the checks catch, and how many right ones they leave alone: `make corpus`, `make deep`."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky

import minidl.testing
from minidl.testing import CheckError
from tests.corpus.items import Item
from tests.corpus.right import DEEP, RIGHT
from tests.corpus.wrong import WRONG

UNSHRUNK = settings(
    database=None, derandomize=True, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


def is_caught(item: Item, examples: int) -> bool:
    """Whether the check of an item raises within so many examples; that one is not shrunk, which takes long."""
    chosen = settings(UNSHRUNK, max_examples=examples)
    try:
        getattr(minidl.testing, f"{item.kind}_test")(item.thing, settings=chosen, **item.options)()
    except (CheckError, Flaky):
        return True
    return False


SHELVES: dict[str, list[Item]] = {"wrong": WRONG, "right": RIGHT}


def _judged(shelf: str, index: int, examples: int) -> tuple[bool, float]:
    began = time.perf_counter()
    caught = is_caught(SHELVES[shelf][index], examples)
    return caught, time.perf_counter() - began


def judge(shelf: str, items: list[Item], examples: int, jobs: int) -> Iterator[tuple[Item, bool, float]]:
    """(item, caught, seconds) for each, in order, by `jobs` processes."""
    indices = [SHELVES[shelf].index(item) for item in items]
    with ProcessPoolExecutor(jobs) as pool:
        work = [pool.submit(_judged, shelf, index, examples) for index in indices]
        for item, future in zip(items, work, strict=True):
            yield item, *future.result()


def count(shelf: str, items: list[Item], examples: int, jobs: int, *, verbose: bool) -> bool:
    """Print the counts of one shelf; returns whether all is as it should be."""
    began, good = time.perf_counter(), Counter()
    surprises = []
    for item, caught, seconds in judge(shelf, items, examples, jobs):
        good[item.kind] += caught == (shelf == "wrong")
        if caught != (shelf == "wrong"):
            surprises.append(item.name)
        if verbose:
            print(f"  {item.name}: {'caught' if caught else 'silent'}, {seconds:.1f} s", flush=True)
    totals, seconds = Counter(item.kind for item in items), time.perf_counter() - began
    outcome = "caught" if shelf == "wrong" else "left alone"
    print(f"{shelf}: {good.total()} of {len(items)} {outcome}, {examples} examples each, {seconds:.0f} s")
    for kind, total in totals.items():
        print(f"  {kind:<12}{good[kind]:>4} of {total}")
    if surprises:
        print(f"  not {outcome}: {', '.join(surprises)}")
    return not surprises


def main() -> None:
    """Count both shelves, or run the deep check of the right ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="for each component (default: %(default)s)")
    parser.add_argument("--deep", type=int, default=0, help="instead, so many for each of the nastiest right ones")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    options = parser.parse_args()
    if options.deep:
        nasty = [item for item in RIGHT if item.name in DEEP]
        fine = count("right", nasty, options.deep, options.jobs, verbose=True)
    else:
        counts = [count(s, items, options.examples, options.jobs, verbose=False) for s, items in SHELVES.items()]
        fine = all(counts)
    sys.exit(not fine)


if __name__ == "__main__":
    main()
