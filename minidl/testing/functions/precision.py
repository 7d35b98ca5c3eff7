"""One thing in float64 and in float32: the same numbers to rounding, and no nonsense far out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from minidl.parameters import Array
from minidl.testing.functions.points import shown

EPS32 = float(np.finfo(np.float32).eps)
ROUNDINGS = 1000 * EPS32  # how far float32 may be off
HOSTILE = np.array([800.0, -800.0, 0.0, 30.0, -0.0, -30.0, 1e4, -1e4])
HOSTILE32 = np.array([100.0, -100.0, 0.0, 30.0, -0.0, -30.0])
LARGE32 = np.array([1e4, -1e4, 1.0])
REPRESENTABLE = 1e30  # beyond it, float32 may overflow
Numbers: TypeAlias = Mapping[str, Array]


@dataclass(frozen=True)
class Twins:
    """One thing in two dtypes, as functions from the arrays it is given to all the numbers it computes from them.

    Attributes:
        wide: in float64.
        narrow: in float32.
        failure: what should hold, and the details -> the error to raise.
    """

    wide: Callable[[Numbers], Numbers]
    narrow: Callable[[Numbers], Numbers]
    failure: Callable[[str, str], Exception]

    def check_hostile(self, name: str, given: Numbers, seed: int, *, advice: str = "", alone: bool = False) -> None:
        """Far out, float64 gives no NaN and, unless it is to be looked at `alone`, float32 is finite where it is.

        `name` is the array that is filled with hostile values.
        """
        far = {**given, name: np.resize(np.roll(HOSTILE, seed), given[name].shape)}
        for label, number in self.wide(far).items():
            if np.isnan(number).any():
                details = f"  {label} holds NaN for {name} = {shown(far[name])}{advice}"
                raise self.failure("no NaN may come of finite input", details)
        if alone:
            return
        values = np.resize(np.roll(LARGE32 if seed % 3 == 2 else HOSTILE32, seed), given[name].shape)
        narrow = cast({**given, name: values}, np.float32)
        wanted = {label: number.copy() for label, number in self.wide(cast(narrow, np.float64)).items()}
        for label, received in self.narrow(narrow).items():
            bad = ~np.isfinite(received) & (np.abs(wanted[label]) < REPRESENTABLE)
            if bad.any():
                details = f"  {label} holds {received[bad][0]} where float64 gives {wanted[label][bad][0]:.8g}"
                raise self.failure(
                    "float32 must not overflow where the result does not", f"{details}, for {name} = {shown(values)}"
                )

    def error(self, given: Numbers, rng: np.random.Generator, *, size: float) -> float:
        """The largest difference of the two, relative to a number's size and that of the input."""
        narrow, worst = cast(given, np.float32), 0.0
        wanted = {name: number.copy() for name, number in self.wide(cast(narrow, np.float64)).items()}
        received = {name: number.copy() for name, number in self.narrow(narrow).items()}
        for name, number in wanted.items():
            scale = 1 + float(np.abs(number).max(initial=0.0)) + size
            error = float(np.abs(received[name] - number).max(initial=0.0)) / scale
            if not error <= ROUNDINGS:
                moved = (_spread(compute, cast(narrow, dtype), name, rng) for compute, dtype in self._both())
                if not error <= ROUNDINGS + 10 * max(moved) / scale:
                    details = f"  {name} differs by {error:.2g} of its size"
                    raise self.failure("float32 must agree with float64", details)
            worst = max(worst, error)
        return worst

    def _both(self) -> tuple[tuple[Callable[[Numbers], Numbers], DTypeLike], ...]:
        return (self.wide, np.float64), (self.narrow, np.float32)


def cast(arrays: Numbers, dtype: DTypeLike) -> dict[str, Array]:
    """The arrays in another dtype, those of whole numbers as they are."""
    return {name: array if array.dtype.kind != "f" else array.astype(dtype) for name, array in arrays.items()}


def _spread(compute: Callable[[Numbers], Numbers], given: Numbers, name: str, rng: np.random.Generator) -> float:
    """How far a number moves where everything is off by a few roundings of float32: how ill-conditioned is it?"""
    here, moves = compute(given)[name].copy(), [0.0]
    for _ in range(8):
        moved = {
            label: (array * (1 + 4 * EPS32 * rng.uniform(-1, 1, array.shape))).astype(array.dtype)
            if array.dtype.kind == "f"
            else array
            for label, array in given.items()
        }
        moves.append(float(np.abs(compute(moved)[name] - here).max(initial=0.0)))
    return max(moves)
