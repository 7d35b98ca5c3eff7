"""The frameworks people would pick instead; each is imported in its own process only, where its system is made."""

from functools import partial

import numpy as np
from systems import System, Weights
from workloads import Workload


class PyTorch(System):
    """PyTorch in eager mode, with the fastest of its three implementations of the optimizer."""

    label, package = "PyTorch eager", "torch"
    variants = ("fused", "foreach", "for-loop")

    def __init__(self, workload: Workload, variant: str, x: np.ndarray, targets: np.ndarray) -> None:
        import torch
        from torch import nn

        activation = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}[workload.activation]
        layers: list[nn.Module] = []
        for W, b in workload.weights():
            linear = nn.Linear(*W.shape)
            linear.weight.data.copy_(torch.from_numpy(W.T))
            linear.bias.data.copy_(torch.from_numpy(b))
            layers += [linear, activation()]
        self.torch, self.model = torch, nn.Sequential(*layers[:-1])
        self.loss = {
            "softmax": nn.CrossEntropyLoss(),
            "logistic": nn.BCEWithLogitsLoss(),
            "hinge": lambda scores, targets: nn.functional.multi_margin_loss(scores, targets) * scores.shape[1],
        }[workload.loss]
        self.optimizer = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[workload.optimizer](
            self.model.parameters(),
            lr=workload.lr,
            weight_decay=2 * workload.l2,
            **{"fused": {"fused": True}, "foreach": {"foreach": True}, "for-loop": {"foreach": False}}[variant],
        )
        self.x, self.targets, self.batch_size = torch.from_numpy(x), torch.from_numpy(targets), workload.batch_size

    def train(self, order: np.ndarray | None = None) -> None:
        """The usual loop."""
        order = self.torch.randperm(len(self.x)) if order is None else self.torch.from_numpy(order)
        for rows in order.split(self.batch_size):
            loss = self.loss(self.model(self.x.index_select(0, rows)), self.targets.index_select(0, rows))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def weights(self) -> Weights:
        """PyTorch keeps W as (out, in)."""
        linear = [layer for layer in self.model if hasattr(layer, "weight")]
        return [(layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy().copy()) for layer in linear]


class Jax(System):
    """JAX: one jitted function a step, state donated; rows gathered by numpy on the host, or inside the function."""

    label, package = "JAX jit", "jax"
    variants = ("host gather", "device gather")

    def __init__(self, workload: Workload, variant: str, x: np.ndarray, targets: np.ndarray) -> None:
        import jax

        jax.config.update("jax_enable_x64", workload.dtype == "float64")
        targets = targets.astype(np.int32) if targets.dtype.kind == "i" else targets
        self.rng, self.batch_size, self.on_device = np.random.default_rng(2), workload.batch_size, "device" in variant
        self.x, self.targets = (jax.device_put(x), jax.device_put(targets)) if self.on_device else (x, targets)
        self.state = jax.device_put(jax_start(workload))
        step = jax_step(workload)
        if self.on_device:
            self.step = jax.jit(lambda state, x, targets, rows: step(state, x[rows], targets[rows]), donate_argnums=0)
        else:
            self.step = jax.jit(step, donate_argnums=0)
        self.wait = jax.block_until_ready

    def train(self, order: np.ndarray | None = None) -> None:
        """Steps are queued without waiting; the clock stops when the last is done."""
        order = (self.rng.permutation(len(self.x)) if order is None else order).astype(np.int32)
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            if self.on_device:
                self.state, _ = self.step(self.state, self.x, self.targets, rows)
            else:
                self.state, _ = self.step(self.state, self.x.take(rows, axis=0), self.targets.take(rows, axis=0))
        self.wait(self.state)

    def weights(self) -> Weights:
        """Copies on the host."""
        return [(np.array(W), np.array(b)) for W, b in self.state["weights"]]


def jax_start(workload: Workload) -> dict:
    """All that changes from step to step."""
    weights = workload.weights()
    if workload.optimizer == "sgd":
        return {"weights": weights}
    zeros = [(np.zeros_like(W), np.zeros_like(b)) for W, b in weights]
    return {"weights": weights, "m": zeros, "v": zeros, "t": np.float32(0)}


def jax_step(workload: Workload):
    """A function (state, x, targets) -> (state, cost), to be compiled."""
    import jax
    import jax.numpy as jnp

    activation = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}[workload.activation]

    def row_losses(scores, targets):
        if workload.loss == "logistic":
            return jax.nn.softplus(scores) - scores * targets
        hit = jax.nn.one_hot(targets, scores.shape[1], dtype=scores.dtype)
        true = (scores * hit).sum(axis=1)
        if workload.loss == "softmax":
            return jax.nn.logsumexp(scores, axis=1) - true
        return (jax.nn.relu(scores - true[:, None] + 1) * (1 - hit)).sum(axis=1)

    def cost(weights, x, targets):
        for W, b in weights[:-1]:
            x = activation(x @ W + b)
        W, b = weights[-1]
        data_loss = row_losses(x @ W + b, targets).mean()
        return data_loss + workload.l2 * sum((W**2).sum() for W, _ in weights) if workload.l2 else data_loss

    def sgd(state, gradient):
        return {"weights": jax.tree.map(lambda w, g: w - workload.lr * g, state["weights"], gradient)}

    def adam(state, gradient):
        t = state["t"] + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["m"], gradient)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, state["v"], gradient)
        lr, root = workload.lr / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        new = jax.tree.map(lambda w, m, v: w - lr * m / (jnp.sqrt(v) / root + 1e-8), state["weights"], m, v)
        return {"weights": new, "m": m, "v": v, "t": t}

    def step(state, x, targets):
        value, gradient = jax.value_and_grad(cost)(state["weights"], x, targets)
        return {"sgd": sgd, "adam": adam}[workload.optimizer](state, gradient), value

    return step


class ScikitLearn(System):
    """scikit-learn's MLPClassifier, which without hidden layers is softmax or logistic regression."""

    label, package = "scikit-learn", "scikit-learn"

    @classmethod
    def has(cls, workload: Workload) -> bool:
        """It has no hinge loss by batches."""
        return workload.loss != "hinge"

    def __init__(self, workload: Workload, variant: str, x: np.ndarray, targets: np.ndarray) -> None:
        from sklearn.neural_network import MLPClassifier

        model = MLPClassifier(
            hidden_layer_sizes=workload.widths[1:-1],
            activation={"relu": "relu", "sigmoid": "logistic"}[workload.activation],
            solver=workload.optimizer,
            alpha=2 * workload.l2 * workload.batch_size,  # its penalty is alpha / (2 n) sum(w**2)
            batch_size=workload.batch_size,
            learning_rate_init=workload.lr,
            momentum=0.0,
            random_state=0,
        )
        self.x, self.targets = x, targets.reshape(-1).astype(np.int64)
        self.epoch = partial(model.partial_fit, classes=np.arange(max(2, workload.widths[-1])))
        self.model = model
        self.epoch(x[: workload.batch_size], self.targets[: workload.batch_size])  # one step allocates the weights
        for (W, b), mine, bias in zip(workload.weights(), model.coefs_, model.intercepts_, strict=True):
            mine[...], bias[...] = W, b
        del model._optimizer  # which remembers that step; a new one is made

    def train(self, order: np.ndarray | None = None) -> None:
        """One partial_fit is one shuffled pass."""
        if order is None:
            self.epoch(self.x, self.targets)
        else:
            self.model.shuffle = False
            self.epoch(self.x[order], self.targets[order])
            self.model.shuffle = True

    def weights(self) -> Weights:
        """Copies of its attributes."""
        return [(W.copy(), b.copy()) for W, b in zip(self.model.coefs_, self.model.intercepts_, strict=True)]
