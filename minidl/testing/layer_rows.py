"""What the contract of a layer says about rows: independent, unless declared, many of them, one, or none."""

import warnings

import numpy as np

from minidl.parameters import Array
from minidl.testing.layer_case import LayerCheckError, Run, close, other_input
from minidl.testing.report import NOT_TRIED, Outcome

MANY = 37  # rows of a larger batch


def check_rows(run: Run) -> Outcome:
    """Each row alone gives its row of the batch, and parameter gradients are sums over rows."""
    if run.declared.rows_mix or run.seen_before:
        return NOT_TRIED
    if run.draws:
        _check_rows_of_random(run)
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


def _check_rows_of_random(run: Run) -> None:
    """From the same random numbers, another first row leaves the rows below as they are."""
    x, before = run.x, run.forward(run.x)
    streams = repr(run.streams_now())
    x[0] = other_input(run)[0]
    after = run.forward(x)
    if repr(run.streams_now()) == streams and not np.array_equal(before[1:], after[1:]):
        details = "  another first row changes those below; if so meant: rows_mix=True"
        raise run.failure("rows must not depend on other rows", details)


def check_many_rows(run: Run) -> Outcome:
    """The rows again and again, more than a small batch holds: each gives the same, and gradients are their sums."""
    if run.declared.rows_mix or run.draws or run.seen_before or len(run.x) < 2:
        return NOT_TRIED
    y, dy, n = run.y, run.dy, len(run.y)
    of_rows = [run.gradients_at(run.x[i : i + 1], dy[i : i + 1]) for i in range(n)]
    pick = np.arange(MANY) % n
    if not close(run.forward(run.x[pick]), y[pick]):
        raise run.failure("rows must not depend on other rows", f"  repeated to {MANY} rows, some differ")
    for name, gradient in run.backward(dy[pick]).items():
        rows = [of_rows[i][name] for i in pick]
        wanted = np.concatenate(rows) if name == "x" else np.sum(rows, axis=0)
        if not close(gradient, wanted, scale=float(np.abs(wanted).max(initial=0.0))):
            details = f"  d{name} of {MANY} rows is not what the rows give one by one"
            raise run.failure("gradients of a batch must be those of its rows, parameters' summed", details)
    return None


def check_empty(run: Run) -> Outcome:
    """An empty batch gives no rows and gradients of 0, or a clear error."""
    if len(run.x) < 2:  # a mean for a sum shows here too, but plainer in the properties of two rows
        return NOT_TRIED
    x, dy = run.x[:0], run.dy[:0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            y = run.forward(x)
            gradients = run.backward(dy) if isinstance(y, np.ndarray) and len(y) == 0 else {}
        except LayerCheckError:
            return None
    wrong_width = not run.declared.rows_mix and np.shape(y)[1:] != run.y.shape[1:]
    if (not gradients and run.gradients) or wrong_width:
        raise run.failure("an empty batch must give an empty output", f"  received {np.shape(y)} for x of {x.shape}")
    for name, gradient in gradients.items():
        bad = np.shape(gradient) != x.shape if name == "x" else bool(gradient.any())
        if bad and not run.declared.rows_mix:
            shown = np.shape(gradient) if name == "x" else gradient.tolist()
            raise run.failure("an empty batch must give gradients of 0", f"  received d{name} = {shown}")
    return None
