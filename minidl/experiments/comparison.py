"""Published numbers beside measured ones, as rows of a table."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import short
from minidl.frozen import frozen


@frozen
class Comparison:
    """A published number beside what was measured.

    Attributes:
        quantity: what it is, with its unit.
        reported: what was published, a number or as it is printed; "" where nothing was.
        measured: one number, or one for each seed.
        interval: (low, high) where the mean of a correct implementation lands; None where nobody knows.
        form: how measured numbers are printed.
        because: what explains the distance, in a few words.
        source: where the reported number stands, such as "figure 3"; "" is the text of the publication.

    Raises:
        TypeError, ValueError: measured is no number or list of numbers, or the interval ends before it begins.

    >>> row = Comparison("accuracy", 39.5, [39.0, 39.2, 38.8], (38.0, 40.0))
    >>> row.mean, round(row.std, 3), round(row.distance, 1), row.inside
    (39.0, 0.2, -2.5, True)
    """

    quantity: str
    reported: float | str
    measured: ArrayLike
    interval: tuple[float, float] | None = None
    form: str = ".1f"
    because: str = ""
    source: str = ""
    values: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values = np.atleast_1d(np.asarray(self.measured))
        if values.dtype.kind not in "biuf" or values.ndim != 1 or not values.size:
            raise TypeError(
                f"expected measured to be a number or a list of numbers, received measured={short(self.measured)}: "
                f"give one number for each seed"
            )
        if self.interval is not None and not self.interval[0] <= self.interval[1]:
            raise ValueError(f"expected interval=(low, high), received interval={self.interval!r}: put low first")
        object.__setattr__(self, "values", values.astype(float))

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return float(self.values.mean())

    @property
    def std(self) -> float | None:
        """The sample standard deviation over the seeds; None for a single one."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 else None

    @property
    def distance(self) -> float | None:
        """(mean - reported) / std; None for one seed, without a deviation, or where no number was reported."""
        try:
            reported = float(self.reported)
        except ValueError:
            return None
        if not self.std or not math.isfinite(self.std):
            return None
        return (self.mean - reported) / self.std

    @property
    def inside(self) -> bool | None:
        """Whether the mean lies in the interval; None without one."""
        if self.interval is None:
            return None
        return math.isfinite(self.mean) and self.interval[0] <= self.mean <= self.interval[1]

    def as_dict(self) -> dict[str, Any]:
        """Everything as numbers, for JSON."""
        return {
            "quantity": self.quantity,
            "reported": self.reported,
            "source": self.source,
            "mean": self.mean,
            "std": self.std,
            "runs": len(self.values),
            "distance": self.distance,
            "interval": self.interval,
            "inside": self.inside,
            "because": self.because,
        }


def comparison_table(rows: Iterable[Comparison], beside: Mapping[str, Sequence[str]] = MappingProxyType({})) -> str:
    """A Markdown table of reported beside measured: mean ± sample standard deviation (number of seeds).

    The next column is how many standard deviations the measured mean lies above the reported number, "-" where that
    cannot be said. Columns that no row fills are left out.

    Args:
        rows: one for each line.
        beside: head -> one text for each row: other publications of these numbers, in columns after "reported".

    Raises:
        ValueError: a column beside of another length.

    >>> print(comparison_table([Comparison("accuracy", 39.5, [39.0, 39.2, 38.8]), Comparison("loss", "", 1.7)]))
    |  | reported | measured | deviations |
    | --- | --: | --: | --: |
    | accuracy | 39.5 | 39.0 ± 0.2 (3) | -2.5 |
    | loss | - | 1.7 | - |
    """
    listed = list(rows)
    columns = {
        "": [row.quantity for row in listed],
        "reported": [_reported(row) for row in listed],
        **beside,
        "measured": [_measured(row) for row in listed],
        "deviations": ["-" if row.distance is None else f"{row.distance:+.1f}" for row in listed],
        "interval": [_interval(row) for row in listed],
        "inside": ["" if row.inside is None else "yes" if row.inside else "**no**" for row in listed],
        "because": [row.because for row in listed],
    }
    for head, cells in beside.items():
        if len(cells) != len(listed):
            raise ValueError(
                f"expected {len(listed)} cells in beside[{head!r}], one for each row, received {len(cells)}"
            )
    always = ("", "reported", "measured", "deviations")
    kept = {name: cells for name, cells in columns.items() if name in always or any(cells)}
    return markdown_table(list(kept), list(zip(*kept.values(), strict=True)))


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right.

    >>> print(markdown_table(["rate", "loss"], [["0.1", "1.7"]]))
    | rate | loss |
    | --- | --: |
    | 0.1 | 1.7 |
    """
    rule = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _reported(row: Comparison) -> str:
    text = row.reported if isinstance(row.reported, str) else f"{row.reported:g}"
    return f"{text} ({row.source})" if text and row.source else text or "-"


def _measured(row: Comparison) -> str:
    if row.std is None:
        return f"{row.mean:{row.form}}"
    return f"{row.mean:{row.form}} ± {row.std:{row.form}} ({len(row.values)})"


def _interval(row: Comparison) -> str:
    if row.interval is None:
        return ""
    low, high = (f"{bound:{row.form}}" if math.isfinite(bound) else "" for bound in row.interval)
    if low and high:
        return low if low == high else f"{low} to {high}"
    return f"at least {low}" if low else f"at most {high}" if high else "any"
