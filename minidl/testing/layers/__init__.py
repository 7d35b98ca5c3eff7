"""What is checked of a layer, and the calls that check it."""

from minidl.testing.layers.calls import check_layer, layer_test
from minidl.testing.layers.case import LayerCheckError

__all__ = ["LayerCheckError", "check_layer", "layer_test"]
