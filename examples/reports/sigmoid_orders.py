"""The sweeps in one order of the images: final numbers, where they should lie, and figures."""

from collections.abc import Mapping

from report import Page, Row, averaged
from sigmoid_claims import best, conclude, majority_baseline, without
from sigmoid_figures import epochs_figure, final_figure
from sigmoid_runs import BASE, DECAYS, NAMES, RATES, SWEEPS, final, parameter

from minidl.experiments import Results

Interval = tuple[float, float]
# Where the final test accuracy in % lands: an independent program's two seeds with margins, narrowed after the first
# runs where nothing could have missed them; only for settings that depend little on the order of the files.
LANDS: dict[str, dict[str, tuple[float, float]]] = {
    "file": {
        "lambda 0.001": (37, 42),
        "lambda 0.01": (18, 22),
        "Adam 0.001": (43, 47),
        "Adam 0.01": (12, 25),
        "k 0.1": (47.5, 51),
    },
    "shuffled": {
        "lambda 0.001": (32, 44),
        "lambda 0.01": (14, 26),
        "SGD 0.3": (42, 49),
        "Adam 0.001": (45, 48.5),
        "Adam 0.01": (12, 25),
        "k 0.1": (48, 52),
    },
}
ALWAYS = {"SGD 0.001": (26, 31), "SGD 0.01": (36.5, 39), **{f"Adam {lr}": (9.9, 10.1) for lr in RATES[2:]}}
LOSSES = {"lambda 0.01": (1.95, 2.2), "Adam 0.1": (2.3, 2.7), "Adam 0.2": (2.3, 3.8)}


def order_section(group: Results, order: str, title: str, page: Page, default: Interval | None = None) -> None:
    """Final numbers, the report's conclusions, and curves of every sweep."""
    lands = ALWAYS | LANDS[order] | ({"SGD 0.3": default} if default else {})
    page.section(f"{title}: after the last epoch", "SGD 0.3 is the default: lambda 0 and k 0.")
    page.compare(row for sweep in SWEEPS for row in sweep_rows(group, sweep, lands))
    page.section(f"{title}: what follows")
    page.compare(rows_of_conclusions(group))
    conclude(group, page)
    shown = averaged(len(group.where(**BASE)))
    page.figure(f"{order}_final", final_figure(group), f"{title}: after the last epoch, {shown}.")
    for sweep, settings in SWEEPS.items():
        caption = f"{title}: after every epoch, {shown}; {NAMES[sweep]} varies."
        page.figure(f"{order}_{sweep}", epochs_figure(group, settings, sweep), caption)


def sweep_rows(group: Results, sweep: str, lands: Mapping[str, Interval]) -> list[Row]:
    """Final accuracy and loss of one sweep."""
    rows = []
    for setting in SWEEPS[sweep]:
        label = f"{sweep} {parameter(sweep, setting):g}"
        rows.append(Row(f"{label}: accuracy", "", final(group, "test_accuracy", **setting), lands.get(label)))
        rows.append(Row(f"{label}: loss", "", final(group, "test_loss", **setting), LOSSES.get(label), ".3f"))
    return rows


def rows_of_conclusions(group: Results) -> list[Row]:
    """The report's conclusions as numbers; differences are between runs of one seed."""
    accuracies = {
        f"{sweep} {parameter(sweep, setting):g}": final(group, "test_accuracy", **setting)
        for sweep, settings in SWEEPS.items()
        for setting in settings
    }
    highest = max(accuracies, key=lambda label: float(accuracies[label].mean()))
    first, *_, third, last = (final(group, "test_loss", **BASE | {"decay": decay}) for decay in DECAYS)
    return [
        Row(f"highest accuracy of all: {highest}", "around 50", accuracies[highest], (47.5, 52.5)),
        Row("majority baseline", "around 10", majority_baseline()),
        Row("learning rate of SGD with the lowest loss", 0.1, best(group, "SGD", "test_loss"), form="g"),
        Row("learning rate of SGD with the highest accuracy", "", best(group, "SGD", "test_accuracy"), form="g"),
        Row(
            "lambda 0.0001 beside 0: distance in points",
            "",
            abs(accuracies["lambda 0.0001"].mean() - without(group, "test_accuracy").mean()),
            (0, 3),
        ),
        Row("loss: k 0.1 below k 0.0001", "above 0", first - last, (0.02, 0.2), form=".3f"),
        Row("loss: k 0.1 below k 0.01", "above 0", third - last, (0.01, 0.2), form=".3f"),
    ]
