"""minidl.testing.jax: custom_vjp and custom_jvp, silent where they are right and not where they are wrong."""

import re
from importlib.util import find_spec

import pytest
from hypothesis import settings
from hypothesis import strategies as st

pytestmark = pytest.mark.needs_jax
if find_spec("jax"):
    import jax
    from jax import numpy as jnp

    from minidl.testing import FunctionCheckError
    from minidl.testing.jax import check_function, function_test


def with_vjp(f, backward):
    """f with `backward(x, dy)` as its derivative."""
    function = jax.custom_vjp(f)
    function.defvjp(lambda x: (f(x), x), lambda x, dy: (backward(x, dy),))
    return function


def relu(x):
    return jnp.maximum(x, 0)


def softmax(x):
    return jax.nn.softmax(x, axis=1)


def softmax_backward(x, dy):
    y = softmax(x)
    return y * (dy - (dy * y).sum(axis=1, keepdims=True))


FEW = {"shape": ("n", 2), "n": st.integers(1, 2)}  # shapes: each is compiled
RIGHT = {
    "relu": (relu, lambda x, dy: dy * (x > 0)),
    "abs": (lambda x: jnp.abs(x), lambda x, dy: dy * jnp.sign(x)),
    "softmax": (softmax, softmax_backward),
    "max": (lambda x: x.max(axis=1), lambda x, dy: dy[:, None] * (jnp.arange(x.shape[1]) == x.argmax(1)[:, None])),
}
WRONG = {
    "two at 0": (relu, lambda x, dy: dy * ((x > 0) + 2.0 * (x == 0))),
    "every tie": (lambda x: x.max(axis=1), lambda x, dy: dy[:, None] * (x == x.max(axis=1, keepdims=True))),
    "diagonal": (softmax, lambda x, dy: dy * softmax(x) * (1 - softmax(x))),
    "quotient": (lambda x: jnp.abs(x), lambda x, dy: dy * x / jnp.abs(x)),
    "twice": (lambda x: jnp.tanh(x), lambda x, dy: 2 * dy * (1 - jnp.tanh(x) ** 2)),
    "clipped": (lambda x: 2 * x, lambda x, dy: jnp.clip(2 * dy, -1, 1)),
    "batch mean": (lambda x: x - x.mean(axis=0), lambda x, dy: dy - dy.mean(axis=0)),
    "half": (lambda x: (x.astype(jnp.float16) ** 2).astype(x.dtype), lambda x, dy: 2 * x * dy),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_custom_vjp_raises_no_alarm(name):
    function = with_vjp(*RIGHT[name])
    report = check_function(function, max_examples=30, **FEW)
    assert report.passed
    assert report["compiled"].verdict == "passed"


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_custom_vjp_is_caught_and_its_line_repeats_it(name):
    f, backward = WRONG[name]
    wrong = with_vjp(lambda x: f(x), backward)
    wrong.__name__ = "wrong"
    with pytest.raises(FunctionCheckError) as caught:
        check_function(wrong, max_examples=60, **FEW)
    line = re.search(r"repeat with\s+(.*)", str(caught.value))[1]
    with pytest.raises(FunctionCheckError) as again:
        eval(line, {"check_function": check_function, "wrong": wrong})
    assert again.value.property == caught.value.property


def test_a_custom_jvp_is_checked_through_its_transpose():
    @jax.custom_jvp
    def softplus(x):
        return jnp.logaddexp(x, 0)

    softplus.defjvps(lambda dx, y, x: dx * jax.nn.sigmoid(x))
    assert check_function(softplus, max_examples=10, **FEW).passed
    softplus.defjvps(lambda dx, y, x: dx * jax.nn.sigmoid(2 * x))
    with pytest.raises(FunctionCheckError, match="the gradient of x is wrong"):
        check_function(softplus, max_examples=10, **FEW)


def test_several_inputs_and_outputs_whole_numbers_and_arguments():
    def picked(scores, labels, scale):
        return {
            "picked": scale * jnp.take_along_axis(scores, labels[:, None], 1)[:, 0],
            "labels": labels,
            "all": scores,
        }

    shape = {"scores": ("n", "classes"), "labels": ("n",)}
    options = {"integers": {"labels": (0, "classes")}, "scale": 2.0, "max_examples": 4}
    assert check_function(picked, shape=shape, **options).passed


def test_what_depends_on_being_compiled_is_found():
    def backward(x, dy):
        return dy if isinstance(dy, jax.core.Tracer) else 2 * dy

    with pytest.raises(FunctionCheckError) as caught:
        check_function(with_vjp(lambda x: 2 * x, backward), max_examples=40, **FEW)
    assert caught.value.property == "compiled"


def branches(x):
    """What jax.jit does not take."""
    return 2 * x if x.sum() > 100 else 2.0 * x


def test_the_setting_of_jax_stays_and_nothing_else_than_a_function_is_taken():
    before = jax.config.jax_enable_x64
    function_test(with_vjp(*RIGHT["abs"]), settings=settings(max_examples=4, deadline=None))()
    assert jax.config.jax_enable_x64 == before
    with pytest.raises(FunctionCheckError, match="jit=False"):
        check_function(branches)
    assert check_function(branches, jit=False, max_examples=3, shape=(1, 1)).passed
    with pytest.raises(TypeError, match="expected jit to be True or False"):
        check_function(branches, jit="no")
    with pytest.raises(TypeError, match="expected a function of JAX arrays"):
        check_function(3)
    with pytest.raises(FunctionCheckError, match="expected an output of floats"):
        check_function(lambda x: x > 0)
