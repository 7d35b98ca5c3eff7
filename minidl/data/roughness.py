"""How rough images are, such as the templates of a linear classifier."""

import numpy as np
from numpy.typing import ArrayLike

from minidl.data.images import check_layout, rows_as_images
from minidl.parameters import Array

ROUNDINGS = 8  # of the mean of an image, up to which a deviation is that of a constant


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
    check_layout(image_shape, channels_last=False)
    if min(image_shape[-2:]) < 3:
        raise ValueError(
            f"expected images of at least 3 by 3 pixels, received image_shape={image_shape}: no pixel has "
            f"four neighbours"
        )
    x = rows_as_images(np.asarray(images, np.float64), image_shape)
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
