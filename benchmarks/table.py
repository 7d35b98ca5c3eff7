"""The report: one Markdown table, and what it was measured on."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from networks import Network
from workloads import Workload


class Timing(NamedTuple):
    """One system on one workload at one thread count: microseconds per step, one number a repetition."""

    threads: int
    variant: str
    microseconds: list[float]

    @property
    def median(self) -> float:
        """What the table shows."""
        return median(self.microseconds)


def header(labels: Sequence[str]) -> str:
    """The first two lines of the table: a column for each label."""
    return "\n".join(_line(cells) for cells in (["workload", *labels], ["---", *["---:"] * len(labels)]))


def row(name: str, labels: Sequence[str], timings: Mapping[str, Sequence[Timing]]) -> str:
    """The line of one workload, each system at its better thread count; the first is what others are divided by."""
    best = {label: min(taken, key=lambda timing: timing.median) for label, taken in timings.items()}
    return _line([name, *[_cell(best.get(label), best[labels[0]].median) for label in labels]])


def aims_header() -> str:
    """The first two lines of the table of aims."""
    cells = ["workload", "PyTorch eager takes (aim)", "JAX jit takes (aim)", "fit over the loop (aim)"]
    return "\n".join(_line(cells) for cells in (cells, ["---", *["---:"] * 3]))


def aims_row(workload: Workload | Network, timings: Mapping[str, Sequence[Timing]]) -> str:
    """Multiples of the time of minidl's loop, with compiled kernels if there, each with what was aimed at."""
    best = {label: min(timing.median for timing in taken) for label, taken in timings.items()}
    form = "minidl[fast]" if "minidl[fast] loop" in best else "minidl"
    ours = best[f"{form} loop"]
    found = [best["PyTorch eager"] / ours, best["JAX jit"] / ours]
    aims = [f" (>= {aim}x)" if aim is not None else "" for aim in workload.aims[:2]]
    cells = [f"{value:.2f}x{aim}" for value, aim in zip(found, aims, strict=True)]
    return _line([workload.name, *cells, f"{best[f'{form} Trainer.fit'] / ours:.2f}x (<= 1.03x)"])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(timing: Timing | None, unit: float) -> str:
    if timing is None:
        return "-"
    setting = ", ".join(filter(None, [f"{timing.threads} thread{'s' * (timing.threads > 1)}", timing.variant]))
    return f"{timing.median:,.0f} = {timing.median / unit:.2f}x ({setting})".replace(",", " ", timing.median >= 1000)


def spaced(number: float) -> str:
    """A whole number in groups of three digits."""
    return f"{number:,.0f}".replace(",", " ")


def spread(timings: Sequence[Timing]) -> float:
    """The median, over all repetitions, of the relative distance between one and the median of its system."""
    return median(abs(value / timing.median - 1) for timing in timings for value in timing.microseconds)


def installed(package: str) -> str:
    """The version of a package, or "" if it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def versions(packages: Sequence[str]) -> str:
    """Python, numpy with its matrix library, and the packages."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    found = {"numpy": "", **dict.fromkeys(packages)}
    named = [f"{package} {installed(package)}" for package in found]
    return ", ".join([f"Python {platform.python_version()}", *named, f"numpy's BLAS {blas['name']} {blas['version']}"])


def machine() -> str:
    """The processor, how many cores this process may use, the system, and how busy it is."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{_processor()}, {cores} cores, {platform.system()} {platform.machine()}{load}"


def _processor() -> str:
    description = Path("/proc/cpuinfo")
    if description.exists():
        for line in description.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
