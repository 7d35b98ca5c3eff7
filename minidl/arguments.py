"""What every constructor shares: a repr that is the call, advice on what is not there, and checks at the door."""

import math
import re
from collections.abc import Iterable
from contextlib import suppress
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from minidl.advice import Advised, Missing
from minidl.argument_words import TakenByInit, unfit
from minidl.bytecode import assigns, runs_later
from minidl.passing import forget, kept

FREEZING = 'freeze by name, as in model.parameters.freeze("0.*") after build, and undo it by unfreeze'


class Recorded(Advised):
    """An object whose repr is the call that made it, and which says what to do about an attribute it does not have.

    >>> class Blur(Recorded):
    ...     _habits = {"radius kernel_size": "use width"}
    ...     def __init__(self, width, *, sigma=1.0): ...
    >>> Blur(3, sigma=0.5)
    Blur(3, sigma=0.5)
    >>> Blur(3).radius
    Traceback (most recent call last):
    AttributeError: Blur has no attribute 'radius': use width
    """

    _arguments: tuple[tuple[Any, ...], dict[str, Any]]
    _of_the_moment: tuple[str, ...] = ()  # attributes that a copy has as its class has them
    _passes: tuple[str, ...] = ()  # methods that keep something on self for the next one

    if not TYPE_CHECKING:  # a checker should see the constructors of the classes, which Sigmoid(3) does not fit
        __signature__ = TakenByInit()

        def __new__(cls, *args: Any, **kwargs: Any) -> Self:
            """Keep the arguments before any constructor can fail or forget them."""
            if (args or kwargs) and (wrong := unfit(cls, args, kwargs)):
                takes, unknown, advice = wrong
                received = _written((), unknown) or _written(args, kwargs)
                raise TypeError(f"expected the arguments of {takes}, received {received}: {advice}")
            self = super().__new__(cls)
            self._arguments = (args, kwargs)
            return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_written(*self._arguments)})"

    def __getstate__(self) -> Any:
        """What a copy or pickle takes along: attributes and slots, but not what is of the moment it was taken in."""
        state: Any = object.__getstate__(self)
        attributes, slots = state if isinstance(state, tuple) else (state, None)
        lasting = {name: value for name, value in (attributes or {}).items() if name not in self._of_the_moment}
        lasting = kept(self, lasting, self._passes)
        return lasting if slots is None else (lasting, slots)

    def _forget(self) -> None:
        """Drop what the newest pass kept, such as rows of data."""
        forget(self, self._passes)


class Refused:
    """A name of other libraries that would do nothing here: assigning to it says so, unless the class has its own.

    >>> class Weight:
    ...     frozen = Refused("there is no freezing")
    >>> Weight().frozen = True
    Traceback (most recent call last):
    AttributeError: expected nothing to be assigned to frozen of a Weight, received frozen=True: there is no freezing
    """

    def __init__(self, advice: str) -> None:
        self.advice = advice

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, thing: Any, kind: type | None = None) -> Any:
        if thing is None or self.name in vars(thing):
            return self if thing is None else vars(thing)[self.name]
        text = Missing(thing, self.name) if isinstance(thing, Advised) else f"no {self.name}: {self.advice}"
        raise AttributeError(text, name=self.name)

    def __set__(self, thing: Any, value: object) -> None:
        if assigns(type(thing), "__init__", self.name):
            vars(thing)[self.name] = value
            return
        raise AttributeError(
            f"expected nothing to be assigned to {self.name} of a {type(thing).__name__}, received {self.name}="
            f"{short(value)}: {self.advice}"
        )


def _written(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    return ", ".join([*map(short, args), *(f"{name}={short(value)}" for name, value in kwargs.items())])


def short(value: object) -> str:
    """One line for any value: arrays by shape, functions by name, everything else by its repr."""
    if isinstance(value, np.ndarray) and isinstance(value, np.ma.MaskedArray):  # np.ma is loaded when it is asked for
        return f"<masked array {value.shape} {value.dtype}>"
    if isinstance(value, np.ndarray):
        return f"<array {value.shape} {value.dtype}>" if value.size > 8 else repr(value.tolist())
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    if isinstance(value, list) and any(callable(item) for item in value):
        return f"[{', '.join(map(short, value))}]"
    if isinstance(value, dict) and any(callable(item) for item in value.values()):
        return f"{{{', '.join(f'{name!r}: {short(item)}' for name, item in value.items())}}}"
    if isinstance(value, int) and abs(value) >= 1 << 1024:  # beyond every float, and Python prints 4300 digits at most
        return f"<a whole number of {value.bit_length()} bits>"
    try:
        return re.sub(r"\s*\n\s*", " ", repr(value))
    except Exception:  # whatever a repr does
        return f"<{type(value).__name__}>"


def check_numbers(name: str, array: object) -> None:
    """Refuse what is no plain array of real numbers, with what makes it one.

    >>> check_numbers("x", np.array(["a"]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: expected x to hold numbers, received x.dtype=<U1: encode strings as integer labels ...
    """
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"expected {name} to be a plain array, received a masked one: fill it in, as with x.filled(0)")
    if not isinstance(array, np.ndarray):
        raise TypeError(
            f"expected {name} to be a numpy array, received {type(array).__name__}: {_as_array(name, array)}"
        )
    check_dtype(name, array)


def check_dtype(name: str, array: Any) -> None:
    """Refuse a dtype that is none of real numbers, with what makes it one; nothing is read."""
    if array.dtype.kind not in "biuf":
        advice = "encode strings as integer labels (np.unique(..., return_inverse=True), or, for targets, "
        advice += "Dataset.from_labels(x, labels)), convert objects with .astype(np.float32)"
        of_kinds = {
            "c": f"give the real and the imaginary part as two features, or {name}.real alone",
            "M": f"count days or seconds, as in ({name} - {name}.min()) / np.timedelta64(1, 'D')",
            "m": f"count days or seconds, as in {name} / np.timedelta64(1, 'D')",
            "V": f"put its fields side by side, as in np.stack([{name}[f] for f in {name}.dtype.names], axis=-1)",
        }
        advice = of_kinds.get(array.dtype.kind, advice)
        if array.dtype == object and array.ndim == 0:
            inner = type(array.item()).__name__
            advice = f"it holds one {inner}, no numbers: convert that itself, as with .toarray() of a sparse matrix"
        raise ValueError(f"expected {name} to hold numbers, received {name}.dtype={array.dtype}: {advice}")


def _as_array(name: str, value: object) -> str:
    """How to make an array of numbers of something else."""
    for way in ("toarray()", "collect()", "to_numpy()", "to_pandas()"):  # sparse matrices, queries, tables
        if hasattr(value, way[:-2]):
            return f"use {name}.{way}"
    if hasattr(value, "__next__"):
        return "batches of a stream go to fit(stream, steps_per_epoch=...)"
    if hasattr(value, "x") and hasattr(value, "targets"):
        return "give the x of the data set"
    if isinstance(value, dict):
        return f"put its columns side by side, as in np.column_stack(list({name}.values()))"
    if hasattr(value, "keys"):  # archives and groups of stores
        return f"take one of its arrays, such as {name}['...']"
    readable = hasattr(value, "__getitem__") and not isinstance(value, str | bytes)
    return f"use np.asarray({name})" if readable else "give the numbers in one"


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
    raise ValueError(f"expected {name} to be {wanted}, received {name}={short(value)}")


def check_integer(name: str, value: int, *, minimum: int) -> int:
    """`value` as an int if it is an integer of at least `minimum`.

    >>> check_integer("batch_size", 0, minimum=1)
    Traceback (most recent call last):
    ValueError: expected batch_size to be an integer >= 1, received batch_size=0
    """
    if isinstance(value, Integral) and not isinstance(value, bool) and value >= minimum:
        return int(value)
    raise ValueError(f"expected {name} to be an integer >= {minimum}, received {name}={short(value)}")


def check_flag(name: str, value: object, *others: type) -> bool:
    """`value` as a bool if it is True or False, or the same of one of the other types, such as `np.bool_`, or 0 and 1.

    >>> check_flag("bias", "no")
    Traceback (most recent call last):
    TypeError: expected bias to be True or False, received bias='no': a text is always true
    """
    if not isinstance(value, (bool, *others)) or value not in (0, 1):
        raise TypeError(f"expected {name} to be True or False, received {name}={short(value)}: a text is always true")
    return bool(value)


def check_function(name: str, value: object, *arguments: str, advice: str) -> None:
    """Refuse what is no function of such arguments, as far as one can see; a class is to be called first.

    A function that yields or awaits is refused too: a call of it only makes a generator or coroutine, and runs nothing.

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
        if not (kind := runs_later(value)):
            with suppress(TypeError):
                signature.bind(*arguments)
                return
        received = f"{kind or 'a function'} {signature}"
        if by_name := [n for n, p in signature.parameters.items() if p.kind is p.KEYWORD_ONLY and n in arguments]:
            advice = f"{', '.join(by_name)} is given by its position, so {advice}"
        advice = "a call runs nothing of it: leave out yield and async" if kind else advice
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
