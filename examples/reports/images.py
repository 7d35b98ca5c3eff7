"""The data sets of the reports, cut and scaled as each report says; a worker process reads each of them once."""

from functools import lru_cache

import numpy as np

from minidl import Dataset
from minidl.data import cifar10, mnist, standardize, subtract_mean_image


@lru_cache(maxsize=1)
def cifar10_pixels(rows: int) -> tuple[Dataset, Dataset]:
    """Training images 0..rows-1 in file order and a fifth as many test images, pixels from 0 to 1."""
    train, test = cifar10()
    parts = train.take(slice(0, rows)), test.take(slice(0, rows // 5))
    return parts[0].map(from_0_to_1), parts[1].map(from_0_to_1)


@lru_cache(maxsize=1)
def cifar10_standardized(rows: int, held_out: int) -> tuple[Dataset, Dataset, Dataset]:
    """The first `rows` images to train on, the next `held_out` to validate on, and as many test images, standardized.

    10 000 and 10 000 are the first two of the five files; 49 000 and 1 000 are all of them.
    """
    images, test = cifar10()
    train, validation = images.take(slice(0, rows)), images.take(slice(rows, rows + held_out))
    return standardize(train, validation, test.take(slice(0, max(held_out, min(rows, 10_000)))))


@lru_cache(maxsize=1)
def cifar10_centred(rows: int, held_out: int) -> tuple[Dataset, Dataset, Dataset]:
    """The first `rows` images to train on, the last `held_out` of all to validate on, the first `held_out` to test on.

    Pixels from 0 to 255, minus the mean image of the training set.
    """
    images, test = cifar10()
    train, validation = images.take(slice(0, rows)), images.take(slice(len(images) - held_out, None))
    return subtract_mean_image(train, validation, test.take(slice(0, held_out)))


@lru_cache(maxsize=1)
def mnist_signed(rows: int, held_out: int) -> tuple[Dataset, Dataset]:
    """The first `rows` training images, and the first `held_out` test images to validate on; pixels from -1 to 1.

    float64, because the numbers of the report are reproduced to their last digit.
    """
    train, test = mnist()
    parts = train.take(slice(0, rows)), test.take(slice(0, held_out))
    return parts[0].map(from_minus_1_to_1), parts[1].map(from_minus_1_to_1)


def from_0_to_1(pixels: np.ndarray) -> np.ndarray:
    """Bytes as numbers from 0 to 1, float32."""
    return pixels / np.float32(255)


def from_minus_1_to_1(pixels: np.ndarray) -> np.ndarray:
    """Bytes as numbers from -1 to 1, float64."""
    return pixels / 255 * 2 - 1
