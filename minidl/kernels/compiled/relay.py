"""Requests to gather rows, which one thread writes into a box and another one reads there and does.

To wake a sleeping thread takes as long as to gather a short batch, and to run Python it would have to wait for the
interpreter. So the other thread looks for the next request in a compiled loop, for a while, and offers its core.
"""

import numpy as np
from numba import carray

from minidl.kernels.compiled.atomics import can_offer as can_offer
from minidl.kernels.compiled.atomics import offer_core, read, rows_at, words_at, write
from minidl.kernels.compiled.loops import loop
from minidl.kernels.compiled.rows import copy_rows

LINE = 8  # numbers in a line of the cache, which two threads had better not write into at the same time
ASKED, DONE, ASLEEP, REQUESTS = (LINE * place for place in range(4))  # two counts, a flag, and the requests
ROOM = 16  # for requests under way
REFUSED = -1  # the number of a request for which there is no room, or no such row


def new_box():
    """Nothing was asked for, and the other thread is asleep."""
    box = np.zeros(LINE * (3 + ROOM), np.int64)
    box[ASLEEP] = 1
    return box


@loop
def ask(box, address, count, rows, gathered, patience):
    """The number of the request gathered = array[rows], and whether to wake the other thread.

    The array begins at the address and has so many rows. The other thread then looks so many times for a request.
    """
    number = box[ASKED]
    for i in range(np.uint64(rows.size)):
        if not 0 <= rows[i] < count:
            return REFUSED, False
    if number - read(box, DONE) >= ROOM:
        return REFUSED, False
    request = box[REQUESTS + LINE * (number % ROOM) :]
    request[0], request[1], request[2] = address, rows.ctypes.data, gathered.ctypes.data
    request[3], request[4], request[5] = count, rows.size, gathered.shape[1] * gathered.itemsize // 4
    request[6] = patience
    write(box, ASKED, number + 1)
    asleep = read(box, ASLEEP) != 0
    if asleep:
        write(box, ASLEEP, 0)
    return number, asleep


@loop
def wait(box, number, patience):
    """Whether the request is done, looked for so many times."""
    for _ in range(np.uint64(patience)):
        if read(box, DONE) > number:
            return True
        offer_core()
    return read(box, DONE) > number


@loop
def serve(box, patience):
    """Do what is asked for, until nothing was for so many looks."""
    number, left = read(box, DONE), patience
    while True:
        if read(box, ASKED) > number:
            request = box[REQUESTS + LINE * (number % ROOM) :]
            count, size, width = np.uint64(request[3]), np.uint64(request[4]), np.uint64(request[5])
            array, gathered = carray(words_at(request[0]), (count, width)), carray(words_at(request[2]), (size, width))
            copy_rows(array, carray(rows_at(request[1]), (size,)), gathered)
            number, left = number + 1, request[6]
            write(box, DONE, number)
        elif left > 0:
            left -= 1
            offer_core()
        else:
            write(box, ASLEEP, 1)
            if read(box, ASKED) == number:
                return
            write(box, ASLEEP, 0)
