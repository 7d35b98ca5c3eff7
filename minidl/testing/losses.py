"""check_loss and loss_test: a loss returns a weighted mean over rows, and the derivative of exactly that number."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st

from minidl.layers.losses.base import Loss
from minidl.testing.loss_case import LossCase, LossCheckError
from minidl.testing.loss_properties import PROPERTIES
from minidl.testing.report import Report
from minidl.testing.running import Kind, as_test, given_case, run_now
from minidl.testing.strategies import (
    SEEDS,
    SIZES,
    Shape,
    Strategy,
    check_kind,
    check_shape,
    class_labels,
    draw_object,
    grid_arrays,
    make_object,
    name_of,
    probability_rows,
)

LOSS = Kind(PROPERTIES, LossCheckError)
MORE_THAN_ONE = st.integers(2, 4)


def loss_test(
    loss: Loss | Callable[..., Loss],
    shape: Shape = ("n", "classes"),
    *,
    targets: Callable[[Sequence[int]], Strategy] = class_labels,
    settings: hypothesis.settings | None = None,
    **arguments: Any,
) -> Callable[..., None]:
    """A ready hypothesis test of a loss.

    Args:
        loss: a class or factory, called anew for every case, or one loss object.
        shape: the shape of the scores; names are drawn and handed to the constructor's arguments of the same name.
        targets: shape of the scores -> strategy for targets: `class_labels`, `binary_labels`, `fractions`,
            `probability_rows`, `real_targets`, or your own.
        settings: hypothesis settings instead of those of the loaded profile.
        arguments: further constructor arguments, each a value or a strategy. Under a name in `shape`, the strategy
            for that size; the others are drawn from 1 to 4, from 2 for labels of classes, which need two.

    `docs/testing.md` lists the properties; `Report` names them.

    >>> from minidl.layers import SoftmaxCrossEntropy
    >>> test_cross_entropy = loss_test(SoftmaxCrossEntropy)
    >>> test_cross_entropy()
    """
    check_shape(shape)
    return as_test(LOSS, _cases(loss, shape, targets, arguments), settings)


def check_loss(
    loss: Loss | Callable[..., Loss],
    shape: Shape = ("n", "classes"),
    *,
    targets: Callable[[Sequence[int]], Strategy] = class_labels,
    at: Mapping[str, Any] | None = None,
    max_examples: int = 100,
    raises: bool = True,
    **arguments: Any,
) -> Report:
    """Run `loss_test` at once, on the same cases every time; `at`, `max_examples`, `raises` as in `check_layer`.

    Raises:
        LossCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the report.

    >>> from minidl.layers import MeanSquaredError
    >>> from minidl.testing.strategies import real_targets
    >>> check_loss(MeanSquaredError(), targets=real_targets).passed
    True
    """
    check_shape(shape)
    case = None if at is None else _case_at(make_object(loss, arguments), at)
    return run_now(
        LOSS, name_of(loss), _cases(loss, shape, targets, arguments), case, max_examples=max_examples, raises=raises
    )


def _case_at(loss: Loss, at: Mapping[str, Any]) -> LossCase:
    """The given case, every weight 1 where none are given."""
    given = given_case({"weights": np.ones(len(at.get("scores", ()))), **at}, "scores", "targets", "weights", "seed")
    scores, weights = (np.array(given[name], np.float64) for name in ("scores", "weights"))
    return LossCase(loss, scores, np.array(given["targets"]), weights, given["seed"])


@st.composite
def _cases(
    draw: st.DrawFn,
    loss: Loss | Callable[..., Loss],
    shape: Shape,
    targets: Callable[[Sequence[int]], Strategy],
    arguments: Mapping[str, Any],
) -> LossCase:
    rows = {"n": st.integers(1, 4)} if "n" in shape else {}
    sizes = MORE_THAN_ONE if targets in (class_labels, probability_rows) else SIZES
    made, drawn_shape, _ = draw_object(draw, loss, shape, rows | dict(arguments), sizes)
    check_kind(made, Loss, "check_loss")
    scores = draw(grid_arrays(drawn_shape))
    drawn = draw(targets(drawn_shape))
    weights = draw(grid_arrays(drawn_shape[:1], domain=(0.0, 2.0)).filter(lambda w: w.any()))
    return LossCase(made, scores, drawn, weights, draw(SEEDS))
