"""Table 1 of the report on softmax and binary cross-entropies: four settings on 10 000 images."""

import numpy as np
from report import Page, Row, ends, with_spread
from softmax_accuracies import LANDS, explained
from softmax_figures import curves_caption, curves_figure, weights_figure
from softmax_measures import jumps
from softmax_runs import SETS, percent
from verdicts import above, standard_error

from minidl.experiments import Results

REPORTED = {  # accuracies in % for training, validation and test
    "eta 0.1, lambda 0": ("42.95", "26.32", "27.00"),
    "eta 0.001, lambda 0": ("45.57", "38.46", "39.21"),
    "eta 0.001, lambda 0.1": ("44.63", "38.62", "39.30"),
    "eta 0.001, lambda 1": ("39.85", "36.32", "37.55"),
}


def table_1(groups: dict[str, Results], page: Page) -> None:
    """The numbers, what the report says of them, the curves and the templates."""
    page.section("Table 1: accuracy in % on 10 000 images, after the last epoch")
    page.compare(
        explained(Row(f"{label}: {name}", reported, percent(group, name), interval), page.name)
        for label, group in groups.items()
        for name, reported, interval in zip(SETS, REPORTED[label], LANDS[label], strict=True)
    )
    of_the_rate(groups, page)
    of_the_penalty(groups, page)
    best_of_the_four(groups, page)
    caption = curves_caption("The loss in the four settings of table 1", min(map(len, groups.values())))
    page.figure("loss_curves", curves_figure(groups, "loss"), caption)
    page.figure("weights", weights_figure(groups), "The templates of the four settings, each with its own scale.")


def largest_rise(group: Results, name: str) -> np.ndarray:
    """By how much a curve rises from one epoch to the next, at most, for each seed."""
    return np.array([max(0.0, float(np.diff(curve).max(initial=0))) for curve in group.column(name)])


def gap(group: Results) -> np.ndarray:
    """Training minus test accuracy in points, for each seed."""
    apart: np.ndarray = percent(group, "training") - percent(group, "test")
    return apart


def of_the_rate(groups: dict[str, Results], page: Page) -> None:
    """The sentences about eta."""
    wild, plain, *_ = groups.values()
    falls = np.array([100 * -np.diff(curve).min(initial=0) for curve in wild.column("validation_accuracy")])
    page.claim(
        "A high learning rate leads to unstable training, with validation accuracy dropping sharply.",
        bool(falls.mean() > 3),
        f"with eta 0.1 it drops by up to {with_spread(falls)} points from one epoch to the next, and ends at "
        f"{with_spread(percent(wild, 'validation'))} %",
    )
    first, last = ends(wild, "training_loss", 0), ends(wild, "training_loss")
    page.claim(
        "With a high learning rate this suggests divergence.",
        bool(last.mean() > first.mean()),
        f"the training loss is {with_spread(first)} after the first epoch, {with_spread(last)} after the last"
        + ("" if last.mean() > first.mean() else ": it does not grow"),
    )
    page.claim(
        "A large learning rate destabilizes training.",
        bool(jumps(wild, "training_loss").mean() > 0.5),
        f"the training loss changes by up to {with_spread(jumps(wild, 'training_loss'))} from one epoch to the next",
    )
    page.claim(
        "With a high learning rate generalization is poor, with a small one effective.",
        bool(gap(wild).mean() > gap(plain).mean()) and bool(percent(plain, "test").mean() > 30),
        f"training accuracy lies {with_spread(gap(wild))} points above test accuracy with eta 0.1, "
        f"{with_spread(gap(plain))} with 0.001",
    )
    rises = {label: largest_rise(group, "training_loss") for label, group in groups.items()}
    small = [label for label in groups if label != "eta 0.1, lambda 0"]
    page.claim(
        "A small learning rate ensures stable convergence, with smooth loss curves.",
        bool(max(rises[label].mean() for label in small) < rises["eta 0.1, lambda 0"].mean() / 100),
        "from one epoch to the next the training loss rises by at most "
        + "; ".join(f"{with_spread(rise, '.4f')} ({label})" for label, rise in rises.items()),
    )
    test = {label: percent(group, "test") for label, group in groups.items()}
    page.claim(
        "A small learning rate results in the highest test accuracy.",
        max(test, key=lambda label: float(test[label].mean())) != "eta 0.1, lambda 0",
        "; ".join(f"{label}: {with_spread(values)}" for label, values in test.items()),
    )


def of_the_penalty(groups: dict[str, Results], page: Page) -> None:
    """The sentences about lambda."""
    _, plain, light, heavy = groups.values()
    changes = {name: percent(light, name) - percent(plain, name) for name in SETS}
    better, count = int((changes["validation"] > 0).sum()), len(changes["validation"])
    page.claim(
        "Lambda 0.1 slightly improves validation accuracy.",
        above(float(changes["validation"].mean()), standard_error(changes["validation"])),
        f"{with_spread(changes['validation'], '+.2f')} points from the same initial weights and order"
        + (f", more than 0 with {better} of {count} seeds" if count > 1 else "; a single run decides nothing so small"),
    )
    allowed = float(REPORTED["eta 0.001, lambda 0"][0]) - float(REPORTED["eta 0.001, lambda 0.1"][0])
    page.claim(
        "Lambda 0.1 keeps training accuracy nearly unchanged.",
        bool(abs(changes["training"].mean()) <= allowed),
        f"{with_spread(changes['training'], '+.2f')} points; in the report's table {-allowed:+.2f}",
    )
    page.claim(
        "Moderate regularization can enhance generalization.",
        above(float(changes["test"].mean()), standard_error(changes["test"])),
        f"with lambda 0.1 test accuracy moves by {with_spread(changes['test'], '+.2f')} points, and training accuracy "
        f"lies {with_spread(gap(light))} points above it instead of {with_spread(gap(plain))}",
    )
    page.claim(
        "Lambda 1 harms generalization.",
        bool(percent(heavy, "test").mean() < percent(plain, "test").mean()),
        f"test accuracy {with_spread(percent(heavy, 'test'))} beside {with_spread(percent(plain, 'test'))}",
    )
    page.claim(
        "Excessive regularization reduces model capacity.",
        bool(percent(heavy, "training").mean() < percent(plain, "training").mean() - 1),
        f"training accuracy {with_spread(percent(heavy, 'training'))} with lambda 1, "
        f"{with_spread(percent(plain, 'training'))} without a penalty",
    )


def best_of_the_four(groups: dict[str, Results], page: Page) -> None:
    """Two sentences of introduction and conclusion, as far as these settings answer them."""
    means = {label: float(percent(group, "test").mean()) for label, group in groups.items()}
    best = max(means, key=lambda label: means[label])
    page.claim(
        "Moderate regularization and a small learning rate yield the best results (on 10 000 images).",
        best == "eta 0.001, lambda 0.1",
        f"the highest mean test accuracy is {means[best]:.1f} %, with {best}",
    )
    highest = max(float(percent(group, "training").max()) for group in groups.values())
    page.claim(
        "The model is effective for linearly separable data.",
        None,
        "the report has no such data",
    )
    page.claim(
        "The performance of the model is limited when the data is not linearly separable.",
        highest < 100,
        f"no run of these settings is right on more than {highest:.1f} % of the images that it was trained on. "
        f"A network with hidden layers is in `sigmoid_mlp_cifar10.py`",
    )
