"""The derivative of anything, judged on the grid with its kinks, and off it and far out, where nothing is excused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from minidl.parameters import Array
from minidl.testing.functions.differences import Subject
from minidl.testing.functions.kinks import valid_choice
from minidl.testing.functions.points import Domain, leave_grid, shown
from minidl.testing.functions.verdict import Verdict, Wrong, judge, judge_readable

FAR = (8, 40)  # times as large


@dataclass(frozen=True)
class Trial:
    """A derivative to judge.

    Attributes:
        subject: what is differentiated, where its arrays stand.
        upstream: dL/d(output).
        rng: of the directions and moves.
        complain: what is wrong and, off the grid, the lines that say where -> the error to raise.
        inputs: the domains of those arrays that are inputs; the others are parameters.
    """

    subject: Subject
    upstream: Array
    rng: np.random.Generator
    complain: Callable[[Wrong, str], Exception]
    inputs: Mapping[str, Domain | None] = field(default_factory=dict)

    def on_grid(self) -> float:
        """The error where the arrays stand, with a valid choice at kinks and ties."""
        return self._error(judge(self.subject, self.upstream, self.rng, valid_choice), "")

    def off_grid(self, *, near: bool = False) -> float | None:
        """The error a 32nd, or if `near` less than a 1024th, off the grid; None if there is no finite output."""
        with self.subject.kept():
            if not leave_grid(self.subject, self.rng, self.inputs, near=near):
                return None
            width = min((high - low for low, high in filter(None, self.inputs.values())), default=1.0)
            verdict = (
                judge(self.subject, self.upstream, self.rng)
                if near
                else judge_readable(self.subject, self.upstream, self.rng, valid_choice, width=width)
            )
            arrays = self.subject.arrays.items()
            where = "\n".join(["  found at", *(f"  {name} = {shown(array)}" for name, array in arrays)])
            return self._error(verdict, where)

    def _error(self, verdict: Verdict, where: str) -> float:
        if verdict.wrong is not None:
            raise self.complain(verdict.wrong, where)
        return verdict.error
