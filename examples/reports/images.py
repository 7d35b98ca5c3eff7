"""The data sets of the reports, cut and scaled as each report says; a worker process keeps the newest one."""

from collections.abc import Callable
from functools import wraps

import numpy as np

from minidl import Dataset
from minidl.data import cifar10, mnist, standardize, subtract_mean_image

_kept: dict[object, tuple[Dataset, ...]] = {}


def keep_the_newest(load: Callable[..., tuple[Dataset, ...]]) -> Callable[..., tuple[Dataset, ...]]:
    """Of all the data sets of this module, one stays in memory at a time: the one that was asked for last."""

    @wraps(load)
    def loaded(*cut: int) -> tuple[Dataset, ...]:
        wanted = (load.__name__, *cut)
        if wanted not in _kept:
            _kept.clear()
            _kept[wanted] = load(*cut)
        return _kept[wanted]

    return loaded


@keep_the_newest
def cifar10_pixels(rows: int) -> tuple[Dataset, Dataset]:
    """Training images 0..rows-1 in file order and a fifth as many test images, pixels from 0 to 1."""
    train, test = cifar10()
    parts = train.take(slice(0, rows)), test.take(slice(0, rows // 5))
    return parts[0].map(from_0_to_1), parts[1].map(from_0_to_1)


@keep_the_newest
def cifar10_standardized(rows: int, held_out: int) -> tuple[Dataset, ...]:
    """The first `rows` images to train on, the next `held_out` to validate on, and at most 10 000 test images.

    Per pixel minus the mean and divided by the deviation of the training set. (10 000, 10 000) are the first two of the
    five files; (49 000, 1 000) are all of them.
    """
    images, test = cifar10()
    train, validation = images.take(slice(0, rows)), images.take(slice(rows, rows + held_out))
    return standardize(train, validation, test.take(slice(0, min(rows, 10_000))))


@keep_the_newest
def cifar10_centred(rows: int, held_out: int) -> tuple[Dataset, ...]:
    """The first `rows` images to train on, the last `held_out` of all to validate on, the first `held_out` to test on.

    Pixels from 0 to 255, minus the mean image of the training set.
    """
    images, test = cifar10()
    train, validation = images.take(slice(0, rows)), images.take(slice(len(images) - held_out, None))
    return subtract_mean_image(train, validation, test.take(slice(0, held_out)))


@keep_the_newest
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


def cropped(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every image (n, 3072) replaced by a random square of it, 24 to 32 pixels wide, stretched to the nearest pixel."""
    side = rng.integers(24, 33, len(x))
    top, left = rng.integers(0, 33 - side, (2, len(x)))
    step = np.arange(32) * side[:, None] // 32
    places = ((top[:, None] + step) * 32)[:, :, None] + (left[:, None] + step)[:, None, :]
    chosen = np.take_along_axis(x.reshape(-1, 3, 1024), places.reshape(len(x), 1, 1024), axis=2)
    return chosen.reshape(x.shape)


FIRST = {  # the labels that training files begin with
    "published": [6, 9, 9, 4, 1, 1, 2, 7, 8, 3],  # frog, two trucks, a deer, ...
    "recompressed": [3, 7, 9, 3, 8, 6, 3, 5, 5, 6],  # those of the published page
}


def files_of(train: Dataset) -> str:
    """Which CIFAR-10 this is, by the labels it begins with: "published", "recompressed", or "unknown"."""
    first = train.targets[:10].tolist()
    return next((name for name, labels in FIRST.items() if first == labels), "unknown")
