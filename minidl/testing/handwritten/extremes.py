"""A function in extremes: many rows or none, upstream gradients and inputs of any size, and float32."""

import warnings
from collections.abc import Callable

import numpy as np

from minidl.testing.functions import Twins, cast, close, leave_grid
from minidl.testing.handwritten.called import Arrays
from minidl.testing.handwritten.case import FunctionCheckError, FunctionRun
from minidl.testing.report import NOT_TRIED, Outcome, Properties

EXTREMES = Properties()
UPSTREAM = "the upstream gradient"  # its name among the arrays of both dtypes, which no argument can have


@EXTREMES.property("many rows")
def many(run: FunctionRun) -> Outcome:
    """The rows again and again, more than a small batch holds: each gives the same, and gradients are their sums."""
    if run.rows_mix or run.draws or run.seen_before or run.rows < 2:
        return NOT_TRIED
    run.of_rows.check_repeated(run.y[0].size + sum(run.case.given[name][0].size for name in run.declared.rows))
    return None


@EXTREMES.property("extreme upstream gradients")
def extreme_upstream(run: FunctionRun) -> None:
    """Backward of a very large, very small or zero upstream gradient is as large, as small or zero."""
    started = run.start(run.given)
    size = max(float(np.abs(gradient).max(initial=0.0)) for gradient in run.gradients.values())
    for factor in (2.0**30, 2.0**-30, 0.0):
        for name, gradient in started.back(factor * run.dy).items():
            if not close(gradient / (factor or 1.0), run.gradients[name] * (factor > 0), scale=size * (factor > 0)):
                details = f"  {factor:g} times the upstream gradient does not give {factor:g} times d{name}"
                raise run.failure("backward must be linear in the upstream gradient", details)


@EXTREMES.property("empty batch")
def empty(run: FunctionRun) -> Outcome:
    """An empty batch gives no rows and gradients of 0, or a clear error."""
    if run.rows_mix or run.rows < 2:  # a mean for a sum shows here too, but plainer in the properties of two rows
        return NOT_TRIED
    given = run.with_rows(slice(0, 0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            started = run.start(given)
            gradients = started.back(run.dy[:0]) if started.y.shape == run.y[:0].shape else {}
        except FunctionCheckError:
            return None
    if not gradients:
        received = ", ".join(str(output.shape) for output in started.outputs)
        raise run.failure("an empty batch must give an empty output", f"  received {received}")
    for name, gradient in gradients.items():
        if gradient.shape != given[name].shape or gradient.any():
            details = f"  received d{name} = {gradient.tolist()}"
            raise run.failure("an empty batch must give gradients of 0", details)
    return None


@EXTREMES.property("hostile values")
def hostile(run: FunctionRun) -> Outcome:
    """Far out, float64 gives no NaN, and float32 is finite where float64 is; one input in each case."""
    if not (names := run.case.moved):
        return NOT_TRIED
    advice = ": is there inf / inf? If such input cannot occur, declare domain=(low, high)"
    name, given = names[run.case.seed % len(names)], {**run.given, UPSTREAM: run.dy}
    _twins(run).check_hostile(name, given, run.case.seed, advice=advice, alone=run.draws)
    return None


@EXTREMES.property("float32", allowed=1e-4, dtype="float32")
def float32(run: FunctionRun) -> Outcome:
    """Given float32 it stays float32 and close to float64; returns the worst relative difference."""
    given, twins, case = run.given, _twins(run), run.case
    inputs = {name: run.declared.domains.get(name) for name in case.inputs if name in case.differentiated}
    if not leave_grid(run.subject(given), run.rng, inputs):  # away from ties, which rounding would break
        return NOT_TRIED
    narrow = cast(given, np.float32)
    started = run.start(narrow)
    for output in started.outputs:
        if output.dtype != np.float32:
            raise run.failure("float32 in must give float32 out", f"  the output is {output.dtype}")
    for name, gradient in started.back(run.dy.astype(np.float32)).items():
        if gradient.dtype != np.float32:
            raise run.failure("float32 in must give float32 gradients", f"  d{name} is {gradient.dtype}")
    if run.draws:  # float32 draws may be other ones
        return 0.0
    size = max(float(np.abs(a).max(initial=0.0)) for a in case.inputs.values())
    return twins.error({**given, UPSTREAM: run.dy}, run.rng, size=size)


def _twins(run: FunctionRun) -> Twins:
    """The function in both dtypes, of its inputs and the upstream gradient."""

    def numbers_in(dtype: type[np.floating]) -> Callable[[Arrays], Arrays]:
        def numbers(given: Arrays) -> Arrays:
            inputs = {name: value for name, value in given.items() if name != UPSTREAM}
            started = run.start(cast(inputs, dtype))
            gradients = started.back(given[UPSTREAM].astype(dtype))
            return {"the output": started.y} | {f"d{name}": gradient for name, gradient in gradients.items()}

        return numbers

    return Twins(numbers_in(np.float64), numbers_in(np.float32), run.failure)
