"""Logistic and softmax regression on MNIST with early stopping and weight decay (a TDT4265 report, NTNU, 2021).

The first 20 000 training images; all 10 000 test images serve as the validation set. Pixels from -1 to 1, weights
from 0, float64, batches of 128 without the last short one. Validation every 20 % of an epoch, counted in steps over
the whole run from 0; with early stopping, up to 500 epochs and a patience of 10 validations, and the last weights are
reported. The penalty is lambda sum w^2 over all weights, biases too, and no loss that is shown contains it.

In file order nothing here is random, so the numbers come out to the last digit. Shuffled runs take their order from
numpy's legacy generator, as the report does: with seed 0 they are its runs too.

Two questions that the report leaves open are answered after it: ten classes for 300 epochs without early stopping, and
L2 on a network with a hidden layer.
"""

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

import numpy as np
from images import mnist_signed
from matplotlib.figure import Figure
from report import Page, Row, main, seeds

from minidl import (
    L2,
    SGD,
    BinaryCrossEntropy,
    Dataset,
    EarlyStopping,
    History,
    Linear,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
    accuracy,
    binary_accuracy,
    plots,
)
from minidl.data import mnist, roughness
from minidl.experiments import PlannedRun, Results, grid, plan
from minidl.initializers import he_normal, zeros
from minidl.training.history import Table

STRENGTHS = (1.0, 0.1, 0.01, 0.001, 0.0)
HIDDEN_STRENGTHS = (1.0, 0.1, 0.01, 0.001, 0.0001, 0.0)
CURVES = ("training_loss", "validation_loss", "training_accuracy", "validation_accuracy")


def train(task: str, order: str, patience: int, *, seed: int, epochs: int, rows: int, held_out: int) -> dict[str, Any]:
    """One classifier; `order` is "file" or "shuffled", a patience of 0 means no early stopping."""
    return fit(
        task, np.random.RandomState(seed) if order == "shuffled" else None, 0.0, patience, epochs, rows, held_out
    )


def train_strengths(*, seed: int, epochs: int, rows: int, held_out: int) -> dict[str, Any]:
    """Ten classes with each strength of L2, one run after the other on one random stream, as the report has it."""
    stream, found = np.random.RandomState(seed), dict[str, Any]()
    for strength in STRENGTHS:
        run = fit("softmax", stream, strength, 10, epochs, rows, held_out)
        found |= {f"{name} {strength:g}": values for name, values in run.items()}
    return found


def fit(
    task: str,
    stream: np.random.RandomState | None,
    strength: float,
    patience: int,
    epochs: int,
    rows: int,
    held_out: int,
) -> dict[str, Any]:
    """Train one classifier; every name of what is returned says what it is over the course of the run."""
    training, validation = mnist_signed(rows, held_out)
    binary = task == "logistic"
    if binary:
        training, validation = two_or_three(training), two_or_three(validation)
    model = Sequential(Linear(784, 1 if binary else 10, weight_init=zeros)).build(dtype=np.float64)
    trainer = Trainer(
        model,
        BinaryCrossEntropy() if binary else SoftmaxCrossEntropy(),
        SGD(0.05 if binary else 0.01),
        regularizers=[L2(strength, names="*")],
        metrics={"accuracy": binary_accuracy if binary else accuracy},
        callbacks=[EarlyStopping(patience=patience)] if patience else [],
    )
    every = len(training) // 128 // 5
    history = trainer.fit(
        training,
        {"validation": validation, "training": training},
        epochs=epochs,
        batch_size=128,
        validate_every=lambda step: (step - 1) % every == 0,
        shuffle=False if stream is None else lambda epoch: stream.permutation(len(training)),
        drop_last=True,
        restore_best=False,
        progress=False,
    )
    names = ("validation_loss", "validation_accuracy", "training_loss", "training_accuracy")
    return {name: np.array(history.evaluations[name]) for name in names} | {
        "step": np.array(history.evaluations["step"]) - 1,
        "batch_loss": np.array(history.steps["loss"]),
        "stop_step": len(history.steps["step"]) - 1,
        "stop_epoch": (len(history.steps["step"]) - 1) // (len(training) // 128),
        "norm": float(np.linalg.norm(model.parameters.value)),
        "weight": model[0].weight.value,
    }


def two_or_three(data: Dataset) -> Dataset:
    """The rows with a 2 or a 3, in file order; the target is 1 for a 2, in a column of its own."""
    kept = data.where((data.targets == 2) | (data.targets == 3))
    return Dataset(kept.x, (kept.targets == 2).astype(np.float64)[:, None])


def train_hidden(strength: float, *, seed: int, epochs: int, rows: int, held_out: int) -> dict[str, Any]:
    """Ten classes by a network with one hidden layer of 64 ReLU; L2 on weights and biases, no early stopping."""
    training, validation = mnist_signed(rows, held_out)
    model = Sequential(Linear(784, 64, weight_init=he_normal), ReLU(), Linear(64, 10, weight_init=he_normal))
    trainer = Trainer(
        model.build(seed=seed, dtype=np.float64),
        SoftmaxCrossEntropy(),
        SGD(0.1),
        regularizers=[L2(strength, names="*")],
        metrics=[accuracy],
    )
    history = trainer.fit(
        training,
        {"validation": validation, "training": training},
        epochs=epochs,
        batch_size=128,
        seed=seed,
        drop_last=True,
        restore_best=False,
        progress=False,
    )
    found = {name: np.array(history.evaluations[name]) for name in CURVES}
    return found | {"norm": float(np.linalg.norm(model.parameters.value))}


def runs(options: Namespace) -> list[PlannedRun]:
    """2 against 3 in file order and shuffled, with and without early stopping; ten classes; five strengths.

    And what the report asks next: ten classes for 300 epochs, and L2 on a network with a hidden layer.
    """
    size, longest, whole, long, hidden = {"rows": 20_000, "held_out": 10_000}, 500, 50, 300, 40
    if options.quick:
        size, longest, whole, long, hidden = {"rows": 8_000, "held_out": 500}, 9, 9, 10, 2
    stopped, not_stopped = {"patience": 10, "epochs": longest}, {"patience": 0, "epochs": whole}
    logistic = [{"task": "logistic"} | stopped, {"task": "logistic"} | not_stopped]
    return [
        *plan(train, logistic, [0], order="file", **size),
        *plan(train, logistic, seeds(options, 10), order="shuffled", **size),
        *plan(train, [{"task": "softmax"} | stopped], seeds(options, 5), order="shuffled", **size),
        *plan(train_strengths, [{}], seeds(options, 5), epochs=longest, **size),
        *plan(train, [{"task": "softmax", "patience": 0, "epochs": long}], seeds(options, 2), order="shuffled", **size),
        *plan(train_hidden, grid(strength=HIDDEN_STRENGTHS), seeds(options, 3), epochs=hidden, **size),
    ]


def write_up(results: Results, page: Page, options: Namespace) -> None:
    """Tables and figures."""
    single = results.of(train)
    in_file_order, shuffled = single.where(order="file"), single.where(order="shuffled", task="logistic")
    two_against_three(in_file_order.where(patience=0), in_file_order.where(patience=10), page)
    effect_of_shuffling(in_file_order, shuffled, page)
    ten_classes(single.where(task="softmax", patience=10), page)
    longer(single.where(task="softmax", patience=0), page)
    weight_decay(results.of(train_strengths), page)
    hidden_layer(results.of(train_hidden), page)
    page.say(
        "**For readers who compare.** The validation set of the report is the test set. Its early stopping keeps the "
        "last weights, where the text of the assignment asks for the best. Its derivations (equations 11, 35 and 51) "
        "are the gradients that these runs step along."
    )


def last(results: Results, name: str) -> np.ndarray:
    """The last value of a curve, for each run."""
    return np.array([curve[-1] for curve in results.column(name)])


def gap(results: Results) -> np.ndarray:
    """Training minus validation accuracy after the last step, for each run."""
    apart: np.ndarray = last(results, "training_accuracy") - last(results, "validation_accuracy")
    return apart


def at(values: Mapping[str, Any], name: str, step: int) -> float:
    """A curve of one run at the validation that lies nearest to a step."""
    return float(values[name][np.abs(values["step"] - step).argmin()])


def means_of_ten(values: Mapping[str, Any]) -> np.ndarray:
    """The batch loss after step 100 as means of 10 steps in a row, as the figures of the report show it."""
    losses = values["batch_loss"][begin(values) :]
    means: np.ndarray = losses[: len(losses) // 10 * 10].reshape(-1, 10).mean(axis=1)
    return means


def later(values: Mapping[str, Any], name: str) -> np.ndarray:
    """A curve at the validations after step 100."""
    late: np.ndarray = values[name][values["step"] > begin(values)]
    return late


def begin(values: Mapping[str, Any]) -> int:
    """Step 100; the middle of a run that has no 200 steps."""
    return min(100, len(values["batch_loss"]) // 2)


def spikes(curve: np.ndarray) -> int:
    """How often a curve rises above one and a half times its median."""
    above = np.concatenate([[False], curve > 1.5 * np.median(curve)])
    return int((above[1:] & ~above[:-1]).sum())


def spread(curve: np.ndarray) -> float:
    """The standard deviation of a curve over its median."""
    return float(curve.std() / np.median(curve))


def of_the_report(results: Results) -> Results:
    """The run with the report's own random stream, seed 0; none where --seed left it out."""
    return Results([result for result in results if result.run.seed == 0])


def known_rows(
    results: Results,
    stop: int,
    ends: tuple[float, ...],
    reported: tuple[str | float, ...] = ("",) * 5,
    sources: tuple[str, ...] = ("",) * 5,
) -> list[Row]:
    """Where the run of seed 0 stops and ends; it is the report's own run, so everything about it is known."""
    own = of_the_report(results)
    if not own:
        return []
    step, *printed = reported
    rows = [Row("seed 0: stops at step (from 0)", step, own.array("stop_step"), (stop, stop), ".0f", "", sources[0])]
    for name, end, said, source in zip(CURVES, ends, printed, sources[1:], strict=True):
        off = 2e-4 if "loss" in name else 5e-4
        label, within = f"seed 0: {name.replace('_', ' ')}", (end - off, end + off)
        rows.append(Row(label, said, last(own, name), within, form=".6f", source=source))
    return rows


def curves_figure(runs: Mapping[str, Mapping[str, Any]], name: str, limits: tuple[float, float]) -> Figure:
    """A curve of several runs, or training and validation of one, over the steps."""
    if len(runs) == 1:
        (run,) = runs.values()
        shown = {"": {part: run[f"{part}_{name}"] for part in ("training", "validation")}}
    else:
        shown = {label: run[name] for label, run in runs.items()}
    steps = max((run["step"] for run in runs.values()), key=len)
    figure = plots.mean_curves(shown, x=steps, xlabel="step", ylabel=name.replace("_", " "))
    figure.axes[0].set_ylim(*limits)
    return figure


def history_of(values: Mapping[str, Any]) -> History:
    """The loss of every step and of every validation of a run, with steps from 0 as in the report."""
    losses = values["batch_loss"].tolist()
    evaluated = {"step": values["step"].tolist(), "validation_loss": values["validation_loss"].tolist()}
    return History(steps=Table({"step": list(range(len(losses))), "loss": losses}), evaluations=Table(evaluated))


def loss_figure(values: Mapping[str, Any], limits: tuple[float, float]) -> Figure:
    """The loss of every step as a mean of ten with its band, beside the validation loss: figures 1 and 5."""
    figure = plots.step_curve(history_of(values), window=10, evaluations=("validation_loss",))
    figure.axes[0].set_ylim(*limits)
    return figure


def two_against_three(whole: Results, stopped: Results, page: Page) -> None:
    """Logistic regression in file order: nothing is random."""
    page.section("2 against 3, in file order", "Nothing is random. Table 1 of the report, early stopping on:")
    reported = ("", ".071", ".066", ".976", ".979")
    page.compare(
        [
            *known_rows(stopped, 1038, (0.070887, 0.065772, 0.975780, 0.979432), reported),
            Row("stops in epoch (from 0)", 33, stopped.array("stop_epoch"), (33, 33), form=".0f"),
        ]
    )
    run = whole[0].values
    page.figure("logistic_loss", loss_figure(run, (0.0, 0.2)), caption_of_losses("2 against 3 in file order"))
    caption = "2 against 3 in file order, without early stopping: accuracy every 20 % of an epoch."
    page.figure("logistic_accuracy", curves_figure({"": run}, "accuracy", (0.92, 0.99)), caption)
    page.say("Without early stopping, where the curves of the report end too, and what it says of them:")
    means, validation = means_of_ten(run), later(run, "validation_loss")
    page.compare(
        [
            *known_rows(whole, 1549, (0.06509, 0.06523, 0.97928, 0.97894), ("", "", "", ".98", ".98")),
            Row("validation loss after the first epoch", "", at(run, "validation_loss", 30), form=".3f"),
            Row("spikes of the training loss, means of 10 steps", "more", spikes(means), form=".0f"),
            Row("spikes of the validation loss", "fewer", spikes(validation), form=".0f"),
            Row("training loss, means of 10 steps: deviation / median", "", spread(means), form=".2f"),
            Row("validation loss: deviation / median", "lower", spread(validation), form=".2f"),
            *(
                Row(f"{part} accuracy first above .97 at step", said, first_above(run, part, 0.97), form=".0f")
                for part, said in (("training", ""), ("validation", "earlier"))
            ),
        ]
    )
    page.say("A spike is a rise above 1.5 times the median of the curve, after step 100.")
    first, end = at(run, "validation_loss", 30), last(whole, "validation_loss")[0]
    page.claim(
        "The model converges quite fast.",
        first < 2 * end,
        f"the validation loss is {first:.3f} after the first of 50 epochs, {end:.3f} after the last",
    )
    page.claim(
        "The validation set shows a more consistent performance; the training set has a higher frequency of spikes.",
        spread(validation) < spread(means) and spikes(validation) < spikes(means),
        f"{spikes(means)} spikes of the training loss, {spikes(validation)} of the validation loss; deviation over "
        f"median {spread(means):.2f} and {spread(validation):.2f}",
    )
    page.claim(
        "Both accuracies converge to 98 %.",
        all(round(100 * last(whole, f"{part}_accuracy")[0]) == 98 for part in ("training", "validation")),
        f"{last(whole, 'training_accuracy')[0]:.4f} and {last(whole, 'validation_accuracy')[0]:.4f}",
    )
    faster = [first_above(run, part, 0.97) for part in ("validation", "training")]
    page.claim(
        "The validation accuracy converges faster than the training accuracy.",
        faster[0] < faster[1],
        f"above .97 from step {faster[0]:.0f} and from step {faster[1]:.0f}",
    )
    epoch = stopped.array("stop_epoch")[0]
    page.claim("500 epochs instead of 50 have no effect.", epoch < 50, f"early stopping ends both in epoch {epoch:.0f}")
    dips_and_batches(run, page)


def caption_of_losses(what: str) -> str:
    """What stands below a figure of step losses."""
    return (
        f"{what}: the loss of every gradient step as a mean of 10 steps, its band one standard deviation of these to "
        f"either side (the legend of the report: variance), beside the validation loss every 20 % of an epoch."
    )


def first_above(values: Mapping[str, Any], part: str, level: float) -> float:
    """The first step at which an accuracy lies above a level; NaN where it never does."""
    above = values[f"{part}_accuracy"] > level
    return float(values["step"][above.argmax()]) if above.any() else float("nan")


def dips_and_batches(run: Mapping[str, Any], page: Page) -> None:
    """Where the spikes in file order come from: the report blames hard batches."""
    batches = 31  # of an epoch, with a validation every 6 of them
    if page.quick or len(run["batch_loss"]) % batches:
        return
    by_batch = run["batch_loss"].reshape(-1, batches)[5:].mean(axis=0)
    step, loss = run["step"], run["validation_loss"]
    high = step[(step > 100) & (loss > 1.5 * np.median(later(run, "validation_loss")))]
    hardest, before = int(by_batch.argmax()), {int(s) % batches for s in high}
    ratio = by_batch[hardest] / by_batch.mean()
    text = f"batch {hardest} of {batches} (from 0) has {ratio:.1f} times the mean loss of all"
    if before == {hardest - 1}:
        period = int(np.lcm(batches, step[1] - step[0]))
        text += (
            f"; but the validation loss is high after the batch before it, at the steps "
            f"{', '.join(str(s) for s in high)}, so that one moves the weights away and the next one shows it. An "
            f"evaluation comes right after the same batch once in {period} steps, so the training loss has a spike in "
            f"every epoch, the validation loss in every {period // batches}th"
        )
    page.claim("The spikes are due to one or a few batches that are hard to classify.", ratio > 2, text)


def effect_of_shuffling(ordered: Results, shuffled: Results, page: Page) -> None:
    """The same with a new order in each epoch."""
    stopped, whole = shuffled.where(patience=10), shuffled.where(patience=0)
    own, own_whole = ordered.where(patience=10), ordered.where(patience=0)
    spikes_of = {label: late_spread(group) for label, group in (("file", own_whole), ("new", whole))}
    page.section("With shuffling", "Early stopping on. Seed 0 of the legacy generator is the report's own run.")
    page.compare(
        [
            *known_rows(stopped, 522, (0.07925, 0.07166, 0.97353, 0.97649)),
            Row("stops in epoch (from 0)", "", stopped.array("stop_epoch"), (8, 45)),
            Row("validation loss", "", last(stopped, "validation_loss"), (0.064, 0.077), form=".4f"),
            Row("validation accuracy", "", last(stopped, "validation_accuracy"), (0.974, 0.981), form=".4f"),
            Row(
                "spread: file order / shuffled",
                "above 1",
                spikes_of["file"].mean() / spikes_of["new"],
                (1.4, 2.6),
                form=".2f",
            ),
            Row(
                "spikes in 50 epochs, shuffled",
                "fewer",
                np.array([spikes(means_of_ten(r.values)) for r in whole]),
                form=".1f",
            ),
            Row(
                "spikes in 50 epochs, file order",
                "",
                np.array([spikes(means_of_ten(r.values)) for r in own_whole]),
                form=".0f",
            ),
            *(
                Row(f"training minus validation accuracy, {label}", said, gap(group), form=".4f")
                for label, said, group in (("shuffled", "", stopped), ("file order", "larger", own))
            ),
        ]
    )
    page.say(
        "The spread is the standard deviation of the validation accuracy after step 100, over 50 epochs. Spikes are "
        "those of the training loss, as above."
    )
    conclude_shuffling(own, stopped, own_whole, whole, page)
    both = {"file order": own[0].values, "shuffled": stopped[0].values}
    caption = "2 against 3: validation accuracy until early stopping."
    page.figure("shuffling_accuracy", curves_figure(both, "validation_accuracy", (0.92, 0.99)), caption)
    figure = plots.step_curve({label: history_of(run) for label, run in both.items()}, window=10)
    figure.axes[0].set_ylim(0, 0.4)
    caption = "Training loss: mean of 10 steps in a row and their deviation (the legend of the report: variance)."
    page.figure("shuffling_loss", figure, caption)


def conclude_shuffling(own: Results, stopped: Results, own_whole: Results, whole: Results, page: Page) -> None:
    """Whether shuffling improves convergence, as the report says it can."""
    pairs = {
        "with early stopping": (own, stopped),
        "after 50 epochs": (own_whole, whole),
    }
    lines = []
    for when, (file, new) in pairs.items():
        losses, accuracies = last(new, "validation_loss"), last(new, "validation_accuracy")
        lines.append(
            f"{when} the validation loss is {with_spread(losses)} shuffled and {last(file, 'validation_loss')[0]:.4f} "
            f"in file order, the accuracy {with_spread(accuracies)} and {last(file, 'validation_accuracy')[0]:.4f}"
        )
    better = [last(new, "validation_loss").mean() < last(file, "validation_loss")[0] for file, new in pairs.values()]
    steps, file_step = stopped.array("stop_step"), own.array("stop_step")[0]
    if not better[0] and steps.mean() < file_step:
        lines.append(
            f"with early stopping the reason is where it stops: ten validations without a new minimum come about by "
            f"noise, shuffled after {steps.mean():.0f} steps, in file order after {file_step:.0f}"
        )
    page.claim("The convergence can be improved by shuffling between epochs.", all(better), "; ".join(lines))
    memorised = gap(own)[0] > gap(stopped).mean() + 2 * deviation(gap(stopped))
    page.claim(
        "Without shuffling the network memorises the training data, which results in over-fitting.",
        memorised,
        f"in file order the training accuracy is {abs(gap(own)[0]):.4f} {'above' if gap(own)[0] > 0 else 'below'} that "
        f"of validation",
    )
    file_spikes, new_spikes = (np.array([spikes(means_of_ten(r.values)) for r in g]) for g in (own_whole, whole))
    page.claim(
        "The shuffled training set yields less spikes.",
        new_spikes.mean() < file_spikes.mean(),
        f"{new_spikes.mean():.1f} beside {file_spikes.mean():.0f} in 50 epochs",
    )


def deviation(values: np.ndarray) -> float:
    """The sample standard deviation, 0 for a single run."""
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def with_spread(values: np.ndarray) -> str:
    """Mean and deviation of several runs, the number of a single one."""
    return f"{values.mean():.4f}" + (f" ± {deviation(values):.4f}" if len(values) > 1 else "")


def late_spread(whole: Results) -> np.ndarray:
    """The standard deviation of the validation accuracy after step 100, for each run."""
    return np.array([later(r.values, "validation_accuracy").std() for r in whole])


def ten_classes(group: Results, page: Page) -> None:
    """Softmax regression with early stopping, and where it begins to over-fit."""
    page.section("Ten classes", "Shuffled, early stopping on. Seed 0 of the legacy generator is the report's own run.")
    gaps = [(r.values["step"], r.values["training_accuracy"] - r.values["validation_accuracy"]) for r in group]
    early, late = (np.array([gap[np.argmin(np.abs(step - at))] for step, gap in gaps]) for at in (1000, 4000))
    falls = np.array([(np.diff(r.values["validation_loss"]) < 0).mean() for r in group])
    page.compare(
        [
            *known_rows(
                group,
                8184,
                (0.27919, 0.29802, 0.92245, 0.9151),
                ("about 8190", "", "about .298", ".9225", ".915"),
                ("figure 5", "", "figure 5", "figure 6", "figure 6"),
            ),
            Row("stops at step", "", group.array("stop_step"), (6000, 13000), form=".0f"),
            Row("training accuracy", "", last(group, "training_accuracy"), (0.919, 0.929), form=".4f"),
            Row("validation loss", "", last(group, "validation_loss"), (0.290, 0.305), form=".4f"),
            Row("validation accuracy", "", last(group, "validation_accuracy"), (0.911, 0.919), form=".4f"),
            Row("training minus validation accuracy, step 1000", "", early, (-0.006, 0.0), form=".4f"),
            Row("training minus validation accuracy, step 4000", "above 0", late, (0.0, 0.006), form=".4f"),
            Row("training minus validation accuracy, end", "", gap(group), (0.004, 0.014), form=".4f"),
            Row("share of validations at which the loss fell", "", falls, form=".2f"),
            *(
                Row(
                    f"{label}: deviation / median", said, np.array([spread(curve(r.values)) for r in group]), form=".3f"
                )
                for label, said, curve in (
                    ("training loss, means of 10 steps", "high", means_of_ten_late),
                    ("validation loss, the same steps", "", validation_late),
                )
            ),
        ]
    )
    page.say("Deviations after step 4000, where both losses still fall slowly: that is part of them.")
    noise, smooth = (np.mean([spread(f(r.values)) for r in group]) for f in (means_of_ten_late, validation_late))
    page.claim(
        "The validation loss decreases nicely with each iteration.",
        falls.mean() > 0.5,
        f"it is lower than at the validation before in {100 * falls.mean():.0f} % of all",
    )
    page.claim(
        "For the training set even the mean over ten steps has quite high variance.",
        noise > 2 * smooth,
        f"its deviation is {100 * noise:.0f} % of the median, that of the validation loss {100 * smooth:.0f} %",
    )
    page.claim(
        "After around 4000 steps the training accuracy is significantly better than that of validation.",
        late.mean() > 2 * deviation(late),
        f"the difference is {with_spread(early)} at step 1000, {with_spread(late)} at 4000, {with_spread(gap(group))} "
        f"at the end",
    )
    caption = caption_of_losses("Ten classes until early stopping, first seed")
    page.figure("softmax_loss", loss_figure(group[0].values, (0.2, 0.6)), caption)
    figure = curves_figure({"": group[0].values}, "accuracy", (0.89, 0.93))
    page.figure("softmax_accuracy", figure, "Ten classes: accuracy until early stopping, first seed.")


def means_of_ten_late(values: Mapping[str, Any]) -> np.ndarray:
    """Means of ten step losses in the second half of 8000 steps, or of a shorter run."""
    means = means_of_ten(values)
    return means[min(390, len(means) // 2) :]


def validation_late(values: Mapping[str, Any]) -> np.ndarray:
    """The validation loss there."""
    late: np.ndarray = values["validation_loss"][values["step"] >= min(4000, values["step"][-1] // 2)]
    return late


def longer(group: Results, page: Page) -> None:
    """Whether the validation set becomes worse when training goes on, which the report leaves open."""
    page.section("Ten classes for longer", "What the report leaves open: the same without early stopping.")
    lowest = np.array([run.values["validation_loss"].min() for run in group])
    highest = np.array([run.values["validation_accuracy"].max() for run in group])
    where = np.array([run.values["step"][run.values["validation_loss"].argmin()] for run in group])
    page.compare(
        [
            Row("steps", "", group.array("stop_step") + 1, form=".0f"),
            Row("lowest validation loss", "", lowest, form=".4f"),
            Row("lowest validation loss: at step", "", where, form=".0f"),
            Row("validation loss at the end", "", last(group, "validation_loss"), form=".4f"),
            Row("training loss at the end", "", last(group, "training_loss"), form=".4f"),
            Row("highest validation accuracy", "", highest, form=".4f"),
            Row("validation accuracy at the end", "", last(group, "validation_accuracy"), form=".4f"),
            Row("training accuracy at the end", "", last(group, "training_accuracy"), form=".4f"),
        ]
    )
    rise, fall = last(group, "validation_loss") - lowest, highest - last(group, "validation_accuracy")
    before = [at(r.values, "training_accuracy", 8000) - at(r.values, "validation_accuracy", 8000) for r in group]
    page.claim(
        "If the training continued, the model could begin to show worse performance on the validation set.",
        rise.mean() > 2 * deviation(rise) and fall.mean() > 2 * deviation(fall),
        f"the validation loss ends {rise.mean():.4f} above its lowest value, that of step {where.mean():.0f}, the "
        f"accuracy {100 * fall.mean():.2f} points below its highest",
    )
    page.claim(
        "The accuracies could both converge to a single common value.",
        gap(group).mean() < np.mean(before),
        f"they are {100 * np.mean(before):.1f} points apart at step 8000 and {100 * gap(group).mean():.1f} at the end",
    )
    figure = curves_figure({"": group[0].values}, "loss", (0.2, 0.4))
    page.figure("longer_loss", figure, "Ten classes without early stopping, first seed: loss.")
    figure = curves_figure({"": group[0].values}, "accuracy", (0.89, 0.95))
    page.figure("longer_accuracy", figure, "Ten classes without early stopping, first seed: accuracy.")


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
    own, rows = of_the_report(group), []
    for strength, (seen, stop, norm, norms, accuracies) in DECAYED.items():
        name = f"{strength:g}"
        if own:
            rows.append(
                Row(
                    f"lambda {name}: seed 0 stops at",
                    seen,
                    own.array(f"stop_step {name}"),
                    (stop, stop),
                    form=".0f",
                    source="figure 9",
                )
            )
        highest = np.array([curve.max() for curve in group.column(f"validation_accuracy {name}")])
        rows.append(Row(f"lambda {name}: highest validation accuracy", "", highest, accuracies, form=".4f"))
        rows += [
            Row(f"lambda {name}: final {part} accuracy", "", last(group, f"{part}_accuracy {name}"), form=".4f")
            for part in ("training", "validation")
        ]
        found = group.array(f"norm {name}")
        why = "read off, one seed" if norm else ""
        label = f"lambda {name}: norm of the weights"
        rows.append(Row(label, norm, found, norms, form=".4f", because=why, source="figure 10"))
    measured = [group.array(f"norm {strength:g}") for strength in STRENGTHS]
    rough = np.array(
        [
            (roughness(r.values["weight 1"].T, (28, 28)) / roughness(r.values["weight 0"].T, (28, 28))).mean()
            for r in group
        ]
    )
    rows += [
        Row(f"likeness of the templates to their digits, lambda {s}", said, likeness(group, f"weight {s}"), form=".2f")
        for s, said in ((0, ""), (1, "high"))
    ]
    page.compare([*rows, Row("roughness of the templates, lambda 1 / lambda 0", "below 1", rough, (0.2, 0.6), ".2f")])
    page.say(
        "Roughness is the sum of squared Laplacians of a template over the sum of squares around its mean. Likeness "
        "is the correlation of a template with the mean image of its digit minus the mean of all images. The axis of "
        "the report's figure 10 says squared norm; its numbers, like these, are norms, biases included."
    )
    conclude_decay(group, page)
    first = group[0].values
    for strength in (0, 1):
        figure = plots.weight_images(first[f"weight {strength}"], (28, 28), columns=10, titles="0123456789")
        page.figure(
            f"weights_lambda_{strength}", figure, f"Weights for lambda = {strength}, each digit with its own scale."
        )
    runs = {f"lambda {s:g}": {n: first[f"{n} {s:g}"] for n in (*CURVES, "step")} for s in STRENGTHS}
    for part in ("training", "validation"):
        figure = curves_figure(runs, f"{part}_accuracy", (0.7, 0.93))
        page.figure(f"{part}_accuracy_by_lambda", figure, f"The {part} accuracy until early stopping, first seed.")
    by_strength = np.stack(measured[::-1], axis=1)
    values = [f"{strength:g}" for strength in reversed(STRENGTHS)]
    figure = plots.error_bars({"": by_strength}, values, xlabel="lambda", ylabel="norm of the weights")
    page.figure(
        "norm_by_lambda",
        figure,
        "Norm of the weights, biases included, at equal distances of lambda: mean and deviation.",
    )


def conclude_decay(group: Results, page: Page) -> None:
    """What the report says of its strengths, against the means of all seeds."""
    norms = [group.array(f"norm {s:g}").mean() for s in STRENGTHS]
    ends = {
        part: [last(group, f"{part}_accuracy {s:g}").mean() for s in STRENGTHS] for part in ("training", "validation")
    }
    strict = {part: all(np.diff(means) > 0) for part, means in ends.items()}
    page.claim(
        "The regularization reduces the norm of the weights.",
        bool(np.all(np.diff(norms) > 0)),
        f"{', '.join(f'{norm:.2f}' for norm in norms)} for lambda {', '.join(f'{s:g}' for s in STRENGTHS)}",
    )
    page.claim(
        "The accuracy of both sets degrades when lambda increases.",
        all(strict.values()),
        "; ".join(f"{part} {', '.join(f'{m:.4f}' for m in means)}" for part, means in ends.items()) + ", in this order",
    )
    rough = {s: np.mean([roughness(r.values[f"weight {s:g}"].T, (28, 28)) for r in group]) for s in (0, 1)}
    like = {s: likeness(group, f"weight {s}").mean() for s in (0, 1)}
    page.claim(
        "Without regularization the weights are more noisy; with lambda 1 they clearly resemble numbers.",
        rough[1] < rough[0] and like[1] > max(0.9, like[0]),
        f"roughness {rough[0]:.2f} and {rough[1]:.2f}, likeness {like[0]:.2f} and {like[1]:.2f}",
    )
    highest = {s: np.array([curve.max() for curve in group.column(f"validation_accuracy {s:g}")]) for s in STRENGTHS}
    best = max(highest, key=lambda s: float(highest[s].mean()))
    runner_up = max((s for s in highest if s != best), key=lambda s: float(highest[s].mean()))
    apart = abs((highest[best] - highest[runner_up]).mean())
    text = (
        f"the highest validation accuracy is that of lambda {best:g}, {with_spread(highest[best])}, before lambda "
        f"{runner_up:g}, {with_spread(highest[runner_up])}"
    )
    close = apart < 2 * deviation(highest[best])
    if close:
        text += ", less than two deviations apart: it is not the noise that generalises"
    page.claim("The weights without regularization look the most general.", best == 0 and not close, text)


def hidden_layer(group: Results, page: Page) -> None:
    """Whether a large lambda helps a network with more layers, as the report supposes."""
    page.section(
        "L2 on a network with a hidden layer",
        "The report supposes that a larger lambda would help a more complex network. 784-64-10 with ReLU, normal "
        "weights of variance 2 / fan_in, learning rate 0.1, shuffled, no early stopping, the same images and penalty.",
    )
    names, columns = [f"{s:g}" for s in HIDDEN_STRENGTHS], {}
    rows = []
    for strength, name in zip(HIDDEN_STRENGTHS, names, strict=True):
        runs = group.where(strength=strength)
        columns[strength] = {part: last(runs, part) for part in CURVES}
        rows += [
            Row(f"lambda {name}: final {part.replace('_', ' ')}", "", columns[strength][part], form=".4f")
            for part in ("training_accuracy", "validation_accuracy", "validation_loss")
        ]
    page.compare(rows)
    best = max(columns, key=lambda s: float(columns[s]["validation_accuracy"].mean()))
    lowest = min(columns, key=lambda s: float(columns[s]["validation_loss"].mean()))
    told = {
        part: f"{'lowest' if 'loss' in part else 'highest'} with lambda {s:g}, {with_spread(columns[s][part])}"
        + (f", beside {with_spread(columns[0.0][part])} without" if s else "")
        for part, s in (("validation_accuracy", best), ("validation_loss", lowest))
    }
    gain = (columns[best]["validation_accuracy"] - columns[0.0]["validation_accuracy"]).mean()
    page.claim(
        "If the model had more layers, a larger lambda would be beneficial.",
        bool(best > 0 and gain > deviation(columns[0.0]["validation_accuracy"])),
        f"the validation accuracy is {told['validation_accuracy']}; the validation loss is {told['validation_loss']}; "
        f"with lambda 1 the accuracy is {with_spread(columns[1.0]['validation_accuracy'])}",
    )
    ordered = list(reversed(HIDDEN_STRENGTHS))
    shown = {p: np.stack([columns[s][f"{p}_loss"] for s in ordered], axis=1) for p in ("training", "validation")}
    figure = plots.error_bars(
        shown, list(reversed(names)), xlabel="lambda", ylabel="loss after the last epoch", log=True
    )
    page.figure("hidden_layer", figure, "One hidden layer: loss by lambda, mean and deviation.")


def likeness(group: Results, name: str) -> np.ndarray:
    """For each run the mean correlation of its templates with the mean images of their digits."""
    images, _ = mnist_signed(20_000, 10_000)
    means = np.stack([images.x[images.targets == digit].mean(axis=0) for digit in range(10)], axis=1)
    centred = means - images.x.mean(axis=0)[:, None]
    return np.array(
        [np.mean([np.corrcoef(w[:, d], centred[:, d])[0, 1] for d in range(10)]) for w in group.column(name)]
    )


if __name__ == "__main__":
    main("logistic_and_softmax_mnist", __doc__, runs, write_up, mnist)
