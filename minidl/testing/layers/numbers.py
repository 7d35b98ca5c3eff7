"""The numbers of a layer: every row gives its own, and the derivatives are right on the grid, off it and far out."""

from collections.abc import Iterator

import numpy as np

from minidl.parameters import Array
from minidl.testing.functions import (
    FAR,
    Sample,
    Subject,
    Trial,
    Wrong,
    in_words,
    interior,
    shown,
)
from minidl.testing.layers.advice import on_domain
from minidl.testing.layers.case import LayerCheckError, LayerRun, other_input
from minidl.testing.report import NOT_TRIED, Outcome, Properties, worst

NUMBERS = Properties()


@NUMBERS.property("rows independent")
def independent(run: LayerRun) -> Outcome:
    """Each row alone gives its row of the batch, and parameter gradients are sums over rows."""
    if run.rows_mix or run.seen_before:
        return NOT_TRIED
    if run.draws:
        _independent_of_random(run)
        return None
    run.of_rows.check_alone()
    return None


def _independent_of_random(run: LayerRun) -> None:
    """From the same random numbers, another first row leaves the rows below as they are."""
    x, before = run.x, run.forward(run.x)
    streams = repr(run.streams_now())
    x[0] = other_input(run)[0]
    after = run.forward(x)
    if repr(run.streams_now()) == streams and not np.array_equal(before[1:], after[1:]):
        details = "  another first row changes those below; if so meant: rows_mix=True"
        raise run.failure("rows must not depend on other rows", details)


@NUMBERS.property("derivatives on the grid")
def on_grid(run: LayerRun) -> Outcome:
    """The derivatives where hypothesis put the input, kinks and ties among them."""
    # The kinks of layers inside may meet, where conventions need not add up; each has a test of its own.
    if run.seen_before or run.layer.children():
        return NOT_TRIED
    return _trial(run, interior(run.x, run.declared.domain)).on_grid()


@NUMBERS.property("derivatives off the grid")
def off_grid(run: LayerRun) -> Outcome:
    """The derivatives at points moved off the grid, by about 1/32 and by less than 1/1024, where nothing is excused."""
    if run.seen_before:
        return NOT_TRIED
    errors = [_trial(run, run.x).off_grid(near=near) for near in (False, True)]
    if None in errors:
        raise run.failure(
            "forward must be finite", f"  a step off the grid it is not: {on_domain(run.declared.domain)}"
        )
    return worst(errors)


@NUMBERS.property("derivatives far out")
def far_out(run: LayerRun) -> Outcome:
    """The derivatives for inputs 8 and 40 times as large, where outputs are finite."""
    if run.declared.bounded:
        return NOT_TRIED
    return worst(_trial(run, scale * run.x).off_grid() for scale in FAR if not run.as_at_inference(scale * run.x))


def _trial(run: LayerRun, x: Array) -> Trial:
    subject = run.subject(x)

    def complain(wrong: Wrong, where: str) -> LayerCheckError:
        closer = _look_closer(run, subject)
        with subject.kept():
            details = in_words(wrong, _samples(run), f"  upstream = {shown(run.dy)}", where)
        return run.failure(f"the gradient of {wrong.array} is wrong", details, drawn=not where, closer=closer)

    return Trial(subject, run.dy, run.rng, complain, {"x": run.declared.domain})


def _look_closer(run: LayerRun, subject: Subject) -> str:
    """The call that shows the gradients where they are wrong, element by element, unless there is more to set up."""
    numbers = sum(array.size for array in subject.arrays.values())
    if run.declared.integers or run.states or run.draws or numbers + run.dy.size > 64:
        return ""
    values = {name: array.tolist() for name, array in subject.arrays.items() if name != "x"}
    given = f", values={values}" if values else ""
    training = ", training=True" if run.training else ""
    x, upstream = subject.arrays["x"].tolist(), run.dy.tolist()
    return f"explain({run.case.fresh!r}, {x}, upstream={upstream}{given}{training})"


def _samples(run: LayerRun) -> Iterator[Sample]:
    """Analytic and numeric gradients at points with more rows, where patterns can be told apart."""
    domain = run.declared.domain
    for rows in (2, 3, 5):
        x = run.declared.another((rows, *run.case.x.shape[1:]), run.rng)
        subject = run.subject(x if run.declared.integers else interior(x, domain))
        yield from Sample.off_grid(subject, run.rng, {"x": domain}, rows=rows, width=x.shape[-1])
