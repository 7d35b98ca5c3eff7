"""What is true of any function: slopes by differences, kinks, patterns of mistakes, points to look at, float32, words.

The ground floor of the checks: it knows no kind of thing, no report and no hypothesis.
"""

from minidl.testing.functions.comparing import close, same_bits
from minidl.testing.functions.differences import Probe
from minidl.testing.functions.kinks import valid_choice
from minidl.testing.functions.numeric import central_difference, complex_step, relative_error
from minidl.testing.functions.numeric_backward import NumericBackward
from minidl.testing.functions.patterns import Sample, in_words
from minidl.testing.functions.points import (
    GRID,
    WAYS,
    Domain,
    interior,
    leave_grid,
    moved,
    off_grid,
    some_input,
    steps_in,
    upstream_gradient,
)
from minidl.testing.functions.precision import Twins, cast
from minidl.testing.functions.rows import Rows
from minidl.testing.functions.subject import Subject, units
from minidl.testing.functions.verdict import FAR, Trial, Wrong, judge
from minidl.testing.functions.words import call_of, line_of, name_of, shown

__all__ = [
    "FAR",
    "GRID",
    "WAYS",
    "Domain",
    "NumericBackward",
    "Probe",
    "Rows",
    "Sample",
    "Subject",
    "Trial",
    "Twins",
    "Wrong",
    "call_of",
    "cast",
    "central_difference",
    "close",
    "complex_step",
    "in_words",
    "interior",
    "judge",
    "leave_grid",
    "line_of",
    "moved",
    "name_of",
    "off_grid",
    "relative_error",
    "same_bits",
    "shown",
    "some_input",
    "steps_in",
    "units",
    "upstream_gradient",
    "valid_choice",
]
