"""A layer in extremes: many rows or none, upstream gradients and inputs of any size, and float32."""

import copy
import warnings
from collections.abc import Callable, Mapping

import numpy as np

from minidl.layers.base import Layer
from minidl.parameters import Array
from minidl.testing.functions import Twins, cast, close, leave_grid
from minidl.testing.layers.case import LayerCheckError, LayerRun
from minidl.testing.report import NOT_TRIED, Outcome, Properties

EXTREMES = Properties()


@EXTREMES.property("many rows")
def many(run: LayerRun) -> Outcome:
    """The rows again and again, more than a small batch holds: each gives the same, and gradients are their sums."""
    if run.rows_mix or run.draws or run.seen_before or len(run.x) < 2:
        return NOT_TRIED
    run.of_rows.check_repeated(run.x[0].size + run.y[0].size)
    return None


@EXTREMES.property("extreme upstream gradients")
def extreme_upstream(run: LayerRun) -> None:
    """Backward of a very large, very small or zero upstream gradient is as large, as small or zero."""
    gradients = run.gradients
    run.forward(run.x)
    for factor in (2.0**30, 2.0**-30, 0.0):
        for name, gradient in run.backward(factor * run.dy).items():
            if not close(gradient / (factor or 1.0), gradients[name] * (factor > 0)):
                details = f"  {factor:g} times the upstream gradient does not give {factor:g} times d{name}"
                raise run.failure("backward must be linear in the upstream gradient", details)


@EXTREMES.property("empty batch")
def empty(run: LayerRun) -> Outcome:
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
    wrong_width = not run.rows_mix and np.shape(y)[1:] != run.y.shape[1:]
    if (not gradients and run.gradients) or wrong_width:
        raise run.failure("an empty batch must give an empty output", f"  received {np.shape(y)} for x of {x.shape}")
    for name, gradient in gradients.items():
        bad = np.shape(gradient) != x.shape if name == "x" else bool(gradient.any())
        if bad and not run.rows_mix:
            shown = np.shape(gradient) if name == "x" else gradient.tolist()
            raise run.failure("an empty batch must give gradients of 0", f"  received d{name} = {shown}")
    return None


@EXTREMES.property("hostile values")
def hostile(run: LayerRun) -> Outcome:
    """Far out, float64 gives no NaN, and float32 is finite where float64 is."""
    if run.declared.bounded:
        return NOT_TRIED
    advice = ": is there inf / inf? If such input cannot occur, declare domain=(low, high)"
    given = {"x": run.x, "dy": run.dy}
    _twins(run).check_hostile("x", given, run.case.seed, advice=advice, alone=run.draws)
    return None


@EXTREMES.property("float32", allowed=1e-4, dtype="float32")
def float32(run: LayerRun) -> Outcome:
    """A float32 twin stays float32 and close to float64; returns the worst relative difference."""
    x, twins, vector = run.x, _twins(run), run.layer.parameters.value
    values = vector.copy()
    try:  # away from ties among inputs and parameters, which rounding would break
        if not leave_grid(run.subject(x), run.rng, {"x": run.declared.domain}):
            return NOT_TRIED
        given = {"values": vector.copy(), "x": x, "dy": run.dy}
        received = twins.narrow(cast(given, np.float32))
        untyped = run.declared.integers and not run.values()
        for name, what in (("y", "out"), ("dx", "gradients")):
            if name in received and received[name].dtype != np.float32 and not untyped:
                details = f"  {name} is {received[name].dtype}"
                raise run.failure(f"float32 in must give float32 {what}", details)
        if run.draws:  # float32 draws may be other ones
            return 0.0
        size = 0.0 if run.declared.integers else float(np.abs(x).max(initial=0.0))
        return twins.error(given, run.rng, size=size)
    finally:
        vector[...] = values


def _twins(run: LayerRun) -> Twins:
    """The layer, and one in float32 with the same values and states; of "values", "x" and "dy", as they are given."""
    narrow = copy.deepcopy(run.layer).build(seed=0, dtype=np.float32)
    narrow.parameters.restore(run.layer.parameters.snapshot())

    def numbers_of(layer: Layer) -> Callable[[Mapping[str, Array]], Mapping[str, Array]]:
        def numbers(given: Mapping[str, Array]) -> Mapping[str, Array]:
            layer.parameters.value[...] = given.get("values", layer.parameters.value)
            y = run.forward(given["x"], twin=layer)
            return {"y": y} | {f"d{name}": g for name, g in run.backward(given["dy"], twin=layer).items()}

        return numbers

    return Twins(numbers_of(run.layer), numbers_of(narrow), run.failure)
