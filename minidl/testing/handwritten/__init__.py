"""check_function and function_test: a derivative that somebody wrote by hand, whatever it is written in."""

from collections.abc import Callable, Container, Generator, Mapping
from typing import Any

from minidl.arguments import check_flag, short
from minidl.testing.functions import name_of
from minidl.testing.handwritten.case import FunctionCase, FunctionCheckError, FunctionRun
from minidl.testing.handwritten.contract import CONTRACT, runs
from minidl.testing.handwritten.drawing import Asked, Domains, Integers, Shapes, function_cases_of
from minidl.testing.handwritten.extremes import EXTREMES
from minidl.testing.handwritten.numbers import NUMBERS
from minidl.testing.handwritten.pair import Pair
from minidl.testing.report import Property
from minidl.testing.running import Cases, Kind, as_test, at_once


def each_mode(case: FunctionCase, skipped: Container[Property]) -> Generator[FunctionRun, None, None]:
    """A case as it is, and what has modes once more in training."""
    first = FunctionRun(case)
    yield first
    if case.called.modes:
        yield FunctionRun(case, first, training=True)


FUNCTION = Kind((*CONTRACT, *NUMBERS, *EXTREMES), runs, FunctionCheckError, each_mode)


def arguments_of(**arguments: Any) -> dict[str, Any]:
    """The arguments themselves: what is made for every case of a function that takes them in each call."""
    return arguments


def written(arguments: Mapping[str, Any]) -> str:
    """Arguments as they end a call."""
    return "".join(f", {name}={value!r}" for name, value in arguments.items())


def function_cases(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    shape: Shapes = ("n", "features"),
    *,
    cache: bool = False,
    rows_mix: bool = False,
    domain: Domains = None,
    integers: Integers = None,
    constants: tuple[str, ...] = (),
    jumps: tuple[float, ...] = (),
    **arguments: Any,
) -> Cases:
    """The cases of a pair of functions."""
    for name, function in (("forward", forward), ("backward", backward)):
        if not callable(function):
            raise TypeError(f"expected {name} to be a function of arrays, received {name}={short(function)}")
    check_flag("cache", cache)
    asked = Asked(shape, rows_mix, False, domain, integers, constants, jumps).of_function()
    names = list(asked.shapes)

    def called(made: Mapping[str, Any], used: Mapping[str, Any]) -> tuple[Pair, str, str]:
        pair = Pair(forward, backward, names, made, cache=cache)
        ends = (", cache=True" if cache else "") + written(made)
        return pair, f"check_function({name_of(forward)}, {name_of(backward)}", ends

    return function_cases_of(asked, arguments_of, arguments, called, name_of(forward))


@as_test(FUNCTION, function_cases)
def function_test() -> None:
    """A ready hypothesis test of a function and of the derivative that was written for it, both in NumPy.

    `minidl.testing.torch` and `minidl.testing.jax` have the same for functions of PyTorch and JAX.

    Args:
        forward: called with one array for each input, and the arguments by name; returns an array, or a tuple of
            several, or a float.
        backward: called with an upstream gradient for each output, then the inputs, and the arguments by name; returns
            a gradient for each input, None for one that is not differentiated.
        shape: the shape of the only input, or name -> shape for each. Sizes that are names are drawn, and one name is
            one size. A size may be a strategy, or have a lower bound: `("n", at_least(3))`.
        cache: forward returns (output, cache), and backward takes the upstream gradients and that cache.
        rows_mix: declare that rows depend on one another. If not, the first axis of the first input, and of each that
            begins with the same name, counts rows: each row gives its row of every output, and the gradients of other
            inputs are sums over rows.
        domain: the closed interval of the inputs, or name -> interval. None: they are drawn from -3 to 3, and tried far
            beyond.
        integers: inputs that hold whole numbers, as labels do: name -> (low, high), from low to high - 1, `high` a
            number or the name of a size. They are not differentiated.
        constants: names of further inputs that are not differentiated.
        jumps: the values of inputs at which the output may jump; the derivative for an element there is not asked.
        settings: hypothesis settings instead of those of the loaded profile.
        arguments: further arguments of both functions, each a value or a strategy. Under the name of a size, the
            strategy for it; the others are drawn from 1 to 4, or 9.

    `docs/custom_gradients.md` lists the properties.

    >>> test_square = function_test(lambda x: x ** 2, lambda dy, x: 2 * x * dy)
    >>> test_square()
    """


@at_once(FUNCTION, function_cases)
def check_function() -> None:
    """Run `function_test` at once, on the same cases every time; `at`, `max_examples`, `raises` as in `check_layer`.

    Raises:
        FunctionCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the
            report.

    >>> def scaled(x, gain):
    ...     return x * gain
    >>> def scaled_backward(dy, x, gain):
    ...     return dy * gain, (dy * x).sum(axis=0)
    >>> check_function(scaled, scaled_backward, shape={"x": ("n", "k"), "gain": ("k",)}).passed
    True
    """
