"""Requests to gather rows, which one thread writes into a box and another one reads there and does.

To wake a sleeping thread takes as long as to gather a short batch, and to run Python it would have to wait for the
interpreter. So the other thread looks for the next request in a compiled loop, for a while, and offers its core.
"""

import numpy as np
from numba import carray

from minidl.kernels.compiled.atomics import offer_core, read, rows_at, words_at, write
from minidl.kernels.compiled.loops import loop
from minidl.kernels.compiled.rows import all_there, copy_rows

LINE = 8  # numbers in a line of the cache, which two threads had better not write into at the same time
ASKED, DONE, ASLEEP, REQUESTS = (LINE * place for place in range(4))  # two counts, a flag, and the requests
ROOM = 16  # for requests under way


def new_box():
    """Nothing was asked for, and the other thread is asleep."""
    box = np.zeros(LINE * (3 + ROOM), np.int64)
    box[ASLEEP] = 1
    return box


def try_out():
    """Compile the three loops below, by a request of one row."""
    box, row, words, copied = new_box(), np.zeros(1, np.int64), np.zeros(1, np.uint32), np.zeros(1, np.uint32)
    ask(box, words.ctypes.data, 1, row, copied)  # all of them have names: they are used until `serve` returns
    serve(box, 0)
    wait(box, 0, 1)


@loop
def ask(box, address, count, rows, gathered):
    """Request gathered = array[rows]; returns whether it will be done, and whether to wake the other thread.

    The array begins at the address and has so many rows.
    """
    number = box[ASKED]
    if number - read(box, DONE) >= ROOM or not all_there(rows, count):
        return False, False
    request = box[REQUESTS + LINE * (number % ROOM) :]  # as `serve` reads it
    request[0], request[1], request[2] = address, rows.ctypes.data, gathered.ctypes.data
    request[3], request[4], request[5] = count, rows.size, gathered.size // rows.size
    write(box, ASKED, number + 1)
    asleep = read(box, ASLEEP) != 0
    if asleep:
        write(box, ASLEEP, 0)
    return True, asleep


@loop
def wait(box, number, looks):
    """Whether the request is done, looked for so many times."""
    for _ in range(np.uint64(looks)):
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
            number, left = number + 1, patience
            write(box, DONE, number)
        elif left > 0:
            left -= 1
            offer_core()
        else:
            write(box, ASLEEP, 1)
            if read(box, ASKED) == number:
                return
            write(box, ASLEEP, 0)
