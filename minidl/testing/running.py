"""How a check runs: as a hypothesis test for a test suite, at once with a report, or on one given case."""

import inspect
import sys
from collections.abc import Callable, Container, Generator, Mapping, Sequence
from contextlib import closing
from functools import update_wrapper
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import seed as hypothesis_seed
from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from minidl import profiles
from minidl.frozen import frozen
from minidl.testing.report import CheckError, Property, Report, Tally, raised
from minidl.testing.strategies import check_options, check_spelling

P = ParamSpec("P")
T = TypeVar("T")
Test: TypeAlias = Callable[..., None]

profiles.register()  # where minidl is imported from a folder, hypothesis does not know of it
PROFILES = {name: settings(**options) for name, options in profiles.PROFILES.items()}
"""name -> settings: 30 new cases each time, the same 100 every time, 10 000 new ones.

Those whose name is free are registered, so that a suite's own profiles win; "ci" is one that hypothesis brings, with
the same meaning. Choose one by `pytest --hypothesis-profile=dev`, or before tests are made by
`settings.load_profile("dev")`.
"""
COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": (HealthCheck.too_slow, HealthCheck.data_too_large),
    "report_multiple_bugs": False,
    "phases": (Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink),
}
SUSPICIOUS = 0.1  # of the error that is allowed


def _itself(case: Any, skipped: Container[Property]) -> Generator[Any, None, None]:
    yield case


@frozen
class Kind:
    """What is checked of one kind of thing.

    Attributes:
        properties: what must hold, in the order in which it is tried.
        running: the one of them that says that the thing runs at all; it fails where another could not be tried.
        error: what they raise.
        runs: the runs of a case, such as inference and training, given which properties are skipped.
    """

    properties: tuple[Property, ...]
    running: Property
    error: type[CheckError]
    runs: Callable[[Any, Container[Property]], Generator[Any, None, None]] = _itself


@frozen
class Cases:
    """The cases of one thing.

    Attributes:
        subject: its name.
        drawn: the strategy for them.
        given: `at`, as a failure prints it -> that one case.
    """

    subject: str
    drawn: SearchStrategy[Any]
    given: Callable[[Mapping[str, Any]], Any]


def as_test(kind: Kind, cases: Callable[P, Cases]) -> Callable[[Test], Callable[P, Test]]:
    """Turn a described function into one that takes what `cases` takes, and `settings`, and returns a hypothesis test.

    The test tries every property on every drawn case. Its settings are the chosen ones, or those of the profile that is
    loaded when it is made, without a deadline, as times on shared machines mean little. It takes a `self` it does not
    need, so it may be a method.
    """

    def test(of: Cases, own: Mapping[str, Any]) -> Test:
        chosen = own["settings"] or settings(**COMMON)
        made = _hypothesis_test(kind, of.drawn, chosen, Tally(kind.properties), set())
        where = sys._getframe(2)  # the call of layer_test: it is what pytest shows, and where the test stands
        placed: Any = made  # by hypothesis, as the line below the first one of a function
        lines = {"co_filename": where.f_code.co_filename, "co_firstlineno": where.f_lineno - 1}
        placed.__code__ = placed.__code__.replace(**lines)
        return made

    return lambda described: _taking(cases, described, test, Test, settings=(settings | None, None))


def at_once(kind: Kind, cases: Callable[P, Cases]) -> Callable[[Test], Callable[P, Report]]:
    """Turn a described function into one that takes what `cases` takes, `at`, `max_examples` and `raises`, and checks.

    Every property is tried on `max_examples` drawn cases, the same ones every time, or on the one case `at`. The first
    that fails is raised, on its smallest case, with the report; with `raises=False` each property is judged by itself
    and only the report is returned.
    """

    def check(of: Cases, own: Mapping[str, Any]) -> Report:
        case = None if own["at"] is None else of.given(own["at"])
        return run_now(kind, of, case, max_examples=own["max_examples"], raises=own["raises"])

    options = {"at": (Mapping[str, Any] | None, None), "max_examples": (int, 100), "raises": (bool, True)}

    def decorate(described: Test) -> Callable[P, Report]:
        checking = _taking(cases, described, check, Report, **options)
        vars(checking)["asks"] = (kind, cases)
        return checking

    return decorate


def _taking(
    cases: Callable[P, Cases],
    described: Test,
    function: Callable[[Cases, Mapping[str, Any]], T],
    returns: Any,
    **own: tuple[Any, Any],
) -> Callable[P, T]:
    """What `function` does, with the arguments of `cases` and `own` ones, by the name and docstring of `described`.

    `own` are name -> (annotation, default).
    """

    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        chosen = {name: kwargs.pop(name, default) for name, (_, default) in own.items()}
        check_options(described.__name__, chosen)
        check_spelling(described.__name__, args[0] if args else None, kwargs, {*named, *own})
        try:
            shared.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{described.__name__}: {error}") from None
        return function(cases(*args, **kwargs), chosen)

    shared = inspect.signature(cases)
    *declared, rest = shared.parameters.values()
    named = [parameter.name for parameter in declared]
    added = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, annotation=a, default=d) for n, (a, d) in own.items()]
    vars(called)["__signature__"] = shared.replace(parameters=[*declared, *added, rest], return_annotation=returns)
    return update_wrapper(called, described, assigned=("__module__", "__name__", "__qualname__", "__doc__"))


def handing_on(to: Callable[..., Cases]) -> Callable[[Callable[P, Cases]], Callable[P, Cases]]:
    """A decorator of a function that hands its last argument, `**options`, on: its signature shows what they may be."""

    def decorate(cases: Callable[P, Cases]) -> Callable[P, Cases]:
        own = inspect.signature(cases)
        *named, _ = own.parameters.values()
        theirs = [p for p in inspect.signature(to).parameters.values() if p.kind >= p.KEYWORD_ONLY]
        vars(cases)["__signature__"] = own.replace(parameters=[*named, *theirs])
        return cases

    return decorate


def given_case(at: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The entries of `at`, which must have just these names; a seed may be left out."""
    known = {"seed": 0} if "seed" in names else {}
    if not isinstance(at, Mapping) or not set(names) >= set(at) >= set(names) - set(known):
        raise ValueError(f"expected at={{...}} with {', '.join(names)}, received at={at!r}")
    return known | dict(at)


def run_now(
    kind: Kind,
    cases: Cases,
    case: Any,
    *,
    max_examples: int,
    raises: bool,
    skipped: Sequence[Property] = (),
    seed: int | None = None,
) -> Report:
    """Judge each property that is not skipped, on drawn cases or on the one given; a `seed` draws others."""
    subject, failures = cases.subject, dict[Property, CheckError]()
    tally = Tally(asked for asked in kind.properties if asked not in skipped)
    chosen = settings(max_examples=max_examples, database=None, derandomize=True, print_blob=False, **COMMON)
    while len(failures) < len(tally.runs):
        error, done = None, [*skipped, *failures]
        try:
            if case is not None:
                _judge(kind, case, tally, done)
            else:
                test = _hypothesis_test(kind, cases.drawn, chosen, tally, done)
                (test if seed is None else hypothesis_seed(seed)(test))()
        except CheckError as found:
            error = found
            vars(error).setdefault("broken", kind.running)  # a model is run to draw the targets of its outputs
            vars(error).pop("__notes__", None)  # hypothesis repeats the case there; the text ends with it
        except Flaky as flaky:
            advice = "  is there randomness from elsewhere than self.rng, or state that outlives a forward?"
            error = _of_running(kind, subject, "a case that fails once must fail again", advice)
            error.__cause__ = flaky
        except Exception as other:
            if raises:
                raise
            error = _of_running(kind, subject, "it must be possible to make one and to judge it", raised(other))
        if error is None:
            return tally.report(subject, failures, whole=True)
        failures[error.broken] = error
        if raises:
            error.report = tally.report(subject, failures, whole=False)
            raise error.with_traceback(None) from None  # the text says what was raised where
        if error.broken.first:
            return tally.report(subject, failures, whole=False)
    return tally.report(subject, failures, whole=True)


def _of_running(kind: Kind, subject: str, failed: str, details: str) -> CheckError:
    error = kind.error(subject, failed, details)
    error.broken = kind.running
    return error


def _hypothesis_test(
    kind: Kind, cases: SearchStrategy[Any], chosen: settings, tally: Tally, skipped: Container[Property]
) -> Test:
    @chosen
    @given(case=cases)
    def test(*_: Any, case: Any) -> None:
        nearness = _judge(kind, case, tally, skipped)
        if nearness > SUSPICIOUS:  # from there on the search goes towards it, which costs variety elsewhere
            target(nearness, label="worst error, relative to what is allowed")

    return test


def _judge(kind: Kind, case: Any, tally: Tally, skipped: Container[Property]) -> float:
    """Try the properties on one case; returns the worst relative error as a share of what is allowed."""
    worst = 0.0
    tally.cases += 1
    tally.parameters, tally.arrays = case.parameters, case.arrays
    with np.errstate(all="ignore"), closing(kind.runs(case, skipped)) as runs:
        for run in runs:
            for asked in [asked for asked in kind.properties if asked not in skipped]:
                try:
                    error = asked.check(run)
                except CheckError as failure:
                    failure.broken = asked if failure.ran else kind.running
                    raise failure.with_traceback(None) from None  # the text comes first, and says what was raised where
                tally.add(asked, error)
                worst = max(worst, error / asked.allowed if isinstance(error, float) else 0.0)
    return worst
