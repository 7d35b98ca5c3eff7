"""Kinks and ties by the dozen, as in a maximum over windows of an image: few forwards, and no wrong choice passes."""

import numpy as np
import pytest

from minidl.layers import Layer
from minidl.testing import CheckError, check_layer

IMAGE = (2, 3, 4, 4)


class MaxPool(Layer):
    """The maximum of every 2x2 window; `share` says how its gradient is divided among tied entries."""

    forwards = 0

    def forward(self, x):
        MaxPool.forwards += 1
        n, c, h, w = x.shape
        windows = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5)
        self.shape, self.windows = x.shape, windows.reshape(n, c, h // 2, w // 2, 4)
        y = self.windows.max(axis=4)
        self.tied = (self.windows == y[..., None]).astype(x.dtype)
        return y

    def share(self):
        return self.tied / self.tied.sum(axis=4, keepdims=True, dtype=self.tied.dtype)

    def backward(self, dy):
        n, c, h, w = self.shape
        dx = (self.share() * dy[..., None]).reshape(n, c, h // 2, w // 2, 2, 2)
        return dx.transpose(0, 1, 2, 4, 3, 5).reshape(self.shape)


class CreditsFirst(MaxPool):
    def share(self):
        first = np.zeros_like(self.tied)
        np.put_along_axis(first, self.windows.argmax(axis=4)[..., None], 1, axis=4)
        return first


class CreditsAllWhole(MaxPool):
    def share(self):
        return self.tied


class CreditsNoTie(MaxPool):
    def share(self):
        return self.tied * (self.tied.sum(axis=4, keepdims=True) == 1)


class CreditsHalf(MaxPool):
    """Of more than one tied entry, each gets half of its share."""

    def share(self):
        return super().share() / np.where(self.tied.sum(axis=4, keepdims=True) > 1, 2, 1).astype(self.tied.dtype)


class CreditsThreeTooMuch(MaxPool):
    """Three or four tied entries get a third more than there is."""

    def share(self):
        return super().share() * np.where(self.tied.sum(axis=4, keepdims=True) > 2, 4 / 3, 1).astype(self.tied.dtype)


class LastWindowWhole(MaxPool):
    """Only the last window of the last channel credits every tied entry in full."""

    def share(self):
        share = super().share()
        share[:, -1, -1, -1] = self.tied[:, -1, -1, -1]
        return share


def forwards_of(x):
    MaxPool.forwards = 0
    assert check_layer(CreditsFirst, at={"x": x, "seed": 0}).passed
    return MaxPool.forwards


@pytest.mark.parametrize("tied", [np.zeros(IMAGE), np.resize([1.0, 0.5, 0.5], IMAGE), np.resize(np.arange(5.0), IMAGE)])
def test_ties_everywhere_cost_a_few_hundred_forwards(tied):
    apart = np.random.default_rng(0).permutation(np.arange(np.prod(IMAGE)) / 8).reshape(IMAGE)
    assert forwards_of(tied.tolist()) < forwards_of(apart.tolist()) + 600


@pytest.mark.parametrize("right", [MaxPool, CreditsFirst])
def test_a_pool_that_divides_the_gradient_among_ties_passes(right):
    assert check_layer(right, shape=("n", 3, 4, 4), max_examples=30).passed


@pytest.mark.parametrize(
    "wrong",
    [CreditsAllWhole, CreditsNoTie, CreditsHalf, CreditsThreeTooMuch, LastWindowWhole],
    ids=lambda c: c.__name__,
)
@pytest.mark.parametrize("shape", [("n", 1, 2, 2), ("n", 3, 4, 4), ("n", 2, 8, 8)])
def test_a_wrong_choice_at_ties_is_found(wrong, shape):
    with pytest.raises(CheckError, match="the gradient of x is wrong"):
        check_layer(wrong, shape=shape, max_examples=30)
