"""Callbacks of scikit-learn (SLEP023), from version 1.9 on, where a run of a Trainer meets them."""

import copy
from collections.abc import Mapping
from typing import Any, cast

from minidl.training.callbacks import Callback

__all__ = ["CallbackSupport", "Told", "with_callbacks"]

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupport
    from sklearn.callback import with_callbacks
except ImportError:  # before 1.9

    class CallbackSupport:  # type: ignore[no-redef]
        """Nothing: earlier versions have no callbacks."""

    def with_callbacks(method: Any) -> Any:
        """The method itself."""
        return method


class Told:
    """What callbacks of scikit-learn are told of one `fit`: that it began, its epochs, that it ended."""

    def __init__(self, estimator: Any, X: Any, y: Any, metadata: Mapping[str, Any]) -> None:
        self.estimator, self.context = estimator, cast(Any, None)
        self.given = {"X": X, "y": y, "metadata": {n: v for n, v in metadata.items() if v is not None}}
        if hasattr(CallbackSupport, "set_callbacks"):
            self.context = estimator._init_callback_context(max_subtasks=int(estimator.epochs))
            self.context.call_on_fit_task_begin(estimator=estimator, **self.given)

    def bridge(self) -> list[Callback]:
        """What goes among the callbacks of the Trainer; nothing where nobody listens."""
        return [Epochs(self)] if getattr(self.estimator, "_skl_callbacks", None) else []

    def end(self) -> None:
        """Say that the estimator is fitted."""
        if self.context is not None:
            self.context.call_on_fit_task_end(estimator=self.estimator, reconstruction_attributes={}, **self.given)


class Epochs(Callback):
    """Each epoch as a task of scikit-learn's callbacks; where one of them says so, the run ends."""

    def __init__(self, told: Told) -> None:
        self.told = told

    def on_fit_begin(self, trainer: Any) -> None:
        """Begin the first task."""
        self._begin()

    def on_epoch_end(self, trainer: Any) -> None:
        """End one task, and begin the next where there is one."""
        told = self.told
        stop = self.task.call_on_fit_task_end(
            estimator=told.estimator,
            reconstruction_attributes=lambda: {"model_": copy.deepcopy(trainer.model)},
            **told.given,
        )
        if stop:
            trainer.stop("a callback of scikit-learn ended it")
        if not trainer.run.over:
            self._begin()

    def _begin(self) -> None:
        told = self.told
        self.task = told.context.subcontext(task_name="epoch")
        self.task.call_on_fit_task_begin(estimator=told.estimator, **told.given)
