"""MaxNorm: weights that never grow beyond a length."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minidl.arguments import check_number
from minidl.parameters import Array, Parameter
from minidl.quiet import quietly
from minidl.store import Parameters
from minidl.training.callbacks import Callback


class MaxNorm(Callback):
    """After each step w <- w min(1, limit / |w|), where w are the weights of one unit and |w| is their length.

    The weights of a unit are those that lead into it: what stands at one place of the last axis, a column of a `Linear`
    (in, out), a filter of a convolution (k, k, in, out). It is no penalty and changes no gradient: a step is taken as
    if it were not there, and what left the ball comes back to its surface.

    Args:
        limit: > 0.
        names: None for every parameter of two and more axes that weight decay applies to (no biases), or a shell
            pattern such as "0.weight"; the pattern is then the only rule. In a parameter of one axis each number is a
            unit.

    Raises:
        ValueError: at construction, a bad argument; at `fit`, a pattern that matches no parameter, or frozen ones only.

    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", Journal of Machine
    Learning Research 15, 2014, section 5.1.

    >>> from minidl import Linear
    >>> model = Linear(2, 3).build(seed=0)
    >>> model.weight.value = [[3.0, 0.3, 0.0], [4.0, 0.4, 2.0]]
    >>> MaxNorm(1.0).project(model.parameters)
    >>> model.weight.value
    array([[0.6, 0.3, 0. ],
           [0.8, 0.4, 1. ]], dtype=float32)
    """

    def __init__(self, limit: float, *, names: str | None = None) -> None:
        self.limit = check_number("limit", limit, minimum=0, exclusive=True)
        if names is not None and not isinstance(names, str):
            raise ValueError(f'expected names to be None or one pattern such as "*.weight", received names={names!r}')
        self.names = names

    def project(self, parameters: Parameters) -> None:
        """Bring back what is longer than `limit`; for loops by hand, after the optimizer's step.

        Raises:
            ValueError: the pattern matches no parameter, or frozen ones only.
        """
        with quietly():
            for parameter in self._chosen(parameters):
                _shorten(parameter.value.reshape(-1, *parameter.shape[-1:]), self.limit)

    def _chosen(self, parameters: Parameters) -> list[Parameter]:
        if self.names is not None:
            return parameters.matching(self.names)
        trained = (parameter for parameter in parameters.named.values() if not parameter.frozen)
        return [parameter for parameter in trained if parameter.decay and len(parameter.shape) > 1]

    def on_fit_begin(self, trainer: Any) -> None:
        """Refuse a pattern that matches nothing, or nothing that trains."""
        self._chosen(trainer.model.parameters)

    def on_step_end(self, trainer: Any) -> None:
        """Project the weights."""
        self.project(trainer.model.parameters)

    def state(self) -> dict[str, Any]:
        """Nothing to remember, but a run that goes on must have it too."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing to take back."""


def _shorten(weights: Array, limit: float) -> None:
    """Scale the columns of (m, units), in place, that are longer than the limit."""
    longest = np.abs(weights).max(axis=0)
    lengths = longest * np.sqrt(np.square(weights / np.where(longest > 0, longest, 1)).sum(axis=0))
    if (lengths > limit).any():
        weights *= np.minimum(1, limit / np.where(lengths > 0, lengths, 1))
