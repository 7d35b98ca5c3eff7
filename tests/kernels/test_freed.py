"""What the arrays of a step lie in is still there at the next step."""

import os
import platform
import subprocess
import sys

STEPS = """
import resource
import numpy as np
from minidl import Linear
Linear(2, 2).build()
def step():
    arrays = [np.ones(2**20, np.float32) for _ in range(6)]
    arrays.clear()
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_the_memory_of_a_step_is_used_again_by_the_next():
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, env=environment, check=True)
    pages = 1000 if platform.libc_ver()[0] == "glibc" else 100_000  # of 61 440, where another C library decides
    assert int(done.stdout) < pages
