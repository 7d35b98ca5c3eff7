"""2 against 3: logistic regression in file order, where nothing is random, and with a new order in each epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from mnist_curves import (
    at,
    caption_of_losses,
    curves_figure,
    first_above,
    gap,
    history_of,
    known_rows,
    later,
    loss_figure,
    means_of_ten,
    spread,
    training_spikes,
    validation_spikes,
    within,
)
from report import Page, Row, deviation, ends, with_spread

from minidl import plots
from minidl.experiments import Results


def two_against_three(whole: Results, stopped: Results, page: Page) -> None:
    """Logistic regression in file order."""
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
    page.compare(whole_rows(whole))
    page.say(
        "A spike is a rise above 1.4 times the median of the two epochs around it, after step 100; that of the "
        "training loss is one of the mean of 10 steps, as the figure shows it."
    )
    claims_of_whole(whole, stopped, page)
    dips_and_batches(run, page)


def whole_rows(whole: Results) -> list[Row]:
    """Where the run without early stopping ends, and how often and how far its losses jump."""
    run = whole[0].values
    means, validation = means_of_ten(run), later(run, "validation_loss")
    return [
        *known_rows(whole, 1549, (0.06509, 0.06523, 0.97928, 0.97894), ("", "", "", ".98", ".98")),
        Row("validation loss after the first epoch", "", at(run, "validation_loss", 30), form=".3f"),
        Row("spikes of the training loss, means of 10 steps", "more", training_spikes(whole), form=".0f"),
        Row("spikes of the validation loss", "fewer", validation_spikes(whole), form=".0f"),
        Row("training loss, means of 10 steps: deviation / median", "", spread(means), form=".2f"),
        Row("validation loss: deviation / median", "lower", spread(validation), form=".2f"),
        *(
            Row(f"{part} accuracy first above .97 at step", said, first_above(run, part, 0.97), form=".0f")
            for part, said in (("training", ""), ("validation", "earlier"))
        ),
    ]


def claims_of_whole(whole: Results, stopped: Results, page: Page) -> None:
    """What the report says of figures 1 and 2, and of the number of epochs."""
    run = whole[0].values
    means, validation = spread(means_of_ten(run)), spread(later(run, "validation_loss"))
    training_count, validation_count = training_spikes(whole)[0], validation_spikes(whole)[0]
    first, end = at(run, "validation_loss", 30), ends(whole, "validation_loss")[0]
    page.claim(
        "The model converges quite fast.",
        first < 2 * end,
        f"the validation loss is {first:.3f} after the first of 50 epochs, {end:.3f} after the last",
    )
    page.claim(
        "The validation set shows a more consistent performance; both sets have unwanted high spikes, the training "
        "set with a higher frequency.",
        validation < means and 0 < validation_count < training_count,
        f"{training_count} spikes of the training loss, {validation_count} of the validation loss; deviation over "
        f"median {means:.2f} and {validation:.2f}",
    )
    accuracies = [ends(whole, f"{part}_accuracy")[0] for part in ("training", "validation")]
    page.claim(
        "Both accuracies converge to 98 %.",
        all(round(100 * accuracy) == 98 for accuracy in accuracies),
        f"{accuracies[0]:.4f} and {accuracies[1]:.4f}",
    )
    faster = [first_above(run, part, 0.97) for part in ("validation", "training")]
    page.claim(
        "The validation accuracy converges faster than the training accuracy.",
        faster[0] < faster[1],
        f"above .97 from step {faster[0]:.0f} and from step {faster[1]:.0f}",
    )
    epoch = stopped.array("stop_epoch")[0]
    page.claim("500 epochs instead of 50 have no effect.", epoch < 50, f"early stopping ends both in epoch {epoch:.0f}")


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
            f"evaluation comes right after the same batch once in {period} steps, so the training loss can have a "
            f"spike in every epoch, the validation loss in every {period // batches}th"
        )
    page.claim("The spikes are due to one or a few batches that are hard to classify.", ratio > 2, text)


def effect_of_shuffling(ordered: Results, shuffled: Results, page: Page) -> None:
    """The same with a new order in each epoch."""
    stopped, whole = shuffled.where(patience=10), shuffled.where(patience=0)
    own, own_whole = ordered.where(patience=10), ordered.where(patience=0)
    page.section("With shuffling", "Early stopping on. Seed 0 of the legacy generator is the report's own run.")
    page.compare(shuffling_rows(own, stopped, own_whole, whole))
    page.say(
        "The spread is the standard deviation of the validation accuracy after step 100, over 50 epochs. Spikes are "
        "counted as above."
    )
    of_convergence(own, stopped, own_whole, whole, page)
    of_memory(own, stopped, page)
    of_spikes(own_whole, whole, page)
    both = {"file order": own[0].values, "shuffled": stopped[0].values}
    caption = "2 against 3: validation accuracy until early stopping, shuffled with the first seed."
    page.figure("shuffling_accuracy", curves_figure(both, "validation_accuracy", (0.92, 0.99)), caption)
    figure = within(plots.step_curve({label: history_of(run) for label, run in both.items()}, window=10), (0, 0.4))
    caption = "Training loss: mean of 10 steps in a row and their deviation (the legend of the report: variance)."
    page.figure("shuffling_loss", figure, caption)


def shuffling_rows(own: Results, stopped: Results, own_whole: Results, whole: Results) -> list[Row]:
    """Where shuffled runs stop and end, and what scatters less."""
    file, new = late_spread(own_whole), late_spread(whole)
    return [
        *known_rows(stopped, 522, (0.07925, 0.07166, 0.97353, 0.97649)),
        Row("stops in epoch (from 0)", "", stopped.array("stop_epoch"), (8, 45)),
        Row("validation loss", "", ends(stopped, "validation_loss"), (0.064, 0.077), form=".4f"),
        Row("validation accuracy", "", ends(stopped, "validation_accuracy"), (0.974, 0.981), form=".4f"),
        Row("spread: file order / shuffled", "above 1", file.mean() / new, (1.4, 2.6), form=".2f"),
        *(
            Row(f"spikes of the {part} loss in 50 epochs, {label}", said, count(group), form=form)
            for part, count in (("training", training_spikes), ("validation", validation_spikes))
            for label, said, group, form in (("shuffled", "fewer", whole, ".1f"), ("file order", "", own_whole, ".0f"))
        ),
        *(
            Row(f"training minus validation accuracy, {label}", said, gap(group), form=".4f")
            for label, said, group in (("shuffled", "", stopped), ("file order", "larger", own))
        ),
    ]


def late_spread(whole: Results) -> np.ndarray:
    """The standard deviation of the validation accuracy after step 100, for each run."""
    return np.array([later(r.values, "validation_accuracy").std() for r in whole])


def of_convergence(own: Results, stopped: Results, own_whole: Results, whole: Results, page: Page) -> None:
    """Whether shuffling improves convergence, as the report says it can; the verdict is that of its figures 3 and 4."""
    lines = []
    for when, file, new in (("with early stopping", own, stopped), ("after 50 epochs", own_whole, whole)):
        losses, accuracies = (
            f"{with_spread(ends(new, name), '.4f')} {{}}{ends(file, name)[0]:.4f}"
            for name in ("validation_loss", "validation_accuracy")
        )
        lines.append(
            f"{when} the validation loss is {losses.format('shuffled and ')} in file order, the accuracy "
            f"{accuracies.format('and ')}"
        )
    better = bool(ends(stopped, "validation_loss").mean() < ends(own, "validation_loss")[0])
    steps, file_step = stopped.array("stop_step"), own.array("stop_step")[0]
    if not better and steps.mean() < file_step:
        lines.append(
            f"with early stopping the reason is where it stops: ten validations without a new minimum come about by "
            f"noise, shuffled after {steps.mean():.0f} steps, in file order after {file_step:.0f}"
        )
    page.claim("The convergence can be improved by shuffling between epochs.", better, "; ".join(lines))


def of_memory(own: Results, stopped: Results, page: Page) -> None:
    """Whether a network in file order memorises what it sees."""
    accuracies = [ends(group, "validation_accuracy").mean() for group in (own, stopped)]
    page.claim(
        "Without shuffling the network memorises the training data, which results in over-fitting and in poor results "
        "on the validation set.",
        bool(gap(own)[0] > gap(stopped).mean() + 2 * deviation(gap(stopped)) and accuracies[0] < accuracies[1]),
        f"in file order the training accuracy is {abs(gap(own)[0]):.4f} {'above' if gap(own)[0] > 0 else 'below'} that "
        f"of validation, which is {accuracies[0]:.4f} beside {accuracies[1]:.4f} shuffled",
    )


def of_spikes(own_whole: Results, whole: Results, page: Page) -> None:
    """Whether there are fewer spikes in the loss, and less of them in the accuracy."""
    losses = [count(group) for count in (training_spikes, validation_spikes) for group in (whole, own_whole)]
    spreads = [late_spread(group).mean() for group in (whole, own_whole)]
    page.claim(
        "The shuffled training set yields less spikes in the accuracy and loss plots.",
        losses[0].mean() < losses[1].mean() and losses[2].mean() < losses[3].mean() and spreads[0] < spreads[1],
        f"{losses[0].mean():.1f} beside {losses[1].mean():.0f} of the training loss in 50 epochs, "
        f"{losses[2].mean():.1f} beside {losses[3].mean():.0f} of the validation loss; the validation accuracy "
        f"scatters by {spreads[0]:.4f} beside {spreads[1]:.4f}",
    )
