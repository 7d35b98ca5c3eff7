"""Figures of what a network sees, and of a Recorder."""

import numpy as np
import pytest

from minidl import SGD, Conv2D, Dataset, Linear, ReLU, Reshape, Sequential, Sigmoid, SoftmaxCrossEntropy, Trainer
from minidl.diagnostics import RangeTest, Recorder
from minidl.initializers import zeros
from minidl.plots import decision_regions, embedding, filters, health, layer_spreads, range_curve
from tests.tools.drawings import axes

X, LABELS = np.float32([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])


def recorded(*layers, rate=0.5, steps=6):
    recorder = Recorder(every=1)
    model = Sequential(*layers).build(seed=0)
    Trainer(model, SoftmaxCrossEntropy(), SGD(rate), callbacks=[recorder]).fit((X, LABELS), steps=steps, progress=False)
    return recorder


def test_health_has_a_row_for_each_layer_and_a_column_for_each_record():
    recorder = recorded(Linear(2, 4), ReLU(), Linear(4, 3), Sigmoid(), Linear(3, 2))
    figure = health(recorder)
    shapes = [ax.images[0].get_array().shape for ax in figure.axes[:4]]
    assert shapes == [(5, 6), (5, 6), (2, 6), (3, 6)]
    assert [label.get_text() for label in figure.axes[2].get_yticklabels()] == ["1 ReLU", "3 Sigmoid"]
    assert figure.get_suptitle() == "nothing found"
    deviation = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(deviation, np.log10(recorder["activation_deviation"].T), rtol=1e-6)


def test_health_says_what_is_wrong_and_marks_where():
    figure = health(recorded(Linear(2, 4, weight_init=zeros), ReLU(), Linear(4, 2, weight_init=zeros)))
    assert figure.get_suptitle() == "found: symmetry"
    labels = figure.axes[0].get_yticklabels()
    assert [label.get_fontweight() for label in labels] == ["bold", "normal", "normal"]


def test_a_map_that_is_white_all_over_says_so_and_steps_stand_at_equal_distances():
    figure = health(recorded(Linear(2, 4), Sigmoid(), Linear(4, 2), steps=12))
    assert [[text.get_text() for text in ax.texts] for ax in figure.axes[:4]] == [[], [], ["at most 0%"], []]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["1", "4", "7", "10"]


def test_health_draws_runs_that_diverged_and_models_without_activations(tmp_path):
    recorder = Recorder(1)
    model = Sequential(Linear(2, 4), Linear(4, 2)).build(seed=0)
    one = Trainer(model, SoftmaxCrossEntropy(), SGD(1e30), callbacks=[recorder])
    one.fit((X, LABELS), steps=9, progress=False, raise_divergence=False)
    for figure in (health(recorder), layer_spreads(recorder)):
        figure.savefig(tmp_path / "figure.png")


def test_spreads_have_two_panels_for_each_layer_and_medians_in_their_bands():
    recorder = recorded(Linear(2, 4), ReLU(), Linear(4, 2))
    figure = layer_spreads(recorder)
    assert [ax.get_ylabel() for ax in figure.axes] == ["0 Linear", "", "1 ReLU", "", "2 Linear", ""]
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "", "", "", "step", "step"]
    assert [ax.get_title() for ax in figure.axes[:2]] == ["activations", "gradients"]
    (bands,) = figure.legends
    assert [text.get_text() for text in bands.get_texts()] == ["median", "half of the numbers", "90 % of them"]
    low, high = recorder["activation_histogram"][:, 0, :2].T
    median = figure.axes[0].lines[0].get_ydata()
    assert ((low <= median) & (median <= high)).all()
    with pytest.raises(ValueError, match="expected layers of"):
        layer_spreads(recorder, layers=["7 ReLU"])
    with pytest.raises(ValueError, match="at most 12 layers"):
        layer_spreads(recorded(*[Linear(2, 2) for _ in range(13)]))


@pytest.mark.parametrize(("channels", "count"), [(1, 5), (3, 5), (8, 3)])
def test_filters_are_images_of_the_window(channels, count):
    weight = Conv2D(channels, 5, 3).build(seed=0).weight.value
    images = axes(filters(weight, count=count)).images
    assert len(images) == count
    expected = weight[:, :, 0, 0] if channels != 3 else None
    assert images[0].get_array().shape == ((3, 3, 3) if channels == 3 else (3, 3))
    if expected is not None:
        np.testing.assert_allclose(images[0].get_array(), expected)


def test_an_embedding_shows_the_directions_of_most_variance():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 4)) * [0.1, 5.0, 0.1, 2.0] + 7
    ax = axes(embedding(rows, np.arange(50) % 2, classes=("cat", "dog")))
    points = np.concatenate([collection.get_offsets() for collection in ax.collections])
    order = np.concatenate([np.arange(0, 50, 2), np.arange(1, 50, 2)])
    centred = (rows - rows.mean(axis=0))[order]
    assert abs(np.corrcoef(points[:, 0], centred[:, 1])[0, 1]) > 0.99
    assert abs(np.corrcoef(points[:, 1], centred[:, 3])[0, 1]) > 0.97
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["cat", "dog"]
    assert [text.get_text() for text in ax.texts] == ["cat", "dog"]


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_decision_regions_are_what_the_model_says(outputs):
    model = Sequential(Linear(2, 8), ReLU(), Linear(8, outputs)).build(seed=0)
    ax = axes(decision_regions(model, Dataset(X, LABELS, classes=("a", "b")), points=21))
    image = ax.images[0]
    left, right, bottom, top = image.get_extent()
    middle = np.array([[(left + right) / 2, (bottom + top) / 2]])
    scores = model.predict(middle)[0]
    assert image.get_array()[10, 10] == (int(scores[0] >= 0) if outputs == 1 else scores.argmax())
    assert sum(len(collection.get_offsets()) for collection in ax.collections) == 4
    unnamed = ["2"] if (image.get_array() == 2).any() else []
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", *unnamed]


def test_the_legend_names_regions_in_which_no_row_lies():
    model = Linear(2, 3).build(seed=0)
    model.bias.value[:] = 0, 0, 100  # class 2 everywhere
    for classes, names in (((), ["0", "1", "2"]), (("a", "b"), ["a", "b", "2"])):
        ax = axes(decision_regions(model, Dataset(X, LABELS, classes=classes), points=5))
        assert [text.get_text() for text in ax.get_legend().get_texts()] == names


def test_a_set_of_two_features_may_be_a_tuple():
    assert axes(decision_regions(Linear(2, 2).build(seed=0), (X, LABELS), points=5)).images


def test_an_embedding_takes_labels_of_any_number():
    assert [text.get_text() for text in axes(embedding(np.eye(4), [-1, 0, 7, 7])).texts] == ["-1", "0", "7"]


def test_a_single_record_is_drawn():
    recorder = recorded(Linear(2, 4), ReLU(), Linear(4, 2), steps=1)
    lines = [ax.lines[0] for ax in layer_spreads(recorder).axes]
    assert {line.get_marker() for line in lines} == {"o"}  # a line of one point shows nothing


def test_health_shows_no_zeros_that_come_from_the_data():
    recorder = recorded(ReLU(), Linear(2, 4), Reshape(2, 2), Reshape(4), Sigmoid(), Linear(4, 2))
    labels = health(recorder).axes[2].get_yticklabels()
    assert [label.get_text() for label in labels] == ["4 Sigmoid"]


def test_a_range_curve_shows_both_costs_and_the_suggestion():
    rates, costs = np.array([1e-3, 1e-2, 0.1, 1.0]), np.array([2.0, 1.5, 1.0, 50.0])
    ax = axes(range_curve(RangeTest(rates, costs, costs, 0.03, 0.01, 0.1, True)))
    assert ax.get_ylim() == (0, 4)
    assert "suggestion 0.03" in [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: filters(np.ones((3, 3))), "weight_images"),
        (lambda: filters(np.ones((3, 3, 1, 0))), "out_channels"),
        (lambda: embedding(np.ones((0, 2)), np.arange(0)), "3 rows"),
        (lambda: embedding(np.full((4, 2), np.nan), np.arange(4)), r"features\[0, 0\]=nan"),
        (lambda: embedding(np.eye(4), np.arange(4), classes=("a", "b")), "name every class"),
        (lambda: embedding(np.eye(4), np.arange(4) - 1, classes=("a", "b", "c", "d")), "received labels from -1"),
        (lambda: decision_regions(Linear(2, 2).build(seed=0), (X, LABELS - 1)), "labels from 0 on"),
        (lambda: decision_regions(Sequential(Linear(2, 4), Reshape(2, 2)).build(seed=0), (X, LABELS)), "scores"),
        (lambda: embedding(np.ones((4, 2)), np.arange(3)), "expected"),
        (lambda: embedding(np.ones((2, 2)), np.arange(2)), "3 rows"),
        (lambda: decision_regions(Linear(3, 2).build(seed=0), Dataset(np.ones((2, 3)), np.arange(2))), "two features"),
        (lambda: health(Recorder()), "call fit"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_to_do(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


def test_what_is_no_layer_and_no_range_test_is_refused():
    with pytest.raises(TypeError, match="built layer"):
        decision_regions(None, (X, LABELS))
    with pytest.raises(TypeError, match="range_test"):
        range_curve((X, LABELS))
