"""Section 2 of the hinge report, its derivatives, and how well a batch estimates them."""

import numpy as np
from hinge_runs import BATCHES, BEST, LOSSES, SETS, USUAL, WORDS
from images import cifar10_centred
from report import Page

from minidl import Hinge, Linear, Sequential
from minidl.experiments import Results
from minidl.initializers import normal

DRAWS = 20  # batches of each size


def gradient_section(last: dict[str, Results], page: Page) -> None:
    """The formulas of section 2 against the library, and the last sentence of section 4 against batches."""
    page.section(
        "The gradient", "The formulas of the report beside the derivatives that the runs use, float64, seed 0."
    )
    scores, weights, bias = gradient_errors()
    page.claim(
        "The derivative of the hinge is -1 for the score of the class, 1 for the largest other one, and 0 for the "
        "rest; all are 0 where the margin is kept.",
        scores == 0,
        f"the largest difference over 200 rows is {scores:.0g}",
    )
    page.claim(
        "The gradient of the weights is -x for the class and x for the largest other one, averaged over the samples; "
        "that of the bias the same without x.",
        max(weights, bias) < 1e-12,
        f"the largest differences are {weights:.0g} and {bias:.0g}",
    )
    apart = {loss: gradient_noise(loss, group.where(**BEST, **USUAL)) for loss, group in last.items()}
    small, large = BATCHES[0], BEST["batch_size"]
    page.claim(
        "A higher batch size contributes to a more stable and accurate estimation of the gradient.",
        all(noise[large] < noise[small] for noise in apart.values()),
        "at the last weights of the best setting, first seed, the gradient of a batch lies this far from that of all "
        "its training images, in units of the latter's length (root mean square of 20 batches): "
        + "; ".join(
            f"{', '.join(f'{noise[batch]:.2f}' for batch in BATCHES)} with the {WORDS[loss]}"
            for loss, noise in apart.items()
        )
        + f", for batches of {', '.join(map(str, BATCHES))}",
    )


def gradient_errors(n: int = 200, d: int = 12) -> tuple[float, float, float]:
    """The largest differences between the library and the formulas: of scores, weights and bias."""
    rng = np.random.default_rng(0)
    x, labels, rows = rng.standard_normal((n, d)), rng.integers(0, 10, n), np.arange(n)
    model = Sequential(Linear(d, 10, weight_init=normal(0.3))).build(seed=0, dtype=np.float64)
    loss, scores = Hinge(), model.forward(x)
    loss.forward(scores, labels)
    gradient = loss.backward()
    model.backward(gradient)
    others = scores.copy()
    others[rows, labels] = -np.inf
    rival, formula = others.argmax(axis=1), np.zeros((n, 10))
    violated = 1 + others.max(axis=1) - scores[rows, labels] > 0
    formula[rows[violated], labels[violated]] = -1
    formula[rows[violated], rival[violated]] = 1
    layer = model[0]
    return (
        float(np.abs(gradient * n - formula).max()),
        float(np.abs(layer.weight.grad - x.T @ formula / n).max()),
        float(np.abs(layer.bias.grad - formula.mean(axis=0)).max()),
    )


def gradient_noise(name: str, group: Results) -> dict[int, float]:
    """For each batch size, how far the gradient of a batch lies from that of all rows, relative to its length.

    Taken at the last weights of the first run, without the penalty, which is the same for every batch; the bias is left
    at 0, where it began: in a run it moves by at most the rate times the number of steps.
    """
    first = group[0]
    setting = first.run.setting
    training = dict(zip(SETS, cifar10_centred(setting["rows"], setting["held_out"]), strict=True))["training"]
    model = Sequential(Linear(3072, 10)).build(seed=0)
    model[0].weight.value[...] = first.values["weight"]
    model[0].bias.value[...] = 0
    loss, rng = LOSSES[name](), np.random.default_rng(0)

    def of(rows: np.ndarray | slice) -> np.ndarray:
        loss.forward(model.forward(training.x[rows]), training.targets[rows])
        model.backward(loss.backward())
        gradient: np.ndarray = model[0].weight.grad.astype(np.float64)
        return gradient

    whole = of(slice(None))
    scale = float(np.linalg.norm(whole))
    return {
        batch: float(
            np.mean([np.linalg.norm(of(rng.integers(0, len(training), batch)) - whole) ** 2 for _ in range(DRAWS)])
            ** 0.5
        )
        / scale
        for batch in BATCHES
    }
