"""A run as arrays and back: what a checkpoint holds, and how a run goes on from it."""

from __future__ import annotations  # json is loaded when it is needed

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minidl.parameters import Array
from minidl.seeding import Stream, generator
from minidl.storage import DataError, StrPath, check_entries, read_arrays
from minidl.training.history import STEP_COLUMNS, Table
from minidl.training.identity import differences, remembering
from minidl.training.view import RunView, TrainerView

RECORD = "record"  # the entry with everything but the arrays, as JSON in bytes
SUMS = ("weight", "loss", "penalty")  # of a run, over the batches since the last evaluation
OF_THE_TRAINER = ("epoch", "history", "planned_steps", "restores_best", "step_loss", "step_penalty", "stop_reason")
OF_THE_OPTIMIZER = ("lr", "clip", "_model")  # besides its state
Group = dict[str, Any]
Saved = tuple[StrPath, Group, dict[str, Group]]


def captured(run: RunView) -> dict[str, Array]:
    """All that the rest of the run depends on, and its history so far; what can be computed again is left out."""
    import json

    trainer, history = run.trainer, run.history
    groups: dict[str, Group] = {
        "parameters": trainer.model.parameters.snapshot(),
        "optimizer": trainer.optimizer.state(),
        "steps": {name: np.array(column) for name, column in history.steps.items()},
        "evaluations": {name: np.array(column) for name, column in history.evaluations.items()},
        **{f"callback {place}": _memory(callback) for place, callback in enumerate(remembering(run))},
    }
    record: dict[str, Any] = {name: getattr(run, name) for name in (*SUMS, "epochs_before", "evaluated")}
    record["identity"] = run.identity
    record["parts"] = [trainer.step_loss, trainer.step_penalty]
    record["early"] = trainer.stop_reason if trainer.stop_reason.startswith("early stopping: ") else ""
    record["generators"] = [_drawn(layer.rng) for layer in trainer.model.layers_inside()]
    record["augmentation"] = _drawn(run.feed.augmentation)
    record["watch"] = None if run.watch is None else run.watch.state()
    record["best"] = None if run.best is None else run.best[:2]
    if run.best is not None and run.best[2] is not None:
        groups["best"] = run.best[2]
    arrays: dict[str, Array] = {}
    record["numbers"] = {}
    for name, group in groups.items():
        record["numbers"][name] = {key: value for key, value in group.items() if not isinstance(value, np.ndarray)}
        arrays |= {f"{name}/{key}": value for key, value in group.items() if isinstance(value, np.ndarray)}
    return {RECORD: np.frombuffer(json.dumps(record).encode(), np.uint8), **arrays}


def _memory(callback: Any) -> Group:
    """The state of a callback, if a file can hold it."""
    state = callback.state()
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise TypeError(f"expected {callback!r}.state() to return a dict with names, received {state!r}")
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in state.items()}
    for name, value in plain.items():
        array = isinstance(value, np.ndarray) and value.dtype.kind in "biufc"
        if not array and not (value is None or isinstance(value, bool | int | float | str)):
            raise TypeError(
                f"expected {callback!r}.state() to hold numbers, strings, None and arrays of numbers, received "
                f"{name}={value!r}: make it an array"
            )
    return plain


@contextmanager
def unchanged_on_error(trainer: TrainerView) -> Iterator[None]:
    """A block that leaves the trainer, its model and its optimizer as they were, if it ends with an error."""
    layers = list(trainer.model.layers_inside())
    generators = [layer.rng for layer in layers]  # a run that goes on puts others in their places
    weights, optimizer = trainer.model.parameters.snapshot(), trainer.optimizer.state()
    kept = {name: getattr(trainer, name) for name in OF_THE_TRAINER}
    rule = {name: getattr(trainer.optimizer, name) for name in OF_THE_OPTIMIZER}
    try:
        yield
    except BaseException:
        trainer.model.parameters.restore(weights)
        trainer.optimizer.load_state(optimizer)
        for name, value in kept.items():
            setattr(trainer, name, value)
        for name, value in rule.items():
            setattr(trainer.optimizer, name, value)
        for layer, rng in zip(layers, generators, strict=True):
            layer.rng = rng
        raise


def read_run(run: RunView, path: StrPath) -> Saved:
    """What the checkpoint holds, if it is one of this run; nothing moves yet.

    Raises:
        DataError: the file is damaged, or of another model, data set, setting or version.
    """
    import json

    entries = read_arrays(path)
    if RECORD not in entries:
        raise DataError(f"{os.fspath(path)}: expected a checkpoint, found arrays without a run: a file of weights?")
    with _as_data_error(path):
        record = json.loads(entries.pop(RECORD).tobytes())
        if wrong := differences(record["identity"], run.identity):
            raise DataError(f"{os.fspath(path)}: expected a checkpoint of this run, found {'; '.join(wrong)}")
        groups: dict[str, Group] = {name: dict(numbers) for name, numbers in record["numbers"].items()}
        for name, array in entries.items():
            group, _, key = name.partition("/")
            groups[group][key] = array.copy()  # not read-only, so that callbacks can go on with theirs
        return path, record, groups


def put_back(run: RunView, saved: Saved) -> None:
    """Put a run and its trainer where the checkpoint was written."""
    path, record, groups = saved
    with _as_data_error(path):
        _apply_trainer(run.trainer, record, groups, path)
        _apply_run(run, record, groups, path)


def put_back_callbacks(run: RunView, saved: Saved) -> None:
    """Give every callback what it remembered."""
    path, _, groups = saved
    for place, callback in enumerate(remembering(run)):
        with _as_data_error(path):
            callback.load_state(groups[f"callback {place}"])


@contextmanager
def _as_data_error(path: StrPath) -> Iterator[None]:
    """Whatever a file made by hand does to its reader is an error that names the file."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{os.fspath(path)}: expected a checkpoint of this run, found one that does not fit it "
            f"({type(error).__name__}: {error})"
        ) from error


def _apply_trainer(trainer: TrainerView, record: Group, groups: dict[str, Group], path: StrPath) -> None:
    parameters = trainer.model.parameters
    check_entries(path, groups["parameters"], parameters.snapshot())
    parameters.restore(groups["parameters"])
    trainer.optimizer.meet(parameters)
    trainer.optimizer.load_state(groups["optimizer"])
    check_entries(path, trainer.optimizer.slots, dict.fromkeys(trainer.optimizer.slots, parameters.value))
    trainer.step_loss, trainer.step_penalty = map(float, record["parts"])
    trainer.stop_reason = str(record["early"])
    for layer, drawn in zip(trainer.model.layers_inside(), record["generators"], strict=True):
        layer.rng = _drawn_again(layer.rng, drawn)


def _apply_run(run: RunView, record: Group, groups: dict[str, Group], path: StrPath) -> None:
    steps, evaluations = _table(groups["steps"], STEP_COLUMNS), _table(groups["evaluations"], run.history.evaluations)
    run.go_to(len(steps["step"]), epochs_before=int(record["epochs_before"]))
    if steps["step"] and steps["step"][-1] != run.trainer.optimizer.steps:
        raise ValueError(f"its optimizer is at step {run.trainer.optimizer.steps}, its history at {steps['step'][-1]}")
    for name in SUMS:
        setattr(run, name, float(record[name]))
    run.evaluated = bool(record["evaluated"])
    epoch = max(run.trainer.epoch - 1, 0)  # the one that is under way
    run.feed.augmentation = _drawn_again(generator(run.plan.seed, Stream.AUGMENTATION, epoch), record["augmentation"])
    if run.watch is not None:
        run.watch.load_state(record["watch"])
    if record["best"] is not None:
        step, value = int(record["best"][0]), float(record["best"][1])
        if step not in evaluations["step"]:
            raise ValueError(f"its best step {step} was not evaluated")
        if run.restores_best:
            check_entries(path, groups["best"], run.trainer.model.parameters.snapshot())
        run.best = step, value, groups["best"] if run.restores_best else None
        run.history.best_step, run.history.best_value = step, value
    run.history.steps, run.history.evaluations = steps, evaluations


def _table(columns: dict[str, Array], names: Any) -> Table:
    if set(columns) != set(names) or len({column.shape for column in columns.values()}) != 1:
        raise ValueError(f"its columns are {sorted(columns)} where {sorted(names)} of one length belong")
    return Table({name: columns[name].tolist() for name in names})


def _drawn(rng: np.random.Generator) -> Group:
    """What a generator was asked for: its state, and how many others it has spawned."""
    source: Any = rng.bit_generator
    return {"state": _plain(source.state), "spawned": source.seed_seq.n_children_spawned}


def _drawn_again(rng: np.random.Generator, drawn: Group) -> np.random.Generator:
    """A generator that stands where the other stood."""
    seeds: Any = rng.bit_generator.seed_seq
    spawned = np.random.SeedSequence(
        seeds.entropy, spawn_key=seeds.spawn_key, pool_size=seeds.pool_size, n_children_spawned=drawn["spawned"]
    )
    source = type(rng.bit_generator)(spawned)
    source.state = drawn["state"]
    return np.random.Generator(source)


def _plain(value: Any) -> Any:
    """The same with lists in the place of arrays, for JSON."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
