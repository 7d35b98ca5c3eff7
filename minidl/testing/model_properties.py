"""A case of a whole model with its loss, and what must hold of it besides what must hold of a layer."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

import minidl.testing.layer_properties as contract
from minidl.arguments import short
from minidl.layers.base import Layer
from minidl.layers.losses.base import Loss
from minidl.layers.sequential import Sequential
from minidl.parameters import Array
from minidl.regularizers import Regularizer
from minidl.testing.derivative import Subject, judge, judge_readable
from minidl.testing.kinks import valid_choice
from minidl.testing.layer_case import LayerCase, LayerCheckError, Run, runs
from minidl.testing.layer_numbers import leave_grid
from minidl.testing.layers import LAYER
from minidl.testing.regularizers import penalty_subject
from minidl.testing.report import NOT_TRIED, Outcome
from minidl.testing.running import Kind
from minidl.testing.strategies import (
    off_grid,
    shown,
)


class ModelCheckError(LayerCheckError):
    """A model with its loss broke one of its properties; the text holds the smallest case found."""


@dataclass(frozen=True, kw_only=True)
class ModelCase(LayerCase):
    """A case of a layer with targets for its outputs, and what they cost."""

    loss: Loss
    targets: Array
    regularizers: Sequence[Regularizer]

    def __repr__(self) -> str:
        at = f"{{'x': {self.x.tolist()}, 'targets': {self.targets.tolist()}, 'seed': {self.seed}}}"
        regularizers = f", regularizers=[{', '.join(map(short, self.regularizers))}]" if self.regularizers else ""
        return f"check_model({self.fresh!r}, {self.loss!r}, at={at}{regularizers}{self.declared})"


class ModelRun(Run):
    """A run of a model that ends in a number: the objective."""

    case: ModelCase
    error = ModelCheckError

    def objective(self, x: Array) -> float:
        """Loss and penalties at `x`, adding the penalties' gradients to what stands there."""
        return self._loss(x) + sum(regularize(self.layer.parameters) for regularize in self.case.regularizers)

    def _loss(self, x: Array) -> float:
        scores = self.forward(x)
        try:
            return self.case.loss.forward(scores, self.case.targets)
        except Exception as error:
            details = f"  it raised {type(error).__name__}: {error}\n  targets = {shown(self.case.targets)}"
            raise self.failure("the loss must take what the model returns", details, of="runs") from error

    def objective_gradients(self, x: Array) -> dict[str, Array]:
        """The gradients after the five statements of training, without the last."""
        self._loss(x)
        dx = self.backward(self.case.loss.backward()).get("x")
        for regularize in self.case.regularizers:
            regularize(self.layer.parameters)
        gradients = {name: parameter.grad.copy() for name, parameter in self.layer.parameters.named.items()}
        return gradients if dx is None else {"x": dx, **gradients}


def check_runs(run: ModelRun) -> None:
    """Forward takes the input, the loss the outputs, backward the loss's gradient."""
    contract.check_runs(run)
    if not np.isfinite(objective := run.objective(run.x)):
        raise run.failure("the objective must be finite", f"  received {objective}")


def check_objective(run: ModelRun) -> Outcome:
    """The gradient of loss and penalties, for the input and every parameter, a step off the grid."""
    if run.seen_before:
        return NOT_TRIED
    values = run.layer.parameters.value.copy()
    x = run.x
    arrays = run.arrays(x)
    subject = Subject(arrays, lambda: np.array([run.objective(x)]), lambda dy: run.objective_gradients(x))

    try:
        if not leave_grid(run, subject):
            return NOT_TRIED
        verdict = judge_readable(subject, np.ones(1), run.rng, valid_choice)
        if verdict.wrong is None:
            return verdict.error
        where = "".join(f"\n  {name} = {shown(array)}" for name, array in {"x": x, **arrays}.items())
        culprits = "; ".join(_culprits(run, x)) or "no single layer: is something shared between them?"
        details = (
            f"{verdict.wrong}\n  diagnosis      {culprits}\n  found at{where}\n  targets = {shown(run.case.targets)}"
        )
    finally:
        run.layer.parameters.value[...] = values
    raise run.failure(f"the gradient of {verdict.wrong.array} is wrong", details, drawn=False)


def _culprits(run: ModelRun, x: Array) -> Iterator[str]:
    """The loss, and the layers of nested Sequentials, whose own derivative is wrong where the model stands."""
    scores, case = run.forward(x).copy(), run.case

    value = partial(case.loss.forward, scores, case.targets)
    loss = Subject.of_number({"scores": scores}, value, lambda: {"scores": case.loss.backward()})
    if judge(loss, np.ones(1), run.rng).wrong is not None:
        yield f"the loss {case.loss!r} has a wrong gradient"
    for regularize in case.regularizers:
        penalty = penalty_subject(regularize, run.layer.parameters)
        if judge(penalty, np.ones(1), run.rng).wrong is not None:
            yield f"the regularizer {short(regularize)} adds a gradient that is not that of its penalty"
    yield from _wrong_layers(run, run.layer, x, loss.gradients(np.ones(1))["scores"], "")


def _wrong_layers(run: ModelRun, layer: Layer, x: Array, dy: Array, path: str) -> Iterator[str]:
    """The layers in and below one that are wrong by themselves, given their own input and upstream gradient."""
    if isinstance(layer, Sequential) and len(layer):
        inputs, upstream = [x], [dy]
        run.rewind(run.layer)
        for inner in layer:
            inputs.append(inner.forward(inputs[-1]))
        for inner in reversed(list(layer)):
            upstream.append(inner.backward(upstream[-1]))
        for i, inner in enumerate(layer):
            yield from _wrong_layers(run, inner, inputs[i], upstream[-2 - i], f"{path}.{i}" if path else str(i))
        return
    named, start = {name: p.value for name, p in layer.named_parameters().items()}, x.astype(np.float64)
    arrays = named if x.dtype.kind != "f" else {"x": start, **named}

    def forward() -> Array:
        run.rewind(run.layer)
        return layer.forward(start if "x" in arrays else x).copy()

    def backward(upstream: Array) -> dict[str, Array]:
        forward()
        dx = layer.backward(upstream)
        return {"x": dx, **{name: p.grad.copy() for name, p in layer.named_parameters().items()}}

    wrong = judge(Subject(arrays, forward, backward), dy, run.rng).wrong
    if wrong is not None:
        yield f"layer {path or 'itself'}, {layer!r}, has a wrong d{wrong.array} by itself"


def check_downhill(run: ModelRun) -> None:
    """A small enough step against the gradient lowers the objective."""
    values = run.layer.parameters.value.copy()
    try:
        moved = off_grid(values, run.rng)
        run.layer.parameters.value[...] = moved
        run.objective_gradients(run.x)
        gradient = run.layer.parameters.grad.copy()
        square, before = float(gradient @ gradient), run.objective(run.x)
        if square < 1e-8:
            return
        for step in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
            run.layer.parameters.value[...] = moved - step / square**0.5 * gradient
            if run.objective(run.x) < before:
                return
        raise run.failure("a small step against the gradient must lower the objective", f"  it is {before:.8g}")
    finally:
        run.layer.parameters.value[...] = values


def check_same_seed(run: ModelRun) -> Outcome:
    """The same seed builds the same numbers."""
    if run.training:
        return NOT_TRIED
    first, second = (copy.deepcopy(run.case.fresh).build(seed=7) for _ in range(2))
    if not np.array_equal(first.parameters.value, second.parameters.value):
        raise run.failure(
            "the same seed must build the same parameters", "  initializers must draw from their rng only"
        )
    return None


def check_predict(run: ModelRun) -> Outcome:
    """Prediction in batches of two rows is the forward pass at inference."""
    if run.training or run.declared.rows_mix or run.draws:
        return NOT_TRIED
    run.rewind(run.layer)
    predicted, wanted = run.layer.predict(run.x, batch_size=2), run.y
    if predicted.shape != wanted.shape or not np.allclose(predicted, wanted, rtol=1e-9, atol=1e-12):
        raise run.failure("predict must return what forward does", f"  expected {wanted}, received {predicted}")
    return None


FIRST = ("shapes and dtypes", "gradients are set")
LEFT_OUT = ("derivatives on the grid", "derivatives off the grid", "empty batch")  # others do: the objective, or layers
MODEL = Kind(
    {
        "runs": check_runs,
        **{name: LAYER.properties[name] for name in FIRST},
        "gradient of the objective": check_objective,
        **{name: check for name, check in LAYER.properties.items() if name not in ("runs", *FIRST, *LEFT_OUT)},
        "downhill": check_downhill,
        "same seed, same model": check_same_seed,
        "prediction in batches": check_predict,
    },
    ModelCheckError,
    partial(runs, kind=ModelRun),
    fundamental=2,
)
