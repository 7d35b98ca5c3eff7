"""One thing in float64 and in float32: the same numbers to rounding, and no nonsense far out."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from minidl.frozen import frozen
from minidl.parameters import Array
from minidl.testing.functions.words import shown

EPS32 = float(np.finfo(np.float32).eps)
ROUNDINGS = 1000 * EPS32  # how far float32 may be off
HOSTILE = np.array([800.0, -800.0, 0.0, 30.0, -0.0, -30.0, 1e4, -1e4])
HOSTILE32 = np.array([100.0, -100.0, 0.0, 30.0, -0.0, -30.0])
LARGE32 = np.array([1e4, -1e4, 1.0])
REPRESENTABLE = 1e30  # beyond it, float32 may overflow
Numbers: TypeAlias = Mapping[str, Array]
Compute: TypeAlias = Callable[[Numbers], Numbers]


@frozen
class Twins:
    """One thing in float64 and in float32, each a function from what it is given to all the numbers it computes of it.

    `failure` takes what should hold, and the details, and returns the error to raise.
    """

    wide: Compute
    narrow: Compute
    failure: Callable[[str, str], Exception]

    def check_hostile(self, name: str, given: Numbers, seed: int, *, advice: str = "", alone: bool = False) -> None:
        """Hostile values for `name` give no NaN in float64; unless that is `alone`, float32 is finite where it is."""
        far = {**given, name: np.resize(np.roll(HOSTILE, seed), given[name].shape)}
        for label, number in self.wide(far).items():
            if np.isnan(number).any():
                details = f"  {label} holds NaN for {name} = {shown(far[name])}{advice}"
                raise self.failure("no NaN may come of finite input", details)
        if alone:
            return
        values = np.resize(np.roll(LARGE32 if seed % 3 == 2 else HOSTILE32, seed), given[name].shape)
        for label, (wanted, received) in self._both({**given, name: values}).items():
            bad = ~np.isfinite(received) & (np.abs(wanted) < REPRESENTABLE)
            if bad.any():
                details = f"  {label} holds {received[bad][0]} where float64 gives {wanted[bad][0]:.8g}"
                details += f", for {name} = {shown(values)}"
                raise self.failure("float32 must not overflow where the result does not", details)

    def error(self, given: Numbers, rng: np.random.Generator, *, size: float) -> float:
        """The largest difference of the two, relative to a number's size and that of the input."""
        largest = 0.0
        for name, (wanted, received) in self._both(given).items():
            scale = 1 + float(np.abs(wanted).max(initial=0.0)) + size
            error = float(np.abs(received - wanted).max(initial=0.0)) / scale
            if not error <= ROUNDINGS:
                exact = cast(given, np.float32)
                spread = _spread(self.wide, cast(exact, np.float64), name, rng), _spread(self.narrow, exact, name, rng)
                if not error <= ROUNDINGS + 10 * max(spread) / scale:
                    details = f"  {name} differs by {error:.2g} of its size"
                    raise self.failure("float32 must agree with float64", details)
            largest = max(largest, error)
        return largest

    def _both(self, given: Numbers) -> dict[str, tuple[Array, Array]]:
        """Every number in float64 and in float32, of the same float32 input."""
        exact = cast(given, np.float32)
        wanted = {name: number.copy() for name, number in self.wide(cast(exact, np.float64)).items()}
        return {name: (wanted[name], number.copy()) for name, number in self.narrow(exact).items()}


def cast(arrays: Numbers, dtype: DTypeLike) -> dict[str, Array]:
    """The arrays in another dtype, those of whole numbers as they are."""
    return {name: array if array.dtype.kind != "f" else array.astype(dtype) for name, array in arrays.items()}


def _spread(compute: Compute, given: Numbers, name: str, rng: np.random.Generator) -> float:
    """How far a number moves where everything is off by a few roundings of float32: how ill-conditioned is it?"""

    def moved(array: Array) -> Array:
        roundings = 4 * EPS32 * rng.uniform(-1, 1, array.shape)
        return np.asarray(array * (1 + roundings), array.dtype) if array.dtype.kind == "f" else array

    here = compute(given)[name].copy()
    there = (compute({label: moved(array) for label, array in given.items()})[name] for _ in range(8))
    return max(float(np.abs(number - here).max(initial=0.0)) for number in there)
