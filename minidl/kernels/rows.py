"""Gathering rows: the batches of a training set. Both forms copy the same bits."""

from minidl.kernels.forms import Kernel
from minidl.parameters import Array


@Kernel
def gather(array: Array, rows: Array) -> Array:
    """array[rows], for whole row numbers from 0 on and an array (n, ...) in C order and native byte order."""
    gathered: Array = array.take(rows, axis=0)
    return gathered
