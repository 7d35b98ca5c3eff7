"""explain: the gradient of a layer or loss beside differences of its forward pass, element by element."""

import copy
from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import short, suggest
from minidl.frozen import frozen
from minidl.layers.base import Layer
from minidl.layers.losses.base import Loss
from minidl.parameters import Array
from minidl.testing.functions import Probe, Subject, units, valid_choice
from minidl.testing.layers.case import Declared, LayerCase, LayerRun

SHOWN = 60  # rows of a printed table; agreeing ones are left out beyond


@frozen
class Row:
    """One element of one array.

    Attributes:
        element: such as "x[0, 1]".
        value: what stands there.
        analytic: what backward says.
        numeric: the central difference of the forward pass.
        left: the difference to the left.
        right: the difference to the right; where it stays apart from `left` there is a kink.
        verdict: "ok", "kink" for a valid choice where there is no derivative, or "WRONG".
    """

    element: str
    value: float
    analytic: float
    numeric: float
    left: float
    right: float
    verdict: str


@frozen
class Explanation:
    """A table of gradients: `rows` are the data, `str` is the table, `agrees` whether nothing is wrong."""

    subject: str
    output: Array
    upstream: Array
    rows: tuple[Row, ...]

    @property
    def agrees(self) -> bool:
        """Whether backward is right for every element."""
        return all(row.verdict != "WRONG" for row in self.rows)

    def __str__(self) -> str:
        chosen = [row for row in self.rows if row.verdict != "ok"] if len(self.rows) > SHOWN else list(self.rows)
        chosen = chosen[:SHOWN]
        width = max([len(row.element) for row in chosen], default=7) + 2
        heads = ("value", "backward", "differences", "left", "right")
        lines = [
            f"{self.subject}, L = sum(upstream * output)",
            f"output   = {np.array2string(self.output, precision=6, threshold=40)}",
            f"upstream = {np.array2string(self.upstream, precision=6, threshold=40)}",
            " " * width + "".join(f"{head:>14}" for head in heads),
        ]
        for row in chosen:
            numbers = [f"{n:>14.6g}" for n in (row.value, row.analytic, row.numeric)]
            numbers += [f"{n:>14.5g}" for n in (row.left, row.right)]
            lines.append(f"{row.element:<{width}}{''.join(numbers)}  {row.verdict}")
        if left_out := len(self.rows) - len(chosen):
            lines.append(f"... and {left_out} more")
        return "\n".join(lines)

    __repr__ = __str__


def explain(
    thing: Layer | Loss,
    x: ArrayLike,
    targets: ArrayLike | None = None,
    *,
    upstream: ArrayLike | None = None,
    values: Mapping[str, ArrayLike] | None = None,
    training: bool = False,
    integers: bool = False,
) -> Explanation:
    """What backward says beside what differences of forward say, for every element of x and of every parameter.

    Nothing is drawn and no hypothesis runs, so this is for looking, in a notebook or at a case a check has found. The
    thing is left as it is: a copy is looked at, in float64, with its parameters as they stand, or built with seed 0.

    Args:
        thing: a layer or model, or a loss.
        x: the input, or the scores of a loss.
        targets: for a loss, what its `forward` takes.
        upstream: dL/d(output), in the shape of the output. None: 1, 2, 3, ..., so that nothing cancels.
        values: name -> value of parameters that shall have another one, as in a failure that a check printed.
        training: look at the layer in training mode.
        integers: x holds whole numbers, as for an embedding, and is not differentiated.

    Raises:
        TypeError: neither a layer nor a loss with its targets.
        ValueError: an upstream of another shape than the output, an unknown name or a misshapen value in `values`.

    >>> from minidl.layers import ReLU
    >>> explain(ReLU(), [[-1.0, 0.0, 2.0]])
    ReLU, L = sum(upstream * output)
    output   = [[0. 0. 2.]]
    upstream = [[1. 2. 3.]]
                      value      backward   differences          left         right
    x[0, 0]              -1             0             0             0             0  ok
    x[0, 1]               0             0             1             0             2  kink
    x[0, 2]               2             3             3             3             3  ok
    """
    if isinstance(thing, Loss) and targets is not None:
        subject = _of_loss(copy.deepcopy(thing), np.array(x, np.float64), np.asarray(targets))
    elif isinstance(thing, Layer) and targets is None:
        layer, given = copy.deepcopy(thing), np.array(x, np.int64 if integers else np.float64)
        subject = _of_layer(layer, given, values or {}, training=training)
    else:
        raise TypeError(f"expected explain(layer, x) or explain(loss, scores, targets), received {short(thing)}")
    with np.errstate(all="ignore"):
        output = subject.forward()
        count = np.arange(1.0, output.size + 1).reshape(output.shape)
        dy = np.asarray(upstream, np.float64) if upstream is not None else count
        if dy.shape != output.shape:
            raise ValueError(f"expected upstream of shape {output.shape}, that of the output, received {dy.shape}")
        rows = tuple(_rows(subject, dy))
    return Explanation(type(thing).__name__, output, dy, rows)


def _of_layer(layer: Layer, x: Array, given: Mapping[str, ArrayLike], *, training: bool) -> Subject:
    values = {name: p.value.astype(np.float64) for name, p in layer.named_parameters().items() if p.built}
    states = {name: s.value.astype(np.float64) for name, s in layer.named_states().items() if s.built}
    layer.build(seed=0, dtype=np.float64)
    for name, value in (values | dict(given)).items():
        if name not in layer.parameters.named:
            raise ValueError(f"no parameter {name!r} to give a value; {suggest(name, layer.parameters.named)}")
        layer.parameters.named[name].value = np.asarray(value, np.float64)
    for name, value in states.items():
        layer.parameters.states[name].value = value
    for inner in layer.layers_inside():
        inner.training = training
    declared = Declared(integers=(0, 1) if x.dtype.kind != "f" else None)
    return LayerRun(LayerCase(layer, copy.deepcopy(layer), x, 0, declared)).subject(x)


def _of_loss(loss: Loss, scores: Array, targets: Array) -> Subject:
    value = partial(loss.forward, scores, targets)
    return Subject.of_number({"scores": scores}, value, lambda: {"scores": loss.backward()})


def _rows(subject: Subject, upstream: Array) -> Iterator[Row]:
    for name, analytic in subject.gradients(upstream).items():
        probe, rng = Probe(subject, name, upstream), np.random.default_rng(0)
        for index, unit in units(analytic):
            slope, look = float(analytic[index]), probe.look(unit, 0)
            verdict = "ok"
            if probe.error(unit, slope, abs(slope)) is None:
                verdict = "kink" if valid_choice(probe, unit.astype(bool), rng) else "WRONG"
            element, value = f"{name}[{', '.join(map(str, index))}]", float(subject.arrays[name][index])
            yield Row(element, value, slope, look.slope, look.left, look.right, verdict)
