import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.initializers import (
    blocks,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    normal,
    ones,
    orthogonal,
    uniform,
    zeros,
)
from minidl.parameters import Parameter
from minidl.store import Parameters

ALL = [zeros, ones, normal(0.1), uniform(-1, 1), glorot_uniform, glorot_normal, he_uniform, he_normal]
SCALED = [glorot_uniform, glorot_normal, he_uniform, he_normal]
SHAPE = (300, 500)
VECTOR = (100_000,)

# initializer, shape, mean and standard deviation it promises
MOMENTS = [
    (zeros, SHAPE, 0, 0),
    (ones, SHAPE, 1, 0),
    (normal(0.2), SHAPE, 0, 0.2),
    (normal(0.2, mean=-3), SHAPE, -3, 0.2),
    (normal(0, mean=2), SHAPE, 2, 0),
    (uniform(-1, 3), SHAPE, 1, 4 / math.sqrt(12)),
    (glorot_uniform, SHAPE, 0, math.sqrt(2 / 800)),
    (glorot_normal, SHAPE, 0, math.sqrt(2 / 800)),
    (he_uniform, SHAPE, 0, math.sqrt(2 / 300)),
    (he_normal, SHAPE, 0, math.sqrt(2 / 300)),
    (glorot_uniform, VECTOR, 0, math.sqrt(1 / 100_000)),
    (he_normal, VECTOR, 0, math.sqrt(2 / 100_000)),
]


@pytest.mark.parametrize(("init", "shape", "mean", "std"), MOMENTS)
def test_draws_have_the_promised_mean_and_standard_deviation(init, shape, mean, std):
    drawn = init(np.random.default_rng(0), shape)
    assert drawn.mean() == pytest.approx(mean, abs=5 * std / math.sqrt(drawn.size))
    assert drawn.std() == pytest.approx(std, rel=0.01)


@pytest.mark.parametrize(
    ("init", "bound"), [(uniform(-2, 2), 2), (glorot_uniform, math.sqrt(6 / 800)), (he_uniform, math.sqrt(6 / 300))]
)
def test_uniform_draws_fill_the_interval_and_stay_inside(init, bound):
    largest = abs(init(np.random.default_rng(0), SHAPE)).max()
    assert 0.999 * bound < largest <= bound


@pytest.mark.parametrize("init", ALL)
@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=2).map(tuple), seed=st.integers(0, 99))
def test_a_draw_is_a_float64_array_of_the_shape_that_depends_on_the_generator_only(init, shape, seed):
    first, second = (init(np.random.default_rng(seed), shape) for _ in range(2))
    assert first.shape == shape
    assert first.dtype == np.float64
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("init", ALL)
def test_a_float32_model_starts_from_the_rounded_numbers_of_the_float64_model(init):
    named = {"weight": Parameter((3, 4), init)}
    single, double = (Parameters(named, np.random.default_rng(0), dtype=d).value for d in (np.float32, np.float64))
    np.testing.assert_array_equal(single, double.astype(np.float32))


@pytest.mark.parametrize("init", ALL)
def test_pickling_keeps_the_initializer(init):
    copy = pickle.loads(pickle.dumps(init))
    assert copy == init
    np.testing.assert_array_equal(copy(np.random.default_rng(0), (2, 3)), init(np.random.default_rng(0), (2, 3)))


@pytest.mark.parametrize("init", [normal(0.5), normal(1, mean=2), uniform(-0.5, 1), orthogonal(), orthogonal(2.0)])
def test_the_repr_is_the_call_that_makes_it(init):
    assert eval(repr(init)) == init


@pytest.mark.parametrize("init", SCALED)
def test_a_single_number_has_no_fans(init):
    with pytest.raises(ValueError, match=r"expected a shape with at least one axis, received shape=\(\)"):
        init(np.random.default_rng(0), ())


@pytest.mark.parametrize("init", SCALED)
@pytest.mark.parametrize("field", [(1,), (7,), (5, 3)])
def test_axes_before_the_last_two_are_a_receptive_field(init, field):
    drawn, flat = (init(np.random.default_rng(0), shape) for shape in ((*field, 40, 50), (40, 50)))
    assert drawn.std() * math.sqrt(math.prod(field)) == pytest.approx(flat.std(), rel=0.1)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (2, 3, 4), (3, 3, 1, 4)])
@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_an_orthogonal_start_keeps_lengths_on_its_shorter_side(shape, gain):
    matrix = orthogonal(gain)(np.random.default_rng(0), shape).reshape(-1, shape[-1]) / gain
    rows, columns = matrix.shape
    square = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    np.testing.assert_allclose(square, np.eye(min(rows, columns)), atol=1e-12)


def test_orthogonal_matrices_are_drawn_without_a_preference():
    drawn = np.array([orthogonal()(np.random.default_rng(seed), (2, 2)) for seed in range(2000)])
    assert abs(drawn.mean(axis=0)).max() < 0.06
    assert np.mean(np.linalg.det(drawn) > 0) == pytest.approx(0.5, abs=0.05)


def test_an_orthogonal_start_needs_a_matrix():
    with pytest.raises(ValueError, match=r"two axes or more, received shape=\(3,\): use normal"):
        orthogonal()(np.random.default_rng(0), (3,))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: normal(-1), "std to be a finite number >= 0, received std=-1"),
        (lambda: normal(math.nan), "received std=nan"),
        (lambda: normal(1, mean=math.inf), "received mean=inf"),
        (lambda: uniform(1, 1), r"expected low < high, received low=1.0, high=1.0"),
        (lambda: uniform(2, 1), r"expected low < high"),
        (lambda: uniform(0, math.inf), "received high=inf"),
        (lambda: orthogonal(0), "received gain=0"),
    ],
)
def test_bad_arguments_are_refused_when_the_initializer_is_made(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_blocks_are_drawn_one_after_the_other_with_their_own_fans():
    joined = blocks(glorot_uniform, 3)(np.random.default_rng(0), (4, 6))
    rng = np.random.default_rng(0)
    each = [glorot_uniform(rng, (4, 2)) for _ in range(3)]
    np.testing.assert_array_equal(joined, np.concatenate(each, axis=1))
    assert repr(blocks(zeros, 3)) == "blocks(zeros, 3)"


def test_blocks_refuse_what_they_cannot_divide():
    with pytest.raises(ValueError, match=r"a last axis that 3 divides, received shape=\(4, 5\)"):
        blocks(zeros, 3)(np.random.default_rng(0), (4, 5))
    with pytest.raises(TypeError, match="expected init to be a function"):
        blocks("zeros", 3)
    with pytest.raises(ValueError, match="number to be an integer >= 1"):
        blocks(zeros, 0)
