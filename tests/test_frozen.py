"""A frozen class behaves as Python's frozen dataclass of the same fields."""

import copy
import pickle
from dataclasses import KW_ONLY, FrozenInstanceError, dataclass, field, fields, replace
from inspect import signature

import pytest

import minidl
from minidl.frozen import frozen


def made(decorator):
    """Fields as a schedule has them, as a class."""

    @decorator
    class Rate:
        lr: float
        _: KW_ONLY
        every: int = 1
        note: str = field(default="", compare=False, repr=False)

        def __post_init__(self):
            object.__setattr__(self, "lr", float(self.lr))

    return Rate


@frozen
class Point:
    x: float
    y: float = 0.0


def attempts(kind):
    """What happens on everything that is tried with a class."""
    rate = kind(1, every=3)
    plain = type("Plain", (kind,), {})(1)
    plain.own = 1
    plain.own = 2
    del plain.own
    own = dataclass(frozen=True)(type("Own", (kind,), {"__annotations__": {"more": int}, "more": 0}))
    yield repr(rate), repr(own(2, more=3)), str(signature(kind)), [each.name for each in fields(own)]
    yield rate == kind(1.0, every=3, note="not compared"), rate == kind(2, every=3), rate == 1, rate == own(1, every=3)
    yield hash(rate) == hash(kind(1.0, every=3)), {rate: 1}[kind(1, every=3)], repr(replace(rate, lr=4))
    tries = [
        lambda: setattr(rate, "lr", 2),
        lambda: setattr(rate, "other", 2),
        lambda: setattr(plain, "lr", 2),
        lambda: setattr(own(1), "more", 2),
        lambda: delattr(rate, "lr"),
        lambda: delattr(plain, "every"),
        lambda: kind(),
        lambda: kind(1, 2),
        lambda: kind(1, steps=2),
    ]
    for tried in tries:
        with pytest.raises((FrozenInstanceError, TypeError)) as caught:
            tried()
        yield caught.type, str(caught.value)


def test_a_frozen_class_behaves_as_a_frozen_dataclass():
    assert list(attempts(made(frozen))) == list(attempts(made(dataclass(frozen=True))))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_a_copy_equals_what_it_is_of(again):
    assert again(Point(1.0)) == Point(1.0)


def test_a_method_of_the_class_stays():
    kind = frozen(type("Kind", (), {"__annotations__": {"x": int}, "__repr__": lambda self: "mine"}))
    assert repr(kind(1)) == "mine"
    assert kind(1) == kind(1)


def test_a_component_of_the_library_goes_on_as_a_frozen_dataclass_of_a_user():
    @dataclass(frozen=True)
    class Doubled(minidl.optim.StepDecay):
        times: float = 2.0

        def at(self, step):
            return self.times * super().at(step)

    assert Doubled(1.0, 0.5, every=1)(1) == 1.0
    with pytest.raises(FrozenInstanceError):
        Doubled(1.0, 0.5, every=1).lr = 2.0
