"""Rows that are images: mirrored, cropped at random, and how rough they are."""

from __future__ import annotations  # numpy.random is loaded when it is needed

from dataclasses import KW_ONLY, dataclass
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import check_integer, check_number
from minidl.parameters import Array

ROUNDINGS = 8  # of the mean of an image, up to which a deviation is that of a constant


def flip_horizontal(x: Array, image_shape: tuple[int, ...], *, channels_last: bool = False) -> Array:
    """Every image of `x` mirrored left to right, as a new array of the same shape and dtype.

    Args:
        x: (n, *image_shape), or (n, pixels) with each row such an image flattened.
        image_shape: (height, width), (channels, height, width), or with `channels_last` (height, width, channels).
        channels_last: True where the colours of a pixel stand side by side.

    Raises:
        ValueError: an impossible image_shape, or rows that do not have it.

    >>> flip_horizontal(np.array([[1, 2, 3, 4, 5, 6]]), (2, 3))
    array([[3, 2, 1, 6, 5, 4]])
    """
    _check_layout(image_shape, channels_last)
    images = _images(x, image_shape)
    mirrored = images[:, :, ::-1] if channels_last else images[..., ::-1]
    return mirrored.copy().reshape(x.shape)


@dataclass(frozen=True)
class RandomFlip:
    """(x, rng) -> x with each image mirrored with the given probability: augmentation for training batches only.

    Never writes into x. See `flip_horizontal` for the shapes. Krizhevsky et al., ImageNet classification with deep
    convolutional neural networks, 2012, section 4.1.

    Raises:
        ValueError: a probability outside [0, 1], an impossible image_shape, or rows that do not have it.

    >>> RandomFlip((1, 3), probability=1.0)(np.array([[1, 2, 3]]), np.random.default_rng(0))
    array([[3, 2, 1]])
    """

    image_shape: tuple[int, ...]
    _: KW_ONLY
    probability: float = 0.5
    channels_last: bool = False

    def __post_init__(self) -> None:
        """Check the arguments before the first batch."""
        check_number("probability", self.probability, minimum=0, maximum=1)
        _check_layout(self.image_shape, self.channels_last)

    def __call__(self, x: Array, rng: np.random.Generator) -> Array:
        """A new array with some rows mirrored; `rng` gives one draw per row."""
        chosen = rng.random(len(x)) < self.probability
        y = np.array(x)
        y[chosen] = flip_horizontal(x[chosen], self.image_shape, channels_last=self.channels_last)
        return y


@dataclass(frozen=True)
class RandomCrop:
    """(x, rng) -> x with each image padded with zeros on all sides, and a window of its own size cut out at random.

    So each image is shifted by up to `padding` pixels down or up and by as many right or left, and what comes in from
    outside is 0: the mean, where pixels are standardized. Augmentation for training batches only; never writes into x.
    He et al., Deep residual learning for image recognition, 2016, section 4.2.

    Args:
        image_shape: (height, width), (channels, height, width), or with `channels_last` (height, width, channels).
        padding: in pixels, smaller than the image.
        channels_last: True where the colours of a pixel stand side by side.

    Raises:
        ValueError: a padding that leaves nothing of an image, an impossible image_shape, or rows that do not have it.

    >>> x = np.array([[1, 2, 3, 4]])
    >>> [RandomCrop((2, 2), padding=1)(x, np.random.default_rng(seed)).tolist() for seed in (0, 9)]
    [[[0, 0, 1, 2]], [[0, 1, 0, 3]]]
    """

    image_shape: tuple[int, ...]
    padding: int
    _: KW_ONLY
    channels_last: bool = False

    def __post_init__(self) -> None:
        """Check the arguments before the first batch."""
        _check_layout(self.image_shape, self.channels_last)
        check_integer("padding", self.padding, minimum=0)
        if self.padding >= min(self._height_and_width):
            raise ValueError(
                f"expected padding below the height and width of the image, received padding={self.padding}, "
                f"image_shape={self.image_shape}: choose a smaller one"
            )

    @property
    def _height_and_width(self) -> tuple[int, int]:
        height, width = self.image_shape[:2] if self.channels_last else self.image_shape[-2:]
        return height, width

    def __call__(self, x: Array, rng: np.random.Generator) -> Array:
        """A new array of shifted images; `rng` gives two draws per row."""
        images = _images(x, self.image_shape)
        y = np.zeros_like(images)
        ahead = (slice(None),) * (0 if self.channels_last else len(self.image_shape) - 2)
        height, width = self._height_and_width
        shifts = rng.integers(-self.padding, self.padding + 1, (len(x), 2)).tolist()
        for image, shifted, (down, right) in zip(images, y, shifts, strict=True):
            (to_rows, from_rows), (to_columns, from_columns) = _shift(down, height), _shift(right, width)
            shifted[*ahead, to_rows, to_columns] = image[*ahead, from_rows, from_columns]
        return y.reshape(x.shape)


def _shift(by: int, size: int) -> tuple[slice, slice]:
    """Where pixels go to and where they come from."""
    return slice(max(0, by), size + min(0, by)), slice(max(0, -by), size - max(0, by))


def roughness(images: ArrayLike, image_shape: tuple[int, ...]) -> Array:
    """How rough each image is, (n,): sum (Laplacian)^2 / sum (x - mean)^2.

    The Laplacian is that of four neighbours, x[i-1, j] + x[i+1, j] + x[i, j-1] + x[i, j+1] - 4 x[i, j], at every pixel
    that has four; the mean is that of each channel of the image. Near 0 where neighbours are alike, about 20 for
    independent noise on large images, at most 64; neither a factor nor a constant changes it. An image whose channels
    are constant is not rough: 0.

    Args:
        images: (n, *image_shape) or (n, pixels) real numbers. The templates of a `Linear` are the columns of its
            weights: `roughness(layer.weight.value.T, (3, 32, 32))`.
        image_shape: (height, width) or (channels, height, width), with height and width of at least 3.

    Raises:
        ValueError: an image_shape without inner pixels, images that do not have it, or numbers that are not finite.

    >>> slope, noise = np.arange(25.0), np.array([1.0, -1.0] * 12 + [1.0])
    >>> roughness([slope, noise], (5, 5)).round(1).tolist()
    [0.0, 23.1]
    """
    _check_layout(image_shape, channels_last=False)
    if min(image_shape[-2:]) < 3:
        raise ValueError(
            f"expected images of at least 3 by 3 pixels, received image_shape={image_shape}: no pixel has "
            f"four neighbours"
        )
    x = _images(np.asarray(images, np.float64), image_shape)
    if not np.isfinite(x).all():
        raise ValueError(
            f"expected finite numbers, received {int((~np.isfinite(x)).sum())} that are not: has the run diverged?"
        )
    own = tuple(range(1, x.ndim))
    largest = np.abs(x).max(axis=own, keepdims=True, initial=0)
    x = x / np.where(largest > 0, largest, 1)  # squares of numbers of any scale are numbers
    d = x - x.mean(axis=(-2, -1), keepdims=True)
    inner = d[..., 1:-1, 1:-1]
    laplacian = d[..., :-2, 1:-1] + d[..., 2:, 1:-1] + d[..., 1:-1, :-2] + d[..., 1:-1, 2:] - 4 * inner
    constant = (np.abs(d) <= ROUNDINGS * np.finfo(np.float64).eps).all(axis=own)
    whole = np.where(constant, 1.0, np.square(d).sum(axis=own))
    return np.where(constant, 0.0, np.square(laplacian).sum(axis=own) / whole)


def _images(x: Array, image_shape: tuple[int, ...]) -> Array:
    """The rows as images."""
    if x.shape[1:] not in (image_shape, (prod(image_shape),)) or not x.ndim:
        raise ValueError(
            f"expected x of shape (n, {', '.join(map(str, image_shape))}) or (n, {prod(image_shape)}), "
            f"received x.shape={x.shape}"
        )
    return x.reshape(len(x), *image_shape)


def _check_layout(image_shape: tuple[int, ...], channels_last: bool) -> None:
    ranks = (3,) if channels_last else (2, 3)
    if not isinstance(image_shape, tuple) or len(image_shape) not in ranks:
        wanted = "(height, width, channels)" if channels_last else "(height, width) or (channels, height, width)"
        raise ValueError(
            f"expected image_shape to be {wanted}, received image_shape={image_shape!r}, channels_last={channels_last}"
        )
    for size in image_shape:
        check_integer("each entry of image_shape", size, minimum=1)
