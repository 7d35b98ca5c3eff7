"""How the inputs of a function are declared, drawn, and given again."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Self, TypeAlias

import numpy as np
from hypothesis import strategies as st

from minidl.arguments import short, suggest
from minidl.frozen import frozen
from minidl.parameters import Array
from minidl.testing.functions import GRID, WAYS, Domain, moved
from minidl.testing.handwritten.called import Called, How
from minidl.testing.handwritten.case import Declared, FunctionCase
from minidl.testing.running import Cases, given_case
from minidl.testing.strategies import (
    SEEDS,
    Shape,
    check_domain,
    check_jumps,
    check_shape,
    draw_object,
    grid_arrays,
    make_object,
    whole_numbers,
)

Shapes: TypeAlias = Shape | Mapping[str, Shape]
Domains: TypeAlias = Domain | Mapping[str, Domain] | None
Range: TypeAlias = tuple[int, int | str]
Integers: TypeAlias = Range | Mapping[str, Range] | None


NO_SIZES: Mapping[str, Any] = MappingProxyType({})


@frozen
class Asked:
    """What is declared of a function, as it is written in the call."""

    shape: Shapes
    rows_mix: bool | str = False
    stochastic: bool = False
    domain: Domains = None
    integers: Integers = None
    constants: tuple[str, ...] = ()
    jumps: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if isinstance(self.shape, Mapping) and not self.shape:
            raise ValueError("expected shape to have an entry for each input, received shape={}")
        for place, one in enumerate(self.shapes.values()):
            if place == 0 or one != ():  # what has no rows may be a single number
                check_shape(one)
        for domain in self._by_name("domain", self.domain).values():
            check_domain(domain)
        self._by_name("integers", self.integers)
        check_jumps(self.jumps)
        if not isinstance(self.constants, tuple | list):
            raise TypeError(f"expected constants to be a tuple of names, received constants={short(self.constants)}")
        self._check_names("constants", self.constants)
        if self.rows_mix not in (False, True, "training"):
            raise ValueError(f"expected rows_mix to be True, False or 'training', received {short(self.rows_mix)}")
        if not isinstance(self.stochastic, bool):
            raise TypeError(f"expected stochastic to be True or False, received stochastic={short(self.stochastic)}")

    def of_function(self) -> Self:
        """The same, refused where no input is differentiated: a function has no parameters of its own."""
        if not set(self.shapes) - set(self.constants) - set(self._by_name("integers", self.integers)):
            raise ValueError("expected an input that is differentiated, received whole numbers and constants only")
        return self

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shape of each input by its name; a single one is x."""
        return dict(self.shape) if isinstance(self.shape, Mapping) else {"x": self.shape}

    @property
    def sizes(self) -> list[str]:
        """The names of sizes in all shapes."""
        return [size for shape in self.shapes.values() for size in shape if isinstance(size, str)]

    def _check_names(self, option: str, names: Any) -> None:
        for name in names:
            if name not in self.shapes:
                raise ValueError(f"expected {option} of inputs, received {name!r}: {suggest(name, self.shapes)}")

    def _by_name(self, option: str, value: Any) -> dict[str, Any]:
        """An option for each input it is given for; one that is given once is that of the only or of every input."""
        if value is None:
            return {}
        if isinstance(value, Mapping):
            self._check_names(option, value)
            return dict(value)
        if option == "integers" and len(self.shapes) > 1:
            raise ValueError(f"expected integers={{name: (low, high)}} where inputs are several, received {value!r}")
        return dict.fromkeys(self.shapes, value)

    def declared(self, sizes: Mapping[str, Any]) -> Declared:
        """The same for one case, of which the sizes and arguments are known."""
        first, *others = self.shapes
        n = self.shapes[first][0]
        rows = (first, *(name for name in others if isinstance(n, str) and tuple(self.shapes[name][:1]) == (n,)))
        integers = {name: _range(name, ends, sizes) for name, ends in self._by_name("integers", self.integers).items()}
        domains = self._by_name("domain", self.domain)
        return Declared(
            rows, self.rows_mix, self.stochastic, domains, integers, tuple(self.constants), tuple(self.jumps)
        )

    def __str__(self) -> str:
        given = {name: value for name, value in vars(self).items() if name != "shape"}
        return "".join(f", {name}={value!r}" for name, value in given.items() if value not in (None, False, ()))


def _range(name: str, ends: Any, sizes: Mapping[str, Any]) -> tuple[int, int]:
    if not isinstance(ends, tuple | list) or len(ends) != 2:
        raise ValueError(f"expected integers of {name} to be (low, high), from low to high - 1, received {ends!r}")
    low, high = ends
    if isinstance(high, str) and high not in sizes:
        raise ValueError(f"expected integers of {name} up to a number or one of {sorted(sizes)}, received {high!r}")
    top = sizes[high] if isinstance(high, str) else high
    if not low < top:
        raise ValueError(f"expected integers of {name} to be (low, high) with low < high, received ({low}, {top})")
    return low, top


def function_cases_of(
    asked: Asked,
    thing: Any,
    arguments: Mapping[str, Any],
    called: Callable[[Any, Mapping[str, Any]], tuple[Called, str, str]],
    subject: str,
    sizes: Mapping[str, Any] = NO_SIZES,
) -> Cases:
    """The cases of a function: sizes are drawn, then arguments, then the inputs, so that hypothesis shrinks each.

    Args:
        asked: what is declared.
        thing: what is made of the arguments for every case, such as a class; see `draw_object`.
        arguments: values or strategies.
        called: what was made and the arguments drawn -> the function, and how its call begins and ends.
        subject: its name.
        sizes: strategies for sizes that have none among the arguments.
    """
    shapes = asked.shapes

    def case(made: Any, used: Mapping[str, Any], known: Mapping[str, Any], inputs: Any, seed: int) -> FunctionCase:
        function, begins, ends = called(made, used)
        declared = asked.declared(known)
        call = (f"{begins}, shape={asked.shape!r}", f"{asked}{ends}")
        parameters = {name: np.array(value) for name, value in function.parameters.items()}
        return _moved(FunctionCase(function, inputs | parameters, seed, declared, call, subject))

    @st.composite
    def drawn(draw: st.DrawFn) -> FunctionCase:
        whole = tuple(size for shape in shapes.values() for size in shape)
        made, parts, used = draw_object(draw, thing, whole, {**sizes, **arguments})
        declared, inputs = asked.declared(used), dict[str, Array]()
        for name, shape in shapes.items():
            own, parts = parts[: len(shape)], parts[len(shape) :]
            if name in declared.integers:
                inputs[name] = draw(whole_numbers(own, *declared.integers[name]), label=name)
            else:
                inputs[name] = draw(grid_arrays(own, domain=declared.domains.get(name) or GRID), label=name)
        return case(made, used, used, inputs, draw(SEEDS))

    def given(at: Mapping[str, Any]) -> FunctionCase:
        values = given_case(at, *shapes, "seed")
        known = _sizes(shapes, values) | dict(arguments)
        whole = asked.declared(known).integers
        inputs = {name: np.array(values[name], np.int64 if name in whole else np.float64) for name in shapes}
        made = make_object(thing, arguments, optional=asked.sizes)
        return case(made, arguments, known, inputs, values["seed"])

    return Cases(subject, drawn(), given)


def _sizes(shapes: Mapping[str, Shape], values: Mapping[str, Any]) -> dict[str, Any]:
    """The sizes that have names, as they are in given values."""
    found = dict[str, Any]()
    for name, shape in shapes.items():
        found |= {s: n for s, n in zip(shape, np.shape(values[name]), strict=False) if isinstance(s, str)}
    return found


def _moved(case: FunctionCase) -> FunctionCase:
    """The case with parameters moved away from their initial values, as far as outputs and gradients stay finite."""
    start, rng = {name: case.given[name] for name in case.called.parameters}, np.random.default_rng(case.seed)
    for way in (WAYS[case.seed % len(WAYS)], "gently", "not") if start else ():
        case.given.update({name: moved(value, way, rng) for name, value in start.items()})
        if _is_finite(case):
            break
    return case


def _is_finite(case: FunctionCase) -> bool:
    """Whether the outputs are numbers; what raises is for the checks to report."""
    with np.errstate(all="ignore"):
        try:
            given = {name: value.copy() for name, value in case.given.items()}
            outputs, back = case.called.start(given, How(seed=case.seed), case.differentiated)
            gradients = back([np.ones_like(output) for output in outputs])
            return all(np.isfinite(number).all() for number in [*outputs, *gradients.values()])
        except Exception:
            return False
