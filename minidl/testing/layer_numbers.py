"""The numbers of a layer: its derivatives on the grid and off it, far out, in float32, and at hostile values."""

import copy
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import DTypeLike

from minidl.layers.base import Layer
from minidl.parameters import Array
from minidl.testing.derivative import Subject, Verdict, judge, judge_readable
from minidl.testing.diagnosis import Sample, diagnose
from minidl.testing.kinks import valid_choice
from minidl.testing.layer_case import LayerCheckError, Run, domain_advice
from minidl.testing.report import NOT_TRIED, Outcome
from minidl.testing.strategies import interior, off_grid, shown, upstream_gradient

EPS32 = float(np.finfo(np.float32).eps)
HOSTILE = np.array([800.0, -800.0, 0.0, 30.0, -0.0, -30.0, 1e4, -1e4])
HOSTILE32 = np.array([100.0, -100.0, 0.0, 30.0, -0.0, -30.0], np.float32)
LARGE32 = np.array([1e4, -1e4, 1.0], np.float32)
TOLD_APART = 300  # numbers of a layer up to which the pattern of a mistake is looked for
REPRESENTABLE = 1e30  # beyond it, float32 may overflow


def check_on_grid(run: Run) -> Outcome:
    """The derivatives where hypothesis put the input, kinks and ties among them."""
    # The kinks of layers inside may meet, where conventions need not add up; each has a test of its own.
    if run.seen_before or run.layer.children():
        return NOT_TRIED
    subject = subject_of(run, interior(run.x, run.declared.domain))
    verdict = judge(subject, run.dy, run.rng, valid_choice)
    _raise_wrong(run, verdict, "", "" if verdict.wrong is None else _look_closer(run, subject))
    return verdict.error


def check_off_grid(run: Run) -> Outcome:
    """The derivatives at points moved off the grid, by about 1/32 and by less than 1/1024, where nothing is excused."""
    if run.seen_before:
        return NOT_TRIED
    errors = [_check_moved(run, 1), _check_moved(run, 1, near=True)]
    return max((error for error in errors if error is not None), default=NOT_TRIED)


def check_far_out(run: Run) -> Outcome:
    """The derivatives for inputs 8 and 40 times as large, where outputs are finite."""
    if run.declared.domain is not None or run.declared.integers is not None:
        return NOT_TRIED
    errors = [_check_moved(run, scale) for scale in (8, 40) if not run.as_at_inference(scale * run.x)]
    return max((error for error in errors if error is not None), default=NOT_TRIED)


def _check_moved(run: Run, scale: int, *, near: bool = False) -> float | None:
    """The error at a point off the grid; None if there is no finite output."""
    values, domain = run.layer.parameters.value.copy(), run.declared.domain
    subject = subject_of(run, run.x if scale == 1 else scale * run.x)
    try:
        if not leave_grid(run, subject, near=near):
            if scale == 1:
                raise run.failure("forward must be finite", f"  a step off the grid it is not: {domain_advice(run)}")
            return None
        width = 1.0 if domain is None else domain[1] - domain[0]
        verdict = (
            judge(subject, run.dy, run.rng)
            if near
            else judge_readable(subject, run.dy, run.rng, valid_choice, width=width)
        )
        moved = "".join(f"\n  {name} = {shown(array)}" for name, array in subject.arrays.items())
        closer = "" if verdict.wrong is None else _look_closer(run, subject)
    finally:
        run.layer.parameters.value[...] = values
    _raise_wrong(run, verdict, f"  found at{moved}", closer)
    return verdict.error


def leave_grid(run: Run, subject: Subject, *, near: bool = False) -> bool:
    """Move every array off the grid to a finite output: up, down, or parameters gently; False if there is none."""
    before = {name: array.copy() for name, array in subject.arrays.items()}
    for way in (1.0, -1.0, 0.0):
        for name, array in subject.arrays.items():
            start = before[name]
            moved = off_grid(start, run.rng, run.declared.domain if name == "x" else None, near=near)
            if name == "x":
                array[...] = moved
            else:
                array[...] = start + way * (moved - start) if way else start * (1 + (moved - start) / 4)
        with suppress(LayerCheckError):  # what raises here may do so at no point that was drawn
            if np.isfinite(subject.forward()).all():
                return True
    for name, array in subject.arrays.items():
        array[...] = before[name]
    return False


def subject_of(run: Run, x: Array) -> Subject:
    """The layer as something to differentiate; its parameters are the arrays themselves."""
    return Subject(run.arrays(x), lambda: run.forward(x).copy(), lambda dy: run.gradients_at(x, dy))


def _look_closer(run: Run, subject: Subject) -> str:
    """The call that shows the gradients where they are wrong, element by element, unless there is more to set up."""
    numbers = sum(array.size for array in subject.arrays.values())
    if run.declared.integers or run.states or run.draws or numbers + run.dy.size > 64:
        return ""
    values = {name: array.tolist() for name, array in subject.arrays.items() if name != "x"}
    given = f", values={values}" if values else ""
    training = ", training=True" if run.training else ""
    x, upstream = subject.arrays["x"].tolist(), run.dy.tolist()
    return f"explain({run.case.fresh!r}, {x}, upstream={upstream}{given}{training})"


def _raise_wrong(run: Run, verdict: Verdict, where: str, closer: str) -> None:
    if verdict.wrong is None:
        return
    name, values = verdict.wrong.array, run.layer.parameters.value.copy()
    diagnosis = diagnose(name, _samples(run))
    run.layer.parameters.value[...] = values
    lines = [str(verdict.wrong), diagnosis, f"  upstream = {shown(run.dy)}", where]
    details = "\n".join(line for line in lines if line)
    raise run.failure(f"the gradient of {name} is wrong", details, drawn=not where, closer=closer)


def _samples(run: Run) -> Iterator[Sample]:
    """Analytic and numeric gradients at points with more rows, where patterns can be told apart."""
    for rows in (2, 3, 5):
        x = run.declared.another((rows, *run.case.x.shape[1:]), run.rng)
        subject = subject_of(run, x if run.declared.integers else interior(x, run.declared.domain))
        if sum(array.size for array in subject.arrays.values()) > TOLD_APART or not leave_grid(run, subject):
            return
        dy = upstream_gradient(run.rng, subject.forward().shape)
        numeric = {name: subject.differences(name, dy) for name in subject.arrays}
        arrays = {name: array.copy() for name, array in subject.arrays.items()}
        yield Sample(rows, x.shape[-1], arrays, subject.gradients(dy), numeric)


def check_hostile(run: Run) -> Outcome:
    """Far out, float64 gives no NaN, and float32 is finite where float64 is."""
    if run.declared.domain is not None or run.declared.integers is not None:
        return NOT_TRIED
    x = np.resize(np.roll(HOSTILE, run.case.seed), run.case.x.shape)
    for name, array in {"y": run.forward(x), **_labelled(run.backward(run.dy))}.items():
        if np.isnan(array).any():
            advice = "is there inf / inf? If such input cannot occur, declare domain=(low, high)"
            raise run.failure("no NaN may come of finite input", f"  {name} holds NaN for x = {shown(x)}: {advice}")
    x = np.resize(np.roll(LARGE32 if run.case.seed % 3 == 2 else HOSTILE32, run.case.seed), run.case.x.shape)
    if run.draws:
        return None
    wanted = _numbers(run, run.layer, x.astype(np.float64), run.dy)
    received = _numbers(run, _narrow_twin(run), x, run.dy.astype(np.float32))
    for name, wide in wanted.items():
        bad = ~np.isfinite(received[name]) & (np.abs(wide) < REPRESENTABLE)
        if bad.any():
            details = (
                f"  {name} holds {received[name][bad][0]} where float64 gives {wide[bad][0]:.8g}, for x = {shown(x)}"
            )
            raise run.failure("float32 must not overflow where the result does not", details)
    return None


def _labelled(gradients: dict[str, Array]) -> dict[str, Array]:
    return {f"d{name}": gradient for name, gradient in gradients.items()}


def _narrow_twin(run: Run) -> Layer:
    """The layer in float32, with the same values and states."""
    narrow = copy.deepcopy(run.layer).build(seed=0, dtype=np.float32)
    narrow.parameters.restore(run.layer.parameters.snapshot())
    return narrow


def check_float32(run: Run) -> Outcome:
    """A float32 twin stays float32 and close to float64; returns the worst relative difference."""
    values, x = run.layer.parameters.value.copy(), run.x
    try:  # away from ties among inputs and parameters, which rounding would break
        if not leave_grid(run, subject_of(run, x)):
            return NOT_TRIED
        run.layer.parameters.value[...] = run.layer.parameters.value.astype(np.float32)
        return _compare_float32(run, _cast(x, np.float32))
    finally:
        run.layer.parameters.value[...] = values


def _compare_float32(run: Run, x: Array) -> float:
    wide, narrow, dy = run.layer, _narrow_twin(run), run.dy.astype(np.float32)
    received = _numbers(run, narrow, x, dy)
    wanted = _numbers(run, wide, _cast(x, np.float64), dy.astype(np.float64))
    for name in ("y", "dx") if "dx" in received else ("y",):
        untyped = run.declared.integers and not run.values()
        if received[name].dtype != np.float32 and not untyped:
            what = "out" if name == "y" else "gradients"
            raise run.failure(f"float32 in must give float32 {what}", f"  {name} is {received[name].dtype}")
    if run.draws:  # float32 draws may be other ones
        return 0.0
    worst, most = 0.0, 0.0 if run.declared.integers else float(np.abs(x).max(initial=0.0))
    for name, number in wanted.items():
        scale = 1 + float(np.abs(number).max(initial=0.0)) + most
        error = float(np.abs(received[name] - number).max(initial=0.0)) / scale
        if not error <= 1000 * EPS32:
            spread = max(_spread(run, wide, x, dy, name), _spread(run, narrow, x, dy, name)) / scale
            if not error <= 1000 * EPS32 + 10 * spread:
                raise run.failure("float32 must agree with float64", f"  {name} differs by {error:.2g} of its size")
        worst = max(worst, error)
    return worst


def _numbers(run: Run, layer: Layer, x: Array, dy: Array) -> dict[str, Array]:
    """The output and the gradients of a layer or its twin."""
    y = run.forward(x, twin=layer)
    dx = layer.backward(dy)
    numbers = {"y": y} if run.declared.integers else {"y": y, "dx": dx}
    return numbers | {f"d{name}": p.grad.copy() for name, p in layer.parameters.named.items()}


def _cast(x: Array, dtype: DTypeLike) -> Array:
    return x if x.dtype.kind != "f" else np.asarray(x, dtype)


def _spread(run: Run, layer: Layer, x: Array, dy: Array, name: str) -> float:
    """How far a number moves where everything is off by a few roundings of float32: how ill-conditioned is it?"""
    value, wide, moves = layer.parameters.value.copy(), layer.parameters.value.dtype, [0.0]
    here = _numbers(run, layer, _cast(x, wide), dy.astype(wide))[name].copy()

    def moved(array: Array) -> Array:
        roundings = 4 * EPS32 * run.rng.uniform(-1, 1, array.shape)
        return _cast(array * (1 + roundings), wide) if array.dtype.kind == "f" else array

    for _ in range(8):
        layer.parameters.value[...] = moved(value)
        there = _numbers(run, layer, moved(x), moved(dy))[name]
        moves.append(float(np.abs(there - here).max(initial=0.0)))
    layer.parameters.value[...] = value
    return max(moves)
