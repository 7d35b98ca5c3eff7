"""Repeated runs and grids: a table of settings x seeds becomes a table of results, in parallel and resumable.

>>> def throw(sides, *, seed):
...     import numpy as np
...     return {"mean": float(np.random.default_rng(seed).integers(1, sides + 1, 1000).mean())}
>>> runs = plan(throw, grid(sides=[6, 20]), seeds=range(3))
>>> results = execute(runs, jobs=2, progress=False)
>>> results
Results(6 runs of 2 settings)
>>> round(results.where(sides=6).mean("mean"), 1)
3.5
"""

from minidl.experiments.comparison import Comparison, comparison_table, markdown_table
from minidl.experiments.data_marks import fingerprint
from minidl.experiments.execution import execute
from minidl.experiments.planning import PlannedRun, grid, plan
from minidl.experiments.result import Result
from minidl.experiments.results import Results

__all__ = [
    "Comparison",
    "PlannedRun",
    "Result",
    "Results",
    "comparison_table",
    "execute",
    "fingerprint",
    "grid",
    "markdown_table",
    "plan",
]
