"""Memory of training and whether steps grow slower, one Markdown table each; every line is measured in its own process.

    python benchmarks/memory.py           # about three minutes
    python benchmarks/memory.py --quick   # smaller sizes, seconds

float32, one thread. The first table is softmax regression 784-10. "Above the data" is the highest resident memory of
the process minus what it held before `fit`, the data included. The memory-mapped set is four times as large as what the
process may take more than it has (by RLIMIT_DATA, which does not count pages of a mapped file).

The second table is one long `fit` of each workload, medians of its first and its last tenth. "Dead gradients" goes on
with Adam where no gradient comes to the first layer any more after the first epoch.
"""

import argparse
import json
import os
import resource
import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
from processes import answer
from systems import minidl_loss, minidl_model, minidl_rule
from table import machine
from workloads import WORKLOADS

from minidl import L2, SGD, Callback, Dataset, Linear, Sequential, SoftmaxCrossEntropy, Trainer

FEATURES, MB = 784, 2**20
DEAD = replace(WORKLOADS["relu-mlp-small"], name="ReLU MLP 784-64-10, batch 32, Adam, dead gradients")
RUNS = WORKLOADS | {"dead": DEAD}
LONG = dict.fromkeys(RUNS, 10_000) | {"relu-mlp-large": 1_000, "dead": 100_000}


def main() -> None:
    """Print both tables, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    parser.add_argument("--measure", nargs="+", metavar=("WHAT", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        what, size, *names = options.measure
        measure = {"memory": of_arrays, "mapped": of_a_mapped_file, "steps": of_many_steps}[what]
        print(json.dumps(measure(int(size), *names)))
        return
    scale = 10 if options.quick else 1
    print("| training set | its size | memory above the data | may take more | steps |\n|---|--:|--:|--:|--:|")
    for what, rows in (("memory", 10_000), ("memory", 100_000), ("memory", 400_000), ("mapped", 400_000)):
        found = measured(what, rows // scale)
        name = f"{rows // scale} rows in memory" if what == "memory" else f"{rows // scale} rows in a mapped file"
        limit = f"{found['limit']:.0f} MB" if "limit" in found else "-"
        print(f"| {name} | {found['data']:.0f} MB | {found['above']:.0f} MB | {limit} | {found['steps']} |", flush=True)
    print("\n| one fit of | steps | first tenth, microseconds a step | last tenth | first tenth, memory | last tenth |")
    print(f"|---|{'--:|' * 5}")
    for name, steps in ({"softmax-784": 10_000} if options.quick else LONG).items():
        found = measured("steps", steps // scale, name)
        cells = [*(f"{time:.0f}" for time in found["times"]), *(f"{memory:.1f} MB" for memory in found["memory"])]
        print(f"| {RUNS[name].name} | {found['steps']} | {' | '.join(cells)} |", flush=True)
    print(f"\n- Machine: {machine()}.")


def measured(what: str, size: int, *names: str) -> dict:
    """What a new process finds."""
    return json.loads(answer(1, __file__, "--measure", what, str(size), *names))


def trainer(callbacks: tuple[Callback, ...] = ()) -> Trainer:
    """Softmax regression with plain SGD."""
    model = Sequential(Linear(FEATURES, 10)).build(seed=0)
    return Trainer(model, SoftmaxCrossEntropy(), SGD(0.01), callbacks=callbacks)


def now() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def highest() -> float:
    """The highest resident memory of this process so far in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def of_arrays(rows: int) -> dict:
    """Memory of a fit on an array."""
    x = np.random.default_rng(0).random((rows, FEATURES), np.float32)
    targets = np.arange(rows) % 10
    job = trainer()
    job.fit((x[:256], targets[:256]), epochs=1, progress=False)  # the matrix library takes its buffers now
    before = now()
    history = job.fit((x, targets), epochs=2, batch_size=128, progress=False)
    return {"data": x.nbytes / MB, "above": max(highest() - before, 0), "steps": len(history.steps["step"])}


def of_a_mapped_file(rows: int) -> dict:
    """Anonymous memory of a fit on a file that is larger than the limit of the process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        x = np.lib.format.open_memmap(path, "w+", np.float32, (rows, FEATURES))
        for start in range(0, rows, 10_000):
            x[start : start + 10_000] = np.random.default_rng(start).random(x[start : start + 10_000].shape, np.float32)
        x.flush()
        del x
        job = trainer()
        data = Dataset(np.load(path, mmap_mode="r"), np.arange(rows) % 10)
        small = data.take(slice(0, 256))
        job.fit(small, epochs=1, progress=False)
        limit = data.x.nbytes // 4
        resource.setrlimit(resource.RLIMIT_DATA, (size_of("VmData") + limit,) * 2)
        before = size_of("RssAnon") / MB
        history = job.fit(data, epochs=1, batch_size=128, progress=False)
        after = size_of("RssAnon") / MB
    return {
        "data": rows * FEATURES * 4 / MB,
        "above": max(after - before, 0),
        "limit": limit / MB,
        "steps": len(history.steps["step"]),
    }


def size_of(kind: str) -> int:
    """Memory of this process of a kind, in bytes; RssAnon belongs to no file."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(kind):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"expected {kind} in /proc/self/status, found none: this needs Linux")


class Watch(Callback):
    """Notes the time of every step, and memory now and then.

    With `dead`, the first layer dies after the first epoch.
    """

    def __init__(self, *, dead: bool) -> None:
        self.dead = dead

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Begin."""
        self.times: list[float] = []
        self.memory: list[float] = []
        self.last = perf_counter()

    def on_step_end(self, trainer: Trainer) -> None:
        """Note both."""
        self.times.append(perf_counter() - self.last)
        if len(self.times) % 50 == 0:
            self.memory.append(now())
        self.last = perf_counter()

    def on_epoch_end(self, trainer: Trainer) -> None:
        """No unit of the first layer is ever above 0 again."""
        if self.dead:
            trainer.model[0].bias.value[...] = -1e6


def of_many_steps(steps: int, name: str) -> dict:
    """Time and memory over one long fit."""
    workload = replace(RUNS[name], numbers=min(WORKLOADS["softmax-784"].numbers, steps * 4_000))
    x, targets = workload.data()
    watch = Watch(dead=name == "dead")
    parts = minidl_model(workload), minidl_loss(workload), minidl_rule(workload)
    job = Trainer(*parts, regularizers=[L2(workload.l2)] if workload.l2 else [], callbacks=[watch])
    epochs = max(1, steps // workload.steps_per_epoch)
    job.fit((x, targets), epochs=epochs, batch_size=workload.batch_size, progress=False)
    tenth = len(watch.times) // 10
    times = [1e6 * float(np.median(part)) for part in (watch.times[:tenth], watch.times[-tenth:])]
    tenth = max(1, len(watch.memory) // 10)
    memory = [float(np.median(part)) for part in (watch.memory[:tenth], watch.memory[-tenth:])]
    return {"times": times, "memory": memory, "steps": len(watch.times)}


if __name__ == "__main__":
    main()
