"""Every property on every line of the table, and no public class without a line."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import minidl
import minidl.diagnostics
import minidl.layers
import minidl.optim
import minidl.regularizers
import minidl.testing
import minidl.training
from minidl.layers import ClassLoss, Elementwise, Layer, Loss
from minidl.optim import Optimizer, Schedule
from minidl.regularizers import L2
from minidl.training import Callback, Checkpoint
from tests.tools.checklist import TABLE

CONTRACTS = {Layer, Loss, Optimizer, Schedule, Callback, ClassLoss, Elementwise}  # to derive from, not to use
HELPERS = {Checkpoint}  # what the checks of all callbacks go on from: tests/training holds it


@pytest.mark.parametrize("line", TABLE, ids=lambda line: line.name)
def test_every_property_holds(line):
    make: Callable[..., Any] = getattr(minidl.testing, f"{line.kind}_test")
    make(line.thing, **line.options)()


def test_every_public_class_has_a_line():
    public = {
        thing
        for module in (minidl, minidl.layers, minidl.optim, minidl.regularizers, minidl.training, minidl.diagnostics)
        for thing in vars(module).values()
        if inspect.isclass(thing) and thing.__module__.startswith("minidl.")
    }
    kinds = (Layer, Loss, Optimizer, Schedule, Callback)
    checked = {thing for thing in public if issubclass(thing, kinds) or thing.__module__ == L2.__module__}
    named = {thing.__name__ for thing in checked - CONTRACTS - HELPERS if not thing.__name__.startswith("_")}
    assert named == {line.name.split()[0] for line in TABLE}
