"""What is checked of an optimizer, and the calls that check it."""

from minidl.testing.optimizers.calls import check_optimizer, optimizer_test
from minidl.testing.optimizers.case import OptimizerCheckError

__all__ = ["OptimizerCheckError", "check_optimizer", "optimizer_test"]
