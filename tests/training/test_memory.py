"""What a run remembers: all of it is in its checkpoint, and all of it is put back where a run may not go on."""

import enum
import json
import math

import numpy as np
import pytest

from minidl import SGD, AverageWeights, Callback, Checkpoint, ClipNorm, Linear
from minidl.storage import DataError, read_arrays, write_arrays
from tests.tools.restless import Counting, Dropout, Interrupt, assert_same


class Moving(Counting):
    """Once armed, moves all that a hook can reach, and then refuses what it is given back."""

    armed = False

    def on_fit_begin(self, trainer):
        if self.armed:
            trainer.optimizer.lr, trainer.optimizer.lr_scale, trainer.optimizer.clip = 0.125, 0.5, None
            trainer.optimizer.slots["velocity"][...] = 7
            trainer.optimizer.steps += 1
            trainer.step_loss = trainer.step_penalty = 7.0
            trainer.epoch += 1
            trainer.model.parameters.value[...] = 7
            for layer in trainer.model.layers_inside():
                layer.rng.random()
            self.count += 1
            trainer.stop("no time")

    def load_state(self, state):
        if self.armed:
            raise ValueError("not this")
        super().load_state(state)


LOOKS = {
    "learning rate": lambda one: one.optimizer.lr,
    "clip": lambda one: one.optimizer.clip,
    "optimizer": lambda one: one.optimizer.state(),
    "epoch": lambda one: one.epoch,
    "history": lambda one: vars(one.history).copy(),  # Python 3.13.0 may empty what vars() of a collected object holds
    "planned steps": lambda one: one.planned_steps,
    "restores best": lambda one: one.restores_best,
    "loss and penalty": lambda one: (one.step_loss, one.step_penalty),
    "stop reason": lambda one: one.stop_reason,
    "weights": lambda one: one.model.parameters.snapshot(),
    "streams": lambda one: [layer.rng.bit_generator.state for layer in one.model.layers_inside()],
    "callbacks": lambda one: [callback.state() for callback in one.callbacks],
}


def seen(one):
    """All that can be seen of a trainer."""
    return {what: look(one) for what, look in LOOKS.items()}


@pytest.fixture(scope="module")
def refused(data, trainer, fit, tmp_path_factory):
    """What is seen of a trainer before and after a run that may not go on."""
    path = tmp_path_factory.mktemp("runs") / "run.npz"

    def make():
        optimizer = SGD(0.5, momentum=0.9, clip=ClipNorm(1.0))
        return trainer(optimizer=optimizer, callbacks=[Moving(), Checkpoint(path, every_steps=1)])

    fit(make(), data(), data(seed=1), epochs=4)
    one = make()
    one.callbacks[1].path += " of the other"
    fit(one, data(), restore_best=False, epochs=1)
    one.callbacks[0].armed, before = True, seen(one)
    with pytest.raises(DataError, match="not this"):
        fit(one, data(), data(seed=1), epochs=4, resume=path)
    return before, seen(one)


@pytest.mark.parametrize("what", LOOKS)
def test_a_run_that_may_not_go_on_leaves_everything_as_it_was(refused, what):
    before, after = refused
    np.testing.assert_equal(after[what], before[what])


def test_an_optimizer_of_a_run_that_may_not_go_on_still_belongs_to_nobody(data, trainer, fit, tmp_path):
    path, optimizer, moving = tmp_path / "run.npz", SGD(0.5), Moving()
    fit(trainer(callbacks=[Moving(), Checkpoint(path)]), data(), data(seed=1))
    moving.load_state = None
    with pytest.raises(DataError, match="'NoneType' object is not callable"):
        fit(trainer(optimizer=optimizer, callbacks=[moving]), data(), data(seed=1), resume=path)
    fit(trainer(Linear(3, 3), optimizer=optimizer), data())


def entries(path):
    """(owner, name) of everything a checkpoint holds."""
    arrays = read_arrays(path)
    numbers = json.loads(arrays.pop("record").tobytes())["numbers"]
    yield from (name.split("/", 1) for name in arrays)
    yield from ((owner, name) for owner, held in numbers.items() for name in held)


def write_altered(path, owner, name):
    """Write the checkpoint once more, with another value for one entry."""
    arrays = read_arrays(path)
    record = json.loads(arrays["record"].tobytes())
    if (key := f"{owner}/{name}") in arrays:
        arrays[key] = arrays[key].copy()
        arrays[key].flat[-1] += 1
    else:
        record["numbers"][owner][name] = altered(record["numbers"][owner][name])
    arrays["record"] = np.frombuffer(json.dumps(record).encode(), np.uint8)
    write_arrays(path, arrays)


def altered(value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value.replace('"state": {"state": ', '"state": {"state": 1') or "early stopping: of another run"
    return 1.0 if value is None else value + 1


def test_every_entry_of_a_checkpoint_counts(job, tmp_path):
    ways = {"under way": {"stop": 11}, "just evaluated": {"stop": 10}, "ended": {"stop": 0}}
    idle = None
    for way, when in ways.items():
        path = tmp_path / f"{way}.npz"
        job(path=path, optimizer="momentum", **when)
        kept, wanted = path.read_bytes(), seen(job(resume=path, path=tmp_path / "go on.npz", optimizer="momentum"))
        np.testing.assert_equal(wanted, seen(job(path=tmp_path / "whole.npz", optimizer="momentum")))
        ignored = set()
        for owner, name in entries(path):
            write_altered(path, owner, name)
            try:
                np.testing.assert_equal(
                    seen(job(resume=path, path=tmp_path / "go on.npz", optimizer="momentum")), wanted
                )
                ignored.add(f"{owner}/{name}")
            except (AssertionError, DataError):
                pass
            path.write_bytes(kept)
        idle = ignored if idle is None else idle & ignored
    assert idle == set()


def test_a_learning_rate_that_a_callback_assigned_goes_on(data, trainer, fit, tmp_path):
    class Lower(Callback):
        def on_step_end(self, trainer):
            if trainer.optimizer.steps == 3:
                trainer.optimizer.lr = 0.125

    def train(path, stop=0, resume=None):
        one = trainer(callbacks=[Lower(), Interrupt(stop), Counting(), Checkpoint(path, every_steps=1)])
        fit(one, data(), data(seed=1), epochs=4, resume=resume)
        return one

    train(tmp_path / "run.npz", stop=6)
    assert_same(train(tmp_path / "run.npz", resume=tmp_path / "run.npz"), train(tmp_path / "other.npz"))


NUMBERS = [
    np.float32(0.1),
    np.array(0.1, np.float32),
    np.bool_(True),
    np.int8(3),
    2**70,
    math.nan,
    np.zeros((2, 0)),
    None,
]


def remember(value, trainer, fit, data, path):
    class Keeping(Callback):
        def state(self):
            return {"kept": value}

        def load_state(self, state):
            self.given = state["kept"]

    again = Keeping()
    fit(trainer(callbacks=[Keeping(), Checkpoint(path)]), data(), data(seed=1))
    fit(trainer(callbacks=[again]), data(), data(seed=1), resume=path)
    return again.given


def test_a_text_of_numpy_is_a_text(data, trainer, fit, tmp_path):
    assert remember(np.str_("best"), trainer, fit, data, tmp_path / "run.npz") == "best"


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (np.array(["a"]), "write json.dumps"),
        (np.array([None]), "make it an array of numbers"),
        ([1.0], "make it an array of numbers"),
    ],
)
def test_what_a_file_cannot_hold_is_told_what_it_can(data, trainer, fit, tmp_path, value, advice):
    with pytest.raises(
        TypeError, match=rf"expected .*\.state\(\) to hold numbers, strings, .*received kept=.*: {advice}"
    ):
        remember(value, trainer, fit, data, tmp_path / "run.npz")


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
def test_what_a_callback_remembers_comes_back_as_it_was(data, trainer, fit, tmp_path, value):
    class Keeping(Callback):
        def state(self):
            return {"a name/with a slash": value}

        def load_state(self, state):
            self.given = state["a name/with a slash"]

    path, again = tmp_path / "run.npz", Keeping()
    fit(trainer(callbacks=[Keeping(), Checkpoint(path)]), data(), data(seed=1))
    fit(trainer(callbacks=[again]), data(), data(seed=1), resume=path)
    assert type(again.given) is type(value)
    np.testing.assert_equal(again.given, value)
    assert getattr(again.given, "dtype", None) == getattr(value, "dtype", None)


class Level(enum.IntEnum):
    LOW = 1


class Text(str):
    pass


class Subclass(np.ndarray):
    pass


UNWRITABLE = {
    "masked": (np.ma.masked_array([1.0, 2.0], [True, False]), r"give its \.data and its \.mask"),
    "enum": (Level.LOW, r"write int\(\.\.\.\)"),
    "str": (Text("a"), r"write str\(\.\.\.\)"),
    "strings": (np.array(["a"]), "which is one text"),
    "subclass": (np.zeros(2).view(Subclass), "make it an array of numbers"),
    "digits": (10**5000, "<a whole number of 16610 bits>: write it as a string"),
    "list": ([1], "make it an array"),
}


class Saying(Callback):
    """Remembers what it is told to."""

    def __init__(self, said):
        self.said = said

    def state(self):
        return self.said

    def load_state(self, state):
        self.said = dict(state)


@pytest.mark.parametrize("value", UNWRITABLE)
def test_what_would_come_back_as_something_else_is_refused(data, trainer, fit, tmp_path, value):
    given, advice = UNWRITABLE[value]
    saying = Saying({})
    saying.said = {"a": given}
    with pytest.raises(TypeError, match=rf"expected Saying\(.*\)\.state\(\) to hold numbers, .*received a=.*{advice}"):
        fit(trainer(callbacks=[saying, Checkpoint(tmp_path / "run.npz")]), data(), data(seed=1))


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "a" * 70_000, "a\nb"], ids=repr)
def test_a_name_that_no_file_can_hold_is_refused(data, trainer, fit, tmp_path, name):
    with pytest.raises(ValueError, match=r"expected Saying\(.*\)\.state\(\) to have names of up to 1000 characters"):
        fit(trainer(callbacks=[Saying({name: 1.0}), Checkpoint(tmp_path / "run.npz")]), data(), data(seed=1))
    with pytest.raises(ValueError, match="expected names of up to 1000 characters"):
        write_arrays(tmp_path / "weights.npz", {name: np.zeros(1)})


class Drawing(Dropout):
    """Dropout that draws from generators of its own, made in one of several ways, and spawns some."""

    def __init__(self, make):
        self.own = make()

    def forward(self, x):
        found = self.own.values() if isinstance(self.own, dict) else self.own
        found = list(found) if isinstance(self.own, list | tuple | dict) else [found]
        sources = [rng.bit_generator.seed_seq for rng in found if isinstance(rng, np.random.Generator)]
        if self.training and hasattr(sources and sources[0], "spawn"):
            found += found[0].spawn(1)
        noise = sum(rng.standard_normal(x.shape) for rng in found) if self.training else 0 * x
        return super().forward(x + 0.1 * noise.astype(x.dtype))


OWN = {
    "one": lambda: np.random.default_rng(5),
    "list": lambda: np.random.default_rng(5).spawn(2),
    "tuple": lambda: tuple(np.random.default_rng(5).spawn(2)),
    "dict": lambda: {"a": np.random.default_rng(5), "b": np.random.Generator(np.random.SFC64(7))},
    "legacy": lambda: np.random.RandomState(5),
    "twister": lambda: np.random.Generator(np.random.MT19937(5)),
    "philox": lambda: np.random.Generator(np.random.Philox(key=5)),
    "sequence": lambda: np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence([1, 2], spawn_key=(3,)))),
    "of a legacy one": lambda: np.random.Generator(np.random.RandomState(5)._bit_generator),
}


@pytest.mark.parametrize("into", ["fresh", "the same"])
@pytest.mark.parametrize("way", OWN)
def test_generators_of_a_layers_own_go_on(data, trainer, fit, tmp_path, way, into):
    def train(path, stop=-1, resume=None, one=None):
        one = one or trainer(Linear(3, 8), Drawing(OWN[way]), Linear(8, 3))
        one.callbacks = [Interrupt(stop), Checkpoint(path, every_steps=1), Counting()]
        fit(one, data(), data(seed=1), epochs=4, resume=resume)
        return one

    path = tmp_path / "run.npz"
    stopped = train(path, stop=6)
    kept = path.read_bytes()
    fit(stopped, data(), epochs=1)
    path.write_bytes(kept)
    stopped.callbacks = []
    one = train(path, resume=path, one=stopped if into == "the same" else None)
    assert_same(one, train(tmp_path / "other.npz"))


@pytest.mark.parametrize("kind", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
def test_a_stream_that_a_callback_exchanged_goes_on(data, trainer, fit, tmp_path, kind):
    class Exchanging(Callback):
        def on_step_end(self, trainer):
            if trainer.optimizer.steps == 3:
                trainer.model[1].rng = np.random.Generator(getattr(np.random, kind)(7))

    def train(path, stop=-1, resume=None):
        layers = (Linear(3, 8), Drawing(lambda: np.random.default_rng(5)), Linear(8, 3))
        one = trainer(*layers, callbacks=[Exchanging(), Interrupt(stop), Counting(), Checkpoint(path, every_steps=1)])
        fit(one, data(), data(seed=1), epochs=4, resume=resume)
        return one

    path = tmp_path / "run.npz"
    train(path, stop=6)
    assert_same(train(path, resume=path), train(tmp_path / "other.npz"))


def test_hooks_of_memory_that_an_instance_was_given_are_used(data, trainer, fit, tmp_path):
    class Plain(Callback):
        count = 0

        def on_step_end(self, trainer):
            self.count += 1

    def plain():
        one = Plain()
        one.state = lambda: {"count": one.count}
        one.load_state = lambda state: setattr(one, "count", state["count"])
        return one

    path, again = tmp_path / "run.npz", plain()
    fit(trainer(callbacks=[plain(), Checkpoint(path)]), data(), data(seed=1))
    fit(trainer(callbacks=[again]), data(), data(seed=1), epochs=3, resume=path)
    assert again.count == 12


def test_a_callback_that_cannot_say_its_memory_yet_is_put_back_too(data, trainer, fit, tmp_path):
    class Late(Saying):
        def __init__(self):
            self.seen, self.begun = [], False

        def on_fit_begin(self, trainer):
            self.begun = True

        def state(self):
            if not self.begun:
                raise RuntimeError("no run yet")
            return {"last": self.seen[-1] if self.seen else 0}

        def load_state(self, state):
            self.seen.append(state["last"])

    class Refusing(Counting):
        def load_state(self, state):
            raise ValueError("not this")

    Refusing.__name__ = "Counting"
    path, late = tmp_path / "run.npz", Late()
    fit(trainer(callbacks=[Late(), Counting(), Checkpoint(path)]), data(), data(seed=1))
    with pytest.raises(DataError, match="not this"):
        fit(trainer(callbacks=[late, Refusing()]), data(), data(seed=1), resume=path)
    assert late.seen == []
    assert late.begun is False


def test_a_second_fit_with_a_mean_of_weights_goes_on(data, trainer, fit, tmp_path):
    def train(path, stop=-1, resume=None, first=True):
        callbacks = [AverageWeights(), Interrupt(stop), Counting(), Checkpoint(path, every_steps=1)]
        one = trainer(callbacks=callbacks)
        if first:
            fit(one, data(), data(seed=1), restore_best=False, epochs=3)
        fit(one, data(), data(seed=1), restore_best=False, epochs=3, resume=resume)
        return one

    path = tmp_path / "run.npz"
    train(path, stop=20)
    assert_same(train(path, resume=path, first=False), train(tmp_path / "other.npz"))


def test_what_is_packed_by_any_callback_can_be_gone_on_from(data, trainer, fit, tmp_path):
    class Sending(Callback):
        def on_epoch_end(self, trainer):
            if trainer.epoch == 1:
                write_arrays(path, trainer.run.packed())

    path, resumed, whole = tmp_path / "run.npz", trainer(), trainer()
    fit(trainer(callbacks=[Sending()]), data(), epochs=1)
    fit(resumed, data(), epochs=3, resume=path)
    fit(whole, data(), epochs=3)
    np.testing.assert_equal(resumed.model.parameters.snapshot(), whole.model.parameters.snapshot())
