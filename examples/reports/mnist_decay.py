"""Weight decay: five strengths of L2 on the classifier of the report, six on a network with a hidden layer."""

from typing import Any

import numpy as np
from images import mnist_signed
from matplotlib.figure import Figure
from mnist_curves import curves_figure, of_the_report
from mnist_runs import CURVES, HIDDEN_STRENGTHS, STRENGTHS
from report import Page, Row, averaged, deviation, ends, with_spread

from minidl import plots
from minidl.data import roughness
from minidl.experiments import Results

# For each lambda: where the report's run stops (read off its figure 9, and exactly); the norm of the weights read off
# its figure 10, and where that and the highest validation accuracy lie.
DECAYED: dict[float, tuple[Any, ...]] = {
    1.0: (620, 620, 0.60, (0.59, 0.62), (0.81, 0.84)),
    0.1: (2330, 2325, 1.65, (1.64, 1.67), (0.878, 0.890)),
    0.01: (5080, 5084, 3.23, (3.10, 3.40), (0.905, 0.915)),
    0.001: (8960, 8959, "", (4.4, 5.1), (0.913, 0.920)),
    0.0: (8640, 8618, 5.03, (4.6, 5.5), (0.913, 0.920)),
}


def weight_decay(group: Results, page: Page) -> None:
    """Five strengths of L2: accuracies, norms, templates."""
    page.section(
        "L2 in five strengths",
        "Ten classes, one random stream through all five, from lambda 1 to 0: lambda 0 is another run than that above. "
        "The steps of the report are read off its figure 9, to about 30.",
    )
    page.compare([row for strength in DECAYED for row in strength_rows(group, strength)] + template_rows(group))
    page.say(
        "Roughness is the sum of squared Laplacians of a template over the sum of squares around its mean. Likeness "
        "is the correlation of a template with the mean image of its digit minus the mean of all images. The axis of "
        "the report's figure 10 says squared norm; its numbers, like these, are norms, biases included."
    )
    of_the_strengths(group, page)
    of_the_templates(group, page)
    of_generality(group, page)
    decay_figures(group, page)


def strength_rows(group: Results, strength: float) -> list[Row]:
    """Where the report's run stops with one strength; accuracies and norms."""
    (seen, stop, norm, norms, accuracies), name = DECAYED[strength], f"lambda {strength:g}"
    own, key = of_the_report(group), f"{strength:g}"
    stops = own.array(f"stop_step {key}") if own else ()
    return [
        *(Row(f"{name}: seed 0 stops at", seen, at, (stop, stop), form=".0f", source="figure 9") for at in stops),
        Row(f"{name}: highest validation accuracy", "", highest(group, strength), accuracies, form=".4f"),
        *(
            Row(f"{name}: final {part} accuracy", "", ends(group, f"{part}_accuracy {key}"), form=".4f")
            for part in ("training", "validation")
        ),
        Row(
            f"{name}: norm of the weights",
            norm,
            group.array(f"norm {key}"),
            norms,
            form=".4f",
            because="read off, one seed" if norm else "",
            source="figure 10",
        ),
    ]


def highest(group: Results, strength: float) -> np.ndarray:
    """The highest validation accuracy with one strength, for each run."""
    return np.array([curve.max() for curve in group.column(f"validation_accuracy {strength:g}")])


def rough(group: Results, strength: int) -> np.ndarray:
    """The roughness of the ten templates with lambda 0 or 1, (runs, 10)."""
    return np.stack([roughness(weight.T, (28, 28)) for weight in group.column(f"weight {strength}")])


def template_rows(group: Results) -> list[Row]:
    """How much the templates look like digits, and how rough they are."""
    ratio = (rough(group, 1) / rough(group, 0)).mean(axis=1)
    return [
        *(
            Row(
                f"likeness of the templates to their digits, lambda {strength}",
                said,
                likeness(group, f"weight {strength}"),
                form=".2f",
            )
            for strength, said in ((0, ""), (1, "high"))
        ),
        Row("roughness of the templates, lambda 1 / lambda 0", "below 1", ratio, (0.2, 0.6), ".2f"),
    ]


def likeness(group: Results, name: str) -> np.ndarray:
    """For each run the mean correlation of its templates with the mean images of their digits."""
    images, _ = mnist_signed(20_000, 10_000)
    means = np.stack([images.x[images.targets == digit].mean(axis=0) for digit in range(10)], axis=1)
    centred = means - images.x.mean(axis=0)[:, None]
    return np.array(
        [np.mean([np.corrcoef(w[:, d], centred[:, d])[0, 1] for d in range(10)]) for w in group.column(name)]
    )


def of_the_strengths(group: Results, page: Page) -> None:
    """What the report says of norms and accuracies, against the means of all seeds."""
    norms = [group.array(f"norm {s:g}").mean() for s in STRENGTHS]
    final = {
        part: [ends(group, f"{part}_accuracy {s:g}").mean() for s in STRENGTHS] for part in ("training", "validation")
    }
    page.claim(
        "The regularization reduces the norm of the weights.",
        bool(np.all(np.diff(norms) > 0)),
        f"{', '.join(f'{norm:.2f}' for norm in norms)} for lambda {', '.join(f'{s:g}' for s in STRENGTHS)}",
    )
    page.claim(
        "The accuracy of both sets degrades when lambda increases.",
        all(bool(np.all(np.diff(means) > 0)) for means in final.values()),
        "; ".join(f"{part} {', '.join(f'{m:.4f}' for m in means)}" for part, means in final.items())
        + ", in this order",
    )
    page.claim(
        "The model becomes too simple for the task when lambda is large.",
        bool(final["training"][0] < final["training"][-1] - 0.02),
        f"it does not even fit the training set: {final['training'][0]:.4f} with lambda 1, {final['training'][-1]:.4f} "
        f"without"
        if final["training"][0] < final["training"][-1] - 0.02
        else f"training accuracy {final['training'][0]:.4f} with lambda 1, {final['training'][-1]:.4f} without",
    )


def of_the_templates(group: Results, page: Page) -> None:
    """What the report says of figures 7 and 8."""
    roughs = {s: rough(group, s).mean() for s in (0, 1)}
    like = {s: likeness(group, f"weight {s}").mean() for s in (0, 1)}
    page.claim(
        "Without regularization the weights are more noisy; with lambda 1 they clearly resemble numbers.",
        bool(roughs[1] < roughs[0] and like[1] > max(0.9, like[0])),
        f"roughness {roughs[0]:.2f} and {roughs[1]:.2f}, likeness {like[0]:.2f} and {like[1]:.2f}",
    )
    zero = np.mean([(weight == 0).mean() for weight in group.column("weight 1")])
    small = [
        np.mean([(abs(w) < 0.01 * abs(w).max()).mean() for w in group.column(f"weight {strength}")])
        for strength in (1, 0)
    ]
    page.claim(
        "The weights are too sparse when lambda is large.",
        bool(zero > 0.5),
        f"of those with lambda 1, {100 * zero:.0f} % are 0 and {100 * small[0]:.0f} % are below a hundredth of the "
        f"largest; without a penalty {100 * small[1]:.0f} % are",
    )


def of_generality(group: Results, page: Page) -> None:
    """The report takes noise in the weights for generality."""
    gaps = {
        s: (ends(group, f"training_accuracy {s:g}") - ends(group, f"validation_accuracy {s:g}")).mean()
        for s in STRENGTHS
    }
    accuracies = {s: highest(group, s) for s in STRENGTHS}
    best = max(accuracies, key=lambda s: float(accuracies[s].mean()))
    second = max((s for s in STRENGTHS if s != best), key=lambda s: float(accuracies[s].mean()))
    apart = float(accuracies[best].mean() - accuracies[second].mean())
    close = ", less than two deviations apart" if apart < 2 * deviation(accuracies[best]) else ""
    page.claim(
        "The weights without regularization look the most general.",
        best == 0 and gaps[0.0] == min(gaps.values()),
        f"training minus validation accuracy is {', '.join(f'{gap:.4f}' for gap in gaps.values())} for lambda "
        f"{', '.join(f'{s:g}' for s in gaps)}; the highest validation accuracy is that of lambda {best:g}, "
        f"{with_spread(accuracies[best], '.4f')}, before lambda {second:g}, "
        f"{with_spread(accuracies[second], '.4f')}{close}",
    )


def decay_figures(group: Results, page: Page) -> None:
    """Figures 7 to 10: templates, accuracies, norms."""
    first = group[0].values
    for strength in (0, 1):
        figure = plots.weight_images(first[f"weight {strength}"], (28, 28), columns=10, titles="0123456789")
        caption = f"Weights for lambda = {strength}, each digit with its own scale: red above 0, blue below."
        page.figure(f"weights_lambda_{strength}", figure, caption)
    runs = {f"lambda {s:g}": {n: first[f"{n} {s:g}"] for n in (*CURVES, "step")} for s in STRENGTHS}
    for part in ("training", "validation"):
        figure = curves_figure(runs, f"{part}_accuracy", (0.7, 0.93))
        page.figure(f"{part}_accuracy_by_lambda", figure, f"The {part} accuracy until early stopping, first seed.")
    ordered = STRENGTHS[::-1]
    norms, values = np.stack([group.array(f"norm {s:g}") for s in ordered], axis=1), [f"{s:g}" for s in ordered]
    figure = plots.error_bars({"": norms}, values, xlabel="lambda", ylabel="norm of the weights")
    caption = f"Norm of the weights, biases included, at equal distances of lambda: {averaged(len(group))}."
    page.figure("norm_by_lambda", figure, caption)


def hidden_layer(group: Results, page: Page) -> None:
    """Whether a large lambda helps a network with more layers, as the report supposes."""
    page.section(
        "L2 on a network with a hidden layer",
        "The report supposes that a larger lambda would help a more complex network. 784-64-10 with ReLU, normal "
        "weights of variance 2 / fan_in, learning rate 0.1, shuffled, no early stopping, the same images and penalty.",
    )
    by_strength = {strength: group.where(strength=strength) for strength in HIDDEN_STRENGTHS}
    page.compare(
        Row(f"lambda {strength:g}: final {part.replace('_', ' ')}", "", ends(runs, part), form=".4f")
        for strength, runs in by_strength.items()
        for part in ("training_accuracy", "validation_accuracy", "validation_loss")
    )
    best = group.best("validation_accuracy", mode="max")["strength"]
    told = {
        part: f"{word} with lambda {s:g}, {with_spread(ends(by_strength[s], part), '.4f')}"
        + (f", beside {with_spread(ends(by_strength[0.0], part), '.4f')} without" if s else "")
        for part, word, s in (
            ("validation_accuracy", "highest", best),
            ("validation_loss", "lowest", group.best("validation_loss", mode="min")["strength"]),
        )
    }
    reached = {s: ends(by_strength[s], "validation_accuracy") for s in (best, 0.0, 1.0)}
    gain = float((reached[best] - reached[0.0]).mean())
    clear = gain > max(deviation(reached[0.0]), 0.002)
    page.claim(
        "If the model had more layers, a larger lambda would be beneficial.",
        clear or (False if best == 0 else None),
        f"the validation accuracy is {told['validation_accuracy']}; the validation loss is {told['validation_loss']}; "
        f"with lambda 1 the accuracy is {with_spread(reached[1.0], '.4f')}"
        + ("; the gain in accuracy is too small to tell" if best > 0 and not clear else ""),
    )
    figure = hidden_figure(by_strength)
    page.figure("hidden_layer", figure, f"One hidden layer: loss by lambda, {averaged(len(by_strength[0.0]))}.")


def hidden_figure(by_strength: dict[float, Results]) -> Figure:
    """Both losses after the last epoch against lambda, the smallest first."""
    names = [f"{strength:g}" for strength in reversed(by_strength)]
    losses = {
        part: np.stack([ends(runs, f"{part}_loss") for runs in reversed(by_strength.values())], axis=1)
        for part in ("training", "validation")
    }
    return plots.error_bars(losses, names, xlabel="lambda", ylabel="loss after the last epoch", log=True)
