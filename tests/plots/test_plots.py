import io
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from minidl import Dataset, History, confusion_matrix
from minidl.optim import CosineDecay, StepDecay
from minidl.plots import (
    confusion_heatmap,
    error_bars,
    grid_heatmap,
    histograms,
    learning_curves,
    mean_curves,
    sample_images,
    schedule_curve,
    step_curve,
    weight_images,
    worst_images,
)
from minidl.training.history import Table

NAN = float("nan")
CLASSES = ("airplane", "automobile")
GREY = Dataset(np.arange(40, dtype=np.uint8).reshape(5, 8), np.array([1, 0, 1, 1, 0]), image_shape=(2, 4))
RGB = Dataset(np.eye(4, 12, dtype=np.float32), np.array([0, 1, 0, 1]), classes=CLASSES, image_shape=(3, 2, 2))
PROBABILITIES = np.array([[0.3, 0.7], [0.6, 0.4], [0.9, 0.1], [0.8, 0.2], [0.5, 0.5]])
RUNS = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 5.0]])
WEIGHTS = np.arange(24.0).reshape(8, 3) - 4


def run(scale=1.0, **changes):
    """A run of four evaluations and eight steps."""
    evaluations = {"step": [2, 4, 6, 8], "epoch": [0.5, 1.0, 1.5, 2.0]}
    for place, name in enumerate(("train", "validation", "held_out")):
        for column in ("loss", "penalty", "cost", "top_2_accuracy"):
            evaluations[f"{name}_{column}"] = [scale * (place + 1) / step for step in evaluations["step"]]
    steps = {"step": list(range(1, 9)), "epoch": [step / 4 for step in range(1, 9)], "learning_rate": [0.1] * 8}
    steps["loss"] = [scale * value for value in (9.0, 8.0, 4.0, 5.0, 3.0, 3.5, 2.0, 1.0)]
    facts = {"best_step": 6, "best_value": 2 / 6, "monitor": "validation_loss"}
    return History(steps=Table(steps), evaluations=Table(evaluations), **(facts | changes))


DRAWINGS = {
    "learning_curves": lambda **ax: learning_curves(run(), **ax),
    "step_curve": lambda **ax: step_curve({"a": run(), "b": run(2)}, window=3, **ax),
    "schedule_curve": lambda **ax: schedule_curve(StepDecay(0.1, 0.5, every=3), 10, **ax),
    "weight_images": lambda **ax: weight_images(WEIGHTS, (2, 4), titles="abc", shared_scale=True, **ax),
    "sample_images": lambda **ax: sample_images(RGB, **ax),
    "worst_images": lambda **ax: worst_images(GREY, PROBABILITIES, **ax),
    "mean_curves": lambda **ax: mean_curves({"a": {"x": RUNS, "y": RUNS + 1}, "b": {"x": RUNS[0]}}, **ax),
    "error_bars": lambda **ax: error_bars({"a": RUNS, "b": -RUNS}, [1, 10, 100], xlabel="x", ylabel="y", **ax),
    "histograms": lambda **ax: histograms({"right": [0.5, 0.9], "wrong": [0.1]}, xlabel="p", **ax),
    "grid_heatmap": lambda **ax: grid_heatmap(RUNS, [1, 2], "abc", xlabel="x", ylabel="y", label="z", **ax),
    "confusion_heatmap": lambda **ax: confusion_heatmap(np.array([[3, 1], [0, 5]]), classes=CLASSES, **ax),
}
every_drawing = pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)


def axes(figure):
    (ax,) = figure.axes
    return ax


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else []


@every_drawing
def test_without_ax_a_new_figure_is_made_that_can_be_saved_and_settings_stay_as_they_are(draw):
    before = dict(matplotlib.rcParams)
    figure = draw()
    figure.savefig(file := io.BytesIO())
    assert file.getvalue().startswith(b"\x89PNG")
    assert dict(matplotlib.rcParams) == before


@every_drawing
def test_with_ax_everything_is_drawn_there_and_its_whole_figure_returned(draw):
    figure = Figure(figsize=(6, 3))
    left, right = figure.subfigures(1, 2)
    ax = left.add_subplot()
    assert draw(ax=ax) is figure
    assert figure.axes == [ax]
    assert ax.has_data()
    assert right.axes == []


@every_drawing
def test_an_ax_of_another_kind_is_refused(draw):
    with pytest.raises(TypeError, match="expected ax to be a matplotlib Axes, received Figure"):
        draw(ax=Figure())


def test_no_window_system_is_loaded():
    code = "import io, sys; from minidl.plots import schedule_curve; schedule_curve(float, 2).savefig(io.BytesIO());"
    code += "sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("columns", "label", "entries"),
    [
        (("train_loss", "validation_loss"), "loss", ["train", "validation"]),
        (("held_out_top_2_accuracy", "train_top_2_accuracy"), "top 2 accuracy", ["held out", "train"]),
        (("train_cost", "validation_loss"), "cost, loss", ["train cost", "validation loss"]),
        (("held_out_loss",), "held out loss", []),
    ],
)
def test_learning_curves_of_one_run_are_its_columns_with_words_for_names(columns, label, entries):
    ax = axes(learning_curves(run(), columns))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", label)
    assert legend(ax) == [*entries, "best validation loss"]
    for line, column in zip(ax.lines, columns, strict=True):
        assert line.get_xdata().tolist() == run().evaluations["epoch"]
        assert line.get_ydata().tolist() == run().evaluations[column]
    assert len({line.get_color() for line in ax.lines}) == len(columns)


def test_learning_curves_of_several_runs_have_a_colour_a_run_and_a_line_style_a_column():
    ax = axes(learning_curves({"slow": run(), "fast": run(0.5)}, x="step", log=True))
    assert (ax.get_xlabel(), ax.get_yscale()) == ("step", "log")
    assert legend(ax) == ["slow", "fast", "train", "validation", "best validation loss"]
    colours, styles = [line.get_color() for line in ax.lines], [line.get_linestyle() for line in ax.lines]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert styles[0] == styles[2] != styles[1] == styles[3]


def test_many_runs_have_as_many_colours_and_their_legend_beside_the_axes():
    figure = learning_curves({f"run {number}": run(number) for number in range(1, 13)})
    figure.canvas.draw()
    ax = axes(figure)
    assert len({str(line.get_color()) for line in ax.lines}) == 12
    assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1


@pytest.mark.parametrize(
    ("changes", "dots", "entries"),
    [
        ({}, [[1.5, 1 / 6], [1.5, 2 / 6]], ["train", "validation", "best validation loss"]),
        ({"monitor": ""}, [[1.5, 1 / 6], [1.5, 2 / 6]], ["train", "validation", "best"]),
        ({"best_step": None}, [], ["train", "validation"]),
    ],
)
def test_the_best_step_has_a_dot_where_it_is_known(changes, dots, entries):
    ax = axes(learning_curves(run(**changes)))
    assert [offset for dot in ax.collections for offset in dot.get_offsets().tolist()] == dots
    assert legend(ax) == entries


@pytest.mark.parametrize(
    ("values", "alone"), [([2.0], [0]), ([3, NAN, 2, 1], [0]), ([3, 2, NAN, 1], [3]), ([NAN, NAN], []), ([2, 1], [])]
)
def test_values_between_gaps_are_drawn_as_points(values, alone):
    table = Table({"epoch": list(range(len(values))), "train_loss": values})
    (line,) = axes(learning_curves(History(evaluations=table), ("train_loss",))).lines
    np.testing.assert_equal(line.get_ydata(), np.array(values, float))
    assert (line.get_markevery() or []) == alone
    assert (line.get_marker() == ".") == bool(alone)


def test_a_step_curve_is_the_column_itself_or_the_running_mean_within_one_standard_deviation():
    assert axes(step_curve(run())).lines[0].get_ydata().tolist() == run().steps["loss"]
    ax = axes(step_curve(run(), window=3))
    windows = np.lib.stride_tricks.sliding_window_view(run().steps["loss"], 3)
    mean, spread = windows.mean(axis=1), windows.std(axis=1)
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [2, 3, 4, 5, 6, 7])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), mean)
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([band.min(), band.max()], [(mean - spread).min(), (mean + spread).max()])


def test_a_value_that_is_not_finite_leaves_a_gap_of_one_window():
    history = run()
    history.steps["loss"][3:5] = [float("inf"), 1e200]
    (line,) = axes(step_curve(history, window=2)).lines
    np.testing.assert_allclose(line.get_ydata(), [8.5, 6, NAN, NAN, 5e199, 2.75, 1.5])


def test_a_schedule_curve_asks_each_schedule_for_every_step_and_shows_zero():
    schedules = {"cosine": CosineDecay(0.1, 20), "half": lambda step: 0.05}
    ax = axes(schedule_curve(schedules, 5))
    for line, schedule in zip(ax.lines, schedules.values(), strict=True):
        assert line.get_ydata().tolist() == [schedule(step) for step in range(5)]
    assert (ax.get_xlabel(), ax.get_ylabel(), legend(ax)) == ("step", "learning rate", ["cosine", "half"])
    assert ax.get_ylim()[0] <= 0
    assert axes(step_curve(run(), "learning_rate")).get_ylim()[0] <= 0


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


def test_sample_images_of_real_numbers_use_the_scale_of_each_image_and_leave_absent_classes_out():
    ax = axes(sample_images(RGB.take([3, 1])))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["automobile"]
    expected = [np.moveaxis(RGB.images()[row], 0, -1) for row in (3, 1)]
    np.testing.assert_allclose([image.get_array() for image in ax.images], expected)


def test_worst_images_come_in_order_with_both_classes_named():
    titles = [text.get_text() for text in axes(worst_images(GREY, PROBABILITIES, count=4)).texts]
    assert titles == ["true 1 0.10\nsaid 0 0.90", "true 1 0.20\nsaid 0 0.80", "true 0 0.50\n", "true 0 0.60\n"]


def test_a_confusion_heatmap_shows_counts_and_colours_them_by_row():
    targets = np.array([0, 0, 0, 1])
    matrix = confusion_matrix(np.eye(3)[[0, 0, 1, 1]], targets)
    ax = axes(confusion_heatmap(matrix, classes=(*CLASSES, "bird")))
    np.testing.assert_allclose(ax.images[0].get_array(), [[2 / 3, 1 / 3, 0], [0, 1, 0], [0, 0, 0]])
    assert ax.images[0].get_clim() == (0, 1)
    assert [text.get_text() for text in ax.texts] == [*"210", *"010", *"000"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("prediction", "target")
    assert [label.get_text() for label in ax.get_xticklabels()] == [*CLASSES, "bird"]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: learning_curves(History()), "expected a history with evaluations, received .* step_curve"),
        (lambda: learning_curves({"a": run(), "b": History()}), "received b=History"),
        (lambda: learning_curves([run()]), "expected a History or a mapping"),
        (lambda: learning_curves({}), "expected a History or a mapping"),
        (lambda: learning_curves(run(), "train_loss"), "at least one column in a tuple"),
        (lambda: learning_curves(run(), ()), "at least one column in a tuple"),
        (lambda: learning_curves({"a": run()}, ("train_loss",) * 5), "at most 4 columns"),
        (lambda: learning_curves(run(), ("train_los",)), "did you mean 'train_loss'"),
        (lambda: learning_curves(run(scale=0), log=True), "expected some positive loss for log=True"),
        (lambda: step_curve(History()), "expected a history with steps"),
        (lambda: step_curve(run(), "los"), "did you mean 'loss'"),
        (lambda: step_curve(run(), window=9), "expected window <= 8, the number of steps, received window=9"),
        (lambda: schedule_curve(0.1, 5), "a fixed rate is Constant"),
        (lambda: schedule_curve({}, 5), "expected a function of the step"),
        (lambda: schedule_curve(CosineDecay(0.1, 3), 0), "expected steps to be an integer >= 1"),
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
        (lambda: confusion_heatmap(np.eye(2)), "expected a square matrix of counts"),
        (lambda: confusion_heatmap(np.ones((2, 3), int)), "expected a square matrix of counts"),
        (lambda: confusion_heatmap(np.eye(2, dtype=int), classes=("a",)), "expected 2 class names or none"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_to_do(draw, message):
    with pytest.raises((TypeError, ValueError, KeyError), match=message):
        draw()
