"""Several labels: what a threshold of one half makes of softmax and of ten binary classifiers."""

import numpy as np
from report import Page, Row, with_spread
from softmax_runs import percent

from minidl import f1_score, label_counts, subset_accuracy
from minidl.data import one_hot
from minidl.experiments import Results


def threshold_section(views: dict[str, Results], page: Page) -> None:
    """No class, one, several."""
    page.section(
        "Several labels: a threshold of one half",
        "The report says that classification is typically done by thresholding, such as at 0.5; its accuracies fit the "
        "largest probability, which is used above. The threshold leaves images without a class and gives others "
        "several. All in % of the test images; F1 is over all ten labels of all images.",
    )
    found = {label: thresholded(group) for label, group in views.items()}
    page.compare(
        Row(f"{label}: {name}", "", values) for label, columns in found.items() for name, values in columns.items()
    )
    sums = {
        label: np.array([p.sum(axis=1).mean(dtype=float) for p in views[label].column("probabilities")])
        for label in ("softmax", "BCE")
    }
    away = max(float(np.abs(p.sum(axis=1) - 1).max()) for p in views["softmax"].column("probabilities"))
    page.claim(
        "The softmax enforces mutual exclusivity by probabilities that sum to one; sigmoids treat each class alone.",
        away < 1e-5 and abs(float(sums["BCE"].mean()) - 1) > 0.01,
        f"those of the softmax sum to 1 within {away:.0g} for every test image, so at most one is above one half; "
        f"those of BCE to {with_spread(sums['BCE'], '.2f')} in the mean",
    )
    ambiguous(found, page)
    exact, largest = found["BCE"]["subset accuracy"], percent(views["BCE"], "test")
    page.claim(
        "This is suboptimal in a single-label setting like CIFAR-10.",
        bool(exact.mean() < largest.mean()),
        f"with the threshold {with_spread(exact)} % of the images get exactly their class, with the largest "
        f"probability {with_spread(largest)} %",
    )
    page.claim(
        "The BCE approach can be effective for multi-label tasks.",
        None,
        "an image of CIFAR-10 has one label, so nothing here can show it",
    )


def ambiguous(found: dict[str, dict[str, np.ndarray]], page: Page) -> None:
    """Whether several classes get high probabilities, and how often none does."""
    several, none = (
        {label: columns[name] for label, columns in found.items()} for name in ("several classes", "no class")
    )
    more = none["BCE"].mean() > several["BCE"].mean()
    page.claim(
        "Sigmoids can lead to ambiguous predictions where multiple classes are assigned high probabilities.",
        bool(several["BCE"].mean() > several["softmax"].mean()),
        f"{with_spread(several['BCE'])} % of the images have several classes above one half, "
        f"{with_spread(several['BCE, eta 0.1'])} % at ten times the rate; {'more often' if more else 'less often'} "
        f"there is none, in {with_spread(none['BCE'])} % and {with_spread(none['BCE, eta 0.1'])} %",
    )


def thresholded(group: Results) -> dict[str, np.ndarray]:
    """The views of several labels, in %, for each seed."""
    columns: dict[str, list[float]] = {
        name: [] for name in ("no class", "one class", "several classes", "subset accuracy", "F1")
    }
    for result in group:
        scores, labels = result.values["probabilities"] - 0.5, one_hot(result.values["labels"], 10)
        counts = label_counts(scores) / len(scores)
        measured = (counts[0], counts[1], counts[2:].sum(), subset_accuracy(scores, labels), f1_score(scores, labels))
        for column, value in zip(columns.values(), measured, strict=True):
            column.append(100 * float(value))
    return {name: np.array(column) for name, column in columns.items()}
