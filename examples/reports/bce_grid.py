"""All the data, the grid of 48 settings, and random transformations."""

import numpy as np
from bce_runs import BATCHES, ETAS, MOVES, WINNER
from bce_table_1 import gap
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from report import Page, Row, with_spread
from softmax_accuracies import explained
from softmax_figures import weights_figure
from softmax_runs import SETS, percent
from verdicts import above, signed, standard_error

from minidl import plots
from minidl.experiments import Result, Results

REPORTED_BEST = "report's best (0.1, 0.01, 400)"


def chosen(searched: Results) -> Results:
    """The run with the highest validation accuracy after the last epoch."""
    return searched.where(**searched.best("validation_accuracy", mode="max"))


def cell(result: Result) -> str:
    """Lambda, eta and batch size of a run."""
    return "({strength:g}, {eta:g}, {batch_size})".format(**result.run.setting)


def grid_section(searched: Results, page: Page) -> None:
    """The 48 settings."""
    page.section(
        "All the data, flips, and the grid",
        "One seed. The 1 000 validation images choose; all are accuracies in %. A setting is (lambda, eta, batch).",
    )
    for name in ("validation", "test"):
        caption = (
            f"Accuracy in % on the {name} set; framed: the largest for each lambda, the first of equal ones; black: "
            f"the largest of all."
        )
        page.figure(f"grid_{name}", grid_figure(searched, name), caption)
    rows = []
    for result in searched:
        value = [f"{result.run.setting[key]:g}" for key in ("strength", "eta", "batch_size")]
        rows.append([*value, *(f"{100 * result.values[f'{name}_accuracy'][-1]:.1f}" for name in SETS)])
    page.table(["lambda", "eta", "batch", *SETS], rows, shown=False)
    validation, test = percent(searched, "validation"), percent(searched, "test")
    own, best = searched.where(**WINNER), chosen(searched)[0]
    own_validation, own_test = percent(own, "validation")[0], percent(own, "test")[0]
    equal = int((validation == validation.max()).sum())
    page.claim(
        "The best configuration is eta 0.01, a batch of 400 and lambda 0.1.",
        best is own[0],
        f"of {len(searched)} settings {int((validation > own_validation).sum())} have a higher validation accuracy "
        f"than its {own_validation:.1f}, {int((test > own_test).sum())} a higher test accuracy than its "
        f"{own_test:.1f}; the best are {cell(best)} with {validation.max():.1f} on the validation set"
        f"{f' (the first of {equal} equal ones)' if equal > 1 else ''} and "
        f"{cell(searched[int(test.argmax())])} with {test.max():.1f} on the test set",
    )
    page.claim(
        "Moderate regularization and a small learning rate yield the best results (in the grid).",
        best.run.setting["strength"] == 0.1 and best.run.setting["eta"] <= 0.01,
        f"chosen is {cell(best)}",
    )
    page.claim(
        "The selection of hyperparameters is important.",
        bool(np.ptp(test) > 10),
        f"the test accuracies of the {len(searched)} settings lie between {test.min():.1f} and {test.max():.1f} %",
    )


def grid_figure(searched: Results, name: str) -> Figure:
    """A panel for each lambda: eta down, batch size across; what failed is left empty."""
    highest = percent(searched, name).max()

    def draw(group: Results, ax: Axes) -> None:
        values = np.full((len(ETAS), len(BATCHES)), np.nan)
        for result in group:
            place = ETAS.index(result.run.setting["eta"]), BATCHES.index(result.run.setting["batch_size"])
            values[place] = 100 * result.values[f"{name}_accuracy"][-1]
        label = f"{name} accuracy in %" if group is last else ""  # one bar for all panels: they share its scale
        plots.grid_heatmap(
            values, ETAS, BATCHES, xlabel="batch size", ylabel="eta", label=label, between=(5, 45), ax=ax
        )
        if np.nanmax(values) == highest:
            ax.patches[-1].set(edgecolor="black", linewidth=2.5)

    panels = {f"lambda = {strength:g}": group for strength, group in searched.by("strength").items()}
    last = list(panels.values())[-1]
    return plots.small_multiples(panels, draw, columns=3, height=2.2, share="y")


def improved_section(searched: Results, with_flips: Results, small: Results, page: Page) -> None:
    """The report's best setting, the one chosen here, and what they gain beside `small`, the setting of table 1."""
    best, start = chosen(searched), percent(small.where(seed=searched[0].run.seed), "test")[0]
    name, gain = f"chosen here {cell(best[0])}", "first seed, test above 10 000 images (0, 0.001, 100)"
    reached = percent(with_flips, "test")
    page.section("The best of the grid", "Settings are (lambda, eta, batch size); accuracy in %.")
    page.compare(
        [
            *(Row(f"{REPORTED_BEST}: {part}", "", percent(with_flips, part)) for part in ("training", "validation")),
            explained(Row(f"{REPORTED_BEST}: test", "43.20", reached, (38.8, 42.0)), page.name),
            Row(f"{REPORTED_BEST}: {gain}", "4", reached[0] - start),
            *(Row(f"{name}: {part}", "", percent(best, part)) for part in ("training", "validation")),
            Row(f"{name}: test", "", percent(best, "test"), (40.0, np.inf)),
            Row(f"{name}: {gain}", "", percent(best, "test")[0] - start, (1.0, np.inf)),
            Row("best test accuracy of all 48, chosen on the test set", "", percent(searched, "test").max()),
        ]
    )
    page.claim(
        "The final accuracy on the test set is 43.20 %.",
        bool(percent(searched, "test").max() >= 43.15),
        f"{with_spread(reached)} in the same setting, {percent(best, 'test')[0]:.1f} in that chosen here, and "
        f"{percent(searched, 'test').max():.1f} in the best of all for the test set itself",
    )
    page.claim(
        "An extra 4 % accuracy is achieved compared to the previous configuration.",
        bool(percent(best, "test")[0] - start >= 3.5),
        f"{reached[0] - start:+.1f} points in the report's setting, {percent(best, 'test')[0] - start:+.1f} in that "
        f"chosen here",
    )
    page.conclude(
        "**About 43.2 %.** None of these 48 settings reaches it, even when the test set itself chooses. With 1 000 "
        "validation images (standard deviation of an accuracy: 1.5 points) the report's choice of setting is "
        "plausible, its accuracy is not. We could not find the cause of the difference; the report does not give its "
        "split, its seed, nor how it chose. Accuracies below chance (lambda = 1, eta = 1) are no mistake: there "
        "1 - 2 eta lambda = -1, and the weights change sign at every step."
    )
    both = {REPORTED_BEST: searched.where(**WINNER), name: best}
    curves = {
        label: {"training": group.array("train_loss"), "validation": group.array("validation_loss")}
        for label, group in both.items()
    }
    caption = "The loss of both settings (training: mean over the batches of an epoch)."
    page.figure("best_curves", plots.mean_curves(curves), caption)
    page.figure("best_weights", weights_figure(both), "Their templates, each with its own scale.")


def techniques_section(searched: Results, small: Results, more: Results, cases: dict[str, Results], page: Page) -> None:
    """What more data, random transformations in the report's best setting, and the choice of a setting do."""
    page.section(
        "More data, random transformations, and the choice of a setting",
        "The report applied random transformations, such as horizontal flipping. In its best setting: flips with "
        "probability 1/2; then also shifts by up to 4 pixels each way, where 0 comes in; or crops, a random square 24 "
        "to 32 pixels wide, stretched to the whole image. The gap is training minus test accuracy, without any "
        "transformation of either; all in % or points.",
    )
    gaps = {label: gap(group) for label, group in cases.items()}
    page.compare(
        row
        for label, group in cases.items()
        for row in (
            *(Row(f"{label}: {part}", "", percent(group, part)) for part in SETS),
            Row(f"{label}: gap", "", gaps[label], form=".2f"),
        )
    )
    test = {label: percent(group, "test") for label, group in cases.items()}
    moved = {label: values - test["none"] for label, values in test.items() if label != "none"}
    of_data_and_choice(searched, small, more, page)
    of_transformations(gaps, moved, page)


def of_data_and_choice(searched: Results, small: Results, more: Results, page: Page) -> None:
    """What more data and the search do; `small` and `more` have 10 000 images and all of them, without flips."""
    same = percent(searched.where(eta=0.001, strength=0.0, batch_size=100), "test")[0]
    page.claim(
        "The entire data improves generalization.",
        bool(percent(more, "test").mean() > percent(small, "test").mean() + 1),
        f"with (0, 0.001, 100) and no flips test accuracy is {with_spread(percent(small, 'test'))} on 10 000 images "
        f"and {with_spread(percent(more, 'test'))} on all of them",
    )
    best = percent(chosen(searched), "test")[0]
    page.claim(
        "Hyperparameter tuning further improves performance.",
        bool(best > same) if abs(best - same) > 1 else None,
        f"test accuracy is {best:.1f} in the setting chosen here, {same:.1f} in that of table 1 on the same data, one "
        f"run each" + ("; a difference below one point may be that of another seed" if abs(best - same) <= 1 else ""),
    )


def of_transformations(gaps: dict[str, np.ndarray], moved: dict[str, np.ndarray], page: Page) -> None:
    """What flips and more do to the gap and to the test accuracy."""
    told = "; ".join(f"{label}: {with_spread(values, '.2f')}" for label, values in gaps.items())
    page.claim(
        "Flips reduce overfitting.", bool(gaps["flips"].mean() < gaps["none"].mean()), f"the gap in points is {told}"
    )
    changes = {label: (float(values.mean()), standard_error(values)) for label, values in moved.items()}
    decided = above(*changes["flips"])
    page.claim(
        "Data augmentation further improves performance.",
        decided,
        "from the same initial weights the test accuracy moves by "
        + "; ".join(f"{signed(*change)} with {label}" for label, change in changes.items())
        + ("; with flips, less than two standard errors or single runs" if decided is None else ""),
    )


def transformations(large: Results, transformed: Results) -> dict[str, Results]:
    """The report's best setting without a transformation, with flips, and with more."""
    return {
        "none": large.where(**WINNER, flips=False),
        "flips": large.where(**WINNER, flips=True),
        **{f"flips and {moved}": transformed.where(moved=moved) for moved in MOVES},
    }
