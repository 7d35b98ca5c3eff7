"""What a run is known by: a checkpoint is for this run only, and a refusal says what differs."""

from __future__ import annotations  # hashlib is loaded when it is needed

import re
from typing import Any

import numpy as np

from minidl.arguments import short
from minidl.data.dataset import Dataset
from minidl.training.callbacks import Callback
from minidl.training.view import RunView

FORMAT = 1  # of the file
SAMPLED = 4096  # rows of x by which a data set is told from another


def identity(run: RunView) -> dict[str, Any]:
    """What must be the same for a run to go on, in words; `epochs` is not part of it, so a run can be made longer."""
    from minidl import __version__

    trainer, plan = run.trainer, run.plan
    named = {
        "the format": FORMAT,
        "the version of minidl": __version__,
        "the model": repr(trainer.model),
        "the parameters": [f"{name} {p.value.dtype} {p.shape}" for name, p in trainer.model.parameters.named.items()],
        "the loss": repr(trainer.loss),
        "the optimizer": repr(trainer.optimizer),
        "the regularizers": [short(regularizer) for regularizer in trainer.regularizers],
        "the metrics": list(trainer.metrics),
        "the callbacks": [repr(callback) for callback in remembering(run)],
    }
    named |= {f"the data {name!r}": _fingerprint(data) for name, data in {"train": run.train, **run.sets}.items()}
    settings = {name: value for name, value in plan._asdict().items() if name not in ("epochs", "raise_divergence")}
    named |= {
        name: value if isinstance(value, bool | int | float) else short(value) for name, value in settings.items()
    }
    cleaned: dict[str, Any] = {key: _without_addresses(value) for key, value in named.items()}
    return cleaned


def differences(saved: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """One clause for each entry that is not the same.

    >>> differences({"seed": 0, "batch_size": 32}, {"seed": 1, "batch_size": 32})
    ['that seed was 0 there and is 1 here']
    """
    names = [*now, *(name for name in saved if name not in now)]
    changed = [name for name in names if saved.get(name) != now.get(name)]
    return [f"that {name} was {saved.get(name)} there and is {now.get(name)} here" for name in changed]


def _fingerprint(data: Dataset) -> str:
    """Shape, dtype, and a digest of up to 4096 rows over the whole length, of every target and every weight."""
    rows = np.unique(np.linspace(0, len(data) - 1, SAMPLED).astype(np.int64))
    from hashlib import sha256

    digest = sha256()
    for array in (data.x[rows], *data.arrays[1:]):
        digest.update(np.ascontiguousarray(array).tobytes())
    return f"{data!r} {digest.hexdigest()[:16]}"


def remembering(run: RunView) -> list[Callback]:
    """Those callbacks that have a memory: the others may come and go."""
    return [callback for callback in run.trainer.callbacks if type(callback).state is not Callback.state]


def _without_addresses(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_addresses(item) for item in value]
    return re.sub(r" at 0x[0-9a-fA-F]+", "", value) if isinstance(value, str) else value
