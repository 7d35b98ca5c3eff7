"""Checks for the layers, losses, models, regularizers, optimizers, schedules and callbacks you write: one line each.

And for every other derivative written by hand, in NumPy here, in PyTorch and JAX in `minidl.testing.torch` and
`minidl.testing.jax`.
"""

import sys

from minidl.testing.callbacks import callback_test, check_callback
from minidl.testing.callbacks.case import CallbackCheckError
from minidl.testing.explaining import Explanation, explain
from minidl.testing.functions import NumericBackward, central_difference, complex_step, relative_error
from minidl.testing.handwritten import check_function, function_test
from minidl.testing.handwritten.case import FunctionCheckError
from minidl.testing.layers import check_layer, layer_test
from minidl.testing.layers.case import LayerCheckError
from minidl.testing.losses import check_loss, loss_test
from minidl.testing.losses.case import LossCheckError
from minidl.testing.models import check_model, model_test
from minidl.testing.models.properties import ModelCheckError
from minidl.testing.optimizers import check_optimizer, optimizer_test
from minidl.testing.optimizers.case import OptimizerCheckError
from minidl.testing.regularizers import RegularizerCheckError, check_regularizer, regularizer_test
from minidl.testing.report import CheckError, PropertyResult, Report
from minidl.testing.running import PROFILES
from minidl.testing.schedules import ScheduleCheckError, check_schedule, schedule_test
from minidl.testing.strategies import (
    at_least,
    binary_labels,
    class_labels,
    fractions,
    grid_arrays,
    probability_rows,
    real_targets,
)

__all__ = [
    "PROFILES",
    "CallbackCheckError",
    "CheckError",
    "Explanation",
    "FunctionCheckError",
    "LayerCheckError",
    "LossCheckError",
    "ModelCheckError",
    "NumericBackward",
    "OptimizerCheckError",
    "PropertyResult",
    "RegularizerCheckError",
    "Report",
    "ScheduleCheckError",
    "at_least",
    "binary_labels",
    "callback_test",
    "central_difference",
    "check_callback",
    "check_function",
    "check_layer",
    "check_loss",
    "check_model",
    "check_optimizer",
    "check_regularizer",
    "check_schedule",
    "class_labels",
    "complex_step",
    "explain",
    "fractions",
    "function_test",
    "grid_arrays",
    "layer_test",
    "loss_test",
    "model_test",
    "optimizer_test",
    "probability_rows",
    "real_targets",
    "regularizer_test",
    "relative_error",
    "schedule_test",
]

for _name, _module in list(sys.modules.items()):
    if _name.startswith("minidl.testing"):  # pytest shows the error of a check and the code that was checked, not ours
        vars(_module)["__tracebackhide__"] = True
