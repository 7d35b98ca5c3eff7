"""A run for tests of several ranks: `mpiexec -n 2 python -m tests.tools.ranks out.npz '{"epochs": 2}'`."""

import json
import os
import signal
import sys

import numpy as np

from minidl import L2, Adam, Callback, Checkpoint, Dropout, EarlyStopping, Linear, ReLU, Sequential, SoftmaxCrossEntropy
from minidl.data import Dataset


class Mischief(Callback):
    """At a step, one rank does something."""

    def __init__(self, rank, step, what):
        self.rank, self.step, self.what = rank, step, what

    def on_step_end(self, trainer):
        if trainer.rank == self.rank and trainer.optimizer.steps == self.step:
            if self.what == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.what == "interrupt":
                os.kill(os.getpid(), signal.SIGINT)
            if self.what == "stop":
                trainer.stop("seen enough")
            if self.what == "raise":
                raise ArithmeticError("a mistake of a callback")
            if self.what == "diverge":
                trainer.model.parameters.value[...] = np.inf

    def on_fit_end(self, trainer):
        if trainer.rank == self.rank and self.what == "raise at the end":
            raise ArithmeticError("a mistake at the end")


def data(rows=83, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 6))
    return Dataset(x, (x @ rng.standard_normal((6, 3))).argmax(axis=1), weights=rng.random(rows) + 0.5)


def make(kind, *, dropout=False, callbacks=(), seed=0):
    layers = [Linear(6, 16), ReLU(), *([Dropout(0.5)] if dropout else []), Linear(16, 3)]
    model = Sequential(*layers).build(seed=seed, dtype=np.float64)
    return kind(model, SoftmaxCrossEntropy(), Adam(1e-2), regularizers=[L2(1e-3)], callbacks=callbacks)


def main():
    from mpi4py import MPI

    from minidl.distributed import Trainer

    out, options = sys.argv[1], json.loads(sys.argv[2])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    callbacks = [EarlyStopping(patience=1000)]
    if "mischief" in options:
        callbacks.append(Mischief(**options.pop("mischief")))
    if path := options.pop("checkpoint", None):
        callbacks.append(Checkpoint(path, every_steps=1))
    rank = MPI.COMM_WORLD.Get_rank()
    seeds = options.pop("seeds", None) or [0] * (rank + 1)
    trainer = make(Trainer, dropout=options.pop("dropout", False), callbacks=callbacks, seed=seeds[rank])
    train, error = data(seed=seeds[rank]), ""
    try:
        trainer.fit(train, train.take(slice(0, 20)), batch_size=27, progress=False, **options)
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    np.savez(
        f"{out}.{trainer.rank}.npz",
        weights=trainer.model.parameters.value,
        cost=trainer.history.steps["cost"],
        ended=trainer.history.stopped_because,
        error=error,
    )


if __name__ == "__main__":
    main()
