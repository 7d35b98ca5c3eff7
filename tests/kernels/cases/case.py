"""What a kernel's two forms are compared by: arguments, results, and how far results may lie apart."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.kernels import forms
from minidl.kernels.forms import KERNELS, using

SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0)  # and the extremes of the dtype, below


@dataclass(frozen=True)
class Case:
    """How one kernel is called in the tests.

    Attributes:
        name: of the kernel.
        make: (rng, dtype, size) -> its arguments, ordinary numbers; size is 0 to some 200 000.
        bound: units in the last place, of `scale`, that the forms may lie apart.
        scale: arguments -> for each result, how large the terms are that it is a sum of, as an array that broadcasts to
            it; None for the result itself and, where an argument is changed in place, what it was.
        hostile: places of the arguments that may hold anything; None for all that are arrays of floats.
        sizes: those it is tried with.
        extremes: whether hostile numbers may be as large as there are; sums of these depend on their order.
        label: tells cases of one kernel apart.
    """

    name: str
    make: Callable[[np.random.Generator, np.dtype, int], tuple[Any, ...]]
    bound: float = 4
    scale: Callable[..., list[Any]] | None = None
    hostile: tuple[int, ...] | None = None
    sizes: tuple[int, ...] = (0, 1, 7, 64, 1000)
    extremes: bool = True
    label: str = ""


def copied(arguments):
    """Copies of the arrays, in the same order in memory."""
    return tuple(a.copy(order="K") if isinstance(a, np.ndarray) else a for a in arguments)


def results(name, form, arguments):
    """What the kernel returns, and what it leaves in its arguments, as one list of arrays."""
    given = copied(arguments)
    with using(form), np.errstate(all="ignore"):
        returned = KERNELS[name](*given)
        assert forms.form() == form, forms.reason()
    return listed(returned, given)


def listed(returned, arguments):
    """What was returned, and the arrays among the arguments, in order."""
    returned = returned if isinstance(returned, tuple) else (returned,)
    arrays = [a for a in arguments if isinstance(a, np.ndarray)]
    return [*(np.asarray(a) for a in returned if a is not None), *arrays]


def hostile(case, arguments, rng):
    """The arguments with special values strewn in."""
    arguments = list(copied(arguments))
    places = case.hostile
    if places is None:
        places = [i for i, a in enumerate(arguments) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    for place in places:
        a = arguments[place]
        extremes = np.finfo(a.dtype)
        words = [
            *SPECIAL,
            *([extremes.max] if case.extremes else []),
            extremes.tiny,
            extremes.smallest_subnormal,
            -extremes.smallest_subnormal,
        ]
        chosen = rng.random(a.shape) < 0.3
        a[chosen] = rng.choice(np.array(words, a.dtype), chosen.sum())
    return tuple(arguments)


def distance(case, arguments, plain, compiled):
    """How many units in the last place of the scale the forms lie apart, the largest of all results."""
    scales = [None] * len(plain) if case.scale is None else case.scale(*arguments)
    assert len(scales) == len(plain), "a scale for each result"
    before = [a for a in arguments if isinstance(a, np.ndarray)]
    worst = 0.0
    for place, (one, other, scale) in enumerate(zip(plain, compiled, scales, strict=True)):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        if one.dtype.kind != "f":
            np.testing.assert_array_equal(one, other)
            continue
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
        np.testing.assert_array_equal(np.isinf(one), np.isinf(other))
        if scale is None:
            old = place - len(plain) + len(before)
            scale = np.abs(one) if old < 0 else np.fmax(np.abs(one), np.abs(before[old]))
        finite = np.isfinite(one)
        info = np.finfo(one.dtype)
        unit = np.broadcast_to(np.fmax(np.nan_to_num(scale) * info.eps, info.tiny * 2 * info.eps), one.shape)
        gaps = np.abs(one[finite].astype(np.longdouble) - other[finite]) / unit[finite]
        worst = max(worst, float(gaps.max(initial=0)))
    return worst
