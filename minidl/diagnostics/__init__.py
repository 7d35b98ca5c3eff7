"""See inside a network: what its layers do while it trains, where it is sick, and one step in full.

Nothing here changes a run: a `Recorder` only reads, and everything else works on copies.
"""

from minidl.diagnostics.diagnosing import Diagnosis, diagnose
from minidl.diagnostics.preflight import Preflight, expected_loss, overfit_one_batch, preflight
from minidl.diagnostics.rates import RangeTest, range_test
from minidl.diagnostics.recorder import Recorder
from minidl.diagnostics.saliency import saliency
from minidl.diagnostics.signs import Finding
from minidl.diagnostics.steps import StepExplanation, explain_step

__all__ = [
    "Diagnosis",
    "Finding",
    "Preflight",
    "RangeTest",
    "Recorder",
    "StepExplanation",
    "diagnose",
    "expected_loss",
    "explain_step",
    "overfit_one_batch",
    "preflight",
    "range_test",
    "saliency",
]
