"""What every constructor shares: a repr that shows how the object was made, and checks at the door."""

import math
import re
from collections.abc import Iterable
from contextlib import suppress
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np


class Recorded:
    """An object whose repr is the call that made it.

    >>> class Blur(Recorded):
    ...     def __init__(self, width, *, sigma=1.0): ...
    >>> Blur(3, sigma=0.5)
    Blur(3, sigma=0.5)
    """

    _arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Keep the arguments before any constructor can fail or forget them."""
        if (args or kwargs) and cls.__init__ is object.__init__:
            received = [short(value) for value in args] + [f"{name}={short(value)}" for name, value in kwargs.items()]
            raise TypeError(f"{cls.__name__} takes no arguments, received {', '.join(received)}")
        self = super().__new__(cls)
        self._arguments = (args, kwargs)
        return self

    def __repr__(self) -> str:
        args, kwargs = self._arguments
        shown = [short(value) for value in args] + [f"{name}={short(value)}" for name, value in kwargs.items()]
        return f"{type(self).__name__}({', '.join(shown)})"

    if not TYPE_CHECKING:  # a checker should go on refusing unknown attributes

        def __getattr__(self, name: str) -> Any:
            """Say why an attribute is missing: a `build` or a `forward` that was not called, or another name."""
            if name.startswith("__"):  # what copies and notebooks ask every object for
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}", name=name, obj=self)
            if isinstance(getattr(type(self), name, None), property):
                return getattr(type(self), name).fget(self)  # its own AttributeError, which this hook had hidden
            from difflib import get_close_matches  # slow to load, and for errors only

            advice = f"if forward sets {name!r}, call forward first"
            if name in ("parameters", "rng"):
                advice = "call build(seed=...) on the outermost layer first"
            if close := get_close_matches(name, [known for known in dir(self) if known[0] != "_"], n=1):
                advice = f"did you mean {close[0]!r}? {advice}"
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}: {advice}", name=name, obj=self)


def short(value: object) -> str:
    """One line for any value: arrays by shape, functions by name, everything else by its repr."""
    if isinstance(value, np.ndarray) and value.size > 8:
        return f"<array {value.shape} {value.dtype}>"
    if isinstance(value, np.ndarray):
        return repr(value.tolist())
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    return re.sub(r"\s*\n\s*", " ", repr(value))


def check_number(
    name: str, value: float, *, minimum: float = -math.inf, maximum: float = math.inf, exclusive: bool = False
) -> float:
    """`value` as a float if it is a finite number in [minimum, maximum], or in the open interval if `exclusive`.

    >>> check_number("lr", -0.1, minimum=0)
    Traceback (most recent call last):
    ValueError: expected lr to be a finite number >= 0, received lr=-0.1
    """
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:  # an int beyond every float
        number = math.nan
    if math.isfinite(number) and (minimum < number < maximum if exclusive else minimum <= number <= maximum):
        return number
    low, high = (">", "<") if exclusive else (">=", "<=")
    bounds = [f"{low} {minimum:g}"] if minimum > -math.inf else []
    bounds += [f"{high} {maximum:g}"] if maximum < math.inf else []
    wanted = f"a finite number {' and '.join(bounds)}".rstrip()
    raise ValueError(f"expected {name} to be {wanted}, received {name}={value!r}")


def check_integer(name: str, value: int, *, minimum: int) -> int:
    """`value` as an int if it is an integer of at least `minimum`.

    >>> check_integer("batch_size", 0, minimum=1)
    Traceback (most recent call last):
    ValueError: expected batch_size to be an integer >= 1, received batch_size=0
    """
    if isinstance(value, Integral) and not isinstance(value, bool) and value >= minimum:
        return int(value)
    raise ValueError(f"expected {name} to be an integer >= {minimum}, received {name}={value!r}")


def check_function(name: str, value: object, *arguments: str, advice: str) -> None:
    """Refuse what is no function of such arguments, as far as one can see; a class is to be called first.

    >>> check_function("shuffle", len, "epoch", advice="write True")
    >>> check_function("augment", lambda x: x, "x", "rng", advice="write lambda x, rng: x")
    Traceback (most recent call last):
    TypeError: expected augment to be a function (x, rng), received a function (x): write lambda x, rng: x
    """
    received = short(value)
    if isinstance(value, type):
        advice = f"write {value.__name__}(...)"
    elif callable(value):
        import inspect

        try:
            signature = inspect.signature(value)
        except ValueError:  # built in, and nobody knows
            return
        with suppress(TypeError):
            signature.bind(*arguments)
            return
        received = f"a function {signature}"
    raise TypeError(f"expected {name} to be a function ({', '.join(arguments)}), received {received}: {advice}")


def suggest(name: str, known: Iterable[str]) -> str:
    """A closing sentence for an error about an unknown name: the nearest known one, and all of them.

    >>> suggest("on_epoch_ends", ["on_epoch_end", "on_fit_end"])
    "did you mean 'on_epoch_end'? known: on_epoch_end, on_fit_end"
    """
    from difflib import get_close_matches

    names = list(known)
    close = get_close_matches(name, names, n=1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"known: {', '.join(names)}"
