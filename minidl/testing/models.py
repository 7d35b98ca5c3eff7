"""check_model and model_test: a whole model with its loss, its gradient held against the objective."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import hypothesis
import numpy as np
from hypothesis import strategies as st

from minidl.layers.base import Layer
from minidl.layers.losses.base import Loss
from minidl.regularizers import Regularizer
from minidl.testing.layer_case import Declared, Run, make_case
from minidl.testing.layers import Integers, inputs, shape_advice, with_integers
from minidl.testing.model_properties import MODEL, ModelCase
from minidl.testing.report import Report
from minidl.testing.running import as_test, given_case, run_now
from minidl.testing.strategies import (
    SEEDS,
    Shape,
    Strategy,
    check_domain,
    check_kind,
    check_shape,
    class_labels,
    draw_object,
    make_object,
    name_of,
)

Targets: TypeAlias = Callable[[Sequence[int]], Strategy]


def model_test(
    model: Layer | Callable[..., Layer],
    loss: Loss | Callable[[], Loss],
    shape: Shape = ("n", "features"),
    *,
    targets: Targets = class_labels,
    regularizers: Sequence[Regularizer] = (),
    rows_mix: bool = False,
    stochastic: bool = False,
    random_inference: bool = False,
    domain: tuple[float, float] | None = None,
    integers: Integers | None = None,
    settings: hypothesis.settings | None = None,
    **arguments: Any,
) -> Callable[..., None]:
    """A ready hypothesis test of a whole model with its loss and regularizers.

    `model` is a class or factory, called anew for every case, or one model. `targets` takes the shape of its outputs
    and returns a strategy, as in `loss_test`; `regularizers` are added to the loss, as the Trainer adds them; all else
    is as in `layer_test`.

    The properties are those of a layer, save three that its own layers answer for, and: the gradient of loss and
    penalties is right for x and every parameter; a small step against it lowers them; the same seed builds the same
    model; prediction in batches is the forward pass. Where the gradient is wrong, the layers, the loss and the
    regularizers are judged one by one, and those that are wrong by themselves are named.

    >>> from minidl.layers import Linear, Sequential, SoftmaxCrossEntropy, Tanh
    >>> def two_layers(features):
    ...     return Sequential(Linear(features, 3), Tanh(), Linear(3, 2))
    >>> test_two_layers = model_test(two_layers, SoftmaxCrossEntropy())
    >>> test_two_layers()
    """
    declared = Declared(rows_mix, stochastic, random_inference, domain)
    check_shape(shape)
    check_domain(domain)
    return as_test(MODEL, _cases(model, loss, shape, targets, regularizers, (declared, integers), arguments), settings)


def check_model(
    model: Layer | Callable[..., Layer],
    loss: Loss | Callable[[], Loss],
    shape: Shape = ("n", "features"),
    *,
    targets: Targets = class_labels,
    regularizers: Sequence[Regularizer] = (),
    rows_mix: bool = False,
    stochastic: bool = False,
    random_inference: bool = False,
    domain: tuple[float, float] | None = None,
    integers: Integers | None = None,
    at: Mapping[str, Any] | None = None,
    max_examples: int = 100,
    raises: bool = True,
    **arguments: Any,
) -> Report:
    """Run `model_test` at once; `at`, `max_examples`, `raises` as in `check_layer`.

    Raises:
        ModelCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the report.

    >>> from minidl.layers import Linear, MeanSquaredError, Sequential
    >>> from minidl.testing import real_targets
    >>> check_model(Sequential(Linear(2, 1)), MeanSquaredError(), ("n", 2), targets=real_targets).passed
    True
    """
    declared = Declared(rows_mix, stochastic, random_inference, domain)
    check_shape(shape)
    check_domain(domain)
    cases, case = _cases(model, loss, shape, targets, regularizers, (declared, integers), arguments), None
    if at is not None:
        given = given_case(at, "x", "targets", "seed")
        x = np.array(given["x"], np.int64 if integers else np.float64)
        made = make_case(make_object(model, arguments), x, given["seed"], with_integers(declared, integers, arguments))
        wanted, priced = np.array(given["targets"]), make_object(loss, {})
        case = ModelCase(**vars(made), loss=priced, targets=wanted, regularizers=regularizers)
    return run_now(MODEL, name_of(model), cases, case, max_examples=max_examples, raises=raises)


@st.composite
def _cases(
    draw: st.DrawFn,
    model: Layer | Callable[..., Layer],
    loss: Loss | Callable[[], Loss],
    shape: Shape,
    targets: Targets,
    regularizers: Sequence[Regularizer],
    declared: tuple[Declared, Integers | None],
    arguments: Mapping[str, Any],
) -> ModelCase:
    made, sizes, used = draw_object(draw, model, shape, arguments)
    check_kind(made, Layer, "check_model")
    complete = with_integers(*declared, used)
    case = make_case(made, draw(inputs(sizes, complete)), draw(SEEDS), complete, advice=shape_advice(model, shape))
    with np.errstate(all="ignore"):
        scores = Run(case).y
    return ModelCase(
        **vars(case), loss=make_object(loss, {}), targets=draw(targets(scores.shape)), regularizers=regularizers
    )
