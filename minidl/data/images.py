"""What is done to images, or measured on them: mirroring, roughness."""

from __future__ import annotations  # numpy.random is loaded when it is needed

from dataclasses import KW_ONLY, dataclass
from math import prod

import numpy as np

from minidl.arguments import check_integer, check_number
from minidl.parameters import Array
from minidl.quiet import quiet


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
    images = _images(x, image_shape, channels_last)
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


@quiet
def roughness(x: Array, image_shape: tuple[int, ...], *, channels_last: bool = False) -> Array:
    """How rough each image is: sum of squared Laplacians / sum of squared deviations from its mean, (n,) float64.

    The Laplacian of a pixel is the sum of its four neighbours minus 4 times itself, inside the border. Smooth images
    have small numbers, independent pixels nearly 20, a chessboard up to 64. Neither a constant that is added nor a
    factor changes it, so templates of different strength compare: `roughness(model[0].weight.value.T, (3, 32, 32))`.
    Every colour has a mean of its own; both sums run over all colours. An image without any deviation has 0.

    Args:
        x: (n, *image_shape), or (n, pixels) with each row such an image flattened.
        image_shape: (height, width), (channels, height, width), or with `channels_last` (height, width, channels);
            at least 3 pixels high and wide.
        channels_last: True where the colours of a pixel stand side by side.

    Raises:
        ValueError: an impossible image_shape, fewer than 3 pixels either way, or rows that do not have it.

    >>> ramp, spike = [[1, 2, 3], [1, 2, 3], [1, 2, 3]], [[0, 0, 0], [0, 9, 0], [0, 0, 0]]
    >>> roughness(np.array([ramp, spike]), (3, 3))
    array([ 0., 18.])
    """
    images = _images(x, image_shape, channels_last)
    height, width = image_shape[:2] if channels_last else image_shape[-2:]
    if min(height, width) < 3:
        raise ValueError(f"expected images of at least 3 by 3 pixels, received image_shape={image_shape!r}")
    planes = np.moveaxis(images, -1, 1) if channels_last else images.reshape(len(x), -1, height, width)
    w = planes - planes.mean(axis=(2, 3), keepdims=True, dtype=np.float64)
    laplacian = w[..., :-2, 1:-1] + w[..., 2:, 1:-1] + w[..., 1:-1, :-2] + w[..., 1:-1, 2:] - 4 * w[..., 1:-1, 1:-1]
    bent, spread = np.square(laplacian).sum(axis=(1, 2, 3)), np.square(w).sum(axis=(1, 2, 3))
    rough: Array = np.divide(bent, spread, out=np.zeros(len(x)), where=spread > 0)
    return rough


def _images(x: Array, image_shape: tuple[int, ...], channels_last: bool) -> Array:
    """The rows of x as images, after the shape and they were found to fit."""
    _check_layout(image_shape, channels_last)
    if x.shape[1:] not in (image_shape, (prod(image_shape),)):
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
