"""What is checked of a whole model with its loss, and the calls that check it."""

from minidl.testing.models.calls import check_model, model_test
from minidl.testing.models.case import ModelCheckError

__all__ = ["ModelCheckError", "check_model", "model_test"]
