"""Figure 6: the probability of the true class on the test set, where the prediction is right and where it is wrong."""

from collections.abc import Callable

import numpy as np
from bce_table_1 import gap
from matplotlib.axes import Axes
from report import Page, Row, with_spread

from minidl import plots
from minidl.experiments import Results

Sides = list[tuple[np.ndarray, np.ndarray]]  # for each run the probabilities of the true class, and which rows count


def sides(group: Results, within: str) -> Sides:
    """For each run the probability of the true class, and which rows are right (or wrong)."""
    pairs = []
    for result in group:
        values = result.values
        if "probabilities" in values:
            p = values["probabilities"][np.arange(len(values["labels"])), values["labels"]]
            right = values["probabilities"].argmax(axis=1) == values["labels"]
        else:
            p, right = values["true_probability"], values["right"].astype(bool)
        pairs.append((p, right if within == "right" else ~right))
    return pairs


def shares(group: Results, within: str, low: float, high: float = np.inf) -> np.ndarray:
    """The share of the right or wrong rows whose true class has a probability in [low, high), for each seed."""
    return np.array([float(((p[kept] >= low) & (p[kept] < high)).mean()) for p, kept in sides(group, within)])


def means(group: Results, within: str) -> np.ndarray:
    """The mean probability of the true class in the right or wrong rows, for each seed."""
    return np.array([float(p[kept].mean()) for p, kept in sides(group, within)])


MEASURES: dict[str, Callable[[Results], np.ndarray]] = {
    "mean where the prediction is right": lambda group: means(group, "right"),
    "mean where the prediction is wrong": lambda group: means(group, "wrong"),
    "share of right predictions above 0.8": lambda group: shares(group, "right", 0.8),
    "share of right predictions from 0.3 to 0.7": lambda group: shares(group, "right", 0.3, 0.7),
    "share of wrong predictions below 0.1": lambda group: shares(group, "wrong", 0, 0.1),
}


def histogram_section(named: dict[str, Results], views: dict[str, Results], page: Page) -> None:
    """How sure both are of the true class, where they are right and where they are wrong."""
    page.section(
        "The probability of the true class, on the test set",
        "The histograms of figure 6, and numbers of them. The caption of its part a names no loss; it is taken here "
        "for that of the softmax. A share of right predictions is one of the images that are classified correctly, "
        "not of all.",
    )
    page.figure(
        "probabilities",
        plots.small_multiples(dict(list(views.items())[:4]), draw_probabilities, height=2.1, share="x"),
        "Right and wrong predictions, first seed; the number of each in brackets.",
    )
    groups = named | {label: group for label, group in views.items() if label not in named}
    page.compare(row for label, group in groups.items() for row in probability_rows(label, group))
    wrong = means(named["BCE"], "wrong").mean() - means(named["softmax"], "wrong").mean()
    page.compare([Row("wrong predictions: mean of BCE above that of softmax", "", wrong, (0.1, 1.0), ".3f")])
    of_the_right(named["softmax"], named["BCE"], views["BCE, eta 0.1"], page)
    of_mistakes(views, page)
    at_the_same_step(named["softmax"], named["BCE"], views["BCE, eta 0.1"], page)


def draw_probabilities(group: Results, ax: Axes) -> None:
    """The histogram of the first run."""
    plots.true_class_histogram(group[0].values["probabilities"], group[0].values["labels"], ax=ax)


def probability_rows(label: str, group: Results) -> list[Row]:
    """Means and tails."""
    lands = {"share of wrong predictions below 0.1": (0.0, 0.01)} if label == "BCE" else {}
    return [Row(f"{label}: {name}", "", measure(group), lands.get(name), ".3f") for name, measure in MEASURES.items()]


def of_the_right(softmax: Results, bce: Results, fast: Results, page: Page) -> None:
    """The sentences about predictions that are right."""
    groups = {"softmax": softmax, "BCE": bce, "fast": fast}
    right = {label: means(group, "right") for label, group in groups.items()}
    page.claim(
        "The softmax shows a higher confidence on the true class when it is correct (on average).",
        bool(right["softmax"].mean() > right["BCE"].mean()),
        f"the mean is {with_spread(right['softmax'], '.3f')}, that of BCE {with_spread(right['BCE'], '.3f')}, and "
        f"{with_spread(right['fast'], '.3f')} at ten times its rate",
    )
    tails = {label: 100 * shares(group, "right", 0.8) for label, group in groups.items()}
    page.claim(
        "The softmax shows a higher confidence on the true class when it is correct (in the tail).",
        bool(tails["softmax"].mean() > tails["BCE"].mean()),
        f"above 0.8 are {with_spread(tails['softmax'])} % of its right predictions, {with_spread(tails['BCE'])} % of "
        f"those of BCE, and {with_spread(tails['fast'])} % at ten times its rate",
    )
    middle = {label: 100 * shares(group, "right", 0.3, 0.7) for label, group in groups.items()}
    page.claim(
        "The sigmoid model tends to be more conservative, assigning mid-range probabilities even when correct.",
        bool(middle["BCE"].mean() > middle["softmax"].mean()),
        f"from 0.3 to 0.7 lie {with_spread(middle['BCE'])} % of its right predictions, "
        f"{with_spread(middle['softmax'])} % of those of the softmax; {with_spread(middle['fast'])} % at ten times the "
        f"rate",
    )


def of_mistakes(views: dict[str, Results], page: Page) -> None:
    """The sentences about mistakes, and what the report takes from the histograms."""
    sure = {label: 100 * overconfident(group) for label, group in views.items()}
    page.claim(
        "The softmax also makes overconfident mistakes.",
        bool(sure["softmax"].mean() > sure["BCE"].mean()),
        f"the class taken has a probability above 0.8 in {with_spread(sure['softmax'])} % of its wrong predictions, in "
        f"{with_spread(sure['BCE'])} % of those of BCE, and in {with_spread(sure['BCE, eta 0.1'])} % at ten times its "
        f"rate",
    )
    confidence = {label: calibration(group) for label, group in views.items()}
    page.claim(
        "This could lead to underconfident predictions.",
        bool(confidence["BCE"].mean() < 0),
        "the mean probability of the class taken minus the share of right ones is "
        f"{with_spread(confidence['BCE'], '+.3f')} for BCE, and for the softmax "
        f"{with_spread(confidence['softmax'], '+.3f')}",
    )
    over = {label: gap(group) for label, group in views.items()}
    page.claim(
        "This might be a sign of better regularization.",
        bool(over["BCE"].mean() < over["softmax, eta 0.001"].mean()),
        f"training minus test accuracy is {with_spread(over['BCE'])} points for BCE, {with_spread(over['softmax'])} "
        f"for the softmax at the same rate, {with_spread(over['softmax, eta 0.001'])} at the same step",
    )


def at_the_same_step(softmax: Results, bce: Results, fast: Results, page: Page) -> None:
    """Whether the histograms differ by the loss or by the length of its steps."""
    if page.quick:
        return
    found = {
        name: [float(measure(group).mean()) for group in (fast, softmax, bce)] for name, measure in MEASURES.items()
    }
    near = sum(abs(one - other) < abs(one - own) for one, other, own in found.values())
    told = "; ".join(f"{name} {a:.3f} (softmax {b:.3f}, BCE {c:.3f})" for name, (a, b, c) in found.items())
    page.say(
        f"**The step, again.** BCE at ten times the rate, so with steps as long as those of the softmax: {told}. In "
        f"{near} of these {len(found)} it lies nearer to the softmax than to BCE at the reported rate"
        + (": the histograms, too, differ by the length of the steps more than by the loss." if near > 2 else ".")
    )


def overconfident(group: Results) -> np.ndarray:
    """The share of wrong predictions in which the class taken has a probability above 0.8, for each seed."""
    return np.array(
        [
            float((result.values["probabilities"].max(axis=1)[kept] > 0.8).mean())
            for result, (_, kept) in zip(group, sides(group, "wrong"), strict=True)
        ]
    )


def calibration(group: Results) -> np.ndarray:
    """The mean probability of the class taken minus the accuracy, for each seed."""
    return np.array(
        [
            float(result.values["probabilities"].max(axis=1).mean() - kept.mean())
            for result, (_, kept) in zip(group, sides(group, "right"), strict=True)
        ]
    )
