"""Windows that slide along an axis of known length: what of them lies inside the array."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)  # not `frozen`, which takes longer to make one: some are made at every step
class Span:
    """`count` windows of `size` along an axis; window i begins at i stride - before."""

    size: int
    stride: int
    before: int
    count: int

    @property
    def length(self) -> int:
        """From the beginning of the first window to the end of the last."""
        return (self.count - 1) * self.stride + self.size

    def part(self, windows: slice) -> "Span":
        """Some windows in a row."""
        start, stop, _ = windows.indices(self.count)
        return Span(self.size, self.stride, self.before - start * self.stride, stop - start)

    def inside(self, length: int) -> tuple[slice, slice]:
        """What of the span lies on an axis of a length: where in the span, and where on the axis."""
        first, last = max(-self.before, 0), max(min(self.length - self.before, length), 0)
        first = min(first, last)
        return slice(first + self.before, last + self.before), slice(first, last)

    def tap(self, offset: int, length: int) -> tuple[slice, slice]:
        """The windows whose number `offset` lies on an axis of a length, and where on the axis those numbers are."""
        shift = offset - self.before
        first = min(max(-(shift // self.stride), 0), self.count)
        last = max(min(-((shift - length) // self.stride), self.count), first)
        begin = first * self.stride + shift
        return slice(first, last), slice(begin, begin + (last - first) * self.stride, self.stride)

    def phases(self, length: int) -> Iterator[tuple[slice, slice, "Span"]]:
        """The turn of the windows: which of them cover a place of the axis.

        Places stride apart are covered alike: for each such class its places, the offsets in the windows at which they
        are seen, and the span along the axis of windows that sees, in reverse, the windows that cover each place.
        """
        for offset in range(self.stride):
            start = (offset - self.before) % self.stride
            places = len(range(start, length, self.stride))
            taps = len(range(offset, self.size, self.stride))
            skipped = (start + self.before - offset) // self.stride
            yield (
                slice(start, None, self.stride),
                slice(offset, None, self.stride),
                Span(taps, 1, taps - 1 - skipped, places),
            )
