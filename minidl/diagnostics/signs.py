"""The signs of sick networks: each looks at a record for one thing, and says where it is and by which numbers."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minidl.diagnostics.recorder import Recorder
from minidl.layers.activations import LogSoftmax, Softmax
from minidl.layers.dropout import Dropout
from minidl.layers.embedding import Embedding, PositionalEncoding
from minidl.layers.layer_normalization import LayerNorm
from minidl.layers.normalization import ChannelNorm
from minidl.layers.pooling import GlobalAveragePool2D, _Pool2D
from minidl.layers.shaping import _Shaping
from minidl.parameters import Array
from minidl.quiet import quiet

LARGE_INPUT, SMALL_INPUT, UNEVEN_INPUT = 10.0, 0.01, 100.0
TWINS = 0.9
FACTOR = 1e3  # by which gradients vanish or explode
LEAP, RISE = 0.3, 2.0  # of an update over its weights, of the highest cost over the first
SATURATED, DEAD = 0.5, 0.4
CRAWL, FALL = 3e-4, 0.1
LEARNED = 0.1  # of the first cost: whatever its units do, such a network learns
EXPLAINING = {"unscaled inputs", "symmetry", "exploding gradients", "vanishing gradients"}
NORMS = (ChannelNorm, LayerNorm)
NO_ACTIVATIONS = (Dropout, PositionalEncoding, Softmax, LogSoftmax, GlobalAveragePool2D, _Pool2D, _Shaping)


@dataclass(frozen=True)
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


class Evidence:
    """A record, and what several signs ask of it."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.late = len(recorder) - -(-len(recorder) // 3)  # the first of the last third
        owners = [name.rpartition(".")[0] or "model" for name in recorder.parameters]
        paths = [layer.partition(" ")[0] for layer in recorder.layers]
        self.owner = [paths.index(owner) if owner in paths else -1 for owner in owners]  # of each parameter
        self.trained = sorted({place for place in self.owner if place >= 0})

    def median(self, name: str, *, late: bool = False) -> Array:
        """The median over records, NaN where there is nothing else."""
        rows = self.recorder[name][self.late if late else 0 :]
        return np.array([_median(column) for column in rows.reshape(len(rows), -1).T])

    def named(self, places: list[int]) -> str:
        """The layers at these places."""
        return ", ".join(self.recorder.layers[place] for place in places)


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
    alike = of.median("twins", late=True)
    last = of.trained[-1] if of.trained else -1
    places = sorted(
        {place for place, share in zip(of.owner, alike, strict=True) if share >= TWINS and 0 <= place < last}
    )
    if not places:
        return None
    most = max(share for place, share in zip(of.owner, alike, strict=True) if place in places and share >= TWINS)
    advice = "start the weights at random numbers, such as minidl.initializers.he_normal, and only biases at 0"
    return Finding(
        "symmetry", of.named(places), f"{most:.0%} of the units have the same weights", advice, tuple(places)
    )


def exploding_gradients(of: Evidence, found: set[str]) -> Finding | None:
    """Gradients that grow on their way back."""
    ratio, first, last = _way_back(of)
    if not ratio > FACTOR:
        return None
    numbers = f"|dL/dy| is {ratio:.1e} times that of {of.named([last])} (between 0.001 and 1000 is usual)"
    advice = "smaller initial weights (minidl.initializers), a normalization between the layers, or clip=ClipNorm(1.0)"
    return Finding("exploding gradients", of.named([first]), numbers, advice, (first,))


def vanishing_gradients(of: Evidence, found: set[str]) -> Finding | None:
    """Gradients that get lost on their way back."""
    ratio, first, last = _way_back(of)
    if not 0 < ratio < 1 / FACTOR:
        return None
    norms = of.median("gradient_norm")
    weak = [place for place in of.trained if norms[place] < norms[last] / FACTOR]
    numbers = f"|dL/dy| of {of.named([first])} is {ratio:.1e} times that of {of.named([last])} (0.001 to 1000 is usual)"
    advice = "ReLU instead of sigmoid or tanh, He or Glorot initial weights, BatchNorm or Residual, or fewer layers"
    return Finding("vanishing gradients", of.named(weak), numbers, advice, tuple(weak))


def rate_too_large(of: Evidence, found: set[str]) -> Finding | None:
    """A run that jumps over what it looks for."""
    run, leap = of.recorder, _leap(of)
    late_cost = _median(run["cost"][of.late :])
    diverged = run.stopped_because.startswith("diverged")
    first = abs(run.first_cost)
    lost = run.highest_cost > RISE * first or not late_cost < run.first_cost * (1 - FALL)
    if found & EXPLAINING or not (diverged or (leap > LEAP and lost)):
        return None
    numbers = f"updates up to {leap:.2g} of the weights (0.001 is usual), cost {run.first_cost:.4g} at first, "
    numbers += f"{run.highest_cost:.4g} at most, {run.last_cost:.4g} at last" + (
        ", then it diverged" if diverged else ""
    )
    advice = "divide the learning rate by 10; minidl.diagnostics.range_test(trainer, train) suggests one"
    return Finding("rate too large", "the run", numbers, advice)


def saturated_units(of: Evidence, found: set[str]) -> Finding | None:
    """Sigmoids and their like that hardly have a slope."""
    shares = of.median("saturated", late=True)
    places = [place for place, share in enumerate(shares) if share > SATURATED]
    run = of.recorder
    learned = _median(run["cost"][of.late :]) < LEARNED * run.first_cost
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
    shares = {}
    for place, (layer, kind) in enumerate(zip(run.layers, run.kinds, strict=True)):
        if place in of.trained or issubclass(kind, NO_ACTIVATIONS) or layer not in run.inactive_since:
            continue
        shares[place] = float((run.inactive_since[layer] < steps[of.late]).mean())
    places = [place for place, share in shares.items() if share > DEAD]
    if not places or "symmetry" in found:
        return None
    numbers = f"{', '.join(f'{shares[place]:.0%}' for place in places)} of the units were 0 on every row since step "
    numbers += f"{int(steps[of.late])}"
    advice = "a smaller rate, biases that start at 0 or a little above, He initial weights, or LeakyReLU"
    return Finding("dead units", of.named(places), numbers, advice, tuple(places))


def rate_too_small(of: Evidence, found: set[str]) -> Finding | None:
    """A run that hardly moves."""
    run = of.recorder
    ratios = of.median("update_ratio")[_weights(of)]
    largest, late_cost = _largest(ratios), _median(run["cost"][of.late :])
    begun = run["step"][0] > 1  # a run that goes on from another one may be where it wants to be
    if (
        found
        or begun
        or len(run) < 3
        or not (largest < CRAWL and late_cost > run.first_cost - FALL * abs(run.first_cost))
    ):
        return None
    numbers = f"updates are at most {largest:.1e} of the weights (0.001 is usual), cost {run.first_cost:.4g} at first, "
    numbers += f"{late_cost:.4g} late"
    advice = "multiply the learning rate by 10; minidl.diagnostics.range_test(trainer, train) suggests one"
    return Finding("rate too small", "the run", numbers, advice)


SIGNS: tuple[Callable[[Evidence, set[str]], Finding | None], ...] = (
    unscaled_inputs,
    symmetry,
    exploding_gradients,
    vanishing_gradients,
    rate_too_large,
    saturated_units,
    dead_units,
    rate_too_small,
)


def _way_back(of: Evidence) -> tuple[float, int, int]:
    """How many times |dL/dy| of the last layer with parameters that of the first one is, and which layers these are.

    The median over records, or what it was in the first one where that is closer to 1: what only comes while the run
    goes has another reason. NaN where nothing passes.
    """
    rows, norms = of.recorder["gradient_norm"].astype(float), of.median("gradient_norm")
    reached = [place for place in of.trained if norms[place] > 0]
    if len(reached) < 2 or not rows[0, reached[-1]] > 0:
        return math.nan, 0, 0
    first, last = reached[0], reached[-1]
    ratios = float(rows[0, first] / rows[0, last]), float(norms[first] / norms[last])
    away = [abs(math.log(ratio)) if ratio > 0 else math.inf for ratio in ratios]
    return ratios[0] if away[0] < away[1] else ratios[1], first, last


def _weights(of: Evidence) -> list[int]:
    """The places of parameters that are weights, and no biases or gains."""
    return [place for place, share in enumerate(of.recorder["twins"][-1]) if not math.isnan(share)]


def _leap(of: Evidence) -> float:
    """The largest ratio of update to weight of any record."""
    return _largest(of.recorder["update_ratio"][:, _weights(of)])


def _largest(array: Array) -> float:
    known = array[~np.isnan(array)]
    return float(known.max()) if known.size else math.nan


@quiet
def _median(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else math.nan
