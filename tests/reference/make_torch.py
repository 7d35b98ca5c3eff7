"""Write torch.json: what PyTorch makes of fixed inputs, in float64, for the tests to compare minidl with.

Run it, from the root of the project, only to change the cases:

    python -m pip install -e ".[bench]"
    python tests/reference/make_torch.py

Arrays are nested lists; floats are written so that they read back to the bit. Rows are samples. Keys:

    versions    {"torch", "numpy"}
    seed        of all random inputs
    optimizers  case -> {"optimizer": class name, "arguments": {...} in minidl's names,
                "start": (5,), the first three the weights and the last two the bias, which is not decayed,
                "gradients": (10, 5), "values": (10, 5), after each step}
    losses      case -> {"loss", "scores", "targets", further inputs of that loss by name, "value": float,
                "gradient": that of value in scores}
                cross_entropy_*: scores (6, 4); targets (6,) or rows of probabilities (6, 4); "label_smoothing"; or
                  "class_weights" (4,), where value = sum_i c[y_i] l_i / sum_i c[y_i]
                binary_cross_entropy_*: scores and targets (6, 4), value is the mean over all 24; or "weights" (6,)
                  of rows, whose mean is 1, so dividing by their sum or by 6 is the same
                *_extreme: scores of some 1e4
                hinge_crammer_singer: mean_i max(0, margin + max_{j != y} s_j - s_y); "margin"
                hinge_weston_watkins: mean_i sum_{j != y} max(0, margin + s_j - s_y); "margin"
                mean_squared_error: scores and targets (6, 4), value is the mean over all 24
    layers      case -> {"x": (6, 4), "dy", "y", "dx"}; dy is the random gradient that is given to backward;
                linear: y = x weight + bias, with "weight" (4, 3), "bias" (3,), "dweight", "dbias"; softmax is over rows
    channels    case -> {"layer": class name, "arguments": {...} in minidl's names, "training": whether, "x", "dy", "y",
                "dx"} of element-wise layers, normalizations and Maxout; parameters by name, with "d" their gradients;
                "before" and "after": running statistics before and after that forward
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

SEED = 20130613
STEPS = 10
WEIGHTS = 3  # of the five numbers: the others are a bias

# case: (class in minidl, class in torch, arguments in minidl's names, arguments in torch's names)
OPTIMIZERS = {
    "sgd": ("SGD", torch.optim.SGD, {"lr": 0.1}, {"lr": 0.1}),
    "sgd_momentum": ("SGD", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.1, "momentum": 0.9}),
    "sgd_nesterov": (
        "SGD",
        torch.optim.SGD,
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    ),
    "adam": (
        "Adam",
        torch.optim.Adam,
        {"lr": 0.01, "beta1": 0.8, "beta2": 0.99, "eps": 1e-3},
        {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-3},
    ),
    "adam_defaults": ("Adam", torch.optim.Adam, {}, {}),
    "adamw": (
        "AdamW",
        torch.optim.AdamW,
        {"lr": 0.01, "weight_decay": 0.3},
        {"lr": 0.01, "weight_decay": 0.3},
    ),
    "adamw_defaults": ("AdamW", torch.optim.AdamW, {}, {}),
    "rmsprop": (
        "RMSprop",
        torch.optim.RMSprop,
        {"lr": 0.01, "rho": 0.95, "eps": 1e-3},
        {"lr": 0.01, "alpha": 0.95, "eps": 1e-3},
    ),
    "rmsprop_defaults": ("RMSprop", torch.optim.RMSprop, {}, {"lr": 1e-3, "alpha": 0.9}),
}


def optimizer_case(rng, name, torch_class, arguments, torch_arguments):
    start, gradients = rng.normal(size=5), rng.normal(size=(STEPS, 5))
    weight, bias = (torch.tensor(part, requires_grad=True) for part in (start[:WEIGHTS], start[WEIGHTS:]))
    groups = [{"params": [weight]}, {"params": [bias], "weight_decay": 0.0}]
    optimizer = torch_class(groups, **torch_arguments)
    values = []
    for gradient in gradients:
        weight.grad, bias.grad = torch.tensor(gradient[:WEIGHTS]), torch.tensor(gradient[WEIGHTS:])
        optimizer.step()
        values.append(torch.cat([weight, bias]).tolist())
    inputs = {"start": start.tolist(), "gradients": gradients.tolist()}
    return {"optimizer": name, "arguments": arguments, **inputs, "values": values}


def crammer_singer(scores, targets, margin):
    right = scores.gather(1, targets[:, None])[:, 0]
    others = scores.masked_fill(functional.one_hot(targets, scores.shape[1]).bool(), -torch.inf)
    return (margin + others.max(dim=1).values - right).clamp(min=0).mean()


def weston_watkins(scores, targets, margin):
    gaps = margin + scores - scores.gather(1, targets[:, None])
    others = 1 - functional.one_hot(targets, scores.shape[1])
    return (gaps.clamp(min=0) * others).sum(dim=1).mean()


def binary_cross_entropy(scores, targets, weights=None):
    return functional.binary_cross_entropy_with_logits(
        scores, targets, weight=None if weights is None else weights[:, None]
    )


def cross_entropy(scores, targets, label_smoothing=0.0, class_weights=None):
    return functional.cross_entropy(scores, targets, weight=class_weights, label_smoothing=label_smoothing)


def loss_case(loss, scores, targets, **inputs):
    tensors = {name: torch.tensor(v, dtype=torch.float64) if isinstance(v, list) else v for name, v in inputs.items()}
    s = torch.tensor(scores, requires_grad=True)
    value = loss(s, torch.tensor(targets), **tensors)
    value.backward()
    inputs = {"scores": scores.tolist(), "targets": targets.tolist(), **inputs}
    return {"loss": loss.__name__, **inputs, "value": value.item(), "gradient": s.grad.tolist()}


def loss_cases(rng):
    scores, labels = rng.normal(size=(6, 4)) * 2, np.array([0, 3, 1, 1, 2, 0])
    probabilities, bits = rng.dirichlet(np.ones(4), size=6), rng.integers(0, 2, size=(6, 4)).astype(float)
    squared = functional.mse_loss
    return {
        "cross_entropy_labels": loss_case(cross_entropy, scores, labels),
        "cross_entropy_probabilities": loss_case(cross_entropy, scores, probabilities),
        "cross_entropy_smoothed": loss_case(cross_entropy, scores, labels, label_smoothing=0.1),
        "cross_entropy_class_weights": loss_case(cross_entropy, scores, labels, class_weights=[0.5, 2.0, 1.0, 1.5]),
        "cross_entropy_extreme": loss_case(cross_entropy, scores * 1e4, labels),
        "binary_cross_entropy": loss_case(binary_cross_entropy, scores, bits),
        "binary_cross_entropy_weights": loss_case(
            binary_cross_entropy, scores, bits, weights=[0.5, 1.5, 2.0, 0.0, 1.25, 0.75]
        ),
        "binary_cross_entropy_extreme": loss_case(binary_cross_entropy, scores * 1e4, bits),
        "hinge_crammer_singer": loss_case(crammer_singer, scores, labels, margin=1.0),
        "hinge_weston_watkins": loss_case(weston_watkins, scores, labels, margin=1.0),
        "mean_squared_error": loss_case(squared, scores, rng.normal(size=(6, 4))),
    }


def layer_case(rng, function, x, **parameters):
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in {"x": x, **parameters}.items()}
    y = function(**tensors)
    dy = rng.normal(size=tuple(y.shape))
    y.backward(torch.tensor(dy))
    inputs = {name: tensor.tolist() for name, tensor in tensors.items()}
    gradients = {f"d{name}": tensor.grad.tolist() for name, tensor in tensors.items()}
    return {**inputs, "dy": dy.tolist(), "y": y.tolist(), **gradients}


def layer_cases(rng):
    x = rng.normal(size=(6, 4)) * 2
    linear = {"weight": rng.normal(size=(4, 3)), "bias": rng.normal(size=3)}
    return {
        "sigmoid": layer_case(rng, lambda x: torch.sigmoid(x), x),
        "tanh": layer_case(rng, lambda x: torch.tanh(x), x),
        "relu": layer_case(rng, lambda x: torch.relu(x), x),
        "softmax": layer_case(rng, lambda x: torch.softmax(x, dim=1), x),
        "linear": layer_case(rng, lambda x, weight, bias: functional.linear(x, weight.T, bias), x, **linear),
    }


def features_last(function):
    """The same for x whose features are in the last axis, where torch has them in axis 1."""
    return lambda x, **more: function(x=x.movedim(-1, 1), **more).movedim(1, -1)


def maxout(x, weight, bias):
    return (x @ weight + bias).reshape(len(x), 3, 2).amax(dim=1)


def layer_norm(axes):
    return lambda x, gain, bias: functional.layer_norm(x, axes, gain, bias, 1e-5)


def group_norm(groups):
    return lambda x, gain, bias: functional.group_norm(x, groups, gain, bias, 1e-5)


# case: (class in minidl, arguments in its names, the same in torch, shape of x, shapes of the parameters)
CHANNELS = {
    "log_softmax": ("LogSoftmax", {}, lambda x: torch.log_softmax(x, dim=-1), (6, 4), {}),
    "leaky_relu": ("LeakyReLU", {"slope": 0.2}, lambda x: functional.leaky_relu(x, 0.2), (6, 4), {}),
    "hard_tanh": ("HardTanh", {"low": -0.5, "high": 2.0}, lambda x: functional.hardtanh(x, -0.5, 2.0), (6, 4), {}),
    "elu": ("ELU", {"alpha": 1.5}, lambda x: functional.elu(x, 1.5), (6, 4), {}),
    "selu": ("SELU", {}, lambda x: functional.selu(x), (6, 4), {}),
    "gelu": ("GELU", {}, lambda x: functional.gelu(x, approximate="tanh"), (6, 4), {}),
    "silu": ("SiLU", {}, lambda x: functional.silu(x), (6, 4), {}),
    "softplus": ("Softplus", {"beta": 2.0}, lambda x: functional.softplus(x, 2.0), (6, 4), {}),
    "maxout": (
        *("Maxout", {"in_features": 4, "out_features": 2, "pieces": 3}, maxout),
        *((6, 4), {"weight": (4, 6), "bias": (6,)}),
    ),
    "layer_norm": ("LayerNorm", {"features": 4}, layer_norm((4,)), (6, 4), {"gain": (4,), "bias": (4,)}),
    "layer_norm_axes": (
        *("LayerNorm", {"features": [2, 3]}, layer_norm((2, 3))),
        *((2, 4, 2, 3), {"gain": (2, 3), "bias": (2, 3)}),
    ),
    "group_norm": (*("GroupNorm", {"groups": 2, "channels": 6}, group_norm(2), (3, 6), {"gain": (6,), "bias": (6,)}),),
    "group_norm_images": (
        *("GroupNorm", {"groups": 2, "channels": 4}, group_norm(2), (2, 4, 3, 2), {"gain": (4,), "bias": (4,)}),
    ),
    "group_norm_sequences": (
        *("GroupNorm", {"groups": 2, "channels": 4}, features_last(group_norm(2))),
        *((2, 3, 4), {"gain": (4,), "bias": (4,)}),
    ),
}
BATCHES = {"batch_norm": (6, 4), "batch_norm_images": (3, 4, 2, 3), "batch_norm_sequences": (3, 5, 4)}


def channel_case(rng, name, arguments, function, shape, parameters):
    drawn = {parameter: rng.normal(size=size) for parameter, size in parameters.items()}
    return {
        **{"layer": name, "arguments": arguments, "training": False},
        **layer_case(rng, function, rng.normal(size=shape) * 2, **drawn),
    }


def batch_case(rng, shape, training):
    before = {"mean": rng.normal(size=4), "variance": rng.uniform(0.5, 2, size=4)}
    mean, variance = (torch.tensor(state) for state in before.values())

    def batch_norm(x, gain, bias):
        return functional.batch_norm(x, mean, variance, gain, bias, training, 0.25, 1e-5)

    function = features_last(batch_norm) if len(shape) == 3 else batch_norm
    arguments, parameters = {"features": 4, "momentum": 0.25}, {"gain": (4,), "bias": (4,)}
    case = channel_case(rng, "BatchNorm", arguments, function, shape, parameters)
    states = {"before": {name: state.tolist() for name, state in before.items()}}
    return case | states | {"training": training, "after": {"mean": mean.tolist(), "variance": variance.tolist()}}


def channel_cases(rng):
    cases = {case: channel_case(rng, *row) for case, row in CHANNELS.items()}
    for case, shape in BATCHES.items():
        cases[case], cases[f"{case}_inference"] = (batch_case(rng, shape, training) for training in (True, False))
    return cases


def main():
    rng = np.random.default_rng(SEED)
    reference = {
        "versions": {"torch": torch.__version__.partition("+")[0], "numpy": np.__version__},
        "seed": SEED,
        "optimizers": {case: optimizer_case(rng, *row) for case, row in OPTIMIZERS.items()},
        "losses": loss_cases(rng),
        "layers": layer_cases(rng),
        "channels": channel_cases(np.random.default_rng([SEED, 2])),
    }
    text = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in reference.items())
    Path(__file__).with_name("torch.json").write_text(f"{{\n{text}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
