"""One seed, independent streams: initial values, the layers' own draws, data order, splits and augmentation.

Streams are told apart by name and never by the order of calls, so adding dropout moves no initial weight and
looking at the data does not change the model.
"""

from __future__ import annotations  # numpy.random is loaded when it is needed

from enum import IntEnum
from typing import Any

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


def position(rng: np.random.Generator) -> str:
    """Where a generator stands, as JSON: its state, and how many others it has spawned."""
    import json

    source: Any = rng.bit_generator
    return json.dumps({"state": _plain(source.state), "spawned": source.seed_seq.n_children_spawned})


def put_at(rng: np.random.Generator, position: str) -> np.random.Generator:
    """Put a generator where `position` found it, and return it; another of its seed if it has not spawned as many.

    >>> rng = generator(0, Stream.ORDER)
    >>> start, first = position(rng), rng.random()
    >>> put_at(rng, start).random() == first
    True
    """
    import json

    wanted, source = json.loads(position), rng.bit_generator
    seeds: Any = source.seed_seq
    if seeds.n_children_spawned != wanted["spawned"]:  # this count cannot be assigned
        same = np.random.SeedSequence(
            seeds.entropy, spawn_key=seeds.spawn_key, pool_size=seeds.pool_size, n_children_spawned=wanted["spawned"]
        )
        rng = np.random.Generator(type(source)(same))
    rng.bit_generator.state = wanted["state"]
    return rng


def _plain(value: Any) -> Any:
    """The same with lists in the place of arrays, for JSON."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
