"""Settings: numbers and functions that the parts of a trainer were given, and what callbacks made of them in a run."""

from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any

import numpy as np

from minidl.layers.base import Layer
from minidl.layers.losses.base import Loss
from minidl.training.callbacks import Callback, remembering
from minidl.training.identity import arguments, described
from minidl.training.memory import OF_NUMPY, can_be_written
from minidl.training.view import TrainerView

REMEMBERED = {"_arguments", "_model", "_lr", "_lr_scale", "steps", "slots"}  # by the optimizer itself, or by `lr`
NOTHING = object()


class Settings:
    """What says how the parts of a trainer work: optimizer, loss, regularizers, layers, and callbacks with a memory.

    These are the attributes named as an argument of the constructor; of optimizers, their schedules and clippers, and
    of regularizers all others too. What a callback assigns to them holds for the rest of the run, so a checkpoint has
    it: numbers, strings, None and arrays. Anything else no file can hold, so only `on_fit_begin` may assign it, which
    does so again where the run goes on.

    Args:
        trainer: whose parts they are. `trainer.settings` are those of the run before, None if there was none.

    Attributes:
        given: what each setting was outside of all runs: a run is known by it, whatever the run before left.
    """

    def __init__(self, trainer: TrainerView) -> None:
        self.trainer, self.parts = trainer, _parts(trainer)
        self.given: dict[str, Any] = {}
        self.given = self.begun = self.left = self._values()
        if trainer.settings is not None:
            before, left = trainer.settings.given, trainer.settings.left
            self.given = {
                name: before.get(name, value) if same(left.get(name), value) else value
                for name, value in self.begun.items()
            }

    def begin(self) -> None:
        """Take note of what `on_fit_begin` assigned."""
        self.begun = self._values()

    def end(self) -> None:
        """Take note of what the run leaves behind."""
        self.left = self._values()

    def assigned(self) -> dict[str, str]:
        """What was assigned outside of all runs after the parts were made, in words: the identity of a run has it."""
        made: dict[str, Any] = {}
        for path, part in self._objects():
            made |= {f"{path}.{name}": value for name, value in (arguments(part) or {}).items()}
        own = [name for name in self.given if name in made or name.rpartition(".")[0] == "optimizer"]
        texts = {name: described(self.given[name]) for name in own}
        return {f"{name}, assigned": t for name, t in texts.items() if t != described(made.get(name, NOTHING))}

    def state(self) -> dict[str, Any]:
        """Each setting that is not as it was given: its value, or where no file can hold it what it is, in words.

        Raises:
            TypeError: during the run a part was exchanged, or a setting that no file can hold.
        """
        for kind, parts in _parts(self.trainer).items():
            if [*map(id, parts)] != [*map(id, self.parts[kind])]:
                raise _exchanged(kind, self.parts[kind], parts)
        changed = {n: v for n, v in self._values().items() if not same(v, self.given.get(n, NOTHING))}
        for name, value in changed.items():
            begun = self.begun.get(name)
            if not can_be_written(value) and begun is not value and described(begun) != described(value):
                raise _exchanged(name, begun, value)
        values = {f"value of {name}": value for name, value in changed.items() if can_be_written(value)}
        return values | {f"text of {n}": described(v) for n, v in changed.items() if f"value of {n}" not in values}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Assign what was assigned there, else what was given; what no file can hold must be there already."""
        wanted = self.given | {n.removeprefix("value of "): v for n, v in state.items() if n.startswith("value of ")}
        texts = {n.removeprefix("text of "): text for n, text in state.items() if n.startswith("text of ")}
        now = self._values()
        for name in {**wanted, **texts, **now}:
            value, found = wanted.get(name, NOTHING), now.get(name, NOTHING)
            text = texts.get(name) or (None if value is NOTHING or can_be_written(value) else described(value))
            if text is None and not same(found, value):
                self._assign(name, value, new=found is NOTHING)
            elif text is not None and text != described(found):
                raise ValueError(f"expected {name} to be {text}, received {described(found)}: assign it before")

    def _assign(self, name: str, value: Any, *, new: bool) -> None:
        path, _, attribute = name.rpartition(".")
        part = dict(self._objects()).get(path)
        if part is None and name in self.given:  # of a clipper that another took the place of
            return
        if part is None or (new and hasattr(type(part), attribute)):
            raise ValueError(f"expected attributes of the parts of the trainer, received {name!r}")
        if value is NOTHING:
            delattr(part, attribute)
        else:
            setattr(part, attribute, value)

    def _objects(self) -> Iterator[tuple[str, Any]]:
        """The parts by a path, and those settings of an optimizer that have attributes: a schedule, a clipper."""
        for kind, parts in self.parts.items():
            yield from ((f"{kind}[{place}]" if len(parts) > 1 else kind, part) for place, part in enumerate(parts))
        (optimizer,) = self.parts["optimizer"]
        for path in ("optimizer.lr", "optimizer.clip"):
            part = getattr(optimizer, path.removeprefix("optimizer."))
            if self.given.get(path, part) is part:
                yield path, part

    def _values(self) -> dict[str, Any]:
        """Every setting by its path, with copies of arrays."""
        values: dict[str, Any] = {}
        for path, part in self._objects():
            for name in _names(part):
                value = getattr(part, name, NOTHING)
                if can_be_written(value):
                    values[f"{path}.{name}"] = value.copy() if isinstance(value, np.ndarray) else value
                elif value is not NOTHING and not isinstance(part, Layer | Callback):
                    values[f"{path}.{name}"] = value
        return values


def _parts(trainer: TrainerView) -> dict[str, list[Any]]:
    """What a trainer trains with, by the attribute that holds it; of the model every layer."""
    return {
        "optimizer": [trainer.optimizer],
        "loss": [trainer.loss],
        "regularizers": list(trainer.regularizers),
        "model": list(trainer.model.layers_inside()),
        "callbacks": remembering(trainer.callbacks),
    }


def _names(part: Any) -> dict[str, None]:
    """The attributes of a part that are settings; not what layers and losses keep for backward, nor memory."""
    if isinstance(part, FunctionType | type) or not hasattr(part, "__dict__"):
        return {}
    code = getattr(type(part).__init__, "__code__", None)
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount] if code is not None else ()
    others = () if isinstance(part, Layer | Loss | Callback) else vars(part)
    return dict.fromkeys(name for name in (*names, *others) if name not in REMEMBERED)


def same(one: Any, other: Any) -> bool:
    """Whether both are one object, or equal numbers, strings or arrays of one type.

    >>> same(0.5, 0.5), same(1, 1.0), same(np.zeros(2), np.zeros(3)), same([], [])
    (True, False, False, False)
    """
    if one is other or type(one) is not type(other) or not can_be_written(one):
        return one is other
    if not isinstance(one, OF_NUMPY):
        return bool(one == other) or (one != one and other != other)
    alike = one.dtype == other.dtype and one.shape == other.shape
    return alike and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")


def _exchanged(name: str, begun: Any, now: Any) -> TypeError:
    begun, now = ((part[0] if isinstance(part, list) and len(part) == 1 else part) for part in (begun, now))
    return TypeError(
        f"expected {name} to be {begun!r}, as when the run began, received {now!r}: no checkpoint can hold it, so give "
        f"it to the trainer before the run, or assign it in on_fit_begin"
    )
