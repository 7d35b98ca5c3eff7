"""What the hinge report runs: a single run, a search over eight settings, other batches, small initial weights."""

from argparse import Namespace
from typing import Any

import numpy as np
from images import cifar10_centred
from report import seeds

from minidl import L1, L2, SGD, AverageWeights, Hinge, Linear, Sequential, Trainer, WestonWatkinsHinge, accuracy
from minidl.experiments import PlannedRun, plan
from minidl.initializers import normal

SINGLE = {"lr": 1e-7, "strength": 5e4, "penalty": "L2", "batch_size": 200}
COLUMNS: list[dict[str, Any]] = [
    {"lr": lr, "strength": strength, "penalty": penalty, "batch_size": batch_size}
    for lr, strength, penalty, batch_size in (
        (1e-8, 1e4, "L1", 50),
        (1e-7, 3e4, "L2", 100),
        (3e-7, 5e4, "L1", 200),
        (3e-7, 1e4, "L2", 400),
        (5e-7, 8e4, "L1", 100),
        (8e-7, 1e5, "L2", 200),
        (1e-6, 5e4, "L1", 200),
        (1e-5, 5e5, "L2", 400),
    )
]
BEST, DIVERGING = COLUMNS[3], COLUMNS[7]
USUAL: dict[str, Any] = {"scale": 1e-3, "epochs": 6}  # of the initial weights, and of the run
WORDS = {"max": "maximum", "sum": "sum"}
LOSSES = {"max": Hinge, "sum": WestonWatkinsHinge}
BATCHES = (50, 100, 200, 400, 800)
SMALL = 1e-6  # initial weights that nothing can be seen of
VARIANTS = {
    "max, last weights": {"loss": "max", "averaged": False},
    "max, averaged weights": {"loss": "max", "averaged": True},
    "sum, last weights": {"loss": "sum", "averaged": False},
}
SETS = ("training", "validation", "test")


def train(
    loss: str,
    averaged: bool,
    lr: float,
    strength: float,
    penalty: str,
    batch_size: int,
    scale: float,
    epochs: float,
    *,
    seed: int,
    rows: int,
    held_out: int,
) -> dict[str, Any]:
    """One classifier: losses every 100 iterations, losses and accuracies at the end, and its weights.

    `scale` is the standard deviation of the initial weights. `decay_loss` is the validation loss of weights that only
    the penalty moves, by (1 - 2 lr strength) in every iteration.
    """
    sets = dict(zip(SETS, cifar10_centred(rows, held_out), strict=True))
    model = Sequential(Linear(3072, 10, weight_init=normal(scale))).build(seed=seed)
    start = model.parameters.value.copy()
    trainer = Trainer(
        model,
        LOSSES[loss](),
        SGD(lr),
        regularizers=[L1(strength) if penalty == "L1" else L2(strength)],
        metrics=[accuracy],
        callbacks=[AverageWeights(last=1 / 3)] if averaged else [],
    )
    before = trainer.evaluate(sets["validation"])["loss"]
    history = trainer.fit(
        sets["training"],
        sets["validation"],
        steps=int(rows * epochs) // batch_size,
        batch_size=batch_size,
        validate_every=100,
        replacement=True,
        seed=seed,
        restore_best=False,
        raise_divergence=False,  # one of the settings diverges, and that is a result
        progress=False,
    )
    on_the_way = ~np.isnan(history.evaluations["train_loss"])  # without the mean of the weights, evaluated at the end
    costs, steps = history.steps["cost"], [0, *np.array(history.evaluations["step"])[on_the_way]]
    ends = {name: trainer.evaluate(data) for name, data in sets.items()}
    weight = model[0].weight.value.copy()
    decay = []
    for step in steps if penalty == "L2" and not history.stopped_because.startswith("diverged") else []:
        model.parameters.value[...] = start * (1 - 2 * lr * strength) ** int(step)
        decay.append(trainer.evaluate(sets["validation"])["loss"])
    found = {f"{name}_accuracy": end["accuracy"] for name, end in ends.items()}
    return found | {
        "training_loss": ends["training"]["loss"],
        "step": steps,
        "epochs_counted": history.steps["epoch"][-1],
        "training_cost": [costs[min(int(step), len(costs) - 1)] for step in steps],  # of one batch
        "decay_loss": decay,
        "validation_loss": [before, *np.array(history.evaluations["validation_loss"])[on_the_way]],
        "weight": weight,
        "diverged": history.stopped_because.startswith("diverged"),
        "steps": len(history.steps["step"]),
    }


def runs(options: Namespace) -> list[PlannedRun]:
    """The single run and the search, for each of the three variants; then what the report supposes about them.

    The best setting with other batches, over six epochs and with as many iterations as the batch of 400; the single
    run and the best setting from small initial weights.
    """
    size = {"rows": 800, "held_out": 100} if options.quick else {"rows": 49_000, "held_out": 1_000}
    last = [{"loss": loss, "averaged": False} for loss in LOSSES]
    settings = [variant | setting | USUAL for variant in VARIANTS.values() for setting in (SINGLE, *COLUMNS)]
    for loss in last:
        other = [batch for batch in BATCHES if batch != BEST["batch_size"]]
        settings += [loss | BEST | USUAL | {"batch_size": batch} for batch in other]
        settings += [loss | BEST | USUAL | same_iterations(batch) for batch in other]
        settings += [loss | setting | USUAL | {"scale": SMALL} for setting in (SINGLE, BEST)]
    return sorted(plan(train, settings, seeds(options, 6), **size), key=lambda run: run.seed)  # a stopped job has all


def same_iterations(batch_size: int) -> dict[str, float]:
    """So many epochs that a batch takes as many iterations as a batch of 400 in six."""
    return {"batch_size": batch_size, "epochs": 6 * batch_size / 400}
