"""Each sentence of the report on a sigmoid MLP against the means of all repetitions in one order of the images."""

import numpy as np
from report import Page, deviation, with_spread
from sigmoid_runs import BASE, DECAYS, RATES, STRENGTHS, SWEEPS, final

from minidl.data import cifar10
from minidl.experiments import Results


def conclude(group: Results, page: Page) -> None:
    """Weight decay, optimizers, learning-rate decay, and the accuracy in the end."""
    of_weight_decay(group, page)
    of_optimizers(group, page)
    of_learning_rate_decay(group, page)
    accuracy = max(
        float(final(group, "test_accuracy", **setting).mean()) for sweep in SWEEPS.values() for setting in sweep
    )
    page.claim(
        "Around 50 % accuracy, which beats the majority baseline of around 10 %.",
        accuracy > 47.5,
        f"{accuracy:.1f} with the best of these settings, {majority_baseline():.1f} for the most frequent class",
    )


def of_weight_decay(group: Results, page: Page) -> None:
    """A penalty against over-fitting, and one that is too large."""
    large, none = final(group, "test_loss", **BASE | {"strength": 0.01}), without(group, "test_loss")
    page.claim(
        "A lambda too big may cause the model to not train properly anymore, resulting in bigger loss.",
        bool(large.mean() > none.mean() + 0.2),
        f"the loss is {with_spread(large, '.2f')} with 0.01, {with_spread(none, '.2f')} without",
    )
    strengths = (0.0, *STRENGTHS)
    losses = {s: final(group, "test_loss", **BASE | {"strength": s}) for s in strengths}
    over = {s: losses[s] - final(group, "train_loss", **BASE | {"strength": s}) for s in strengths}
    lowest = min(losses, key=lambda s: float(losses[s].mean()))
    less = min(float(over[s].mean()) for s in STRENGTHS)
    page.claim(
        "L2 regularization prevents over-fitting.",
        less < over[0.0].mean() - 2 * deviation(over[0.0]) / len(over[0.0]) ** 0.5,
        f"the test loss minus that of the last epoch's training batches is "
        f"{', '.join(with_spread(values, '.2f') for values in over.values())} for lambda "
        f"{', '.join(f'{s:g}' for s in over)}; the test loss itself is lowest with lambda {lowest:g}",
    )


def of_optimizers(group: Results, page: Page) -> None:
    """Which learning rates suit SGD and Adam."""
    by_loss, by_accuracy = (best(group, "SGD", name) for name in ("test_loss", "test_accuracy"))
    top = {lr: final(group, "test_accuracy", **BASE | {"lr": lr}) for lr in (0.1, by_accuracy)}
    page.claim(
        "SGD performs best when the learning rate is around 0.1.",
        by_loss == 0.1,
        f"the test loss is lowest at {by_loss:g}{beside(group, by_loss)}; the accuracy is highest at {by_accuracy:g}, "
        f"{with_spread(top[by_accuracy])}" + ("" if by_accuracy == 0.1 else f", beside {with_spread(top[0.1])} at 0.1"),
    )
    adam = {lr: final(group, "test_accuracy", **BASE | {"optimizer": "Adam", "lr": lr}).mean() for lr in RATES}
    failing = [f"{lr:g}" for lr, accuracy in adam.items() if accuracy < 25]
    page.claim(
        "Adam fails with a too big learning rate.",
        bool(failing),
        f"its accuracy is below 25 % at {', '.join(failing) or 'none of these'}",
    )
    best_adam = best(group, "Adam", "test_loss")
    page.claim(
        "Different learning rates satisfy different optimizers.",
        best_adam != by_loss,
        f"the lowest loss is that of {by_loss:g} with SGD, of {best_adam:g} with Adam",
    )


def of_learning_rate_decay(group: Results, page: Page) -> None:
    """What k does to the loss."""
    losses = [final(group, "test_loss", **BASE | {"decay": k}).mean() for k in (0.0, *DECAYS)]
    page.claim(
        "A bigger decay rate k enables a lower loss.",
        bool(losses[-1] < min(losses[:-1])),
        f"{', '.join(f'{loss:.3f}' for loss in losses)} for k = 0, {', '.join(f'{k:g}' for k in DECAYS)}",
    )


def without(group: Results, name: str) -> np.ndarray:
    """The final value of the default: SGD with learning rate 0.3, no penalty and no decay."""
    return final(group, name, **BASE)


def beside(group: Results, rate: float) -> str:
    """The learning rates of SGD whose mean loss is at most two deviations above the lowest."""
    losses = {lr: final(group, "test_loss", **BASE | {"lr": lr}) for lr in RATES}
    if len(losses[rate]) < 2:
        return ""
    most = losses[rate].mean() + 2 * deviation(losses[rate])
    near = [f"{lr:g}" for lr in RATES if lr != rate and losses[lr].mean() <= most]
    return f" (within two deviations: {', '.join(near)})" if near else ""


def best(group: Results, optimizer: str, name: str) -> float:
    """The learning rate of an optimizer with the lowest mean loss or the highest mean accuracy."""
    rates = group.where(**{key: value for key, value in BASE.items() if key != "lr"} | {"optimizer": optimizer})
    return float(rates.best(name, mode="max" if name == "test_accuracy" else "min")["lr"])


def majority_baseline() -> float:
    """The accuracy in % on the test set of the class that is most frequent in training."""
    training, test = cifar10()
    return float(100 * np.mean(test.targets == np.bincount(training.targets).argmax()))
