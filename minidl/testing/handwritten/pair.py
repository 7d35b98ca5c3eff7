"""A forward and a backward function in NumPy."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from minidl.arguments import short
from minidl.parameters import Array
from minidl.testing.handwritten.called import EXPANDED, Arrays, Back, Called, How


class Pair(Called):
    """`forward(*inputs)` and `backward(*upstream, *inputs)`, or `backward(*upstream, cache)`; see `function_test`."""

    layouts = ("a read-only view with gaps", "an array in Fortran order", "a view that runs backwards", EXPANDED)

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        names: Sequence[str],
        arguments: Mapping[str, Any],
        *,
        cache: bool,
    ) -> None:
        self.functions, self.names, self.arguments, self.cache = (forward, backward), names, arguments, cache

    def outputs(self, given: Arrays, how: How) -> list[Array]:
        """What forward returns."""
        return self._forward(given)[0]

    def start(self, given: Arrays, how: How, wanted: Collection[str]) -> tuple[list[Array], Back]:
        """What forward returns, and backward with its cache, or with the inputs again."""
        outputs, cache = self._forward(given)

        def back(upstream: Sequence[Array]) -> dict[str, Any]:
            if self.cache:
                returned = self.functions[1](*upstream, cache)
            else:
                returned = self.functions[1](*upstream, *self._inputs(given), **self.arguments)
            return self._by_name(returned, wanted)

        return outputs, back

    def _inputs(self, given: Arrays) -> list[Array]:
        return [given[name] for name in self.names]

    def _forward(self, given: Arrays) -> tuple[list[Array], Any]:
        returned, cache = self.functions[0](*self._inputs(given), **self.arguments), None
        if self.cache:
            if not isinstance(returned, tuple | list) or len(returned) != 2:
                raise TypeError(f"expected forward to return (output, cache), received {short(returned)}")
            returned, cache = returned
        dtype = next((array.dtype for array in given.values() if array.dtype.kind == "f"), np.dtype(np.float64))
        several = list(returned) if isinstance(returned, tuple | list) else [returned]
        return [_output(one, dtype) for one in several], cache

    def _by_name(self, returned: Any, wanted: Collection[str]) -> dict[str, Any]:
        several = list(returned) if isinstance(returned, tuple | list) else [returned]
        if len(self.names) > len(several) == len(wanted) == 1:
            return {next(iter(wanted)): _gradient(several[0])}
        if len(several) != len(self.names):
            names = ", ".join(self.names)
            raise TypeError(
                f"expected backward to return a gradient for each of {names}, None where none is asked, "
                f"received {len(several)}"
            )
        return {n: _gradient(one) for n, one in zip(self.names, several, strict=True) if n in wanted}


def _output(one: Any, dtype: np.dtype[Any]) -> Array:
    """An output as an array; a Python float has no dtype of its own."""
    if type(one) is float:
        return np.array(one, dtype)
    if not isinstance(one, np.ndarray | np.generic) or one.dtype.kind != "f":
        received = f"{type(one).__name__}{f' of {one.dtype}' if hasattr(one, 'dtype') else ''}"
        raise TypeError(f"expected forward to return an array of floats, or a tuple of them, received {received}")
    return np.asarray(one)


def _gradient(one: Any) -> Any:
    return np.asarray(one) if isinstance(one, np.generic) else one
