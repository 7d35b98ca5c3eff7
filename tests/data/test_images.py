"""Mirrored images, and how rough they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minidl.data import RandomFlip, flip_horizontal, roughness

images = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=4, max_dims=4, max_side=4))  # (n, channels, height, width)
pictures = hnp.arrays(
    np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(3, 5), st.integers(3, 5))
)  # large enough to be rough


@given(images)
def test_flipping_twice_is_the_identity(x):
    shape = x.shape[1:]
    once = flip_horizontal(x, shape)
    assert not np.shares_memory(once, x)
    np.testing.assert_array_equal(once, x[..., ::-1])
    np.testing.assert_array_equal(flip_horizontal(once, shape), x)


@given(images)
def test_all_layouts_flip_alike(x):
    n, _, *plane = x.shape
    mirrored = flip_horizontal(x, x.shape[1:])
    last, last_mirrored = (np.moveaxis(array, 1, -1) for array in (x, mirrored))
    for given_x, wanted, shape, channels_last in [
        (x[:, 0], mirrored[:, 0], tuple(plane), False),
        (x, mirrored, x.shape[1:], False),
        (last, last_mirrored, last.shape[1:], True),
    ]:
        found = flip_horizontal(given_x, shape, channels_last=channels_last)
        flat = flip_horizontal(given_x.reshape(n, -1), shape, channels_last=channels_last)
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(flat, wanted.reshape(n, -1))
        assert found.dtype == flat.dtype == x.dtype


@given(images, st.floats(0, 1), st.integers(0, 100), st.booleans())
def test_a_random_flip_mirrors_some_rows_and_leaves_x_alone(x, probability, seed, flat):
    flip = RandomFlip(x.shape[1:], probability=probability)
    rows = x.reshape(len(x), -1) if flat else x
    before = rows.copy()
    y = flip(rows, np.random.default_rng(seed))
    np.testing.assert_array_equal(rows, before)
    assert y.dtype == rows.dtype
    assert not np.shares_memory(y, rows)
    mirrored = flip_horizontal(rows, x.shape[1:])
    for row, original, mirror in zip(y, rows, mirrored, strict=True):
        assert (row == original).all() or (row == mirror).all()
        assert probability > 0 or (row == original).all()
        assert probability < 1 or (row == mirror).all()


def test_a_random_flip_is_a_function_of_the_generator_and_its_probability_is_kept():
    x = np.tile(np.array([[0, 1]]), (4000, 1))
    flip = RandomFlip((1, 2), probability=0.25)
    y = flip(x, np.random.default_rng(0))
    np.testing.assert_array_equal(y, flip(x, np.random.default_rng(0)))
    assert 900 < y[:, 0].sum() < 1100


@pytest.mark.parametrize(
    ("shape", "channels_last"), [((4,), False), ((1, 2, 2, 1), False), ((2, 2), True), ([2, 2], False), ((0, 4), False)]
)
def test_impossible_image_shapes_are_refused(shape, channels_last):
    for flip in (flip_horizontal, roughness, lambda x, *args, **kwargs: RandomFlip(*args, **kwargs)):
        with pytest.raises(ValueError, match="image_shape"):
            flip(np.zeros((1, 4)), shape, channels_last=channels_last)


def test_rows_that_are_no_such_images_are_refused():
    with pytest.raises(ValueError, match=r"received x.shape=\(1, 5\)"):
        flip_horizontal(np.zeros((1, 5)), (2, 2))
    with pytest.raises(ValueError, match=r"received x.shape=\(1, 10\)"):
        roughness(np.zeros((1, 10)), (3, 3))
    with pytest.raises(ValueError, match=r"at least 3 by 3 pixels, received image_shape=\(3, 2, 9\)"):
        roughness(np.zeros((1, 54)), (3, 2, 9))
    with pytest.raises(ValueError, match="probability"):
        RandomFlip((2, 2), probability=1.5)


@given(pictures)
def test_roughness_is_the_sum_of_squared_laplacians_over_that_of_squared_deviations(x):
    found = roughness(x, x.shape[1:])
    for image, measured in zip(x.astype(float).tolist(), found, strict=True):
        bent = spread = 0.0
        for plane in image:
            mean = np.mean(plane)
            spread += sum((pixel - mean) ** 2 for row in plane for pixel in row)
            for i in range(1, len(plane) - 1):
                for j in range(1, len(plane[0]) - 1):
                    around = plane[i - 1][j] + plane[i + 1][j] + plane[i][j - 1] + plane[i][j + 1]
                    bent += (around - 4 * plane[i][j]) ** 2
        assert measured == pytest.approx(bent / spread if spread else 0, rel=1e-9)
        assert 0 <= measured <= 64 + 1e-9


@given(pictures, st.sampled_from([-4.0, 0.5, 8.0]), st.integers(-9, 9))
def test_roughness_is_that_of_the_pattern_in_every_layout(x, factor, shift):
    wanted, shape = roughness(x, x.shape[1:]), x.shape[1:]
    last = np.moveaxis(x, 1, -1)
    np.testing.assert_allclose(roughness(factor * x + shift, shape), wanted)
    np.testing.assert_allclose(roughness(x.reshape(len(x), -1), shape), wanted)
    np.testing.assert_allclose(roughness(last, last.shape[1:], channels_last=True), wanted)
    np.testing.assert_allclose(roughness(flip_horizontal(x, shape), shape), wanted)
    np.testing.assert_allclose(roughness(x[:, 0], shape[1:]), roughness(x[:, :1], (1, *shape[1:])))


def test_a_chessboard_is_rougher_than_noise_and_noise_than_a_ramp():
    down, right = np.indices((30, 30))
    noise = np.random.default_rng(0).standard_normal((30, 30))
    board, rough, ramp, flat = roughness(np.stack([(down + right) % 2, noise, down + 2 * right, 0 * down]), (30, 30))
    assert board > 50 > rough > 15 > ramp
    assert ramp == pytest.approx(0)
    assert flat == 0
