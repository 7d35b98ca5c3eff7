"""Handwritten digits that come with minidl: no download, no waiting."""

import numpy as np

from minidl.data.dataset import Dataset


def digits() -> Dataset:
    """1797 handwritten digits of 8 x 8 pixels: x (1797, 64) uint8 with values 0..16, targets (1797,) int64.

    E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998,
    https://doi.org/10.24432/C50P49, CC BY 4.0 (its test part).

    >>> digits()
    Dataset(1797 rows x 64 uint8, 10 classes)
    """
    from importlib.resources import files

    with (
        files("minidl.data").joinpath("digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        images, labels = stored["images"], stored["labels"]
    return Dataset(
        images.reshape(len(images), -1),
        labels.astype(np.int64),
        classes=tuple("0123456789"),
        image_shape=images.shape[1:],
    )
