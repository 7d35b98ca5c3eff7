"""Result: what one run came to."""

import math
from collections.abc import Mapping
from typing import Any

from minidl.experiments.planning import PlannedRun
from minidl.frozen import frozen


@frozen
class Result:
    """What one run came to.

    Attributes:
        run: what was run.
        values: what it returned; empty where it failed.
        seconds: how long it took.
        error: "" or the traceback of what it raised.
        processor_seconds: how long a processor worked on it, whatever else it worked on meanwhile; NaN where nobody
            knows.
    """

    run: PlannedRun
    values: Mapping[str, Any]
    seconds: float
    error: str = ""
    processor_seconds: float = math.nan

    def __repr__(self) -> str:
        return f"Result({self.run!r}, {f'failed: {self.reason}' if self.error else ', '.join(self.values)})"

    @property
    def reason(self) -> str:
        """The last line of the error, which says what it was."""
        return self.error.strip().rpartition("\n")[2]
