"""When to evaluate, as the argument `validate_every` says it."""

from collections.abc import Callable
from numbers import Integral, Real

from minidl.arguments import check_integer, check_number


def evaluation_points(
    validate_every: float | Callable[[int], bool], steps_per_epoch: int
) -> Callable[[int, int], bool]:
    """A function of (step of the optimizer's clock, step within this fit), both from 1: evaluate after this step?

    An int counts steps, a float epochs, a function decides by the step of the optimizer's clock.

    >>> every_fifth = evaluation_points(0.2, steps_per_epoch=31)
    >>> [step for step in range(1, 32) if every_fifth(step, step)]
    [7, 13, 19, 25, 31]

    Raises:
        ValueError: not a positive number and not a function.
    """
    if callable(validate_every):
        return lambda clock, step: bool(validate_every(clock))
    if isinstance(validate_every, Integral):
        every = check_integer("validate_every", validate_every, minimum=1)
        return lambda clock, step: clock % every == 0
    if not isinstance(validate_every, Real):
        raise ValueError(
            f"expected validate_every to be an int (steps), a float (epochs) or a function of the step, "
            f"received validate_every={validate_every!r}"
        )
    interval = max(1.0, check_number("validate_every", validate_every, minimum=0, exclusive=True) * steps_per_epoch)

    def intervals(step: int) -> int:
        return int(step / interval + 1e-9)  # 3 * 0.1 epochs of 10 steps are 3.0000000000000004

    return lambda clock, step: intervals(step) > intervals(step - 1)
