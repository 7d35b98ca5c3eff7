"""Logistic and softmax regression on MNIST with early stopping and weight decay (a TDT4265 report, NTNU, 2021).

The first 20 000 training images; all 10 000 test images serve as the validation set. Pixels from -1 to 1, weights
from 0, float64, batches of 128 without the last short one. Validation every 20 % of an epoch, counted in steps over
the whole run from 0; with early stopping, up to 500 epochs and a patience of 10 validations, and the last weights are
reported. The penalty is lambda sum w^2 over all weights, biases too, and no loss that is shown contains it.

In file order nothing here is random, so the numbers come out to the last digit. Shuffled runs take their order from
numpy's legacy generator, as the report does: with seed 0 they are its runs too.
"""

from argparse import Namespace

import numpy as np
from images import mnist_signed
from report import Page, Row, main, seeds

from minidl import (
    L2,
    SGD,
    BinaryCrossEntropy,
    Dataset,
    EarlyStopping,
    Linear,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
    accuracy,
    binary_accuracy,
    plots,
)
from minidl.data import mnist
from minidl.experiments import Results, Run, plan
from minidl.initializers import zeros

STRENGTHS = (1.0, 0.1, 0.01, 0.001, 0.0)


def train(task, order, patience, *, seed, epochs, rows, held_out):
    """One classifier; `order` is "file" or "shuffled", a patience of 0 means no early stopping."""
    return fit(
        task, np.random.RandomState(seed) if order == "shuffled" else None, 0.0, patience, epochs, rows, held_out
    )


def train_strengths(*, seed, epochs, rows, held_out):
    """Ten classes with each strength of L2, one run after the other on one random stream, as the report has it."""
    stream, found = np.random.RandomState(seed), {}
    for strength in STRENGTHS:
        run = fit("softmax", stream, strength, 10, epochs, rows, held_out)
        found |= {f"{name} {strength:g}": values for name, values in run.items()}
    return found


def fit(task, stream, strength, patience, epochs, rows, held_out):
    """Train one classifier; every name of what is returned says what it is over the course of the run."""
    training, validation = mnist_signed(rows, held_out)
    outputs, lr, loss, metric = 10, 0.01, SoftmaxCrossEntropy(), accuracy
    if task == "logistic":
        training, validation = two_or_three(training), two_or_three(validation)
        outputs, lr, loss, metric = 1, 0.05, BinaryCrossEntropy(), binary_accuracy
    model = Sequential(Linear(784, outputs, weight_init=zeros)).build(dtype=np.float64)
    trainer = Trainer(
        model,
        loss,
        SGD(lr),
        regularizers=[L2(strength, names="*")],
        metrics={"accuracy": metric},
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


def two_or_three(data):
    """The rows with a 2 or a 3, in file order; the target is 1 for a 2, in a column of its own."""
    kept = data.where((data.targets == 2) | (data.targets == 3))
    return Dataset(kept.x, (kept.targets == 2).astype(np.float64)[:, None])


def runs(options: Namespace) -> list[Run]:
    """2 against 3 in file order and shuffled, with and without early stopping; ten classes; five strengths."""
    size = {"rows": 20_000, "held_out": 10_000}
    stopped, whole = {"patience": 10, "epochs": 500}, {"patience": 0, "epochs": 50}
    if options.quick:
        size, stopped, whole = (
            {"rows": 8_000, "held_out": 500},
            {"patience": 10, "epochs": 9},
            {"patience": 0, "epochs": 9},
        )
    logistic, softmax = {"task": "logistic"}, {"task": "softmax"}
    return [
        *plan(train, [logistic | stopped, logistic | whole], [0], order="file", **size),
        *plan(train, [logistic | stopped, logistic | whole], seeds(options, 10), order="shuffled", **size),
        *plan(train, [softmax | stopped], seeds(options, 5), order="shuffled", **size),
        *plan(train_strengths, [{}], seeds(options, 5), epochs=stopped["epochs"], **size),
    ]


def write_up(results: Results, page: Page, options: Namespace) -> None:
    """Tables and figures."""
    single = results.of(train)
    in_file_order, shuffled = single.where(order="file"), single.where(order="shuffled", task="logistic")
    two_against_three(in_file_order.where(patience=0), in_file_order.where(patience=10), page)
    effect_of_shuffling(in_file_order, shuffled, page)
    ten_classes(single.where(task="softmax"), page)
    weight_decay(results.of(train_strengths), page)


def last(results: Results, name: str) -> np.ndarray:
    """The last value of a curve, for each run."""
    return np.array([curve[-1] for curve in results.values(name)])


def two_against_three(whole: Results, stopped: Results, page: Page) -> None:
    """Logistic regression in file order: nothing is random."""
    page.say("**2 against 3, in file order** (deterministic). The final table of the report, early stopping on:")
    page.compare(
        [
            Row("stops at step (from 0)", 1038, stopped.array("stop_step"), (1038, 1038), digits=0),
            Row("stops in epoch (from 0)", 33, stopped.array("stop_epoch"), (33, 33), digits=0),
            Row("training loss", 0.071, last(stopped, "training_loss"), (0.070687, 0.071087), digits=6),
            Row("validation loss", 0.066, last(stopped, "validation_loss"), (0.065572, 0.065972), digits=6),
            Row("training accuracy", 0.976, last(stopped, "training_accuracy"), (0.975280, 0.976280), digits=6),
            Row("validation accuracy", 0.979, last(stopped, "validation_accuracy"), (0.978932, 0.979932), digits=6),
        ]
    )
    run = whole[0].values
    for kind in ("loss", "accuracy"):
        curves = {"": {name: run[f"{name}_{kind}"] for name in ("training", "validation")}}
        figure = plots.mean_curves(curves, x=run["step"], xlabel="step", ylabel=kind)
        if kind == "loss":
            figure.axes[0].set_ylim(0, 0.2)
        else:
            figure.axes[0].set_ylim(0.93, 0.99)
        page.figure(f"logistic_{kind}", figure, f"2 against 3 in file order, 50 epochs: {kind} every 20 % of an epoch.")
    page.say("Without early stopping, after 50 epochs (read off the report's figures: the same end points):")
    page.compare(
        [
            Row("training loss", "", last(whole, "training_loss"), (0.06489, 0.06529), digits=5),
            Row("validation loss", "", last(whole, "validation_loss"), (0.06503, 0.06543), digits=5),
            Row("training accuracy", "", last(whole, "training_accuracy"), (0.97878, 0.97978), digits=5),
            Row("validation accuracy", "", last(whole, "validation_accuracy"), (0.97844, 0.97944), digits=5),
        ]
    )


def effect_of_shuffling(ordered: Results, shuffled: Results, page: Page) -> None:
    """The same with a new order in each epoch."""
    stopped = shuffled.where(patience=10)
    legacy = Results([result for result in stopped if result.run.seed == 0])
    page.say("**With shuffling**, early stopping on. Seed 0 is the report's own run:")
    rows = []
    if len(legacy):
        rows = [
            Row("seed 0: stops at step", 522, legacy.array("stop_step"), (522, 522), digits=0),
            Row("seed 0: training loss", "", last(legacy, "training_loss"), (0.07905, 0.07945), digits=5),
            Row("seed 0: validation loss", "", last(legacy, "validation_loss"), (0.07146, 0.07186), digits=5),
            Row("seed 0: training accuracy", "", last(legacy, "training_accuracy"), (0.97303, 0.97403), digits=5),
            Row("seed 0: validation accuracy", "", last(legacy, "validation_accuracy"), (0.97599, 0.97699), digits=5),
        ]
    late = {
        order: spread_after_100(group.where(patience=0)) for order, group in (("file", ordered), ("shuffled", shuffled))
    }
    page.compare(
        [
            *rows,
            Row("all seeds: stops in epoch", 16, stopped.array("stop_epoch"), (8, 45)),
            Row("all seeds: validation loss", "", last(stopped, "validation_loss"), (0.064, 0.077), digits=4),
            Row("all seeds: validation accuracy", "", last(stopped, "validation_accuracy"), (0.974, 1.0), digits=4),
            Row(
                "validation accuracy after step 100: deviation in file order / shuffled",
                "",
                late["file"].mean() / late["shuffled"],
                (1.4, np.inf),
                digits=2,
            ),
        ]
    )
    both = {"file order": ordered.where(patience=10)[0], "shuffled": stopped[0]}
    longest = max((run.values["step"] for run in both.values()), key=len)
    figure = plots.mean_curves(
        {k: r.values["validation_accuracy"] for k, r in both.items()},
        x=longest,
        xlabel="step",
        ylabel="validation accuracy",
    )
    figure.axes[0].set_ylim(0.93, 0.99)
    page.figure("shuffling_accuracy", figure, "2 against 3: validation accuracy until early stopping.")
    page.figure(
        "shuffling_loss",
        running_loss_figure(both),
        "Training loss: mean of 10 steps in a row, and their standard deviation (the report's legend says variance).",
    )


def spread_after_100(whole: Results) -> np.ndarray:
    """The standard deviation of the validation accuracy after step 100, for each run."""
    return np.array([r.values["validation_accuracy"][r.values["step"] > 100].std() for r in whole])


def running_loss_figure(both, window: int = 10):
    """Mean and deviation of `window` consecutive batch losses, as a band."""
    groups = {}
    for label, run in both.items():
        losses = run.values["batch_loss"]
        groups[label] = losses[: len(losses) // window * window].reshape(-1, window).T
    x = np.arange(max(g.shape[1] for g in groups.values())) * window + window / 2
    figure = plots.mean_curves(groups, x=x, xlabel="step", ylabel="training loss")
    figure.axes[0].set_ylim(0, 0.4)
    return figure


def ten_classes(group: Results, page: Page) -> None:
    """Softmax regression with early stopping, and where it begins to over-fit."""
    page.say("**Ten classes**, shuffled, early stopping on. Seed 0 is the report's own run.")
    legacy = Results([result for result in group if result.run.seed == 0])
    rows = []
    if len(legacy):
        rows = [
            Row("seed 0: stops at step", 8184, legacy.array("stop_step"), (8184, 8184), digits=0),
            Row("seed 0: training loss", "", last(legacy, "training_loss"), (0.27899, 0.27939), digits=5),
            Row("seed 0: validation loss", 0.298, last(legacy, "validation_loss"), (0.29782, 0.29822), digits=5),
            Row("seed 0: training accuracy", 0.9225, last(legacy, "training_accuracy"), (0.92195, 0.92295), digits=5),
            Row("seed 0: validation accuracy", 0.915, last(legacy, "validation_accuracy"), (0.9146, 0.9156), digits=4),
        ]
    gap = [r.values["training_accuracy"] - r.values["validation_accuracy"] for r in group]
    early = np.array(
        [g[np.searchsorted(r.values["step"], min(1000, r.values["step"][-1]))] for g, r in zip(gap, group, strict=True)]
    )
    page.compare(
        [
            *rows,
            Row("stops at step", "", group.array("stop_step"), (6000, 13000), digits=0),
            Row("training accuracy", "", last(group, "training_accuracy"), (0.919, 0.929), digits=4),
            Row("validation loss", "", last(group, "validation_loss"), (0.290, 0.305), digits=4),
            Row("validation accuracy", "", last(group, "validation_accuracy"), (0.911, 0.919), digits=4),
            Row("training minus validation accuracy at step 1000", "", early, (-1.0, 0.0), digits=4),
            Row(
                "training minus validation accuracy at the end",
                "",
                np.array([g[-1] for g in gap]),
                (0.004, 1.0),
                digits=4,
            ),
        ]
    )
    run = group[0].values
    for kind, limits in (("loss", (0.2, 0.6)), ("accuracy", (0.89, 0.93))):
        curves = {"": {name: run[f"{name}_{kind}"] for name in ("training", "validation")}}
        figure = plots.mean_curves(curves, x=run["step"], xlabel="step", ylabel=kind)
        figure.axes[0].set_ylim(*limits)
        page.figure(f"softmax_{kind}", figure, f"Ten classes: {kind} until early stopping, first seed.")


# For each lambda: the step at which the report's run stops, its norm of the weights, and where both may lie.
NORMS = {
    1.0: (620, 0.60, (0.59, 0.62)),
    0.1: (2330, 1.65, (1.64, 1.67)),
    0.01: (5080, 3.23, (3.10, 3.40)),
    0.001: (8960, "", (4.4, 5.1)),
    0.0: (8640, 5.03, (4.6, 5.5)),
}
EXACT_STOPS = {1.0: 620, 0.1: 2325, 0.01: 5084, 0.001: 8959, 0.0: 8618}
BEST_ACCURACY = {
    1.0: (0.81, 0.84),
    0.1: (0.878, 0.890),
    0.01: (0.905, 0.915),
    0.001: (0.913, 0.920),
    0.0: (0.913, 0.920),
}


def weight_decay(group: Results, page: Page) -> None:
    """Five strengths of L2: accuracies, norms, templates."""
    page.say("**L2 in five strengths**, ten classes. Steps of the report are read off its figure 9.")
    rows, legacy = [], Results([result for result in group if result.run.seed == 0])
    for strength in STRENGTHS:
        stop, norm, interval = NORMS[strength]
        label = f"lambda {strength:g}"
        if len(legacy):
            exact = EXACT_STOPS[strength]
            rows.append(
                Row(
                    f"{label}: seed 0 stops at step",
                    stop,
                    legacy.array(f"stop_step {label[7:]}"),
                    (exact, exact),
                    digits=0,
                )
            )
        best = np.array([curve.max() for curve in group.values(f"validation_accuracy {strength:g}")])
        rows.append(Row(f"{label}: highest validation accuracy", "", best, BEST_ACCURACY[strength], digits=4))
        rows.append(Row(f"{label}: norm of the weights", norm, group.array(f"norm {strength:g}"), interval, digits=4))
    ratio = np.array([roughness(r.values["weight 1"]) / roughness(r.values["weight 0"]) for r in group])
    rows.append(Row("roughness of the templates, lambda 1 / lambda 0", "", ratio.mean(axis=1), (0.0, 0.6), digits=2))
    page.compare(rows)
    page.say("The vertical axis of the report's figure 10 says squared norm; its numbers, like ours, are norms.")
    first = group[0].values
    for strength in (0, 1):
        figure = plots.weight_images(first[f"weight {strength}"], (28, 28), titles=[str(digit) for digit in range(10)])
        page.figure(
            f"weights_lambda_{strength}", figure, f"Weights for lambda = {strength}, each digit with its own scale."
        )
    curves = {
        f"lambda {s:g}": {name: first[f"{name}_accuracy {s:g}"] for name in ("training", "validation")}
        for s in STRENGTHS
    }
    longest = max((first[f"step {s:g}"] for s in STRENGTHS), key=len)
    figure = plots.mean_curves(curves, x=longest, xlabel="step", ylabel="accuracy")
    figure.axes[0].set_ylim(0.7, 0.93)
    page.figure("accuracy_by_lambda", figure, "Accuracy until early stopping, first seed.")
    norms = np.stack([group.array(f"norm {s:g}") for s in reversed(STRENGTHS)], axis=1)
    figure = plots.error_bars(
        {"": norms}, [f"{s:g}" for s in reversed(STRENGTHS)], xlabel="lambda", ylabel="norm of the weights"
    )
    page.figure("norm_by_lambda", figure, "Norm of the weights, biases included, against lambda.")


def roughness(weight: np.ndarray) -> np.ndarray:
    """For each template, sum of squared Laplacians over four neighbours / sum of squared deviations from its mean."""
    images = weight.T.reshape(-1, 28, 28)
    inner = images[:, 1:-1, 1:-1]
    laplacian = images[:, :-2, 1:-1] + images[:, 2:, 1:-1] + images[:, 1:-1, :-2] + images[:, 1:-1, 2:] - 4 * inner
    return (laplacian**2).sum(axis=(1, 2)) / ((images - images.mean(axis=(1, 2), keepdims=True)) ** 2).sum(axis=(1, 2))


if __name__ == "__main__":
    main("logistic_and_softmax_mnist", __doc__, runs, write_up, mnist)
