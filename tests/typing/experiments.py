"""What people write around training, under `mypy --strict`: experiments, figures, files."""

import tempfile
from pathlib import Path

import numpy as np

from minidl import Linear, plots
from minidl.data import digits
from minidl.experiments import Results, execute, grid, plan
from minidl.optim import CosineDecay
from minidl.parameters import Array
from minidl.storage import read_arrays, write_arrays


def train(lr: float, *, seed: int) -> dict[str, float | Array]:
    return {"accuracy": 1 - lr + seed, "curve": np.ones(3)}


def passes(folder: Path) -> Results:
    settings = [{"lr": 0.1}, {"lr": 0.2}]
    mixed = [{"lr": 0.1, "name": "one"}, {"lr": 1, "name": "two", "on": True}]
    runs = plan(train, grid(lr=[0.1, 0.2]), seeds=range(2))
    print(len(plan(train, settings, [0])), [setting["name"] for setting in mixed])
    results = execute(runs, jobs=1, folder=folder / "runs", progress=False)
    best = results.best("accuracy", mode="max")
    mean: float = results.where(lr=0.1).mean("accuracy")
    curve: Array = results[0].values["curve"]
    print(best["lr"] + 1, mean, curve[-1], results.array("accuracy").std())
    figure = plots.weight_images(Linear(64, 10).build().weight.value, (8, 8))
    plots.sample_images(digits()).savefig(folder / "images.png")
    plots.schedule_curve(CosineDecay(0.1, 10), 10).savefig(folder / "rate.png")
    figure.savefig(folder / "weights.png")
    write_arrays(folder / "numbers.npz", {"a": np.ones(3)})
    print(read_arrays(str(folder / "numbers.npz"))["a"].sum())
    return results


def fails(results: Results) -> None:
    plan(train, {"lr": 0.1}, seeds=[0])  # type: ignore[dict-item]
    execute(results)  # type: ignore[arg-type]
    results.best("accuracy", mode="largest")  # type: ignore[arg-type]
    results.maen("accuracy")  # type: ignore[attr-defined]
    digits().split("0.8")  # type: ignore[arg-type]
    plots.weight_images(np.ones((64, 10)))  # type: ignore[call-arg]
    read_arrays(3)  # type: ignore[arg-type]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(passes(Path(name)))
