"""The accuracies of the report on softmax regression, beside honest ones and beside fits to the test set."""

from dataclasses import replace

import numpy as np
from front import has_other_files
from report import Page, Row
from softmax_runs import SETS, percent

from minidl.experiments import Results

# Accuracies in %. After epoch 1 and 40 on training and "test" in the report of 4 April; after 40 in its later version
# of 22 April; where a correct implementation lands.
REPORTED = {
    "eta 0.1, lambda 0": {"training": (26.72, 39.48), "test": (29.77, 43.31)},
    "eta 0.001, lambda 0": {"training": (30, 45.17), "test": (30.72, 45.59)},
    "eta 0.001, lambda 0.1": {"training": (30.07, 44.87), "test": (30.76, 44.72)},
    "eta 0.001, lambda 1": {"training": (30.3, 40), "test": (31.01, 38.99)},
}
LATER = {
    "eta 0.1, lambda 0": ("46.93", "30.44", "30.46"),
    "eta 0.001, lambda 0": ("45.36", "38.55", "39.34"),
    "eta 0.001, lambda 0.1": ("44.78", "39.03", "38.99"),
    "eta 0.001, lambda 1": ("39.99", "36.46", "37.39"),
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
THERE = "fitted to the test set there"


def accuracy_sections(honest: dict[str, Results], page: Page) -> None:
    """The report's accuracies after the last and the first epoch, beside fits to the training set alone."""
    page.section(
        "Accuracy in %, after the last epoch",
        "Reported: the report of 4 April. Its test accuracies are those of classifiers that were fitted to the test "
        "set, and say nothing of other images; a section below reproduces them. A later version of the same "
        "report, of 22 April, found in public, corrects them and has a column of its own.",
    )
    rows = [
        Row(
            f"{label}: {name}",
            REPORTED[label][name][1] if name in REPORTED[label] else "",
            percent(group, name),
            interval,
            because=THERE if name == "test" else "",
        )
        for label, group in honest.items()
        for name, interval in zip(SETS, LANDS[label], strict=True)
    ]
    page.compare(
        [explained(row, page.name) for row in rows], later_version=[cell for cells in LATER.values() for cell in cells]
    )
    page.section("Accuracy in %, after the first epoch", "The later version has no such numbers.")
    page.compare(
        Row(
            f"{label}: {name}",
            REPORTED[label][name][0] if name in REPORTED[label] else "",
            percent(group, name, 0),
            (28.5, 31.5) if name == "training" and "0.001" in label else None,
            because=THERE if name == "test" else "",
        )
        for label, group in honest.items()
        for name in SETS
    )


def explained(row: Row, name: str) -> Row:
    """With what is known of a distance of more than two deviations; other files shift accuracies by about a point."""
    if row.because or row.distance is None or abs(row.distance) <= 2:
        return row
    if abs(row.mean - float(row.reported)) > 1.2:
        return replace(row, because="not found")
    return replace(row, because="other files") if has_other_files(name) else row


def differences_section(honest: dict[str, Results], page: Page) -> None:
    """What the report concludes, as differences, with those of the later version."""
    page.section(
        "What follows, in points of accuracy",
        "Reported and in the later version: differences of their own numbers. Measured: between runs of one seed.",
    )
    rows, later = zip(*differences(*honest.values()), strict=True)
    page.compare(rows, later_version=later)


def differences(*groups: Results) -> list[tuple[Row, str]]:
    """Each difference as a row, and that of the later version."""
    test = [percent(group, "test") for group in groups]
    gaps = [percent(group, "training") - percent(group, "test") for group in groups]
    said = [case["test"][1] for case in REPORTED.values()]
    said_gaps = [case["training"][1] - case["test"][1] for case in REPORTED.values()]
    later = [float(test) for _, _, test in LATER.values()]
    later_gaps = [float(training) - float(test) for training, _, test in LATER.values()]
    beyond = np.inf
    compared = [
        ("test: eta 0.001 above eta 0.1", said, later, test, 1, 0, (5, beyond)),
        ("test: lambda 0.1 above 0", said, later, test, 2, 1, (-1.2, 1.2)),
        ("test: lambda 0 above 1", said, later, test, 1, 3, (0.8, beyond)),
        ("test: lambda 0.1 above 1", said, later, test, 2, 3, (0.8, beyond)),
        ("training minus test: lambda 0 above 0.1", said_gaps, later_gaps, gaps, 1, 2, (0, beyond)),
        ("training minus test: lambda 0.1 above 1", said_gaps, later_gaps, gaps, 2, 3, (0, beyond)),
    ]
    return [
        (Row(name, f"{a[i] - a[j]:.2f}", c[i] - c[j], interval, ".2f", THERE), f"{b[i] - b[j]:.2f}")
        for name, a, b, c, i, j, interval in compared
    ]


def artefact_section(honest: dict[str, Results], fitted_on_test: dict[str, Results], page: Page) -> None:
    """Where the "test" numbers of the report come from."""
    page.section(
        "Accuracies of classifiers fitted to the test set",
        "The same settings, fitted to the test set instead of the training set: such accuracies say nothing about "
        "images that were not trained on.",
    )
    page.compare(
        explained(
            Row(
                f"{label}, fitted on the test set: test, {when} epoch",
                REPORTED[label]["test"][epoch],
                percent(group, "test", epoch),
                FITTED_ON_TEST.get(label) if epoch else None,
            ),
            page.name,
        )
        for label, group in fitted_on_test.items()
        for epoch, when in ((0, "first"), (-1, "last"))
    )
    if page.quick:
        return
    fitted, proper = (
        max(abs(percent(group[label], "test").mean() - REPORTED[label]["test"][1]) for label in FITTED_ON_TEST)
        for group in (fitted_on_test, honest)
    )
    page.say(
        f"At eta 0.001 the final test accuracies of the report lie within {fitted:.1f} points of these, and up to "
        f"{proper:.1f} points from those of classifiers fitted to the training set"
        + (": its numbers are of the first kind." if fitted < 1.2 < proper else ".")
    )
