"""A run as arrays and back: what a checkpoint holds, and how a run goes on from it."""

from __future__ import annotations  # json is loaded when it is needed

import os
from typing import Any

import numpy as np

from minidl.arguments import check_integer
from minidl.parameters import Array
from minidl.seeding import Stream, generator
from minidl.storage import DataError, StrPath, check_entries, read_arrays
from minidl.training.history import STEP_COLUMNS, Table
from minidl.training.identity import differences, remembering
from minidl.training.view import RunView

RECORD = "record"  # the entry with everything but the arrays, as JSON in bytes
COUNTERS = ("steps", "steps_before", "position")  # of a run
SUMS = ("weight", "loss", "penalty")  # of a run, over the batches since the last evaluation


def captured(run: RunView) -> dict[str, Array]:
    """All that the rest of the run depends on, and its history so far."""
    import json

    trainer, history = run.trainer, run.history
    groups: dict[str, dict[str, Any]] = {
        "parameters": trainer.model.parameters.snapshot(),
        "optimizer": trainer.optimizer.state(),
        "steps": {name: np.array(column) for name, column in history.steps.items()},
        "evaluations": {name: np.array(column) for name, column in history.evaluations.items()},
        **{f"callback {place}": callback.state() for place, callback in enumerate(remembering(run))},
    }
    record: dict[str, Any] = {name: getattr(run, name) for name in (*COUNTERS, *SUMS, "evaluated")}
    record["identity"] = run.identity
    record["epoch"] = trainer.epoch
    record["parts"] = [trainer.step_loss, trainer.step_penalty]
    record["early"] = trainer.stop_reason if trainer.stop_reason.startswith("early stopping: ") else ""
    record["generators"] = [_plain(layer.rng.bit_generator.state) for layer in trainer.model.layers_inside()]
    record["augmentation"] = _plain(run.augmentation.bit_generator.state)
    if run.watch is not None:
        record["watch"] = run.watch.state()
    if run.best is not None:
        step, value, weights = run.best
        record["best"] = [step, value, weights is not None]
        groups["best"] = weights or {}
    record["numbers"] = {
        name: {key: _plain(value) for key, value in group.items() if not isinstance(value, np.ndarray)}
        for name, group in groups.items()
    }
    arrays = {
        f"{name}/{key}": value
        for name, group in groups.items()
        for key, value in group.items()
        if isinstance(value, np.ndarray)
    }
    return {RECORD: np.frombuffer(json.dumps(record).encode(), np.uint8), **arrays}


def load_run(run: RunView, path: StrPath) -> list[dict[str, Any]]:
    """Put a new run where the checkpoint was written; returns what `load_callbacks` takes when they have begun.

    Raises:
        DataError: the file is damaged, or of another model, data set, setting or version; the run is as it was.
    """
    import json

    entries = read_arrays(path)
    trainer = run.trainer
    generators = [layer.rng.bit_generator for layer in trainer.model.layers_inside()]
    before = trainer.model.parameters.snapshot(), trainer.optimizer.state(), trainer.epoch
    draws = [source.state for source in generators]
    try:
        record = json.loads(entries.pop(RECORD).tobytes())
        if wrong := differences(record["identity"], json.loads(json.dumps(run.identity))):
            raise DataError(f"{os.fspath(path)}: expected a checkpoint of this run, found {'; '.join(wrong)}")
        groups = _groups(record, entries)
        _apply(run, record, groups, path)
        return [groups[f"callback {place}"] for place, _ in enumerate(remembering(run))]
    except Exception as error:  # whatever a file made by hand does to its reader
        trainer.model.parameters.restore(before[0])
        trainer.optimizer.load_state(before[1])
        trainer.epoch = before[2]
        for source, state in zip(generators, draws, strict=True):
            source.state = state
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{os.fspath(path)}: expected a checkpoint, found something else ({type(error).__name__}: {error})"
        ) from error


def _groups(record: dict[str, Any], entries: dict[str, Array]) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {name: dict(numbers) for name, numbers in record["numbers"].items()}
    for name, array in entries.items():
        group, _, key = name.partition("/")
        groups[group][key] = array
    return groups


def _apply(run: RunView, record: dict[str, Any], groups: dict[str, dict[str, Any]], path: StrPath) -> None:
    trainer, parameters = run.trainer, run.trainer.model.parameters
    check_entries(path, groups["parameters"], parameters.snapshot())
    parameters.restore(groups["parameters"])
    trainer.optimizer.load_state(groups["optimizer"])
    check_entries(path, trainer.optimizer.slots, dict.fromkeys(trainer.optimizer.slots, parameters.value))
    for name in COUNTERS:
        setattr(run, name, check_integer(name, record[name], minimum=0))
    for name in SUMS:
        setattr(run, name, float(record[name]))
    run.evaluated = bool(record["evaluated"])
    trainer.epoch = check_integer("epoch", record["epoch"], minimum=0)
    trainer.step_loss, trainer.step_penalty = map(float, record["parts"])
    trainer.stop_reason = str(record["early"])
    for layer, state in zip(trainer.model.layers_inside(), record["generators"], strict=True):
        layer.rng.bit_generator.state = state
    run.augmentation = generator(run.plan.seed, Stream.AUGMENTATION, 0)
    run.augmentation.bit_generator.state = record["augmentation"]
    if run.watch is not None:
        run.watch.load_state(record["watch"])
    if "best" in record:
        step, value, kept = record["best"]
        weights = groups["best"] if kept else None
        if weights is not None:
            check_entries(path, weights, parameters.snapshot())
        run.best = check_integer("best step", step, minimum=0), float(value), weights
        run.history.best_step, run.history.best_value = run.best[:2]
    run.history.steps = _table(groups["steps"], STEP_COLUMNS)
    run.history.evaluations = _table(groups["evaluations"], tuple(run.history.evaluations))


def load_callbacks(run: RunView, states: list[dict[str, Any]]) -> None:
    """Give every callback what it remembered."""
    for callback, state in zip(remembering(run), states, strict=True):
        try:
            callback.load_state(state)
        except Exception as error:
            error.add_note(f"while {callback!r} was given back what the checkpoint kept of it")
            raise


def _plain(value: Any) -> Any:
    """The same with lists in the place of arrays, for JSON."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _table(columns: dict[str, Array], names: tuple[str, ...]) -> Table:
    if set(columns) != set(names) or len({column.shape for column in columns.values()}) != 1:
        raise ValueError(f"expected columns {names} of one length, received {sorted(columns)}")
    return Table({name: columns[name].tolist() for name in names})
