"""Curves of runs and schedules."""

import numpy as np
import pytest

from minidl import SGD, Dataset, History, Linear, Sequential, SoftmaxCrossEntropy, Trainer, accuracy
from minidl.optim import CosineDecay
from minidl.plots import learning_curves, schedule_curve, step_curve
from minidl.training.history import Table
from tests.tools.drawings import NAN, axes, legend, run


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
    assert legend(ax) == [*entries, "at the best validation loss"]
    for line, column in zip(ax.lines, columns, strict=True):
        assert line.get_xdata().tolist() == run().evaluations["epoch"]
        assert line.get_ydata().tolist() == run().evaluations[column]
    assert len({line.get_color() for line in ax.lines}) == len(columns)


def test_learning_curves_of_several_runs_have_a_colour_a_run_and_a_line_style_a_column():
    ax = axes(learning_curves({"slow": run(), "fast": run(0.5)}, x="step", log=True))
    assert (ax.get_xlabel(), ax.get_yscale()) == ("step", "log")
    assert legend(ax) == ["slow", "fast", "train", "validation", "at the best validation loss"]
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
        ({}, [[1.5, 1 / 6], [1.5, 2 / 6]], ["train", "validation", "at the best validation loss"]),
        ({"monitor": ""}, [[1.5, 1 / 6], [1.5, 2 / 6]], ["train", "validation", "at the best"]),
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


def test_steps_and_evaluations_of_one_run_have_a_colour_and_a_name_each_on_one_axis():
    ax = axes(step_curve(run(), window=3, evaluations=("validation_loss", "held_out_loss")))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "loss")
    assert legend(ax) == ["mean of 3 steps", "validation", "held out", "± deviation of 3 steps"]
    for line, column in zip(ax.lines[1:], ("validation_loss", "held_out_loss"), strict=True):
        assert line.get_xdata().tolist() == run().evaluations["step"]
        assert line.get_ydata().tolist() == run().evaluations[column]
    colours = [line.get_color() for line in ax.lines]
    assert colours == [key.get_color() for key in ax.get_legend().get_lines()]
    assert len(set(colours)) == 3
    assert len(ax.collections) == 1  # the band belongs to the steps


def test_steps_and_evaluations_of_several_runs_have_a_colour_a_run_and_a_line_style_a_column():
    ax = axes(step_curve({"slow": run(), "fast": run(0.5)}, evaluations=("validation_loss",), x="epoch"))
    assert legend(ax) == ["slow", "fast", "each step", "validation"]
    colours, styles = [line.get_color() for line in ax.lines], [line.get_linestyle() for line in ax.lines]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert styles[0] == styles[2] != styles[1] == styles[3]
    assert [key.get_linestyle() for key in ax.get_legend().get_lines()[2:]] == styles[:2]
    assert ax.lines[1].get_xdata().tolist() == run().evaluations["epoch"]


def test_steps_beside_evaluations_of_another_quantity_are_named_with_theirs():
    ax = axes(step_curve(run(), window=2, evaluations=("validation_top_2_accuracy",)))
    assert ax.get_ylabel() == "loss, top 2 accuracy"
    assert legend(ax) == ["loss, mean of 2 steps", "validation top 2 accuracy", "± deviation of 2 steps"]


def test_a_single_evaluation_has_whole_numbers_around_it():
    one = Table({"epoch": [1.0], "train_loss": [0.5], "validation_loss": [0.6]})
    ax = axes(learning_curves(History(evaluations=one)))
    ax.figure.canvas.draw()
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "1", "2"]


def test_the_legend_says_what_the_band_of_steps_is():
    assert legend(axes(step_curve(run(), window=3))) == ["mean ± deviation of 3 steps"]
    both = axes(step_curve({"slow": run(), "fast": run(0.5)}, window=2))
    assert legend(both) == ["slow", "fast", "mean ± deviation of 2 steps"]
    assert axes(step_curve(run())).get_legend() is None


def test_accuracy_on_the_training_set_is_drawn_beside_that_on_the_validation_set():
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    train = validation = Dataset(x, x.argmax(axis=1))
    model = Sequential(Linear(3, 3)).build(seed=0)
    trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.5), metrics=[accuracy])
    sets = {"validation": validation, "training": train}
    history = trainer.fit(train, sets, epochs=3, progress=False)
    assert history.monitor == "validation_loss"  # it decides, as without the second set
    ax = axes(learning_curves(history, ("training_accuracy", "validation_accuracy")))
    assert ax.get_ylabel() == "accuracy"
    assert legend(ax)[:2] == ["training", "validation"]
    assert ax.lines[0].get_ydata().tolist() == history.evaluations["training_accuracy"]


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
        (
            lambda: step_curve(History(steps=run().steps), evaluations=("a_loss",)),
            "expected a history with evaluations",
        ),
        (lambda: step_curve(run(), evaluations="train_loss"), "at least one column in a tuple"),
        (lambda: step_curve(run(), evaluations=("train_los",)), "did you mean 'train_loss'"),
        (lambda: step_curve({"a": run()}, evaluations=("train_loss",) * 4), "at most 3 columns"),
        (lambda: step_curve(run(), window=9), "expected window <= 8, the number of steps, received window=9"),
        (lambda: schedule_curve(0.1, 5), "a fixed rate is Constant"),
        (lambda: schedule_curve({}, 5), "expected a function of the step"),
        (lambda: schedule_curve(CosineDecay(0.1, 3), 0), "expected steps to be an integer >= 1"),
    ],
)
def test_a_curve_that_cannot_be_drawn_is_refused_with_what_to_do(draw, message):
    with pytest.raises((TypeError, ValueError, KeyError), match=message):
        draw()


RANGES = [[1e-320, 1.0], [1e-320, 1e-322], [1e-320], [1e-320, 1e300], [1e308, 1e-308], [0.0, 1e-320]]


@pytest.mark.parametrize("values", RANGES)
@pytest.mark.parametrize("setting", ["warn", "raise"])
def test_a_logarithmic_axis_takes_every_positive_number(values, setting):
    evaluations = Table({"epoch": list(range(len(values))), "loss": values})
    with np.errstate(all=setting):
        figure = learning_curves(History(evaluations=evaluations), ["loss"], log=True)
    assert figure.axes[0].get_yscale() == "log"
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), values)


def test_a_single_column_is_told_how_it_is_written():
    with pytest.raises(ValueError, match=r"received columns='validation_accuracy': write \('validation_accuracy',\)"):
        learning_curves(run(), "validation_accuracy")
