"""Regularizers: functions of a model's parameters that add their gradient to `.grad` and return their penalty.

Call one after `backward`, which sets the gradient, and before the optimizer's step. A regularizer of your own is a
plain function; only the trainable numbers may enter it:

>>> from minidl.initializers import ones
>>> from minidl.parameters import Parameter
>>> def towards_one(parameters: Parameters) -> float:
...     '''sum (w - 1)**2, with gradient 2 (w - 1).'''
...     away = parameters.value - 1
...     parameters.grad += 2 * away
...     return float(away @ away)
>>> parameters = Parameters({"weight": Parameter((2, 3), ones)}, np.random.default_rng(0))
>>> parameters.value[:] = 3
>>> towards_one(parameters), parameters.grad
(24.0, array([4., 4., 4., 4., 4., 4.], dtype=float32))
"""

from collections.abc import Callable
from dataclasses import KW_ONLY
from typing import TypeAlias

import numpy as np

from minidl.advice import Advised
from minidl.arguments import check_number
from minidl.frozen import frozen
from minidl.parameters import Array
from minidl.quiet import quiet
from minidl.returned import check_parameters
from minidl.store import Parameters

Regularizer: TypeAlias = Callable[[Parameters], float]


class _Penalty(Advised):
    """What the classes below share, and what a list of several of them is a list of."""

    names: str | None

    def __post_init__(self) -> None:
        """Refuse bad arguments, and keep each strength as a Python float: a numpy one makes float64 of float32."""
        for name, value in vars(self).items():
            if name != "names":
                object.__setattr__(self, name, check_number(name, value, minimum=0))
            elif value is not None and not isinstance(value, str):
                raise ValueError(
                    f'expected names to be None or one pattern such as "*.weight", received names={value!r}'
                )

    @quiet
    def __call__(self, parameters: Parameters) -> float:
        """Add the gradient to `parameters.grad`; return the penalty."""
        return sum(self._add(w, g) for w, g in _chosen(parameters, self.names))

    def _add(self, w: Array, g: Array) -> float:
        """The same for one flat view of values and one of gradients."""
        raise TypeError(f"{type(self).__name__} must define _add(self, w, g)")


@frozen
class L2(_Penalty):
    """strength * sum(w**2), with gradient 2 * strength * w.

    Note the missing 1/2: an optimizer's "weight decay" of d, which adds d * w to the gradient, is L2(d / 2).

    Args:
        strength: finite and >= 0.
        names: None for every parameter that weight decay applies to (no biases), or a shell pattern such as
            "*.weight"; the pattern is then the only rule, so one that matches biases takes biases.

    Raises:
        ValueError: at construction, a bad argument; when called, a pattern that matches no parameter, or frozen
            ones only.

    >>> from minidl.initializers import ones, zeros
    >>> from minidl.parameters import Parameter
    >>> named = {"0.weight": Parameter((2, 2), ones), "0.bias": Parameter((2,), ones, decay=False)}
    >>> parameters = Parameters(named, np.random.default_rng(0))
    >>> L2(0.5)(parameters), parameters.grad
    (2.0, array([1., 1., 1., 1., 0., 0.], dtype=float32))
    """

    strength: float
    _: KW_ONLY
    names: str | None = None

    def _add(self, w: Array, g: Array) -> float:
        return _add_l2(w, g, self.strength)


@frozen
class L1(_Penalty):
    """strength * sum(|w|), with gradient strength * sign(w), which is 0 at w = 0.

    Args and errors are those of `L2`.

    >>> from minidl.initializers import uniform
    >>> from minidl.parameters import Parameter
    >>> parameters = Parameters({"weight": Parameter((3,), uniform(-1, 1))}, np.random.default_rng(0))
    >>> parameters.value[:] = [-2, 0, 3]
    >>> L1(0.5)(parameters), parameters.grad
    (2.5, array([-0.5,  0. ,  0.5], dtype=float32))
    """

    strength: float
    _: KW_ONLY
    names: str | None = None

    def _add(self, w: Array, g: Array) -> float:
        return _add_l1(w, g, self.strength)


@frozen
class ElasticNet(_Penalty):
    """l1 * sum(|w|) + l2 * sum(w**2), with gradient l1 * sign(w) + 2 * l2 * w.

    Args and errors are those of `L2`. This is the naive elastic net of the source: the sum of the two penalties.

    Source: Zou and Hastie, "Regularization and variable selection via the elastic net", JRSS B 67 (2005).

    >>> ElasticNet(1e-4, 1e-3, names="*.weight")
    ElasticNet(l1=0.0001, l2=0.001, names='*.weight')
    """

    l1: float
    l2: float
    _: KW_ONLY
    names: str | None = None

    def _add(self, w: Array, g: Array) -> float:
        return _add_l1(w, g, self.l1) + _add_l2(w, g, self.l2)


def _add_l2(w: Array, g: Array, strength: float) -> float:
    g += (2 * strength) * w
    return strength * float(w @ w)


def _add_l1(w: Array, g: Array, strength: float) -> float:
    slope = np.sign(w)
    size = float(slope @ w)  # |w| = sign(w) w
    slope *= strength
    g += slope
    return strength * size


def _chosen(parameters: Parameters, names: str | None) -> list[tuple[Array, Array]]:
    """Pairs of flat views (value, gradient) of the numbers a regularizer works on."""
    check_parameters("a regularizer", parameters)
    if names is None:
        return [(parameters.value[parameters.decayed], parameters.grad[parameters.decayed])]
    return [(parameter.value.reshape(-1), parameter.grad.reshape(-1)) for parameter in parameters.matching(names)]
