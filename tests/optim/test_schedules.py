import math
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.optim import (
    Constant,
    CosineDecay,
    CosineRestarts,
    ExponentialDecay,
    InverseSquareRoot,
    Joined,
    LinearWarmup,
    MultiStepDecay,
    OneCycle,
    PolynomialDecay,
    Schedule,
    StepDecay,
    TriangularCycle,
)

ALL = [
    Constant(0.1),
    ExponentialDecay(0.1, exponent=0.05),
    ExponentialDecay(0.1, exponent=0.05, every=7),
    StepDecay(0.1, 0.5, every=10),
    MultiStepDecay(0.1, 0.3, milestones=[5, 20]),
    CosineDecay(0.1, 50, final=0.003),
    LinearWarmup(0.1, 10, start=0.007),
    TriangularCycle(0.01, 0.3, half_cycle=8),
    PolynomialDecay(0.1, 50, power=0.9, final=0.003),
    OneCycle(0.1, 50, rise=0.25, final=0.003),
    CosineRestarts(0.1, 7, final=0.003),
    CosineRestarts(0.1, 7, growth=2),
    InverseSquareRoot(0.1, warmup=10),
    Joined([LinearWarmup(0.1, 10), CosineDecay(0.1, 30), Constant(0)], boundaries=[10, 40]),
    Joined([lambda step: np.float64(0.1), Constant(0.2)], boundaries=[3]),
]
NAMED = [schedule for schedule in ALL if "lambda" not in repr(schedule)]

steps = st.integers(0, 10_000)
rates = st.floats(0, 10)
lengths = st.integers(1, 200)


@pytest.mark.parametrize("schedule", ALL, ids=lambda schedule: repr(schedule).split(" at 0x")[0])
@given(asked=st.lists(steps, max_size=10), step=steps)
def test_the_answer_is_a_python_float_that_depends_on_the_step_only(schedule, asked, step):
    before = schedule(step)
    for other in asked:
        schedule(other)
    assert schedule(step) == before
    assert type(before) is float
    assert 0 <= before <= 0.3


@pytest.mark.parametrize("schedule", NAMED, ids=repr)
def test_repr_pickle_and_equality_agree(schedule):
    assert eval(repr(schedule)) == schedule == pickle.loads(pickle.dumps(schedule))
    assert hash(eval(repr(schedule))) == hash(schedule)


@pytest.mark.parametrize("schedule", NAMED, ids=repr)
def test_arguments_cannot_be_changed(schedule):
    name = next(iter(vars(schedule)))
    with pytest.raises(FrozenInstanceError):
        setattr(schedule, name, 1.0)


@pytest.mark.parametrize("schedule", NAMED, ids=repr)
def test_numpy_integers_are_steps_too(schedule):
    assert schedule(np.int64(12)) == schedule(12)
    assert type(schedule(np.int64(12))) is float


@pytest.mark.parametrize("step", [-1, 1.0, True, None, "3", math.nan])
@pytest.mark.parametrize("schedule", [Constant(0.1), Joined([Constant(0.1)], boundaries=[])], ids=repr)
def test_a_step_that_is_not_a_count_is_refused(schedule, step):
    with pytest.raises(ValueError, match="expected step to be an integer >= 0, received step="):
        schedule(step)


def test_numpy_arguments_become_python_numbers():
    assert type(Constant(np.float32(0.5)).lr) is float
    assert type(CosineDecay(1, np.int32(5)).steps) is int
    assert MultiStepDecay(1, 0.5, milestones=np.array([1, 2])).milestones == (1, 2)


@given(lr=rates, rate=st.floats(0, 5), every=lengths, step=steps)
def test_exponential_decay_follows_its_formula_once_per_period(lr, rate, every, step):
    assert ExponentialDecay(lr, exponent=rate, every=every)(step) == lr * math.exp(-rate * (step // every))


@given(lr=rates, factor=st.floats(0, 1), every=lengths, step=st.integers(0, 1000))
def test_step_decay_is_multi_step_decay_at_regular_milestones(lr, factor, every, step):
    regular = MultiStepDecay(lr, factor, milestones=range(every, 1001, every))
    assert StepDecay(lr, factor, every=every)(step) == regular(step)


@given(high=rates, part=st.floats(0, 1), length=lengths, later=steps)
def test_cosine_decay_and_linear_warmup_meet_their_end_points_exactly(high, part, length, later):
    low = high * part
    down, up = CosineDecay(high, length, final=low), LinearWarmup(high, length, start=low)
    assert (down(0), down(length), down(length + later)) == (high, low, low)
    assert (up(0), up(length), up(length + later)) == (low, high, high)


@given(lr=rates, length=lengths, step=steps)
def test_cosine_decay_is_half_a_wave(lr, length, step):
    assert CosineDecay(lr, length)(step) == pytest.approx(lr * math.cos(math.pi * min(step / length, 1) / 2) ** 2)


@given(lr=rates, length=lengths, step=steps)
def test_linear_warmup_is_a_line(lr, length, step):
    assert LinearWarmup(lr, length)(step) == pytest.approx(lr * min(step / length, 1))


@given(lr=rates, part=st.floats(0, 1), power=st.floats(0.1, 5), length=lengths, step=steps)
def test_polynomial_decay_is_its_formula_with_exact_ends(lr, part, power, length, step):
    final = lr * part
    schedule = PolynomialDecay(lr, length, power=power, final=final)
    assert schedule(step) == pytest.approx(final + (lr - final) * (1 - min(step, length) / length) ** power)
    assert (schedule(0), schedule(length), schedule(length + step)) == (lr, final, final)


@given(lr=st.floats(1e-9, 10), part=st.floats(0, 1), quarters=st.integers(1, 50), divide=st.floats(1, 100), later=steps)
def test_one_cycle_is_two_half_waves_with_exact_ends(lr, part, quarters, divide, later):
    final, length = lr * part, 4 * quarters
    schedule = OneCycle(lr, length, rise=0.25, divide=divide, final=final)
    assert schedule(0) == lr / divide
    assert (schedule(quarters), schedule(length), schedule(length + later)) == (lr, final, final)
    assert schedule(2 * quarters) == pytest.approx(final + 0.75 * (lr - final))
    up = [schedule(step) for step in range(quarters + 1)]
    down = [schedule(step) for step in range(quarters, length + 1)]
    np.testing.assert_allclose(up, np.sort(up), rtol=1e-12)
    np.testing.assert_allclose(down, np.sort(down)[::-1], rtol=1e-12)


@pytest.mark.parametrize("rise", [0.01, 0.3, 0.99])
@pytest.mark.parametrize("length", [1, 2, 7])
def test_one_cycle_of_any_length_ends_where_it_should(rise, length):
    schedule = OneCycle(0.5, length, rise=rise, final=0.1)
    assert (schedule(0), schedule(length)) == (0.5 / 25, 0.1)
    assert all(0 <= schedule(step) <= 0.5 for step in range(length + 3))


@given(lr=rates, part=st.floats(0, 1), length=lengths, growth=st.integers(1, 3), cycle=st.integers(0, 8), at=steps)
def test_cosine_restarts_is_cosine_decay_again_and_again(lr, part, length, growth, cycle, at):
    began = sum(length * growth**earlier for earlier in range(cycle))
    whole = length * growth**cycle
    schedule, wave = CosineRestarts(lr, length, growth=growth, final=lr * part), CosineDecay(lr, whole, final=lr * part)
    assert schedule(began) == lr
    assert schedule(began + at % whole) == wave(at % whole)


@given(lr=rates, warmup=lengths, step=st.integers(1, 10_000))
def test_inverse_square_root_is_the_formula_of_the_transformer(lr, warmup, step):
    schedule = InverseSquareRoot(lr, warmup=warmup)
    expected = lr * math.sqrt(warmup) * min(step**-0.5, step * warmup**-1.5)
    assert schedule(step) == pytest.approx(expected)
    assert (schedule(0), schedule(warmup)) == (0, lr)


@given(low=rates, rise=rates, half=lengths, step=steps)
def test_triangular_cycle_is_the_formula_of_smith(low, rise, half, step):
    cycle = math.floor(1 + step / (2 * half))
    x = abs(step / half - 2 * cycle + 1)
    expected = low + rise * max(0, 1 - x)
    assert TriangularCycle(low, low + rise, half_cycle=half)(step) == pytest.approx(expected, abs=1e-9)


@given(low=rates, rise=rates, half=lengths, cycles=st.integers(0, 50))
def test_triangular_cycle_meets_both_ends_exactly(low, rise, half, cycles):
    schedule, start = TriangularCycle(low, low + rise, half_cycle=half), 2 * half * cycles
    assert (schedule(start), schedule(start + half)) == (low, low + rise)


@given(lengths_of_pieces=st.lists(lengths, min_size=1, max_size=4), offset=st.integers(0, 500))
def test_each_joined_piece_counts_its_own_time_from_zero(lengths_of_pieces, offset):
    boundaries = np.cumsum(lengths_of_pieces).tolist()
    pieces = [lambda step, piece=piece: float(1000 * piece + step) for piece in range(len(boundaries) + 1)]
    joined = Joined(pieces, boundaries=boundaries)
    for piece, (start, length) in enumerate(zip([0, *boundaries], [*lengths_of_pieces, 501], strict=True)):
        local = offset % length
        assert joined(start + local) == 1000 * piece + local


def test_joined_schedules_nest():
    warm = Joined([LinearWarmup(1.0, 4), Constant(1.0)], boundaries=[4])
    assert [Joined([Constant(0.5), warm], boundaries=[2])(step) for step in (1, 2, 4, 6, 9)] == [0.5, 0, 0.5, 1, 1]


def test_a_schedule_that_defines_no_formula_says_so():
    class Empty(Schedule):
        pass

    with pytest.raises(TypeError, match=r"Empty must define at\(self, step\)"):
        Empty()(0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(-0.1), "expected lr to be a finite number >= 0, received lr=-0.1"),
        (lambda: Constant(math.nan), "received lr=nan"),
        (lambda: Constant("0.1"), "received lr='0.1'"),
        (lambda: ExponentialDecay(math.inf, exponent=1), "received lr=inf"),
        (
            lambda: ExponentialDecay(1, exponent=-1),
            "expected exponent to be a finite number >= 0, received exponent=-1",
        ),
        (lambda: ExponentialDecay(1, exponent=1, every=0), "expected every to be an integer >= 1, received every=0"),
        (lambda: StepDecay(-1, 0.5, every=1), "received lr=-1"),
        (
            lambda: StepDecay(1, 1.5, every=1),
            "expected factor to be a finite number >= 0 and <= 1, received factor=1.5",
        ),
        (lambda: StepDecay(1, 0.5, every=2.5), "received every=2.5"),
        (lambda: MultiStepDecay(-1, 0.5, milestones=[1]), "received lr=-1"),
        (lambda: MultiStepDecay(1, -0.5, milestones=[1]), "received factor=-0.5"),
        (lambda: MultiStepDecay(1, 0.5, milestones=[2, 1]), r"increasing order, received milestones=\(2, 1\): sort"),
        (lambda: MultiStepDecay(1, 0.5, milestones=[1, 1]), "expected milestones in increasing order"),
        (lambda: MultiStepDecay(1, 0.5, milestones=[0, 1]), "expected each of milestones to be an integer >= 1"),
        (lambda: MultiStepDecay(1, 0.5, milestones=10), "received milestones=10: put it in brackets"),
        (lambda: CosineDecay(-1, 10), "received lr=-1"),
        (lambda: CosineDecay(1, 0), "expected steps to be an integer >= 1, received steps=0"),
        (lambda: CosineDecay(1, 10, final=2), "expected final to be a finite number >= 0 and <= 1, received final=2"),
        (lambda: LinearWarmup(-1, 10), "received lr=-1"),
        (lambda: LinearWarmup(1, -3), "received steps=-3"),
        (lambda: LinearWarmup(1, 10, start=-1), "received start=-1"),
        (lambda: TriangularCycle(-1, 1, half_cycle=2), "received low=-1"),
        (lambda: TriangularCycle(1, 0.5, half_cycle=2), "expected high to be a finite number >= 1, received high=0.5"),
        (lambda: TriangularCycle(0, 1, half_cycle=0), "received half_cycle=0"),
        (lambda: PolynomialDecay(1, 10, power=0), "received power=0"),
        (lambda: PolynomialDecay(1, 10, final=2), "received final=2"),
        (lambda: OneCycle(1, 10, rise=1), "expected rise to be a finite number > 0 and < 1, received rise=1"),
        (lambda: OneCycle(1, 10, divide=0.5), "received divide=0.5"),
        (lambda: OneCycle(1, 10, final=2), "received final=2"),
        (lambda: OneCycle(1, 0.5), "received steps=0.5"),
        (lambda: CosineRestarts(1, 10, growth=1.5), "expected growth to be an integer >= 1, received growth=1.5"),
        (lambda: CosineRestarts(1, 0), "received steps=0"),
        (lambda: InverseSquareRoot(1, warmup=0), "received warmup=0"),
        (lambda: InverseSquareRoot(-1, warmup=5), "received lr=-1"),
        (lambda: Joined([Constant(1)], boundaries=[5]), r"received 1 schedules and boundaries=\(5,\)"),
        (lambda: Joined([], boundaries=[]), "received 0 schedules"),
        (lambda: Joined([Constant(1)] * 3, boundaries=[5, 5]), "expected boundaries in increasing order"),
        (lambda: Joined([0.1, Constant(1)], boundaries=[5]), r"received 0.1: a number is Constant\(number\)"),
        (lambda: Joined(Constant(1), boundaries=[]), "expected schedules to be a list or tuple"),
    ],
)
def test_bad_arguments_are_refused_when_the_schedule_is_made(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: ExponentialDecay(0.1, 0.96),
        lambda: ExponentialDecay(0.1, rate=0.96),
        lambda: ExponentialDecay(0.1, 0.9, 5),
    ],
)
def test_the_factor_of_other_libraries_is_refused_with_the_schedule_it_means(make):
    with pytest.raises(
        TypeError, match=r"received 0\.9.* by another name: a factor f for each t is StepDecay\(lr, f, every"
    ):
        make()
