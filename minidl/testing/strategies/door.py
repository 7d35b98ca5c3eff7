"""What a check refuses before it draws anything: declarations, options and kinds that cannot be meant."""

import inspect
import math
from collections.abc import Container, Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from minidl.arguments import check_integer, short
from minidl.testing.functions import Domain
from minidl.testing.strategies.objects import AtLeast, Shape

OPTIONS = {
    "settings": "they are for a ..._test; here give max_examples",
    "max_examples": "it is for a check_...; here give settings=hypothesis.settings(max_examples=50, deadline=None)",
    "raises": "it is for a check_..., which returns a report",
    "at": "it is for a check_..., which runs the one case",
}
DECLARED = (
    *("shape", "rows_mix", "stochastic", "random_inference", "domain", "integers", "jumps", "targets", "regularizers"),
    *("cache", "constants"),
    *("reference", "whole_vector", "whole_parameters", "spares_biases", "fit"),
)


def check_shape(shape: Shape) -> None:
    """Refuse a shape that is not a tuple of names, strategies and sizes of at least 1."""
    fine = isinstance(shape, tuple | list) and all(
        isinstance(size, str | AtLeast | st.SearchStrategy)
        or (isinstance(size, int) and not isinstance(size, bool) and size >= 1)
        for size in shape
    )
    if not fine or not shape:
        raise ValueError(
            'expected shape to be a tuple such as ("n", "features"), ("n", 4) or ("n", at_least(3)), '
            f"received shape={shape!r}"
        )


def check_domain(domain: Domain | None) -> None:
    """Refuse a domain that is not a pair of finite numbers in order."""
    if domain is None:
        return
    fine = isinstance(domain, tuple | list) and len(domain) == 2 and all(isinstance(end, int | float) for end in domain)
    if not fine or not -1e9 <= domain[0] < domain[1] <= 1e9:
        raise ValueError(f"expected domain=(low, high) with low < high, both within 1e9, received domain={domain!r}")


def check_jumps(jumps: tuple[float, ...]) -> None:
    """Refuse jumps that are no tuple of finite numbers."""
    fine = isinstance(jumps, tuple | list) and all(
        isinstance(at, int | float) and not isinstance(at, bool) and math.isfinite(at) for at in jumps
    )
    if not fine:
        raise ValueError(f"expected jumps to be a tuple of finite numbers such as (0.0,), received jumps={jumps!r}")


def check_options(call: str, chosen: Mapping[str, Any]) -> None:
    """Refuse a value that an option of a call cannot have."""
    own = chosen.get("settings")
    if own is not None and not isinstance(own, settings):
        advice = "write hypothesis.settings(max_examples=50, deadline=None); a profile is loaded by its name"
        raise TypeError(
            f"{call}: expected settings to be hypothesis settings, received settings={short(own)}: {advice}"
        )
    if "max_examples" in chosen:
        check_integer("max_examples", chosen["max_examples"], minimum=1)
    if not isinstance(chosen.get("raises", True), bool):
        raise TypeError(f"{call}: expected raises to be True or False, received raises={short(chosen['raises'])}")


def check_spelling(call: str, thing: Any, given: Mapping[str, Any], known: Container[str]) -> None:
    """Refuse an option of the other call of a kind, and one that is nearly spelt as one, unless `thing` takes it."""
    with suppress(TypeError, ValueError):
        if callable(thing) and (taken := inspect.signature(thing).parameters):
            given = {name: value for name, value in given.items() if name not in taken}
    names = [name for name in (*DECLARED, *OPTIONS) if name in known]
    for name, value in given.items():
        if name in OPTIONS and name not in known:
            raise TypeError(f"{call}: expected no {name}, received {name}={short(value)}: {OPTIONS[name]}")
        if name not in known and (close := get_close_matches(name, names, n=1, cutoff=0.8)):
            advice = f"did you mean {close[0]!r}?"
            raise TypeError(f"{call}: expected a known option, received {name}={short(value)}: {advice}")


def check_kind(made: Any, kind: type) -> None:
    """Refuse an object of another kind than the check is for."""
    if not isinstance(made, kind):
        name = kind.__name__
        advice = f"derive from {name}, or give a function that returns one"
        raise TypeError(f"expected one {name}, its class or a factory, received {short(made)}: {advice}")
