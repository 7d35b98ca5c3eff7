"""Arguments as other libraries call them, and calls that do not fit a constructor."""

import inspect
import pickle
from functools import partialmethod, wraps

import pytest

import minidl
from minidl import (
    SGD,
    Adam,
    BatchNorm,
    Conv1D,
    Conv2D,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    MaxPool2D,
    Parallel,
    SelfAttention,
    Softmax,
    SoftmaxCrossEntropy,
    optim,
)
from minidl.argument_words import ARGUMENTS, WITHOUT
from minidl.arguments import Recorded


def taken():
    """The arguments of all public classes."""
    things = [*vars(minidl).values(), *vars(optim).values()]
    classes = [thing for thing in things if isinstance(thing, type) and issubclass(thing, Recorded)]
    return {name for kind in classes for name in inspect.signature(kind).parameters}


def test_every_argument_that_is_advised_is_there():
    assert set(ARGUMENTS) <= taken()


def test_a_signature_is_that_of_the_constructor_also_where_it_is_inherited():
    assert [*inspect.signature(Conv2D).parameters][:3] == ["in_channels", "out_channels", "kernel"]
    assert inspect.signature(Conv2D) == inspect.signature(Conv1D)
    assert str(inspect.signature(Softmax)) == "()"
    with pytest.raises(TypeError, match="is not a callable object"):
        inspect.signature(SGD(0.1))


def test_no_word_is_answered_twice():
    words = [word for several in WITHOUT for word in several.split()]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("kind", "args", "kwargs", "received", "advice"),
    [
        (Conv2D, (3, 8), {"kernel_size": 3}, "kernel_size=3", "write kernel=..."),
        (
            Conv2D,
            (3,),
            {"filters": 8, "strides": 2},
            "filters=8, strides=2",
            "write out_channels=...; write stride=...",
        ),
        (Conv2D, (3, 8, 3, 1), {}, "3, 8, 3, 1", "give what follows the * by its name, as stride=..."),
        (Conv2D, (3, 8), {}, "3, 8", "give kernel, too"),
        (Conv2D, (3, 8, 3), {"groups": 3}, "groups=3", "leave out groups"),
        (Conv2D, (3, 8, 3), {"paddin": 1}, "paddin=1", "did you mean padding?"),
        (MaxPool2D, (2, 2), {}, "2, 2", "give what follows the * by its name, as stride=..."),
        (Embedding, (), {"num_embeddings": 5, "embedding_dim": 2}, None, "write tokens=...; write features=..."),
        (BatchNorm, (), {"num_features": 3}, "num_features=3", "write features=..."),
        (SelfAttention, (4,), {"num_heads": 2}, "num_heads=2", "write heads=..."),
        (Dropout, (), {"p": 0.5}, "p=0.5", "write rate=..."),
        (Dropout, (0.5, 1), {}, "0.5, 1", "leave out what is too many"),
        (Softmax, (), {"dim": 1}, "dim=1", "the axes are fixed, and stand in the docstring"),
        (Flatten, (1,), {}, "1", "leave it out"),
        (Parallel, (), {"axis": 1}, "axis=1", "the axes are fixed, and stand in the docstring"),
        (SoftmaxCrossEntropy, (), {"ignore_index": -1}, "ignore_index=-1", "write ignore=..."),
        (SGD, (), {"learning_rate": 0.1}, "learning_rate=0.1", "write lr=..."),
        (Adam, (), {"betas": (0.9, 0.99)}, "betas=(0.9, 0.99)", "give them as beta1=... and beta2=..."),
    ],
)
def test_a_call_in_words_of_others_is_answered_with_ours(kind, args, kwargs, received, advice):
    with pytest.raises(TypeError) as caught:
        kind(*args, **kwargs)
    text = str(caught.value)
    assert text.startswith(f"expected the arguments of {kind.__name__}(")
    assert text.endswith(f": {advice}")
    assert received is None or f", received {received}: " in text


def test_the_arguments_are_listed_as_they_are_written():
    for kind, call in ((MaxPool2D, "MaxPool2D(size, *, stride, padding)"), (Parallel, "Parallel(*branches, join)")):
        with pytest.raises(TypeError) as caught:
            kind(oops=1)
        assert call in str(caught.value)


def passing(function):
    @wraps(function)
    def passed(*args, **kwargs):
        return function(*args, **kwargs)

    return passed


class Options(Layer):
    def __init__(self, width, /, *more, scale=1, **options):
        self.width, self.more, self.options = width, more, options


class Wrapped(Layer):
    @passing
    def __init__(self, width, *, scale=1):
        self.width = width


class Filled(Layer):
    def set(self, width, scale):
        self.width = width

    __init__ = partialmethod(set, scale=1)


def test_constructors_of_any_kind_are_called_as_python_calls_them():
    assert Options(1, 2, 3, anything=4).options == {"anything": 4}
    assert Wrapped(3, scale=2).width == Filled(3).width == 3


def test_copies_need_no_arguments():
    assert repr(pickle.loads(pickle.dumps(Conv2D(3, 8, kernel=3)))) == "Conv2D(3, 8, kernel=3)"
