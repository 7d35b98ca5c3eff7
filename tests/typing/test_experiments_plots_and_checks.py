"""Repeated runs, figures and the checks as their users call them."""

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minidl import L2, SGD, Dataset, History, Linear, MeanSquaredError, Sequential, SoftmaxCrossEntropy, Tanh
from minidl.experiments import PlannedRun, Results, execute, grid, plan
from minidl.optim import Constant, CosineDecay, StepDecay
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
from minidl.testing import (
    Report,
    central_difference,
    check_layer,
    explain,
    layer_test,
    loss_test,
    model_test,
    optimizer_test,
    real_targets,
    regularizer_test,
    relative_error,
    schedule_test,
)
from tests.typing import refused
from tests.typing.test_own_components import Scale

BEST = {"lr": 0.5, "task": "small"}  # a checker sees dict[str, object]
FAST = settings(max_examples=2, database=None)


def train(lr: float, task: str, *, seed: int, epochs: int = 1) -> dict[str, Any]:
    return {"loss": lr * epochs + seed, "curve": np.full(3, lr), "ended": task, "list": [1.0, 2.0]}


def losses_only(lr: float, *, seed: int) -> dict[str, float]:
    return {"loss": lr + seed}


def mean_of(group: Results, name: str) -> float:
    mean: float = group.mean(name)
    return mean


def test_runs_are_planned_executed_and_read(tmp_path: Path) -> None:
    runs: list[PlannedRun] = plan(train, [BEST, BEST | {"lr": 0.1}], seeds=range(2), epochs=2)
    runs += plan(train, grid(lr=[0.1, 1.0], task=["large"]), [3]) + plan(losses_only, grid(lr=(0.1,)), [0])
    results = Results([result for run in runs for result in execute([run], folder=tmp_path, progress=False)])
    own = results.of(train)
    curve = own[0].values["curve"]
    assert curve.shape == own.array("curve").shape[1:]
    assert mean_of(own.where(**BEST), "loss") == own.where(lr=0.5, task="small").mean("loss")
    assert SGD(own.best("loss", mode="min")["lr"]).lr == 0.1
    assert 2 * own[0].run.setting["lr"] == 1.0
    assert sorted(own.by("lr")) == [0.1, 0.5, 1.0]
    assert own[:2].table(["loss"], digits=2)


def test_what_no_experiment_takes_is_refused() -> None:
    assert refused(lambda: grid(lr=0.1))  # type: ignore[arg-type]
    assert refused(lambda: plan(train, BEST, [0]))  # type: ignore[arg-type]
    assert refused(lambda: plan(train, [BEST], seeds=3))  # type: ignore[arg-type]
    assert refused(lambda: plan("train", [BEST], [0]))  # type: ignore[arg-type]
    assert refused(lambda: execute(runs=3))  # type: ignore[arg-type]
    assert refused(lambda: Results([]).best("loss", mode="smallest"))  # type: ignore[arg-type]


def test_figures_are_drawn_of_what_runs_give() -> None:
    rng = np.random.default_rng(0)
    images = Dataset(rng.random((6, 4)), np.arange(6) % 2, image_shape=(2, 2))
    history = History()
    history.steps.append(dict.fromkeys(history.steps, 1.0))
    figures: list[Figure] = [
        schedule_curve({"cosine": CosineDecay(0.1, 5), "steps": StepDecay(0.1, 0.5, every=2)}, 10),
        schedule_curve(lambda step: 0.1, 10, log=True),
        step_curve({"one": history}, "loss", window=1),
        mean_curves({"a": [[1.0, 2.0], [2.0, 3.0]], "b": np.ones((2, 2))}, x=np.arange(2)),
        mean_curves({"a": {"training": [1.0, 2.0], "validation": [2.0, 3.0]}}, x=[0, 100]),
        error_bars({"a": np.ones((2, 3))}, [0.1, 1.0, 10.0], xlabel="lr", ylabel="loss"),
        error_bars({"a": np.ones((2, 3))}, np.array([1, 2, 3]), xlabel="width", ylabel="loss"),
        error_bars({"a": np.ones((2, 2))}, ["small", "large"], xlabel="size", ylabel="loss"),
        histograms({"a": rng.random(9), "b": [0.1, 0.2]}, xlabel="p"),
        grid_heatmap(np.ones((2, 3)), [1, 2], range(3), xlabel="width", ylabel="depth", between=(0, 1)),
        grid_heatmap([[1, 2]], np.array([1]), np.array([1, 2]), xlabel="width", ylabel="depth"),
        confusion_heatmap(np.eye(2, dtype=int), classes=["cat", "dog"]),
        weight_images(rng.random((4, 2)), (2, 2), titles=["a", "b"]),
        sample_images(images, per_class=1),
        worst_images(images, np.full((6, 2), 0.5), count=2),
    ]
    ax = figures[0].axes[0]
    assert schedule_curve(Constant(0.1), 3, ax=ax) is figures[0]


def test_what_no_figure_shows_is_refused() -> None:
    assert refused(lambda: learning_curves([History()]))  # type: ignore[arg-type]
    assert refused(lambda: learning_curves(History(), x="minutes"))  # type: ignore[arg-type]
    assert refused(lambda: schedule_curve(0.1, 10))  # type: ignore[arg-type]
    assert refused(lambda: step_curve(History(), ax=Figure()))  # type: ignore[arg-type]


test_scale = layer_test(Scale, shape=("n", "features"), settings=FAST)
test_scale_with_a_start = layer_test(Scale, ("n", "features"), start=st.floats(0, 1), settings=FAST)
test_one_linear = layer_test(Linear(3, 2), shape=("n", 3), settings=FAST)
test_lambda = layer_test(lambda features: Sequential(Scale(features), Tanh()), settings=FAST, domain=(-1.0, 1.0))
test_squared_error = loss_test(MeanSquaredError, targets=real_targets, settings=FAST)
test_model = model_test(
    lambda features: Linear(features, 2), SoftmaxCrossEntropy(), regularizers=[L2(0.1)], settings=FAST
)
test_penalty = regularizer_test(L2, strength=st.floats(0.1, 1), settings=FAST)
test_descent = optimizer_test(SGD(0.1), reference=lambda start, gradients: start - 0.1 * sum(gradients), settings=FAST)
test_cosine = schedule_test(CosineDecay(0.1, 20), settings=FAST)


def square(x: NDArray[np.float64]) -> float:
    return float((x * x).sum())


def test_reports_are_read() -> None:
    report: Report = check_layer(Scale, shape=("n", "features"), max_examples=2, raises=False)
    assert report.passed
    assert [result.name for result in report if result.verdict == "passed"]
    assert str(explain(Linear(2, 2).build(), [[1.0, 2.0]]))
    assert relative_error(central_difference(square, np.ones(2)), 2 * np.ones(2)) < 1e-6


def test_what_no_check_takes_is_refused() -> None:
    assert refused(lambda: check_layer("Scale"))  # type: ignore[arg-type]
    assert refused(lambda: check_layer(Scale, shape="n"))  # type: ignore[arg-type]
    assert refused(lambda: explain(3, [[1.0]]))  # type: ignore[arg-type]
