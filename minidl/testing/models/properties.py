"""A case of a whole model with its loss, and what must hold of it besides what must hold of a layer."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

import minidl.testing.layers.contract as contract
import minidl.testing.layers.extremes as extremes
import minidl.testing.layers.numbers as numbers
from minidl.arguments import short
from minidl.layers.losses.base import Loss
from minidl.layers.sequential import Sequential
from minidl.layers.tracing import Call, traced
from minidl.parameters import Array
from minidl.regularizers import Regularizer
from minidl.testing.functions import Subject, Trial, Wrong, judge, shown
from minidl.testing.functions import off_grid as moved
from minidl.testing.layers import LAYER
from minidl.testing.layers.case import LayerCase, LayerCheckError, LayerRun
from minidl.testing.regularizers import penalty_subject
from minidl.testing.report import NOT_TRIED, Outcome, Properties, raised, worst

MODELS = Properties()  # its own, and in between those of a layer
LEFT_OUT = (contract.runs, numbers.on_grid, numbers.off_grid, extremes.empty)  # the two below judge, or layers inside


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


class ModelRun(LayerRun):
    """A run of a model that ends in a number: the cost, which is the loss and the penalties."""

    case: ModelCase
    error = ModelCheckError

    def cost(self, x: Array) -> float:
        """Loss and penalties at `x`, adding the penalties' gradients to what stands there."""
        return self._loss(x) + sum(regularize(self.layer.parameters) for regularize in self.case.regularizers)

    def _loss(self, x: Array) -> float:
        scores = self.forward(x)
        try:
            return self.case.loss.forward(scores, self.case.targets)
        except Exception as error:
            details = f"{raised(error)}\n  targets = {shown(self.case.targets)}"
            raise self.failure("the loss must take what the model returns", details).of_running() from error

    def cost_gradients(self, x: Array) -> dict[str, Array]:
        """The gradients after the five statements of training, without the last."""
        self._loss(x)
        dx = self.backward(self.case.loss.backward()).get("x")
        for regularize in self.case.regularizers:
            regularize(self.layer.parameters)
        gradients = {name: parameter.grad.copy() for name, parameter in self.layer.parameters.named.items()}
        return gradients if dx is None else {"x": dx, **gradients}


@MODELS.property("runs", first=True)
def runs(run: ModelRun) -> None:
    """Forward takes the input, the loss the outputs, backward the loss's gradient."""
    contract.runs.check(run)
    if not np.isfinite(cost := run.cost(run.x)):
        raise run.failure("the cost must be finite", f"  received {cost}")


MODELS += (contract.shapes, contract.gradients_set)


@MODELS.property("gradient of the cost")
def gradient(run: ModelRun) -> Outcome:
    """The gradient of loss and penalties, for the input and every parameter, a step off the grid."""
    if run.seen_before:
        return NOT_TRIED
    x = run.x
    subject = Subject(run.arrays(x), lambda: np.array([run.cost(x)]), lambda dy: run.cost_gradients(x))

    def complain(wrong: Wrong, where: str) -> LayerCheckError:
        blamed = "; ".join(_culprits(run, x)) or "no single layer: is something shared between them?"
        drawn = f"\n  x = {shown(x)}" if run.declared.integers else ""
        details = f"{wrong}\n  diagnosis      {blamed}\n{where}{drawn}\n  targets = {shown(run.case.targets)}"
        return run.failure(f"the gradient of {wrong.array} is wrong", details, drawn=False)

    return worst([Trial(subject, np.ones(1), run.rng, complain, {"x": run.declared.domain}).off_grid()])


MODELS += (asked for asked in LAYER.properties if asked not in (*MODELS, *LEFT_OUT))


@MODELS.property("downhill")
def downhill(run: ModelRun) -> None:
    """A small enough step against the gradient lowers the cost."""
    values = run.layer.parameters.value.copy()
    try:
        away = moved(values, run.rng)
        run.layer.parameters.value[...] = away
        run.cost_gradients(run.x)
        gradient = run.layer.parameters.grad.copy()
        square, before = float(gradient @ gradient), run.cost(run.x)
        if square < 1e-8:
            return
        for step in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
            run.layer.parameters.value[...] = away - step / square**0.5 * gradient
            if run.cost(run.x) < before:
                return
        raise run.failure("a small step against the gradient must lower the cost", f"  it is {before:.8g}")
    finally:
        run.layer.parameters.value[...] = values


@MODELS.property("same seed, same model")
def same_seed(run: ModelRun) -> Outcome:
    """The same seed builds the same numbers."""
    if run.training:
        return NOT_TRIED
    first, second = (copy.deepcopy(run.case.fresh).build(seed=7) for _ in range(2))
    if not np.array_equal(first.parameters.value, second.parameters.value):
        raise run.failure(
            "the same seed must build the same parameters", "  initializers must draw from their rng only"
        )
    return None


@MODELS.property("prediction in batches")
def predicts(run: ModelRun) -> Outcome:
    """Prediction in batches of two rows is the forward pass at inference."""
    if run.training or run.rows_mix or run.draws:
        return NOT_TRIED
    run.rewind(run.layer)
    predicted, wanted = run.layer.predict(run.x, batch_size=2), run.y
    if predicted.shape != wanted.shape or not np.allclose(predicted, wanted, rtol=1e-9, atol=1e-12):
        raise run.failure("predict must return what forward does", f"  expected {wanted}, received {predicted}")
    return None


def _culprits(run: ModelRun, x: Array) -> Iterator[str]:
    """The loss, the penalties and the layers whose own derivative is wrong where the model stands."""
    scores, case = run.forward(x).copy(), run.case

    value = partial(case.loss.forward, scores, case.targets)
    loss = Subject.of_number({"scores": scores}, value, lambda: {"scores": case.loss.backward()})
    if judge(loss, np.ones(1), run.rng).wrong is not None:
        yield f"the loss {case.loss!r} has a wrong gradient"
    for regularize in case.regularizers:
        penalty = penalty_subject(regularize, run.layer.parameters)
        if judge(penalty, np.ones(1), run.rng).wrong is not None:
            yield f"the regularizer {short(regularize)} adds a gradient that is not that of its penalty"
    yield from _wrong_layers(run, x, loss.gradients(np.ones(1))["scores"])


def _wrong_layers(run: ModelRun, x: Array, dy: Array) -> Iterator[str]:
    """The layers that are wrong by themselves, given their own input and upstream gradient.

    Where those that hold no others are all right, it is the innermost container that is wrong, unless it only hands on.
    """
    run.rewind(run.layer)
    with traced(run.layer) as calls:
        run.layer.forward(x)
        run.layer.backward(dy)
    for inside in (False, True):
        own = [call for call in calls if bool(call.layer.children()) is inside and type(call.layer) is not Sequential]
        wrong = [_wrong_layer(run, call) for call in own if call.path or len(calls) == 1]
        if found := [words for words in wrong if words]:
            yield from found[:1] if inside else found
            return


def _wrong_layer(run: ModelRun, call: Call) -> str:
    """What is wrong with one layer where the model stands; "" for nothing."""
    layer, x = call.layer, call.x
    named, start = {name: p.value for name, p in layer.named_parameters().items()}, x.astype(np.float64)
    arrays = named if x.dtype.kind != "f" else {"x": start, **named}

    def forward() -> Array:
        run.rewind(run.layer)
        return layer.forward(start if "x" in arrays else x).copy()

    def backward(upstream: Array) -> dict[str, Array]:
        forward()
        dx = layer.backward(upstream)
        return {"x": dx, **{name: p.grad.copy() for name, p in layer.named_parameters().items()}}

    wrong = judge(Subject(arrays, forward, backward), call.dy, run.rng).wrong if call.dy is not None else None
    return "" if wrong is None else f"layer {call.path or 'itself'}, {layer!r}, has a wrong d{wrong.array} by itself"
