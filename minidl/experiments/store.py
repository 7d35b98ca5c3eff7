"""One file a finished run, written whole or not at all, so that a job goes on where it was stopped."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from minidl.experiments.planning import PlannedRun
from minidl.experiments.result import Result
from minidl.storage import RECORD, read_arrays, remove_old, write_arrays

OLD = 3600.0  # seconds, after which a temporary file belongs to no job that is still running


class Store:
    """A folder with one `.npz` file a run, without pickle; None keeps nothing."""

    def __init__(self, folder: str | Path | None) -> None:
        self.folder = None if folder is None else Path(folder)
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_old(self.folder, r".*\.part", OLD)  # left by a job that was killed while it wrote

    def read(self, run: PlannedRun) -> Result | None:
        """The stored result of exactly this run; None where there is none, or its file is damaged."""
        if self.folder is None or not (path := self.folder / f"{run.name}.npz").is_file():
            return None
        try:
            entries = read_arrays(path)
            record: dict[str, Any] = json.loads(str(entries[RECORD]))
            if record["identity"] != json.loads(json.dumps(run.identity)):
                return None
            values: dict[str, Any] = record["values"]
            values |= {name: entries[f"array {place}"].copy() for place, name in enumerate(record["arrays"])}
            ordered, busy = {name: values[name] for name in record["order"]}, record.get("processor_seconds", math.nan)
            return Result(run, ordered, float(record["seconds"]), processor_seconds=float(busy))
        except Exception:  # whatever a damaged file does to its reader: the run is simply executed again
            return None

    def write(self, result: Result) -> None:
        """Keep a result that did not fail."""
        if self.folder is None or result.error:
            return
        arrays = {name: value for name, value in result.values.items() if isinstance(value, np.ndarray)}
        record = {
            "identity": result.run.identity,
            "seconds": result.seconds,
            "processor_seconds": result.processor_seconds,
            "values": {name: value for name, value in result.values.items() if name not in arrays},
            "arrays": list(arrays),
            "order": list(result.values),
        }
        entries = {RECORD: np.array(json.dumps(record))}
        entries |= {f"array {place}": array for place, array in enumerate(arrays.values())}
        self.folder.mkdir(parents=True, exist_ok=True)  # somebody may have removed it
        write_arrays(self.folder / f"{result.run.name}.npz", entries)
