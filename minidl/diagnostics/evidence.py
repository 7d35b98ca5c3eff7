"""What a record says as a whole: medians, ratios and shares that several signs of sickness ask for."""

import math

import numpy as np

from minidl.diagnostics.recorder import Recorder
from minidl.layers.activations import LogSoftmax, Softmax
from minidl.layers.dropout import Dropout
from minidl.layers.embedding import PositionalEncoding
from minidl.layers.pooling import GlobalAveragePool2D, _Pool2D
from minidl.layers.shaping import _Shaping
from minidl.parameters import Array
from minidl.quiet import quiet

NO_ACTIVATIONS = (Dropout, PositionalEncoding, Softmax, LogSoftmax, GlobalAveragePool2D, _Pool2D, _Shaping)


class Evidence:
    """A record, and what several signs ask of it."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.late = len(recorder) - -(-len(recorder) // 3)  # the first of the last third
        owners = [name.rpartition(".")[0] or "model" for name in recorder.parameters]
        paths = [layer.partition(" ")[0] for layer in recorder.layers]
        self.owner = [paths.index(owner) if owner in paths else -1 for owner in owners]  # of each parameter
        turns = recorder["turn"][0]
        self.turn = np.where(np.isnan(turns), np.inf, turns)  # attributes of a user's model have any order
        self.trained = sorted({place for place in self.owner if place >= 0}, key=lambda place: float(self.turn[place]))

    @property
    def diverged(self) -> bool:
        """Whether the run ended because its cost was no number any more, or far too large."""
        return self.recorder.stopped_because.startswith("diverged")

    @property
    def activations(self) -> list[int]:
        """The places of layers whose zeros are units that are off: behind the first parameters, and without any."""
        first = self.turn[self.trained[0]] if self.trained else np.inf
        kinds = enumerate(self.recorder.kinds)
        return [
            place
            for place, kind in kinds
            if self.turn[place] > first and place not in self.trained and not issubclass(kind, NO_ACTIVATIONS)
        ]

    @property
    def weights(self) -> list[int]:
        """The places of parameters that are weights, and no biases or gains."""
        return [place for place, share in enumerate(self.recorder["twins"][-1]) if not math.isnan(share)]

    def median(self, name: str, *, late: bool = False) -> Array:
        """The median over records, NaN where there is nothing else."""
        rows = self.recorder[name][self.late if late else 0 :]
        return np.array([median(column) for column in rows.reshape(len(rows), -1).T])

    def named(self, places: list[int]) -> str:
        """The layers at these places."""
        return ", ".join(self.recorder.layers[place] for place in places)


def way_back(of: Evidence) -> tuple[float, int, int]:
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


def leap(of: Evidence) -> float:
    """The largest ratio of update to weight of any record."""
    return largest(of.recorder["update_ratio"][:, of.weights])


def largest(array: Array) -> float:
    """The largest number that is one, NaN without any."""
    known = array[~np.isnan(array)]
    return float(known.max()) if known.size else math.nan


@quiet
def median(values: Array) -> float:
    """The median of the numbers that are some, NaN without any."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else math.nan
