"""What `Trainer.fit` costs over the explicit loop, without and with its bar, and `import minidl` over `import numpy`,
and how soon a first `fit` with compiled kernels is there.

    python benchmarks/overhead.py            # two minutes
    python benchmarks/overhead.py --quick    # a few seconds

Softmax regression 784-10, batch 128, plain SGD, one thread. The three ways to train take turns in one process, epoch by
epoch; the imports take turns as new processes. Medians.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded; a bar is no reason for two threads

from processes import settings
from systems import MinidlLoop, MinidlTrainer
from table import installed, machine
from workloads import WORKLOADS


class Terminal:
    """A standard error that somebody watches, and nobody sees."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Say nothing."""
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


class WithBar(MinidlTrainer):
    """`Trainer.fit` with its bar on a terminal."""

    label = "minidl Trainer.fit with the bar"

    def fit(self, epochs: int, **settings: object) -> None:
        """`Trainer.fit` on the workload, with the bar."""
        real, sys.stderr = sys.stderr, Terminal()
        try:
            super().fit(epochs, **{"progress": True} | settings)
        finally:
            sys.stderr = real


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    repetitions = 3 if parser.parse_args().quick else 25
    workload = WORKLOADS["softmax-784"]
    x, targets = workload.data()
    systems = [kind(workload, "", x, targets) for kind in (MinidlLoop, MinidlTrainer, WithBar)]
    times: dict[str, list[float]] = {system.label: [] for system in systems}
    for _ in range(repetitions):
        for system in systems:
            times[system.label].append(system.seconds() / workload.steps_per_epoch * 1e6)
    base = median(times[systems[0].label])
    print("| | microseconds per step | over the loop |\n|---|--:|--:|")
    for label, taken in times.items():
        print(f"| {label} | {median(taken):.1f} | {100 * (median(taken) / base - 1):+.1f} % |")
    numpy, ours = (median(imports) for imports in zip(*import_times(repetitions), strict=True))
    print(
        f"\n- `import numpy` {numpy:.0f} ms, `import minidl` {ours:.0f} ms, so it adds {ours - numpy:.0f} ms (aim: 30)."
    )
    if installed("numba"):
        cold, warm = first_fits(repetitions)
        print(
            f"- A first `fit` of one step, 784-64-10 with Adam and compiled kernels, from the end of the imports to "
            f"its own: {warm:.0f} ms with the code on disk (aim: at most 500), {cold / 1000:.1f} s where it is "
            "compiled first."
        )
    print(f"- Medians of {repetitions} interleaved repetitions. Machine: {machine()}.")


def first_fits(repetitions: int) -> tuple[float, float]:
    """Milliseconds of a first fit that compiles, once, and the median of those that find the code on disk."""
    with tempfile.TemporaryDirectory() as folder:
        cold, *warm = (first_fit(folder) for _ in range(1 + repetitions))
    return cold, median(warm)


def first_fit(folder: str) -> float:
    """Milliseconds from the imports to the end of a fit in a new process that keeps its code there."""
    code = """
import time
import numpy as np
from minidl import Adam, Linear, ReLU, Sequential, SoftmaxCrossEntropy, Trainer
start = time.perf_counter()
x, labels = np.ones((128, 784), np.float32), np.zeros(128, np.int64)
model = Sequential(Linear(784, 64), ReLU(), Linear(64, 10)).build(seed=0)
trainer = Trainer(model, SoftmaxCrossEntropy(), Adam())
trainer.fit((x, labels), epochs=1, batch_size=128, progress=False)
print(time.perf_counter() - start)
"""
    more = {"MINIDL_KERNELS": "compiled", "NUMBA_CACHE_DIR": folder}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=settings(1, more))
    return 1000 * float(done.stdout)


def import_times(repetitions: int) -> list[tuple[float, float]]:
    """Milliseconds that numpy takes to import, and minidl with it, in new processes taken in turn."""
    import_time("minidl")  # writes the byte code
    return [(import_time("numpy"), import_time("minidl")) for _ in range(repetitions)]


def import_time(package: str) -> float:
    """Milliseconds of one import in a new process."""
    code = f"import time; start = time.perf_counter(); import {package}; print(time.perf_counter() - start)"
    setting = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=setting)
    return 1000 * float(answer.stdout)


if __name__ == "__main__":
    main()
