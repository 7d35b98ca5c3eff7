"""Write torch.json: what PyTorch makes of fixed inputs, in float64, for the tests to compare minidl with.

Run it, from the root of the project, only to change the cases:

    python -m pip install -e ".[bench]"
    python tests/reference/make_torch.py

Arrays are nested lists; floats are written so that they read back to the bit. Rows are samples. Keys:

    versions    {"torch", "numpy"}
    seed        of all random inputs; those of a case come from (seed, its name), so a new case changes no other
    optimizers  case -> {"optimizer": class name, "arguments": {...} in minidl's names,
                "start": (5,), the first three the weights and the last two the bias, which is not decayed,
                "gradients": (10, 5), "values": (10, 5), after each step}
    minimized   LBFGS on c(w) = w A w / 2 + sum w^4 / 4 - b w: {"arguments", "start": (5,), "matrix": A, "vector": b,
                "costs": (12,) before each step, "values": (12, 5) after it}; full steps, without a line search
    losses      case -> {"loss", "scores", "targets", further inputs of that loss by name, "value": float,
                "gradient": that of value in scores}
                cross_entropy_*: scores (6, 4); targets (6,) or rows of probabilities (6, 4); "label_smoothing"; or
                  "class_weights" (4,), where value = sum_i c[y_i] l_i / sum_i c[y_i]
                binary_cross_entropy_*: scores and targets (6, 4), value is the mean over all 24; or "weights" (6,)
                  of rows, whose mean is 1, so dividing by their sum or by 6 is the same
                *_extreme: scores of some 1e4
                hinge_crammer_singer: mean_i max(0, margin + max_{j != y} s_j - s_y); "margin"
                hinge_weston_watkins: mean_i sum_{j != y} max(0, margin + s_j - s_y); "margin"
                hinge_squared: mean_i sum_{j != y} max(0, margin + s_j - s_y)^2; "margin"
                focal_*: mean_i (1 - p_y)^gamma (-log p_y); "gamma"; or "class_weights" (4,), as above
                mean_squared_error, mean_absolute_error, huber: scores and targets (6, 4), value is the mean over all
                  24; "delta"
    layers      case -> {"x": (6, 4), "dy", "y", "dx"}; dy is the random gradient that is given to backward;
                linear: y = x weight + bias, with "weight" (4, 3), "bias" (3,), "dweight", "dbias"; softmax is over rows
    sequences   case -> {"layer": class name, "arguments": {...} in minidl's names, "x", "dy", "y", "dx" (but tokens),
                "parameters" and "gradients": name -> array, both as minidl names and lays them out}
    images      case -> {"layer": class name, "arguments": {...} in minidl's names, "x": (2, channels, ...), "dy", "y",
                "dx"}; convolutions also "weight" (kernel ..., in, out), "bias", "dweight", "dbias"
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
    "adagrad": ("Adagrad", torch.optim.Adagrad, {"lr": 0.1, "eps": 1e-3}, {"lr": 0.1, "eps": 1e-3}),
    "adagrad_defaults": ("Adagrad", torch.optim.Adagrad, {}, {}),
    "adadelta": (
        "Adadelta",
        torch.optim.Adadelta,
        {"lr": 0.5, "rho": 0.95, "eps": 1e-3},
        {"lr": 0.5, "rho": 0.95, "eps": 1e-3},
    ),
    "adadelta_defaults": ("Adadelta", torch.optim.Adadelta, {}, {}),
    "nadam": (  # the momentum of torch grows as beta1 (1 - 0.96**(t momentum_decay) / 2): at once, here
        "Nadam",
        torch.optim.NAdam,
        {"lr": 0.01, "beta1": 0.8, "beta2": 0.99, "eps": 1e-3},
        {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-3, "momentum_decay": 1e6},
    ),
    "nadam_defaults": ("Nadam", torch.optim.NAdam, {}, {"lr": 1e-3, "momentum_decay": 1e6}),
}


def stream(case):
    """Random numbers of that case alone."""
    return np.random.default_rng([SEED, *case.encode()])


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


def minimized_case(rng, steps, memory):
    half, vector, start = rng.normal(size=(5, 5)), rng.normal(size=5), rng.normal(size=5)
    matrix = half @ half.T + np.eye(5)
    A, b, w = torch.tensor(matrix), torch.tensor(vector), torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.LBFGS([w], lr=1, max_iter=1, history_size=memory, tolerance_grad=0, tolerance_change=0)

    def cost():
        optimizer.zero_grad()
        value = w @ A @ w / 2 + (w**4).sum() / 4 - b @ w
        value.backward()
        return value

    costs, values = [], []
    for _ in range(steps):
        costs.append(optimizer.step(cost).item())
        values.append(w.tolist())
    inputs = {"start": start.tolist(), "matrix": matrix.tolist(), "vector": vector.tolist()}
    return {"arguments": {"memory": memory}, **inputs, "costs": costs, "values": values}


def crammer_singer(scores, targets, margin):
    right = scores.gather(1, targets[:, None])[:, 0]
    others = scores.masked_fill(functional.one_hot(targets, scores.shape[1]).bool(), -torch.inf)
    return (margin + others.max(dim=1).values - right).clamp(min=0).mean()


def weston_watkins(scores, targets, margin):
    gaps = margin + scores - scores.gather(1, targets[:, None])
    others = 1 - functional.one_hot(targets, scores.shape[1])
    return (gaps.clamp(min=0) * others).sum(dim=1).mean()


def squared_hinge(scores, targets, margin):
    return functional.multi_margin_loss(scores, targets, p=2, margin=margin) * scores.shape[1]


def focal(scores, targets, gamma, class_weights=None):
    log_p = functional.log_softmax(scores, dim=1).gather(1, targets[:, None])[:, 0]
    rows = torch.ones_like(log_p) if class_weights is None else class_weights[targets]
    return (rows * -((1 - log_p.exp()) ** gamma) * log_p).sum() / rows.sum()


def huber(scores, targets, delta):
    return functional.huber_loss(scores, targets, delta=delta)


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
    squared, numbers = functional.mse_loss, stream("numbers").normal(size=(6, 4))
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
        "mean_absolute_error": loss_case(functional.l1_loss, scores, numbers),
        "huber": loss_case(huber, scores, numbers, delta=0.75),
        "huber_extreme": loss_case(huber, scores * 1e4, numbers, delta=1.0),
        "hinge_squared": loss_case(squared_hinge, scores, labels, margin=1.0),
        "hinge_squared_extreme": loss_case(squared_hinge, scores * 1e4, labels, margin=1.0),
        "focal": loss_case(focal, scores, labels, gamma=2.0),
        "focal_root": loss_case(focal, scores, labels, gamma=0.5),
        "focal_class_weights": loss_case(focal, scores, labels, gamma=2.0, class_weights=[0.5, 2.0, 1.0, 1.5]),
        "focal_extreme": loss_case(focal, scores * 1e4, labels, gamma=2.0),
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


def recurrent_case(rng, kind, *, last, blocks):
    """Blocks are the gates of torch's parameters in minidl's order; of two biases that are added, one is 0."""
    features, module = 3, getattr(torch.nn, kind)(2, 3, batch_first=True, dtype=torch.float64)
    draw(rng, module)
    with torch.no_grad():
        module.bias_hh_l0[: 2 * features if kind == "GRU" else None] = 0

    def laid_out(of):
        def gates(tensor):
            return torch.cat([tensor[features * block : features * (block + 1)] for block in blocks]).numpy().T.tolist()

        theirs = {"weight": "weight_ih_l0", "recurrent": "weight_hh_l0", "bias": "bias_ih_l0"}
        found = {name: gates(of(of_theirs)) for name, of_theirs in theirs.items()}
        return found | ({"reset_bias": of("bias_hh_l0")[2 * features :].tolist()} if kind == "GRU" else {})

    arguments = {"in_features": 2, "features": features, "last": last}
    x = torch.tensor(rng.normal(size=(3, 5, 2)), requires_grad=True)
    h = module(x)[0]
    return {"layer": kind, "arguments": arguments, **module_case(rng, module, x, h[:, -1] if last else h, laid_out)}


def attention_case(rng, *, heads, causal):
    module = torch.nn.MultiheadAttention(4, heads, batch_first=True, dtype=torch.float64)
    draw(rng, module)
    x = torch.tensor(rng.normal(size=(3, 5, 4)), requires_grad=True)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64) if causal else None
    y, _ = module(x, x, x, attn_mask=mask)
    names = {
        "projection.weight": "in_proj_weight",
        "projection.bias": "in_proj_bias",
        "output.weight": "out_proj.weight",
        "output.bias": "out_proj.bias",
    }

    def laid_out(of):
        return {ours: of(theirs).numpy().T.tolist() for ours, theirs in names.items()}

    arguments = {"features": 4, "heads": heads, "causal": causal}
    return {"layer": "SelfAttention", "arguments": arguments, **module_case(rng, module, x, y, laid_out)}


def embedding_case(rng):
    module = torch.nn.Embedding(4, 3, dtype=torch.float64)
    draw(rng, module)
    x = torch.tensor([[0, 3, 3], [1, 3, 0]])
    laid_out = lambda of: {"weight": of("weight").tolist()}  # noqa: E731 as the others
    arguments = {"tokens": 4, "features": 3}
    return {"layer": "Embedding", "arguments": arguments, **module_case(rng, module, x, module(x), laid_out)}


def draw(rng, module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.tensor(rng.normal(size=tuple(parameter.shape)) / 2))


def module_case(rng, module, x, y, laid_out):
    dy = rng.normal(size=tuple(y.shape))
    y.backward(torch.tensor(dy))
    named = dict(module.named_parameters())
    return {
        "x": x.tolist(),
        "dy": dy.tolist(),
        "y": y.tolist(),
        **({"dx": x.grad.tolist()} if x.requires_grad else {}),
        "parameters": laid_out(lambda name: named[name].detach()),
        "gradients": laid_out(lambda name: named[name].grad),
    }


def sequence_cases(rng):
    gates = {"RNN": [0], "LSTM": [0, 1, 3, 2], "GRU": [0, 1, 2]}
    recurrent = {
        f"{kind.lower()}{'_last' if last else ''}": recurrent_case(rng, kind, last=last, blocks=blocks)
        for kind, blocks in gates.items()
        for last in (False, True)
    }
    return recurrent | {
        "attention": attention_case(rng, heads=2, causal=False),
        "attention_causal": attention_case(rng, heads=4, causal=True),
        "embedding": embedding_case(rng),
    }


def same(x):
    """Zeros for a kernel of 3 and a stride of 2 over 6 x 5: none above and one below, one on either side."""
    return functional.pad(x, (1, 1, 0, 1))


def kernel2d(weight):
    return weight.permute(3, 2, 0, 1)


def features_last(function):
    """The same for x whose features are in the last axis, where torch has them in axis 1."""
    return lambda x, **more: function(x=x.movedim(-1, 1), **more).movedim(1, -1)


# case: (class in minidl, arguments in its names, the same in torch, shape of x, shape of the weight if there is one)
IMAGES = {
    "conv2d": (
        *("Conv2D", {"in_channels": 3, "out_channels": 4, "kernel": 3, "padding": 1}),
        lambda x, weight, bias: functional.conv2d(x, kernel2d(weight), bias, padding=1),
        *((2, 3, 6, 5), (3, 3, 3, 4)),
    ),
    "conv2d_stride": (
        *("Conv2D", {"in_channels": 2, "out_channels": 3, "kernel": [2, 3], "stride": [2, 1], "padding": [1, 2]}),
        lambda x, weight, bias: functional.conv2d(x, kernel2d(weight), bias, stride=(2, 1), padding=(1, 2)),
        *((2, 2, 5, 4), (2, 3, 2, 3)),
    ),
    "conv2d_same": (
        *("Conv2D", {"in_channels": 2, "out_channels": 9, "kernel": 3, "stride": 2, "padding": "same"}),
        lambda x, weight, bias: functional.conv2d(same(x), kernel2d(weight), bias, stride=2),
        *((2, 2, 6, 5), (3, 3, 2, 9)),
    ),
    "conv1d": (
        *("Conv1D", {"in_channels": 2, "out_channels": 3, "kernel": 3, "stride": 2, "padding": 2}),
        features_last(lambda x, weight, bias: functional.conv1d(x, weight.permute(2, 1, 0), bias, stride=2, padding=2)),
        *((2, 8, 2), (3, 2, 3)),
    ),
    "max_pool2d": ("MaxPool2D", {"size": 2}, lambda x: functional.max_pool2d(x, 2), (2, 2, 5, 4)),
    "max_pool2d_overlap": (
        *("MaxPool2D", {"size": 3, "stride": [2, 1], "padding": 1}),
        lambda x: functional.max_pool2d(x, 3, (2, 1), 1),
        (2, 2, 5, 4),
    ),
    "average_pool2d": (
        *("AveragePool2D", {"size": [2, 3], "stride": [2, 1], "padding": 1}),
        lambda x: functional.avg_pool2d(x, (2, 3), (2, 1), 1, count_include_pad=False),
        (2, 2, 5, 4),
    ),
    "global_average_pool2d": ("GlobalAveragePool2D", {}, lambda x: x.mean(dim=(2, 3)), (2, 3, 3, 4)),
    "flatten": ("Flatten", {}, lambda x: torch.flatten(x, 1), (2, 2, 3, 2)),
}


def image_case(rng, name, arguments, function, shape, kernel=None):
    x = rng.integers(-8, 9, size=shape) / 4  # with ties
    weights = {} if kernel is None else {"weight": rng.normal(size=kernel), "bias": rng.normal(size=kernel[-1])}
    return {"layer": name, "arguments": arguments, **layer_case(rng, function, x, **weights)}


def image_cases(rng):
    return {case: image_case(rng, *row) for case, row in IMAGES.items()}


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
    torch.set_default_dtype(torch.float64)  # else it keeps products of discounts in float32
    rng = np.random.default_rng(SEED)
    reference = {
        "versions": {"torch": torch.__version__.partition("+")[0], "numpy": np.__version__},
        "seed": SEED,
        "optimizers": {case: optimizer_case(stream(case), *row) for case, row in OPTIMIZERS.items()},
        "minimized": minimized_case(stream("minimized"), steps=12, memory=3),
        "losses": loss_cases(stream("losses")),
        "layers": layer_cases(rng),
        "sequences": sequence_cases(stream("sequences")),
        "images": image_cases(np.random.default_rng([SEED, 1])),
        "channels": channel_cases(np.random.default_rng([SEED, 2])),
    }
    text = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in reference.items())
    Path(__file__).with_name("torch.json").write_text(f"{{\n{text}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
