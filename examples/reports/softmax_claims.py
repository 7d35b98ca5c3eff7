"""Every sentence of the report on softmax regression, against the curves and templates of all seeds."""

import numpy as np
from report import Page, ends, with_spread
from softmax_measures import (
    gap,
    in_order,
    is_smooth,
    jumps,
    measured_rows,
    rough,
    rough_change,
    second_half,
    settled,
    steepest_rise,
    whole_fall,
)
from softmax_runs import percent

from minidl.experiments import Results

CURVES = ("training_loss", "validation_loss", "training_cost", "validation_cost")


def claims_section(honest: dict[str, Results], slow: Results, page: Page) -> None:
    """How noisy templates are, how far curves jump and part, and what the report says of that."""
    page.section(
        "What the report says of each setting",
        "Roughness is the sum of squared Laplacians of a template over the sum of squares around the mean of each "
        "colour; independent pixels have about 18. The gap is validation minus training loss.",
    )
    page.compare(row for label, group in honest.items() for row in measured_rows(label, group))
    of_noise(honest, page)
    of_the_high_rate(honest, page)
    of_the_low_rate(honest, page)
    of_moderate_decay(honest, page)
    of_strong_decay(honest, page)
    of_generalization(honest, page)
    of_rates(honest, slow, page)


def of_noise(honest: dict[str, Results], page: Page) -> None:
    """The sentences about the filters, as the weights are and as the data made them."""
    wild, plain, light, heavy = honest.values()
    page.claim(
        "With a high learning rate the filters appear highly noisy and lack structure, likely due to unstable updates.",
        bool(rough_change(wild).mean() > max(6.0, 2 * rough_change(plain).mean())),
        f"the roughness is {with_spread(rough(wild), '.2f')}, that of what the data added "
        f"{with_spread(rough_change(wild), '.2f')}, beside {with_spread(rough_change(plain), '.2f')} with eta 0.001",
    )
    smoother = bool(rough(plain).mean() < rough(wild).mean())
    hidden = not smoother and rough_change(plain).mean() < rough_change(wild).mean()
    page.claim(
        "With a smaller learning rate the filters are smoother and more defined.",
        smoother,
        f"the roughness is {with_spread(rough(plain), '.2f')} with 0.001, {with_spread(rough(wild), '.2f')} with 0.1"
        + ("; what the data added is smoother, but the noise of the initial weights lies above it" if hidden else ""),
    )
    roughs = [float(rough(group).mean()) for group in (plain, light, heavy)]
    page.claim(
        "With lambda 0.1 the filters are slightly cleaner, with lambda 1 significantly smoother.",
        roughs[0] > roughs[1] > 1.5 * roughs[2],
        f"roughness {in_order(honest, rough)}",
    )
    page.conclude(
        "**Where the noise comes from.** With eta 0.1 it is learnt. With eta 0.001 and without a penalty it is that of "
        "the initial weights, which nothing takes away: what the data added is smooth. The penalty lets the initial "
        "weights decay, by a factor of 1 - 2 eta lambda a step, and so cleans the filters."
    )


def of_the_high_rate(honest: dict[str, Results], page: Page) -> None:
    """The sentences about eta 0.1."""
    wild, *_ = honest.values()
    page.claim(
        "Despite noisy filters, the model learns to separate classes to a reasonable extent.",
        bool(percent(wild, "test").mean() > 20),
        f"{with_spread(percent(wild, 'test'))} % of the test set, where guessing gives 10",
    )
    page.claim(
        "The improvement in accuracy is limited.",
        bool((percent(wild, "test") - percent(wild, "test", 0)).mean() < 5),
        f"from the first epoch to the last, {with_spread(percent(wild, 'test', 0))} to "
        f"{with_spread(percent(wild, 'test'))} % of the test set, {with_spread(percent(wild, 'training', 0))} to "
        f"{with_spread(percent(wild, 'training'))} of the training set",
    )
    changes = {name: jumps(wild, name).mean() for name in ("training_loss", "validation_loss")}
    page.claim(
        "The plots show large fluctuations in both training and validation loss and cost across epochs.",
        min(changes.values()) > 0.5,
        "the largest change from one epoch to the next is "
        f"{with_spread(jumps(wild, 'training_loss'))} on the training set and "
        f"{with_spread(jumps(wild, 'validation_loss'))} on the validation set; without a penalty the cost is the loss",
    )
    first, last = ends(wild, "training_loss", 0), ends(wild, "training_loss")
    page.claim(
        "The learning rate is too high to converge smoothly.",
        bool(last.mean() > np.log(10)),
        f"the training loss ends at {with_spread(last)}; guessing has {np.log(10):.1f}",
    )
    page.claim(
        "It causes the optimization process to diverge.",
        bool(last.mean() > first.mean()),
        f"the training loss is {with_spread(first)} after the first epoch, {with_spread(last)} after the last"
        + ("" if last.mean() > first.mean() else ": it oscillates, as the report also has it, and does not grow"),
    )


def of_the_low_rate(honest: dict[str, Results], page: Page) -> None:
    """The sentences about eta 0.001 without a penalty."""
    _, plain, light, _ = honest.values()
    for group, text in (
        (plain, "The plots show smooth and steadily decreasing training and validation loss and cost over 40 epochs."),
        (light, "With lambda 0.1 the curves remain smooth and stable."),
    ):
        page.claim(
            text,
            all(is_smooth(group, name) for name in CURVES),
            f"from one epoch to the next the {'mean ' if len(group) > 1 else ''}training loss rises by at most "
            f"{steepest_rise(group, 'training_loss'):.4f}, that of the validation set by "
            f"{steepest_rise(group, 'validation_loss'):.4f}; in all they fall by "
            f"{whole_fall(group, 'training_loss'):.2f} and {whole_fall(group, 'validation_loss'):.2f}",
        )
    first, last = gap(plain, 0), gap(plain)
    page.claim(
        "The gap between training and validation curves is consistent.",
        bool(last.mean() < 2 * first.mean()),
        f"{with_spread(first, '.3f')} after the first epoch, {with_spread(last, '.3f')} after the last",
    )
    over = percent(plain, "training") - percent(plain, "test")
    page.claim(
        "Slight overfitting but good generalization.",
        bool(0 < over.mean() < 10),
        f"training accuracy is {with_spread(over)} points above test accuracy",
    )


def of_moderate_decay(honest: dict[str, Results], page: Page) -> None:
    """The sentences about lambda 0.1."""
    _, plain, light, _ = honest.values()
    page.claim(
        "With lambda 0.1 overfitting is reduced, as the validation curves stay closer to training ones.",
        bool(gap(plain).mean() > gap(light).mean()),
        f"the gap is {in_order(honest, gap, '.3f')}",
    )
    for name in ("training", "test"):
        reached = [percent(group, name) for group in (plain, light)]
        page.claim(
            f"With lambda 0.1 the final {name} accuracy is marginally lower.",
            bool(reached[1].mean() < reached[0].mean()),
            f"{with_spread(reached[1])} with lambda 0.1, {with_spread(reached[0])} without",
        )
    page.claim(
        "Lambda 0.1 leads to slightly higher loss and cost values than lambda 0.",
        all(ends(light, name).mean() > ends(plain, name).mean() for name in CURVES),
        "; ".join(
            f"{name.replace('_', ' ')} {' beside '.join(with_spread(ends(g, name), '.3f') for g in (light, plain))}"
            for name in CURVES
        ),
    )
    apart = float(percent(light, "test").mean() - percent(plain, "test").mean())
    page.claim(
        "Lambda 0.1 achieves nearly equivalent results with cleaner filters, without a notable drop in accuracy.",
        abs(apart) < 1.2 and bool(rough(light).mean() < rough(plain).mean()),
        f"its test accuracy is {abs(apart):.1f} points {'higher' if apart > 0 else 'lower'}; roughness "
        f"{in_order(honest, rough)}",
    )


def of_strong_decay(honest: dict[str, Results], page: Page) -> None:
    """The sentences about lambda 1."""
    _, plain, light, heavy = honest.values()
    fall = [second_half(group, "training_loss") for group in (plain, heavy)]
    page.claim(
        "With lambda 1 convergence is very stable and flat; the loss curve flattens quickly.",
        abs(fall[1]) < 0.01 and bool(jumps(heavy, "training_loss").mean() < 0.5),
        f"in the second half of the epochs the training loss falls by {fall[1]:.3f}, by {fall[0]:.3f} without penalty",
    )
    page.claim(
        "Strong regularization causes the cost to plateau early.",
        settled(heavy) < settled(plain),
        f"the training cost is within 0.02 of its last value from epoch {settled(heavy)} on with lambda 1, from epoch "
        f"{settled(plain)} on without",
    )
    page.claim(
        "With lambda 1 the cost remains higher and the gap narrows.",
        bool(ends(heavy, "training_cost").mean() > max(ends(g, "training_cost").mean() for g in (plain, light)))
        and bool(gap(heavy).mean() < gap(light).mean()),
        f"the training cost ends at {in_order(honest, lambda group: ends(group, 'training_cost'))}; the gap is "
        f"{in_order(honest, gap, '.3f')}",
    )
    page.claim(
        "Excessive regularization leads to underfitting; performance drops slightly.",
        bool(percent(heavy, "training").mean() < percent(plain, "training").mean() - 1)
        and bool(percent(heavy, "test").mean() < percent(plain, "test").mean() - 0.5),
        f"training accuracy {in_order(honest, lambda g: percent(g, 'training'), '.1f')}; "
        f"test accuracy {in_order(honest, lambda g: percent(g, 'test'), '.1f')}",
    )


def of_generalization(honest: dict[str, Results], page: Page) -> None:
    """The sentences over all settings: which is best, and what lambda does."""
    _, plain, light, heavy = honest.values()
    best = max(honest, key=lambda label: float(percent(honest[label], "test").mean()))
    page.claim(
        "Lambda 0 with eta 0.001 yields the best generalization performance and the highest test accuracy.",
        honest[best] is plain,
        f"the highest test accuracy is that of {best}: {in_order(honest, lambda g: percent(g, 'test'), '.1f')}",
    )
    gaps = [float(gap(group).mean()) for group in (plain, light, heavy)]
    page.claim(
        "Increasing lambda helps reduce overfitting.",
        gaps[0] > gaps[1] > gaps[2],
        f"the gap is {in_order(honest, gap, '.3f')}",
    )
    page.claim(
        "Increasing lambda improves generalization; too much of it leads to underfitting.",
        bool(percent(heavy, "test").mean() < percent(plain, "test").mean() < percent(light, "test").mean()),
        f"test accuracy {in_order(honest, lambda g: percent(g, 'test'), '.1f')}",
    )


def of_rates(honest: dict[str, Results], slow: Results, page: Page) -> None:
    """The sentences about learning rates that are too small."""
    _, plain, *_ = honest.values()
    page.claim(
        "A learning rate that is too small can lead to excessively slow convergence.",
        bool(ends(slow, "training_loss").mean() > ends(plain, "training_loss").mean() + 0.1),
        f"with eta 0.00001 the training loss is {with_spread(ends(slow, 'training_loss'), '.2f')} after the last "
        f"epoch, with 0.001 {with_spread(ends(plain, 'training_loss', 0), '.2f')} after the first and "
        f"{with_spread(ends(plain, 'training_loss'), '.2f')} after the last",
    )
    page.claim(
        "A rate that is too small can get stuck in suboptimal regions.",
        False,
        "the cost of a linear softmax classifier is convex, so there is nothing to get stuck in",
    )
