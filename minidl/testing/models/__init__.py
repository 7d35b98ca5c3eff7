"""check_model and model_test: a whole model with its loss, its gradient held against the cost."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minidl.layers.base import Layer
from minidl.layers.losses.base import Loss
from minidl.regularizers import Regularizer
from minidl.testing.layers import both_modes, layer_cases
from minidl.testing.layers.case import LayerCase, LayerRun
from minidl.testing.models.properties import MODELS, ModelCase, ModelCheckError, ModelRun, runs
from minidl.testing.running import Cases, Kind, as_test, at_once, given_case, handing_on
from minidl.testing.strategies import Shape, Strategy, class_labels, make_object

MODEL = Kind(tuple(MODELS), runs, ModelCheckError, partial(both_modes, kind=ModelRun))


@handing_on(layer_cases)
def model_cases(
    model: Layer | Callable[..., Layer],
    loss: Loss | Callable[[], Loss],
    shape: Shape = ("n", "features"),
    *,
    targets: Callable[[Sequence[int]], Strategy] = class_labels,
    regularizers: Sequence[Regularizer] = (),
    **options: Any,
) -> Cases:
    """The cases of a model: those of it as a layer, with targets for its outputs."""
    layers = layer_cases(model, shape, **options)

    def priced(case: LayerCase, wanted: Any) -> ModelCase:
        return ModelCase(**vars(case), loss=make_object(loss, {}), targets=wanted, regularizers=regularizers)

    @st.composite
    def drawn(draw: st.DrawFn) -> ModelCase:
        case = draw(layers.drawn)
        with np.errstate(all="ignore"):
            scores = LayerRun(case).y
        return priced(case, draw(targets(scores.shape)))

    def given(at: Mapping[str, Any]) -> ModelCase:
        case = given_case(at, "x", "targets", "seed")
        wanted = np.array(case.pop("targets"))
        return priced(layers.given(case), wanted)

    return Cases(layers.subject, drawn(), given)


@as_test(MODEL, model_cases)
def model_test() -> None:
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


@at_once(MODEL, model_cases)
def check_model() -> None:
    """Run `model_test` at once; `at`, `max_examples`, `raises` as in `check_layer`.

    Raises:
        ModelCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the report.

    >>> from minidl.layers import Linear, MeanSquaredError, Sequential
    >>> from minidl.testing import real_targets
    >>> check_model(Sequential(Linear(2, 1)), MeanSquaredError(), ("n", 2), targets=real_targets).passed
    True
    """
