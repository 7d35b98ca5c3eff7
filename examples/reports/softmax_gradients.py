"""The gradient check of the report on softmax regression."""

from typing import Any

import numpy as np
from report import Page, Row

from minidl import L2, Linear, Sequential, SoftmaxCrossEntropy
from minidl.initializers import normal
from minidl.testing import central_difference, complex_step, relative_error

# For each check: the largest error of a correct gradient, and that of the report, without a penalty.
GRADIENT_CHECKS = {
    "W, complex step": (1e-12, "1.09e-15"),
    "b, complex step": (1e-12, "9.78e-17"),
    "W, central": (1e-6, ""),
    "b, central": (1e-6, ""),
}


def gradient_section(page: Page) -> None:
    """The report's gradient check, against exact derivatives and against differences."""
    page.section(
        "Gradient check",
        "10 inputs, 10 classes, 3 rows, float64, seed 0: the largest |a - n| / max(1e-6, |a| + |n|) over the entries "
        "of W and of b. The report compares with automatic differentiation. Complex steps are as exact as that; "
        "central differences (h = 1e-5) cannot be.",
    )
    errors = {strength: gradient_errors(strength) for strength in (0.0, 0.1, 1.0)}
    page.compare(
        Row(f"lambda {strength:g}: {name}", said if strength == 0 else "", error, (0, most), ".1e")
        for strength, found in errors.items()
        for (name, (most, said)), error in zip(GRADIENT_CHECKS.items(), found, strict=True)
    )
    largest = max(error for found in errors.values() for error in found[:2])
    page.claim(
        "The analytical gradients are correct: the relative errors are very small.",
        largest < 1e-12,
        f"at most {largest:.0e} from complex steps",
    )


def gradient_errors(strength: float, d: int = 10, n: int = 3) -> list[float]:
    """Relative errors of W and b against complex steps, then against central differences."""
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((n, d)), rng.integers(0, 10, n)
    model = Sequential(Linear(d, 10, weight_init=normal(0.01))).build(seed=0, dtype=np.float64)
    loss, weight, bias = SoftmaxCrossEntropy(), model[0].weight, model[0].bias
    loss.forward(model.forward(x), labels)
    model.backward(loss.backward())
    L2(strength)(model.parameters)

    def cost(W: np.ndarray, b: np.ndarray) -> Any:  # written out once more, for real and complex numbers
        scores = x @ W + b
        losses = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(n), labels]
        return losses.mean() + strength * (W * W).sum()

    W, b = weight.value.copy(), bias.value.copy()
    return [
        relative_error(analytic, numeric, floor=1e-6)
        for method in (complex_step, lambda f, at: central_difference(f, at, step=1e-5))
        for analytic, numeric in (
            (weight.grad, method(lambda w: cost(w, b), W)),
            (bias.grad, method(lambda v: cost(W, v), b)),
        )
    ]
