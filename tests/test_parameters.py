import copy
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.initializers import normal, ones, zeros
from minidl.layers import Linear, Sequential
from minidl.parameters import Parameter, State
from minidl.store import Parameters

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
CLONES = pytest.mark.parametrize("clone", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])


def make_store(dtype=np.float32, seed=0):
    """Decayed and other parameters in turn, one of them a single number, and a state."""
    named = {
        "0.weight": Parameter((2, 3), normal(1.0)),
        "0.bias": Parameter((3,), zeros, decay=False),
        "1.gain": Parameter((), ones, decay=False),
        "2.weight": Parameter((3, 1), normal(1.0)),
    }
    states = {"1.mean": State((3,), zeros)}
    return Parameters(named, np.random.default_rng(seed), states=states, dtype=dtype)


@pytest.fixture
def store():
    return make_store()


# Views


@DTYPES
def test_the_flat_vectors_are_contiguous_and_of_one_dtype(dtype):
    store = make_store(dtype)
    assert store.size == 13
    for vector in (store.value, store.grad):
        assert (vector.shape, vector.dtype, vector.flags.c_contiguous, vector.flags.owndata) == (
            (13,),
            dtype,
            True,
            True,
        )
    assert store.dtype == dtype


@pytest.mark.parametrize("attribute", ["value", "grad"])
def test_the_views_write_through_both_ways_and_cover_every_number_once(store, attribute):
    flat = getattr(store, attribute)
    flat[:] = np.arange(13)
    views = [getattr(parameter, attribute) for parameter in store.named.values()]
    assert sorted(number for view in views for number in view.ravel().tolist()) == list(range(13))
    for view in views:
        view[...] = -1
    np.testing.assert_array_equal(flat, -1)


def test_decayed_parameters_come_first_while_names_keep_the_order_of_the_layers(store):
    assert list(store.named) == ["0.weight", "0.bias", "1.gain", "2.weight"]
    assert store.decayed == slice(0, 9)
    store.value[store.decayed] = np.arange(9)
    store.value[9:] = -1
    np.testing.assert_array_equal(store.named["0.weight"].value, [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(store.named["2.weight"].value, [[6], [7], [8]])
    np.testing.assert_array_equal(store.named["0.bias"].value, [-1, -1, -1])
    assert store.named["1.gain"].value == -1


@given(st.lists(st.tuples(st.lists(st.integers(1, 3), max_size=3), st.booleans()), max_size=6))
def test_any_mixture_of_shapes_is_laid_out_without_gap_or_overlap(descriptions):
    named = {str(i): Parameter(tuple(shape), zeros, decay=decay) for i, (shape, decay) in enumerate(descriptions)}
    store = Parameters(named, np.random.default_rng(0))
    for number, parameter in enumerate(named.values(), start=1):
        parameter.value[...] = number if parameter.decay else -number
    assert store.size == sum(parameter.size for parameter in named.values())
    assert (store.value[store.decayed] > 0).all()
    assert (store.value[store.decayed.stop :] < 0).all()
    for number, parameter in enumerate(named.values(), start=1):
        assert (np.abs(store.value) == number).sum() == parameter.size


def test_initial_values_are_drawn_in_the_order_of_the_names_whatever_decays():
    rng = np.random.default_rng(5)
    expected = [rng.normal(size=(2, 3)), rng.normal(size=(3, 1))]
    store = make_store(np.float64, seed=5)
    np.testing.assert_array_equal(store.named["0.weight"].value, expected[0])
    np.testing.assert_array_equal(store.named["2.weight"].value, expected[1])


# Assigning


@pytest.mark.parametrize("attribute", ["value", "grad"])
def test_assigning_copies_and_casts_into_the_flat_vector(store, attribute):
    parameter, given = store.named["0.weight"], np.arange(6.0).reshape(2, 3)
    setattr(parameter, attribute, given)
    given[:] = 99
    view = getattr(parameter, attribute)
    assert (view.dtype, view.ravel().tolist()) == (np.float32, [0, 1, 2, 3, 4, 5])
    assert np.shares_memory(view, getattr(store, attribute))


@pytest.mark.parametrize("attribute", ["value", "grad"])
@pytest.mark.parametrize("new", [np.ones((1, 3)), np.ones(1), np.ones((3, 1)), np.ones(2), 1.0, [[1, 1, 1]]])
def test_another_shape_is_refused_also_where_numpy_would_broadcast(store, attribute, new):
    for owner in (store.named["0.bias"], *([store.states["1.mean"]] if attribute == "value" else [])):
        with pytest.raises(ValueError, match=rf"expected a {attribute} of shape \(3,\), received shape .*reshape"):
            setattr(owner, attribute, new)


def test_a_parameter_may_be_a_single_number(store):
    gain = store.named["1.gain"]
    gain.value = 3.0
    gain.value *= 2
    gain.grad = np.float64(0.5)
    assert (gain.value.shape, float(gain.value), float(gain.grad)) == ((), 6, 0.5)
    assert 6 in store.value


def test_arithmetic_in_place_goes_to_the_flat_vector(store):
    bias, mean = store.named["0.bias"], store.states["1.mean"]
    bias.value += 1
    bias.value[1:] *= 3
    bias.grad -= 2
    mean.value += 4
    mean.value /= 2
    np.testing.assert_array_equal(store.value[9:12], [1, 3, 3])
    np.testing.assert_array_equal(store.grad[9:12], -2)
    np.testing.assert_array_equal(mean.value, 2)


def test_a_value_may_be_made_from_itself():
    square = Parameter((2, 2), normal(1.0))
    Parameters({"square": square}, np.random.default_rng(0))
    square.value = [[1, 2], [3, 4]]
    square.value = square.value.T
    assert square.value.tolist() == [[1, 3], [2, 4]]


def test_a_parameter_without_a_store_says_what_to_call():
    for use in (lambda p: p.value, lambda p: p.grad, lambda p: setattr(p, "value", np.zeros(2))):
        with pytest.raises(RuntimeError, match=r"Parameter\(\(2,\)\) has no storage yet: call build\(seed=...\)"):
            use(Parameter((2,), zeros))
    with pytest.raises(RuntimeError, match=r"State\(\(2,\)\) has no storage yet: call build\(seed=...\)"):
        State((2,), zeros).value  # noqa: B018


@pytest.mark.parametrize("kind", [Parameter, State])
@pytest.mark.parametrize(
    ("shape", "error"), [(3, TypeError), ([3], TypeError), ((0,), ValueError), ((2.0,), ValueError)]
)
def test_a_shape_that_is_no_tuple_of_positive_integers_is_refused(kind, shape, error):
    with pytest.raises(error, match=r"expected .*shape"):
        kind(shape, zeros)


@DTYPES
def test_a_state_has_the_dtype_of_the_model_and_no_place_in_the_vectors(dtype):
    store = make_store(dtype)
    assert store.states["1.mean"].value.dtype == dtype
    store.states["1.mean"].value += 5
    assert 5 not in store.value


# Snapshots


def test_a_snapshot_holds_values_and_states_by_name_and_is_a_copy(store):
    snapshot = store.snapshot()
    assert list(snapshot) == ["0.weight", "0.bias", "1.gain", "2.weight", "1.mean"]
    assert {name: array.shape for name, array in snapshot.items()}["1.gain"] == ()
    store.value[:] = 7
    store.states["1.mean"].value = [7, 7, 7]
    assert all(7 not in array for array in snapshot.values())


def test_restoring_gives_back_values_and_states_and_keeps_the_views():
    store, other = make_store(seed=1), make_store(seed=2)
    store.states["1.mean"].value = [1, 2, 3]
    views = [parameter.value for parameter in other.named.values()]
    other.restore(store.snapshot())
    np.testing.assert_array_equal(other.value, store.value)
    np.testing.assert_array_equal(other.states["1.mean"].value, [1, 2, 3])
    assert all(view is parameter.value for view, parameter in zip(views, other.named.values(), strict=True))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"0.weight": None}, "missing=['0.weight'], extra=[]"),
        ({"1.mean": None}, "missing=['1.mean'], extra=[]"),
        ({"9.bias": np.zeros(1)}, "missing=[], extra=['9.bias']"),
        ({"1.mean": None, "1.means": np.zeros(3)}, "missing=['1.mean'], extra=['1.means']"),
        ({"0.bias": np.zeros((1, 3))}, "expected 0.bias of shape (3,), received (1, 3)"),
        ({"1.gain": np.zeros(1)}, "expected 1.gain of shape (), received (1,)"),
        ({"1.mean": np.zeros(1)}, "expected 1.mean of shape (3,), received (1,)"),
        ({"1.mean": np.zeros(3, np.int8)}, "expected 1.mean to hold floats, received 1.mean.dtype=int8"),
        ({"1.mean": np.full(3, 1e300)}, "expected 1.mean in the range of float32, received 1e+300"),
        ({"1.mean": np.zeros(3, complex)}, "expected 1.mean to hold numbers, received 1.mean.dtype=complex128"),
    ],
)
def test_a_snapshot_that_does_not_fit_is_refused_by_name_and_nothing_is_changed(store, change, text):
    before = store.value.copy()
    snapshot = {name: array + 1 for name, array in store.snapshot().items()} | change
    with pytest.raises(ValueError, match=re.escape(text)):
        store.restore({name: array for name, array in snapshot.items() if array is not None})
    np.testing.assert_array_equal(store.value, before)
    np.testing.assert_array_equal(store.states["1.mean"].value, 0)


def test_a_snapshot_of_lists_is_refused(store):
    with pytest.raises(TypeError, match=r"expected 1\.mean to be a numpy array, received list: use np.asarray"):
        store.restore(store.snapshot() | {"1.mean": [0.0, 0.0, 0.0]})


def test_a_snapshot_of_another_precision_is_cast_and_nan_stays(store):
    wide = {name: array.astype(np.float64) for name, array in store.snapshot().items()}
    wide["1.mean"][0] = np.nan
    store.restore(wide)
    np.testing.assert_array_equal(np.isnan(store.states["1.mean"].value), [True, False, False])


# Names


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.weight", ["0.weight", "2.weight"]),
        ("0.*", ["0.weight", "0.bias"]),
        ("1.gain", ["1.gain"]),
        ("[12].*", ["1.gain", "2.weight"]),
        ("?.*i*", ["0.weight", "0.bias", "1.gain", "2.weight"]),
    ],
)
def test_a_pattern_finds_parameters_by_name_in_order(store, pattern, names):
    assert [id(parameter) for parameter in store.matching(pattern)] == [id(store.named[name]) for name in names]


@pytest.mark.parametrize("pattern", ["0.Weight", "weight", "1.mean", ""])
def test_a_pattern_that_finds_nothing_is_an_error_with_all_names(store, pattern):
    with pytest.raises(ValueError, match=rf"no parameter matches names='{pattern}'; .*0.weight, 0.bias, 1.gain, 2.wei"):
        store.matching(pattern)


def test_the_repr_has_the_number_the_dtype_and_the_names(store):
    assert repr(store) == "Parameters(13 numbers, float32: 0.weight, 0.bias, 1.gain, 2.weight)"


# Copies


@CLONES
def test_a_copied_store_keeps_its_views_and_leaves_the_original_alone(store, clone):
    before = store.value.copy()
    twin = clone(store)
    np.testing.assert_array_equal(twin.value, before)
    twin.value += 1
    twin.states["1.mean"].value += 1
    np.testing.assert_array_equal(twin.named["0.bias"].value, 1)
    twin.named["0.bias"].grad = np.ones(3)
    np.testing.assert_array_equal(twin.grad[9:12], 1)
    np.testing.assert_array_equal(store.value, before)
    np.testing.assert_array_equal(store.grad, 0)
    np.testing.assert_array_equal(store.states["1.mean"].value, 0)


def test_without_any_parameter_everything_is_empty():
    store = Parameters({}, np.random.default_rng(0))
    assert (store.size, store.value.shape, store.decayed, store.snapshot()) == (0, (0,), slice(0, 0), {})
    store.restore({})
    with pytest.raises(ValueError, match="no parameter matches"):
        store.matching("*")


def test_a_part_that_was_built_by_itself_is_found_to_have_left_the_model():
    model = Sequential(Linear(2, 2), Linear(2, 2)).build(seed=0)
    model.parameters.check_whole(model.named_parameters())
    model[:1].build(seed=1)
    with pytest.raises(RuntimeError, match=r"0\.weight"):
        model.parameters.check_whole(model.named_parameters())


def test_a_layer_swapped_after_build_is_found_not_to_belong():
    model = Sequential(Linear(2, 2), Linear(2, 2)).build(seed=0)
    model.layers = (Linear(2, 2).build(), model[1])
    with pytest.raises(RuntimeError, match=r"0\.bias.*0\.weight"):
        model.parameters.check_whole(model.named_parameters())


def test_layers_that_learned_bring_their_values_into_a_second_model():
    body = Sequential(Linear(2, 3), Linear(3, 2)).build(seed=0)
    kept = body[0].weight.value.copy()
    model = Sequential(body[0], Linear(3, 5)).build(seed=1)
    np.testing.assert_array_equal(model[0].weight.value, kept)
    assert (model.build(seed=2)[0].weight.value != kept).any()


def test_the_flat_vectors_keep_their_identity_when_assigned_to():
    parameters = Sequential(Linear(2, 1)).build().parameters
    value, grad = parameters.value, parameters.grad
    parameters.value = np.arange(3)
    parameters.grad = parameters.grad + 1
    assert parameters.value is value
    assert parameters.grad is grad
    assert parameters.named["0.weight"].value.ravel().tolist() == [0, 1]
    with pytest.raises(ValueError, match="expected a grad of shape"):
        parameters.grad = np.zeros(2)


@pytest.mark.parametrize("init", ["he_normal", 0.01, normal, np.zeros((2, 3))])
def test_what_is_no_initializer_is_refused_with_where_to_find_one(init):
    for make in (Parameter, State):
        with pytest.raises(
            TypeError, match=r"expected init to be a function \(rng, shape\), received .*: see minidl\.init"
        ):
            make((2, 3), init)


# What initializers draw

DRAWS = [
    (lambda rng, shape: np.ones(shape) * 1j, "dtype=complex128"),
    (lambda rng, shape: np.full(shape, np.nan), "to be finite, received nan in it"),
    (lambda rng, shape: np.full(shape, np.inf), "to be finite, received inf in it"),
    (lambda rng, shape: np.full(shape, 1e300), r"in the range of float32, received 1e\+300: build in float64"),
    (lambda rng, shape: np.ones(shape).astype(str), "dtype=<U"),
    (lambda rng, shape: np.ones(shape, object), "dtype=object"),
    (lambda rng, shape: np.ma.ones(shape), "received a masked one"),
    (lambda rng, shape: None, "received None: make it one"),
    (lambda rng, shape: 1.0, r"of shape \(2,\), received one of shape \(\): draw the shape"),
]


@pytest.mark.parametrize(("init", "text"), DRAWS)
def test_what_an_initializer_draws_must_be_finite_numbers_of_its_shape(init, text):
    with pytest.raises((TypeError, ValueError), match=text):
        Parameters({"weight": Parameter((2,), init)}, np.random.default_rng(0))


def test_an_error_inside_an_initializer_says_how_it_is_called():
    with pytest.raises(TypeError) as error:
        Parameters({"weight": Parameter((2,), np.zeros)}, np.random.default_rng(0))
    assert error.value.__notes__ == ["in zeros, which is called as init(rng, shape)"]


@pytest.mark.parametrize("init", [lambda rng, shape: [1, 2], lambda rng, shape: np.array([1, 2])])
def test_an_initializer_may_draw_lists_and_whole_numbers(init):
    store = Parameters({"weight": Parameter((2,), init)}, np.random.default_rng(0))
    np.testing.assert_array_equal(store.value, [1, 2])


def test_a_state_may_start_at_infinity():
    state = State((2,), lambda rng, shape: np.full(shape, -np.inf))
    Parameters({}, np.random.default_rng(0), states={"most": state})
    assert (state.value == -np.inf).all()


@pytest.mark.parametrize("snapshot", [None, [1.0], 3])
def test_what_is_no_snapshot_is_told_what_is(store, snapshot):
    with pytest.raises(TypeError, match=r"expected names with arrays, received .*: give what snapshot\(\) returned"):
        store.restore(snapshot)


NO_NUMBERS = [
    np.zeros((2, 3), complex),
    np.full((2, 3), "a"),
    np.zeros((2, 3), object),
    np.ma.zeros((2, 3)),
    np.zeros((2, 3), "M8[s]"),
    None,
    "abc",
]


@pytest.mark.parametrize("what", ["value", "grad"])
@pytest.mark.parametrize("array", NO_NUMBERS, ids=str)
def test_what_holds_no_numbers_is_not_assigned(array, what):
    parameter = Linear(2, 3).build().weight
    before = getattr(parameter, what).copy()
    with pytest.raises((TypeError, ValueError), match=f"expected a {what} to"):
        setattr(parameter, what, array)
    np.testing.assert_array_equal(getattr(parameter, what), before)


def test_a_value_beyond_the_range_of_the_model_is_not_assigned():
    model = Linear(2, 3).build()
    for owner, array in ((model.weight, np.full((2, 3), 1e300)), (model.parameters, np.full(9, 1e300))):
        with pytest.raises(ValueError, match="expected a value in the range of float32, received 1e"):
            owner.value = array


@pytest.mark.parametrize("make", [np.float64, np.float32, np.int8, bool, ">f4", np.longdouble])
def test_numbers_of_any_real_dtype_are_assigned(make):
    parameter = Linear(2, 3).build().weight
    parameter.value = np.ones((2, 3), make)
    parameter.grad = np.asfortranarray(np.ones((2, 3), make))
    np.testing.assert_array_equal(parameter.value, 1)
    np.testing.assert_array_equal(parameter.grad, 1)
    parameter.value = [[2, 2, 2], [2, 2, 2]]
    np.testing.assert_array_equal(parameter.value, 2)


def test_a_parameter_without_axes_takes_numbers():
    scale = Parameter((), zeros)
    Parameters({"scale": scale}, np.random.default_rng(0))
    for number in (2, 2.0, np.float32(2), np.float64(2), np.array(2.0), np.int8(2)):
        scale.value, scale.grad = 0, number
        scale.value = number
        assert scale.value == scale.grad == 2


def test_the_store_is_found_where_it_stood_before():
    from minidl.parameters import Parameters as Before

    assert Before is Parameters
