"""Datasets, batches and transforms."""

from minidl.data.batching import batches, order, steps_per_epoch
from minidl.data.cifar import cifar10
from minidl.data.dataset import Dataset
from minidl.data.embedded import digits
from minidl.data.idx import mnist
from minidl.data.images import RandomCrop, RandomErasing, RandomFlip, flip_horizontal
from minidl.data.joining import join
from minidl.data.roughness import roughness
from minidl.data.transforms import (
    Standardizer,
    one_hot,
    standardize,
    standardize_scalar,
    subtract_mean_image,
)
from minidl.storage import DataError

__all__ = [
    "DataError",
    "Dataset",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "Standardizer",
    "batches",
    "cifar10",
    "digits",
    "flip_horizontal",
    "join",
    "mnist",
    "one_hot",
    "order",
    "roughness",
    "standardize",
    "standardize_scalar",
    "steps_per_epoch",
    "subtract_mean_image",
]
