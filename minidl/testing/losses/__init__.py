"""What is checked of a loss, and the calls that check it."""

from minidl.testing.losses.calls import check_loss, loss_test
from minidl.testing.losses.case import LossCheckError

__all__ = ["LossCheckError", "check_loss", "loss_test"]
