"""Settings: what the parts of a trainer were given, what callbacks made of it in a run, and what the parts count."""

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

import numpy as np

from minidl.arguments import short
from minidl.layers.base import Layer
from minidl.layers.losses.base import Loss
from minidl.training.callbacks import Callback
from minidl.training.identity import arguments, described
from minidl.training.memory import OF_NUMPY, can_be_written
from minidl.training.parts import (
    elsewhere,
    inner,
    is_free,
    is_ours,
    parts_of,
    paths,
    refusal,
    settable,
    slots,
    text_of,
)
from minidl.training.view import TrainerView

NOTHING = object()


class Settings:
    """What says how the parts of a trainer work: optimizer, loss, regularizers, layers, and callbacks with a memory.

    A setting is an attribute named as an argument of the constructor. What a callback assigns to one holds for the rest
    of the run, so a checkpoint has it: numbers, strings, None and arrays. Anything else no file can hold, so only
    `on_fit_begin` may assign it, which does so again where the run goes on.

    The memory of a part are its other attributes that a file can hold: of optimizers, their schedules and clippers, and
    of regularizers; of layers numbers, strings and None, as their arrays are what backward needs.

    Args:
        trainer: whose parts they are. `trainer.settings` are those of the run before, None if there was none.

    Attributes:
        given: what each setting was outside of all runs: a run is known by it, whatever the run before left.
        texts: what each kind of part is in words, from the first run with these objects.
    """

    def __init__(self, trainer: TrainerView) -> None:
        self.trainer, self.parts, before = trainer, parts_of(trainer), trainer.settings
        self.objects = dict(paths(self.parts))
        self.begun = self._settings()
        self.given, self.left = self.begun, dict[str, Any]()
        self.begun_texts, self.running, self.first = dict[str, str](), True, before is None
        known = before.texts if before is not None else {}
        self.texts = {
            kind: known[kind] if kind in known and _are(parts, before.parts[kind]) else text_of(parts)
            for kind, parts in self.parts.items()
            if kind != "model"
        }
        if before is None:
            return
        kept = {name for name, value in self.begun.items() if before.left_it(name, self.objects, value)}
        self.given = {name: before.given[name] if name in kept else value for name, value in self.begun.items()}

    def left_it(self, name: str, objects: Mapping[str, Any], value: Any) -> bool:
        """Whether a setting is what this run, ended or under way, left of it."""
        path = name.rpartition(".")[0]
        same_part = name in self.given and self.objects.get(path) is objects[path]
        return same_part and (self.running or same(self.left.get(name, NOTHING), value))

    def reset(self) -> None:
        """Assign what was given, so that `on_fit_begin` sees what it saw when the run began."""
        self._assign(self.given)

    def begin(self) -> None:
        """Take note of what `on_fit_begin` assigned."""
        first, old = self.parts, self.objects
        self.parts = parts_of(self.trainer) | {"optimizer": first["optimizer"]}
        self.objects = dict(paths(self.parts))
        self.begun = self._settings()
        stayed = {path for path, part in self.objects.items() if old.get(path) is part}
        self.given = {
            name: self.given.get(name, value) if name.rpartition(".")[0] in stayed else value
            for name, value in self.begun.items()
        }
        changed = {n: v for n, v in self.begun.items() if not same(v, self.given.get(n, NOTHING))}
        self.begun_texts = {name: described(value) for name, value in changed.items() if not can_be_written(value)}
        replaced = [kind for kind, parts in self.parts.items() if not _are(parts, first[kind])]
        self.begun_texts |= {kind: text_of(self.parts[kind]) for kind in replaced}

    def end(self) -> None:
        """Take note of what the run leaves behind."""
        self.begun = self.left = self._settings()
        self.running = False
        del self.trainer  # which keeps these settings: no file of skops can hold two that have each other

    def identity(self) -> dict[str, str]:
        """The parts in words, and what was assigned outside of all runs after they were made."""
        made: dict[str, Any] = {}
        for path, part in self.objects.items():
            made |= {f"{path}.{name}": value for name, value in (arguments(part) or {}).items()}
        texts = {name: described(value) for name, value in self.given.items() if name in made}
        assigned = {f"{name}, assigned": text for name, text in texts.items() if text != described(made[name])}
        named = {"callbacks with a memory" if kind == "callbacks" else kind: t for kind, t in self.texts.items()}
        return named | assigned

    def state(self) -> dict[str, Any]:
        """Each setting that is not as it was given, in words where no file can hold it, and the memory of the parts.

        Raises:
            TypeError: during the run a part was exchanged, or a setting that no file can hold.
        """
        for kind, parts in parts_of(self.trainer).items():
            if not _are(parts, self.parts[kind]):
                raise _exchanged(kind, self.parts[kind], parts)
        state = {f"text of {kind}": text for kind, text in self.begun_texts.items() if kind in self.parts}
        for name, value in self._settings().items():
            if same(value, self.given.get(name, NOTHING)):
                continue
            if can_be_written(value):
                state[f"value of {name}"] = value
                continue
            begun, known = self.begun.get(name), self.begun_texts.get(name)
            if begun is not value and described(value) != (known or described(begun)):
                raise _exchanged(name, begun, value)
            state[f"text of {name}"] = known or described(value)
        return state | {f"memory of {path}.{name}": value for path, name, _, value in self._memory()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Assign what was assigned there, else what was given; what no file can hold must be there already."""
        of: dict[str, dict[str, Any]] = {"value": {}, "text": {}, "memory": {}}
        for key, value in state.items():
            kind, _, name = key.partition(" of ")
            if kind not in of or not name:
                raise ValueError(f"expected a value, text or memory of the trainer's parts, received {key}={value!r}")
            of[kind][name] = value
        for name in {**of["text"], **self.begun_texts}:
            wanted, found = of["text"].get(name, "as it was given"), self.begun_texts.get(name, "as it was given")
            if wanted != found and name not in of["value"]:
                raise ValueError(f"expected {name} to be {wanted}, received {found}: assign it in on_fit_begin")
        for name, value in of["value"].items():
            if name not in self.given or not _of_a_kind(value, self.given[name]):
                raise ValueError(f"expected settings of the trainer's parts, received {name}={value!r}")
            path, _, attribute = name.rpartition(".")
            if said := refusal(self.objects[path], attribute, value, self.given[name]):
                raise ValueError(f"expected settings that the parts take, received {name}={short(value)}: {said}")
        texts = of["text"]
        self._assign({name: value for name, value in {**self.given, **of["value"]}.items() if name not in texts})
        self._remember(of["memory"])

    def _assign(self, wanted: Mapping[str, Any]) -> None:
        """Assign what differs; setters may hold settings against one another, so those that refuse are tried again."""
        now = self._settings()
        left = {name: value for name, value in wanted.items() if not same(now.get(name, NOTHING), value)}
        while left:
            failed: dict[str, Any] = {}
            for name, value in left.items():
                path, _, attribute = name.rpartition(".")
                try:
                    setattr(self.objects[path], attribute, value)
                except ValueError:
                    failed[name] = value
                    if len(failed) == len(left):
                        raise
            left = failed

    def _remember(self, memory: dict[str, Any]) -> None:
        """Give the parts what they remembered; what they got in runs of this trainer since then is taken away."""
        here = {f"{path}.{name}": (part, name, value) for path, name, part, value in self._memory()}
        for name in () if self.first else here.keys() - memory.keys():
            part, attribute, value = here[name]
            if value is not None:  # as of something that was no number there
                delattr(part, attribute)
        objects = self.objects | dict(inner(self.parts))
        for name, value in memory.items():
            path, _, attribute = name.rpartition(".")
            part, _, now = here.get(name, (objects.get(path), attribute, None))
            held = getattr(part, "__dict__", {}).get(attribute)
            other = isinstance(part, Layer) and not can_be_written(held)  # such as a parameter
            fixed = is_ours(part) and is_dataclass(part) and not same(held, value)  # as schedules are
            if part is None or other or fixed or (name not in here and not is_free(part, attribute)):
                raise ValueError(f"expected the memory of the trainer's parts, received {name}={value!r}")
            if isinstance(now, np.ndarray) and now.flags.writeable and _alike(now, value):
                now[...] = value  # others may hold the same array
            elif attribute in slots(part):
                setattr(part, attribute, value)
            else:
                part.__dict__[attribute] = value

    def _settings(self) -> dict[str, Any]:
        """Every setting by its path, arrays copied."""
        settings: dict[str, Any] = {}
        for path, part in self.objects.items():
            for name in settable(part):
                value = getattr(part, name, NOTHING)
                if isinstance(value, np.ndarray) and can_be_written(value):
                    if not isinstance(part, Layer | Callback):
                        settings[f"{path}.{name}"] = value.copy()
                elif can_be_written(value) or (value is not NOTHING and not isinstance(part, Layer | Callback)):
                    settings[f"{path}.{name}"] = value
        return settings

    def _memory(self) -> Iterator[tuple[str, str, Any, Any]]:
        """(path, attribute, part, value) of what the parts remember beside their settings."""
        for path, part in [*self.objects.items(), *inner(self.parts)]:
            if isinstance(part, Loss | Callback):
                continue
            names = [*getattr(part, "__dict__", {}), *slots(part)]
            named = () if path in ("optimizer.lr", "optimizer.clip") else settable(part)
            for name in [name for name in names if name not in named and name not in elsewhere(part)]:
                value = getattr(part, name, NOTHING)
                if can_be_written(value) and not (isinstance(part, Layer) and isinstance(value, np.ndarray)):
                    yield path, name, part, value


def same(one: Any, other: Any) -> bool:
    """Whether both are one object, or equal numbers, strings or arrays of one type.

    >>> same(0.5, 0.5), same(1, 1.0), same(np.zeros(2), np.zeros(3)), same([], [])
    (True, False, False, False)
    """
    if one is other or type(one) is not type(other) or not can_be_written(one):
        return one is other
    if not isinstance(one, OF_NUMPY):
        return bool(one == other) or (one != one and other != other)
    return _alike(one, other) and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")


def _alike(one: Any, other: Any) -> bool:
    return isinstance(other, OF_NUMPY) and (one.dtype, one.shape) == (other.dtype, other.shape)


def _of_a_kind(value: Any, given: Any) -> bool:
    """Whether a value may stand where `given` stood."""
    numbers = (int, float, np.integer, np.floating, np.bool_)
    if value is None or given is None:
        return True
    if isinstance(given, np.ndarray | str):
        return isinstance(value, np.ndarray if isinstance(given, np.ndarray) else str)
    return isinstance(value, (np.complexfloating, *numbers) if isinstance(given, np.complexfloating) else numbers)


def _are(some: list[Any], others: list[Any]) -> bool:
    return [*map(id, some)] == [*map(id, others)]


def _exchanged(name: str, begun: Any, now: Any) -> TypeError:
    begun, now = ((part[0] if isinstance(part, list) and len(part) == 1 else part) for part in (begun, now))
    return TypeError(
        f"expected {name} to be {short(begun)}, as when the run began, received {short(now)}: no checkpoint can hold "
        f"it, so give it to the trainer before the run, or assign it in on_fit_begin"
    )
