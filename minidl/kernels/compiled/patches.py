"""Compiled patches of images: a row of a window is one run of numbers, if those of a pixel lie together."""

import numpy as np

from minidl.kernels import patches
from minidl.kernels.compiled.loops import loop

EIGHT = 8  # numbers that a processor moves at once


def patch_matrix(x, rows, columns, ones, memory):
    n, height, width, channels = x.shape
    short = columns.size * channels <= 2 * EIGHT
    if not x.size or (not short and channels > 1 and x.strides[2] == x.itemsize):  # pixels lie together: as fast
        return patches.patch_matrix.plain(x, rows, columns, ones, memory)
    count, length = n * rows.count * columns.count, rows.size * columns.size * channels + ones
    numbers = memory.numbers(count * length + EIGHT, x.dtype)
    down, across = (rows.size, rows.stride, rows.count), (columns.size, columns.stride, columns.count)
    if short:
        area = _padded(x, rows, columns)
        _short_runs(numbers, area, n, rows.length, columns.length, channels, *down, *across, ones)
    else:
        image, begins = np.ascontiguousarray(x).reshape(-1), (rows.before, columns.before)
        _long_runs(numbers, image, n, height, width, channels, *down, *across, *begins, ones)
    return numbers[: count * length].reshape(count, length)


def _padded(x, rows, columns):
    """The area that windows cover as one vector, with the channels of a pixel together and a few numbers more."""
    n, height, width, channels = x.shape
    (to_rows, of_rows), (to_columns, of_columns) = rows.inside(height), columns.inside(width)
    area = np.zeros(n * rows.length * columns.length * channels + EIGHT, x.dtype)
    images = area[:-EIGHT].reshape(n, rows.length, columns.length, channels)
    down = to_rows.start, of_rows.start, of_rows.stop - of_rows.start
    across = to_columns.start, of_columns.start, of_columns.stop - of_columns.start
    _turn(images, np.ascontiguousarray(x.transpose(0, 3, 1, 2)), *down, *across)
    return area


@loop
def _turn(images, x, row, of_row, rows, column, of_column, columns):
    for i in range(np.uint64(x.shape[0])):
        for c in range(np.uint64(x.shape[1])):
            for h in range(rows):
                to, of = images[i, row + h], x[i, c, of_row + h]
                for w in range(columns):
                    to[np.uint64(column + w), c] = of[np.uint64(of_column + w)]


@loop
def _short_runs(numbers, x, n, height, width, channels, tall, down, lines, wide, across, places, ones):
    """The first eight numbers and the last eight; what are too many is written over by the next run."""
    run, line, step = np.uint64(wide * channels), np.uint64(width * channels), np.uint64(across * channels)
    p, rest = np.uint64(0), np.uint64(max(wide * channels - EIGHT, 0))
    for image in range(n):
        for i in range(lines):
            first = np.uint64((image * height + i * down) * width * channels)
            for _ in range(np.uint64(places)):
                q = first
                for _ in range(np.uint64(tall)):
                    _eight(numbers, p, x, q)
                    if rest:
                        _eight(numbers, p + rest, x, q + rest)
                    p += run
                    q += line
                for _ in range(np.uint64(ones)):
                    numbers[p] = 1
                    p += np.uint64(1)
                first += step


@loop
def _eight(y, i, x, k):
    one, two, four = np.uint64(1), np.uint64(2), np.uint64(4)
    a0, a1, a2, a3 = x[k], x[k + one], x[k + two], x[k + two + one]
    k += four
    a4, a5, a6, a7 = x[k], x[k + one], x[k + two], x[k + two + one]
    y[i], y[i + one], y[i + two], y[i + two + one] = a0, a1, a2, a3
    i += four
    y[i], y[i + one], y[i + two], y[i + two + one] = a4, a5, a6, a7


@loop
def _long_runs(numbers, x, n, height, width, channels, tall, down, lines, wide, across, places, above, left, ones):
    run, line, place = wide * channels, width * channels, 0
    for image in range(n):
        for i in range(lines):
            top = i * down - above
            first, last = max(-top, 0), min(height - top, tall)  # the rows of the window that lie inside
            for j in range(places):
                begin = j * across - left
                lead, end = max(-begin, 0), min(width - begin, wide)
                after = place + tall * run
                if last - first < tall or end - lead < wide:
                    for k in range(np.uint64(place), np.uint64(after)):
                        numbers[k] = 0
                size = np.uint64(max(end - lead, 0) * channels)
                target = np.uint64(place + first * run + lead * channels)
                source = np.uint64((image * height + top + first) * line + (begin + lead) * channels)
                for _ in range(np.uint64(max(last - first, 0))):
                    for k in range(size):
                        numbers[target + k] = x[source + k]
                    target += np.uint64(run)
                    source += np.uint64(line)
                place = after + ones
                for k in range(np.uint64(after), np.uint64(place)):
                    numbers[k] = 1
