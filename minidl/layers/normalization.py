"""Normalization of channels: over the batch, or over groups of channels of each row."""

from abc import abstractmethod

import numpy as np

from minidl.arguments import check_integer, check_number
from minidl.initializers import ones, zeros
from minidl.kernels.normalizing import (
    centered,
    channel_affine,
    channel_sums,
    gradient_sums,
    spread,
    through_statistics,
)
from minidl.layers.activations import Elementwise
from minidl.layers.channels import Channels, channels_fitting, check_channels
from minidl.layers.shapes import SampleShape, ShapeError
from minidl.parameters import Array, Floats, Parameter, State
from minidl.quiet import quiet


class ChannelNorm(Elementwise):
    """y = gain (x - mean) / sqrt(variance + eps) + bias, where a subclass says what belongs together."""

    lie: Channels

    def __init__(self, count: int, eps: float) -> None:
        self.count, self.eps = count, check_number("eps", eps, minimum=0, exclusive=True)
        self.gain = Parameter((count,), ones, decay=False)
        self.bias = Parameter((count,), zeros, decay=False)

    @abstractmethod
    def together(self, sums: Floats) -> Floats:
        """Sums of what belongs together, of those for each row and channel: one for each channel, or of each row."""

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """The shape of the input, if it has this number of channels."""
        return channels_fitting(self, shape, self.count)

    def _centered(self, x: Array, number: int) -> tuple[Floats, Floats]:
        """Keep x minus its mean, of `number` values each; return mean and variance."""
        stack = self.lie.stack(x)
        mean = self.together(channel_sums(stack, self.lie.last)) / number
        self.away, squares = centered(stack, mean, self.lie.last)
        return mean, self.together(squares) / number

    def _scaled(self, variance: Floats) -> Array:
        """y of what was kept."""
        self.r = 1 / np.sqrt(variance + self.eps)
        self.factor = self.r * self.gain.value
        y = channel_affine(self.away, self.factor, self.bias.value, self.lie.last)
        return self.lie.unstack(y)

    def _back(self, dy: Array, number: int | None) -> Array:
        """dgain, dbias and dx; without a `number` the statistics did not depend on x.

        With a = x - mean, r = 1 / sqrt(variance + eps) and sums over the m values that belong together:
        dgain = sum r a dy,  dbias = sum dy,
        dx = r (gain dy - (sum gain dy) / m - a r^2 (sum gain dy a) / m).
        """
        self.check_dy(dy, self.lie.shape)
        lie, r, gain = self.lie, self.r, self.gain.value
        g = lie.stack(np.asarray(dy))
        of_dy, of_product = gradient_sums(g, self.away, lie.last)
        self.gain.grad = np.add.reduce(r * of_product, axis=0)
        self.bias.grad = np.add.reduce(of_dy, axis=0)
        if not self.needs_dx:
            return dy
        if number is None:
            return lie.unstack(g * spread(self.factor, g, lie.last))
        slope = self.together(gain * of_product) * r**3 / number
        shift = self.together(gain * of_dy) * r / number
        return lie.unstack(through_statistics(g, self.away, self.factor, slope, shift, lie.last))


class BatchNorm(ChannelNorm):
    """y = gain (x - mean) / sqrt(variance + eps) + bias, with mean and variance of each channel over the batch.

    Channels are the features of (n, features) and (n, time, features), and stand on axis 1 of images (n, channels,
    height, width); mean and variance are over all other axes, m values. y has the shape of x, and in memory its order.

    In training, the statistics are those of the batch, with the variance divided by m. The running ones move towards
    them, and are what inference uses:

        mean += momentum (batch mean - mean),  variance += momentum (m / (m - 1) batch variance - variance).

    So momentum is the share of the newest batch, as in PyTorch; in Keras it is that of the
    past, 1 - momentum. Source: Ioffe & Szegedy, ICML 2015.

    Args:
        features: how many channels there are.
        momentum: in (0, 1].
        eps: added to the variance, > 0.

    Attributes:
        gain, bias: parameters (features,), which start at 1 and 0, and are not decayed by regularizers.
        mean, variance: states (features,), which start at 0 and 1.

    Raises:
        ShapeError: x of another number of channels, axes or dtype; in training, a batch of a single value per channel,
            which is its own mean, so that nothing of it would be left.

    >>> layer = BatchNorm(2).build(seed=0)
    >>> with layer.train_mode():
    ...     layer.forward(np.float32([[1.0, 10.0], [3.0, 30.0]])).round(3)
    array([[-1., -1.],
           [ 1.,  1.]], dtype=float32)
    >>> layer.mean.value, layer.variance.value
    (array([0.2, 2. ], dtype=float32), array([ 1.1, 20.9], dtype=float32))
    """

    def __init__(self, features: int, *, momentum: float = 0.1, eps: float = 1e-5) -> None:
        self.features = check_integer("features", features, minimum=1)
        super().__init__(self.features, eps)
        self.momentum = check_number("momentum", momentum, minimum=0, maximum=1)
        if not momentum:
            raise ValueError(
                "expected momentum to be > 0, received momentum=0: the running statistics would never move"
            )
        self.mean, self.variance = State((features,), zeros), State((features,), ones)

    def together(self, sums: Floats) -> Floats:
        """Over the rows."""
        total: Floats = np.add.reduce(sums, axis=0)
        return total

    @quiet
    def forward(self, x: Array) -> Array:
        """Return x normalized by the statistics of the batch in training, by the running ones at inference."""
        check_channels(self, x, self.count, self.gain.value.dtype)
        self.lie = Channels(x, rows_mix=True)
        m = self.lie.rows * self.lie.values
        self.number = m if self.training and m else None
        if self.number is None:
            stack = self.lie.stack(x)
            self.away = stack - spread(self.mean.value, stack, self.lie.last)
            return self._scaled(self.variance.value.astype(np.float64))
        if m == 1:
            raise ShapeError(
                f"expected at least 2 values of each channel in training, received x.shape={x.shape}: use larger "
                f"batches, and leave out a last one of a single row with drop_last=True"
            )
        mean, variance = self._centered(x, m)
        self.mean.value += self.momentum * (mean - self.mean.value)
        self.variance.value += self.momentum * (variance * (m / (m - 1)) - self.variance.value)
        return self._scaled(variance)

    @quiet
    def backward(self, dy: Array) -> Array:
        """See `ChannelNorm`: at inference the statistics do not depend on x."""
        return self._back(dy, self.number)


class GroupNorm(ChannelNorm):
    """y = gain (x - mean) / sqrt(variance + eps) + bias, with mean and variance of each group of channels of each row.

    Channels are the features of (n, features) and (n, time, features), and stand on axis 1 of images (n, channels,
    height, width). Neighbouring channels are a group; mean and variance are over them and over all positions of the
    row, with the variance divided by their number. Rows do not mix, so training and inference are the same. With one
    group it is a layer normalization of images, with as many groups as channels an instance normalization. Source: Wu &
    He, ECCV 2018.

    Args:
        groups: how many, a divisor of `channels`.
        channels: how many there are.
        eps: added to the variance, > 0.

    Attributes:
        gain, bias: parameters (channels,), which start at 1 and 0, and are not decayed by regularizers.

    Raises:
        ShapeError: x of another number of channels, axes or dtype.

    >>> layer = GroupNorm(2, 4).build(seed=0)
    >>> layer.forward(np.float32([[1.0, 3.0, 10.0, 30.0]])).round(3)
    array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    def __init__(self, groups: int, channels: int, *, eps: float = 1e-5) -> None:
        self.channels = check_integer("channels", channels, minimum=1)
        super().__init__(self.channels, eps)
        self.groups = check_integer("groups", groups, minimum=1)
        if channels % groups:
            raise ValueError(
                f"expected groups to divide channels={channels}, received groups={groups}: all groups are of one size"
            )

    def together(self, sums: Floats) -> Floats:
        """Over the channels of a group, for each of them."""
        size = self.channels // self.groups
        return np.repeat(sums.reshape(-1, self.groups, size).sum(axis=2), size, axis=1)

    @quiet
    def forward(self, x: Array) -> Array:
        """Return x with each group of each row normalized."""
        check_channels(self, x, self.count, self.gain.value.dtype)
        self.lie = Channels(x)
        _, variance = self._centered(x, self.lie.values * (self.channels // self.groups))
        return self._scaled(variance)

    @quiet
    def backward(self, dy: Array) -> Array:
        """See `ChannelNorm`."""
        return self._back(dy, self.lie.values * (self.channels // self.groups))
