"""Resident memory of training each workload, beside PyTorch and JAX, one Markdown table.

    python benchmarks/resident.py            # about four minutes
    python benchmarks/resident.py --quick    # one workload, minidl only, seconds

Each cell is a process of its own with one thread, and has two numbers in MB: the peak while the system is made and
trained for two epochs, and what is resident after them. Both are over what the process held before, with its libraries
imported (numba's among them) and the data in arrays; so a copy of the data that a system makes is counted, and so are
weights, gradients, what the optimizer remembers, compiled code, and memory that is kept for later steps. What the
libraries hold themselves stands in a line below. The data are at most 16 MB here; nothing but such a copy depends on
their size. PyTorch's optimizer is fused; JAX gathers inside its compiled function.
"""

import argparse
import importlib
import json
import os
from dataclasses import replace
from pathlib import Path

from frameworks import Jax, PyTorch
from networks import NETWORKS, Network
from processes import answer
from systems import FastLoop, MinidlLoop, System
from table import installed, machine
from workloads import WORKLOADS, Workload

LINES: dict[str, Workload | Network] = WORKLOADS | NETWORKS
SYSTEMS: tuple[type[System], ...] = (FastLoop, MinidlLoop, PyTorch, Jax)
WAYS = {PyTorch: "fused", Jax: "device gather"}
LIBRARIES = {FastLoop: "numba", PyTorch: "torch", Jax: "jax.numpy"}
NUMBERS, EPOCHS, MB = 4 * 2**20, 2, 2**20


def main() -> None:
    """Print the table, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="softmax-784 and minidl only")
    parser.add_argument("--measure", nargs=2, metavar=("SYSTEM", "WORKLOAD"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        system, name = options.measure
        print(json.dumps(measured({kind.__name__: kind for kind in SYSTEMS}[system], LINES[name])))
        return
    systems = [kind for kind in SYSTEMS[: 2 if options.quick else None] if installed(kind.package)]
    print(f"| workload | {' | '.join(f'{kind.label}, peak / steady' for kind in systems)} |")
    print(f"|---|{'--:|' * len(systems)}")
    libraries: dict[str, float] = {}
    for name in ["softmax-784"] if options.quick else LINES:
        cells = []
        for kind in systems:
            found = json.loads(answer(1, __file__, "--measure", kind.__name__, name, more=kind.environment))
            libraries[kind.label] = found["libraries"]
            cells.append(f"{found['peak']:.0f} / {found['steady']:.0f}")
        print(f"| {LINES[name].name} | {' | '.join(cells)} |", flush=True)
    held = ", ".join(f"{label} {size:.0f}" for label, size in libraries.items())
    print(f"\n- MB over the data and the libraries. With its libraries imported a process holds, in MB: {held}.")
    print(f"- Machine: {machine()}.")


def measured(kind: type[System], workload: Workload | Network) -> dict[str, float]:
    """What this process takes for it, in MB."""
    if kind in LIBRARIES:
        importlib.import_module(LIBRARIES[kind])
    libraries = resident()
    x, targets = fewer(workload).data()
    before = resident()
    forget_peak()
    system = kind(fewer(workload), WAYS.get(kind, ""), x, targets)
    for _ in range(EPOCHS):
        system.train()
    return {"libraries": libraries, "peak": peak() - before, "steady": resident() - before}


def fewer(workload: Workload | Network) -> Workload | Network:
    """The workload with fewer rows."""
    if isinstance(workload, Workload):
        return replace(workload, numbers=min(workload.numbers, NUMBERS))
    steps = max(1, NUMBERS // workload.widths[0] // workload.batch_size)
    return replace(workload, steps_per_epoch=min(workload.steps_per_epoch, steps))


def resident() -> float:
    """Of this process now, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def peak() -> float:
    """Of this process since `forget_peak`, in MB.

    `ru_maxrss` would be the highest since the process began, and at least that of the one that started it.
    """
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("expected VmHWM in /proc/self/status, found none: this needs Linux")


def forget_peak() -> None:
    """The peak begins again at what is resident now: making the data took more than they are."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


if __name__ == "__main__":
    main()
