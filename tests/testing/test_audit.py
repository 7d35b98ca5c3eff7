"""The page of the audit: its columns follow what properties say of themselves."""

from minidl.testing import PropertyResult, Report
from tests.tools import audit


def test_a_column_takes_the_errors_of_its_dtype_whatever_the_properties_are_called():
    results = (
        PropertyResult("derivatives", "passed", 1, 2e-9),
        PropertyResult("less digits", "passed", 1, 3e-6, dtype="float32"),
        PropertyResult("runs", "passed", 1),
    )
    report = Report("Mine", 1, results)
    assert (audit.in_digits(report, "float64"), audit.in_digits(report, "float32")) == ("2.0e-09", "3.0e-06")
    assert audit.in_digits(Report("Mine", 1, results[2:]), "float32") == "-"
