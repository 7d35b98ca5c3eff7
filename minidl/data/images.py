"""Rows that are images: mirrored, cropped and erased at random."""

from __future__ import annotations  # numpy.random is loaded when it is needed

import math
from dataclasses import KW_ONLY

import numpy as np

from minidl.arguments import check_integer, check_number
from minidl.frozen import frozen
from minidl.parameters import Array


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
    check_layout(image_shape, channels_last)
    images = rows_as_images(x, image_shape)
    mirrored = images[:, :, ::-1] if channels_last else images[..., ::-1]
    return mirrored.copy().reshape(x.shape)


@frozen
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
        check_layout(self.image_shape, self.channels_last)

    def __call__(self, x: Array, rng: np.random.Generator) -> Array:
        """A new array with some rows mirrored; `rng` gives one draw per row."""
        chosen = rng.random(len(x)) < self.probability
        y = np.array(x)
        y[chosen] = flip_horizontal(x[chosen], self.image_shape, channels_last=self.channels_last)
        return y


@frozen
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
        check_layout(self.image_shape, self.channels_last)
        check_integer("padding", self.padding, minimum=0)
        if self.padding >= min(_plane(self.image_shape, self.channels_last)):
            raise ValueError(
                f"expected padding below the height and width of the image, received padding={self.padding}, "
                f"image_shape={self.image_shape}: choose a smaller one"
            )

    def __call__(self, x: Array, rng: np.random.Generator) -> Array:
        """A new array of shifted images; `rng` gives two draws per row."""
        images = rows_as_images(x, self.image_shape)
        y = np.zeros_like(images)
        ahead = _ahead(self.image_shape, self.channels_last)
        height, width = _plane(self.image_shape, self.channels_last)
        shifts = rng.integers(-self.padding, self.padding + 1, (len(x), 2)).tolist()
        for image, shifted, (down, right) in zip(images, y, shifts, strict=True):
            (to_rows, from_rows), (to_columns, from_columns) = _shift(down, height), _shift(right, width)
            shifted[*ahead, to_rows, to_columns] = image[*ahead, from_rows, from_columns]
        return y.reshape(x.shape)


def _shift(by: int, size: int) -> tuple[slice, slice]:
    """Where pixels go to and where they come from."""
    return slice(max(0, by), size + min(0, by)), slice(max(0, -by), size - max(0, by))


@frozen
class RandomErasing:
    """(x, rng) -> x with a rectangle of each image set to 0, with the given probability: for training batches only.

    The rectangle has a share of the image's area that is uniform in `area`, a height / width whose logarithm is uniform
    in that of `aspect`, and lies anywhere within the image; a side that would be longer than the image is as long.
    0 is the mean, where pixels are standardized. Never writes into x.

    Zhong et al., Random erasing data augmentation, AAAI 2020, algorithm 1, which draws again where a side is too long,
    and fills in noise.

    Args:
        image_shape: (height, width), (channels, height, width), or with `channels_last` (height, width, channels).
        probability: in [0, 1].
        area: (least, most), in (0, 1].
        aspect: (least, most), > 0.
        channels_last: True where the colours of a pixel stand side by side.

    Raises:
        ValueError: a bad argument, or rows that do not have the image_shape.

    >>> erase = RandomErasing((2, 3), probability=1.0, area=(0.5, 0.5), aspect=(1.0, 1.0))
    >>> erase(np.array([[1, 2, 3, 4, 5, 6]]), np.random.default_rng(0)).tolist()
    [[1, 0, 0, 4, 0, 0]]
    """

    image_shape: tuple[int, ...]
    _: KW_ONLY
    probability: float = 0.5
    area: tuple[float, float] = (0.02, 0.4)
    aspect: tuple[float, float] = (0.3, 1 / 0.3)
    channels_last: bool = False

    def __post_init__(self) -> None:
        """Check the arguments before the first batch."""
        check_layout(self.image_shape, self.channels_last)
        check_number("probability", self.probability, minimum=0, maximum=1)
        _check_interval("area", self.area, most=1.0)
        _check_interval("aspect", self.aspect, most=math.inf)

    def __call__(self, x: Array, rng: np.random.Generator) -> Array:
        """A new array with rectangles of 0; `rng` gives five draws per row."""
        y = np.array(rows_as_images(x, self.image_shape))
        ahead = _ahead(self.image_shape, self.channels_last)
        height, width = _plane(self.image_shape, self.channels_last)
        chosen, share, shape, down, right = rng.random((5, len(x)))
        areas = (self.area[0] + share * (self.area[1] - self.area[0])) * height * width
        aspects = self.aspect[0] * (self.aspect[1] / self.aspect[0]) ** shape
        heights = np.clip(np.rint(np.sqrt(areas * aspects)), 1, height).astype(int)
        widths = np.clip(np.rint(np.sqrt(areas / aspects)), 1, width).astype(int)
        tops, lefts = (down * (height - heights + 1)).astype(int), (right * (width - widths + 1)).astype(int)
        for row in np.flatnonzero(chosen < self.probability).tolist():
            rows, columns = slice(tops[row], tops[row] + heights[row]), slice(lefts[row], lefts[row] + widths[row])
            y[row][*ahead, rows, columns] = 0
        return y.reshape(x.shape)


def rows_as_images(x: Array, image_shape: tuple[int, ...]) -> Array:
    """The rows as images."""
    if x.shape[1:] not in (image_shape, (math.prod(image_shape),)) or not x.ndim:
        raise ValueError(
            f"expected x of shape (n, {', '.join(map(str, image_shape))}) or (n, {math.prod(image_shape)}), "
            f"received x.shape={x.shape}"
        )
    return x.reshape(len(x), *image_shape)


def _plane(image_shape: tuple[int, ...], channels_last: bool) -> tuple[int, int]:
    height, width = image_shape[:2] if channels_last else image_shape[-2:]
    return height, width


def _ahead(image_shape: tuple[int, ...], channels_last: bool) -> tuple[slice, ...]:
    """The index of all that stands ahead of the rows of pixels of one image."""
    return (slice(None),) * (0 if channels_last else len(image_shape) - 2)


def _check_interval(name: str, interval: tuple[float, float], *, most: float) -> None:
    if not isinstance(interval, tuple) or len(interval) != 2:
        raise ValueError(f"expected {name} to be (least, most), received {name}={interval!r}")
    for value in interval:
        check_number(f"each entry of {name}", value, minimum=0, maximum=most)
    if not 0 < interval[0] <= interval[1]:
        raise ValueError(f"expected {name} to be (least, most) with 0 < least <= most, received {name}={interval!r}")


def check_layout(image_shape: tuple[int, ...], channels_last: bool) -> None:
    """Refuse a shape that is no image's."""
    ranks = (3,) if channels_last else (2, 3)
    if not isinstance(image_shape, tuple) or len(image_shape) not in ranks:
        wanted = "(height, width, channels)" if channels_last else "(height, width) or (channels, height, width)"
        raise ValueError(
            f"expected image_shape to be {wanted}, received image_shape={image_shape!r}, channels_last={channels_last}"
        )
    for size in image_shape:
        check_integer("each entry of image_shape", size, minimum=1)
