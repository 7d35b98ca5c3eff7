"""What a `Recorder` costs a run, and what it keeps.

    python benchmarks/recorder.py            # two minutes
    python benchmarks/recorder.py --quick    # a few seconds

Three networks, one thread, on numbers drawn at random. A run without a recorder takes turns with those with one, 200
steps at a time, in one process. Medians of the processor's time, which what else runs on the machine changes less than the clock. Kept
are the arrays of 200 records, the most by default.
"""

import argparse
import os
import time
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded

import numpy as np
from table import machine

from minidl import Adam, BatchNorm, Conv2D, Flatten, Linear, MaxPool2D, ReLU, Sequential, SoftmaxCrossEntropy, Trainer
from minidl.diagnostics import Recorder

WAYS = {"every 1": 1, "every 20": 20, "every 100": 100}


def networks() -> dict[str, tuple[Sequential, tuple[int, ...], int]]:
    """Model, shape of a row and rows of a batch, by name."""
    block = [Conv2D(3, 16, 3, padding="same"), BatchNorm(16), ReLU(), MaxPool2D(2), Flatten(), Linear(16 * 16 * 16, 10)]
    return {
        "784-64-10, batch 32": (Sequential(Linear(784, 64), ReLU(), Linear(64, 10)), (784,), 32),
        "784-256-256-10, batch 128": (
            Sequential(Linear(784, 256), ReLU(), Linear(256, 256), ReLU(), Linear(256, 10)), (784,), 128,
        ),
        "conv 3 to 16, BatchNorm, 32x32, batch 64": (Sequential(*block), (3, 32, 32), 64),
    }  # fmt: skip


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    quick = parser.parse_args().quick
    repetitions, steps = (1, 20) if quick else (5, 200)
    print(
        f"| network | microseconds of processor per step | {' | '.join(WAYS)} | kept |\n|---|--:|{'--:|' * (len(WAYS) + 1)}"
    )
    for name, (model, shape, batch) in networks().items():
        rng = np.random.default_rng(0)
        data = rng.normal(size=(4 * batch, *shape)).astype(np.float32), rng.integers(0, 10, 4 * batch)
        model.build(seed=0)
        ways: dict[str, list[Recorder]] = {"": []} | {way: [Recorder(every)] for way, every in WAYS.items()}
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(1 + repetitions):
            for way, callbacks in ways.items():
                trainer = Trainer(model, SoftmaxCrossEntropy(), Adam(1e-4), callbacks=callbacks)
                start = time.process_time()
                trainer.fit(data, steps=steps, batch_size=batch, restore_best=False, progress=False)
                taken[way].append((time.process_time() - start) / steps * 1e6)
        times = {way: median(values[1:]) for way, values in taken.items()}  # the first may compile
        costs = [f"{100 * (times[way] / times[''] - 1):+.1f} %" for way in WAYS]
        print(f"| {name} | {times['']:.0f} | {' | '.join(costs)} | {kept(ways['every 1'][0]):.1f} MB |")
    print(f"\n- Medians of {repetitions} interleaved repetitions of {steps} steps. Machine: {machine()}.")


def kept(recorder: Recorder) -> float:
    """Megabytes of 200 records, from those that are there."""
    size = sum(value.nbytes for value in recorder.state().values() if isinstance(value, np.ndarray))
    return size * 200 / len(recorder) / 1e6


if __name__ == "__main__":
    main()
