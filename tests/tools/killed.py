"""Training that is killed again and again, and what must be true afterwards.

    python -m tests.tools.killed            # 50 kills and 50 double interrupts, about a minute

A process trains with dropout, running statistics, augmentation, Adam on a schedule, early stopping, a plateau and a
checkpoint every third step. It is killed with SIGKILL at random moments and started again, until it may finish; the
weights, the history and the best weights must have the bits of a process that was never killed. In the second part
Ctrl-C is sent twice, a random moment apart: the best weights must be in the model, and the checkpoint must be usable.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from minidl import (
    Adam,
    Checkpoint,
    Dataset,
    EarlyStopping,
    Linear,
    ReduceOnPlateau,
    Sequential,
    SoftmaxCrossEntropy,
    Tanh,
    Trainer,
)
from minidl.optim import CosineDecay
from minidl.storage import read_arrays
from tests.tools.restless import Dropout, Interrupt, RunningCentre, noisy

ROOT = Path(__file__).parents[2]
FILE = "run.npz"


def build(folder, stop):
    """The trainer, its validation set, and a function that trains, going on from the checkpoint if there is one."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 20)).astype(np.float32)
    train, validation = Dataset(x[:300], x[:300, :4].argmax(axis=1)), Dataset(x[300:], x[300:, :4].argmax(axis=1))
    model = Sequential(Linear(20, 30), Tanh(), Dropout(), RunningCentre(30), Linear(30, 4)).build(seed=0)
    path = folder / FILE
    stopping, plateau = EarlyStopping(patience=10_000), ReduceOnPlateau(patience=60, factor=0.9)
    callbacks = [stopping, plateau, Checkpoint(path, every_steps=3), Interrupt(stop)]
    trainer = Trainer(model, SoftmaxCrossEntropy(), Adam(CosineDecay(1e-2, 6000)), callbacks=callbacks)
    settings = {"batch_size": 8, "validate_every": 7, "augment": noisy, "progress": False}

    def fit(epochs):
        trainer.fit(train, validation, epochs=epochs, resume=path if path.exists() else None, **settings)

    return trainer, validation, fit


def digest(trainer):
    """One string for the weights and the whole history."""
    found = hashlib.sha256()
    for array in trainer.model.parameters.snapshot().values():
        found.update(array.tobytes())
    found.update(json.dumps(vars(trainer.history)).encode())
    return found.hexdigest()


def start(folder, epochs):
    """A process that trains in a folder, once it is about to begin."""
    command = [sys.executable, "-m", "tests.tools.killed", "--train", str(folder), str(epochs)]
    settings = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=settings, cwd=ROOT)
    if process.stdout.readline() != "ready\n":
        raise RuntimeError(f"the process that trains ended with code {process.wait()}")
    return process


def finish(process):
    """What the process says in the end."""
    answer = process.stdout.read()
    process.stdout.close()
    if process.wait():
        raise RuntimeError(f"the process that trains ended with code {process.returncode}: {answer}")
    return json.loads(answer)


def killed(folder, kills, *, epochs, seed=0):
    """Kill so many times, then let it finish: how often a file was being written, the steps reached, and the end."""
    moments, steps, halves = random.Random(seed), [], set()
    for _ in range(kills):
        process = start(folder, epochs)
        time.sleep(moments.uniform(0, 0.15))
        process.kill()
        process.wait()
        process.stdout.close()
        halves |= {file.name for file in folder.glob(f".{FILE}.*")}  # the next run removes them
        if (folder / FILE).exists():
            steps.append(len(read_arrays(folder / FILE)["steps/step"]))
    return {"writing": len(halves), "steps": steps, **finish(start(folder, epochs))}


def interrupted(folder, *, epochs, seed):
    """Send Ctrl-C twice: what the process found, and what one finds that goes on from its checkpoint."""
    moments = random.Random(seed)
    process = start(folder, epochs)
    time.sleep(moments.uniform(0.02, 0.3))
    process.send_signal(signal.SIGINT)
    time.sleep(moments.choice([0, moments.uniform(0, 0.003)]))
    process.send_signal(signal.SIGINT)
    found = finish(process) | {"checkpoint": (folder / FILE).exists()}
    return found, finish(start(folder, epochs))


def main():
    """Count, or be the process that trains."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", nargs="+", metavar=("FOLDER", "EPOCHS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        train(Path(options.train[0]), *map(int, options.train[1:]))
        return
    print(*(f"{name}: {value}" for name, value in counted(50, 50).items()), sep="\n")


def counted(kills, interrupts):
    """What stands in docs/promises.md about kills and interrupts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for place in ("whole", "killed", "short", *map(str, range(interrupts))):
            (folder / place).mkdir()
        whole, short = finish(start(folder / "whole", 150)), finish(start(folder / "short", 15))
        after = killed(folder / "killed", kills, epochs=150)
        both = [interrupted(folder / str(seed), epochs=15, seed=seed) for seed in range(interrupts)]
    return {
        "kills": kills,
        "kills while a file was written": after["writing"],
        "same bits after the kills": after["digest"] == whole["digest"],
        "double interrupts": interrupts,
        "double interrupts that ended the run": sum(found["ended"].startswith("interrupted") for found, _ in both),
        "best weights given back": sum(found["best"] and found["rest"] for found, _ in both),
        "checkpoints left": sum(found["checkpoint"] for found, _ in both),
        "same bits after going on": sum(later["digest"] == short["digest"] for _, later in both),
    }


def train(folder, epochs, stop=0):
    """Train, and say what is so afterwards."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a process started in the background ignores it
    trainer, validation, fit = build(folder, stop)
    print("ready", flush=True)
    with suppress(KeyboardInterrupt):  # a later Ctrl-C, when everything is in order
        with suppress(KeyboardInterrupt):
            fit(epochs)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    history, layers = trainer.history, trainer.model.layers_inside()
    found = {
        "digest": digest(trainer),
        "ended": history.stopped_because,
        "best": history.best_value is None or trainer.evaluate(validation)["loss"] == history.best_value,
        "rest": all(layer.needs_dx and not layer.training for layer in layers),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
