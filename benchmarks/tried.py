"""Faster ways that are not: what was tried on the training step and left out, beside what minidl does.

    python benchmarks/tried.py            # four minutes
    python benchmarks/tried.py --quick    # one workload, seconds

- Gathered ahead: a second thread gathers the rows of the next batches, 4 MB at a time, while these are used. That is in
  NumPy, whose products use the second core themselves; with compiled kernels batches are gathered one ahead.

A last line counts the matrix products that have other bits with two threads of the matrix library than with one.
"""

import argparse
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from statistics import median

import numpy as np
from processes import THREADS, answer
from systems import MinidlLoop
from table import machine, spaced
from workloads import WORKLOADS, Workload

from minidl.data import batching

CHUNK = 4 * 2**20  # bytes
REPETITIONS, BATCHES = 5, (1, 32, 100, 128, 256, 400)
Arrays = tuple[np.ndarray, ...]


class GatheredAhead(MinidlLoop):
    """The loop over batches that a second thread gathers."""

    label = "gathered ahead"

    def train(self, order: np.ndarray | None = None) -> None:
        """The same epoch, with other batches underneath."""
        plain, batching._gathered = batching._gathered, gathered_ahead
        try:
            super().train(order)
        finally:
            batching._gathered = plain


def gathered_ahead(arrays: Arrays, rows: np.ndarray, places: list[slice], dtype: None) -> Iterator[Arrays]:
    """In the place of `minidl.data.batching._gathered`."""
    batch_size, steps = places[0].stop, len(places)
    per_batch = batch_size * sum(array[0].nbytes for array in arrays)
    taken = max(1, CHUNK // per_batch) * batch_size

    def gather(index: np.ndarray, outs: Arrays) -> Arrays:
        return tuple(array.take(index, 0, out, "clip") for array, out in zip(arrays, outs, strict=True))

    with ThreadPoolExecutor(1) as pool:
        waiting: deque = deque()
        for start in range(0, steps * batch_size, taken):
            index = rows[start : start + taken]
            outs = tuple(np.empty((len(index), *array.shape[1:]), array.dtype) for array in arrays)
            waiting.append(pool.submit(gather, index, outs))
            if len(waiting) > 2:
                yield from cut(waiting.popleft().result(), batch_size)
        while waiting:
            yield from cut(waiting.popleft().result(), batch_size)


def cut(arrays: Arrays, batch_size: int) -> Iterator[Arrays]:
    """The batches of a chunk, as views."""
    for start in range(0, len(arrays[0]), batch_size):
        yield tuple(array[start : start + batch_size] for array in arrays)


KINDS = (MinidlLoop, GatheredAhead)


def main() -> None:
    """Print the table, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="softmax-784 with one thread, once")
    parser.add_argument("--measure", choices=WORKLOADS, help=argparse.SUPPRESS)
    parser.add_argument("--bits", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(*measured(WORKLOADS[options.measure], 1 if options.quick else REPETITIONS))
    elif options.bits:
        print(*products((1, 32) if options.quick else BATCHES))
    else:
        compare(options.quick)


def compare(quick: bool) -> None:
    """Both thread counts of every workload, each in a process of its own, and the bits of the products."""
    print(f"| workload | threads | {' | '.join(kind.label for kind in KINDS)} |\n|---|{'--:|' * (1 + len(KINDS))}")
    once = ["--quick"] * quick
    names, counts = (["softmax-784"], THREADS[:1]) if quick else (WORKLOADS, THREADS)  # two threads wait for each other
    for name in names:
        for threads in counts:
            found = answer(threads, __file__, "--measure", name, *once, more={"MINIDL_KERNELS": "numpy"})
            cells = [spaced(float(cell)) for cell in found.split()]
            print(f"| {WORKLOADS[name].name} | {threads} | {' | '.join(cells)} |", flush=True)
    one, two = (answer(threads, __file__, "--bits", *once).split() for threads in THREADS)
    other = sum(a != b for a, b in zip(one, two, strict=True))
    print(f"\n- {other} of {len(one)} matrix products have other bits with two threads than with one.")
    print(f"- Medians of {1 if quick else REPETITIONS} repetitions in turn, in one process. Machine: {machine()}.")


def measured(workload: Workload, repetitions: int) -> list[float]:
    """Microseconds per step of each kind."""
    x, targets = workload.data()
    systems = {kind: kind(workload, "", x, targets) for kind in KINDS}
    times: dict[type[MinidlLoop], list[float]] = {kind: [] for kind in KINDS}
    for kind, system in list(systems.items()) * repetitions:
        system.train()
        times[kind].append(1e6 * system.seconds() / workload.steps_per_epoch)
    return [median(times[kind]) for kind in KINDS]


def products(batches: tuple[int, ...]) -> list[str]:
    """A digest of each product of a step, for batches and layers of many sizes."""
    rng = np.random.default_rng(0)
    digests = []
    for n in batches:
        for m, k in ((784, 1), (784, 10), (784, 64), (3072, 10), (3072, 100), (1024, 1024), (100, 100), (64, 10)):
            x, W, dy = (rng.standard_normal(shape, np.float32) for shape in ((n, m), (m, k), (n, k)))
            digests += [sha256(product.tobytes()).hexdigest() for product in (x @ W, x.T @ dy, dy @ W.T)]
    return digests


if __name__ == "__main__":
    main()
