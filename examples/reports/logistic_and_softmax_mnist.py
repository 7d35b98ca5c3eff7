"""Logistic and softmax regression on MNIST with early stopping and weight decay (a TDT4265 report, NTNU, 2021).

The first 20 000 training images; all 10 000 test images serve as the validation set. Pixels from -1 to 1, weights
from 0, float64, batches of 128 without the last short one. Validation every 20 % of an epoch, counted in steps over
the whole run from 0; with early stopping, up to 500 epochs and a patience of 10 validations, and the last weights are
reported. The penalty is lambda sum w^2 over all weights, biases too, and no loss that is shown contains it.

In file order nothing here is random, so the numbers come out to the last digit. Shuffled runs take their order from
numpy's legacy generator, as the report does: with seed 0 they are its runs too.
"""

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

import numpy as np
from images import mnist_signed
from matplotlib.figure import Figure
from report import Page, Row, main, seeds

from minidl import (
    L2,
    SGD,
    BinaryCrossEntropy,
    Dataset,
    EarlyStopping,
    Linear,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
    accuracy,
    binary_accuracy,
    plots,
)
from minidl.data import mnist
from minidl.experiments import PlannedRun, Results, grid, plan
from minidl.initializers import he_normal, zeros

STRENGTHS = (1.0, 0.1, 0.01, 0.001, 0.0)
HIDDEN_STRENGTHS = (1.0, 0.1, 0.01, 0.001, 0.0001, 0.0)
CURVES = ("training_loss", "validation_loss", "training_accuracy", "validation_accuracy")


def train(task: str, order: str, patience: int, *, seed: int, epochs: int, rows: int, held_out: int) -> dict[str, Any]:
    """One classifier; `order` is "file" or "shuffled", a patience of 0 means no early stopping."""
    return fit(
        task, np.random.RandomState(seed) if order == "shuffled" else None, 0.0, patience, epochs, rows, held_out
    )


def train_strengths(*, seed: int, epochs: int, rows: int, held_out: int) -> dict[str, Any]:
    """Ten classes with each strength of L2, one run after the other on one random stream, as the report has it."""
    stream, found = np.random.RandomState(seed), dict[str, Any]()
    for strength in STRENGTHS:
        run = fit("softmax", stream, strength, 10, epochs, rows, held_out)
        found |= {f"{name} {strength:g}": values for name, values in run.items()}
    return found


def fit(
    task: str,
    stream: np.random.RandomState | None,
    strength: float,
    patience: int,
    epochs: int,
    rows: int,
    held_out: int,
) -> dict[str, Any]:
    """Train one classifier; every name of what is returned says what it is over the course of the run."""
    training, validation = mnist_signed(rows, held_out)
    binary = task == "logistic"
    if binary:
        training, validation = two_or_three(training), two_or_three(validation)
    model = Sequential(Linear(784, 1 if binary else 10, weight_init=zeros)).build(dtype=np.float64)
    trainer = Trainer(
        model,
        BinaryCrossEntropy() if binary else SoftmaxCrossEntropy(),
        SGD(0.05 if binary else 0.01),
        regularizers=[L2(strength, names="*")],
        metrics={"accuracy": binary_accuracy if binary else accuracy},
        callbacks=[EarlyStopping(patience=patience)] if patience else [],
    )
    every = len(training) // 128 // 5
    history = trainer.fit(
        training,
        {"validation": validation, "training": training},
        epochs=epochs,
        batch_size=128,
        validate_every=lambda step: (step - 1) % every == 0,
        shuffle=False if stream is None else lambda epoch: stream.permutation(len(training)),
        drop_last=True,
        restore_best=False,
        progress=False,
    )
    names = ("validation_loss", "validation_accuracy", "training_loss", "training_accuracy")
    return {name: np.array(history.evaluations[name]) for name in names} | {
        "step": np.array(history.evaluations["step"]) - 1,
        "batch_loss": np.array(history.steps["loss"]),
        "stop_step": len(history.steps["step"]) - 1,
        "stop_epoch": (len(history.steps["step"]) - 1) // (len(training) // 128),
        "norm": float(np.linalg.norm(model.parameters.value)),
        "weight": model[0].weight.value,
    }


def two_or_three(data: Dataset) -> Dataset:
    """The rows with a 2 or a 3, in file order; the target is 1 for a 2, in a column of its own."""
    kept = data.where((data.targets == 2) | (data.targets == 3))
    return Dataset(kept.x, (kept.targets == 2).astype(np.float64)[:, None])


def train_hidden(strength: float, *, seed: int, epochs: int, rows: int, held_out: int) -> dict[str, Any]:
    """Ten classes by a network with one hidden layer of 64 ReLU; L2 on weights and biases, no early stopping."""
    training, validation = mnist_signed(rows, held_out)
    model = Sequential(Linear(784, 64, weight_init=he_normal), ReLU(), Linear(64, 10, weight_init=he_normal))
    trainer = Trainer(
        model.build(seed=seed, dtype=np.float64),
        SoftmaxCrossEntropy(),
        SGD(0.1),
        regularizers=[L2(strength, names="*")],
        metrics=[accuracy],
    )
    history = trainer.fit(
        training,
        {"validation": validation, "training": training},
        epochs=epochs,
        batch_size=128,
        seed=seed,
        drop_last=True,
        restore_best=False,
        progress=False,
    )
    found = {name: np.array(history.evaluations[name]) for name in CURVES}
    return found | {"norm": float(np.linalg.norm(model.parameters.value))}


def runs(options: Namespace) -> list[PlannedRun]:
    """2 against 3 in file order and shuffled, with and without early stopping; ten classes; five strengths.

    And what the report asks next: ten classes for 300 epochs, and L2 on a network with a hidden layer.
    """
    size, longest, whole, long, hidden = {"rows": 20_000, "held_out": 10_000}, 500, 50, 300, 40
    if options.quick:
        size, longest, whole, long, hidden = {"rows": 8_000, "held_out": 500}, 9, 9, 10, 2
    stopped, not_stopped = {"patience": 10, "epochs": longest}, {"patience": 0, "epochs": whole}
    logistic = [{"task": "logistic"} | stopped, {"task": "logistic"} | not_stopped]
    return [
        *plan(train, logistic, [0], order="file", **size),
        *plan(train, logistic, seeds(options, 10), order="shuffled", **size),
        *plan(train, [{"task": "softmax"} | stopped], seeds(options, 5), order="shuffled", **size),
        *plan(train_strengths, [{}], seeds(options, 5), epochs=longest, **size),
        *plan(train, [{"task": "softmax", "patience": 0, "epochs": long}], seeds(options, 2), order="shuffled", **size),
        *plan(train_hidden, grid(strength=HIDDEN_STRENGTHS), seeds(options, 3), epochs=hidden, **size),
    ]


def write_up(results: Results, page: Page, options: Namespace) -> None:
    """Tables and figures."""
    single = results.of(train)
    in_file_order, shuffled = single.where(order="file"), single.where(order="shuffled", task="logistic")
    two_against_three(in_file_order.where(patience=0), in_file_order.where(patience=10), page)
    effect_of_shuffling(in_file_order, shuffled, page)
    ten_classes(single.where(task="softmax"), page)
    weight_decay(results.of(train_strengths), page)
    page.say(
        "**For readers who compare.** The validation set of the report is the test set. Its early stopping keeps the "
        "last weights, where the text of the assignment asks for the best; so with lambda = 1 the run ends on a noisy "
        "iterate: compare its final with its highest accuracy."
    )


def last(results: Results, name: str) -> np.ndarray:
    """The last value of a curve, for each run."""
    return np.array([curve[-1] for curve in results.column(name)])


def of_the_report(results: Results) -> Results:
    """The run with the report's own random stream, seed 0; none where --seed left it out."""
    return Results([result for result in results if result.run.seed == 0])


def known_rows(
    results: Results, stop: int, ends: tuple[float, ...], reported: tuple[str | float, ...] = ("",) * 5
) -> list[Row]:
    """Where the run of seed 0 stops and ends; it is the report's own run, so everything about it is known."""
    own = of_the_report(results)
    if not own:
        return []
    step, *printed = reported
    rows = [Row("seed 0: stops at step (from 0)", step, own.array("stop_step"), (stop, stop), ".0f")]
    for name, end, said in zip(CURVES, ends, printed, strict=True):
        off = 2e-4 if "loss" in name else 5e-4
        rows.append(Row(f"seed 0: {name.replace('_', ' ')}", said, last(own, name), (end - off, end + off), form=".6f"))
    return rows


def curves_figure(runs: Mapping[str, Mapping[str, Any]], name: str, limits: tuple[float, float]) -> Figure:
    """A curve of several runs, or training and validation of one, over the steps."""
    if len(runs) == 1:
        (run,) = runs.values()
        shown = {"": {part: run[f"{part}_{name}"] for part in ("training", "validation")}}
    else:
        shown = {label: run[name] for label, run in runs.items()}
    steps = max((run["step"] for run in runs.values()), key=len)
    figure = plots.mean_curves(shown, x=steps, xlabel="step", ylabel=name.replace("_", " "))
    figure.axes[0].set_ylim(*limits)
    return figure


def two_against_three(whole: Results, stopped: Results, page: Page) -> None:
    """Logistic regression in file order: nothing is random."""
    page.section("2 against 3, in file order", "Nothing is random. The final table of the report, early stopping on:")
    reported = ("", ".071", ".066", ".976", ".979")
    page.compare(
        [
            *known_rows(stopped, 1038, (0.070887, 0.065772, 0.975780, 0.979432), reported),
            Row("stops in epoch (from 0)", "33", stopped.array("stop_epoch"), (33, 33), form=".0f"),
        ]
    )
    for kind, limits in (("loss", (0.0, 0.2)), ("accuracy", (0.92, 0.99))):
        caption = f"2 against 3 in file order, without early stopping: {kind} every 20 % of an epoch."
        page.figure(f"logistic_{kind}", curves_figure({"": whole[0].values}, kind, limits), caption)
    page.say("Without early stopping, where the curves of the report end too:")
    page.compare(known_rows(whole, 1549, (0.06509, 0.06523, 0.97928, 0.97894)))


def effect_of_shuffling(ordered: Results, shuffled: Results, page: Page) -> None:
    """The same with a new order in each epoch."""
    stopped = shuffled.where(patience=10)
    spread = {label: late_spread(group.where(patience=0)) for label, group in (("file", ordered), ("new", shuffled))}
    page.section("With shuffling", "Early stopping on. Seed 0 of the legacy generator is the report's own run.")
    page.compare(
        [
            *known_rows(stopped, 522, (0.07925, 0.07166, 0.97353, 0.97649)),
            Row("stops in epoch (from 0)", "", stopped.array("stop_epoch"), (8, 45)),
            Row("validation loss", "", last(stopped, "validation_loss"), (0.064, 0.077), form=".4f"),
            Row("validation accuracy", "", last(stopped, "validation_accuracy"), (0.974, 1.0), form=".4f"),
            Row("spikes: file order / shuffled", "", spread["file"].mean() / spread["new"], (1.4, np.inf), form=".2f"),
        ]
    )
    page.say("Spikes are the standard deviation of the validation accuracy after step 100, over 50 epochs.")
    both = {"file order": ordered.where(patience=10)[0].values, "shuffled": stopped[0].values}
    caption = "2 against 3: validation accuracy until early stopping."
    page.figure("shuffling_accuracy", curves_figure(both, "validation_accuracy", (0.92, 0.99)), caption)
    caption = "Training loss: mean of 10 steps in a row and their deviation (the legend of the report: variance)."
    page.figure("shuffling_loss", running_loss_figure(both), caption)


def late_spread(whole: Results) -> np.ndarray:
    """The standard deviation of the validation accuracy after step 100, for each run."""
    return np.array([r.values["validation_accuracy"][r.values["step"] > 100].std() for r in whole])


def running_loss_figure(runs: Mapping[str, Mapping[str, Any]], window: int = 10) -> Figure:
    """Mean and deviation of `window` consecutive batch losses, as a band."""
    groups = {}
    for label, run in runs.items():
        losses = run["batch_loss"]
        groups[label] = losses[: len(losses) // window * window].reshape(-1, window).T
    x = np.arange(max(group.shape[1] for group in groups.values())) * window + window / 2
    figure = plots.mean_curves(groups, x=x, xlabel="step", ylabel="training loss")
    figure.axes[0].set_ylim(0, 0.4)
    return figure


def ten_classes(group: Results, page: Page) -> None:
    """Softmax regression with early stopping, and where it begins to over-fit."""
    page.section("Ten classes", "Shuffled, early stopping on. Seed 0 of the legacy generator is the report's own run.")
    gaps = [(r.values["step"], r.values["training_accuracy"] - r.values["validation_accuracy"]) for r in group]
    early, late = (np.array([gap[np.argmin(np.abs(step - at))] for step, gap in gaps]) for at in (1000, 4000))
    end = np.array([gap[-1] for _, gap in gaps])
    page.compare(
        [
            *known_rows(
                group, 8184, (0.27919, 0.29802, 0.92245, 0.9151), ("about 8190", "", "about .298", ".9225", ".915")
            ),
            Row("stops at step", "", group.array("stop_step"), (6000, 13000), form=".0f"),
            Row("training accuracy", "", last(group, "training_accuracy"), (0.919, 0.929), form=".4f"),
            Row("validation loss", "", last(group, "validation_loss"), (0.290, 0.305), form=".4f"),
            Row("validation accuracy", "", last(group, "validation_accuracy"), (0.911, 0.919), form=".4f"),
            Row("training minus validation accuracy, step 1000", "", early, (-1.0, 0.0), form=".4f"),
            Row("training minus validation accuracy, step 4000", "above 0", late, form=".4f"),
            Row("training minus validation accuracy, end", "", end, (0.004, 1.0), form=".4f"),
        ]
    )
    for kind, limits in (("loss", (0.2, 0.6)), ("accuracy", (0.89, 0.93))):
        figure = curves_figure({"": group[0].values}, kind, limits)
        page.figure(f"softmax_{kind}", figure, f"Ten classes: {kind} until early stopping, first seed.")


# For each lambda: where the report's run stops (read off its figure 9, and exactly); the norm of the weights it prints,
# and where that and the highest validation accuracy lie.
DECAYED: dict[float, tuple[Any, ...]] = {
    1.0: (620, 620, 0.60, (0.59, 0.62), (0.81, 0.84)),
    0.1: (2330, 2325, 1.65, (1.64, 1.67), (0.878, 0.890)),
    0.01: (5080, 5084, 3.23, (3.10, 3.40), (0.905, 0.915)),
    0.001: (8960, 8959, "", (4.4, 5.1), (0.913, 0.920)),
    0.0: (8640, 8618, 5.03, (4.6, 5.5), (0.913, 0.920)),
}


def weight_decay(group: Results, page: Page) -> None:
    """Five strengths of L2: accuracies, norms, templates."""
    page.section(
        "L2 in five strengths",
        "Ten classes, one random stream through all five, from lambda 1 to 0: lambda 0 is another run than that above. "
        "The steps of the report are read off its figure 9, to about 30.",
    )
    own, rows = of_the_report(group), []
    for strength, (seen, stop, norm, norms, accuracies) in DECAYED.items():
        name = f"{strength:g}"
        if own:
            rows.append(
                Row(f"lambda {name}: seed 0 stops at", seen, own.array(f"stop_step {name}"), (stop, stop), form=".0f")
            )
        highest = np.array([curve.max() for curve in group.column(f"validation_accuracy {name}")])
        rows.append(Row(f"lambda {name}: highest validation accuracy", "", highest, accuracies, form=".4f"))
        rows.append(Row(f"lambda {name}: norm of the weights", norm, group.array(f"norm {name}"), norms, form=".4f"))
    measured = [group.array(f"norm {strength:g}") for strength in STRENGTHS]
    rows.append(
        Row("norms: smallest rise to the next smaller lambda", "", np.diff(measured, axis=0).min(), (0, np.inf), ".2f")
    )
    falls = [last(group, f"validation_accuracy {s:g}").mean() for s in STRENGTHS[2::-1]]
    rows.append(
        Row(
            "final validation accuracy: least fall, lambda 0.01 to 0.1 to 1",
            "",
            -np.diff(falls).max(),
            (0, np.inf),
            ".4f",
        )
    )
    rough = np.array([(roughness(r.values["weight 1"]) / roughness(r.values["weight 0"])).mean() for r in group])
    page.compare([*rows, Row("roughness of the templates, lambda 1 / lambda 0", "", rough, (0.0, 0.6), form=".2f")])
    page.say(
        "Roughness is the sum of squared Laplacians of a template over the sum of squares around its mean. The "
        "axis of the report's figure 10 says squared norm; its numbers, like these, are norms, biases included."
    )
    first = group[0].values
    for strength in (0, 1):
        figure = plots.weight_images(first[f"weight {strength}"], (28, 28), columns=10)
        page.figure(
            f"weights_lambda_{strength}", figure, f"Weights for lambda = {strength}, each digit with its own scale."
        )
    runs = {f"lambda {s:g}": {n: first[f"{n} {s:g}"] for n in (*CURVES, "step")} for s in STRENGTHS}
    for part in ("training", "validation"):
        figure = curves_figure(runs, f"{part}_accuracy", (0.7, 0.93))
        page.figure(f"{part}_accuracy_by_lambda", figure, f"The {part} accuracy until early stopping, first seed.")
    by_strength = np.stack(measured[::-1], axis=1)
    values = [f"{strength:g}" for strength in reversed(STRENGTHS)]
    figure = plots.error_bars({"": by_strength}, values, xlabel="lambda", ylabel="norm of the weights")
    page.figure(
        "norm_by_lambda",
        figure,
        "Norm of the weights, biases included, at equal distances of lambda: mean and deviation.",
    )


def roughness(weight: np.ndarray) -> np.ndarray:
    """For each template, sum of squared Laplacians over four neighbours / sum of squared deviations from its mean."""
    w = weight.T.reshape(-1, 28, 28)
    laplacian = w[:, :-2, 1:-1] + w[:, 2:, 1:-1] + w[:, 1:-1, :-2] + w[:, 1:-1, 2:] - 4 * w[:, 1:-1, 1:-1]
    rough: np.ndarray = (laplacian**2).sum(axis=(1, 2)) / ((w - w.mean(axis=(1, 2), keepdims=True)) ** 2).sum(
        axis=(1, 2)
    )
    return rough


if __name__ == "__main__":
    main("logistic_and_softmax_mnist", __doc__, runs, write_up, mnist)
