"""Ten classes: softmax regression with early stopping, as the report has it, and without, as it asks."""

import numpy as np
from mnist_curves import (
    Values,
    at,
    caption_of_losses,
    curves_figure,
    gap,
    known_rows,
    loss_figure,
    means_of_ten,
    spread,
)
from numpy.lib.stride_tricks import sliding_window_view
from report import Page, Row, deviation, ends, with_spread

from minidl.experiments import Results


def ten_classes(group: Results, page: Page) -> None:
    """Softmax regression with early stopping, and where it begins to over-fit."""
    page.section("Ten classes", "Shuffled, early stopping on. Seed 0 of the legacy generator is the report's own run.")
    page.compare(end_rows(group) + course_rows(group))
    page.say("Deviations after step 4000, where both losses still fall slowly: that is part of them.")
    claims_of_course(group, page)
    caption = caption_of_losses("Ten classes until early stopping, first seed")
    page.figure("softmax_loss", loss_figure(group[0].values, (0.2, 0.6)), caption)
    figure = curves_figure({"": group[0].values}, "accuracy", (0.89, 0.93))
    page.figure("softmax_accuracy", figure, "Ten classes: accuracy until early stopping, first seed.")


def end_rows(group: Results) -> list[Row]:
    """Where the runs stop and end."""
    known, reported = (0.27919, 0.29802, 0.92245, 0.9151), ("about 8190", "", "about .298", ".9225", ".915")
    return [
        *known_rows(group, 8184, known, reported, ("figure 5", "", "figure 5", "figure 6", "figure 6")),
        Row("stops at step", "", group.array("stop_step"), (6000, 13000), form=".0f"),
        Row("training accuracy", "", ends(group, "training_accuracy"), (0.919, 0.929), form=".4f"),
        Row("validation loss", "", ends(group, "validation_loss"), (0.290, 0.305), form=".4f"),
        Row("validation accuracy", "", ends(group, "validation_accuracy"), (0.911, 0.919), form=".4f"),
    ]


def course_rows(group: Results) -> list[Row]:
    """How training and validation part, and how smooth the losses are."""
    early, late = gap_at(group, 1000), gap_at(group, 4000)
    return [
        Row("training minus validation accuracy, step 1000", "", early, (-0.006, 0.0), form=".4f"),
        Row("training minus validation accuracy, step 4000", "above 0", late, (0.0, 0.006), form=".4f"),
        Row("training minus validation accuracy, end", "", gap(group), (0.004, 0.014), form=".4f"),
        Row("share of validations at which the loss fell", "", falls(group), form=".2f"),
        Row("largest rise of the validation loss from one to the next", "", largest_rise(group), form=".4f"),
        Row("training loss, means of 10 steps: deviation / median", "high", training_spread(group), form=".3f"),
        Row("validation loss, the same steps: deviation / median", "", validation_spread(group), form=".3f"),
    ]


def claims_of_course(group: Results, page: Page) -> None:
    """What the report says of figures 5 and 6."""
    noise, smooth = training_spread(group).mean(), validation_spread(group).mean()
    fallen = np.array([r.values["validation_loss"][0] - r.values["validation_loss"][-1] for r in group]).mean()
    page.claim(
        "The validation loss decreases nicely with each iteration.",
        bool(falls(group).mean() > 0.5 and largest_rise(group).mean() < 0.01 * fallen),
        f"it is lower than at the validation before in {100 * falls(group).mean():.0f} % of all, and where it rises, "
        f"then by at most {largest_rise(group).mean():.4f}, where it falls by {fallen:.2f} in all",
    )
    page.claim(
        "For the training set even the mean over ten steps has quite high variance.",
        noise > 2 * smooth,
        f"its deviation is {100 * noise:.0f} % of the median, that of the validation loss {100 * smooth:.0f} %",
    )
    early, late = gap_at(group, 1000), gap_at(group, 4000)
    page.claim(
        "After around 4000 steps the training accuracy is significantly better than that of validation.",
        late.mean() > 2 * deviation(late),
        f"the difference is {with_spread(early, '.4f')} at step 1000, {with_spread(late, '.4f')} at 4000, "
        f"{with_spread(gap(group), '.4f')} at the end",
    )


def gap_at(group: Results, step: int) -> np.ndarray:
    """Training minus validation accuracy at the validation nearest to a step, for each run."""
    return np.array(
        [at(r.values, "training_accuracy", step) - at(r.values, "validation_accuracy", step) for r in group]
    )


def falls(group: Results) -> np.ndarray:
    """At which share of the validations the loss is lower than at the one before, for each run."""
    return np.array([(np.diff(r.values["validation_loss"]) < 0).mean() for r in group])


def largest_rise(group: Results) -> np.ndarray:
    """The largest rise of the validation loss from one validation to the next, for each run."""
    return np.array([np.diff(r.values["validation_loss"]).max() for r in group])


def training_spread(group: Results) -> np.ndarray:
    """Deviation over median of means of ten step losses after step 4000, or the middle of a shorter run."""
    return np.array([spread(means[min(3900, len(means) // 2) :]) for means in map(means_of_ten, values_of(group))])


def validation_spread(group: Results) -> np.ndarray:
    """The same of the validation loss."""
    late = [v["validation_loss"][v["step"] >= min(4000, v["step"][-1] // 2)] for v in values_of(group)]
    return np.array([spread(curve) for curve in late])


def values_of(group: Results) -> list[Values]:
    """What each run returned."""
    return [result.values for result in group]


def longer(group: Results, page: Page) -> None:
    """Whether the validation set becomes worse when training goes on, which the report leaves open."""
    page.section("Ten classes for longer", "What the report leaves open: the same without early stopping.")
    page.compare(longer_rows(group))
    page.say(f"Smooth: the mean of {SMOOTH} validations in a row, ten epochs; a single lowest or highest one is noise.")
    page.claim(
        "If the training continued, the model could begin to show worse performance on the validation set.",
        *whether_worse(group),
    )
    before, end = gap_at(group, 8000).mean(), gap(group).mean()
    page.claim(
        "The accuracies could both converge to a single common value.",
        bool(end < before),
        f"they are {100 * before:.1f} points apart at step 8000 and {100 * end:.1f} at the end",
    )
    for name, limits in (("loss", (0.2, 0.4)), ("accuracy", (0.89, 0.95))):
        figure = curves_figure({"": group[0].values}, name, limits)
        page.figure(f"longer_{name}", figure, f"Ten classes without early stopping, first seed: {name}.")


SMOOTH = 50  # validations


def smooth(values: Values, name: str) -> np.ndarray:
    """A curve of one run as means of 50 validations in a row, fewer in a run that has no 200."""
    means: np.ndarray = sliding_window_view(values[name], min(SMOOTH, -(-len(values[name]) // 4))).mean(axis=1)
    return means


def longer_rows(group: Results) -> list[Row]:
    """Where both sets end, and the best on the way."""
    lowest = np.array([smooth(v, "validation_loss").min() for v in values_of(group)])
    highest = np.array([smooth(v, "validation_accuracy").max() for v in values_of(group)])
    where = np.array([lowest_at(v) for v in values_of(group)])
    return [
        Row("steps", "", group.array("stop_step") + 1, form=".0f"),
        Row("lowest validation loss, smooth", "", lowest, form=".4f"),
        Row("lowest validation loss, smooth: around step", "", where, form=".0f"),
        Row("validation loss at the end, smooth", "", smooth_ends(group, "validation_loss"), form=".4f"),
        Row("training loss at the end, smooth", "", smooth_ends(group, "training_loss"), form=".4f"),
        Row("highest validation accuracy, smooth", "", highest, form=".4f"),
        Row("validation accuracy at the end, smooth", "", smooth_ends(group, "validation_accuracy"), form=".4f"),
        Row("training accuracy at the end, smooth", "", smooth_ends(group, "training_accuracy"), form=".4f"),
    ]


def smooth_ends(group: Results, name: str) -> np.ndarray:
    """The last point of a smooth curve, for each run."""
    return np.array([smooth(values, name)[-1] for values in values_of(group)])


def lowest_at(values: Values) -> int:
    """The step in the middle of the validations with the lowest smooth loss."""
    means, steps = smooth(values, "validation_loss"), values["step"]
    return int(steps[means.argmin() + (len(steps) - len(means)) // 2])


def whether_worse(group: Results) -> tuple[bool, str]:
    """Whether the validation loss rises again, and what the accuracy does meanwhile."""
    rise = np.array([smooth(v, "validation_loss")[-1] - smooth(v, "validation_loss").min() for v in values_of(group)])
    fall = np.array(
        [smooth(v, "validation_accuracy").max() - smooth(v, "validation_accuracy")[-1] for v in values_of(group)]
    )
    where = np.mean([lowest_at(values) for values in values_of(group)])
    gained = smooth_ends(group, "validation_accuracy").mean() - np.mean(
        [at(values, "validation_accuracy", 8000) for values in values_of(group)]
    )
    return (
        bool(rise.mean() > max(5e-4, 2 * deviation(rise))),
        f"the validation loss ends {rise.mean():.4f} above its lowest value, that around step {where:.0f}; the "
        f"accuracy ends {100 * fall.mean():.2f} points below its highest and {100 * abs(gained):.2f} points "
        f"{'above' if gained > 0 else 'below'} that at step 8000",
    )
