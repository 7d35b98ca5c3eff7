"""A sigmoid MLP on CIFAR-10: weight decay, SGD and Adam, learning-rate decay (a deep-learning report, Ljubljana FRI).

3072-100-100-10 with sigmoids, weights N(0, 2 / fan_in), biases 0; all 50 000 training images, pixels from 0 to 1;
batches of 64, the last one short; 20 epochs of SGD with learning rate 0.3 unless said otherwise. The weight decay
lambda is that of the report's equation 8, w <- w - lr (gradient + lambda w), on weights only; the learning rate of
epoch t = 0, 1, ... is lr exp(-k t). Every setting is repeated, and its test loss and accuracy are measured after
every epoch.

The network of the course sees the images in file order, the same in every epoch. That is shown first; then two
settings in other fixed orders; then everything with a new order in every epoch, with half as many repetitions.
"""

from argparse import Namespace

import numpy as np
from images import cifar10_pixels
from matplotlib.figure import Figure
from report import Page, Row, main, seeds

from minidl import L2, SGD, Adam, Linear, Sequential, Sigmoid, SoftmaxCrossEntropy, Trainer, accuracy, plots
from minidl.data import cifar10, steps_per_epoch
from minidl.experiments import Results, Run, plan
from minidl.initializers import he_normal
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
FIXED = {"SGD 0.3": BASE, "k 0.1": BASE | {"decay": 0.1}}


def train(order, optimizer, lr, strength, decay, *, seed, epochs, rows):
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
    rate = ExponentialDecay(lr, decay, every=steps_per_epoch(training, 64))  # lr exp(-k t), t = 0, 1, ... epochs
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
        shuffle={"file": False, "fixed": lambda epoch: one_order, "shuffled": True}[order],
        seed=seed,
        restore_best=False,
        raise_divergence=False,
        progress=False,
    )
    names = ("train_loss", "test_loss", "test_accuracy")
    return {name: np.array(history.evaluations[name]) for name in names} | {"ended": history.stopped_because}


def runs(options: Namespace) -> list[Run]:
    """The sweeps in file order and shuffled, two settings in fixed orders; seed by seed, so a stopped job has all."""
    size = {"epochs": 2, "rows": 640} if options.quick else {"epochs": 20, "rows": 50_000}
    settings = [setting for sweep in SWEEPS.values() for setting in sweep]
    planned = plan(train, settings, seeds(options, 10), order="file", **size)
    planned += plan(train, FIXED.values(), seeds(options, 10), order="fixed", **size)
    planned += plan(train, settings, seeds(options, 5), order="shuffled", **size)
    return sorted(planned, key=lambda run: run.seed)


# Where the final test accuracy in % of a correct implementation lands, in file order; None where nobody measured it.
LANDS = {
    "lambda 0.01": (0, 30),
    "lambda 0.001": (32, 44),
    "lambda 0.0001": None,
    "SGD 0.001": (25, 33),
    "SGD 0.01": (35, 41),
    "SGD 0.3": (45.5, 52),
    "Adam 0.001": (42, 51),
    "Adam 0.01": (0, 30),
    **{f"Adam {lr}": (9, 13) for lr in RATES[2:]},
    "k 0.1": (47.5, 52.5),
}


def write_up(results: Results, page: Page, options: Namespace) -> None:
    """Tables and figures: in file order, in other fixed orders, shuffled."""
    own = results.of(train)
    page.say(
        "The report prints no table; of its figures it says: accuracy around 50 %, a large lambda fails, SGD is best "
        "near 0.1, Adam fails with large learning rates, a larger k ends with a lower loss. Accuracy in %, test set."
    )
    order_section(own.where(order="file"), "file", "In file order, as in the course", page)
    fixed_section(own.where(order="fixed"), own.where(order="file"), page)
    order_section(own.where(order="shuffled"), "shuffled", "Shuffled in every epoch", page)
    page.say(
        "**About these numbers.** Around 50 % is reached with k = 0.1 only. A large lambda fails, as reported, when it "
        "acts as in the update of equation 8; equation 1 divides the penalty by the size of the batch, 64, which makes "
        "0.01 about as weak as the 0.0001 above: the two equations of the report describe different networks. The "
        "optimum of SGD is flat from 0.1 to 0.5. The caption of the report's figure 3 says regularization parameter; "
        "what it shows is k."
    )


def order_section(group: Results, order: str, title: str, page: Page) -> None:
    """Final numbers, the report's conclusions, and curves of every sweep."""
    page.say(f"**{title}**, {len(group) // len(group.settings)} repetitions, after the last epoch:")
    page.compare(row for sweep, settings in SWEEPS.items() for row in sweep_rows(group, sweep, settings, order))
    page.say("What follows:")
    page.compare(claims(group))
    caption = f"{title}: final test loss and accuracy, mean and deviation."
    page.figure(f"{order}_final", final_figure(group), caption)
    for sweep, settings in SWEEPS.items():
        caption = f"{title}: after every epoch, mean and deviation; {sweep} varies."
        page.figure(f"{order}_{sweep}", epochs_figure(group, settings, sweep), caption)


def fixed_section(fixed: Results, file: Results, page: Page) -> None:
    """What an order that stays the same in every epoch does, for a new one in each repetition."""
    page.say("**In other fixed orders**, one for each repetition, the same in every epoch:")
    rows = []
    for label, setting in FIXED.items():
        accuracies = final(fixed, "test_accuracy", **setting)
        rows += [
            Row(f"{label}: accuracy", "", accuracies, LANDS[label]),
            Row(f"{label}: lowest of these orders", "", accuracies.min()),
            Row(f"{label}: highest of these orders", "", accuracies.max()),
            Row(f"{label}: in file order", "", final(file, "test_accuracy", **setting)),
        ]
    page.compare(rows)
    page.say(
        "A fixed order decides more than the initial weights: with a constant learning rate of 0.3 its last batches "
        "leave their mark on the last weights. The images used here do not stand in the order of the published files, "
        "which cannot be recovered, nor in that of the run behind the interval; so the default in file order may lie "
        "outside of it, and the spread over other fixed orders says by how much. With k = 0.1 the last steps are "
        "short, and the order matters less."
    )


def parameter(sweep: str, setting: dict[str, object]) -> object:
    """The value that a sweep varies."""
    return setting[{"lambda": "strength", "k": "decay"}.get(sweep, "lr")]


def final(group: Results, name: str, **setting: object) -> np.ndarray:
    """The value after the last epoch, for each repetition; accuracy in %."""
    scale = 100 if name == "test_accuracy" else 1
    return np.array([scale * curve[-1] for curve in group.where(**setting).values(name)])


def sweep_rows(group: Results, sweep: str, settings: list[dict[str, object]], order: str) -> list[Row]:
    """Final loss and accuracy of one sweep."""
    rows = []
    for setting in settings:
        label = f"{sweep} {parameter(sweep, setting):g}"
        interval = LANDS.get(label)
        if order == "shuffled" and label == "SGD 0.3":
            interval = (42, 51)
        rows.append(Row(f"{label}: accuracy", "", final(group, "test_accuracy", **setting), interval))
        fails = (2.3, np.inf) if interval == (9, 13) else (1.9, np.inf) if label == "lambda 0.01" else None
        rows.append(Row(f"{label}: loss", "", final(group, "test_loss", **setting), fails, digits=3))
    return rows


def claims(group: Results) -> list[Row]:
    """The report's conclusions as numbers."""
    rates = {lr: final(group, "test_accuracy", **(BASE | {"lr": lr})).mean() for lr in RATES}
    losses = [final(group, "test_loss", **(BASE | {"decay": decay})).mean() for decay in DECAYS]
    light = final(group, "test_accuracy", **(BASE | {"strength": 0.0001})).mean()
    return [
        Row("best learning rate of SGD", 0.1, max(rates, key=rates.__getitem__), (0.1, np.inf)),
        Row("lambda 0.0001 beside 0: distance in points", "", abs(light - rates[0.3]), (0, 3)),
        Row("loss: k 0.1 below k 0.0001", "", losses[0] - losses[-1], (0.02, np.inf), digits=3),
        Row("loss: k 0.1 below k 0.01", "", losses[-2] - losses[-1], (0, np.inf), digits=3),
    ]


def final_figure(group: Results) -> Figure:
    """The report's three figures: final loss above accuracy, against lambda, the learning rate and k."""
    figure = Figure(figsize=(6.4, 4.2), dpi=150, layout="constrained")
    panels = figure.subplots(2, 3, sharey="row")
    sweeps = ({"SGD": SWEEPS["lambda"]}, {name: SWEEPS[name] for name in ("SGD", "Adam")}, {"SGD": SWEEPS["k"]})
    names = (("test_loss", "test loss"), ("test_accuracy", "test accuracy in %"))
    for column, (curves, sweep) in enumerate(zip(sweeps, ("lambda", "SGD", "k"), strict=True)):
        x = [parameter(sweep, setting) for setting in next(iter(curves.values()))]
        for row, (name, ylabel) in enumerate(names):
            groups = {
                k: np.stack([final(group, name, **s) for s in settings], axis=1) for k, settings in curves.items()
            }
            ax = panels[row, column]
            xlabel = {"SGD": "learning rate"}.get(sweep, sweep)
            plots.error_bars(groups, [f"{value:g}" for value in x], xlabel=xlabel, ylabel=ylabel, ax=ax)
            ax.tick_params(axis="x", labelrotation=45)
            ax.label_outer()
    return figure


def epochs_figure(group: Results, settings: list[dict[str, object]], sweep: str) -> Figure:
    """Test loss beside accuracy after every epoch, a colour for each value."""
    figure = Figure(figsize=(6.4, 2.7), dpi=150, layout="constrained")
    for ax, name in zip(figure.subplots(1, 2), ("test_loss", "test_accuracy"), strict=True):
        curves = {f"{parameter(sweep, s):g}": group.where(**s).array(name) for s in settings}
        plots.mean_curves(curves, ylabel=name.replace("_", " "), ax=ax)
        ax.get_legend().set_visible(name == "test_loss")
    return figure


if __name__ == "__main__":
    main("sigmoid_mlp_cifar10", __doc__, runs, write_up, cifar10)
