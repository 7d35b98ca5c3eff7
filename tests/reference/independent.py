"""The experiments of the five reports in plain NumPy, written from their protocols and without minidl.

`python tests/reference/independent.py FOLDER`, with mnist/ and cifar-10-batches-bin/ in it, runs the exact MNIST runs
and one seed of softmax, hinge and MLP (a few minutes). The tests beside it hold minidl against it.
"""

import gzip
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

Array = np.ndarray


def mnist(folder: Path, part: str) -> tuple[Array, Array]:
    """Images (n, 784) from -1 to 1 with a column of ones, and labels; part is "train" or "t10k"."""
    images, labels = (
        np.frombuffer(gzip.decompress((folder / "mnist" / f"{part}-{kind}-ubyte.gz").read_bytes()), np.uint8)
        for kind in ("images-idx3", "labels-idx1")
    )
    pixels = images[16:].reshape(-1, 784) / 255 * 2 - 1
    return np.hstack([pixels, np.ones((len(pixels), 1))]), labels[8:].astype(int)


def cifar10(folder: Path, *parts: str) -> tuple[Array, Array]:
    """Pixels (n, 3072) from 0 to 255 and labels of some of the files."""
    files = [np.fromfile(folder / "cifar-10-batches-bin" / f"{part}.bin", np.uint8).reshape(-1, 3073) for part in parts]
    records = np.concatenate(files)
    return records[:, 1:].astype(float), records[:, 0].astype(int)


def cross_entropy(scores: Array, labels: Array) -> tuple[float, Array]:
    """Mean of log sum exp s - s_y, and its gradient (softmax - one hot) / n."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    one_hot = np.eye(scores.shape[1])[labels]
    return float((np.log(total[:, 0]) - (shifted * one_hot).sum(axis=1)).mean()), (
        np.exp(shifted) / total - one_hot
    ) / len(labels)


def two_classes(scores: Array, labels: Array) -> tuple[float, Array]:
    """Mean of log(1 + exp s) - t s, and its gradient (sigmoid - t) / n, scores (n, 1)."""
    s = scores[:, 0]
    loss = np.maximum(s, 0) - s * labels + np.log1p(np.exp(-np.abs(s)))
    return float(loss.mean()), (1 / (1 + np.exp(-scores)) - labels[:, None]) / len(labels)


def hinge(scores: Array, labels: Array) -> tuple[float, Array]:
    """Mean of max(0, 1 + the largest other score - s_y), and a gradient."""
    rows = np.arange(len(labels))
    margins = scores - scores[rows, labels][:, None] + 1
    margins[rows, labels] = 0
    worst, gradient = margins.argmax(axis=1), np.zeros_like(scores)
    violated = margins[rows, worst] > 0
    gradient[rows[violated], worst[violated]] = 1
    gradient[rows[violated], labels[violated]] -= 1
    return float(margins[rows, worst].mean()), gradient / len(labels)


def network(weights: list[Array], x: Array) -> list[Array]:
    """What each layer of x W + b, with sigmoids between, puts out; the last are scores."""
    outputs = [x]
    for place in range(0, len(weights), 2):
        entering = 1 / (1 + np.exp(-outputs[-1])) if place else x
        outputs.append(entering @ weights[place] + weights[place + 1])
    return outputs


def gradients(
    weights: list[Array], x: Array, labels: Array, loss_of: Callable[..., tuple[float, Array]]
) -> list[Array]:
    """The derivative of the loss by each W and b, from the last layer to the first."""
    outputs, found = network(weights, x), list[Array]()
    flow = loss_of(outputs[-1], labels)[1]
    for place in range(len(weights) - 2, -1, -2):
        inside = 1 / (1 + np.exp(-outputs[place // 2])) if place else x
        found = [inside.T @ flow, flow.sum(axis=0), *found]
        flow = (flow @ weights[place].T) * inside * (1 - inside)
    return found


def sgd(
    weights: list[Array],
    x: Array,
    labels: Array,
    loss_of: Callable[..., tuple[float, Array]],
    batches: Iterable[Array],
    rate: float,
    strength: float = 0.0,
) -> Iterator[float]:
    """Plain SGD in place on the loss + strength sum W^2; after each step the loss of its batch before it."""
    for rows in batches:
        loss = loss_of(network(weights, x[rows])[-1], labels[rows])[0]
        steps = gradients(weights, x[rows], labels[rows], loss_of)
        for place, (weight, step) in enumerate(zip(weights, steps, strict=True)):
            weight -= rate * (step + 2 * strength * weight * (place % 2 == 0))
        yield loss


def in_batches(order: Array, size: int) -> Iterator[Array]:
    """Its parts of a size, without a short last one."""
    return (order[start : start + size] for start in range(0, len(order) - size + 1, size))


def early_stopped(
    train: tuple[Array, Array],
    held: tuple[Array, Array],
    classes: int,
    stream: np.random.RandomState | None,
    **how: float,
) -> dict[str, float]:
    """The MNIST runs: zeros, batches of 128, a look at the held-out set 5 times an epoch, counted from step 0."""
    (x, labels), patience, strength = train, int(how.get("patience", 10)), how.get("strength", 0.0)
    w, loss_of, rate = np.zeros((785, classes)), *((two_classes, 0.05) if classes == 1 else (cross_entropy, 0.01))
    step, best, worse, epoch_steps = 0, np.inf, 0, len(x) // 128
    order = list(range(len(x)))
    for _ in range(int(how.get("epochs", 500))):
        if stream is not None:
            order = list(range(len(x)))
            stream.shuffle(order)
        for rows in in_batches(np.array(order), 128):
            w -= rate * (x[rows].T @ loss_of(x[rows] @ w, labels[rows])[1] + 2 * strength * w)
            if step % (epoch_steps // 5) == 0:
                held_loss = loss_of(held[0] @ w, held[1])[0]
                worse = worse + 1 if held_loss > best else 0
                best = min(best, held_loss)
                if worse == patience:
                    return ends(train, held, w, loss_of) | {"stop": step}
            step += 1
    return ends(train, held, w, loss_of) | {"stop": step - 1}


def ends(
    train: tuple[Array, Array], held: tuple[Array, Array], w: Array, loss_of: Callable[..., tuple[float, Array]]
) -> dict[str, float]:
    """Losses and accuracies on both sets, and the norm of the weights."""
    found = {"norm": float(np.linalg.norm(w))}
    for name, (x, labels) in (("training", train), ("validation", held)):
        scores = x @ w
        right = (scores[:, 0] >= 0) == labels if w.shape[1] == 1 else scores.argmax(axis=1) == labels
        found |= {f"{name}_loss": loss_of(scores, labels)[0], f"{name}_accuracy": float(right.mean())}
    return found


def mnist_sets(folder: Path, classes: int) -> list[tuple[Array, Array]]:
    """The first 20 000 and all 10 000 images; for one score the 2s (target 1) and 3s (target 0) of them."""
    sets = []
    for part, count in (("train", 20_000), ("t10k", 10_000)):
        x, labels = (array[:count] for array in mnist(folder, part))
        kept = (labels == 2) | (labels == 3)
        sets.append((x[kept], (labels[kept] == 2).astype(int)) if classes == 1 else (x, labels))
    return sets


def main(folder: Path) -> None:
    """The exact MNIST runs, then one seed of three classifiers on CIFAR-10."""
    for classes, stream in ((1, None), (1, np.random.RandomState(0)), (10, np.random.RandomState(0))):
        print(classes, "file order" if stream is None else "legacy order, seed 0")
        print(early_stopped(*mnist_sets(folder, classes), classes, stream))
    stream = np.random.RandomState(0)
    for strength in (1.0, 0.1, 0.01, 0.001, 0.0):
        print("lambda", strength, early_stopped(*mnist_sets(folder, 10), 10, stream, strength=strength))
    rng = np.random.default_rng(0)
    raw, labels = cifar10(folder, *(f"data_batch_{number}" for number in range(1, 6)))
    test, answers = cifar10(folder, "test_batch")
    mean, deviation = raw[:10_000].mean(axis=0), raw[:10_000].std(axis=0)
    centre = raw[:49_000].mean(axis=0)
    small, wide = [0.01 * rng.standard_normal((3072, 10)), np.zeros(10)], [0.001 * rng.standard_normal((3072, 10))]
    sizes = (3072, 100, 100, 10)
    mlp = [part for i, o in pairwise(sizes) for part in (rng.normal(0, (2 / i) ** 0.5, (i, o)), np.zeros(o))]
    shuffled = (rows for _ in range(40) for rows in in_batches(rng.permutation(10_000), 100))
    drawn = in_batches(rng.integers(0, 49_000, 6 * 49_000), 400)
    filed = (rows for _ in range(20) for rows in np.split(np.arange(50_000), range(64, 50_000, 64)))
    for name, weights, (x, held), loss_of, batches, rate, strength in (
        ("softmax", small, ((raw - mean) / deviation, (test - mean) / deviation), cross_entropy, shuffled, 1e-3, 0.0),
        ("hinge", [*wide, np.zeros(10)], (raw - centre, test - centre), hinge, drawn, 3e-7, 1e4),
        ("sigmoid MLP", mlp, (raw / 255, test / 255), cross_entropy, filed, 0.3, 0.0),
    ):
        for _ in sgd(weights, x, labels, loss_of, batches, rate, strength):
            pass
        print(name, "test accuracy", (network(weights, held)[-1].argmax(axis=1) == answers).mean())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
