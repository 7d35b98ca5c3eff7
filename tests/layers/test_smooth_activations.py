import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import ELU, GELU, SELU, ShapeError, SiLU, Softplus
from minidl.layers.smooth_activations import SELU_ALPHA, SELU_SCALE
from tests.tools.heard import heard

EVERY = pytest.mark.parametrize("layer", [ELU(), ELU(0.5), SELU(), GELU(), SiLU(), Softplus(), Softplus(3.0)], ids=repr)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
POINTS = st.floats(-30, 30)
HUGE = [1e4, 1e19, 1e38, math.inf]


def apply(layer, values, dtype=np.float64):
    with heard():
        return layer.forward(np.array([values], dtype))[0]


def slopes(layer, values, dtype=np.float64):
    x = np.array([values], dtype)
    layer.forward(x)
    with heard():
        return layer.backward(np.ones_like(x))[0]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def softplus(x, beta):
    return math.log1p(math.exp(-abs(beta * x))) / beta + max(x, 0)


def gelu(x):
    return x * sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)) if x > -15 else 0.0


FORMULAS = [
    (ELU(), lambda x: x if x > 0 else math.expm1(x)),
    (ELU(0.5), lambda x: x if x > 0 else 0.5 * math.expm1(x)),
    (SELU(), lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * math.expm1(x))),
    (GELU(), gelu),
    (SiLU(), lambda x: x * sigmoid(x)),
    (Softplus(), lambda x: softplus(x, 1)),
    (Softplus(3.0), lambda x: softplus(x, 3)),
]


@pytest.mark.parametrize(("layer", "formula"), FORMULAS)
@given(x=POINTS)
def test_the_output_is_the_formula(layer, formula, x):
    np.testing.assert_allclose(apply(layer, [x]), [formula(x)], rtol=1e-13, atol=1e-15)


@EVERY
@DTYPES
@pytest.mark.parametrize("x", HUGE)
def test_huge_values_give_the_limits_and_no_warning(layer, dtype, x):
    low, high = apply(layer, [-x, x], dtype)
    scale = SELU_SCALE if isinstance(layer, SELU) else 1.0
    floor = {"ELU": getattr(layer, "alpha", 0.0), "SELU": SELU_SCALE * SELU_ALPHA}.get(type(layer).__name__, 0.0)
    assert high == dtype(x) * dtype(scale)
    assert low == pytest.approx(-floor, abs=1e-30)
    assert slopes(layer, [-x, x], dtype).tolist() == pytest.approx([0, scale], rel=1e-6, abs=1e-30)


@EVERY
def test_a_nan_stays_visible_and_stays_where_it_is(layer):
    y = layer.forward(np.array([[1.0, math.nan]]))
    assert np.isfinite(y[0, 0])
    assert np.isnan(y[0, 1])


@EVERY
def test_a_gradient_of_another_shape_is_refused_and_lists_are_taken(layer):
    layer.forward([[1.0, -2.0]])
    np.testing.assert_array_equal(layer.backward([[1.0, 2.0]]), layer.backward(np.array([[1.0, 2.0]])))
    with pytest.raises(ShapeError, match=r"expected dy of shape \(1, 2\)"):
        layer.backward(np.ones((1, 1)))


def test_gelu_differs_from_the_one_with_the_error_function_by_less_than_its_page_says():
    x = np.linspace(-8, 8, 4001)
    exact = np.array([z * 0.5 * math.erfc(-z / math.sqrt(2)) for z in x])
    assert 4e-4 < np.abs(GELU().forward(x) - exact).max() < 5e-4


def test_selu_keeps_mean_0_and_variance_1():
    y = SELU().forward(np.random.default_rng(0).normal(size=10**6))
    assert abs(y.mean()) < 0.005
    assert y.var() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: ELU(-1), "expected alpha to be a finite number >= 0, received alpha=-1"),
        (lambda: ELU(math.nan), "expected alpha to be a finite number >= 0, received alpha=nan"),
        (lambda: Softplus(0), "expected beta to be a finite number > 0, received beta=0"),
        (lambda: Softplus("1"), "expected beta to be a finite number > 0, received beta='1'"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(make, text):
    with pytest.raises(ValueError, match=text):
        make()
