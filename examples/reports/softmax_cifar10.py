"""Softmax regression on CIFAR-10: learning rate and weight decay (a DD2424 report, KTH, 2025).

10 000 training, 10 000 validation and 10 000 test images, standardized per pixel with the training set's mean and
deviation; W from N(0, 0.01^2), b = 0; batches of 100 in a new order every epoch, 40 epochs of plain SGD; the cost is
the mean cross-entropy + lambda sum W^2. Four settings of (eta, lambda).
"""

from argparse import Namespace
from dataclasses import replace
from typing import Any

import numpy as np
from images import cifar10_standardized
from matplotlib.figure import Figure
from report import Page, Row, main, seeds

from minidl import L2, SGD, BinaryCrossEntropy, Linear, Sequential, SoftmaxCrossEntropy, Trainer, accuracy, plots
from minidl.data import cifar10, one_hot
from minidl.data.cifar import CLASSES
from minidl.experiments import PlannedRun, Results, plan
from minidl.initializers import normal
from minidl.testing import central_difference, complex_step, relative_error

SETS = ("training", "validation", "test")
CASES = {
    "eta 0.1, lambda 0": {"eta": 0.1, "strength": 0.0},
    "eta 0.001, lambda 0": {"eta": 0.001, "strength": 0.0},
    "eta 0.001, lambda 0.1": {"eta": 0.001, "strength": 0.1},
    "eta 0.001, lambda 1": {"eta": 0.001, "strength": 1.0},
}
SLOW = {"eta": 0.00001, "strength": 0.0}  # "a rate that is too small": a hundredth


def train(
    head: str, eta: float, strength: float, fitted_on: str, *, seed: int, epochs: int, rows: int
) -> dict[str, Any]:
    """One linear classifier with either loss: curves over the epochs, weights, probabilities on the test set."""
    sets = dict(zip(SETS, cifar10_standardized(rows, rows), strict=True))
    labels = sets["test"].targets
    loss = SoftmaxCrossEntropy() if head == "softmax" else BinaryCrossEntropy()  # the mean of ten, so a factor 1/K
    if head == "BCE":
        sets = {name: replace(data, targets=one_hot(data.targets, 10)) for name, data in sets.items()}
    model = Sequential(Linear(3072, 10, weight_init=normal(0.01))).build(seed=seed)
    trainer = Trainer(model, loss, SGD(eta), regularizers=[L2(strength)], metrics=[accuracy])
    history = trainer.fit(
        sets[fitted_on],
        sets,
        epochs=epochs,
        batch_size=100,
        drop_last=True,
        seed=seed,
        restore_best=False,  # the weights of the last epoch are reported
        raise_divergence=False,
        progress=False,
    )
    probabilities = loss.probabilities(model.predict(sets["test"].x))
    return {name: np.array(column) for name, column in history.evaluations.items()} | {
        "weight": model[0].weight.value,
        "true_probability": probabilities[np.arange(len(labels)), labels],
        "right": probabilities.argmax(axis=1) == labels,
    }


def runs(options: Namespace) -> list[PlannedRun]:
    """Four settings, and each once more fitted on the test set, to show where a number of the report comes from."""
    size = {"epochs": 2, "rows": 400} if options.quick else {"epochs": 40, "rows": 10_000}
    return [
        *plan(train, CASES.values(), seeds(options, 10), head="softmax", fitted_on="training", **size),
        *plan(train, CASES.values(), seeds(options, 3), head="softmax", fitted_on="test", **size),
        *plan(train, [SLOW], seeds(options, 3), head="softmax", fitted_on="training", **size),
    ]


# Accuracies in %. After epoch 1 and 40 on training and "test" in the report of 4 April; after 40 in its correction
# of 22 April; where a correct implementation lands.
FIRST_VERSION = {
    "eta 0.1, lambda 0": {"training": (26.72, 39.48), "test": (29.77, 43.31)},
    "eta 0.001, lambda 0": {"training": (30, 45.17), "test": (30.72, 45.59)},
    "eta 0.001, lambda 0.1": {"training": (30.07, 44.87), "test": (30.76, 44.72)},
    "eta 0.001, lambda 1": {"training": (30.3, 40), "test": (31.01, 38.99)},
}
CORRECTED = {
    "eta 0.1, lambda 0": (46.93, 30.44, 30.46),
    "eta 0.001, lambda 0": (45.36, 38.55, 39.34),
    "eta 0.001, lambda 0.1": (44.78, 39.03, 38.99),
    "eta 0.001, lambda 1": (39.99, 36.46, 37.39),
}
LANDS = {
    "eta 0.1, lambda 0": ((28, 50), None, (20, 33)),
    "eta 0.001, lambda 0": ((43.3, 46.5), (37.3, 40.0), (37.8, 40.2)),
    "eta 0.001, lambda 0.1": ((42.5, 45.8), (37.6, 40.2), (37.9, 40.2)),
    "eta 0.001, lambda 1": ((38.0, 40.8), (35.5, 38.5), (35.8, 38.3)),
}
FITTED_ON_TEST = {
    "eta 0.001, lambda 0": (43.5, 46.5),
    "eta 0.001, lambda 0.1": (42.8, 45.8),
    "eta 0.001, lambda 1": (38, 40.5),
}


def percent(results: Results, name: str, epoch: int = -1) -> np.ndarray:
    """A recorded accuracy after one epoch, in %, for each seed."""
    return np.array([100 * curve[epoch] for curve in results.column(f"{name}_accuracy")])


def by_case(results: Results) -> dict[str, Results]:
    """The runs of each of the four settings."""
    return {label: results.where(**case) for label, case in CASES.items()}


def write_up(results: Results, page: Page, options: Namespace) -> None:
    """Tables and figures."""
    own = results.of(train).where(head="softmax")
    honest = by_case(own.where(fitted_on="training"))
    page.section("Accuracy in %, after the last epoch", "Reported: the correction of 22 April.")
    page.compare(
        Row(f"{label}: {name}", reported, percent(group, name), interval)
        for label, group in honest.items()
        for name, reported, interval in zip(SETS, CORRECTED[label], LANDS[label], strict=True)
    )
    page.section("Accuracy in %, after the first epoch", "Reported: the report of 4 April, training set only.")
    page.compare(
        Row(
            f"{label}: {name}",
            FIRST_VERSION[label]["training"][0] if name == "training" else "",
            percent(group, name, 0),
            (28.5, 31.5) if name == "training" and "0.001" in label else None,
        )
        for label, group in honest.items()
        for name in SETS
    )
    page.section("What follows, in points of accuracy")
    page.compare(differences(*honest.values()))
    artefact_section(by_case(own.where(fitted_on="test")), page)
    page.section("Figures")
    for kind in ("loss", "cost"):
        caption = f"The {kind} after every epoch: mean and deviation over {len(seeds(options, 10))} seeds."
        page.figure(f"{kind}_curves", curves_figure(honest, kind), caption)
    page.figure(
        "weights", weights_figure(honest), "The template of each class after the last epoch, each with its own scale."
    )
    gradient_section(page)
    page.say(
        "**For readers who compare.** Figure 8 of the report shows lambda 1 (its caption says 0.1); figure 7 shows 40 "
        "epochs (its caption says n_batch); its text calls the rows of its W columns."
    )


def differences(wild: Results, plain: Results, light: Results, heavy: Results) -> list[Row]:
    """What the report concludes, as differences."""
    test = [percent(group, "test").mean() for group in (wild, plain, light, heavy)]
    gaps = [percent(group, "training").mean() - percent(group, "test").mean() for group in (plain, light, heavy)]
    jumps = np.array([np.abs(np.diff(loss)).max() for loss in wild.column("training_loss")])
    ends = np.array([loss[-1] for loss in wild.column("validation_loss")])
    return [
        Row("test: eta 0.001 above eta 0.1", 8.88, test[1] - test[0], (5, np.inf)),
        Row("test: lambda 0.1 beside 0, distance", 0.35, abs(test[2] - test[1]), (0, 1.2)),
        Row("test: lambda 1 below 0", 1.95, test[1] - test[3], (0.8, np.inf)),
        Row("test: lambda 1 below 0.1", 1.6, test[2] - test[3], (0.8, np.inf)),
        Row("training minus test: lambda 0 less lambda 0.1", 0.23, gaps[0] - gaps[1], (0, np.inf)),
        Row("training minus test: lambda 0.1 less lambda 1", 3.19, gaps[1] - gaps[2], (0, np.inf)),
        Row("eta 0.1: largest change of the training loss in an epoch", "", jumps, (0.5, np.inf)),
        Row("eta 0.1: validation loss at the end", "", ends, (3, np.inf)),
    ]


def artefact_section(fitted_on_test: dict[str, Results], page: Page) -> None:
    """Where the first "test" numbers of the report come from."""
    page.section(
        "Accuracies of classifiers fitted to the test set",
        "The first version of the report, of 4 April, has test accuracies after fits to the test set; its correction "
        "of 22 April, used above, does not. Both can be reproduced:",
    )
    page.compare(
        Row(
            f"{label}, fitted on the test set: test, {when} epoch",
            FIRST_VERSION[label]["test"][epoch],
            percent(group, "test", epoch),
            FITTED_ON_TEST.get(label) if epoch else None,
        )
        for label, group in fitted_on_test.items()
        for epoch, when in ((0, "first"), (-1, "last"))
    )


def gradient_section(page: Page) -> None:
    """The report's gradient check, against exact derivatives and against differences."""
    page.section(
        "Gradient check",
        "10 inputs, 10 classes, 3 rows, float64, seed 0: the largest |a - n| / max(1e-6, |a| + |n|) over the entries "
        "of W and of b. The report compares with automatic differentiation. Complex steps are as exact as that; "
        "central "
        "differences (h = 1e-5) cannot be.",
    )
    rows = []
    for strength in (0.0, 0.1, 1.0):
        for (name, most), error in zip(GRADIENT_CHECKS.items(), gradient_errors(strength), strict=True):
            reported = (
                {"W, complex step": "1.09e-15", "b, complex step": "9.78e-17"}.get(name, "") if strength == 0 else ""
            )
            rows.append(Row(f"lambda {strength:g}: {name}", reported, error, (0, most), ".1e"))
    page.compare(rows)


GRADIENT_CHECKS = {"W, complex step": 1e-12, "b, complex step": 1e-12, "W, central": 1e-6, "b, central": 1e-6}


def gradient_errors(strength: float, d: int = 10, n: int = 3) -> list[float]:
    """Relative errors of W and b against complex steps, then against central differences."""
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((n, d)), rng.integers(0, 10, n)
    model = Sequential(Linear(d, 10, weight_init=normal(0.01))).build(seed=0, dtype=np.float64)
    loss, weight, bias = SoftmaxCrossEntropy(), model[0].weight, model[0].bias
    loss.forward(model.forward(x), labels)
    model.backward(loss.backward())
    L2(strength)(model.parameters)

    def cost(W: np.ndarray, b: np.ndarray) -> Any:  # written out once more, for real and complex numbers
        scores = x @ W + b
        losses = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(n), labels]
        return losses.mean() + strength * (W * W).sum()

    W, b = weight.value.copy(), bias.value.copy()
    return [
        relative_error(analytic, numeric, floor=1e-6)
        for method in (complex_step, lambda f, at: central_difference(f, at, step=1e-5))
        for analytic, numeric in (
            (weight.grad, method(lambda w: cost(w, b), W)),
            (bias.grad, method(lambda v: cost(W, v), b)),
        )
    ]


def curves_figure(named: dict[str, Results], kind: str) -> Figure:
    """Loss or cost of training and validation against the epoch, a panel for each setting."""
    figure = Figure(figsize=(6.4, 2.3 * (len(named) // 2)), dpi=150, layout="constrained")
    for ax, (label, group) in zip(figure.subplots(len(named) // 2, 2).flat, named.items(), strict=True):
        curves = {"": {name: group.array(f"{name}_{kind}") for name in ("training", "validation")}}
        plots.mean_curves(curves, ylabel=kind, ax=ax)
        ax.set_title(label, fontsize=9)
    return figure


def weights_figure(named: dict[str, Results]) -> Figure:
    """A row of ten templates for each setting, of its first seed."""
    figure = Figure(figsize=(6.4, 0.85 * len(named) + 0.2), dpi=150, layout="constrained")
    panels = figure.subplots(len(named), 1, height_ratios=[1.3, *[1] * (len(named) - 1)])  # names above the first
    for place, (ax, (label, group)) in enumerate(zip(panels, named.items(), strict=True)):
        titles = [] if place else CLASSES
        plots.weight_images(group[0].values["weight"], (3, 32, 32), columns=10, titles=titles, ax=ax)
        ax.set_title(label, fontsize=9)
    return figure


if __name__ == "__main__":
    main("softmax_cifar10", __doc__, runs, write_up, cifar10)
