"""Monitor: the one meaning of "better" for early stopping, plateaus and best weights."""

import math
from collections.abc import Collection, Mapping
from typing import Any, Literal

import numpy as np

from minidl.arguments import Recorded, check_number, suggest
from minidl.parameters import Array
from minidl.remembered import check_state, count_in, limit_in
from minidl.storage import differing
from minidl.store import Parameters
from minidl.training.history import History

Mode = Literal["min", "max"]
OF_TRAINING = ("step", "epoch", "train_loss", "train_penalty", "train_cost")  # rarely what is meant
SMALLER_IS_BETTER = ("loss", "penalty", "cost")


class Monitor(Recorded):
    """Watches one column of the evaluations. Better means: beyond the best so far by more than `min_delta`.

    NaN never improves. Adding a constant to the column changes nothing.

    Args:
        monitor: the name of the column, such as "validation_loss" or "validation_accuracy".
        mode: "min" where smaller is better, "max" where larger is. May be left out for losses, penalties and costs
            only, where smaller is better; nothing is guessed.
        min_delta: >= 0, in the units of the column.

    >>> watch = Monitor("validation_loss")
    >>> [watch.improved({"validation_loss": loss}) for loss in (1.0, 1.0, 0.5, float("nan"))]
    [True, False, True, False]
    """

    def __init__(self, monitor: str = "validation_loss", *, mode: Mode | None = None, min_delta: float = 0.0) -> None:
        if mode not in ("min", "max", None):
            raise ValueError(f"expected mode to be 'min' or 'max', received mode={mode!r}")
        if not isinstance(monitor, str):
            raise ValueError(f"expected monitor to be the name of a column, received monitor={monitor!r}")
        if mode is None and not monitor.endswith(SMALLER_IS_BETTER):
            raise ValueError(
                f"expected mode='max' or mode='min' with monitor={monitor!r}: which is better, large or small?"
            )
        self.monitor, self.mode = monitor, mode or "min"
        self.min_delta = check_number("min_delta", min_delta, minimum=0)
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self.best = math.inf if self.mode == "min" else -math.inf
        self.waited = 0

    def state(self) -> dict[str, float]:
        """The best value and how long it is ago."""
        return {"best": self.best, "waited": self.waited}

    def load_state(self, state: Mapping[str, float]) -> None:
        """Go on from there.

        Raises:
            ValueError, TypeError: it is not what `state` returned; nothing has changed.
        """
        own = isinstance(state, Mapping) and type(self).state is not Monitor.state  # a subclass remembers more
        check_state(self, state, {"best", "waited", *state} if own else ("best", "waited"))
        self.best, self.waited = limit_in(state, "best"), count_in(state, "waited")

    def same(self, other: "Monitor") -> bool:
        """Whether both call the same evaluations better."""
        return (self.monitor, self.mode, self.min_delta) == (other.monitor, other.mode, other.min_delta)

    def check(self, columns: Collection[str]) -> None:
        """Raise ValueError where the column will not be recorded, before a step is taken."""
        if self.monitor not in columns:
            of_training = self.monitor.startswith("train")
            near = [name for name in columns if of_training or name not in OF_TRAINING] or columns
            raise ValueError(
                f"expected monitor to be a recorded column, received monitor={self.monitor!r}; "
                f"{suggest(self.monitor, near)}; others come with a validation set given to fit and metrics given "
                f"to the Trainer"
            )

    def improved(self, row: Mapping[str, float]) -> bool:
        """Take note of one evaluation; `waited` counts those since the last that improved."""
        value = row[self.monitor]
        gain = self.best - value if self.mode == "min" else value - self.best
        better = gain > self.min_delta
        self.best, self.waited = (value, 0) if better else (self.best, self.waited + 1)
        return better


class BestWeights:
    """The best evaluation of a run so far, and the weights it was made with.

    Args:
        watch: what calls evaluations better; None where nothing does.
        parameters: of the model.
        keep: whether the weights are kept and given back.
        history: what `best_step`, `best_value` and `restored_best` are written into.
    """

    def __init__(self, watch: Monitor | None, parameters: Parameters, *, keep: bool, history: History) -> None:
        self.watch, self.parameters, self.history = watch, parameters, history
        self.kept = keep and watch is not None
        self.best: tuple[int, float, dict[str, Array]] | None = None

    def look(self, row: Mapping[str, float]) -> None:
        """Take note of one evaluation."""
        if self.watch is not None and self.watch.improved(row):
            weights = self.parameters.snapshot() if self.kept else {}
            self.best = int(row["step"]), self.watch.best, weights  # in one assignment, which no Ctrl-C can cut in two
            self.history.best_step, self.history.best_value, _ = self.best

    def give_back(self) -> None:
        """Put the best weights into the model, if they were kept."""
        if self.best is not None:
            self.history.best_step, self.history.best_value, weights = self.best
            if self.kept:
                self.parameters.restore(weights)
                self.history.restored_best = True

    def check(self, evaluations: Mapping[str, list[float]]) -> None:
        """Raise ValueError where the best evaluation is not the one that the column of a history says."""
        if self.watch is None:
            return
        watch, name, found = Monitor(self.watch.monitor, mode=self.watch.mode), self.watch.monitor, None
        for step, value in zip(evaluations["step"], evaluations[name], strict=True):
            found = (step, value) if watch.improved({name: value}) else found
        if found != (self.best and self.best[:2]):
            received = f"step {self.best[0]} with {self.best[1]}" if self.best else "none"
            raise ValueError(f"expected the best {name} of its evaluations, {found}, received {received}")

    def state(self) -> dict[str, Any]:
        """The step, the value and the weights, with None for the first two where there is none yet."""
        step, value, weights = self.best or (None, None, {})
        return {"step": step, "value": value, **{f"weights/{name}": array for name, array in weights.items()}}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        known = {f"weights/{name}" for name in self.parameters.snapshot()} if self.kept else set()
        none = isinstance(state, Mapping) and state.get("step") is None
        check_state("the best weights", state, {"step", "value"} if none else {"step", "value", *known})
        if none:
            if state["value"] is not None:
                raise ValueError(f"expected no best value without a step, received value={state['value']!r}")
            self.best = self.history.best_step = self.history.best_value = None
            return
        if self.watch is None:
            raise ValueError(f"expected step=None where nothing is monitored, received step={state['step']!r}")
        weights = {name.removeprefix("weights/"): array for name, array in state.items() if name in known}
        if wrong := differing(weights, self.parameters.snapshot() if self.kept else {}):
            raise ValueError(f"expected the best weights of this model, found that {wrong}")
        if broken := [name for name, array in weights.items() if not np.isfinite(array).all()]:
            raise ValueError(f"expected best weights that are finite, received {broken} with others")
        self.best = count_in(state, "step"), limit_in(state, "value"), weights
        self.watch.load_state({"best": self.best[1], "waited": 0})
        self.history.best_step, self.history.best_value, _ = self.best
