"""What a layer is told of its rows before it sees them, and numbers as the trainer hands them over."""

import numpy as np

from minidl.layers.shapes import Open
from minidl.testing.functions import same_bits
from minidl.testing.layers.case import LayerCheckError, LayerRun
from minidl.testing.report import NOT_TRIED, Outcome, Properties, raised

DOOR = Properties()


@DOOR.property("output shape")
def output_shape(run: LayerRun) -> None:
    """What `output_shape` says of rows known wholly, without one of their sizes, or not at all is true, or None."""
    known, row = run.x.shape[1:], run.y.shape[1:]
    parts = [(*known[:i], None, *known[i + 1 :]) for i in range(len(known))]
    for shape in (known, *parts, (None,) * len(known), None):
        try:
            said = run.layer.output_shape(shape)
        except Exception as error:
            details = f"{raised(error)}\n  for output_shape({shape}); None is a size that nobody knows yet"
            raise run.failure("output_shape must take shapes that are known in part", details) from error
        if said is None:
            continue
        seen = row[len(row) - len(said) :] if isinstance(said, Open) else row  # whose first axes it leaves open
        agree = isinstance(said, tuple) and len(said) == len(seen)
        if not agree or any(a not in (None, b) for a, b in zip(said, seen, strict=True)):
            details = f"  it says {said} for rows of {shape}, forward returns rows of {row}{run.case.advice}"
            raise run.failure("output_shape must tell the truth", details)


@DOOR.property("whole floats")
def whole_floats(run: LayerRun) -> Outcome:
    """Whole numbers as floats, as `fit` and `predict` cast them to the model's dtype, give what integers give."""
    if not run.declared.integers:
        return NOT_TRIED
    y, dy = run.y, run.dy
    run.layer.needs_dx = False  # nobody asks for that of whole numbers
    try:
        same, gradients = run.forward(run.x.astype(np.float64)), run.backward(dy)
    except LayerCheckError as error:
        details = f"  {error.__cause__}\n  fit and predict cast x to the model's dtype: "
        details += "x = whole_numbers(self, x, high) of minidl.layers.shapes makes indices of it"
        raise run.failure("whole numbers must be taken as floats too", details) from error
    finally:
        run.layer.needs_dx = True
    if not np.array_equal(same, y) or not same_bits(run.gradients, gradients):
        raise run.failure("whole numbers must give the same as floats and as integers")
    return None
