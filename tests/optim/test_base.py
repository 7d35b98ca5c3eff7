import copy
import io
import math
import pickle

import numpy as np
import pytest

from minidl import L1, L2, Linear
from minidl.optim import (
    SGD,
    Adam,
    ClipNorm,
    ClipValue,
    Constant,
    CosineDecay,
    ExponentialDecay,
    Joined,
    Optimizer,
    blocks,
)


class Counting(Optimizer):
    """w <- w - lr n, where n is the slot that counts updates."""

    slot_names = ("count",)

    def update(self, value, grad, lr):
        self.slots["count"] += 1
        value -= lr * self.slots["count"]


@pytest.fixture
def parameters(store):
    parameters = store(weight=[1.0, -2.0], bias=[0.5])
    parameters.grad[:] = [3.0, 0.0, -4.0]
    return parameters


def test_a_rule_of_a_users_own_has_slots_that_start_at_zero_and_a_clock(parameters):
    optimizer = Counting(1.0)
    assert (optimizer.steps, optimizer.slots) == (0, {})
    for _ in range(3):
        optimizer.step(parameters)
    assert optimizer.steps == 3
    np.testing.assert_array_equal(optimizer.slots["count"], 3)
    np.testing.assert_array_equal(parameters.value, [1 - 6, -2 - 6, 0.5 - 6])


def test_a_schedule_is_asked_with_the_number_of_steps_before(parameters):
    asked = []

    def schedule(step):
        asked.append(step)
        return 0.1

    optimizer = SGD(schedule)
    for _ in range(3):
        optimizer.step(parameters)
    assert asked == [0, 1, 2]


def test_the_learning_rate_is_the_schedule_times_the_scale(parameters):
    schedule = ExponentialDecay(0.1, exponent=0.5)
    optimizer = SGD(schedule)
    for step in range(3):
        optimizer.lr_scale = 0.5**step
        assert optimizer.learning_rate == schedule(step) * 0.5**step
        optimizer.step(parameters)
    assert optimizer.lr is schedule


@pytest.mark.parametrize("lr", [np.float64(0.1), np.float32(0.1), 1, lambda step: np.float64(0.1), Constant(0.1)])
def test_the_learning_rate_is_a_python_float_whatever_was_given(store, lr):
    parameters = store(dtype=np.float32, weight=[1.0])
    optimizer = Adam(lr)
    optimizer.lr_scale = np.float64(0.5)
    optimizer.step(parameters)
    assert type(optimizer.learning_rate) is float
    assert parameters.value.dtype == np.float32


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, None])
def test_a_schedule_that_leaves_the_numbers_is_stopped_before_anything_moves(parameters, value):
    optimizer = SGD(lambda step: 0.1 if step < 2 else value, clip=ClipNorm(0.1))
    for _ in range(2):
        optimizer.step(parameters)
    parameters.grad[:] = 3
    before = parameters.value.copy(), parameters.grad.copy()
    with pytest.raises(ValueError, match=rf"expected lr\(2\) to be a finite number >= 0, received lr\(2\)={value}"):
        optimizer.step(parameters)
    np.testing.assert_array_equal((parameters.value, parameters.grad), before)
    assert optimizer.steps == 2


def test_a_bad_scale_is_refused(parameters):
    optimizer = SGD(0.1)
    with pytest.raises(ValueError, match="expected lr_scale to be a finite number >= 0"):
        optimizer.lr_scale = -1.0
    optimizer.step(parameters)
    assert optimizer.lr_scale == 1


@pytest.mark.parametrize("clip", [ClipNorm(1.0), ClipValue(2.0), lambda grad: np.sign(grad, out=grad)])
def test_the_gradient_is_clipped_in_place_before_the_update(parameters, clip):
    value, grad = parameters.value.copy(), parameters.grad.copy()
    SGD(0.5, clip=clip).step(parameters)
    clip(grad)
    np.testing.assert_array_equal(parameters.grad, grad)
    np.testing.assert_array_equal(parameters.value, value - 0.5 * grad)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(-0.1), "expected lr to be a finite number >= 0, received lr=-0.1"),
        (lambda: SGD(math.nan), "received lr=nan"),
        (lambda: SGD("cosine"), "received lr='cosine'"),
        (lambda: SGD(0.1, clip=1.0), r"received clip=1.0: ClipNorm\(1.0\)\?"),
    ],
)
def test_bad_arguments_are_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_optimizer_without_a_rule_says_what_is_missing(parameters):
    with pytest.raises(TypeError, match=r"Optimizer must define update\(self, value, grad, lr\)"):
        Optimizer(0.1).step(parameters)


def test_a_slot_may_not_have_the_name_of_another_entry_of_the_state():
    with pytest.raises(ValueError, match=r"received \['steps'\]: rename the slot"):
        type("Bad", (Optimizer,), {"slot_names": ("steps", "velocity")})


@pytest.mark.parametrize("other", [{"weight": [1.0]}, {"weight": [1.0, 2.0], "bias": [3.0], "dtype": np.float32}])
def test_another_model_is_refused_before_anything_moves(store, parameters, other):
    optimizer, second = Adam(clip=ClipNorm(0.1)), store(**other)
    second.grad[:] = 1
    optimizer.step(parameters)
    with pytest.raises(ValueError, match="expected the model of the 1 steps before, received another"):
        optimizer.step(second)
    np.testing.assert_array_equal(second.grad, 1)
    assert optimizer.steps == 1


def test_the_same_model_built_again_is_another(store):
    optimizer, first = SGD(0.1), store(weight=[1.0])
    optimizer.step(first)
    with pytest.raises(ValueError, match="make a new optimizer"):
        optimizer.step(store(weight=[1.0]))
    copy.deepcopy(optimizer).step(copy.deepcopy(first))


def test_a_clip_that_returns_a_new_array_is_refused(parameters):
    with pytest.raises(TypeError, match="edit the gradient in place"):
        SGD(0.1, clip=lambda grad: np.clip(grad, -1, 1)).step(parameters)


@pytest.mark.parametrize("lr", [-1.0, float("nan")])
def test_a_rate_assigned_later_is_checked_too(parameters, lr):
    optimizer = SGD(0.1)
    with pytest.raises(ValueError, match="expected lr to be"):
        optimizer.lr = lr
    assert optimizer.lr == 0.1


def test_the_repr_is_the_call():
    assert repr(SGD(0.1)) == "SGD(0.1)"
    schedule = CosineDecay(0.1, 5)
    assert repr(Adam(schedule, clip=ClipNorm(1))) == f"Adam({schedule!r}, clip=ClipNorm(max_norm=1.0))"


def test_the_state_is_a_copy_both_ways(parameters):
    optimizer = Counting(1.0)
    optimizer.step(parameters)
    state = optimizer.state()
    state["count"][:] = 100
    np.testing.assert_array_equal(optimizer.slots["count"], 1)
    optimizer.load_state(state)
    state["count"][:] = 0
    np.testing.assert_array_equal(optimizer.slots["count"], 100)


def test_the_state_before_the_first_step_can_be_loaded():
    optimizer = Adam()
    optimizer.load_state(Adam().state())
    assert optimizer.state() == {"steps": 0, "lr_scale": 1.0}


def test_the_state_before_the_first_step_can_be_loaded_again_after_it(parameters):
    optimizer, moved = SGD(0.5, momentum=0.9), parameters.value.copy()
    fresh = optimizer.state()
    parameters.grad[:] = 1
    optimizer.step(parameters)
    moved, parameters.value = parameters.value.copy(), moved
    optimizer.load_state(fresh)
    optimizer.step(parameters)
    np.testing.assert_array_equal(parameters.value, moved)


def test_the_state_of_a_model_of_another_size_is_refused_and_changes_nothing(store, parameters):
    other, optimizer = SGD(0.5, momentum=0.9), SGD(0.5, momentum=0.9)
    other.step(store(weight=np.zeros(7)))
    optimizer.step(parameters)
    with pytest.raises(ValueError, match="expected the 7 float64 numbers of the steps before"):
        optimizer.load_state(other.state())
    assert optimizer.steps == 1
    optimizer.step(parameters)


def test_the_state_goes_through_an_npz_file(parameters):
    optimizer, file = Adam(0.1), io.BytesIO()
    optimizer.lr_scale = 0.25
    optimizer.step(parameters)
    np.savez(file, **optimizer.state())
    file.seek(0)
    restored = Adam(0.1)
    with np.load(file) as state:
        restored.load_state(state)
    assert type(restored.steps) is int
    assert type(restored.lr_scale) is float
    assert restored.learning_rate == optimizer.learning_rate
    np.testing.assert_equal(restored.state(), optimizer.state())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": -1}, "expected steps to be an integer >= 0, received steps=-1"),
        ({"steps": 1.5}, "received steps=1.5"),
        ({"lr_scale": math.nan}, "received lr_scale=nan"),
        ({"velocity": np.zeros(3)}, r"received \[.*'velocity'\]: is it another's\?"),
        ({"square_sum": None}, r"expected a state of Adam\(\) with \['gradient_sum', .*received \['gradient_sum', 'lr"),
        ({"square_sum": np.zeros(2)}, "expected slots that are vectors of one length and floating dtype"),
        ({"square_sum": np.zeros(3, np.float32)}, "expected slots that are vectors"),
        ({"square_sum": np.zeros((3, 1)), "gradient_sum": np.zeros((3, 1))}, "expected slots that are vectors"),
        ({"square_sum": np.zeros(3, int), "gradient_sum": np.zeros(3, int)}, "expected slots that are vectors"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(parameters, change, message):
    optimizer = Adam()
    optimizer.step(parameters)
    before = copy.deepcopy(optimizer.state())
    broken = {name: value for name, value in {**optimizer.state(), **change}.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        optimizer.load_state(broken)
    np.testing.assert_equal(optimizer.state(), before)


def test_a_state_with_steps_but_no_slots_is_refused():
    with pytest.raises(ValueError, match="is it another's"):
        Adam().load_state({"steps": 3, "lr_scale": 1.0})


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 200_000])
def test_blocks_cover_the_vectors_once_with_scratch_of_the_same_length(size):
    value, order = np.zeros(size, np.float32), np.arange(size, dtype=np.float32)
    for v, o, scratch in blocks(value, order):
        assert scratch.shape == v.shape
        assert scratch.dtype == v.dtype
        v += o + 1
    np.testing.assert_array_equal(value, order + 1)


class Remembering(Optimizer):
    def update(self, value, grad, lr):
        self.newest = lr


@pytest.mark.parametrize(
    ("optimizer", "name", "advice"),
    [
        (Adam(), "momentum", ""),
        (Adam(), "parameters", ""),
        (Adam(), "beta_1", ": did you mean 'beta1'?"),
        (Adam(), "learning_rates", ": did you mean 'learning_rate'?"),
        (Remembering(0.1), "newest", ": call step first"),
        (SGD(0.1), "zero_grad", ": backward sets every gradient and never adds, so there is nothing to clear"),
        (SGD(0.1), "state_dict", ": state() returns what it remembers"),
        (SGD(0.1), "param_groups", ": one learning rate moves the whole model: assign to lr or lr_scale"),
    ],
)
def test_a_missing_attribute_of_an_optimizer_says_what_is_true_of_optimizers(optimizer, name, advice):
    with pytest.raises(AttributeError) as error:
        getattr(optimizer, name)
    assert str(error.value) == f"{type(optimizer).__name__} has no attribute {name!r}{advice}"


class Slotted(SGD):
    __slots__ = ("width",)


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_slots_of_a_class_go_along_with_a_copy(clone):
    optimizer = Slotted(0.1)
    optimizer.width = 3
    assert (clone(optimizer).width, clone(optimizer).lr) == (3, 0.1)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: SGD(CosineDecay), r"expected lr to be a function \(step\), received CosineDecay: write CosineDecay\("),
        (lambda: SGD(0.1, clip=ClipNorm), r"expected clip to be .*, received ClipNorm: write ClipNorm\("),
        (lambda: SGD(lambda: 0.1), r"expected lr to be .*, received a function \(\): write lambda step"),
        (lambda: SGD(0.1, clip=lambda grad, norm: None), r"received a function \(grad, norm\): such as ClipNorm"),
        (lambda: setattr(SGD(0.1), "lr", CosineDecay), "expected lr to be .*: write CosineDecay"),
        (lambda: Joined([CosineDecay, Constant(1.0)], boundaries=[3]), "each of schedules .*: write CosineDecay"),
    ],
)
def test_functions_of_the_wrong_kind_are_refused_where_they_are_given(make, text):
    with pytest.raises(TypeError, match=text):
        make()


def test_a_schedule_may_return_an_array_without_axes():
    assert SGD(lambda step: np.array(0.5)).learning_rate == 0.5


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_clipper_that_returns_a_new_gradient_as_a_list_is_refused(kind, parameters):
    with pytest.raises(TypeError, match=f"to edit the gradient in place, received a new {kind.__name__}: use out="):
        SGD(0.1, clip=lambda grad: kind(grad)).step(parameters)
    SGD(0.1, clip=lambda grad: kind([1.0])).step(parameters)


@pytest.mark.parametrize("given", [None, [np.zeros(3)], Linear(3, 2).build(), np.zeros(3)])
def test_what_is_not_the_parameters_of_a_model_is_told_what_is(given):
    optimizer = Adam()
    for call in (optimizer.step, L2(0.1), L1(0.1, names="*.weight")):
        with pytest.raises(
            TypeError, match=r"expected the parameters of a model for .*, received .*: give .*parameters"
        ):
            call(given)
    assert optimizer.state() == Adam().state()
