"""Processes of their own for what is measured, with so many threads."""

import os
import subprocess
import sys
from collections.abc import Mapping

THREADS = (1, 2)


def settings(threads: int, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which every system uses that many threads for arithmetic, and instructions that it chooses."""
    names = ["OMP", "OPENBLAS", "MKL", "BLIS"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    kept |= {f"{name}_NUM_THREADS": str(threads) for name in names}
    kept |= {"VECLIB_MAXIMUM_THREADS": str(threads), "NPROC": str(threads), "JAX_PLATFORMS": "cpu"}
    if threads == 1:
        kept["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return kept | dict(more or {})


def answer(threads: int, script: str, *arguments: str, more: Mapping[str, str] | None = None) -> str:
    """What a new process with that many threads prints."""
    command = [sys.executable, script, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=settings(threads, more)).stdout
