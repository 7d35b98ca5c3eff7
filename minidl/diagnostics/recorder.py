"""Recorder: a callback that notes how activations, gradients and weights of every layer go, and keeps little."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from minidl.arguments import check_integer, short, suggest
from minidl.diagnostics.measuring import BINS
from minidl.diagnostics.watching import HISTOGRAMS, OF_INPUT, OF_LAYERS, OF_PARAMETERS, Watch
from minidl.layers.base import Layer
from minidl.parameters import Array
from minidl.remembered import check_state, cost_in, count_in
from minidl.training.callbacks import Callback

OF_RUN = ("step", "cost", "loss", "learning_rate")
NAMES = (*OF_RUN, *OF_INPUT, *OF_LAYERS, *HISTOGRAMS, *OF_PARAMETERS)
NUMBERS = ("first_cost", "highest_cost", "last_cost")


class Recorder(Callback):
    """Measures every k-th step of a run: activations and gradients of each layer, weights and their updates.

    The first step is measured, and every `every`-th after it. Where more than `most` were, every second one is
    forgotten and `every` doubles, so a run of any length keeps between most / 2 and most of them, evenly spaced. What
    is measured is read and never changed: a run with a Recorder has the bits of one without. Each `fit` begins a new
    record; one that goes on from a checkpoint goes on with its record.

    `recorder[name]` is an array with a row for each step that was measured:

    - `step`, `cost`, `loss`, `learning_rate`: (records,).
    - `turn` (records, layers): the place of a layer in the order in which they are called, from 0.
    - `activation_mean`, `activation_deviation`, `activation_largest` (records, layers): of the outputs of a layer;
      `inactive`: the share of its units that were 0 on every row; `saturated`: of sigmoid and tanh, the share of
      outputs so near to a limit that the slope is below 5 % of the steepest.
    - `gradient_mean`, `gradient_deviation`, `gradient_largest`, `gradient_norm` (records, layers): of dL/dy of a layer.
    - `activation_histogram`, `gradient_histogram` (records, layers, 32): smallest and largest number, and 30 counts.
    - `weight_norm`, `weight_gradient_norm`, `update_ratio` (records, parameters): |w|, |dL/dw| and |w' - w| / |w| of
      the step, callbacks before this one included; `twins`: the share of units that have the weights of the first one.
    - `rows`, `input_size`, `input_spread` (records,): of the batch; the root mean square of what the first layer with
      parameters is given, of the numbers other than 0; the largest deviation of one of its features over the median
      one.

    Of large arrays the moments and histograms are those of the first rows of the batch, some 65 536 numbers.

    Args:
        every: how many steps from one measured to the next.
        most: how many are kept, at least 8.

    Attributes:
        layers: the path and class of each layer without layers inside, such as "0 Linear".
        parameters: the name of each parameter, such as "0.weight".
        spacing: how many steps lie between two records now: `every`, or a doubling of it.
        inactive_since: by layer, the step at which each unit was last seen other than 0, -1 for never: (units,).
        first_cost, highest_cost, last_cost: over all steps, also those between; NaN before the first.
        stopped_because: how the run ended, "" before.

    >>> from minidl import SGD, Dataset, Linear, ReLU, Sequential, SoftmaxCrossEntropy, Trainer
    >>> model, recorder = Sequential(Linear(2, 4), ReLU(), Linear(4, 2)).build(seed=0), Recorder(every=5)
    >>> trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.5), callbacks=[recorder])
    >>> data = Dataset(np.float32([[0, 1], [1, 0]] * 10), np.array([0, 1] * 10))
    >>> history = trainer.fit(data, steps=11, batch_size=5, progress=False)
    >>> recorder.layers, recorder["step"], recorder["gradient_norm"].shape
    (['0 Linear', '1 ReLU', '2 Linear'], array([ 1.,  6., 11.]), (3, 3))
    """

    _of_the_moment = ("_watch",)
    _watch: Watch | None = None

    def __init__(self, every: int = 20, *, most: int = 200) -> None:
        self.every = check_integer("every", every, minimum=1)
        self.most = check_integer("most", most, minimum=8)
        self._clear()

    def _clear(self) -> None:
        self.layers: list[str] = []
        self.parameters: list[str] = []
        self.kinds: list[type[Layer]] = []
        self.spacing, self.taken, self.stopped_because = self.every, 0, ""
        self.inactive_since: dict[str, Array] = {}
        self.first_cost, self.highest_cost, self.last_cost = math.nan, math.nan, math.nan
        self._rows: list[dict[str, Array]] = []

    def __len__(self) -> int:
        """How many steps are kept."""
        return len(self._rows)

    def __getitem__(self, name: str) -> Array:
        """All records of one name, row by row; see the class for the names."""
        if name not in NAMES:
            raise KeyError(f"expected a name of a record, received {name!r}; {suggest(str(name), NAMES)}")
        if not self._rows:
            ended = f"the run ended before its first step, {self.stopped_because}"
            if not self.stopped_because:
                ended = "give it in Trainer(..., callbacks=[recorder]) and call fit"
            raise ValueError(f"expected a run with this recorder, received {self!r} with no step measured: {ended}")
        return np.stack([row[name] for row in self._rows])

    def on_fit_begin(self, trainer: Any) -> None:
        """Begin a new record."""
        self._clear()
        self._watch = Watch(trainer.model, lambda: self.taken % self.spacing == 0)
        self.layers = [f"{path} {type(leaf).__name__}" for path, leaf in self._watch.layers]
        self.kinds = [type(leaf) for _, leaf in self._watch.layers]
        self.parameters = list(trainer.model.parameters.named)
        self._watch.open()

    def on_step_end(self, trainer: Any) -> None:
        """Keep what was measured of this step, and watch the next one if it is due."""
        cost = trainer.step_loss + trainer.step_penalty
        if not self.taken:
            self.first_cost = self.highest_cost = cost
        self.last_cost = cost
        if cost > self.highest_cost:
            self.highest_cost = cost
        watch, self.taken = self._watch, self.taken + 1
        if watch is None:
            return
        if watch.is_open:
            self._keep(trainer, watch)
            watch.close()
        if self.taken % self.spacing == 0:
            watch.open()

    def _keep(self, trainer: Any, watch: Watch) -> None:
        measured = watch.ended()
        if not measured:
            return
        steps, rate = trainer.optimizer.steps, trainer.history.steps["learning_rate"][-1]
        of_run = (steps, self.last_cost, trainer.step_loss, rate)
        self._rows.append(
            {name: np.asarray(value, np.float64) for name, value in zip(OF_RUN, of_run, strict=True)} | measured
        )
        for place, active in watch.active.items():
            before = self.inactive_since.get(self.layers[place])
            if before is None or before.shape != active.shape:
                before = np.full(active.shape, -1)
            self.inactive_since[self.layers[place]] = np.where(active, steps, before)
        if len(self._rows) > self.most:
            del self._rows[1::2]
            self.spacing *= 2

    def on_fit_end(self, trainer: Any) -> None:
        """Leave the layers as they were."""
        self.stopped_because = trainer.history.stopped_because
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def state(self) -> dict[str, Any]:
        """The record so far."""
        kept = {name: self[name] for name in NAMES} if self._rows else {}
        since = {f"inactive_since {layer}": units.copy() for layer, units in self.inactive_since.items()}
        numbers = {name: getattr(self, name) for name in NUMBERS}
        return {"spacing": self.spacing, "taken": self.taken, **numbers, **kept, **since}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on with it.

        Raises:
            ValueError, TypeError: it is not what `state` returned for such a model; nothing has changed.
        """
        numbers = ("spacing", "taken", *NUMBERS)
        since = {layer: f"inactive_since {layer}" for layer in self.layers}
        known = [name for name in since.values() if name in state]
        check_state(self, state, [*numbers, *(NAMES if "step" in state else ()), *known])
        spacing, taken = count_in(state, "spacing", minimum=1), count_in(state, "taken")
        rows = self._rows_of({name: state[name] for name in NAMES if name in state})
        if spacing % self.every or len(rows) > self.most or len(rows) != -(-taken // spacing):
            raise ValueError(
                f"expected records of every {self.every} steps or a multiple of it, at most {self.most} of them, "
                f"received {spacing=}, {taken=} with {len(rows)} records: is it another's?"
            )
        units = {layer: state[name] for layer, name in since.items() if name in state}
        if wrong := [layer for layer, array in units.items() if not _is_counts(array)]:
            raise ValueError(f"expected whole numbers for the units of {wrong}, received others: is it another's?")
        costs = [cost_in(state, name) for name in NUMBERS]
        self.first_cost, self.highest_cost, self.last_cost = costs
        self.spacing, self.taken, self._rows = spacing, taken, rows
        self.inactive_since = {layer: array.copy() for layer, array in units.items()}

    def _rows_of(self, arrays: Mapping[str, Any]) -> list[dict[str, Array]]:
        """The records of arrays by name, if they fit the layers and parameters of this run."""
        sizes: dict[str, tuple[int, ...]] = {}
        sizes |= dict.fromkeys(OF_LAYERS, (len(self.layers),)) | dict.fromkeys(OF_PARAMETERS, (len(self.parameters),))
        sizes |= dict.fromkeys(HISTOGRAMS, (len(self.layers), 2 + BINS))
        count = len(arrays["step"]) if "step" in arrays and np.ndim(arrays["step"]) else 0
        for name, array in arrays.items():
            shape = (count, *sizes.get(name, ()))
            if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or array.shape != shape:
                raise ValueError(
                    f"expected {name} to be an array {shape} of floats, received {name}={short(array)}: is it "
                    f"another's?"
                )
        return [{name: array[place].copy() for name, array in arrays.items()} for place in range(count)]


def _is_counts(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype.kind == "i"
