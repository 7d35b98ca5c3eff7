"""Where the time of a training step of minidl's loop goes, one Markdown line a workload and thread count.

    python benchmarks/step_parts.py            # four minutes
    python benchmarks/step_parts.py --quick    # one workload, seconds

Medians over three epochs in microseconds. "products" is the part of forward and backward that the floor has
too: the bare matrix products with preallocated outputs, on the same batches.
"""

import argparse
from collections import defaultdict
from itertools import pairwise, product
from statistics import median
from time import perf_counter

from networks import NETWORKS
from processes import THREADS, answer
from systems import Floor, MinidlLoop
from table import installed, machine, spaced
from workloads import WORKLOADS

from minidl.data import batches

LINES = WORKLOADS | NETWORKS
PARTS = ("gather", "forward", "loss", "loss backward", "backward", "regularizer", "optimizer")
EPOCHS = 3


def main() -> None:
    """Print the table, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="softmax-784 with one thread")
    parser.add_argument("--measure", choices=LINES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(*measured(options.measure))
        return
    print(
        f"| workload | kernels | threads | {' | '.join(PARTS)} | sum | products |\n|---|---|{'--:|' * (len(PARTS) + 3)}"
    )
    names, counts = (["softmax-784"], THREADS[:1]) if options.quick else (LINES, THREADS)
    forms = ("numpy", "compiled") if installed("numba") else ("numpy",)
    for name in names:
        for threads, form in product(counts, forms):
            found = answer(threads, __file__, "--measure", name, more={"MINIDL_KERNELS": form})
            cells = [cell if cell == "-" else spaced(float(cell)) for cell in found.split()]
            print(f"| {LINES[name].name} | {form} | {threads} | {' | '.join(cells)} |", flush=True)
    print(f"\n- Machine: {machine()}.")


def measured(name: str) -> list[float | str]:
    """The median of each part, of their sum, and of the floor's products."""
    workload = LINES[name]
    x, targets = workload.data()
    system = MinidlLoop(workload, "", x, targets)
    system.train()  # caches, slots and the threads of the matrix library are warm after it
    times: dict[str, list[float]] = defaultdict(list)
    for epoch in range(EPOCHS):
        for marks in timed_epoch(system, epoch):
            for part, (start, end) in zip((*PARTS, "sum"), [*pairwise(marks), (marks[0], marks[-1])], strict=True):
                times[part].append(end - start)
    medians: list[float | str] = [1e6 * median(times[part]) for part in (*PARTS, "sum")]
    if not Floor.has(workload):
        return [*medians, "-"]
    floor = Floor(workload, "", x, targets)
    floor.train()
    for _ in range(EPOCHS * workload.steps_per_epoch):
        start = perf_counter()
        floor.multiply()
        times["products"].append(perf_counter() - start)
    return [*medians, 1e6 * median(times["products"])]


def timed_epoch(system: MinidlLoop, epoch: int):
    """The loop of `MinidlLoop.train` once more, giving the time at the start of each step and after each part."""
    model, loss, optimizer, now = system.model, system.loss, system.optimizer, perf_counter
    model.needs_dx = False
    with model.train_mode():
        start = now()
        for x, targets in batches(system.data, system.batch_size, epoch=epoch):
            marks = [start, now()]
            scores = model.forward(x)
            marks.append(now())
            cost = loss.forward(scores, targets)
            marks.append(now())
            gradient = loss.backward()
            marks.append(now())
            model.backward(gradient)
            marks.append(now())
            for regularize in system.regularizers:
                cost += regularize(model.parameters)
            marks.append(now())
            optimizer.step(model.parameters)
            marks.append(now())
            yield marks
            start = now()


if __name__ == "__main__":
    main()
