"""What the contract of a layer asks for besides right numbers: each property on one run of one case."""

import copy
from collections.abc import Iterator

import numpy as np

from minidl.parameters import Array
from minidl.testing.functions import close, same_bits, upstream_gradient
from minidl.testing.layers.advice import on_domain
from minidl.testing.layers.case import LayerCheckError, LayerRun, other_input
from minidl.testing.report import NOT_TRIED, Outcome, Properties

CONTRACT = Properties()
FORWARDS = 300  # of one object, in some cases of one row: more than a byte counts


@CONTRACT.property("runs", first=True)
def runs(run: LayerRun) -> None:
    """Forward takes the input, backward the upstream gradient."""
    y = run.y
    if type(y) is not np.ndarray or y.ndim == 0 or len(y) != len(run.x):
        received = f"shape {y.shape}" if isinstance(y, np.ndarray) else type(y).__name__
        raise run.failure("forward must return an array with one row per sample", f"  received {received}")
    if y.size == 0:
        details = f"  received shape {y.shape} for x of {run.x.shape}: sizes too small for it? Give a lower bound:"
        raise run.failure("forward must return some numbers", f"{details} shape=('n', at_least(3))")
    run.gradients_at(run.x, run.dy)


@CONTRACT.property("shapes and dtypes", first=True)
def shapes(run: LayerRun) -> None:
    """Outputs and gradients have the right shape and dtype and are finite."""
    y, named = run.y, run.values()
    untyped = run.declared.integers and not named  # a layer without parameters cannot know the model's dtype
    if y.dtype != np.float64 and not (untyped and y.dtype.kind == "f"):
        raise run.failure(
            "forward must return an array of the model's dtype", f"  expected float64, received {y.dtype}"
        )
    if not np.isfinite(y).all():
        raise run.failure("forward must be finite", f"  received y = {y.tolist()}; {on_domain(run.declared.domain)}")
    for name, gradient in run.gradients_at(run.x, run.dy).items():
        shape = run.x.shape if name == "x" else named[name].shape
        if not isinstance(gradient, np.ndarray) or gradient.shape != shape or gradient.dtype != np.float64:
            received = type(gradient).__name__
            if isinstance(gradient, np.ndarray):
                received = f"shape {gradient.shape}, {gradient.dtype}"
            elif gradient is None:
                received = "None: does it return dL/dx?"
            details = f"  received {received}{run.case.advice}"
            raise run.failure(f"backward must give d{name} of shape {shape}, float64", details)


@CONTRACT.property("gradients are set")
def gradients_set(run: LayerRun) -> None:
    """Backward sets all of every gradient, which were NaN before, to numbers."""
    if np.isnan(dx := run.gradients.get("x", np.zeros(1))).any():
        raise run.failure("backward must give no NaN", f"  received dx = {dx.tolist()}")
    for name, gradient in run.gradients.items():
        if np.isnan(gradient).any():
            raise run.failure(
                f"backward must set all of d{name}",
                "  it was NaN before and still is: backward forgot it, or added to it where it must set",
            )


@CONTRACT.property("what is given is left alone")
def left_alone(run: LayerRun) -> None:
    """Nothing that is given is written into."""
    x, dy, layer = run.x, run.dy, run.layer
    values = layer.parameters.value.copy()
    run.forward(x)
    if not np.array_equal(x, run.case.x):
        raise run.failure("forward must not write into x")
    if not np.array_equal(layer.parameters.value, values):
        raise run.failure("forward must not change the parameters")
    states = run.states_now()
    for name, state in states.items():
        if not np.isfinite(state).all():
            raise run.failure("states must stay finite", f"  received {name} = {state.tolist()}")
    if not run.training and not same_bits(run.states, states):
        raise run.failure("forward must not change states at inference")
    run.backward(dy)
    if not np.array_equal(dy, run.dy):
        raise run.failure("backward must not write into the upstream gradient", "  its callers may need it")
    if not np.array_equal(x, run.case.x) or not np.array_equal(layer.parameters.value, values):
        raise run.failure("backward must not write into x or change the parameters")
    if not same_bits(states, run.states_now()):
        raise run.failure("backward must not change states")


@CONTRACT.property("what is returned stays")
def kept(run: LayerRun) -> None:
    """Arrays that were returned stay as they are: no buffer is used twice."""
    y = run.forward(run.x)
    kept = y.copy()
    dx = run.backward(run.dy).get("x")
    if not np.array_equal(y, kept):
        raise run.failure("an array returned by forward must stay as it is", "  backward wrote into it")
    if isinstance(dx, np.ndarray):
        gradient = dx.copy()
        run.backward(-run.dy)
        run.gradients_at(other_input(run), -run.dy)
        if not np.array_equal(dx, gradient):
            raise run.failure("an array returned by backward must stay as it is", "  a later backward wrote into it")
    run.forward(other_input(run))
    if not np.array_equal(y, kept):
        raise run.failure("an array returned by forward must stay as it is", "  a later forward wrote into it")


@CONTRACT.property("repeatable")
def repeatable(run: LayerRun) -> None:
    """From the same random stream comes the same output, and nothing is random that is not declared."""
    first = run.forward(run.x)
    streams, declared, training = run.streams_now(), run.declared, run.training
    many = run.declared.another((len(run.x) + 32, *run.x.shape[1:]), np.random.default_rng(run.case.seed))
    same = all(np.array_equal(run.forward(x.copy()), run.forward(x.copy())) for x in (run.x, many))
    again = range(FORWARDS if len(run.x) == 1 and run.case.seed % 16 == 0 else 1)
    if not all(np.array_equal(run.forward(run.x), first) for _ in again) or not same:
        details = "  draw random numbers from self.rng, as in self.rng.standard_normal(x.shape), where self.training is"
        details += (
            " True, and declare stochastic=True;\n  or, where nothing is random, let nothing of the forward before"
        )
        details += " enter the output"
        raise run.failure("the same forward twice must give the same output", details)
    if repr(run.streams_now()) != repr(streams):
        raise run.failure(
            "every forward must draw anew", "  the second forward drew fewer random numbers than the first"
        )
    if run.draws and not training and not declared.random_inference:
        details = "  read self.training, draw where it is True and declare stochastic=True; if inference is meant to be"
        raise run.failure("inference must not be random", f"{details} random: random_inference=True")
    if run.draws and training and not (declared.stochastic or declared.random_inference):
        raise run.failure("what is random must be declared", "  if so meant: stochastic=True")


@CONTRACT.property("backward of the newest forward")
def backward_again(run: LayerRun) -> None:
    """Backward can be repeated, and refers to the newest forward of this very object."""
    x, gradients = run.x, run.gradients  # run.dy is made anew each time: who writes into it is wrong elsewhere
    run.forward(x)
    run.backward(run.dy)
    if not same_bits(gradients, run.backward(run.dy)):
        raise run.failure("backward twice must give the same gradients")
    larger = run.forward(np.concatenate([x, x]))
    run.backward(upstream_gradient(np.random.default_rng(0), larger.shape))
    run.forward(other_input(run))
    if not same_bits(gradients, run.gradients_at(x, run.dy)):
        raise run.failure("backward must refer to the newest forward", "  other batches in between changed the result")
    run.forward(x)
    twin = copy.deepcopy(run.layer)
    run.forward(other_input(run), twin=twin)
    twin.backward(-run.dy)
    if not same_bits(gradients, run.backward(run.dy)):
        raise run.failure("two layers must not share what they keep", "  a copy that ran in between changed the result")
    if (other := run.case.other) is not None:
        run.forward(x)
        run.forward(other_input(run), twin=other)
        other.backward(-run.dy)
        if not same_bits(gradients, run.backward(run.dy)):
            details = "  another one made by the same call ran in between and changed the result: is something kept in"
            details += " the class, the module or a default argument?"
            raise run.failure("two layers must not share what they keep", details)


@CONTRACT.property("linear in the upstream gradient")
def linear(run: LayerRun) -> None:
    """Backward is linear in the upstream gradient, to rounding, which is measured as for `needs_dx`."""
    dy, gradients = run.dy, run.gradients
    other = upstream_gradient(np.random.default_rng(run.case.seed + 1), dy.shape)
    run.forward(run.x)
    together, alone = run.backward(2 * dy - other), run.backward(other)
    size = max(float(np.abs(array).max(initial=0.0)) for array in (*gradients.values(), *alone.values()))
    for name, gradient in gradients.items():
        if not close(together[name], 2 * gradient - alone[name], scale=size):
            raise run.failure("backward must be linear in the upstream gradient", f"  d{name} is not")


@CONTRACT.property("any memory layout")
def layouts(run: LayerRun) -> None:
    """Read-only arrays, views with gaps, in Fortran order or backwards give the same as plain ones."""
    layouts = zip(_layouts(run.x), _layouts(run.dy), strict=True)
    for (layout, x), (_, dy) in layouts:
        try:
            y = run.forward(x)
            gradients = run.backward(dy)
        except LayerCheckError as error:
            details = f"  {error.__cause__}"
            if "read-only" in details:
                details += ": forward or backward writes into what it is given"
            raise run.failure(f"{layout} must be taken, as x and as dy", details) from error
        if not close(y, run.y):
            raise run.failure(f"{layout} must give the same output as a plain array")
        for name, gradient in gradients.items():
            if not close(gradient, run.gradients[name]):
                raise run.failure(f"{layout} must give the same gradients as plain ones", f"  d{name} differs")


def _layouts(array: Array) -> Iterator[tuple[str, Array]]:
    gaps = np.repeat(array, 2, axis=-1)[..., ::2]
    gaps.flags.writeable = False
    yield "a read-only view with gaps", gaps
    yield "an array in Fortran order", np.array(array, order="F")
    yield "a view that runs backwards", array[::-1].copy()[::-1]


@CONTRACT.property("needs_dx is only a hint")
def needs_dx(run: LayerRun) -> None:
    """The hint needs_dx changes no parameter gradient, but for rounding: without dx sums may run in another order.

    Behind a normalization a gradient of 0 is rounding, too, so it is measured by the largest of all gradients.
    """
    run.layer.needs_dx = False
    try:
        unneeded = run.gradients_at(run.x, run.dy)
    finally:
        run.layer.needs_dx = True
    size = max(float(np.abs(gradient).max(initial=0.0)) for gradient in run.gradients.values())
    if not all(close(unneeded[name], run.gradients[name], scale=size) for name in run.gradients if name != "x"):
        raise run.failure("needs_dx=False must leave the parameter gradients as they are")


@CONTRACT.property("copies are independent")
def copies(run: LayerRun) -> None:
    """A deep copy gives the same, and has parameters of its own."""
    twin = copy.deepcopy(run.layer)
    if not np.array_equal(run.forward(run.x, twin=twin), run.y):
        raise run.failure("a deep copy of the layer must give the same output")
    before = run.layer.parameters.value.copy()
    after = before * 0.75
    try:
        run.layer.parameters.value[...] = after
        expected = run.forward(run.x)
    finally:
        run.layer.parameters.value[...] = before
    twin.parameters.value[...] = after
    if not np.array_equal(run.forward(run.x, twin=twin), expected, equal_nan=True):
        details = "  changing the parameters of a copy did not do what it does here: is self kept in a function?"
        raise run.failure("a deep copy of the layer must use its own parameters", details)


@CONTRACT.property("restored by parameters and states")
def restored(run: LayerRun) -> Outcome:
    """Values and states are all that a layer has learned: put into a fresh one, they give the same at inference."""
    if run.training:
        return NOT_TRIED
    fresh = copy.deepcopy(run.case.fresh).build(seed=1, dtype=np.float64)
    fresh.parameters.restore(run.layer.parameters.snapshot())
    if not np.array_equal(run.forward(run.x, twin=fresh), run.y):
        details = "  a fresh layer with the same parameters and states differs: keep what is learned in a State"
        details += f"; plain arrays are {', '.join(run.case.arrays)}" if run.case.arrays else ""
        raise run.failure("a layer must be restored by its parameters and states", details)
    return None
