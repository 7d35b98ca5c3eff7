"""What people of PyTorch, Keras and scikit-learn call arguments of constructors, and what they are called here."""

from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspect import Signature

MORE, OPTIONS = 0x04, 0x08  # in the flags of code: *args and **kwargs
ARGUMENTS = {  # ours: those of others; where several of ours go with one of theirs, a class says which it has
    "kernel": "kernel_size filter_size",
    "size": "kernel_size pool_size",
    "stride": "strides",
    "bias": "use_bias",
    "in_channels": "input_channels",
    "out_channels": "filters",
    "in_features": "input_size input_dim n_in in_dim",
    "out_features": "units output_dim n_out out_dim",
    "tokens": "num_embeddings input_dim vocab_size",
    "features": "num_features hidden_size units embedding_dim output_dim embed_dim d_model normalized_shape",
    "heads": "num_heads n_heads nhead",
    "groups": "num_groups",
    "channels": "num_channels",
    "rate": "p prob drop_prob dropout_rate",
    "eps": "epsilon",
    "slope": "negative_slope alpha",
    "low": "min_val",
    "high": "max_val",
    "weight_init": "kernel_initializer embeddings_initializer weight_initializer",
    "bias_init": "bias_initializer",
    "delta": "beta",
    "ignore": "ignore_index ignore_class",
    "class_weights": "weight class_weight pos_weight",
    "lr": "learning_rate",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "rho": "alpha",
    "memory": "history_size",
    "clip": "clipnorm global_clipnorm clipvalue",
    "limit": "max_norm max_value",
    "decay": "momentum",
    "mode": "direction",
    "loss": "criterion loss_fn",
    "optimizer": "optim",
}
WITHOUT = {  # what no class has, and what to do instead
    "activation": "put it behind as a layer of its own, such as ReLU()",
    "dim axis start_dim end_dim": "the axes are fixed, and stand in the docstring",
    "inplace": "no layer writes into what it was given: leave it out",
    "dilation padding_mode bidirectional": "it is left out on purpose: docs/not.md says why, and what to do",
    "batch_first": "rows come first always: leave it out",
    "num_layers": "put one behind the other in a Sequential",
    "return_sequences": "every step is returned, with last=True the last one only",
    "padding_idx mask_zero": "tokens of padding have a row of the table; ignore=... of a loss leaves their labels out",
    "reduction": "a loss is the mean over rows: leave it out",
    "from_logits": "losses take raw scores: leave it out",
    "weight_decay": "AdamW and Lion have it; for the others give the Trainer regularizers=[L2(...)]",
    "betas": "give them as beta1=... and beta2=...",
    "affine elementwise_affine track_running_stats center scale": "they are there always: leave it out",
    "ceil_mode": 'what is left over at the end is not seen; padding="same" sees it',
    "count_include_pad": "a mean is over what lies inside the image: leave it out",
    "approximate": "it is the tanh form: leave it out",
    "restore_best_weights": "fit(restore_best=...) says so, and does by default",
    "kernel_regularizer bias_regularizer": "give the Trainer regularizers=[L2(...)]",
    "kernel_constraint": "give the Trainer callbacks=[MaxNorm(...)]",
    "requires_grad trainable": 'freeze by name, as in model.parameters.freeze("0.*") after build',
    "input_shape": "build(input_shape=...) takes it",
    "dtype": "build(dtype=...) chooses it",
    "device": "numbers are in main memory, there is no GPU: leave it out",
    "name": "layers are called by their place: leave it out",
}


class TakenByInit:
    """The signature of a class: what its `__init__` takes, own or inherited, whatever its `__new__` passes on.

    Python finds a `__new__` before an inherited `__init__` in early versions of 3.11, and where there is no `__init__`.

    >>> class Window:
    ...     __signature__ = TakenByInit()
    ...     def __new__(cls, *args, **kwargs): return super().__new__(cls)
    ...     def __init__(self, size): ...
    >>> class Round(Window): ...
    >>> import inspect
    >>> inspect.signature(Round)
    <Signature (size)>
    """

    def __get__(self, thing: object, kind: type) -> "Signature":
        from inspect import Signature, signature  # slow to load, and for readers only

        if thing is not None:
            raise AttributeError("an object has no signature of its own", name="__signature__", obj=thing)
        made: Any = getattr(kind, "__init__")  # noqa: B009 - a checker thinks of instances
        if made is object.__init__:
            return Signature()
        taken = signature(made)
        return taken.replace(parameters=[*taken.parameters.values()][1:])


def unfit(kind: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[str, dict[str, Any], str] | None:
    """What a constructor takes, the arguments it does not know, and what to do; None where it can be called.

    >>> class Window:
    ...     def __init__(self, size, *, stride=1): ...
    >>> unfit(Window, (3,), {"strides": 2})
    ('Window(size, *, stride)', {'strides': 2}, 'write stride=...')
    >>> unfit(Window, (3, 2), {})
    ('Window(size, *, stride)', {}, 'give what follows the * by its name, as stride=...')
    """
    made: Any = getattr(kind, "__init__")  # noqa: B009 - a checker thinks of instances
    if made is object.__init__:
        return (f"{kind.__name__}()", dict(kwargs), _advice(kwargs, ())) if args or kwargs else None
    if not isinstance(made, FunctionType):
        return None
    code = made.__code__
    more, options = code.co_flags & MORE, code.co_flags & OPTIONS
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    places, by_name = names[: code.co_argcount - 1], names[code.co_argcount - 1 :]
    star = f"*{code.co_varnames[1 + len(names)] if more else ''}"
    text = f"{kind.__name__}({', '.join([*places, *([star] if more or by_name else []), *by_name])})"
    unknown = {} if options else {name: value for name, value in kwargs.items() if name not in names}
    if unknown:
        return text, unknown, _advice(unknown, names)
    if len(args) > len(places) and not more:
        named = f"give what follows the * by its name, as {by_name[0]}=..." if by_name else "leave out what is too many"
        return text, {}, named
    needed = [*places[len(args) : len(places) - len(made.__defaults__ or ())]]
    missing = [name for name in needed if name not in kwargs]
    return (text, {}, f"give {', '.join(missing)}, too") if missing else None


def _advice(unknown: Iterable[str] | Mapping[str, Any], names: Sequence[str]) -> str:
    """What to do about each of the unknown arguments."""
    return "; ".join(dict.fromkeys(_advice_on(word, names) for word in unknown)) or "leave it out"


def _advice_on(word: str, names: Sequence[str]) -> str:
    from difflib import get_close_matches  # slow to load, and for errors only

    near = get_close_matches(word, names, n=1)
    ours = [f"write {name}=..." for name in names if word in ARGUMENTS.get(name, "").split()]
    ours += [advice for words, advice in WITHOUT.items() if word in words.split()]
    return [*ours, *(f"did you mean {name}?" for name in near), f"leave out {word}"][0]
