"""L-BFGS: Newton's step from the newest changes of the gradient, with a line search; for full batches."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.arguments import check_integer
from minidl.optim.base import Clip, Optimizer, cost_of
from minidl.optim.schedules import LearningRate
from minidl.parameters import Array
from minidl.quiet import quiet
from minidl.store import Parameters

DECREASE = 1e-4  # of the slope times the length: what a step must at least win
TRIALS = 40  # of one line search, each half as long as the one before


class LBFGS(Optimizer):
    """w <- w - t H g, where H is made of the newest `memory` pairs s = w_after - w_before, y = g_after - g_before.

    H is the inverse Hessian of the BFGS formula that starts from (s y / y y) I of the newest pair, and without pairs
    I min(1, 1 / sum |g|). A pair enters where s y > eps |s| |y| with the eps of the dtype, so H is positive definite.
    The length t is the first of lr, lr / 2, lr / 4, ... with cost(w + t d) <= cost(w) + 1e-4 t g d for d = -H g
    (Armijo's condition): no step raises the cost. Where 40 lengths do not lower it, or it is flat, w stays and the
    pairs are dropped; so it rests at a minimum.

    It looks at the cost of the same batch several times, so it is used through `minimize`, as the `Trainer` does:
    `fit(..., batch_size=len(train))`, where one epoch is one step. The cost must be a function of the values alone, so
    layers that draw do not go with it. A batch may also be a large part of the data: a pair is of one batch.

    Args:
        lr: the first length that is tried, a number >= 0 or a function of the step; 1 is Newton's.
        memory: pairs that are kept, >= 1: twice as many vectors as long as the model.
        clip: edits every gradient that is looked at.

    Raises:
        ValueError: a bad argument.

    Source: Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", Mathematical Programming
    45, 1989; Nocedal and Wright, "Numerical optimization", 2006, algorithms 3.1, 7.4 and 7.5.

    >>> from minidl.initializers import ones
    >>> from minidl import Parameter, Parameters
    >>> parameters = Parameters({"weight": Parameter((2,), ones)}, np.random.default_rng(0), dtype=np.float64)
    >>> def cost():
    ...     parameters.grad[:] = parameters.value * [1.0, 10.0]
    ...     return float(parameters.value @ parameters.grad) / 2
    >>> optimizer = LBFGS()
    >>> [round(optimizer.minimize(cost, parameters), 4) for _ in range(7)]
    [5.5, 0.4545, 0.327, 0.204, 0.0408, 0.0, 0.0]
    """

    _habits = Optimizer._habits | {
        "max_iter max_eval": "one call of minimize is one step with one line search: epochs of fit says how many",
        "history_size": "memory says how many pairs are kept",
        "line_search_fn": "the line search halves lr until the cost falls enough",
    }

    def __init__(self, lr: LearningRate = 1.0, *, memory: int = 10, clip: Clip | None = None) -> None:
        super().__init__(lr, clip=clip)
        self.memory = check_integer("memory", memory, minimum=1)
        self.slot_names = tuple(f"{kind}_{age}" for age in range(self.memory) for kind in ("s", "y"))  # 0 is the newest

    def step(self, parameters: Any) -> None:
        """Refuse: one gradient is not enough.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "expected LBFGS.minimize(cost, parameters) with a function cost() that sets the gradient and returns the "
            "cost, received a call of step, which knows one point only: call minimize, or train with a Trainer"
        )

    @quiet
    def minimize(self, cost: Callable[[], float], parameters: Parameters) -> float:
        """Take one step on a cost, and return what it was before the step; `step` says what `cost` is.

        Where a point has no finite cost, or `cost` raises an `ArithmeticError` there, it counts as too far. Afterwards
        the gradient is that of the new values.

        Raises:
            ArithmeticError: the cost is not finite where the step begins.
        """
        lr = self.learning_rate
        self.meet(parameters)
        began = cost_of(cost)
        if not math.isfinite(began):
            raise ArithmeticError(f"expected a finite cost at step {self.steps + 1}, received {began}: nothing moved")
        self.clip_gradient(parameters)
        w, g = parameters.value.copy(), parameters.grad.copy()
        d, slope = self._direction(g)
        moved = False
        try:
            moved = self._search(cost, parameters, (w, d), began, slope, lr)
        finally:  # nor does an error leave the values of a point that was only tried
            if not moved:
                parameters.value[...], parameters.grad[...] = w, g
        if moved:
            self._remember(np.subtract(parameters.value, w, out=w), np.subtract(parameters.grad, g, out=g))
        else:
            self._forget()
        self.steps += 1
        return began

    def _direction(self, g: Array) -> tuple[Array, float]:
        """d = -H g by two loops over the pairs, and its slope g d."""
        pairs = [(self.slots[f"s_{age}"], self.slots[f"y_{age}"]) for age in range(self.memory)]
        pairs = [(s, y) for s, y in pairs if s @ y > 0]  # the others are still zeros
        d, shares = -g, []
        for s, y in pairs:
            shares.append(float(s @ d) / float(s @ y))
            d -= shares[-1] * y
        if pairs:
            s, y = pairs[0]
            d *= float(s @ y) / float(y @ y)
        else:
            d *= min(1.0, 1 / (float(np.abs(g).sum()) or 1.0))
        for (s, y), share in zip(reversed(pairs), reversed(shares), strict=True):
            d += (share - float(y @ d) / float(s @ y)) * s
        return d, float(g @ d)

    def _search(
        self,
        cost: Callable[[], float],
        parameters: Parameters,
        ray: tuple[Array, Array],
        began: float,
        slope: float,
        length: float,
    ) -> bool:
        """Move along the ray (w, d) by the first length that lowers the cost enough; False where none does."""
        if not -math.inf < slope < 0:
            return False
        w, d = ray
        for _ in range(TRIALS):
            np.multiply(d, length, out=parameters.value)
            parameters.value += w
            try:
                reached = cost_of(cost)
            except ArithmeticError:
                reached = math.inf
            if reached <= began + DECREASE * length * slope:
                self.clip_gradient(parameters)
                return True
            length /= 2
        return False

    def _remember(self, s: Array, y: Array) -> None:
        """Take in a pair along which the cost is convex; the oldest goes."""
        bound = float(np.finfo(s.dtype).eps) * math.sqrt(float(s @ s) * float(y @ y))
        if not bound < float(s @ y) < math.inf:
            return
        for age in range(self.memory - 1, 0, -1):
            for kind in ("s", "y"):
                self.slots[f"{kind}_{age}"] = self.slots[f"{kind}_{age - 1}"]
        self.slots["s_0"], self.slots["y_0"] = s, y

    def _forget(self) -> None:
        for name in self.slots:
            self.slots[name] = np.zeros_like(self.slots[name])
