"""The numbers of a function: every row gives its own, and the derivatives are right on the grid, off it and far out."""

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
from minidl.testing.handwritten.called import parted
from minidl.testing.handwritten.case import FunctionCheckError, FunctionRun
from minidl.testing.report import NOT_TRIED, Outcome, Properties, worst

NUMBERS = Properties()
FEW = 64  # numbers of several inputs up to which they are looked at together


@NUMBERS.property("rows independent")
def independent(run: FunctionRun) -> Outcome:
    """Each row alone gives its row of the batch, and gradients of what has no rows are sums over rows."""
    if run.rows_mix or run.seen_before:
        return NOT_TRIED
    if run.draws:
        _independent_of_random(run)
        return None
    run.of_rows.check_alone()
    return None


def _independent_of_random(run: FunctionRun) -> None:
    """From the same random numbers, another first row leaves the rows below as they are."""
    given, other = run.given, run.case.another(np.random.default_rng(run.case.seed + 1))
    for name in run.declared.rows:
        given[name][0] = other[name][0]
    if not np.array_equal(run.y[1:], run.forward(given)[1:]):
        details = "  another first row changes those below; if so meant: rows_mix=True"
        raise run.failure("rows must not depend on other rows", details)


@NUMBERS.property("derivatives on the grid")
def on_grid(run: FunctionRun) -> Outcome:
    """The derivatives where hypothesis put the inputs, kinks and ties among them."""
    # The kinks of modules inside may meet, where conventions need not add up; each can have a test of its own.
    if run.seen_before or run.called.composite:
        return NOT_TRIED
    domains = run.declared.domains
    given = {name: interior(a, domains.get(name)) for name, a in run.given.items()}
    return worst([_trial(run, given).on_grid(), _together(run, given)])


def _together(run: FunctionRun, given: dict[str, Array]) -> float | None:
    """The same of all inputs as one array: at a tie between two of them, each may get all of the gradient, not both."""
    names = [name for name in run.case.inputs if name in run.case.differentiated]
    sizes = [given[name].size for name in names]
    if len(names) < 2 or sum(sizes) > FEW:
        return None
    subject, flat = run.subject(given), np.concatenate([given[name].ravel() for name in names])

    def spread() -> None:
        for name, part in zip(names, np.split(flat, np.cumsum(sizes)[:-1]), strict=True):
            given[name][...] = part.reshape(given[name].shape)

    def forward() -> Array:
        spread()
        return subject.forward()

    def backward(dy: Array) -> dict[str, Array]:
        spread()
        gradients = subject.gradients(dy)
        return {"inputs": np.concatenate([gradients[name].ravel() for name in names])}

    def complain(wrong: Wrong, where: str) -> FunctionCheckError:
        shown_upstream = f"  upstream = {_upstream(run)}"
        details = f"  inputs are {', '.join(names)}, one after another; each gradient alone may be right at a tie"
        return run.failure(
            "the gradients of several inputs do not go together", f"{wrong}\n{details}\n{shown_upstream}"
        )

    return Trial(Subject({"inputs": flat}, forward, backward), run.dy, run.rng, complain).on_grid()


def _upstream(run: FunctionRun) -> str:
    return ", ".join(shown(part) for part in parted(run.dy, run.start(run.given).outputs))


@NUMBERS.property("derivatives off the grid")
def off_grid(run: FunctionRun) -> Outcome:
    """The derivatives at points moved off the grid, by about 1/32 and by less than 1/1024, where nothing is excused."""
    if run.seen_before:
        return NOT_TRIED
    errors = [_trial(run, run.given).off_grid(near=near) for near in (False, True)]
    if None in errors:
        details = "  a step off the grid it is not; is a domain=(low, high) needed?"
        raise run.failure("forward must be finite", details)
    return worst(errors)


@NUMBERS.property("derivatives far out")
def far_out(run: FunctionRun) -> Outcome:
    """The derivatives for inputs 8 and 40 times as large, one of them in each case, where outputs are finite."""
    if not (names := run.case.moved):
        return NOT_TRIED
    name, given = names[run.case.seed % len(names)], run.given
    far = [given | {name: np.asarray(scale * given[name])} for scale in FAR]
    return worst(_trial(run, there).off_grid() for there in far if not run.as_at_inference(there))


def _trial(run: FunctionRun, given: dict[str, Array]) -> Trial:
    subject, domains = run.subject(given), run.declared.domains

    def complain(wrong: Wrong, where: str) -> FunctionCheckError:
        words = f"  upstream = {_upstream(run)}"
        with subject.kept():
            details = in_words(wrong, _samples(run), words, where, *_not_moved(run, where))
        return run.failure(f"the gradient of {wrong.array} is wrong", details, drawn=not where)

    asked = set(run.case.differentiated)
    inputs = {name: domains.get(name) for name in run.case.inputs if name in asked}
    return Trial(subject, run.dy, run.rng, complain, inputs)


def _not_moved(run: FunctionRun, where: str) -> list[str]:
    """The inputs that are not differentiated, so that a point off the grid is told wholly."""
    names = [name for name in run.case.inputs if name not in run.case.differentiated]
    return [f"  {name} = {shown(run.case.given[name])}" for name in names] if where else []


def _samples(run: FunctionRun) -> Iterator[Sample]:
    """Analytic and numeric gradients at points with more rows, where patterns can be told apart."""
    domains, first = run.declared.domains, run.declared.rows[0]
    for rows in (2, 3, 5):
        given = run.case.another(run.rng, None if run.rows_mix else rows)
        given = {name: interior(a, domains.get(name)) if a.dtype.kind == "f" else a for name, a in given.items()}
        subject, sizes = run.subject(given), {"rows": len(given[first]), "width": given[first].shape[-1]}
        inputs = {name: domains.get(name) for name in run.case.inputs if name in subject.arrays}
        yield from Sample.off_grid(subject, run.rng, inputs, **sizes, of_rows=run.declared.rows)
