"""Right derivatives, or nearly, of layers that break another promise: what they write to, keep and return."""

import numpy as np

from minidl.layers import Elementwise, ReLU
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Scale

SHELF = Shelf()


@SHELF.layer()
class OverwritesUpstream(ReLU):
    """Writes into dy, as Relu in deep-learning-from-scratch does."""

    def backward(self, dy):
        dy *= self.x > 0
        return dy


@SHELF.layer()
class GainUpstreamMask(Scale):
    """Sets small entries of dy to 0 in place."""

    def backward(self, dy):
        dy[np.abs(dy) < 0.05] = 0
        return super().backward(dy)


@SHELF.layer()
class OverwritesInput(Elementwise):
    """Writes into x, with np.maximum(..., out=x)."""

    def forward(self, x):
        np.maximum(x, 0, out=x)
        self.x = x
        return x.copy()

    def backward(self, dy):
        return dy * (self.x > 0)


@SHELF.layer()
class OverwritesParameter(Scale):
    """forward halves the gain itself."""

    def forward(self, x):
        self.gain.value *= 0.5
        return super().forward(x)


@SHELF.layer()
class GainCalls(Scale):
    """A hidden counter of calls anneals the output: forward is not a function of x."""

    def forward(self, x):
        self.calls = getattr(self, "calls", 0) + 1
        self.t = 1 + 0.1 / self.calls
        return super().forward(x) * self.t

    def backward(self, dy):
        return super().backward(dy * self.t)


@SHELF.layer()
class StaleCache(Elementwise):
    """Keeps the first mask of each shape; later batches of that shape use it."""

    def forward(self, x):
        if getattr(self, "mask", None) is None or self.mask.shape != x.shape:
            self.mask = x > 0
        return np.maximum(x, 0)

    def backward(self, dy):
        return dy * self.mask


@SHELF.layer()
class Consumes(Elementwise):
    """backward uses its cache up, so a second one finds none."""

    def forward(self, x):
        self.cache = [x]
        return x * x

    def backward(self, dy):
        x = self.cache.pop() if self.cache else np.zeros_like(dy)
        return 2 * x * dy


@SHELF.layer()
class ReusesItsOutput(Elementwise):
    """Returns the same buffer each time: an earlier output changes at the next forward."""

    def forward(self, x):
        if getattr(self, "buffer", None) is None or self.buffer.shape != x.shape or self.buffer.dtype != x.dtype:
            self.buffer = np.empty_like(x)
        return np.multiply(x, 2, out=self.buffer)

    def backward(self, dy):
        return 2 * dy


@SHELF.layer()
class ReusesItsGradient(Elementwise):
    """backward returns the same buffer each time."""

    def forward(self, x):
        self.buffer = np.empty(x.shape, x.dtype)
        return 2 * x

    def backward(self, dy):
        return np.multiply(dy, 2, out=self.buffer)


@SHELF.layer()
class LowPrecision(Elementwise):
    """Goes through float16 on the way."""

    def forward(self, x):
        return (x.astype(np.float16) * 2).astype(x.dtype) + x / 3

    def backward(self, dy):
        return dy * (2 + 1 / 3)


@SHELF.layer()
class MixesRows(Elementwise):
    """Subtracts the mean over the rows, which is not declared."""

    def forward(self, x):
        return x - x.mean(axis=0)

    def backward(self, dy):
        return dy - dy.mean(axis=0)


@SHELF.layer()
class LosesRow(Elementwise):
    """The first row is lost when there are several."""

    def forward(self, x):
        return x[1:] * 2 if len(x) > 1 else x * 2

    def backward(self, dy):
        return 2 * dy


@SHELF.layer()
class ReturnsList(Elementwise):
    """forward returns a list."""

    def forward(self, x):
        return x.tolist()


@SHELF.layer()
class ReturnsNothing(Elementwise):
    """backward returns None."""

    def forward(self, x):
        return x * 2

    def backward(self, dy):
        pass
