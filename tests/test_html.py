"""What a notebook shows of models, histories, tables, results and figures."""

import re

import numpy as np
import pytest

from minidl import (
    SGD,
    Linear,
    MeanSquaredError,
    ReLU,
    Residual,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
    accuracy,
    html,
    plots,
)
from minidl.experiments import Result, Results, grid, plan


def cells(text):
    return [re.findall(r"<t[hd]>(.*?)</t[hd]>", line) for line in re.findall(r"<tr>.*?</tr>", text)]


@pytest.fixture(scope="module")
def history():
    trainer = Trainer(Linear(1, 1).build(), MeanSquaredError(), SGD(0.1))
    data = np.ones((4, 1)), np.ones((4, 1))
    return trainer.fit(data, data, epochs=30, batch_size=4, progress=False)


def test_a_model_is_its_table_with_nested_layers_set_in():
    model = Sequential(Linear(2, 3), Residual(ReLU(), Linear(3, 3))).build(seed=0)
    text = model._repr_html_()
    assert text.startswith("<p>Sequential: 2 layers, 21 parameters, float32</p>")
    assert cells(text)[1] == ["0", "Linear(2, 3)", "(n, 3)", "9"]
    assert cells(text)[-1][1] == "\u2003Linear(3, 3)"


def test_a_long_table_shows_its_first_and_last_rows(history):
    shown = cells(history.steps._repr_html_())
    assert shown[0] == list(history.steps)
    assert len(shown) == 1 + html.SHOWN + 1
    assert [row[0] for row in (shown[1], shown[-1])] == ["1", "30"]


def test_a_history_is_its_evaluations_or_else_its_steps(history):
    assert cells(history._repr_html_())[0] == list(history.evaluations)
    trainer = Trainer(Linear(1, 1).build(), MeanSquaredError(), SGD(0.1))
    alone = trainer.fit((np.ones((4, 1)), np.ones((4, 1))), steps=2, progress=False)
    alone.evaluations.clear()
    assert cells(alone._repr_html_())[0] == list(alone.steps)


def test_results_are_a_line_a_run_and_nothing_of_them_is_taken_as_html():
    def work(text, *, seed): ...

    runs = plan(work, grid(text=["<b>", "a"]), seeds=[3])
    results = Results([Result(run, {"loss": 0.5, "curve": np.zeros(3)}, 1.0) for run in runs])
    assert cells(results._repr_html_()) == [["text", "seed", "loss"], ["&lt;b&gt;", "3", "0.5"], ["a", "3", "0.5"]]


def test_a_trainer_names_its_functions():
    trainer = Trainer(Linear(2, 2).build(), SoftmaxCrossEntropy(), SGD(0.1), metrics=[accuracy])
    assert repr(trainer) == "Trainer(Linear(2, 2), SoftmaxCrossEntropy(), SGD(0.1), metrics=[accuracy])"
    named = Trainer(Linear(2, 2).build(), SoftmaxCrossEntropy(), SGD(0.1), metrics={"right": accuracy})
    assert repr(named) == "Trainer(Linear(2, 2), SoftmaxCrossEntropy(), SGD(0.1), metrics={'right': accuracy})"


def test_a_figure_is_a_picture_by_itself(history):
    for figure in (
        plots.learning_curves(history),
        plots.small_multiples({"a": history}, lambda history, ax: plots.learning_curves(history, ax=ax)),
    ):
        assert figure._repr_png_().startswith(b"\x89PNG")
