"""What is asked of a function besides right numbers: each property on one run of one case."""

import numpy as np

from minidl.parameters import Array
from minidl.testing.functions import close, shown, upstream_gradient
from minidl.testing.handwritten.called import EXPANDED, LAYOUTS, have_rows
from minidl.testing.handwritten.case import FunctionCheckError, FunctionRun
from minidl.testing.report import NOT_TRIED, Outcome, Properties

CONTRACT = Properties()
MANY = 32  # rows more than in the case


@CONTRACT.property("runs", first=True)
def runs(run: FunctionRun) -> None:
    """Forward takes the inputs, backward the upstream gradients."""
    started = run.start(run.given)
    if not run.rows_mix and not have_rows(started.outputs, run.rows):
        received = ", ".join(str(output.shape) for output in started.outputs)
        details = f"  received {received} for {run.rows} rows; if rows are meant to mix, as in a sum: rows_mix=True"
        raise run.failure("forward must return one row per sample", details)
    if started.y.size == 0:
        details = "  are sizes too small for it? Give a lower bound: shape=('n', at_least(3))"
        raise run.failure("forward must return some numbers", details)
    started.back(run.dy)


@CONTRACT.property("shapes and dtypes", first=True)
def shapes(run: FunctionRun) -> None:
    """Outputs and gradients have the right shape and dtype, and the outputs are finite."""
    started = run.start(run.given)
    for output in started.outputs:
        if output.dtype != np.float64:
            details = f"  expected float64 for inputs of float64, received {output.dtype}"
            raise run.failure("forward must keep the dtype of its inputs", details)
    if not np.isfinite(started.y).all():
        details = f"  received {shown(started.y)}; is a domain=(low, high) needed?"
        raise run.failure("forward must be finite", details)
    gradients = started.back(run.dy)
    for name in run.case.differentiated:
        gradient, shape = gradients.get(name), run.case.given[name].shape
        if not isinstance(gradient, np.ndarray) or gradient.shape != shape or gradient.dtype != np.float64:
            received = f"  received {type(gradient).__name__}"
            if isinstance(gradient, np.ndarray):
                received = f"  received shape {gradient.shape}, {gradient.dtype}"
            elif gradient is None:
                received += f"; if it is not to be differentiated: constants=({name!r},)"
            raise run.failure(f"backward must give d{name} of shape {shape}, float64", received)


@CONTRACT.property("gradients are set")
def gradients_set(run: FunctionRun) -> None:
    """Gradients are numbers."""
    for name, gradient in run.gradients.items():
        if np.isnan(gradient).any():
            raise run.failure("backward must give no NaN", f"  received d{name} = {shown(gradient)}")


@CONTRACT.property("what is given is left alone")
def left_alone(run: FunctionRun) -> None:
    """Nothing that is given is written into."""
    given, handed = run.given, list[tuple[Array, Array]]()

    def remembered(part: Array) -> Array:
        handed.append((part, part.copy()))
        return part

    def check(what: str) -> None:
        for name, before in run.case.given.items():
            if not np.array_equal(given[name], before):
                raise run.failure(f"{what} must not write into {name}")

    started = run.start(given)
    check("forward")
    started.back(run.dy, remembered)
    if not all(np.array_equal(part, before) for part, before in handed):
        raise run.failure("backward must not write into the upstream gradient", "  its callers may need it")
    check("backward")


@CONTRACT.property("what is returned stays")
def kept(run: FunctionRun) -> None:
    """Arrays that were returned stay as they are: no buffer is used twice."""
    started = run.start(run.given)
    outputs = [output.copy() for output in started.outputs]

    def check(who: str) -> None:
        if not all(np.array_equal(a, b) for a, b in zip(started.outputs, outputs, strict=True)):
            raise run.failure("an array returned by forward must stay as it is", f"  {who} wrote into it")

    gradients = started.back(run.dy)
    check("backward")
    before = {name: gradient.copy() for name, gradient in gradients.items()}
    started.back(-run.dy)
    again = run.start(_other(run))
    again.back(upstream_gradient(np.random.default_rng(0), again.y.shape))
    check("a later forward")
    if not all(np.array_equal(gradients[name], before[name], equal_nan=True) for name in before):
        raise run.failure("an array returned by backward must stay as it is", "  a later backward wrote into it")


def _other(run: FunctionRun) -> dict[str, Array]:
    return run.case.another(np.random.default_rng(run.case.seed + 1))


@CONTRACT.property("repeatable")
def repeatable(run: FunctionRun) -> None:
    """From the same inputs, and the same random numbers, comes the same output."""
    if run.draws and not run.declared.stochastic:
        raise run.failure("what is random must be declared", "  if so meant: stochastic=True")
    first = run.forward(run.given)
    run.forward(_other(run))
    if not run.rows_mix:
        rows = run.rows + (run.rows if run.called.few_shapes else MANY)
        run.forward(run.case.another(np.random.default_rng(run.case.seed), rows))
    if not close(run.forward(run.given), first):
        details = "  is something random, or kept from one call to the next?"
        raise run.failure("the same forward twice must give the same output", details)


@CONTRACT.property("backward of its own forward")
def backward_again(run: FunctionRun) -> None:
    """Backward can be repeated, and belongs to its own forward, whatever has run since."""
    started, dy = run.start(run.given), run.dy
    _same(run, started.back(dy), "the same forward and backward again must give the same gradients")
    _same(run, started.back(dy), "backward twice must give the same gradients")
    others = [_other(run)]
    if not run.rows_mix:
        others += [run.case.another(np.random.default_rng(run.case.seed), rows) for rows in (2 * run.rows, run.rows)]
    for other in others:
        between = run.start(other)
        between.back(upstream_gradient(np.random.default_rng(0), between.y.shape))
        details = "  another forward and backward in between changed the result: is something kept in the class,"
        details += " the module or a default argument?"
        _same(run, started.back(dy), "backward must refer to its own forward", details)
    if (twin := run.called.copied()) is not None:
        copied = run.start(run.given, called=twin)
        _same(run, copied.back(dy), "a deep copy must give the same gradients")


def _same(run: FunctionRun, gradients: dict[str, Array], failed: str, details: str = "") -> None:
    size = max(float(np.abs(gradient).max(initial=0.0)) for gradient in run.gradients.values())
    for name, gradient in gradients.items():
        if not close(gradient, run.gradients[name], scale=size):
            raise run.failure(failed, f"  d{name} differs" + (f"\n{details}" if details else ""))


@CONTRACT.property("linear in the upstream gradient")
def linear(run: FunctionRun) -> None:
    """Backward is linear in the upstream gradient."""
    other = upstream_gradient(np.random.default_rng(run.case.seed + 1), run.dy.shape)
    started = run.start(run.given)
    together, alone = started.back(2 * run.dy - other), started.back(other)
    for name, gradient in run.gradients.items():
        size = float(np.abs(gradient).max(initial=0.0) + np.abs(alone[name]).max(initial=0.0))
        if not close(together[name], 2 * gradient - alone[name], scale=size):
            raise run.failure("backward must be linear in the upstream gradient", f"  d{name} is not")


@CONTRACT.property("any memory layout")
def layouts(run: FunctionRun) -> Outcome:
    """Views with gaps, in Fortran order, backwards, or expanded from one number give the same as plain arrays."""
    if not run.called.layouts or run.draws:  # what is drawn may be laid out as the input is
        return NOT_TRIED
    for layout in run.called.layouts:
        if layout == EXPANDED:
            ones = np.ones(run.y.shape)
            plain = run.start(run.given).back(ones)
            _check_layout(run, layout, run.given, ones, plain)
            continue
        given = {n: LAYOUTS[layout](a) if a.ndim and n in run.case.inputs else a for n, a in run.given.items()}
        _check_layout(run, layout, given, run.dy, run.gradients)
    return None


def _check_layout(run: FunctionRun, layout: str, given: dict[str, Array], dy: Array, plain: dict[str, Array]) -> None:
    def laid_out(part: Array) -> Array:
        if layout == EXPANDED:
            return np.broadcast_to(part.ravel()[:1].reshape((1,) * part.ndim), part.shape) if part.size else part
        return LAYOUTS[layout](part) if part.ndim else part

    try:
        started = run.start(given)
        gradients = started.back(dy, laid_out)
    except FunctionCheckError as error:
        advice = f"  {error.__cause__}"
        advice += ": forward or backward writes into what it is given" if "read-only" in advice else ""
        raise run.failure(f"{layout} must be taken, as input and as upstream gradient", advice) from error
    if not close(started.y, run.y, scale=float(np.abs(run.y).max(initial=0.0))):
        raise run.failure(f"{layout} must give the same output as a plain array")
    size = max(float(np.abs(gradient).max(initial=0.0)) for gradient in plain.values())
    for name, gradient in gradients.items():
        if not close(gradient, plain[name], scale=size):
            raise run.failure(f"{layout} must give the same gradients as plain ones", f"  d{name} differs")


@CONTRACT.property("needs_input_grad is only a hint")
def hints(run: FunctionRun) -> Outcome:
    """A gradient that is wanted alone is the same as among others."""
    names = run.case.differentiated
    if not run.called.hints or len(names) < 2:
        return NOT_TRIED
    size = max(float(np.abs(gradient).max(initial=0.0)) for gradient in run.gradients.values())
    for name in names:
        alone = run.start(run.given, wanted=(name,)).back(run.dy)[name]
        if not close(alone, run.gradients[name], scale=size):
            details = f"  d{name} is another one where no other gradient is wanted"
            raise run.failure("a gradient must not depend on which others are wanted", details)
    return None


@CONTRACT.property("compiled")
def compiled(run: FunctionRun) -> Outcome:
    """Not compiled, it gives the same, in some cases."""
    if (thing := run.called.other_form()) is None or run.case.seed % 8:
        return NOT_TRIED
    started = run.start(run.given, called=thing)
    if not close(started.y, run.y, scale=float(np.abs(run.y).max(initial=0.0))):
        raise run.failure("compiled and not, it must give the same output", f"  received {shown(started.y)}")
    _same(run, started.back(run.dy), "compiled and not, it must give the same gradients")
    return None
