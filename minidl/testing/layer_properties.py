"""The properties of a layer, each checked on one drawn case."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minidl.layers.base import Layer
from minidl.parameters import Array
from minidl.testing.derivative import CheckError, Subject, find_wrong, find_wrong_off_grid
from minidl.testing.strategies import upstream_gradient

EPS32 = float(np.finfo(np.float32).eps)
HUGE = np.array([800.0, -800.0, 0.0, 30.0, -0.0, -30.0])


class LayerCheckError(CheckError):
    """A layer broke one of its properties; the text holds the smallest case found."""


@dataclass(frozen=True)
class LayerCase:
    """One drawn case: a layer built in float64 with parameters away from their initial values, and its input."""

    layer: Layer
    x: Array
    seed: int
    rows_mix: bool
    bounded: bool
    random_inference: bool
    rng: np.random.Generator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rng", np.random.default_rng(self.seed))

    def __repr__(self) -> str:
        values = [f"  {name} = {p.value.tolist()}" for name, p in self.layer.parameters.named.items()]
        return "\n".join([f"  layer          {self.layer!r}, seed={self.seed}", f"  x = {self.x.tolist()}", *values])


def check_case(case: LayerCase) -> float:
    """Run every property on one case; returns the worst relative difference of float32 from float64."""
    with np.errstate(all="ignore"):
        inference = _check_mode(case, None)
        error = _check_float32(case)
        with case.layer.train_mode():
            _check_mode(case, inference)
            return max(error, _check_float32(case))


def _check_mode(case: LayerCase, known: dict[str, Array] | None) -> dict[str, Array]:
    """Check one mode; returns the output and gradients, and stops early where they are those already checked."""
    run = _Run(case)
    _check_output(run)
    _check_copies(run)
    gradients = _check_gradients(run)
    _check_backward_again(run, gradients)
    seen = {"y": run.y, **gradients}
    if not case.bounded:
        _check_huge(run)
    if known is None or not _all_same(seen, known):
        _check_rows(run)
        _check_derivatives(run)
    return seen


class _Run:
    """A case in one mode: forward and backward from the same random streams and states every time."""

    def __init__(self, case: LayerCase) -> None:
        self.case, self.layer, self.x = case, case.layer, case.x.copy()
        self.inside, self.streams = list(case.layer.layers_inside()), _streams(case.layer)
        self.states = {name: state.value.copy() for name, state in case.layer.parameters.states.items()}
        self.y = self.forward(self.x)
        self.draws = repr(_streams(case.layer)) != repr(self.streams)
        self.dy = upstream_gradient(np.random.default_rng(case.seed), np.shape(self.y))

    def forward(self, x: Array, *, twin: Layer | None = None) -> Array:
        """The output for `x` of the layer, or of a copy of it, from the state in which the case found the layer."""
        layer = twin or self.layer
        inside = self.inside if layer is self.layer else layer.layers_inside()
        for inner, stream in zip(inside, self.streams, strict=True):
            inner.rng.bit_generator.state = stream
            inner.training = self.layer.training
        for name, value in self.states.items():
            layer.parameters.states[name].value = value
        return layer.forward(x)

    def backward(self, dy: Array) -> dict[str, Array]:
        """The gradients of x and of every parameter, after filling the latter with NaN."""
        self.layer.parameters.grad[...] = np.nan
        try:
            dx = self.layer.backward(dy)
        except Exception as error:
            raise self.failure("backward must not raise", f"  it raised {type(error).__name__}: {error}") from error
        named = self.layer.parameters.named.items()
        return {"x": dx} | {name: parameter.grad.copy() for name, parameter in named}

    def gradients(self, x: Array, dy: Array) -> dict[str, Array]:
        self.forward(x)
        return self.backward(dy)

    def failure(self, failed: str, details: str = "") -> LayerCheckError:
        mode = "in training mode" if self.layer.training else "in inference mode"
        lines = [line for line in (details, repr(self.case), f"  mode           {mode}") if line]
        return LayerCheckError(type(self.layer).__name__, failed, "\n".join(lines))


def _streams(layer: Layer) -> list[Any]:
    return [copy.deepcopy(inner.rng.bit_generator.state) for inner in layer.layers_inside()]


def _same(a: Array, b: Array, *, scale: float = 0.0, rtol: float = 1e-9) -> bool:
    """Equal to rounding, relative to the largest element and to `scale`; NaN equals nothing."""
    size = max(scale, float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0)))
    return a.shape == b.shape and bool((np.abs(a - b) <= rtol * size + 1e-12).all())


def _all_same(a: Mapping[str, Array], b: Mapping[str, Array]) -> bool:
    return all(np.array_equal(a[name], b[name]) for name in a)


def _check_output(run: _Run) -> None:
    x, y, layer = run.x, run.y, run.layer
    if run.draws and not layer.training and not run.case.random_inference:
        raise run.failure("inference must not be random", "  read self.training; if so meant: random_inference=True")
    if not isinstance(y, np.ndarray) or y.dtype != np.float64:
        kind = y.dtype if isinstance(y, np.ndarray) else type(y).__name__
        raise run.failure("forward must return an array of the model's dtype", f"  expected float64, received {kind}")
    if y.ndim == 0 or len(y) != len(x):
        raise run.failure("forward must return one row per sample", f"  received y of shape {y.shape} for x {x.shape}")
    if not np.isfinite(y).all():
        raise run.failure("forward must be finite", f"  received y = {y.tolist()}; is a domain=(low, high) needed?")
    values = layer.parameters.value.copy()
    again = run.forward(x)
    if not np.array_equal(x, run.case.x):
        raise run.failure("forward must not write into x")
    if not np.array_equal(layer.parameters.value, values):
        raise run.failure("forward must not change the parameters")
    states = layer.parameters.states.items()
    if not layer.training and not _all_same(run.states, {name: state.value for name, state in states}):
        raise run.failure("forward must not change states at inference")
    if not np.array_equal(again, y):
        raise run.failure("the same forward twice must give the same output", "  draw random numbers from self.rng")
    expected, row = layer.output_shape(x.shape[1:]), y.shape[1:]
    if expected is not None and expected != row:
        raise run.failure("output_shape must tell the truth", f"  it says {expected}, forward returns rows of {row}")
    kept = y.copy()
    run.forward(x[::-1] if run.case.bounded else -1 - x)
    if not np.array_equal(y, kept):
        raise run.failure("an array returned by forward must stay as it is", "  a later forward wrote into it")


def _check_copies(run: _Run) -> None:
    x, y, layer = run.x, run.y, run.layer
    view = np.repeat(x, 2, axis=-1)[..., ::2]
    view.flags.writeable = False
    try:
        through_view = run.forward(view)
    except ValueError as error:
        raise run.failure("a read-only view of x with gaps must be taken", f"  forward raised {error}") from error
    if not _same(through_view, y):
        raise run.failure("a read-only view of x with gaps must give the same output as x")
    if not np.array_equal(run.forward(x, twin=copy.deepcopy(layer)), y):
        raise run.failure("a deep copy of the layer must give the same output")


def _check_gradients(run: _Run) -> dict[str, Array]:
    """One backward: every gradient is there, and nothing that was given is written into. Returns the gradients."""
    x, layer = run.x, run.layer
    dy, before, values = run.dy.copy(), x.copy(), layer.parameters.value.copy()
    y = run.forward(x)
    gradients = run.backward(dy)
    if not np.array_equal(y, run.y):
        raise run.failure("an array returned by forward must stay as it is", "  backward wrote into it")
    for name, gradient in gradients.items():
        expected = x.shape if name == "x" else layer.parameters.named[name].shape
        if not isinstance(gradient, np.ndarray) or gradient.shape != expected or gradient.dtype != np.float64:
            received = getattr(gradient, "shape", type(gradient).__name__), getattr(gradient, "dtype", "")
            raise run.failure(f"backward must give d{name} of shape {expected}, float64", f"  received {received}")
        if np.isnan(gradient).any() and name != "x":
            raise run.failure(
                f"backward must set all of d{name}",
                "  it was NaN before and still is: backward forgot it, or added to it where it must set",
            )
    returned, gradients["x"] = gradients["x"], gradients["x"].copy()
    if not np.array_equal(dy, run.dy):
        raise run.failure("backward must not write into the upstream gradient")
    if not np.array_equal(x, before) or not np.array_equal(layer.parameters.value, values):
        raise run.failure("backward must not write into x or change the parameters")
    run.backward(-dy)
    if not np.array_equal(returned, gradients["x"]):
        raise run.failure("an array returned by backward must stay as it is", "  a later backward wrote into it")
    states = {name: state.value.copy() for name, state in layer.parameters.states.items()}
    run.forward(x)
    if not _all_same(states, {name: state.value for name, state in layer.parameters.states.items()}):
        raise run.failure("backward must not change states")
    return gradients


def _check_backward_again(run: _Run, gradients: dict[str, Array]) -> None:
    """More backwards: repeatable, of the newest forward, linear in dy, and indifferent to the hint needs_dx."""
    x, dy, layer = run.x, run.dy, run.layer
    run.forward(x)
    run.backward(dy)
    if not _all_same(gradients, run.backward(dy)):
        raise run.failure("backward twice must give the same gradients")
    run.gradients(np.concatenate([x, x]), np.concatenate([dy, dy]))
    if not _all_same(gradients, run.gradients(x, dy)):
        raise run.failure("backward must refer to the newest forward", "  a larger batch in between changed the result")
    other = upstream_gradient(run.case.rng, dy.shape)
    together, alone = run.backward(2 * dy - other), run.backward(other)
    for name, gradient in gradients.items():
        size = float(np.abs(gradient).max(initial=0.0) + np.abs(alone[name]).max(initial=0.0))
        if not _same(together[name], 2 * gradient - alone[name], scale=size):
            raise run.failure("backward must be linear in the upstream gradient", f"  d{name} is not")
    layer.needs_dx = False
    unneeded = run.gradients(x, dy)
    layer.needs_dx = True
    if not _all_same({name: g for name, g in gradients.items() if name != "x"}, unneeded):
        raise run.failure("needs_dx=False must leave the parameter gradients as they are")


def _check_rows(run: _Run) -> None:
    """Each row alone gives its row of the batch, and parameter gradients are sums over rows."""
    if run.case.rows_mix or run.draws:
        return
    gradients = run.gradients(run.x, run.dy)
    sums = {name: np.zeros_like(gradient) for name, gradient in gradients.items()}
    for i in range(len(run.x)):
        alone = slice(i, i + 1)
        if not _same(run.forward(run.x[alone])[0], run.y[i], scale=float(np.abs(run.y).max())):
            raise run.failure(
                "rows must not depend on other rows", f"  row {i} alone differs; if so meant: rows_mix=True"
            )
        for name, gradient in run.backward(run.dy[alone]).items():
            sums[name][alone if name == "x" else ...] += gradient
    for name, gradient in gradients.items():
        if not _same(sums[name], gradient, scale=float(np.abs(gradient).max(initial=0.0))):
            details = f"  d{name} of the batch = {gradient.tolist()}\n  from single rows = {sums[name].tolist()}"
            raise run.failure("gradients of a batch must be those of its rows, parameters' summed", details)


def _check_huge(run: _Run) -> None:
    """No NaN where inputs are far out: it comes of inf / inf or inf - inf, which a better formula avoids."""
    x = np.resize(HUGE, run.x.shape)
    y = run.forward(x)
    for name, array in {"y": y, **{f"d{name}": g for name, g in run.backward(run.dy).items()}}.items():
        if np.isnan(array).any():
            advice = "is there inf / inf? If such input cannot occur, declare domain=(low, high)"
            raise run.failure("no NaN may come of finite input", f"  {name} holds NaN for x = {x.tolist()}: {advice}")


def _check_derivatives(run: _Run) -> None:
    """On the drawn grid, and at a point moved off it where no kink is excused."""
    rng, values = run.case.rng, run.layer.parameters.value.copy()
    arrays, subject = _subject(run, 1)
    # The kinks of layers inside may meet, where conventions need not add up; each has a test of its own.
    wrong = None if run.layer.children() else find_wrong(subject, run.dy, rng, kinks=True)
    if wrong is not None:
        raise run.failure(f"the gradient of {wrong.array} is wrong", f"{wrong}\n  upstream = {run.dy.tolist()}")
    for scale in (1,) if run.case.bounded else (1, 8, 40):
        arrays, subject = _subject(run, scale)
        far_out = scale > 1 and not np.isfinite(subject.forward()).all()
        wrong = None if far_out else find_wrong_off_grid(subject, run.dy, rng)
        moved = "".join(f"\n  {name} = {array.tolist()}" for name, array in arrays.items())
        run.layer.parameters.value[...] = values
        if wrong is not None:
            details = f"{wrong}\n  upstream = {run.dy.tolist()}\n  found at{moved}\n  which is off the case drawn"
            raise run.failure(f"the gradient of {wrong.array} is wrong", details)


def _subject(run: _Run, scale: float) -> tuple[dict[str, Array], Subject]:
    """The layer as something to differentiate, with x scaled; its parameters are the arrays themselves."""
    named = run.layer.parameters.named
    arrays = {"x": scale * run.x} | {name: parameter.value for name, parameter in named.items()}
    return arrays, Subject(arrays, lambda: run.forward(arrays["x"]).copy(), lambda dy: run.gradients(arrays["x"], dy))


def _check_float32(case: LayerCase) -> float:
    """A float32 twin stays float32 and close to float64; returns the worst relative difference."""
    x = (case.x + case.rng.uniform(1 / 64, 3 / 64, case.x.shape)).astype(np.float32)
    wide, narrow = _Run(case), copy.deepcopy(case.layer).build(seed=0, dtype=np.float32)
    narrow.parameters.restore(case.layer.parameters.snapshot())
    y, y32 = wide.forward(x.astype(np.float64)), wide.forward(x, twin=narrow)
    if y32.dtype != np.float32:
        raise wide.failure("float32 in must give float32 out", f"  forward returned {y32.dtype}")
    dy = wide.dy.astype(np.float32)
    gradients, gradients32 = wide.backward(dy.astype(np.float64)), {"x": narrow.backward(dy)}
    if gradients32["x"].dtype != np.float32:
        raise wide.failure("float32 in must give float32 gradients", f"  dx is {gradients32['x'].dtype}")
    if wide.draws:  # float32 draws may be other ones
        return 0.0
    gradients32 |= {name: parameter.grad for name, parameter in narrow.parameters.named.items()}
    nearby = wide.gradients(x * (1 + 4 * EPS32 * case.rng.choice([-1, 1], x.shape)), dy.astype(np.float64))
    worst = 0.0
    for name, wanted in {"y": y, **gradients}.items():
        received = y32 if name == "y" else gradients32[name]
        scale = 1 + float(np.abs(wanted).max(initial=0.0)) + float(np.abs(x).max(initial=0.0))
        error = float(np.abs(received - wanted).max(initial=0.0)) / scale
        condition = 0.0 if name == "y" else float(np.abs(nearby[name] - wanted).max(initial=0.0)) / scale
        if not error <= 1000 * EPS32 + 10 * condition:
            label = name if name == "y" else f"d{name}"
            raise wide.failure("float32 must agree with float64", f"  {label} differs by {error:.2g} of its size")
        worst = max(worst, error)
    return worst
