"""What callbacks assign to the parts of a trainer during a run goes on with it, or is refused before it can be lost."""

import copy
import json
import pickle
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

from minidl import L2, SGD, Adam, Callback, Checkpoint, ClipNorm, EarlyStopping, Linear, SoftmaxCrossEntropy
from minidl.optim import CosineDecay
from minidl.storage import DataError, read_arrays, write_arrays
from tests.tools.restless import Counting as Silent
from tests.tools.restless import Dropout, Interrupt, assert_same


class Assigning(Callback):
    """Assigns attributes of the trainer after its third step, or at the beginning."""

    def __init__(self, change, *, at=3):
        self.change, self.at = change, at

    def on_fit_begin(self, trainer):
        if self.at == 0:
            self.change(trainer)

    def on_step_end(self, trainer):
        if trainer.optimizer.steps == self.at:
            self.change(trainer)


class Counting(SGD):
    """Remembers outside of its slots how many updates it made, and makes each smaller."""

    def __init__(self, lr, *, first=None):
        super().__init__(lr)
        self.k, self.first, self.seen = 0, first, np.zeros(2)

    def update(self, value, grad, lr):
        self.k += 1
        self.seen[0] += self.k
        self.late = getattr(self, "late", 0.0) + 0.5
        self.first = self.first or ("first" if self.k > 2 else None)
        super().update(value, grad, lr / (self.k + self.seen[0] + self.late + len(self.first or "")))


class Shrink:
    """A clipper of one's own, with a setting."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, grad):
        grad *= self.factor


class Rated(Dropout):
    """Dropout with a rate as its argument."""

    def __init__(self, rate):
        self.rate = rate

    def forward(self, x):
        return super().forward(x) * (1 - self.rate)

    def backward(self, dy):
        return super().backward(dy) * (1 - self.rate)


class Annealed:
    """A penalty with a strength that grows from call to call."""

    def __init__(self):
        self.calls = 0

    def __call__(self, parameters):
        self.calls += 1
        return L2(1e-3 * self.calls)(parameters)


def a_rate(trainer):
    trainer.optimizer.lr = 0.125


def a_discount(trainer):
    trainer.optimizer.beta1 = 0.5


def a_factor(trainer):
    trainer.optimizer.clip.factor = 0.01


def no_clip(trainer):
    trainer.optimizer.clip = None


def a_smoothing(trainer):
    trainer.loss.label_smoothing = 0.25


def a_weight_of_classes(trainer):
    trainer.loss.class_weights = np.array([1.0, 2.0, 3.0])


def a_share(trainer):
    trainer.model[1].rate = 0.75


OWN = [a_rate, a_discount, no_clip, a_smoothing, a_weight_of_classes, a_share]
CHANGES = [*OWN, a_factor]


@pytest.fixture
def train(data, trainer, fit):
    """A function that trains, and returns the trainer."""

    def train(path, change, *, at=3, stop=0, resume=None, into=None, **arguments):
        parts = {"optimizer": Adam(0.05, clip=Shrink(0.5)), "loss": SoftmaxCrossEntropy(label_smoothing=0.1)}
        one = into or trainer(Linear(3, 8), Rated(0.25), Linear(8, 3), **parts | arguments)
        one.callbacks = [Assigning(change, at=at), Interrupt(stop or -1), Silent(), Checkpoint(path, every_steps=1)]
        fit(one, data(), data(seed=1), epochs=4, resume=resume)
        return one

    return train


@pytest.mark.parametrize("at", [0, 3])
@pytest.mark.parametrize("change", CHANGES)
def test_a_number_that_a_callback_assigned_goes_on(train, tmp_path, change, at):
    path = tmp_path / "run.npz"
    train(path, change, at=at, stop=6)
    assert_same(train(path, change, at=at, resume=path), train(tmp_path / "other.npz", change, at=at))


@pytest.mark.parametrize("change", OWN)
def test_a_run_goes_on_in_the_trainer_that_it_was_stopped_in(train, tmp_path, change):
    path = tmp_path / "run.npz"
    stopped = train(path, change, stop=6)
    assert_same(train(path, change, resume=path, into=stopped), train(tmp_path / "other.npz", change))


def test_a_second_fit_that_began_with_an_assigned_rate_goes_on_in_a_fresh_trainer(train, tmp_path):
    path = tmp_path / "run.npz"
    whole = train(tmp_path / "first.npz", a_rate)
    train(tmp_path / "other.npz", a_rate, at=-1, into=whole)
    stopped = train(tmp_path / "first.npz", a_rate)
    train(path, a_rate, at=-1, into=stopped, stop=20)
    assert_same(train(path, a_rate, at=-1, resume=path), whole)


@pytest.mark.parametrize("make", [lambda: {"optimizer": Counting(0.5)}, lambda: {"regularizers": [Annealed()]}])
def test_what_a_part_counts_in_attributes_of_its_own_goes_on(train, tmp_path, make):
    path = tmp_path / "run.npz"
    train(path, str, stop=6, **make())
    assert_same(train(path, str, resume=path, **make()), train(tmp_path / "other.npz", str, **make()))


def a_schedule(trainer):
    trainer.optimizer.lr = CosineDecay(0.1, 100)


def a_clip(trainer):
    trainer.optimizer.clip = ClipNorm(0.01)


def another_loss(trainer):
    trainer.loss = SoftmaxCrossEntropy()


def another_optimizer(trainer):
    trainer.optimizer = Adam(0.1)


def one_penalty_more(trainer):
    trainer.regularizers.append(L2(0.1))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (a_schedule, "optimizer.lr"),
        (a_clip, "optimizer.clip"),
        (another_loss, "loss"),
        (another_optimizer, "optimizer"),
        (one_penalty_more, "regularizers"),
    ],
)
def test_what_no_file_can_hold_is_refused_where_it_would_be_written(train, tmp_path, change, name):
    with pytest.raises(TypeError, match=rf"expected {name} to be .* as when the run began, received .*: "):
        train(tmp_path / "run.npz", change)


@pytest.mark.parametrize("change", [a_schedule, a_clip])
def test_what_on_fit_begin_assigns_in_every_run_may_be_a_function(train, tmp_path, change):
    path = tmp_path / "run.npz"
    train(path, change, at=0, stop=6)
    assert_same(train(path, change, at=0, resume=path), train(tmp_path / "other.npz", change, at=0))


def test_a_run_whose_on_fit_begin_assigns_another_function_is_another_run(train, tmp_path):
    path = tmp_path / "run.npz"
    train(path, a_schedule, at=0, stop=6)

    def another(trainer):
        trainer.optimizer.lr = CosineDecay(0.2, 100)

    with pytest.raises(DataError, match=r"optimizer\.lr to be CosineDecay\(.*0\.1.*, received CosineDecay\(.*0\.2"):
        train(path, another, at=0, resume=path)


@pytest.mark.parametrize("name", ["lr", "beta1", "eps"])
def test_what_was_assigned_before_a_run_is_another_run(data, trainer, fit, tmp_path, name):
    path = tmp_path / "run.npz"
    fit(trainer(optimizer=Adam(0.5), callbacks=[Checkpoint(path)]), data(), data(seed=1))
    one = trainer(optimizer=Adam(0.5))
    setattr(one.optimizer, name, 0.25)
    with pytest.raises(DataError, match=rf"optimizer\.{name}, assigned: nothing there, 0\.25 here"):
        fit(one, data(), data(seed=1), resume=path)


def through_pickle(one):
    return pickle.loads(pickle.dumps(one))


class Copying(Callback):
    """Copies the trainer after its third step."""

    def __init__(self, twin):
        self.twin, self.twins = twin, []

    def on_step_end(self, trainer):
        if trainer.optimizer.steps == 3:
            self.twins.append(self.twin(trainer))


@pytest.mark.parametrize("twin", [copy.deepcopy, through_pickle])
def test_a_trainer_is_copied_while_it_trains_and_the_copy_can_train(data, trainer, fit, twin):
    copying = Copying(twin)
    fit(trainer(callbacks=[copying]), data(), data(seed=1))
    (one,) = copying.twins
    fit(one, data(), data(seed=1))
    assert one.history.stopped_because == "limit: 2 epochs"


def test_a_callback_that_was_assigned_to_before_a_run_makes_another_run(data, trainer, fit, tmp_path):
    path = tmp_path / "run.npz"
    fit(trainer(callbacks=[EarlyStopping(patience=20), Checkpoint(path)]), data(), data(seed=1))
    stopping = EarlyStopping(patience=20)
    stopping.patience = 1
    with pytest.raises(DataError, match=r"callbacks\.patience, assigned: nothing there, 1 here"):
        fit(trainer(callbacks=[stopping]), data(), data(seed=1), resume=path)


class Busy(SGD):
    """Keeps all kinds of things in attributes of its own, and steps by some of them."""

    k = 0

    def __init__(self, lr):
        super().__init__(lr)
        self.seen, self.phase = None, 1

    def update(self, value, grad, lr):
        self.k += 1
        self.phase = [self.k]
        self.seen = self.seen or (self.k, value)
        self.info, self.last, self.views = {"norm": float(grad @ grad)}, (value, grad), [value[:3], value[3:]]
        self.cache = getattr(self, "cache", {})
        if not hasattr(self, "buffer"):
            self.buffer = np.zeros_like(value)
        self.buffer += grad
        super().update(value, self.buffer, lr / self.k)


class Slotted(SGD):
    __slots__ = ("k",)

    def __init__(self, lr):
        super().__init__(lr)
        self.k = 0

    def update(self, value, grad, lr):
        self.k += 1
        super().update(value, grad, lr / self.k)


class Drawing(SGD):
    """Adds noise from a generator of its own, which it makes when it is needed."""

    def update(self, value, grad, lr):
        if not hasattr(self, "rng"):
            self.rng = np.random.default_rng(5)
        super().update(value, grad + self.rng.normal(size=grad.shape).astype(grad.dtype), lr)


@dataclass(frozen=True)
class Halving:
    """A schedule that keeps what it computed."""

    start: float

    @cached_property
    def top(self):
        return 2 * self.start

    def __call__(self, step):
        return self.top / (2 + step)


class Slowing:
    """A schedule that counts how often it was asked."""

    def __init__(self, start):
        self.start, self.n = start, 0

    def __call__(self, step):
        self.n += 1
        return self.start / self.n


class Counted:
    """A penalty whose count is called as the optimizer's."""

    def __init__(self):
        self.steps = 0

    def __call__(self, parameters):
        self.steps += 1
        return L2(1e-3 * self.steps)(parameters)


class Private(SGD):
    """A rate of decay that is read-only, over a number that is not."""

    def __init__(self, lr, beta=0.9):
        super().__init__(lr)
        self._beta = beta

    @property
    def beta(self):
        return self._beta

    def update(self, value, grad, lr):
        self._beta *= 0.9
        super().update(value, grad, lr * self._beta)


WORKING = {
    "busy": lambda: {"optimizer": Busy(0.1)},
    "slots": lambda: {"optimizer": Slotted(0.1)},
    "drawing": lambda: {"optimizer": Drawing(0.1)},
    "cached": lambda: {"optimizer": SGD(Halving(0.1))},
    "counting schedule": lambda: {"optimizer": SGD(Slowing(0.1))},
    "penalty": lambda: {"regularizers": [Counted()]},
    "read-only": lambda: {"optimizer": Private(0.1)},
}


@pytest.mark.parametrize("into", ["fresh", "the same"])
@pytest.mark.parametrize("parts", WORKING)
def test_what_parts_of_ones_own_remember_goes_on(train, tmp_path, parts, into):
    path = tmp_path / "run.npz"
    stopped = train(path, str, stop=6, **WORKING[parts]())
    kept = path.read_bytes()
    train(tmp_path / "later.npz", str, into=stopped)
    path.write_bytes(kept)
    resumed = train(path, str, resume=path, into=stopped if into == "the same" else None, **WORKING[parts]())
    whole = train(tmp_path / "other.npz", str, **WORKING[parts]())
    np.testing.assert_equal(resumed.model.parameters.snapshot(), whole.model.parameters.snapshot())
    np.testing.assert_equal(resumed.history.steps, whole.history.steps)


def a_base(trainer):
    trainer.start = trainer.optimizer.lr
    trainer.optimizer.lr = trainer.start / 2


def another_loss_and_penalty(trainer):
    trainer.loss, trainer.regularizers = SoftmaxCrossEntropy(label_smoothing=0.25), [L2(0.1)]


def a_counting_schedule(trainer):
    trainer.optimizer.lr = Slowing(0.1)


@pytest.mark.parametrize("into", ["fresh", "the same"])
@pytest.mark.parametrize("change", [a_base, another_loss_and_penalty, a_counting_schedule, a_factor])
def test_what_on_fit_begin_makes_of_the_parts_goes_on(train, tmp_path, change, into):
    path = tmp_path / "run.npz"
    stopped = train(path, change, at=0, stop=6)
    resumed = train(path, change, at=0, resume=path, into=stopped if into == "the same" else None)
    assert_same(resumed, train(tmp_path / "other.npz", change, at=0))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("value of optimizer.beta1", "abc"),
        ("value of optimizer.junk", 3.0),
        ("memory of optimizer._model", 3),
        ("memory of optimizer.slots", 3),
        ("memory of optimizer.step", 3),
        ("memory of model[1].weight", 3.0),
        ("memory of model[0].parameters", 3.0),
        ("memory of nobody.k", 3.0),
        ("text of loss", "another"),
    ],
)
def test_settings_written_by_hand_that_are_none_are_refused(data, trainer, fit, tmp_path, name, value):
    path = tmp_path / "run.npz"
    fit(trainer(optimizer=Adam(0.5), callbacks=[Checkpoint(path)]), data(), data(seed=1))
    arrays = dict(read_arrays(path))
    record = json.loads(arrays["record"].tobytes())
    record["numbers"]["settings"][name] = value
    arrays["record"] = np.frombuffer(json.dumps(record).encode(), np.uint8)
    write_arrays(path, arrays)
    one = trainer(optimizer=Adam(0.5))
    before = one.model.parameters.snapshot()
    with pytest.raises(DataError, match="expected"):
        fit(one, data(), data(seed=1), resume=path)
    np.testing.assert_equal(one.model.parameters.snapshot(), before)


def test_another_optimizer_with_the_rate_that_was_left_is_another_one(train, tmp_path):
    path = tmp_path / "run.npz"
    one = train(tmp_path / "first.npz", a_rate, stop=6)
    one.optimizer = SGD(0.125)
    train(path, str, into=one)
    fresh = train(path, str, resume=path, optimizer=SGD(0.125))
    np.testing.assert_equal(fresh.model.parameters.snapshot(), one.model.parameters.snapshot())


class Wrapping(Callback):
    """A rate that is a function during the run only."""

    def on_fit_begin(self, trainer):
        self.before = trainer.optimizer.lr
        trainer.optimizer.lr = lambda step: self.before / (1 + step)

    def on_fit_end(self, trainer):
        trainer.optimizer.lr = self.before


def test_a_trainer_whose_rate_was_a_lambda_during_a_run_can_be_pickled_after_it(data, trainer, fit):
    one = trainer(callbacks=[Wrapping()])
    fit(one, data(), data(seed=1))
    assert through_pickle(one).optimizer.lr == 0.5
