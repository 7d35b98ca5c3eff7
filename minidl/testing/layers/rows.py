"""What the contract of a layer says about rows: each is independent of the others, unless declared."""

import numpy as np

from minidl.parameters import Array
from minidl.testing.layers.case import LayerRun, close, other_input
from minidl.testing.report import NOT_TRIED, Outcome, Properties

ROWS = Properties()


@ROWS.property("rows independent")
def independent(run: LayerRun) -> Outcome:
    """Each row alone gives its row of the batch, and parameter gradients are sums over rows."""
    if run.declared.rows_mix or run.seen_before:
        return NOT_TRIED
    if run.draws:
        _independent_of_random(run)
        return None
    y, dy, gradients = run.y, run.dy, run.gradients
    sums = {name: np.zeros_like(gradient) for name, gradient in gradients.items()}
    for i in range(len(y)):
        alone = slice(i, i + 1)
        if not close(run.forward(run.x[alone])[0], y[i], scale=float(np.abs(y).max())):
            details = f"  row {i} alone differs; if so meant: rows_mix=True"
            raise run.failure("rows must not depend on other rows", details)
        for name, gradient in run.backward(dy[alone]).items():
            sums[name][alone if name == "x" else ...] += gradient
    for name, gradient in gradients.items():
        if not close(sums[name], gradient, scale=float(np.abs(gradient).max(initial=0.0))):
            ratio = _ratio(gradient, sums[name], len(y))
            details = f"  d{name} of the batch = {gradient.tolist()}\n  from single rows = {sums[name].tolist()}{ratio}"
            details += "\n  if rows are meant to depend on one another: rows_mix=True"
            raise run.failure("gradients of a batch must be those of its rows, parameters' summed", details)
    return None


def _ratio(batch: Array, rows: Array, n: int) -> str:
    if n > 1 and close(batch * n, rows):
        return f"\n  diagnosis      1 / {n}, the batch size: a mean over rows where their sum is asked for"
    return ""


def _independent_of_random(run: LayerRun) -> None:
    """From the same random numbers, another first row leaves the rows below as they are."""
    x, before = run.x, run.forward(run.x)
    streams = repr(run.streams_now())
    x[0] = other_input(run)[0]
    after = run.forward(x)
    if repr(run.streams_now()) == streams and not np.array_equal(before[1:], after[1:]):
        details = "  another first row changes those below; if so meant: rows_mix=True"
        raise run.failure("rows must not depend on other rows", details)
