"""Weights, samples and mistakes as images."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from minidl import Dataset
from minidl.plots import sample_images, weight_images, worst_images
from tests.tools.drawings import GREY, NAN, PROBABILITIES, RGB, WEIGHTS, axes


@pytest.mark.parametrize("shape", [(2, 4), (1, 2, 4)])
@pytest.mark.parametrize(("shared", "bounds"), [(False, [17, 18, 19]), (True, [19, 19, 19])])
def test_grey_weights_are_drawn_around_zero(shape, shared, bounds):
    ax = axes(weight_images(WEIGHTS, shape, titles=("a", "b", "c"), shared_scale=shared))
    for unit, image in enumerate(ax.images):
        np.testing.assert_array_equal(image.get_array(), WEIGHTS[:, unit].reshape(2, 4))
        assert image.get_clim() == (-bounds[unit], bounds[unit])
        assert image.get_interpolation() == "nearest"
    assert [text.get_text() for text in ax.texts] == ["a", "b", "c"]
    assert bool(ax.child_axes) == shared  # the colour bar


@pytest.mark.parametrize(("shared", "highest"), [(False, [1.0, 1.0]), (True, [0.5, 1.0])])
def test_colour_weights_are_scaled_from_black_to_white(shared, highest):
    weights = np.stack([np.arange(12.0), 2 * np.arange(12.0)], axis=1) / 11
    images = axes(weight_images(weights, (3, 2, 2), shared_scale=shared)).images
    for image, white in zip(images, highest, strict=True):
        expected = np.moveaxis(np.linspace(0, white, 12).reshape(3, 2, 2), 0, -1)
        np.testing.assert_allclose(image.get_array(), expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(2, 2), (3, 2, 2)])
def test_constant_weights_are_drawn_in_the_middle_of_the_scale(shape):
    image = axes(weight_images(np.zeros((np.prod(shape), 1)), shape)).images[0]
    colour = image.to_rgba(image.get_array(), norm=True)[..., :3]
    np.testing.assert_allclose(colour, 0.97 if len(shape) == 2 else 0.5, atol=0.01)


def test_sample_images_are_the_first_of_each_class_on_one_scale_for_integers():
    ax = axes(sample_images(GREY, per_class=2))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "1"]
    rows = [1, 4, 0, 2]
    expected = [GREY.images()[row] / 39 for row in rows]
    np.testing.assert_allclose([image.get_array() for image in ax.images], expected)


def test_many_classes_make_small_images_and_no_long_page():
    data = Dataset(np.eye(30, 64), np.arange(30), image_shape=(8, 8))
    width, height = sample_images(data, per_class=2).get_size_inches()
    assert width < height < 7.2


def test_sample_images_of_real_numbers_use_the_scale_of_each_image_and_leave_absent_classes_out():
    ax = axes(sample_images(RGB.take([3, 1])))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["automobile"]
    expected = [np.moveaxis(RGB.images()[row], 0, -1) for row in (3, 1)]
    np.testing.assert_allclose([image.get_array() for image in ax.images], expected)


def test_worst_images_come_in_order_with_both_classes_named():
    titles = [text.get_text() for text in axes(worst_images(GREY, PROBABILITIES, count=4)).texts]
    assert titles == ["true 1 0.10\nsaid 0 0.90", "true 1 0.20\nsaid 0 0.80", "true 0 0.50", "true 0 0.60"]


def test_a_title_stands_on_its_image_however_many_lines_it_has():
    ax = axes(worst_images(GREY, PROBABILITIES, count=4))
    ax.figure.canvas.draw()
    for text, image in zip(ax.texts, ax.images, strict=True):
        gap = text.get_window_extent().y0 - image.get_window_extent().y1
        assert 0 <= gap / ax.figure.dpi < 0.06  # inches


def test_titles_that_are_drawn_smaller_take_less_room_above_their_images():
    figure = Figure(figsize=(6.4, 1.05), dpi=100)
    ax = figure.add_subplot()
    weight_images(np.eye(10), (2, 5), titles=["a very long name"] * 10, columns=10, ax=ax)
    font = ax.texts[0].get_fontsize()
    assert font < 5
    top, bottom = ax.get_ylim()[1], ax.images[0].get_extent()[3]
    assert bottom - top < 2.2 * font / 72


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: weight_images(WEIGHTS.T, (2, 4)), r"shape \(8, units\).*transpose"),
        (lambda: weight_images(WEIGHTS[:, 0], (2, 4)), r"weights\[:, None\]"),
        (lambda: weight_images(WEIGHTS, (2, 2, 2)), "1 or 3 channels"),
        (lambda: weight_images(WEIGHTS * NAN, (2, 4)), "received 24 that are not"),
        (lambda: weight_images(WEIGHTS, (2, 4), titles=("a",)), "expected 3 titles or none"),
        (lambda: weight_images(WEIGHTS, (2, 4), columns=0), "expected columns to be an integer >= 1"),
        (lambda: sample_images(Dataset(GREY.x, GREY.targets)), "expected a dataset of images"),
        (lambda: sample_images(Dataset(GREY.x, GREY.targets / 2, image_shape=(2, 4))), "expected integer targets"),
        (lambda: worst_images(GREY, PROBABILITIES * 9), "raw scores go through"),
        (lambda: worst_images(GREY, PROBABILITIES[:4]), r"of shape \(5, classes\)"),
        (lambda: worst_images(GREY, PROBABILITIES[:, :1]), r"of shape \(5, classes\)"),
    ],
)
def test_images_that_cannot_be_shown_are_refused_with_what_to_do(draw, message):
    with pytest.raises((TypeError, ValueError, KeyError), match=message):
        draw()
