"""A sigmoid MLP on CIFAR-10: weight decay, SGD and Adam, learning-rate decay (a report of the University of
Ljubljana, FRI, its year not given).

3072-100-100-10 with sigmoids, weights N(0, 2 / fan_in), biases 0; all 50 000 training images, pixels from 0 to 1;
batches of 64, the last one short; 20 epochs of SGD with learning rate 0.3 unless said otherwise. The weight decay
lambda is that of the report's equation 8, w <- w - lr (gradient + lambda w), on weights only; the learning rate of
epoch t = 0, 1, ... is lr exp(-k t). Every setting is repeated, and its test loss and accuracy are measured after
every epoch.

The network of the course sees the images in file order, the same in every epoch. That is shown first; then two
settings in other fixed orders; then everything with a new order in every epoch, with half as many repetitions. After
that come, in file order, the penalty as equation 1 has it, and what the report leaves open: depth, width, more epochs.
"""

from argparse import Namespace
from itertools import pairwise
from typing import Any

import numpy as np
from images import cifar10_pixels
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from report import Page, Row, main, seeds, with_spread

from minidl import L2, SGD, Adam, Linear, Sequential, Sigmoid, SoftmaxCrossEntropy, Trainer, accuracy, plots
from minidl.data import cifar10, steps_per_epoch
from minidl.experiments import PlannedRun, Results, plan
from minidl.initializers import he_normal
from minidl.layers import Layer
from minidl.optim import ExponentialDecay

BASE = {"optimizer": "SGD", "lr": 0.3, "strength": 0.0, "decay": 0.0}
RATES = (0.001, 0.01, 0.1, 0.2, 0.3, 0.5)
STRENGTHS = (0.0001, 0.001, 0.01)
DECAYS = (0.0001, 0.001, 0.01, 0.1)
SWEEPS = {
    "lambda": [BASE | {"strength": strength} for strength in STRENGTHS],
    "SGD": [BASE | {"lr": lr} for lr in RATES],
    "Adam": [BASE | {"optimizer": "Adam", "lr": lr} for lr in RATES],
    "k": [BASE | {"decay": decay} for decay in DECAYS],
}
NAMES = {"lambda": "lambda", "SGD": "learning rate", "Adam": "learning rate of Adam", "k": "k"}
FIXED = {"SGD 0.3": BASE, "k 0.1": BASE | {"decay": 0.1}}
EQUATION_1 = BASE | {"strength": 0.01 / 64}
LONGER = BASE | {"decay": 0.05}  # over 40 epochs: the learning rate falls as far as with k = 0.1 over 20
SHAPES = {
    "1 hidden layer": {"layers": 1, "width": 100, "decay": 0.1},
    "3 hidden layers": {"layers": 3, "width": 100, "decay": 0.1},
    "width 50": {"layers": 2, "width": 50, "decay": 0.1},
    "width 200": {"layers": 2, "width": 200, "decay": 0.1},
}


def train(
    order: str, optimizer: str, lr: float, strength: float, decay: float, *, seed: int, epochs: int, rows: int
) -> dict[str, Any]:
    """One network: test loss and accuracy after every epoch; `order` is "file", "fixed" or "shuffled"."""
    training, test = cifar10_pixels(rows)
    one_order = np.random.default_rng(seed).permutation(len(training))
    model = Sequential(
        Linear(3072, 100, weight_init=he_normal),
        Sigmoid(),
        Linear(100, 100, weight_init=he_normal),
        Sigmoid(),
        Linear(100, 10, weight_init=he_normal),
    ).build(seed=seed)
    rate = ExponentialDecay(
        lr, exponent=decay, every=steps_per_epoch(training, 64)
    )  # lr exp(-k t), t = 0, 1, ... epochs
    trainer = Trainer(
        model,
        SoftmaxCrossEntropy(),
        SGD(rate) if optimizer == "SGD" else Adam(rate),
        regularizers=[L2(strength / 2)],  # equation 8 of the report: w <- w - lr (gradient + lambda w)
        metrics=[accuracy],
    )
    history = trainer.fit(
        training,
        {"test": test},
        epochs=epochs,
        batch_size=64,
        shuffle=(lambda epoch: one_order) if order == "fixed" else order == "shuffled",
        seed=seed,
        restore_best=False,
        raise_divergence=False,
        progress=False,
    )
    names = ("train_loss", "test_loss", "test_accuracy")
    return {name: np.array(history.evaluations[name]) for name in names} | {"ended": history.stopped_because}


def train_shape(layers: int, width: int, decay: float, *, seed: int, epochs: int, rows: int) -> dict[str, Any]:
    """So many hidden layers of that width, in file order with learning rate 0.3: test loss and accuracy likewise."""
    training, test = cifar10_pixels(rows)
    sizes = [3072, *[width] * layers, 10]
    parts: list[Layer] = []
    for inputs, outputs in pairwise(sizes):
        parts += [Linear(inputs, outputs, weight_init=he_normal), Sigmoid()]
    rate = ExponentialDecay(0.3, exponent=decay, every=steps_per_epoch(training, 64))
    model = Sequential(*parts[:-1]).build(seed=seed)
    history = Trainer(model, SoftmaxCrossEntropy(), SGD(rate), metrics=[accuracy]).fit(
        training,
        {"test": test},
        epochs=epochs,
        batch_size=64,
        shuffle=False,
        restore_best=False,
        raise_divergence=False,
        progress=False,
    )
    return {name: np.array(history.evaluations[name]) for name in ("train_loss", "test_loss", "test_accuracy")}


def runs(options: Namespace) -> list[PlannedRun]:
    """The sweeps in file order and shuffled, two settings in fixed orders; seed by seed, so a stopped job has all.

    Then the penalty of equation 1, other shapes of the network, and twice the epochs, in file order.
    """
    size = {"epochs": 2, "rows": 640} if options.quick else {"epochs": 20, "rows": 50_000}
    longer = size | {"epochs": 2 * size["epochs"]}
    settings = [setting for sweep in SWEEPS.values() for setting in sweep]
    planned = plan(train, settings, seeds(options, 10), order="file", **size)
    planned += plan(train, FIXED.values(), seeds(options, 10), order="fixed", **size)
    planned += plan(train, settings, seeds(options, 5), order="shuffled", **size)
    planned += plan(train, [EQUATION_1], seeds(options, 3), order="file", **size)
    planned += plan(train, [LONGER], seeds(options, 2), order="file", **longer)
    planned += plan(train_shape, SHAPES.values(), seeds(options, 2), **size)
    return sorted(planned, key=lambda run: run.seed)


# Where the final test accuracy in % of a correct implementation lands: an independent program's two seeds, with room
# for three deviations over seeds; only for settings that depend little on the order of the files.
LANDS: dict[str, dict[str, tuple[float, float]]] = {
    "file": {
        "lambda 0.001": (37, 42),
        "lambda 0.01": (18, 22),
        "Adam 0.001": (43, 47),
        "Adam 0.01": (12, 25),
        "k 0.1": (47.5, 51),
    },
    "shuffled": {
        "lambda 0.001": (29, 42),
        "lambda 0.01": (14, 26),
        "SGD 0.3": (42, 49),
        "Adam 0.001": (45, 48.5),
        "Adam 0.01": (12, 25),
        "k 0.1": (48, 52),
    },
}
ALWAYS = {"SGD 0.001": (26, 31), "SGD 0.01": (36.5, 39), **{f"Adam {lr}": (9.9, 10.1) for lr in RATES[2:]}}
LOSSES = {"lambda 0.01": (1.95, 2.2), "Adam 0.1": (2.3, 2.7), "Adam 0.2": (2.6, 3.8)}


def write_up(results: Results, page: Page, options: Namespace) -> None:
    """Tables and figures: in file order, in other fixed orders, shuffled; then what the report leaves open."""
    own = results.of(train)
    page.say(
        "The report prints no table. It says: accuracy around 50 %, a large lambda fails, SGD is best near 0.1, Adam "
        "fails with large learning rates, a larger k ends with a lower loss. It does not say in which order the images "
        "come, when the test set is measured, nor whether some images are held out (the program of the course holds "
        "out 307). Accuracies are in %, on the test set. Its equation 5 leaves out the factor 1/m of equation 1; here "
        "gradients are means over the batch. The caption of its figure 3 calls k a regularization parameter. "
    )
    file, fixed, shuffled = (own.where(order=order) for order in ("file", "fixed", "shuffled"))
    page.claim("A learning rate that decays with each iteration decreases too rapidly.", None, "no run here has one")
    order_section(file, "file", "In file order, as in the course", page, around(final(fixed, "test_accuracy", **BASE)))
    fixed_section(fixed, file, page)
    order_section(shuffled, "shuffled", "Shuffled in every epoch", page)
    equations(file, page)
    shapes(file, results, page)


def around(values: np.ndarray) -> tuple[float, float] | None:
    """Two deviations to either side of the mean; None for a single run."""
    if len(values) < 2:
        return None
    mean, off = float(values.mean()), 2 * float(values.std(ddof=1))
    return mean - off, mean + off


def order_section(
    group: Results, order: str, title: str, page: Page, default: tuple[float, float] | None = None
) -> None:
    """Final numbers, the report's conclusions, and curves of every sweep."""
    lands = ALWAYS | LANDS[order] | ({"SGD 0.3": default} if default else {})
    page.section(f"{title}: after the last epoch", "SGD 0.3 is the default: lambda 0 and k 0.")
    page.compare(row for sweep, settings in SWEEPS.items() for row in sweep_rows(group, sweep, settings, lands))
    page.section(f"{title}: what follows")
    page.compare(claims(group))
    conclude(group, page)
    page.figure(f"{order}_final", final_figure(group), f"{title}: after the last epoch, mean and deviation.")
    for sweep, settings in SWEEPS.items():
        caption = f"{title}: after every epoch, mean and deviation; {NAMES[sweep]} varies."
        page.figure(f"{order}_{sweep}", epochs_figure(group, settings, sweep), caption)


def conclude(group: Results, page: Page) -> None:
    """Each sentence of the report against the means of all repetitions."""
    by_loss, by_accuracy = (best(group, "SGD", name) for name in ("test_loss", "test_accuracy"))
    best_adam = best(group, "Adam", "test_loss")
    top = {lr: final(group, "test_accuracy", **BASE | {"lr": lr}) for lr in RATES}
    large = final(group, "test_loss", **BASE | {"strength": 0.01})
    none = final(group, "test_loss", **BASE)
    failing = [
        lr for lr in RATES if final(group, "test_accuracy", **BASE | {"optimizer": "Adam", "lr": lr}).mean() < 25
    ]
    losses = [final(group, "test_loss", **BASE | {"decay": k}).mean() for k in (0.0, *DECAYS)]
    page.claim(
        "A lambda too big may cause the model to not train properly anymore.",
        bool(large.mean() > none.mean() + 0.2),
        f"the loss is {with_spread(large, '.2f')} with 0.01, {with_spread(none, '.2f')} without",
    )
    page.claim(
        "SGD performs best when the learning rate is around 0.1.",
        by_loss == 0.1,
        f"the test loss is lowest at {by_loss:g}{beside(group, by_loss)}; the accuracy is highest at {by_accuracy:g}, "
        f"{with_spread(top[by_accuracy])}" + ("" if by_accuracy == 0.1 else f", beside {with_spread(top[0.1])} at 0.1"),
    )
    page.claim(
        "Adam fails with a too big learning rate.",
        bool(failing),
        f"its accuracy is below 25 % at {', '.join(f'{lr:g}' for lr in failing) or 'none of these'}",
    )
    page.claim(
        "Different learning rates satisfy different optimizers.",
        best_adam != by_loss,
        f"the lowest loss is that of {by_loss:g} with SGD, of {best_adam:g} with Adam",
    )
    page.claim(
        "A bigger decay rate k enables a lower loss.",
        bool(losses[-1] < min(losses[:-1])),
        f"{', '.join(f'{loss:.3f}' for loss in losses)} for k = 0, {', '.join(f'{k:g}' for k in DECAYS)}",
    )
    over = {
        s: (final(group, "test_loss", **BASE | {"strength": s}) - final(group, "train_loss", **BASE | {"strength": s}))
        for s in (0.0, *STRENGTHS)
    }
    page.claim(
        "L2 regularization prevents over-fitting.",
        bool(over[0.001].mean() < over[0.0].mean()),
        f"test minus training loss is {with_spread(over[0.0], '.2f')} without, "
        f"{with_spread(over[0.0001], '.2f')} with lambda 0.0001, {with_spread(over[0.001], '.2f')} with 0.001",
    )
    accuracy_in_all = max(
        float(final(group, "test_accuracy", **setting).mean()) for sweep in SWEEPS.values() for setting in sweep
    )
    page.claim(
        "Around 50 % accuracy, which beats the majority baseline of around 10 %.",
        accuracy_in_all > 47.5,
        f"{accuracy_in_all:.1f} with the best of these settings, {majority_baseline():.1f} for the most frequent class",
    )


def beside(group: Results, rate: float) -> str:
    """The learning rates of SGD whose mean loss is at most two deviations above the lowest."""
    losses = {lr: final(group, "test_loss", **BASE | {"lr": lr}) for lr in RATES}
    if len(losses[rate]) < 2:
        return ""
    most = losses[rate].mean() + 2 * losses[rate].std(ddof=1)
    near = [f"{lr:g}" for lr in RATES if lr != rate and losses[lr].mean() <= most]
    return f" (within two deviations: {', '.join(near)})" if near else ""


def best(group: Results, sweep: str, name: str) -> float:
    """The learning rate of a sweep with the lowest mean loss or the highest mean accuracy."""
    sign = -1 if name == "test_accuracy" else 1
    return min(RATES, key=lambda lr: sign * float(final(group, name, **SWEEPS[sweep][RATES.index(lr)]).mean()))


def fixed_section(fixed: Results, file: Results, page: Page) -> None:
    """What an order that stays the same in every epoch does, for a new one in each repetition."""
    page.section("In other fixed orders", "One for each repetition, the same in every epoch.")
    rows = []
    for label, setting in FIXED.items():
        accuracies = final(fixed, "test_accuracy", **setting)
        rows += [
            Row(f"{label}: accuracy", "", accuracies),
            Row(f"{label}: lowest of these orders", "", accuracies.min()),
            Row(f"{label}: highest of these orders", "", accuracies.max()),
            Row(f"{label}: in file order", "", final(file, "test_accuracy", **setting)),
        ]
    page.compare(rows)
    default, decayed = (final(fixed, "test_accuracy", **setting) for setting in FIXED.values())
    if page.quick or len(default) < 2:
        return
    page.say(
        f"Over these orders and initial weights the accuracy of the default is {with_spread(default)}, that of k = 0.1 "
        f"{with_spread(decayed)}. The interval of the default in file order is that of the other orders: two "
        f"deviations over them to either side of their mean. An independent program reached 48.3 and 47.5 with two "
        f"seeds on files in another order."
    )
    page.conclude("With a constant learning rate the last batches of an epoch leave their mark on the last weights.")


def equations(file: Results, page: Page) -> None:
    """The penalty as in equation 1 and as in equation 8: both with lambda 0.01, in file order."""
    page.section(
        "The two penalties of the report",
        "Equation 1 divides the penalty by the number of instances m, equation 8 does not. With the batch for m, "
        "lambda 0.01 of equation 1 is 0.01 / 64 = 0.00016 of equation 8. In file order.",
    )
    settings = {"equation 8": BASE | {"strength": 0.01}, "equation 1": EQUATION_1, "no penalty": BASE}
    found = {label: final(file, "test_accuracy", **setting) for label, setting in settings.items()}
    page.compare(
        row
        for label, setting in settings.items()
        for row in (
            Row(f"{label}: accuracy", "", found[label]),
            Row(f"{label}: loss", "", final(file, "test_loss", **setting), form=".3f"),
        )
    )
    weak = found["equation 1"].mean() > found["equation 8"].mean() + 10
    if page.quick:
        return
    page.say(
        f"With lambda 0.01 the accuracy is {with_spread(found['equation 1'])} by equation 1, "
        f"{with_spread(found['equation 8'])} by equation 8 and {with_spread(found['no penalty'])} without a penalty"
        + (": the failing of figure 1 is that of equation 8, and the two differ." if weak else ".")
    )


def shapes(file: Results, results: Results, page: Page) -> None:
    """Depth, width, more epochs: what the report did not explore."""
    page.section(
        "Other structures, more epochs",
        "The report did not explore these. In file order with k = 0.1, where results scatter least; 40 epochs with "
        "k = 0.05, so that the learning rate falls as far.",
    )
    base = BASE | {"decay": 0.1}
    other = results.of(train_shape)
    groups = {"2 hidden layers of 100": (file, base)} | {label: (other, s) for label, s in SHAPES.items()}
    groups["twice the epochs"] = (results.of(train), LONGER)
    found = {label: final(group, "test_accuracy", **setting) for label, (group, setting) in groups.items()}
    page.compare(
        row
        for label, (group, setting) in groups.items()
        for row in (
            Row(f"{label}: accuracy", "", found[label]),
            Row(f"{label}: test loss", "", final(group, "test_loss", **setting), form=".3f"),
            Row(f"{label}: training loss of the last epoch", "", final(group, "train_loss", **setting), form=".3f"),
        )
    )
    (_, usual), *others = found.items()
    if page.quick or len(usual) < 2:
        return
    off = 2 * usual.std(ddof=1)
    better = [f"{name} ({with_spread(v)})" for name, v in others if v.mean() > usual.mean() + off]
    worse = [f"{name} ({with_spread(v)})" for name, v in others if v.mean() < usual.mean() - off]
    page.say(
        f"More than two deviations above the network of the report ({with_spread(usual)}): "
        f"{', '.join(better) or 'none'}. As far below: {', '.join(worse) or 'none'}."
    )


def parameter(sweep: str, setting: dict[str, object]) -> object:
    """The value that a sweep varies."""
    return setting[{"lambda": "strength", "k": "decay"}.get(sweep, "lr")]


def final(group: Results, name: str, **setting: object) -> np.ndarray:
    """The value after the last epoch, for each repetition; accuracy in %."""
    scale = 100 if name == "test_accuracy" else 1
    return np.array([scale * curve[-1] for curve in group.where(**setting).column(name)])


def sweep_rows(group: Results, sweep: str, settings: list[dict[str, object]], lands: dict[str, Any]) -> list[Row]:
    """Final accuracy and loss of one sweep."""
    rows = []
    for setting in settings:
        label = f"{sweep} {parameter(sweep, setting):g}"
        rows.append(Row(f"{label}: accuracy", "", final(group, "test_accuracy", **setting), lands.get(label)))
        rows.append(Row(f"{label}: loss", "", final(group, "test_loss", **setting), LOSSES.get(label), ".3f"))
    return rows


def claims(group: Results) -> list[Row]:
    """The report's conclusions as numbers."""
    accuracies = {
        f"{sweep} {parameter(sweep, setting):g}": final(group, "test_accuracy", **setting)
        for sweep, settings in SWEEPS.items()
        for setting in settings
    }
    highest = max(accuracies, key=lambda label: float(accuracies[label].mean()))
    losses = [final(group, "test_loss", **(BASE | {"decay": decay})).mean() for decay in DECAYS]
    light = accuracies["lambda 0.0001"].mean()
    return [
        Row(f"highest accuracy of all: {highest}", "around 50", accuracies[highest], (47.5, 52.5)),
        Row("majority baseline", "around 10", majority_baseline()),
        Row("learning rate of SGD with the lowest loss", 0.1, best(group, "SGD", "test_loss")),
        Row("learning rate of SGD with the highest accuracy", "", best(group, "SGD", "test_accuracy")),
        Row("lambda 0.0001 beside 0: distance in points", "", abs(light - accuracies["SGD 0.3"].mean()), (0, 3)),
        Row("loss: k 0.1 below k 0.0001", "above 0", losses[0] - losses[-1], (0.02, 0.2), form=".3f"),
        Row("loss: k 0.1 below k 0.01", "above 0", losses[-2] - losses[-1], (0.01, 0.2), form=".3f"),
    ]


def majority_baseline() -> float:
    """The accuracy in % on the test set of the class that is most frequent in training."""
    training, test = cifar10()
    return float(100 * np.mean(test.targets == np.bincount(training.targets).argmax()))


COLUMNS = {  # of the figure: title, what varies, curve -> settings, with the default among them
    "weight decay": ("lambda", {"SGD": [BASE, *SWEEPS["lambda"]]}),
    "optimizer": ("SGD", {name: SWEEPS[name] for name in ("SGD", "Adam")}),
    "learning-rate decay": ("k", {"SGD": [BASE, *SWEEPS["k"]]}),
}


def final_figure(group: Results) -> Figure:
    """The report's three figures: final loss above accuracy, against lambda, the learning rate and k."""
    figure = Figure(figsize=(7.2, 4.6), dpi=150, layout="constrained")
    panels = figure.subplots(2, 3)
    runs = min(map(len, (group.where(**s) for _, curves in COLUMNS.values() for c in curves.values() for s in c)))
    for column, (title, (sweep, curves)) in enumerate(COLUMNS.items()):
        x = [f"{parameter(sweep, setting):g}" for setting in next(iter(curves.values()))]
        for row, name in enumerate(("test_loss", "test_accuracy")):
            groups = {
                label: np.stack([final(group, name, **setting)[:runs] for setting in settings], axis=1)
                for label, settings in curves.items()
            }
            ax, ylabel = panels[row, column], ("test loss", "test accuracy in %")[row] if column == 0 else ""
            plots.error_bars(groups, x, xlabel=NAMES[sweep] if row else "", ylabel=ylabel, log=row == 0, ax=ax)
            ax.tick_params(axis="x", labelrotation=45, labelbottom=bool(row))
        panels[0, column].set_title(title, fontsize=9)
        if panels[1, column].get_legend():
            panels[1, column].get_legend().remove()
    highest = max(ax.get_ylim()[1] for ax in panels[1])
    for ax in panels[1]:
        ax.set_ylim(0, highest)
    figure.align_xlabels(panels[1])
    return figure


def epochs_figure(group: Results, settings: list[dict[str, object]], sweep: str) -> Figure:
    """Test loss beside accuracy after every epoch, a colour for each value."""
    figure = Figure(figsize=(6.4, 2.7), dpi=150, layout="constrained")
    for ax, name, scale in zip(figure.subplots(1, 2), ("test_loss", "test_accuracy"), (1, 100), strict=True):
        curves = {f"{parameter(sweep, s):g}": scale * group.where(**s).array(name) for s in settings}
        plots.mean_curves(curves, ylabel="test loss" if scale == 1 else "test accuracy in %", ax=ax)
        ax.get_legend().remove()
    figure.legend(
        handles=[
            Line2D([], [], color=line.get_color(), label=label) for label, line in zip(curves, ax.lines, strict=True)
        ],
        title=NAMES[sweep],
        loc="outside right center",
        fontsize=8,
        title_fontsize=8,
        frameon=False,
    )
    return figure


if __name__ == "__main__":
    main("sigmoid_mlp_cifar10", __doc__, runs, write_up, cifar10)
