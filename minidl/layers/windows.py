"""Windows that slide along an axis: how many there are, and where they begin."""

from typing import Literal, TypeAlias

from minidl.arguments import check_integer, short
from minidl.frozen import frozen
from minidl.kernels.spans import Span
from minidl.layers.shapes import ShapeError

Sizes: TypeAlias = int | tuple[int, ...]
Padding: TypeAlias = Sizes | Literal["same"]


@frozen
class Window:
    """Windows of `size` along an axis, one every `stride`, with `padding` zeros at both ends; None: "same".

    >>> Window(3, 2, 0).count(8), Window(3, 2, 1).count(8), Window(3, 2, None).count(8)
    (3, 4, 4)
    """

    size: int
    stride: int
    padding: int | None

    def count(self, length: int) -> int:
        """How many windows fit; with "same" length / stride, rounded up. What is left over at the end is not seen."""
        if self.padding is None:
            return -(-length // self.stride)
        return max((length + 2 * self.padding - self.size) // self.stride + 1, 0)

    def before(self, length: int) -> int:
        """The zeros in front; with "same" half of those that are missing, rounded down: the odd one is at the end."""
        if self.padding is None:
            return max((self.count(length) - 1) * self.stride + self.size - length, 0) // 2
        return self.padding

    def span(self, length: int) -> "Span":
        """The windows of an axis of some length."""
        return Span(self.size, self.stride, self.before(length), self.count(length))


def make_windows(what: str, size: Sizes, stride: Sizes, padding: Padding, axes: int) -> tuple[Window, ...]:
    """One Window for each axis from the arguments of a constructor; `what` is the name of the first.

    Raises:
        ValueError: sizes or strides below 1, a padding below 0, or as many numbers as there are no axes.
    """
    sizes, strides = _each(what, size, axes, 1), _each("stride", stride, axes, 1)
    paddings: tuple[int | None, ...] = (None,) * axes
    if padding != "same":
        paddings = _each("padding", padding, axes, 0)
    return tuple(map(Window, sizes, strides, paddings))


def _each(name: str, value: Sizes | str, axes: int, minimum: int) -> tuple[int, ...]:
    """A number for every axis."""
    if isinstance(value, tuple | list) and len(value) == axes > 1:
        return tuple(check_integer(f"each of {name}", number, minimum=minimum) for number in value)
    if isinstance(value, tuple | list | str):
        ways = (
            f"an integer >= {minimum}{' or a pair of them' * (axes == 2)}{' or ' + repr('same') * (name == 'padding')}"
        )
        none = ": 0 is none" if name == "padding" and isinstance(value, str) else ""
        raise ValueError(f"expected {name} to be {ways.removesuffix(' or ')}, received {name}={short(value)}{none}")
    return (check_integer(name, value, minimum=minimum),) * axes


def windowed(layer: object, windows: tuple[Window, ...], shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """How many windows there are along each axis; None where its length is unknown.

    Raises:
        ShapeError: none fits.
    """
    counts = tuple(None if n is None else window.count(n) for n, window in zip(shape, windows, strict=True))
    if 0 in counts:
        least = tuple(1 if w.padding is None else max(1, w.size - 2 * w.padding) for w in windows)
        raise ShapeError(
            f"expected the last axes of x to be at least {least} long for the windows of {layer!r}, received {shape}: "
            f"make the windows smaller, or pad"
        )
    return counts
