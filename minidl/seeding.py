"""One seed, independent streams: initial values, the layers' own draws, data order, splits and augmentation.

Streams are told apart by name and never by the order of calls, so adding dropout moves no initial weight and
looking at the data does not change the model.
"""

from __future__ import annotations  # numpy.random is loaded when it is needed

from enum import IntEnum
from typing import Any

import numpy as np

from minidl.arguments import check_integer

KINDS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")  # of bit generators that numpy has


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


def position(rng: np.random.Generator | np.random.RandomState) -> str:
    """Where a generator stands, as JSON: its kind and state, its seed, and how many others it has spawned."""
    import json

    if isinstance(rng, np.random.RandomState):
        return json.dumps({"state": _plain(rng.get_state(legacy=False))})
    source, seeds = rng.bit_generator, _seeds(rng)
    return json.dumps({"state": _plain(source.state), "seeds": _plain(seeds)})


def put_at(rng: Any, position: str) -> Any:
    """Put a generator where `position` found one, and return it; another where it is of another kind or seed, or None.

    >>> rng = generator(0, Stream.ORDER)
    >>> start, first = position(rng), rng.random()
    >>> put_at(rng, start).random() == first
    True
    """
    import json

    wanted = json.loads(position)
    if "seeds" not in wanted:
        rng = rng if isinstance(rng, np.random.RandomState) else np.random.RandomState()
        rng.set_state(_like(rng.get_state(legacy=False), wanted["state"]))
        return rng
    kind = wanted["state"]["bit_generator"]
    known = (type(rng.bit_generator).__name__, _plain(_seeds(rng))) if isinstance(rng, np.random.Generator) else None
    if known != (kind, wanted["seeds"]):
        if kind not in KINDS:
            raise ValueError(f"expected one of the generators {KINDS}, received {kind!r}")
        rng = np.random.Generator(getattr(np.random, kind)(np.random.SeedSequence(**wanted["seeds"])))
    rng.bit_generator.state = _like(rng.bit_generator.state, wanted["state"])
    return rng


def _seeds(rng: np.random.Generator) -> dict[str, Any]:
    """What the generators that it spawns depend on; this cannot be assigned."""
    source: Any = rng.bit_generator.seed_seq
    names = ("entropy", "spawn_key", "n_children_spawned")
    return {name: getattr(source, name) for name in names if hasattr(source, name)}


def _plain(value: Any) -> Any:
    """The same with lists in the place of arrays and tuples, for JSON."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _like(known: Any, value: Any) -> Any:
    """The same with arrays where `known` has them."""
    if isinstance(known, dict):
        return {name: _like(item, value[name]) for name, item in known.items()}
    return np.array(value, known.dtype) if isinstance(known, np.ndarray) else value
