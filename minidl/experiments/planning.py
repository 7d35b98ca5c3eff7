"""What is to be run: a function, its settings and its seeds."""

import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from types import FunctionType
from typing import Any, TypeAlias

import numpy as np

from minidl.arguments import check_integer, short
from minidl.experiments.function_digests import code_digest
from minidl.frozen import frozen

Setting: TypeAlias = Mapping[str, Any]  # numbers, strings, booleans and None; who reads one knows which it is
Experiment: TypeAlias = Callable[..., Mapping[str, Any]]  # the same, and arrays


@frozen
class PlannedRun:
    """One call of an experiment, function(**setting, seed=seed).

    Attributes:
        function: returns a mapping of names to numbers, strings and arrays.
        setting: its keyword arguments but the seed; numbers, strings, booleans or None, since they name the run in
            files. Objects such as optimizers are made inside the function.
        seed: >= 0.
        code: a digest of what the function says, see `code_digest`; computed where it is not given.

    Raises:
        TypeError, ValueError: anything else, or a setting that does not fit the function.

    >>> def train(lr, *, seed): ...
    >>> PlannedRun(train, {"lr": 0.1}, 3)
    PlannedRun(train(lr=0.1, seed=3))
    >>> PlannedRun(train, {"rate": 0.1}, 3)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    TypeError: expected settings that train(lr, *, seed) takes, received rate=0.1, ...
    """

    function: Experiment
    setting: Setting
    seed: int
    code: str = ""

    def __post_init__(self) -> None:
        """Refuse, before anything is run, what could not be run or named."""
        if not isinstance(self.function, FunctionType):
            raise TypeError(f"expected function to be a plain function (def), received {short(self.function)}")
        if not isinstance(self.setting, Mapping) or not all(isinstance(name, str) for name in self.setting):
            raise TypeError(f"expected setting to be a mapping of names to values, received {short(self.setting)}")
        for name, value in self.setting.items():
            if isinstance(value, np.generic):
                raise TypeError(
                    f"expected plain numbers in a setting, received {name}={value!r}: write {value.item()!r}, or "
                    f"values.tolist() for all of an array"
                )
            if not isinstance(value, float | int | str | bool | None) or value != value:
                raise TypeError(
                    f"expected settings to be numbers, strings, booleans or None, received {name}={short(value)}: "
                    f"make objects inside the function"
                )
        object.__setattr__(self, "seed", check_integer("seed", self.seed, minimum=0))
        object.__setattr__(self, "setting", dict(self.setting))
        object.__setattr__(self, "code", self.code or code_digest(self.function))  # now: a long job outlives an edit
        try:
            inspect.signature(self.function).bind(**self.setting, seed=self.seed)
        except TypeError as error:
            raise TypeError(
                f"expected settings that {self.function.__name__}{inspect.signature(self.function)} takes, "
                f"received {self._written()}: {error}"
            ) from None

    def __call__(self) -> Mapping[str, Any]:
        """Run it here and now."""
        return self.function(**self.arguments)

    def __repr__(self) -> str:
        return f"PlannedRun({self.function.__name__}({self._written()}))"

    def _written(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())

    @property
    def arguments(self) -> dict[str, Any]:
        """The setting and the seed."""
        return {**self.setting, "seed": self.seed}

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this run from every other: the function's name and text, the setting, the seed.

        The text is what `code_digest` looks at.
        """
        return {
            "function": self.function.__qualname__,
            "code": self.code,
            "setting": dict(self.setting),
            "seed": self.seed,
        }

    @property
    def name(self) -> str:
        """The function's name and a digest of the identity: the name of the run's file."""
        text = json.dumps(self.identity, sort_keys=True)
        readable = re.sub(r"\W", "", self.function.__name__)[:40]
        return f"{readable}-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def grid(**values: Iterable[Any]) -> list[dict[str, Any]]:
    """Every combination of the values, the last name running fastest.

    >>> grid(lr=[0.1, 0.01], batch_size=[50])
    [{'lr': 0.1, 'batch_size': 50}, {'lr': 0.01, 'batch_size': 50}]
    """
    for name, choices in values.items():
        if isinstance(choices, str) or not isinstance(choices, Iterable):
            raise TypeError(f"expected several values for {name}, received {name}={choices!r}: put it in [ ]")
    listed = {name: list(choices) for name, choices in values.items()}
    return [dict(zip(listed, combination, strict=True)) for combination in product(*listed.values())]


def plan(function: Experiment, settings: Iterable[Setting], seeds: Iterable[int], **shared: Any) -> list[PlannedRun]:
    """A run for every setting and seed, setting by setting; `shared` is part of every setting.

    >>> def train(lr, *, seed, epochs): ...
    >>> plan(train, [{"lr": 0.1}], seeds=range(2), epochs=5)
    [PlannedRun(train(lr=0.1, epochs=5, seed=0)), PlannedRun(train(lr=0.1, epochs=5, seed=1))]
    """
    if isinstance(settings, Mapping):
        several = [name for name, value in settings.items() if isinstance(value, list | tuple | np.ndarray)]
        use = f"write grid({', '.join(f'{n}=...' for n in settings)})" if several else f"put {settings!r} in [ ]"
        raise TypeError(f"expected a list of settings, received one: {use}")
    if not isinstance(seeds, Iterable):
        raise TypeError(f"expected seeds to be a list, received seeds={seeds!r}: write seeds=range({seeds!r})")
    listed, code, runs = list(seeds), "", []
    for setting in settings:
        if not isinstance(setting, Mapping):
            raise TypeError(f"expected each setting to be a mapping of names to values, received {short(setting)}")
        if twice := sorted(setting.keys() & shared.keys()):
            raise ValueError(f"expected each argument once, received {twice} in a setting and for all settings")
        for seed in listed:
            runs.append(PlannedRun(function, {**setting, **shared}, seed, code))
            code = runs[-1].code  # the same for all of them
    return runs
