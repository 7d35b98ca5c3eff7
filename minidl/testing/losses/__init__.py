"""check_loss and loss_test: a loss returns a weighted mean over rows, and the derivative of exactly that number."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minidl.layers.losses.base import Loss
from minidl.testing.functions import name_of
from minidl.testing.losses.case import LossCase, LossCheckError
from minidl.testing.losses.properties import LOSSES, runs
from minidl.testing.running import Cases, Kind, as_test, at_once, given_case
from minidl.testing.strategies import (
    SEEDS,
    SIZES,
    Shape,
    Strategy,
    check_kind,
    check_shape,
    class_labels,
    copied,
    draw_object,
    grid_arrays,
    is_factory,
    make_object,
    probability_rows,
)

LOSS = Kind(tuple(LOSSES), runs, LossCheckError)
MORE_THAN_ONE = st.integers(2, 4)  # of classes, or 9, 17


def loss_cases(
    loss: Loss | Callable[..., Loss],
    shape: Shape = ("n", "classes"),
    *,
    targets: Callable[[Sequence[int]], Strategy] = class_labels,
    **arguments: Any,
) -> Cases:
    """The cases of a loss: its object, scores, targets for them, and weights of which one is positive."""
    check_shape(shape)

    names = [size for size in shape if isinstance(size, str)]

    def another(used: Mapping[str, Any]) -> Loss | None:
        return make_object(loss, copied(used), optional=names) if is_factory(loss) else None

    @st.composite
    def drawn(draw: st.DrawFn) -> LossCase:
        rows = {"n": st.integers(1, 4)} if "n" in shape else {}
        sizes = MORE_THAN_ONE if targets in (class_labels, probability_rows) else SIZES
        made, scores_shape, used = draw_object(draw, loss, shape, rows | arguments, sizes)
        check_kind(made, Loss)
        scores = draw(grid_arrays(scores_shape))
        chosen = draw(targets(scores_shape))
        weights = draw(grid_arrays(scores_shape[:1], domain=(0.0, 2.0)).filter(lambda w: w.any()))
        return LossCase(made, scores, chosen, weights, draw(SEEDS), another(used))

    def given(at: Mapping[str, Any]) -> LossCase:
        ones = {"weights": np.ones(len(at.get("scores", ())))}
        case = given_case(ones | dict(at), "scores", "targets", "weights", "seed")
        scores, weights = (np.array(case[name], np.float64) for name in ("scores", "weights"))
        made, other = make_object(loss, arguments), another(arguments)
        return LossCase(made, scores, np.array(case["targets"]), weights, case["seed"], other)

    return Cases(name_of(loss), drawn(), given)


@as_test(LOSS, loss_cases)
def loss_test() -> None:
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


@at_once(LOSS, loss_cases)
def check_loss() -> None:
    """Run `loss_test` at once, on the same cases every time; `at`, `max_examples`, `raises` as in `check_layer`.

    Raises:
        LossCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the report.

    >>> from minidl.layers import MeanSquaredError
    >>> from minidl.testing.strategies import real_targets
    >>> check_loss(MeanSquaredError(), targets=real_targets).passed
    True
    """
