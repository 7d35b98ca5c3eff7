"""How a test starts several ranks."""

import shutil
import sys
from pathlib import Path


def mpiexec() -> list[str]:
    """The command: that of the environment, else of the machine."""
    beside = Path(sys.executable).parent / "mpiexec"
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found is None:
        raise FileNotFoundError('expected mpiexec beside python or on PATH, found neither: pip install "minidl[mpi]"')
    return [found]
