"""The frameworks people would pick instead; each is imported in its own process only, where its system is made."""

from functools import partial

import numpy as np
from networks import Network
from systems import System, Weights
from workloads import Workload


class PyTorch(System):
    """PyTorch in eager mode, with the fastest of its three implementations of the optimizer."""

    label, package = "PyTorch eager", "torch"
    variants = ("fused", "foreach", "for-loop")

    @classmethod
    def ways(cls, workload: Workload | Network) -> tuple[str, ...]:
        """Convolutions of images with channels last are another way."""
        images = isinstance(workload, Network) and len(workload.shape) == 3
        return ("fused", "fused, channels last") if images else cls.variants

    def __init__(self, workload: Workload | Network, variant: str, x: np.ndarray, targets: np.ndarray) -> None:
        import torch
        from torch import nn

        self.torch, self.model, self.channels_last = torch, torch_model(workload), "channels last" in variant
        self.loss = {
            "softmax": nn.CrossEntropyLoss(),
            "logistic": nn.BCEWithLogitsLoss(),
            "squares": nn.MSELoss(),
            "hinge": lambda scores, targets: nn.functional.multi_margin_loss(scores, targets) * scores.shape[1],
        }[workload.loss]
        rule = {"sgd": partial(torch.optim.SGD, momentum=workload.momentum), "adam": torch.optim.Adam}
        form = {"fused": {"fused": True}, "foreach": {"foreach": True}, "for-loop": {"foreach": False}}
        self.optimizer = rule[workload.optimizer](
            [parameter for parameter in self.model.parameters() if parameter.requires_grad],
            lr=workload.lr,
            weight_decay=2 * workload.l2,
            **form[variant.partition(",")[0]],
        )
        self.x, self.targets, self.batch_size = torch.from_numpy(x), torch.from_numpy(targets), workload.batch_size
        if self.channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.x = self.x.permute(0, 2, 3, 1).contiguous()

    def batch(self, rows):
        """Inputs of those rows."""
        x = self.x.index_select(0, rows)
        return x.permute(0, 3, 1, 2) if self.channels_last else x

    def train(self, order: np.ndarray | None = None) -> None:
        """The usual loop."""
        order = self.torch.randperm(len(self.x)) if order is None else self.torch.from_numpy(order)
        for rows in order.split(self.batch_size):
            loss = self.loss(self.model(self.batch(rows)), self.targets.index_select(0, rows))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def weights(self) -> Weights:
        """PyTorch keeps W as (out, in)."""
        linear = [layer for layer in self.model if hasattr(layer, "weight")]
        return [(layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy().copy()) for layer in linear]

    def cost(self, workload: Workload | Network, x: np.ndarray, targets: np.ndarray) -> float | None:
        """By the model itself where it has more than linear layers."""
        if not isinstance(workload, Network):
            return super().cost(workload, x, targets)
        with self.torch.no_grad():
            return self.loss(self.model(self.torch.from_numpy(x)), self.torch.from_numpy(targets)).item()


def torch_model(workload: Workload | Network):
    """The module of the workload at the weights of the start."""
    if isinstance(workload, Network):
        import torch_networks

        return torch_networks.module(workload)
    import torch
    from torch import nn

    activation = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}[workload.activation]
    layers: list[nn.Module] = []
    for W, b in workload.weights():
        linear = nn.Linear(*W.shape, dtype=getattr(torch, workload.dtype))
        linear.weight.data.copy_(torch.from_numpy(W.T))
        linear.bias.data.copy_(torch.from_numpy(b))
        layers += [linear, activation()]
    return nn.Sequential(*layers[:-1])


class Jax(System):
    """JAX: one jitted function a step, state donated; rows gathered by numpy on the host, or inside the function."""

    label, package = "JAX jit", "jax"
    variants = ("host gather", "device gather")

    def __init__(self, workload: Workload | Network, variant: str, x: np.ndarray, targets: np.ndarray) -> None:
        import jax

        jax.config.update("jax_enable_x64", workload.dtype == "float64")
        targets = targets.astype(np.int32) if targets.dtype.kind == "i" else targets
        self.rng, self.batch_size, self.on_device = np.random.default_rng(2), workload.batch_size, "device" in variant
        self.x, self.targets = (jax.device_put(x), jax.device_put(targets)) if self.on_device else (x, targets)
        if isinstance(workload, Network):
            import jax_networks

            self.x = jax.device_put(jax_networks.layout(x)) if self.on_device else jax_networks.layout(x)
            weights, running = jax_networks.start(workload)
            self.state = jax.device_put(jax_state(workload, weights) | {"running": running})
            step = jax_networks.step(workload, jax_rule(workload))
        else:
            self.state = jax.device_put(jax_state(workload, workload.weights()))
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

    def cost(self, workload: Workload | Network, x: np.ndarray, targets: np.ndarray) -> float | None:
        """By the function itself where there is more than linear layers."""
        if not isinstance(workload, Network):
            return super().cost(workload, x, targets)
        import jax_networks

        loss, _ = jax_networks.cost(workload)(self.state["weights"], jax_networks.layout(x), targets)
        return float(loss)


def jax_state(workload: Workload | Network, weights) -> dict:
    """All that changes from step to step."""
    import jax

    zeros = jax.tree.map(np.zeros_like, weights)
    if workload.optimizer == "adam":
        return {"weights": weights, "m": zeros, "v": zeros, "t": np.float32(0)}
    return {"weights": weights, "m": zeros} if workload.momentum else {"weights": weights}


def jax_rule(workload: Workload | Network):
    """A function (state, gradient) -> what the optimizer changes of the state."""
    import jax
    import jax.numpy as jnp

    def sgd(state, gradient):
        if not workload.momentum:
            return {"weights": jax.tree.map(lambda w, g: w - workload.lr * g, state["weights"], gradient)}
        m = jax.tree.map(lambda m, g: workload.momentum * m + g, state["m"], gradient)
        return {"weights": jax.tree.map(lambda w, m: w - workload.lr * m, state["weights"], m), "m": m}

    def adam(state, gradient):
        t = state["t"] + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["m"], gradient)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, state["v"], gradient)
        lr, root = workload.lr / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        new = jax.tree.map(lambda w, m, v: w - lr * m / (jnp.sqrt(v) / root + 1e-8), state["weights"], m, v)
        return {"weights": new, "m": m, "v": v, "t": t}

    return {"sgd": sgd, "adam": adam}[workload.optimizer]


def jax_step(workload: Workload):
    """A function (state, x, targets) -> (state, cost), to be compiled."""
    import jax

    activation = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}[workload.activation]

    def row_losses(scores, targets):
        if workload.loss == "squares":
            return ((scores - targets) ** 2).mean(axis=1)
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

    update = jax_rule(workload)

    def step(state, x, targets):
        value, gradient = jax.value_and_grad(cost)(state["weights"], x, targets)
        return update(state, gradient), value

    return step


class ScikitLearn(System):
    """scikit-learn's MLPClassifier, which without hidden layers is softmax or logistic regression."""

    label, package = "scikit-learn", "scikit-learn"

    @classmethod
    def has(cls, workload: Workload | Network) -> bool:
        """It has no hinge loss by batches, and only linear layers."""
        return isinstance(workload, Workload) and workload.loss in ("softmax", "logistic")

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
