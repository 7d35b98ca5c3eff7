import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.seeding import Stream, generator

seeds, streams = st.integers(0, 2**70), st.sampled_from(Stream)
positions = st.lists(st.integers(0, 2**32 - 1), max_size=3)


def draws(*key):
    return generator(*key).integers(0, 2**63, 8).tolist()


@given(seeds, streams, positions)
def test_a_generator_is_a_pure_function_of_seed_stream_and_position(seed, stream, position):
    assert draws(seed, stream, *position) == draws(seed, stream, *position)


@given(st.lists(st.tuples(seeds, streams, positions.map(tuple)), min_size=2, max_size=5, unique=True))
def test_different_seeds_streams_and_positions_give_different_draws(keys):
    drawn = [tuple(draws(seed, stream, *position)) for seed, stream, position in keys]
    assert len(set(drawn)) == len(keys)


def test_the_numbers_of_the_streams_are_part_of_every_seed_and_stay():
    assert {stream.name: int(stream) for stream in Stream} == {
        "INITIAL_VALUES": 0,
        "LAYER": 1,
        "ORDER": 2,
        "SPLIT": 3,
        "AUGMENTATION": 4,
    }


def test_the_bits_are_those_of_earlier_versions():
    assert generator(0, Stream.ORDER, 3).integers(0, 100, 6).tolist() == [94, 85, 95, 99, 39, 1]


@pytest.mark.parametrize("seed", [-1, 1.0, None, True, "0", np.float64(3), np.nan])
def test_a_seed_that_is_no_natural_number_is_refused(seed):
    with pytest.raises(ValueError, match="expected seed to be an integer >= 0, received seed="):
        generator(seed, Stream.ORDER)


def test_a_numpy_integer_is_the_same_seed():
    assert draws(np.uint8(7), Stream.LAYER) == draws(7, Stream.LAYER)
