"""One seed, independent streams: initial values, the layers' own draws, data order, splits and augmentation.

Streams are told apart by name and never by the order of calls, so adding dropout moves no initial weight and
looking at the data does not change the model.
"""

from __future__ import annotations  # numpy.random is loaded when it is needed

from enum import IntEnum

import numpy as np

from minidl.arguments import check_integer


class Stream(IntEnum):
    """What a random stream is for; the number enters the seed and must never change."""

    INITIAL_VALUES = 0
    LAYER = 1
    ORDER = 2
    SPLIT = 3
    AUGMENTATION = 4


def generator(seed: int, stream: Stream, *position: int) -> np.random.Generator:
    """The generator that is a pure function of (seed, stream, position), e.g. position = epoch.

    >>> a = generator(0, Stream.ORDER, 3)
    >>> b = generator(0, Stream.ORDER, 3)
    >>> bool((a.permutation(5) == b.permutation(5)).all())
    True
    """
    seed = check_integer("seed", seed, minimum=0)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(stream), *position)))
