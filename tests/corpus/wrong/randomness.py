"""Dropout and noise."""

import numpy as np
from hypothesis import strategies as st

from minidl.layers import Elementwise
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Dropout

SHELF = Shelf()
DROPOUT = {"stochastic": True, "p": st.floats(0.2, 0.6)}


@SHELF.layer(**DROPOUT)
class DropoutRedrawn(Dropout):
    """A new mask is drawn in backward."""

    def backward(self, dy):
        return dy if self.mask is None else dy * self.draw(dy)


@SHELF.layer(**DROPOUT)
class DropoutTwice(Dropout):
    """backward applies the scaled mask twice."""

    def backward(self, dy):
        return dy if self.mask is None else dy * self.mask * self.mask


@SHELF.layer(**DROPOUT)
class DropoutStaleMask(Dropout):
    """Inference leaves the training mask on self and backward uses it."""

    def forward(self, x):
        if not self.training:
            return x
        return super().forward(x)

    def backward(self, dy):
        mask = getattr(self, "mask", None)
        return dy if mask is None or mask.shape != dy.shape else dy * mask


@SHELF.layer(**DROPOUT)
class DropoutAtInference(Dropout):
    """The mode is the wrong way round: drops at inference."""

    def forward(self, x):
        self.mask = None if self.training else self.draw(x)
        return x if self.mask is None else x * self.mask


@SHELF.layer(**DROPOUT)
class DropoutHalvesAtInference(Dropout):
    """backward halves dx at inference, as if half of it had been dropped."""

    def backward(self, dy):
        return dy * 0.5 if not self.training else super().backward(dy)


@SHELF.layer(stochastic=True)
class DropoutThatNeverRests(Elementwise):
    """Drops at inference too."""

    def forward(self, x):
        self.mask = ((self.rng.random(x.shape) < 0.5) * 2).astype(x.dtype)
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


UNBIASED = {"stochastic": "unbiased", "p": st.floats(0.2, 0.6)}


@SHELF.layer(**UNBIASED)
class DropoutUnscaled(Dropout):
    """What is kept is not scaled up: training sees smaller numbers than inference."""

    def draw(self, x):
        return (self.rng.random(x.shape) >= self.p).astype(x.dtype)


@SHELF.layer(**UNBIASED)
class DropoutScaledByRate(Dropout):
    """Divided by the rate, not by what is kept."""

    def draw(self, x):
        return ((self.rng.random(x.shape) >= self.p) / self.p).astype(x.dtype)


@SHELF.layer(stochastic="unbiased", p=st.sampled_from([0.2, 0.8]))
class DropoutKeepsTheRate(Dropout):
    """The rate is taken for the share that is kept, but the scale is right for what is dropped."""

    def draw(self, x):
        return ((self.rng.random(x.shape) < self.p) / (1 - self.p)).astype(x.dtype)


@SHELF.layer(**UNBIASED)
class DropoutScaledTwice(Dropout):
    """Scaled in training and again at inference, as where two conventions meet."""

    def forward(self, x):
        y = super().forward(x)
        return y if self.training else y * (1 - self.p)

    def backward(self, dy):
        return dy * (1 - self.p) if self.mask is None else dy * self.mask


@SHELF.layer(**UNBIASED)
class DropoutMaskDrawnTwice(Dropout):
    """One mask multiplies x, another one is kept for backward."""

    def forward(self, x):
        self.mask = self.draw(x) if self.training else None
        return x if self.mask is None else x * self.draw(x)


@SHELF.layer(**DROPOUT)
class DropoutGlobalRandom(Dropout):
    """Draws from numpy's global generator, not from self.rng: not repeatable."""

    def draw(self, x):
        return ((np.random.random(x.shape) >= self.p) / (1 - self.p)).astype(x.dtype)  # noqa: NPY002 (the bug)


@SHELF.layer(**DROPOUT)
class DropoutInPlace(Dropout):
    """Multiplies x in place while training."""

    def forward(self, x):
        self.mask = self.draw(x) if self.training else None
        if self.mask is not None:
            x *= self.mask
        return x.copy()


@SHELF.layer(**DROPOUT)
class DropoutFloat64(Dropout):
    """bool / float is a float64 mask: float32 rows come out as float64, in training only."""

    def draw(self, x):
        return (self.rng.random(x.shape) >= self.p) / (1 - self.p)


@SHELF.layer()
class GlobalRandom(Elementwise):
    """Draws from a generator of its own, at inference too, so nothing is repeatable."""

    def forward(self, x):
        self.mask = np.random.default_rng().random(x.shape) < 0.5
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


@SHELF.layer(stochastic=True)
class MultiplicativeNoise(Elementwise):
    """y = x (1 + noise) in training: backward lets dy through unchanged."""

    def forward(self, x):
        if not self.training:
            return x.copy()
        return x * (1 + 0.1 * self.rng.standard_normal(x.shape)).astype(x.dtype)

    def backward(self, dy):
        return dy.copy()


@SHELF.layer(shape=("n", 3, 3, 3), stochastic=True)
class SpatialDropoutAxis(Elementwise):
    """Drops whole channels forward, whole image rows backward; the sizes happen to agree."""

    def forward(self, x):
        self.m = (self.rng.random(x.shape[:2]) >= 0.4).astype(x.dtype) / 0.6 if self.training else None
        return x.copy() if self.m is None else (x * self.m[:, :, None, None]).astype(x.dtype)

    def backward(self, dy):
        return dy.copy() if self.m is None else (dy * self.m[:, None, :, None]).astype(dy.dtype)
