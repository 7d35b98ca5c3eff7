"""The hinge report's best setting with other batches: over six epochs, and with as many iterations."""

from typing import Any

import numpy as np
from hinge_runs import BATCHES, BEST, SETS, USUAL, WORDS, same_iterations
from report import Page, with_spread
from verdicts import above, difference, signed

from minidl.experiments import Results


def batch_sizes(last: dict[str, Results], page: Page) -> None:
    """Every batch with either length, and whether a larger one helps."""
    page.section(
        "Does a larger batch help?",
        "eta 3e-7, lambda 1e4, L2, last weights: only the batch differs, once over six epochs (the smaller the batch, "
        "the more iterations), once with the 735 iterations of the batch of 400. Accuracies in %.",
    )
    page.table(("loss", "batch", "length", "iterations", *SETS, "validation loss"), batch_rows(last))
    for loss, group in last.items():
        larger_batch(loss, group, page)


def larger_batch(loss: str, group: Results, page: Page) -> None:
    """What a larger batch does for one of the losses."""
    small, large = min(BATCHES), BEST["batch_size"]
    reach = {batch: of_batch(group, USUAL | {"batch_size": batch}) for batch in BATCHES}
    gain = difference(reach[large], reach[small])
    as_long = difference(reach[large], of_batch(group, USUAL | same_iterations(small)))
    page.claim(
        "A higher batch size leads to better convergence.",
        above(*gain),
        f"with the {WORDS[loss]}, batches of {', '.join(map(str, BATCHES))} come to training accuracies of "
        f"{', '.join(f'{v.mean():.1f}' for v in reach.values())} over six epochs; from {small} to {large} they move by "
        f"{signed(*gain)} points, with 735 iterations each by {signed(*as_long)}"
        + ("; less than two standard errors, or single runs, decide nothing" if above(*gain) is None else ""),
    )


def of_batch(group: Results, setting: dict[str, Any]) -> np.ndarray:
    """Training accuracies in % of the best setting with another batch."""
    return 100 * np.asarray(group.where(**BEST | setting).array("training_accuracy"))


def batch_rows(last: dict[str, Results]) -> list[list[str]]:
    """Every batch with either length."""
    rows = []
    for loss, group in last.items():
        for batch in BATCHES:
            lengths = {"six epochs": USUAL | {"batch_size": batch}}
            if batch != BEST["batch_size"]:
                lengths["735 iterations"] = USUAL | same_iterations(batch)
            for length, setting in lengths.items():
                found = group.where(**BEST | setting)
                shown = [with_spread(100 * found.array(f"{name}_accuracy")) for name in SETS]
                ends = with_spread(found.array("validation_loss")[:, -1], ".3f")
                rows.append([loss, str(batch), length, f"{found.mean('steps'):.0f}", *shown, ends])
    return rows
