"""The signs of sick networks: each looks at a record for one thing, and says where it is and by which numbers."""

import math
from collections.abc import Callable

import numpy as np

from minidl.diagnostics.evidence import Evidence, largest, leap, median, way_back
from minidl.frozen import frozen
from minidl.layers.embedding import Embedding
from minidl.layers.layer_normalization import LayerNorm
from minidl.layers.normalization import ChannelNorm
from minidl.parameters import Array

LARGE_INPUT, SMALL_INPUT, UNEVEN_INPUT = 10.0, 0.01, 100.0
TWINS = 0.9
FACTOR = 1e3  # by which gradients vanish or explode
LEAP, RISE = 0.3, 2.0  # of an update over its weights, of the highest cost over the first
SATURATED, DEAD = 0.5, 0.4
ENOUGH = 64  # rows that have to be seen before a unit is called dead
CRAWL, FALL = 3e-4, 0.1
SURE = 2.0  # standard errors
STRAIGHT = 1.5  # of how far weights from 0 would be by now, going on as they do, over how far they are
ARRIVED = 1 / 3  # of the first gradient: where it is smaller, the run went somewhere
LEARNED = 0.1  # of the first cost: whatever its units do, such a network learns
EXPLAINING = {"unscaled inputs", "symmetry", "exploding gradients", "vanishing gradients"}
NORMS = (ChannelNorm, LayerNorm)


@frozen
class Finding:
    """One thing that is wrong.

    Attributes:
        name: in two words, such as "dead units".
        where: the layers, or "the run".
        numbers: what was measured, beside what is usual.
        advice: what to do.
        layers: places in `recorder.layers`.
    """

    name: str
    where: str
    numbers: str
    advice: str
    layers: tuple[int, ...] = ()


def unscaled_inputs(of: Evidence, found: set[str]) -> Finding | None:
    """Inputs far from 1 in size, or features far from each other."""
    if not of.trained or issubclass(of.recorder.kinds[of.trained[0]], (*NORMS, Embedding)):
        return None
    size, spread = float(of.median("input_size")[0]), float(of.median("input_spread")[0])
    if not (size > LARGE_INPUT or size < SMALL_INPUT or spread > UNEVEN_INPUT):
        return None
    numbers = (
        f"root mean square {size:.3g} (about 1 is usual), largest deviation of a feature {spread:.3g} times the median"
    )
    where, advice = f"what {of.named(of.trained[:1])} is given", "scale the data: minidl.data.standardize(train, ...)"
    return Finding("unscaled inputs", where, numbers, advice, (of.trained[0],))


def symmetry(of: Evidence, found: set[str]) -> Finding | None:
    """Units that are copies of each other: they have the same gradient, and stay copies."""
    alike = np.minimum(of.recorder["twins"][0], of.median("twins", late=True))  # what blows up looks alike, too
    of_twins = {place for place, share in zip(of.owner, alike, strict=True) if share >= TWINS}
    places = [place for place in of.trained[:-1] if place in of_twins]
    if not places:
        return None
    most = max(share for place, share in zip(of.owner, alike, strict=True) if place in places and share >= TWINS)
    advice = "start the weights at random numbers, such as minidl.initializers.he_normal, and only biases at 0"
    return Finding(
        "symmetry", of.named(places), f"{most:.0%} of the units have the same weights", advice, tuple(places)
    )


def exploding_gradients(of: Evidence, found: set[str]) -> Finding | None:
    """Gradients that grow on their way back."""
    ratio, first, last = way_back(of)
    if not ratio > FACTOR:
        return None
    numbers = f"|dL/dy| is {ratio:.1e} times that of {of.named([last])} (between 0.001 and 1000 is usual)"
    advice = "smaller initial weights (minidl.initializers), a normalization between the layers, or clip=ClipNorm(1.0)"
    return Finding("exploding gradients", of.named([first]), numbers, advice, (first,))


def vanishing_gradients(of: Evidence, found: set[str]) -> Finding | None:
    """Gradients that get lost on their way back."""
    ratio, first, last = way_back(of)
    if not 0 < ratio < 1 / FACTOR:
        return None
    norms = of.median("gradient_norm")
    weak = [place for place in of.trained if norms[place] < norms[last] / FACTOR]
    numbers = f"|dL/dy| of {of.named([first])} is {ratio:.1e} times that of {of.named([last])} (0.001 to 1000 is usual)"
    advice = "ReLU instead of sigmoid or tanh, He or Glorot initial weights, BatchNorm or Residual, or fewer layers"
    return Finding("vanishing gradients", of.named(weak), numbers, advice, tuple(weak))


def rate_too_large(of: Evidence, found: set[str]) -> Finding | None:
    """A run that jumps over what it looks for."""
    run, most = of.recorder, leap(of)
    rose = run.highest_cost > RISE * abs(run.first_cost)
    lost = rose or not median(run["cost"][of.late :]) < run.first_cost * (1 - FALL)
    if found & EXPLAINING or not ((most > LEAP and lost) or (of.diverged and rose)):
        return None
    numbers = f"updates up to {most:.2g} of the weights (0.001 is usual), cost {run.first_cost:.4g} at first, "
    numbers += f"{run.highest_cost:.4g} at most, {run.last_cost:.4g} at last" + of.diverged * ", then it diverged"
    advice = "divide the learning rate by 10; minidl.diagnostics.range_test(trainer, train) suggests one"
    return Finding("rate too large", "the run", numbers, advice)


def not_finite(of: Evidence, found: set[str]) -> Finding | None:
    """A run that ended at NaN or infinity, and not by leaps."""
    if found or not of.diverged:
        return None
    numbers, _, _ = of.recorder.stopped_because.partition("; the batch held")
    advice = (
        "see what it computes from the rows that DivergenceError and the history name: a logarithm or root of 0, a "
        "division by 0, an exponential; explain_step(trainer, rows) shows every array"
    )
    return Finding("not finite", "the run", numbers, advice)


def saturated_units(of: Evidence, found: set[str]) -> Finding | None:
    """Sigmoids and their like that hardly have a slope."""
    shares = of.median("saturated", late=True)
    places = [place for place, share in enumerate(shares) if share > SATURATED]
    run = of.recorder
    learned = median(run["cost"][of.late :]) < LEARNED * run.first_cost
    if not places or learned:
        return None
    advice = "smaller initial weights, scaled inputs, a smaller rate, or a normalization before the activation"
    numbers = (
        f"{', '.join(f'{shares[place]:.0%}' for place in places)} of the outputs are near a limit, late in the run"
    )
    return Finding("saturated units", of.named(places), numbers, advice, tuple(places))


def dead_units(of: Evidence, found: set[str]) -> Finding | None:
    """Units that are 0 whatever the batch."""
    run, steps = of.recorder, of.recorder["step"]
    seen = np.flatnonzero(run["rows"][::-1].cumsum()[::-1] >= ENOUGH)  # few rows leave many units at 0 by chance
    if not seen.size:
        return None
    since, shares = int(steps[min(of.late, seen[-1])]), {}
    for place in of.activations:
        if (units := run.inactive_since.get(run.layers[place])) is not None:
            shares[place] = float((units < since).mean())
    places = [place for place, share in shares.items() if share > DEAD]
    if not places or "symmetry" in found:
        return None
    numbers = (
        f"{', '.join(f'{shares[place]:.0%}' for place in places)} of the units were 0 on every row since step {since}"
    )
    advice = "a smaller rate, biases that start at 0 or a little above, He initial weights, or LeakyReLU"
    return Finding("dead units", of.named(places), numbers, advice, tuple(places))


def rate_too_small(of: Evidence, found: set[str]) -> Finding | None:
    """A run that hardly moves."""
    run = of.recorder
    late_cost, most = median(run["cost"][of.late :]), largest(_ratios(of))
    begun = run["step"][0] > 1  # a run that goes on from another one may be where it wants to be
    if found or begun or len(run) < 3 or not most < CRAWL or _fell(of) or _arrived(of):
        return None
    numbers = f"updates are at most {most:.1e} of the weights (0.001 is usual), cost {run.first_cost:.4g} at first, "
    numbers += f"{late_cost:.4g} late"
    advice = "multiply the learning rate by 10; minidl.diagnostics.range_test(trainer, train) suggests one"
    return Finding("rate too small", "the run", numbers, advice)


SIGNS: tuple[Callable[[Evidence, set[str]], Finding | None], ...] = (
    unscaled_inputs,
    symmetry,
    exploding_gradients,
    vanishing_gradients,
    rate_too_large,
    not_finite,
    saturated_units,
    dead_units,
    rate_too_small,
)


def _ratios(of: Evidence) -> Array:
    """The median ratio of update to weight of each weight; 0 for one that began at 0 and still goes straight on.

    What began at 0 is as large as its updates, whatever the rate.
    """
    run, ratios = of.recorder, of.median("update_ratio")
    went = run["update_ratio"] * (run["step"] - 1)[:, None]
    from_zero = np.isnan(run["update_ratio"][0]) & (run["weight_norm"][0] > 0)
    straight = from_zero & [median(column) < STRAIGHT for column in went[of.late :].T]
    return np.where(straight, 0.0, ratios)[of.weights]


def _fell(of: Evidence) -> bool:
    """Whether the cost fell from the first record or the first third to the last one, by more than batches differ."""
    costs, first = of.recorder["cost"], of.recorder.first_cost
    third = len(costs) - of.late
    noise = float(np.diff(costs).std()) / math.sqrt(2)  # of one batch, and not of what the run gains
    early, late = float(costs[:third].mean()), float(costs[of.late :].mean())
    by_third = early - late > max(FALL * abs(early), SURE * noise * math.sqrt(2 / third))
    return by_third or first - late > max(FALL * abs(first), SURE * noise * math.sqrt(1 + 1 / third))


def _arrived(of: Evidence) -> bool:
    """Whether the gradient of the weights became small, as it does where a run has gone as far as it can."""
    norms = np.sqrt(np.nansum(np.square(of.recorder["weight_gradient_norm"][:, of.weights]), axis=1))
    return median(norms[of.late :]) < ARRIVED * float(norms[0])
