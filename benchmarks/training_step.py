"""Time one training step of minidl beside what people would pick instead, and print one Markdown table.

    python benchmarks/training_step.py                            # everything, about half an hour
    python benchmarks/training_step.py --quick                    # one workload, minidl and the floor, seconds
    python benchmarks/training_step.py --workloads softmax-784 relu-mlp-small --repetitions 15

A step is the whole of it, in float32 where the name says nothing else: shuffled order, gathering the rows, forward,
loss, backward, update. Each system trains in processes of its own, one for each thread count, because two thread pools
in one process disturb each other. The processes of a workload take turns, one repetition each (A B C A B C ...), so
that a busy moment of the machine falls on all of them. All start from the same weights, and must have learned the same
after one epoch in one order.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import chain

import numpy as np
from frameworks import Jax, PyTorch, ScikitLearn
from limits import described, sentence
from networks import NETWORKS, Network
from processes import THREADS, settings
from systems import FastLoop, FastTrainer, Floor, MinidlLoop, MinidlTrainer, System
from table import Timing, aims_header, aims_row, header, installed, machine, row, spread, versions
from workloads import EVERY as DENSE
from workloads import SCALING, WORKLOADS, Workload

SYSTEMS: tuple[type[System], ...] = (
    FastLoop,
    FastTrainer,
    MinidlLoop,
    MinidlTrainer,
    PyTorch,
    Jax,
    ScikitLearn,
    Floor,
)
LINES = WORKLOADS | NETWORKS
EVERY = DENSE | NETWORKS
REPETITION = 0.2  # seconds at least, in whole epochs
PAUSE = 0.02  # seconds between turns, in which the threads of the one before fall asleep
TOLERANCE = 1e-3  # between systems, of what the first epoch takes off the loss
ROUNDING = 5e-6  # and this much more: of a loss of 2.3 in float32, where an epoch takes off next to nothing
CHECKED = 2000  # rows that the loss is computed on


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", nargs="+", choices=LINES, default=list(LINES), metavar="NAME")
    parser.add_argument("--repetitions", type=int, default=7, help="of each system, at each thread count")
    parser.add_argument("--quick", action="store_true", help="softmax-784 only, minidl's loop and the floor, twice")
    parser.add_argument("--scaling", action="store_true", help="cost growing with batch, width, depth and data instead")
    parser.add_argument("--worker", nargs=2, metavar=("SYSTEM", "WORKLOAD"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.repetitions < 1:
        parser.error(f"expected --repetitions to be at least 1, received {options.repetitions}")
    if options.worker:
        system, workload = options.worker
        serve({kind.__name__: kind for kind in SYSTEMS}[system], EVERY[workload])
    elif options.quick:
        report(["softmax-784"], (FastLoop, MinidlLoop, Floor), repetitions=2)
    elif options.scaling:
        for what, sizes in SCALING.items():
            print(f"\nGrowing with the {what} (else a ReLU network 784-256-10, batch 128, SGD, 12 800 rows):\n")
            report(list(sizes), (FastLoop, MinidlLoop, PyTorch, Floor), repetitions=options.repetitions)
    else:
        report(options.workloads, SYSTEMS, repetitions=options.repetitions)


def report(names: Sequence[str], systems: Sequence[type[System]], *, repetitions: int) -> None:
    """Print the table, each line as soon as it is measured, and what a reader needs to judge it."""
    present = [system for system in systems if installed(system.package)]
    labels = [system.label for system in present]
    everything: list[Timing] = []
    aims: list[str] = []
    sentences: list[str] = []
    print("Microseconds per training step = ratio to the first column (setting).\n")
    print(header(labels), flush=True)
    for name in names:
        timings = measure(name, present, repetitions)
        print(row(EVERY[name].name or name.partition("-")[2], labels, timings), flush=True)
        everything += chain.from_iterable(timings.values())
        if EVERY[name].aims and {"PyTorch eager", "JAX jit"} <= timings.keys():
            aims.append(aims_row(EVERY[name], timings))
        if EVERY[name].name:
            sentences.append(f"- {sentence(EVERY[name], fastest(timings, present[0].label))}")
    if aims:
        print("", aims_header(), *aims, sep="\n")
    if sentences:
        print("", f"What limits a step, by this machine's {described()}:", "", *sentences, sep="\n")
    print(f"\n- Medians of {repetitions} interleaved repetitions; each system at the better of {THREADS} threads.")
    print(f"- Half of the repetitions lie within {spread(everything):.0%} of the median of their system.")
    print(f"- Versions: {versions([system.package for system in present])}.")
    print(f"- Machine: {machine()}.")
    for system in systems:
        if system not in present:
            print(f"- {system.label} is left out: {system.package} is not installed (the extra `bench` has it).")


def fastest(timings: dict[str, list[Timing]], label: str) -> tuple[str, float]:
    """The label and its microseconds a step at the better number of threads."""
    return label, min(timing.median for timing in timings[label])


def measure(name: str, systems: Sequence[type[System]], repetitions: int) -> dict[str, list[Timing]]:
    """The timings of every system that has the workload, by label."""
    with ExitStack() as stack:
        kinds = [(system, threads) for threads in THREADS for system in systems if system.has(EVERY[name])]
        workers = [stack.enter_context(Worker(system, name, threads)) for system, threads in kinds]
        check_agreement({worker.name: worker.learned for worker in workers if worker.learned is not None})
        for _ in range(repetitions):
            for worker in workers:
                worker.repeat()
                time.sleep(PAUSE)
    timings: dict[str, list[Timing]] = {}
    for worker in workers:
        timings.setdefault(worker.system.label, []).append(worker.timing)
    return timings


def check_agreement(learned: dict[str, float]) -> None:
    """Refuse to compare systems that do not train the same model in the same way."""
    highest = max(learned.values())
    if not all(value > 0 and highest <= (1 + TOLERANCE) * value + ROUNDING for value in learned.values()):
        raise SystemExit(f"expected systems that learn the same in one epoch, received losses that fell by {learned}")


class Worker:
    """A process in which one system trains one workload, one repetition whenever it is asked."""

    def __init__(self, system: type[System], workload: str, threads: int) -> None:
        self.system, self.name = system, f"{system.label}, threads={threads}"
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", system.__name__, workload],
            env=settings(threads, system.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        ready = self._answer()
        self.learned: float | None = ready["learned"]
        self.timing = Timing(threads, ready["variant"], [])

    def repeat(self) -> None:
        """Have it take one repetition."""
        print("repeat", file=self.process.stdin, flush=True)
        self.timing.microseconds.append(self._answer()["microseconds"])

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(self.process.args)} ended with code {self.process.wait()}; see above")
        return json.loads(line)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *error: object) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def serve(kind: type[System], workload: Workload | Network) -> None:
    """In the worker: warm up, say what was set up, then train a repetition for every line that comes in."""
    x, targets = workload.data()
    built = {variant: kind(workload, variant, x, targets) for variant in kind.ways(workload)}
    learned = {variant: learn(system, workload, x, targets) for variant, system in built.items()}
    seconds = {variant: min(system.seconds(), system.seconds()) for variant, system in built.items()}
    variant = min(seconds, key=seconds.__getitem__)
    system = built.pop(variant)
    built.clear()
    print(json.dumps({"variant": variant, "learned": learned[variant]}), flush=True)
    for _ in sys.stdin:
        system.train()  # off the clock: caches and threads went cold while others had their turn
        epochs, elapsed = 0, 0.0
        while elapsed < REPETITION:
            epochs, elapsed = epochs + 1, elapsed + system.seconds()
        print(json.dumps({"microseconds": elapsed / (epochs * workload.steps_per_epoch) * 1e6}), flush=True)


def learn(system: System, workload: Workload | Network, x: np.ndarray, targets: np.ndarray) -> float | None:
    """Train the first epoch, in the same order everywhere, which is also the warm-up: by how much the loss fell.

    None where nothing is learned.
    """
    before = system.cost(workload, x[:CHECKED], targets[:CHECKED])
    system.train(np.random.default_rng(4).permutation(len(x)))
    after = system.cost(workload, x[:CHECKED], targets[:CHECKED])
    return None if before is None or after is None else before - after


if __name__ == "__main__":
    main()
