"""Rows that stand apart: what one gives alone, it gives beside others, and again and again."""

from collections.abc import Callable, Container, Mapping
from typing import Any, TypeAlias

import numpy as np

from minidl.frozen import frozen
from minidl.parameters import Array
from minidl.testing.functions.comparing import close
from minidl.testing.functions.words import shown

MANY, FEW = 521, 67  # rows of a larger batch, and of one whose rows are long
LONG = 64  # numbers of a row, input and output, beyond which it is long
OUTPUT_FAILED = "rows must not depend on other rows"
GRADIENTS_FAILED = "gradients of a batch must be those of its rows, summed for what has no rows"
Passed: TypeAlias = Callable[[Any], tuple[Array, Callable[[], Mapping[str, Array]]]]


@frozen
class Rows:
    """What a thing makes of a batch, and what it makes of some of the rows.

    Attributes:
        y, gradients: the output of the whole batch and its gradients, by name.
        passed: an index of rows -> their output, and a function to their gradients.
        own: the names of those whose first axis is that of the batch; the gradients of the others are sums over rows.
        failure: what should hold, and the details -> the error to raise.
    """

    y: Array
    gradients: Mapping[str, Array]
    passed: Passed
    own: Container[str]
    failure: Callable[[str, str], Exception]

    def check_alone(self) -> None:
        """Each row alone gives its row of the batch, and gradients of what has no rows are sums."""
        size = float(np.abs(self.y).max(initial=0.0))
        sums = {name: np.zeros_like(gradient) for name, gradient in self.gradients.items()}
        for i in range(len(self.y)):
            alone = slice(i, i + 1)
            y, back = self.passed(alone)
            if not close(y[0], self.y[i], scale=size):
                raise self.failure(OUTPUT_FAILED, f"  row {i} alone differs; if so meant: rows_mix=True")
            for name, gradient in back().items():
                sums[name][alone if name in self.own else ...] += gradient
        for name, gradient in self.gradients.items():
            if not close(sums[name], gradient, scale=float(np.abs(gradient).max(initial=0.0))):
                raise self.failure(GRADIENTS_FAILED, self._not_summed(name, sums[name]))

    def _not_summed(self, name: str, rows: Array) -> str:
        batch, n = self.gradients[name], len(self.y)
        details = f"  d{name} of the batch = {shown(batch)}\n  from single rows = {shown(rows)}"
        if n > 1 and close(batch * n, rows):
            details += f"\n  diagnosis      1 / {n}, the batch size: a mean over rows where their sum is asked for"
        return f"{details}\n  if rows are meant to depend on one another: rows_mix=True"

    def check_repeated(self, numbers: int) -> None:
        """The rows again and again, more than a small batch holds; a row has so many numbers."""
        n = len(self.y)
        of_rows = [dict(self.passed(slice(i, i + 1))[1]()) for i in range(n)]
        pick = np.arange(FEW if numbers > LONG else MANY) % n
        y, back = self.passed(pick)
        if not close(y, self.y[pick]):
            raise self.failure(OUTPUT_FAILED, f"  repeated to {len(pick)} rows, some differ")
        for name, gradient in back().items():
            single = [of_rows[i][name] for i in pick]
            wanted = np.concatenate(single) if name in self.own else np.sum(single, axis=0)
            terms = np.abs(single).sum(axis=0)  # which may cancel
            if not close(gradient, wanted, scale=float(terms.max(initial=0.0))):
                details = f"  d{name} of {len(pick)} rows is not what the rows give one by one"
                raise self.failure(GRADIENTS_FAILED, details)
