"""check_function: a derivative that somebody wrote by hand in JAX, as `minidl.testing` checks ours.

    from minidl.testing.jax import check_function, function_test

`docs/custom_gradients.md` is the page on it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Self, TypeAlias

import numpy as np
from hypothesis import strategies as st

from minidl.arguments import check_flag, short
from minidl.parameters import Array
from minidl.testing.functions import name_of
from minidl.testing.handwritten import FUNCTION, arguments_of, written
from minidl.testing.handwritten.called import Arrays, Back, Called, How
from minidl.testing.handwritten.case import FunctionCheckError
from minidl.testing.handwritten.drawing import Asked, Domains, Integers, Shapes, function_cases_of
from minidl.testing.running import Cases, as_test, at_once

try:
    import jax
    from jax import numpy as jnp
except ImportError as error:  # pragma: no cover
    raise ImportError('minidl.testing.jax needs JAX: pip install "minidl[jax]"') from error

__all__ = ["FunctionCheckError", "check_function", "function_test"]


SIZES = st.sampled_from([1, 2, 3, 9])  # fewer than elsewhere: each new shape is compiled
Floats: TypeAlias = Callable[[Mapping[str, Any]], tuple[Any, ...]]


class Traced(Called):
    """A function of JAX arrays by their names, compiled for each shape or not.

    What is float64 is computed with 64 bits, whatever JAX is set to outside.
    """

    few_shapes = True

    def __init__(self, floats: Floats, *, jit: bool) -> None:
        self.floats, self.jit = floats, jit
        self.forward = jax.jit(floats) if jit else floats
        self.pull = jax.jit(self._pull, static_argnums=0)

    def outputs(self, given: Arrays, how: How) -> list[Array]:
        """The outputs that are floats."""
        with _precision(given):
            return [np.asarray(one) for one in self._forward(_on_device(given))]

    def start(self, given: Arrays, how: How, wanted: Collection[str]) -> tuple[list[Array], Back]:
        """The outputs that are floats, and `jax.vjp` of them."""
        names = tuple(wanted)
        with _precision(given):
            arrays = _on_device(given)
            outputs, pull = (self._forward(arrays), None) if self.jit else self._vjp(names, arrays)

        def back(upstream: Sequence[Array]) -> dict[str, Array]:
            with _precision(given):
                dys = tuple(jnp.array(dy) for dy in upstream)
                gradients = self.pull(names, arrays, dys) if pull is None else pull(dys)[0]
                return {name: np.asarray(gradient) for name, gradient in gradients.items()}

        return [np.asarray(one) for one in outputs], back

    def other_form(self) -> Self | None:
        """The same without `jax.jit`, of what is compiled."""
        return type(self)(self.floats, jit=False) if self.jit else None

    def _vjp(self, wanted: tuple[str, ...], arrays: Mapping[str, Any]) -> Any:
        return jax.vjp(lambda moving: self.floats({**arrays, **moving}), {name: arrays[name] for name in wanted})

    def _pull(self, wanted: tuple[str, ...], arrays: Mapping[str, Any], upstream: tuple[Any, ...]) -> Any:
        return self._vjp(wanted, arrays)[1](upstream)[0]

    def _forward(self, arrays: Mapping[str, Any]) -> tuple[Any, ...]:
        try:
            return self.forward(arrays)
        except jax.errors.ConcretizationTypeError as error:
            raise TypeError("jax.jit does not take it, as it asks for the values of an array: jit=False") from error


def _floats(function: Any, names: Sequence[str], arguments: Mapping[str, Any]) -> Floats:
    """A function as one from arrays by name to those of its outputs that are floats."""

    def floats(arrays: Mapping[str, Any]) -> tuple[Any, ...]:
        returned = function(*(arrays[name] for name in names), **arguments)
        leaves = [jnp.asarray(leaf) for leaf in jax.tree.leaves(returned)]
        found = tuple(leaf for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.floating))
        if not found:
            raise TypeError(f"expected an output of floats, received {short(returned)}")
        return found

    return floats


def _precision(given: Arrays) -> Any:
    """A block in which JAX has the precision of what is given: with 64 bits its defaults would be float64, too."""
    return jax.enable_x64(any(array.dtype == np.float64 for array in given.values()))


def _on_device(given: Arrays) -> dict[str, Any]:
    return {name: jnp.array(array) for name, array in given.items()}  # copies: theirs must not change with ours


def _function_cases(
    function: Any,
    shape: Shapes = ("n", "features"),
    *,
    rows_mix: bool = False,
    domain: Domains = None,
    integers: Integers = None,
    constants: tuple[str, ...] = (),
    jumps: tuple[float, ...] = (),
    jit: bool = True,
    **arguments: Any,
) -> Cases:
    """The cases of a function with a custom_vjp or custom_jvp, or of another one of JAX arrays."""
    if not callable(function):
        raise TypeError(f"expected a function of JAX arrays, received {short(function)}")
    asked = Asked(shape, rows_mix, False, domain, integers, constants, jumps).of_function()
    names, ends = list(asked.shapes), "" if check_flag("jit", jit) else ", jit=False"
    compiled = dict[str, Traced]()  # by the arguments, so that other cases of the same shapes are compiled already

    def called(made: Mapping[str, Any], used: Mapping[str, Any]) -> tuple[Called, str, str]:
        thing = Traced(_floats(function, names, made), jit=jit)
        if all(isinstance(value, bool | int | float | str) for value in made.values()):
            thing = compiled.setdefault(written(made), thing)
        return thing, f"check_function({name_of(function)}", ends + written(made)

    return function_cases_of(
        asked, arguments_of, arguments, called, name_of(function), dict.fromkeys(asked.sizes, SIZES)
    )


@as_test(FUNCTION, _function_cases)
def function_test() -> None:
    """A ready hypothesis test of a function with a `jax.custom_vjp` or `jax.custom_jvp`.

    It is called with a float64 array for each input, and again in float32; JAX's own setting stays as it is. What is
    random takes its key as an argument. It is compiled for each shape, and compared with what it gives when it is not.

    Args:
        function: any function of JAX arrays that `jax.vjp` takes.
        shape, rows_mix, domain, integers, constants, jumps, settings: as in `minidl.testing.function_test`; the inputs
            stand in the order in which they are handed over.
        jit: False for a function that `jax.jit` does not take.
        arguments: further arguments, by name, each a value or a strategy.

    >>> @jax.custom_vjp
    ... def square(x):
    ...     return x ** 2
    >>> square.defvjp(lambda x: (x ** 2, x), lambda x, dy: (2 * x * dy,))
    >>> test_square = function_test(square)
    >>> test_square()
    """


@at_once(FUNCTION, _function_cases)
def check_function() -> None:
    """Run `function_test` at once, on the same `max_examples` cases every time, and return the report.

    `at={"x": ..., "seed": ...}`, as a failure prints it, is one case instead of drawn ones. With `raises=False` every
    property is judged by itself, whatever else fails.

    Raises:
        FunctionCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the
            report.

    >>> check_function(jax.nn.sigmoid, max_examples=5).passed
    True
    """
