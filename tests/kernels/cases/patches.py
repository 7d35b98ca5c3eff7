"""Patches of images, in all orders in memory and with windows that reach beyond the borders."""

from minidl.kernels.patches import Memory
from minidl.kernels.spans import Span
from tests.kernels.cases.case import Case


class New(Memory):
    """Memory of its own for each matrix, so that two forms do not write over each other's."""

    def numbers(self, size, dtype):
        self._kept = None
        return super().numbers(size, dtype)


def images(height, width, channels, rows, columns, ones=1, channels_first=False):
    def make(rng, dtype, n):
        shape = (n, channels, height, width) if channels_first else (n, height, width, channels)
        x = rng.standard_normal(shape).astype(dtype)
        return x.transpose(0, 2, 3, 1) if channels_first else x, Span(*rows), Span(*columns), ones, New()

    return make


SIZES = (0, 1, 2, 9)
CASES = [
    Case("patch_matrix", images(6, 7, 16, (3, 1, 1, 6), (3, 1, 1, 7)), 0, sizes=SIZES, label="of many channels"),
    Case("patch_matrix", images(6, 7, 16, (3, 2, 2, 4), (2, 3, 1, 3)), 0, sizes=SIZES, label="with strides"),
    Case("patch_matrix", images(5, 6, 20, (3, 1, -1, 2), (2, 1, -2, 2), 0), 0, sizes=SIZES, label="that begin inside"),
    Case("patch_matrix", images(3, 2, 9, (7, 1, 3, 4), (9, 1, 4, 2), 2), 0, sizes=SIZES, label="larger than images"),
    Case("patch_matrix", images(6, 8, 1, (5, 1, 0, 2), (8, 4, 0, 1), 1, True), 0, sizes=SIZES, label="of one channel"),
    Case("patch_matrix", images(6, 8, 1, (2, 2, 1, 4), (3, 3, 1, 3), 0), 0, sizes=SIZES, label="of one padded channel"),
    Case("patch_matrix", images(9, 8, 3, (5, 1, 2, 9), (5, 1, 2, 8), 1, True), 0, sizes=SIZES, label="of colours"),
    Case("patch_matrix", images(4, 5, 3, (2, 1, -1, 2), (2, 2, 0, 2), 3), 0, sizes=SIZES, label="of colours together"),
    Case("patch_matrix", images(5, 8, 7, (3, 1, 1, 5), (3, 1, 1, 8), 1, True), 0, sizes=SIZES, label="channels first"),
    Case("patch_matrix", images(2, 3, 2, (1, 1, 3, 3), (1, 1, 4, 5), 1), 0, sizes=SIZES, label="beside the image"),
    Case("patch_matrix", images(0, 3, 2, (2, 1, 1, 1), (1, 1, 0, 3), 1), 0, sizes=SIZES, label="without pixels"),
]
