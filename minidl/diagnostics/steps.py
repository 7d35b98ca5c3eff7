"""One training step in full: every array between the input and the new weights, with its shape and formula."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from minidl.data.dataset import Dataset
from minidl.diagnostics.copies import copy_of, first_rows
from minidl.frozen import frozen
from minidl.layers.base import Layer
from minidl.layers.sequential import Sequential
from minidl.layers.tracing import Call, traced
from minidl.parameters import Array
from minidl.storage import replacing
from minidl.training.door import Data, penalty_of
from minidl.training.trainer import Trainer

HEAD = ("stage", "name", "shape", "numbers", "formula")
CUT = re.compile(r": \(|; |, any |, fused|\.$")  # where a formula ends, and words begin
WIDE = 66  # characters of a formula in a line
FEW = 3  # numbers of an array in a line
ACROSS, DOWN = 12, 16  # of an array on a page


@frozen
class Line:
    """One array of a step.

    Attributes:
        stage: "input", "forward", "loss", "backward", "gradient" or "update".
        name: such as "1.y", which is the output of layer 1.
        formula: how it comes about.
        array: its numbers.
    """

    stage: str
    name: str
    formula: str
    array: Array


class StepExplanation(Mapping[str, Array]):
    """Every array of one step by name, in the order in which it comes about; prints as a table.

    Names: "x", "targets"; "<layer>.y" and "<layer>.dy", the output of a layer and the gradient it is given; "loss",
    "penalty"; "<parameter>", "<parameter>.grad" and "<parameter>.new" with names such as "0.weight"; and
    "<parameter>.clipped" where the optimizer clips.

    Attributes:
        lines: one for each array.
    """

    def __init__(self, lines: list[Line]) -> None:
        self.lines = tuple(lines)
        self._arrays = {line.name: line.array for line in lines}

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __str__(self) -> str:
        """A line for each array, with its first numbers."""
        rows = [HEAD, *(_row(line) for line in self.lines)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD) - 1)]
        padded = [[cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)] for row in rows]
        return "\n".join("  ".join(row).rstrip() for row in padded)

    def _repr_html_(self) -> str:
        """The table for notebooks: a click on a shape shows the numbers, the first 16 rows of 12."""
        from html import escape

        head = "".join(f"<th>{name}</th>" for name in ("stage", "name", "formula", "shape: numbers"))
        lines = [f"<tr>{head}</tr>"]
        for line in self.lines:
            stage, name, shape, _, _ = map(escape, _row(line))
            formula = escape(line.formula)
            numbers = f"<details><summary>{shape}</summary><pre>{escape(_numbers(line.array))}</pre></details>"
            lines.append(f"<tr><td>{stage}</td><td>{name}</td><td>{formula}</td><td>{numbers}</td></tr>")
        return "\n".join(["<table>", *lines, "</table>"])

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the table as a page of its own, which needs nothing else."""
        with replacing(path) as file:
            file.write(f"{HEADER}\n{self._repr_html_()}\n".encode())


HEADER = """<!doctype html>
<meta charset="utf-8">
<title>One training step</title>
<style>
body { font: 15px sans-serif; margin: 2em } table { border-collapse: collapse }
td, th { border-bottom: 1px solid #ccc; padding: .3em .8em; text-align: left; vertical-align: top }
summary { cursor: pointer }
</style>"""


def explain_step(trainer: Trainer, batch: Data) -> StepExplanation:
    """Take one step on a copy of the trainer, and return every array of it, with formulas.

    The trainer, its model and its optimizer stay as they are, also the random numbers of dropout. The step is the five
    statements of training: scores, loss, backward, penalties, update.

    Args:
        trainer: trained or not; its optimizer is where it is.
        batch: a Dataset or a tuple (x, targets); a few rows are easiest to read.

    Raises:
        TypeError, ValueError: no trainer or no batch.

    >>> from minidl import SGD, Linear, MeanSquaredError, Sequential, Trainer
    >>> trainer = Trainer(Sequential(Linear(2, 1)).build(seed=0), MeanSquaredError(), SGD(0.1))
    >>> step = explain_step(trainer, (np.float32([[1, 2]]), np.float32([[3]])))
    >>> [line.name for line in step.lines]  # doctest: +NORMALIZE_WHITESPACE
    ['x', 'targets', '0.weight', '0.bias', '0.y', 'loss', '0.dy', '0.weight.grad', '0.bias.grad', '0.weight.new',
     '0.bias.new']
    >>> bool(np.allclose(step["0.weight.new"], step["0.weight"] - 0.1 * step["0.weight.grad"]))
    True
    """
    trial = copy_of(trainer)
    model, data = trial.model, first_rows("batch", batch, 1 << 62, trial.model.parameters.dtype)
    before = {name: parameter.value.copy() for name, parameter in model.parameters.named.items()}
    calls, loss, penalty, gradients = _taken(trial, data)
    lines = [Line("input", "x", "the rows of the batch", data.x)]
    lines.append(Line("input", "targets", "what the scores are held against", np.asarray(data.targets)))
    for call in calls:
        lines += [Line("forward", name, _meaning(name), before[name]) for name in _own(call, before)]
        lines.append(Line("forward", _named(call, "y"), _formula(call.layer), call.y))
    lines.append(Line("loss", "loss", _formula(trial.loss), np.array(loss)))
    if trial.regularizers:
        lines.append(Line("loss", "penalty", " + ".join(map(repr, trial.regularizers)), np.array(penalty)))
    return StepExplanation([*lines, *_way_back(trial, calls, gradients)])


def _taken(trial: Trainer, data: Dataset) -> tuple[list[Call], float, float, dict[str, Array]]:
    """Take the step: calls of layers, but Sequential, which only hands on; loss, penalty, gradients before any clip."""
    parameters, looked = trial.model.parameters, list[tuple[float, float, dict[str, Array]]]()

    def cost() -> float:
        loss, penalty = trial.loss_and_gradient(data.x, data.targets, data.weights), 0.0
        for regularize in trial.regularizers:
            penalty += penalty_of(regularize, parameters)
        looked.append((loss, penalty, {name: parameter.grad.copy() for name, parameter in parameters.named.items()}))
        return loss + penalty

    with trial.model.train_mode(), traced(trial.model) as calls:
        trial.optimizer.minimize(cost, parameters)
    first = next(place for place, call in enumerate(calls) if call.layer is trial.model)  # some rules look again
    return [call for call in calls[: first + 1] if not isinstance(call.layer, Sequential)], *looked[0]


def _way_back(trial: Trainer, calls: list[Call], gradients: Mapping[str, Array]) -> list[Line]:
    """Gradients of layers and parameters from the last layer to the first, and what the optimizer makes of them."""
    lines, named = [], trial.model.parameters.named
    for call in reversed(calls):
        if call.dy is not None:
            lines.append(
                Line(
                    "backward",
                    _named(call, "dy"),
                    f"dL/dy of {f'layer {call.path}' if call.path else 'the model'}",
                    call.dy,
                )
            )
        for name in _own(call, named):
            plus = " + that of the penalty" if trial.regularizers and named[name].decay else ""
            if not named[name].frozen:
                lines.append(Line("gradient", f"{name}.grad", f"dL/d({name}){plus}", gradients[name]))
    moved = {name: parameter for name, parameter in named.items() if not parameter.frozen}
    clip = trial.optimizer.clip
    if clip is not None:
        lines += [Line("update", f"{name}.clipped", repr(clip), p.grad.copy()) for name, p in moved.items()]
    rule = f"lr = {_rate(trial):.6g}, {_formula(trial.optimizer)}"
    return [*lines, *(Line("update", f"{name}.new", rule, p.value.copy()) for name, p in moved.items())]


def _own(call: Call, names: Iterable[str]) -> list[str]:
    """The parameters of a layer, by their names in the model."""
    return [name for name in names if name.rpartition(".")[0] == call.path]


def _named(call: Call, what: str) -> str:
    return f"{call.path}.{what}" if call.path else what


def _rate(trial: Trainer) -> float:
    """The learning rate of the newest step."""
    optimizer = trial.optimizer
    rate = optimizer.lr(optimizer.steps - 1) if callable(optimizer.lr) else optimizer.lr
    return float(rate) * optimizer.lr_scale


def _meaning(name: str) -> str:
    return f"the {name.rpartition('.')[2]} before the step"


def _formula(thing: Layer | Any) -> str:
    """The first sentence of the docstring, which holds the formula, behind the name of the class."""
    first = (type(thing).__doc__ or "").strip().partition("\n")[0]
    return f"{type(thing).__name__}: {first}" if first else repr(thing)


def _row(line: Line) -> tuple[str, ...]:
    flat = line.array.reshape(-1)
    numbers = ", ".join(f"{value:.4g}" for value in flat[:FEW].tolist()) + (", ..." if flat.size > FEW else "")
    shape = str(line.array.shape) if line.array.ndim else "a number"
    return line.stage, line.name, shape, numbers, _shortened(line.formula)


def _shortened(formula: str) -> str:
    """The formula without the words behind it, in a line of a table."""
    first = CUT.split(formula)[0]
    return first if len(first) <= WIDE else f"{first[:WIDE].rpartition(' ')[0]} ..."


def _numbers(array: Array) -> str:
    """The corner of an array, as a matrix; of images and sequences that of the first row."""
    with np.printoptions(precision=4, suppress=False, linewidth=200, threshold=ACROSS * DOWN * 4):
        shown = array[(0,) * max(array.ndim - 2, 0)]
        corner = shown[:DOWN, :ACROSS] if shown.ndim == 2 else shown[: ACROSS * DOWN] if shown.ndim else shown
        left = "" if corner.size == array.size else f"\n({corner.size} of {array.size} numbers)"
        return f"{corner}{left}"
