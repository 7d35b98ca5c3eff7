"""The curves of the hinge report: how losses fall in its single run and in its best setting."""

from collections.abc import Callable

import numpy as np
from hinge_runs import BEST, SETS, SINGLE, SMALL, USUAL
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from report import Page, Row, averaged

from minidl import plots
from minidl.experiments import Results

ZERO = {"max": 1.0, "sum": 9.0}  # the loss of weights that are zero
PANELS = {"maximum of the violations": "max", "sum of the violations": "sum"}


def single_run(variants: dict[str, Results], last: dict[str, Results], page: Page) -> None:
    """Section 3 of the report: how the validation loss falls, and what makes it fall."""
    page.section(
        "The single run",
        "eta 1e-7, lambda 5e4, L2, batch 200 (section 3 of the report, which gives its curve and no numbers). Max is "
        "the loss of the report's formula, sum that of all violations. The loss is that of the validation set, without "
        "the penalty.",
    )
    page.compare(row for label, group in variants.items() for row in falling_rows(label, group.where(**SINGLE)))
    usual = {loss: group.where(**SINGLE, **USUAL) for loss, group in last.items()}
    small = {loss: group.where(**SINGLE, **USUAL | {"scale": SMALL}) for loss, group in last.items()}

    def draw(loss: str, ax: Axes) -> None:
        curves = {
            "as trained": usual[loss].array("validation_loss"),
            "only the penalty moves the weights": usual[loss].array("decay_loss"),
            "trained from small weights": small[loss].array("validation_loss"),
        }
        step = usual[loss][0].values["step"]
        plots.mean_curves(curves, x=step, xlabel="iteration", ylabel="validation loss", log=True, ax=ax)

    caption = (
        f"The validation loss, without the penalty, every 100 iterations, {averaged(len(usual['max']))}. Initial "
        f"weights from N(0, 0.001²); small ones from N(0, 0.000001²). Zero weights have the loss 1 (max) or 9 (sum)."
    )
    page.figure("single_run", both_losses(draw), caption)
    falling_claims(usual, page)
    worth(variants, usual, page)


def both_losses(draw: Callable[[str, Axes], None]) -> Figure:
    """A panel for the maximum and one for the sum, with one legend."""
    figure = plots.small_multiples(PANELS, draw)
    if legend := figure.axes[-1].get_legend():
        legend.remove()
    return figure


def falling_rows(label: str, group: Results) -> list[Row]:
    """How far the validation loss falls, how flat it ends, and the accuracies."""
    rows = [Row(f"{label}: {name} accuracy in %", "", 100 * group.array(f"{name}_accuracy")) for name in SETS]
    if "last" in label:
        loss = group.array("validation_loss")
        rows.append(Row(f"{label}: final validation loss", "", loss[:, -1], None, ".3f"))
        rows.append(Row(f"{label}: final / first validation loss", "", loss[:, -1] / loss[:, 0], (0, 0.3), ".2f"))
        rows.append(Row(f"{label}: its range over the last third / final", "", last_third(loss), (0, 0.1), ".2f"))
    if label == "max, last weights":
        rows.append(Row("epochs in the history", 6, group.array("epochs_counted"), (6, 6), ".2f"))
    return rows


def falling_claims(usual: dict[str, Results], page: Page) -> None:
    """The sentences about figure 2."""
    fall, flat, decayed = (dict[str, float]() for _ in range(3))
    for loss, group in usual.items():
        curve, decay = group.array("validation_loss").mean(axis=0), group.array("decay_loss").mean(axis=0)
        early = min(2, len(curve) - 1)  # 200 iterations
        fall[loss] = (curve[0] - curve[early]) / (curve[0] - curve[-1])
        decayed[loss] = (decay[0] - decay[early]) / (curve[0] - curve[early])
        flat[loss] = float(last_third(group.array("validation_loss")).mean())
    page.claim(
        "The validation loss decreases sharply during the initial iterations and then stabilizes.",
        min(fall.values()) > 0.8 and max(flat.values()) < 0.1,
        f"{both(fall, share)} of the fall is done after 200 iterations; over the last third of the run the loss "
        f"moves within {both(flat, share)} of its final value",
    )
    page.claim(
        "The rapid decrease can be attributed to the large margin errors being corrected by SGD.",
        max(decayed.values()) < 0.5,
        f"weights that only the penalty moves, and no image, come to {both(decayed, share)} of that fall"
        + (": most of it is the shrinking of the random initial weights" if min(decayed.values()) > 0.5 else ""),
    )


def worth(variants: dict[str, Results], usual: dict[str, Results], page: Page) -> None:
    """What the fallen loss is worth, beside that of weights that are zero."""
    end = {loss: float(group.array("validation_loss")[:, -1].mean()) for loss, group in usual.items()}
    accuracies = {loss: 100 * group.mean("validation_accuracy") for loss, group in usual.items()}
    page.claim(
        "The decrease in validation loss indicates that the model is learning generalizable features.",
        end["max"] < ZERO["max"],
        f"the maximum ends at {end['max']:.3f}, and weights that are zero have {ZERO['max']:.0f}; the sum ends at "
        f"{end['sum']:.2f}, and zero weights have {ZERO['sum']:.0f}. What was learned shows in the validation "
        f"accuracy, {both(accuracies, '{:.1f} %'.format)} where chance has 10 %",
    )
    reached = {
        label: 100 * group.where(**SINGLE).mean("training_accuracy")
        for label, group in variants.items()
        if label.startswith("max")
    }
    final, mean = reached["max, last weights"], reached["max, averaged weights"]
    page.claim(
        "The results demonstrate the effectiveness of SGD in optimizing the linear classifier.",
        final > 20,
        f"{final:.1f} % of the training images are right in the end, of ten classes; the mean of the weights over the "
        f"last third of the same runs has {mean:.1f} %",
    )


def best_curves(variants: dict[str, Results], last: dict[str, Results], page: Page) -> None:
    """Figure 3 of the report."""
    page.section("The best setting: cost and loss", "The cost is the loss with the penalty.")
    groups = {loss: group.where(**BEST, **USUAL) for loss, group in last.items()}

    def draw(loss: str, ax: Axes) -> None:
        group = groups[loss]
        curves = {
            "cost of a training batch": group.array("training_cost"),
            "validation loss": group.array("validation_loss"),
        }
        step = group[0].values["step"]
        plots.mean_curves({"": curves}, x=step, xlabel="iteration", ylabel="cost, loss", log=True, ax=ax)

    caption = f"Every 100 iterations, {averaged(len(groups['max']))}: the cost has the penalty in it, the loss has not."
    page.figure("best_curves", both_losses(draw), caption)
    ends = {
        loss: (group.mean("training_loss"), float(group.array("validation_loss")[:, -1].mean()))
        for loss, group in groups.items()
    }
    page.claim(
        "Training and validation loss decrease, a good fit without obvious overfitting.",
        all(validation < 1.1 * training for training, validation in ends.values()),
        "training and validation loss end at "
        + " and ".join(f"{t:.3f} and {v:.3f} ({loss})" for loss, (t, v) in ends.items())
        + ", both without the penalty",
    )
    final, mean = (
        100 * variants[f"max, {kind} weights"].where(**BEST).mean("training_accuracy") for kind in ("last", "averaged")
    )
    swings = mean - final >= 2
    page.claim(
        "The sharp decline suggests that the learning rate is adequately chosen.",
        not swings,
        f"with the maximum the mean of the weights over the last third of a run reaches {mean:.1f} % on the training "
        f"images, the last weights {final:.1f} %"
        + (": the steps are so long that the weights swing about what they could reach" if swings else ""),
    )


def share(value: float) -> str:
    """Such as "93 %"."""
    return f"{100 * value:.0f} %"


def both(values: dict[str, float], text: Callable[[float], str]) -> str:
    """A number of the maximum and of the sum in words."""
    return f"{text(values['max'])} (max) and {text(values['sum'])} (sum)"


def last_third(loss: np.ndarray) -> np.ndarray:
    """The range of each curve over its last third / its final value."""
    flat: np.ndarray = np.ptp(loss[:, -(loss.shape[1] // 3 or 1) :], axis=1) / loss[:, -1]
    return flat
