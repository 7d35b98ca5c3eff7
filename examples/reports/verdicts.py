"""When a difference between two settings decides a claim, and when it is too small for that."""

import numpy as np
from report import deviation


def difference(more: np.ndarray, less: np.ndarray) -> tuple[float, float]:
    """The difference of two means, and its standard error; 0 for single runs."""
    return float(more.mean() - less.mean()), float(np.hypot(standard_error(more), standard_error(less)))


def standard_error(values: np.ndarray) -> float:
    """The standard error of a mean; 0 for a single run."""
    return float(deviation(values) / len(values) ** 0.5)


def above(gain: float, error: float) -> bool | None:
    """Whether a difference is positive; None where it is less than two standard errors, or of single runs."""
    return gain > 0 if error and abs(gain) > 2 * error else None


def signed(gain: float, error: float, form: str = ".1f") -> str:
    """Such as "+3.1 ± 1.1"; a single run has no standard error."""
    return f"{gain:+{form}}{f' ± {error:{form}}' if error else ''}"
