"""Checks for the layers, losses, regularizers and optimizers you write: one line each, driven by hypothesis."""

from minidl.testing.derivative import CheckError
from minidl.testing.layer_properties import LayerCheckError
from minidl.testing.layers import check_layer, layer_test
from minidl.testing.losses import LossCheckError, check_loss, loss_test
from minidl.testing.numeric import central_difference, complex_step, relative_error
from minidl.testing.optimizers import OptimizerCheckError, check_optimizer, optimizer_test
from minidl.testing.regularizers import RegularizerCheckError, check_regularizer, regularizer_test
from minidl.testing.running import Report
from minidl.testing.strategies import (
    binary_labels,
    class_labels,
    fractions,
    grid_arrays,
    probability_rows,
    real_targets,
)

__all__ = [
    "CheckError",
    "LayerCheckError",
    "LossCheckError",
    "OptimizerCheckError",
    "RegularizerCheckError",
    "Report",
    "binary_labels",
    "central_difference",
    "check_layer",
    "check_loss",
    "check_optimizer",
    "check_regularizer",
    "class_labels",
    "complex_step",
    "fractions",
    "grid_arrays",
    "layer_test",
    "loss_test",
    "optimizer_test",
    "probability_rows",
    "real_targets",
    "regularizer_test",
    "relative_error",
]
