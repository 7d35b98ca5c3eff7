"""Mirrored and cropped images, and how rough they are, against loops over pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minidl.data import RandomCrop, RandomErasing, RandomFlip, flip_horizontal, roughness

images = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=4, max_dims=4, max_side=4))  # (n, channels, height, width)


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
    for made in (
        lambda **layout: flip_horizontal(np.zeros((1, 4)), shape, **layout),
        lambda **layout: RandomFlip(shape, **layout),
        lambda **layout: RandomCrop(shape, 0, **layout),
        lambda **layout: RandomErasing(shape, **layout),
    ):
        with pytest.raises(ValueError, match="image_shape"):
            made(channels_last=channels_last)


def test_rows_that_are_no_such_images_are_refused():
    for made in (
        lambda x: flip_horizontal(x, (2, 2)),
        lambda x: RandomCrop((2, 2), 1)(x, np.random.default_rng(0)),
        lambda x: RandomErasing((2, 2))(x, np.random.default_rng(0)),
        lambda x: roughness(x[:, [0, *range(5), *range(4)]], (3, 3)),
    ):
        with pytest.raises(ValueError, match=r"received x.shape=\(1, (5|10)\)"):
            made(np.zeros((1, 5)))
    with pytest.raises(ValueError, match="probability"):
        RandomFlip((2, 2), probability=1.5)


def shifted(image, down, right):
    """One (channels, height, width) image moved pixel by pixel; 0 comes in."""
    y = np.zeros_like(image)
    for channel, i, j in np.ndindex(*image.shape):
        if 0 <= i - down < image.shape[1] and 0 <= j - right < image.shape[2]:
            y[channel, i, j] = image[channel, i - down, j - right]
    return y


@given(images, st.integers(0, 3), st.integers(0, 100))
def test_a_random_crop_shifts_each_image_by_at_most_the_padding_and_leaves_x_alone(x, padding, seed):
    padding = min(padding, min(x.shape[2:]) - 1)
    before, reach = x.copy(), range(-padding, padding + 1)
    y = RandomCrop(x.shape[1:], padding)(x, np.random.default_rng(seed))
    np.testing.assert_array_equal(x, before)
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    assert not np.shares_memory(y, x)
    for made, image in zip(y, x, strict=True):
        assert any((made == shifted(image, down, right)).all() for down in reach for right in reach)


@given(images, st.integers(0, 100))
def test_all_layouts_are_cropped_alike(x, seed):
    padding = min(x.shape[2:]) - 1

    def cropped(rows, shape, **layout):
        return RandomCrop(shape, padding, **layout)(rows, np.random.default_rng(seed))

    wanted, last = cropped(x, x.shape[1:]), np.moveaxis(x, 1, -1)
    np.testing.assert_array_equal(cropped(x.reshape(len(x), -1), x.shape[1:]), wanted.reshape(len(x), -1))
    np.testing.assert_array_equal(cropped(x[:, 0], x.shape[2:]), wanted[:, 0])
    np.testing.assert_array_equal(cropped(last, last.shape[1:], channels_last=True), np.moveaxis(wanted, 1, -1))


def test_every_shift_of_a_random_crop_is_as_likely_as_any_other():
    x = np.zeros((9000, 3, 3))
    x[:, 1, 1] = 1  # never leaves the image
    y = RandomCrop((3, 3), 1)(x, np.random.default_rng(0))
    assert (np.abs(y.sum(axis=0) - 1000) < 150).all()


@pytest.mark.parametrize("padding", [-1, 2, 1.5])
def test_a_padding_that_leaves_nothing_of_an_image_is_refused(padding):
    with pytest.raises((TypeError, ValueError), match="padding"):
        RandomCrop((2, 3), padding)


def erased(image, made):
    """Whether a (channels, height, width) image lost one full rectangle, of all its channels, and nothing else."""
    gone = (made != image).any(axis=0)
    if not gone.any():
        return False
    (top, left), (bottom, right) = np.argwhere(gone).min(axis=0), np.argwhere(gone).max(axis=0)
    wanted = image.copy()
    wanted[:, top : bottom + 1, left : right + 1] = 0
    return bool((made == wanted).all())


@given(images.map(lambda x: x // 2 + 1), st.integers(0, 100), st.floats(0, 1))
def test_a_random_erasing_takes_one_rectangle_from_some_images_and_leaves_x_alone(x, seed, probability):
    before = x.copy()
    y = RandomErasing(x.shape[1:], probability=probability)(x, np.random.default_rng(seed))
    np.testing.assert_array_equal(x, before)
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    assert not np.shares_memory(y, x)
    for made, image in zip(y, x, strict=True):
        assert erased(image, made) or (probability < 1 and (made == image).all())


@given(images, st.integers(0, 100))
def test_all_layouts_are_erased_alike(x, seed):
    def made(rows, shape, **layout):
        return RandomErasing(shape, probability=0.7, **layout)(rows, np.random.default_rng(seed))

    wanted, last = made(x, x.shape[1:]), np.moveaxis(x, 1, -1)
    np.testing.assert_array_equal(made(x.reshape(len(x), -1), x.shape[1:]), wanted.reshape(len(x), -1))
    np.testing.assert_array_equal(made(x[:, 0], x.shape[2:]), wanted[:, 0])
    np.testing.assert_array_equal(made(last, last.shape[1:], channels_last=True), np.moveaxis(wanted, 1, -1))


def test_erased_rectangles_have_the_areas_and_shapes_asked_for_and_lie_everywhere():
    x = np.ones((4000, 40, 30))
    y = RandomErasing((40, 30), probability=0.5, area=(0.1, 0.2), aspect=(0.5, 2.0))(x, np.random.default_rng(0))
    gone = y[(y == 0).any(axis=(1, 2))] == 0
    assert abs(len(gone) - 2000) < 150
    heights, widths = gone.any(axis=2).sum(axis=1), gone.any(axis=1).sum(axis=1)
    areas, shapes = heights * widths / 1200, heights / widths
    assert (areas.min(), areas.max()) == pytest.approx((0.1, 0.2), abs=0.01)
    assert areas.mean() == pytest.approx(0.15, abs=0.005)
    assert (shapes.min(), shapes.max()) == pytest.approx((0.5, 2.0), rel=0.1)
    assert np.log(shapes).mean() == pytest.approx(0, abs=0.03)
    everywhere = gone.mean(axis=0)
    assert everywhere.min() > 0
    np.testing.assert_allclose(everywhere, everywhere[::-1, ::-1], atol=0.06)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"probability": 1.5}, "probability"),
        ({"area": 0.3}, r"expected area to be \(least, most\), received area=0.3"),
        ({"area": (0.0, 0.3)}, "0 < least <= most, received area="),
        ({"area": (0.5, 0.3)}, "0 < least <= most, received area="),
        ({"area": (0.5, 1.3)}, "each entry of area"),
        ({"aspect": (2.0, 1.0)}, "0 < least <= most, received aspect="),
        ({"aspect": (1.0, np.inf)}, "each entry of aspect"),
    ],
)
def test_bad_arguments_of_an_erasing_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RandomErasing((2, 3), **options)


pictures = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(3, 5), st.integers(3, 5)),
    elements=st.integers(-9, 9),
)


@given(pictures)
def test_roughness_is_the_squared_laplacian_over_the_squared_deviations(x):
    for image, found in zip(x, roughness(x, x.shape[1:]), strict=True):
        rough = whole = 0.0
        for channel in image:
            whole += ((channel - channel.mean()) ** 2).sum()
            for i, j in np.ndindex(channel.shape[0] - 2, channel.shape[1] - 2):
                cross = channel[i, j + 1] + channel[i + 2, j + 1] + channel[i + 1, j] + channel[i + 1, j + 2]
                rough += (cross - 4 * channel[i + 1, j + 1]) ** 2
        assert found == pytest.approx(rough / whole if whole > 1e-9 else 0.0)
        assert 0 <= found <= 64


@given(pictures, st.sampled_from([1e-200, 1e-3, -7.0, 1e200]), st.integers(-3, 3))
def test_neither_a_factor_nor_a_constant_changes_the_roughness(x, factor, constant):
    wanted = roughness(x, x.shape[1:])
    np.testing.assert_allclose(roughness(x.reshape(len(x), -1), x.shape[1:]), wanted)
    np.testing.assert_allclose(roughness(factor * (x + constant), x.shape[1:]), wanted, atol=1e-9)


def test_noise_is_rough_and_what_it_is_smoothed_to_is_not():
    noise = np.random.default_rng(0).standard_normal((20, 3, 32, 32))
    smooth = noise.cumsum(axis=2).cumsum(axis=3)
    rough = roughness(noise, (3, 32, 32))
    assert rough.mean() == pytest.approx(20 * 30**2 / 32**2, rel=0.02)  # 4 * 4 + 4 at the inner pixels
    assert roughness(smooth, (3, 32, 32)).max() < rough.min() / 10
    np.testing.assert_array_equal(roughness(np.full((2, 9), 0.1), (3, 3)), [0, 0])
    assert roughness(np.zeros((0, 9)), (3, 3)).shape == (0,)


def test_the_roughness_of_what_has_no_inner_pixel_or_is_no_number_is_refused():
    with pytest.raises(ValueError, match="at least 3 by 3"):
        roughness(np.zeros((1, 6)), (2, 3))
    with pytest.raises(ValueError, match="finite"):
        roughness(np.full((1, 9), np.nan), (3, 3))
