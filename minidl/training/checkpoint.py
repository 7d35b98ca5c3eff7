"""Checkpoint: the callback that writes all that a run is to one file, again and again."""

import os
from typing import Any

from minidl.arguments import check_integer
from minidl.storage import StrPath, check_path, check_target, remove_parts, write_arrays
from minidl.training.callbacks import Callback
from minidl.training.progress import say


class Checkpoint(Callback):
    """Write all that the run is to one file, again and again, so that it can go on after anything.

    `fit(..., resume=path)` with the same model, data and settings goes on from there and ends in the same bits as a
    run that was never interrupted: weights, history, best weights. A new file takes the place of the one before when
    it is whole, never earlier. It is an uncompressed `.npz` archive without pickle.

    Args:
        path: the file; its folder must be there.
        every_steps: write after every so many steps, counted by the optimizer.
        every_evaluations: write after every so many evaluations. With neither of the two: after every evaluation.
        keep_going: what happens where the file cannot be written, as on a full disk. False ends the run after this
            step, with the best weights given back; True says so on standard error and trains on.

    Attributes:
        failures: why the file could not be written, in the newest run.

    Raises:
        ValueError: at construction, a bad argument; at `fit`, a folder that is not there.

    >>> Checkpoint("run.npz", every_steps=100)
    Checkpoint('run.npz', every_steps=100)
    """

    def __init__(
        self,
        path: StrPath,
        *,
        every_steps: int | None = None,
        every_evaluations: int | None = None,
        keep_going: bool = False,
    ) -> None:
        self.path = os.path.abspath(check_path(path))
        if not isinstance(keep_going, bool):
            raise ValueError(f"expected keep_going to be True or False, received keep_going={keep_going!r}")
        if every_steps is None and every_evaluations is None:
            every_evaluations = 1
        for name, every in (("every_steps", every_steps), ("every_evaluations", every_evaluations)):
            if every is not None:
                check_integer(name, every, minimum=1)
        self.every_steps, self.every_evaluations = every_steps, every_evaluations
        self.keep_going = keep_going
        self.failures: list[str] = []
        self.step = -1  # of the newest attempt

    def on_fit_begin(self, trainer: Any) -> None:
        """Look whether the file can be there at all, and remove what runs that were killed left half written."""
        self.failures, self.step = [], -1
        try:
            check_target(self.path)
        except OSError as error:
            raise ValueError(str(error)) from error
        remove_parts(self.path)

    def on_safe_point(self, trainer: Any) -> None:
        """Write where it is due, and what was not due when the run takes no further step."""
        run, step = trainer.run, trainer.optimizer.steps
        due = _is_due(self.every_steps, step) or run.over
        due |= run.evaluated and _is_due(self.every_evaluations, len(trainer.history.evaluations["step"]))
        if due and step != self.step and trainer.history.steps["step"]:
            self.step = step
            self._write(trainer)

    def _write(self, trainer: Any) -> None:
        try:
            write_arrays(self.path, trainer.run.packed())
        except (OSError, MemoryError) as error:
            reason = getattr(error, "strerror", None) or repr(error)
            self.failures.append(f"the checkpoint {self.path} cannot be written: {reason}")
            if self.keep_going:
                say(f"step {self.step}: {self.failures[-1]}; training goes on")
            else:
                trainer.stop(self.failures[-1])


def _is_due(every: int | None, count: int) -> bool:
    return every is not None and count % every == 0
