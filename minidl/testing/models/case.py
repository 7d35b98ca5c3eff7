"""One drawn case of a whole model with its loss, and its runs, which end in a number: the cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from minidl.arguments import short
from minidl.layers.losses.base import Loss
from minidl.parameters import Array
from minidl.regularizers import Regularizer
from minidl.testing.functions.points import shown
from minidl.testing.layers.case import LayerCase, LayerCheckError, LayerRun
from minidl.testing.report import raised


class ModelCheckError(LayerCheckError):
    """A model with its loss broke one of its properties; the text holds the smallest case found."""


@dataclass(frozen=True, kw_only=True)
class ModelCase(LayerCase):
    """A case of a layer with targets for its outputs, and what they cost."""

    loss: Loss
    targets: Array
    regularizers: Sequence[Regularizer]

    def __repr__(self) -> str:
        at = f"{{'x': {self.x.tolist()}, 'targets': {self.targets.tolist()}, 'seed': {self.seed}}}"
        regularizers = f", regularizers=[{', '.join(map(short, self.regularizers))}]" if self.regularizers else ""
        return f"check_model({self.fresh!r}, {self.loss!r}, at={at}{regularizers}{self.declared})"


class ModelRun(LayerRun):
    """A run of a model that ends in a number: the cost, which is the loss and the penalties."""

    case: ModelCase
    error = ModelCheckError

    def cost(self, x: Array) -> float:
        """Loss and penalties at `x`, adding the penalties' gradients to what stands there."""
        return self._loss(x) + sum(regularize(self.layer.parameters) for regularize in self.case.regularizers)

    def _loss(self, x: Array) -> float:
        scores = self.forward(x)
        try:
            return self.case.loss.forward(scores, self.case.targets)
        except Exception as error:
            details = f"{raised(error)}\n  targets = {shown(self.case.targets)}"
            raise self.failure("the loss must take what the model returns", details).of_running() from error

    def cost_gradients(self, x: Array) -> dict[str, Array]:
        """The gradients after the five statements of training, without the last."""
        self._loss(x)
        dx = self.backward(self.case.loss.backward()).get("x")
        for regularize in self.case.regularizers:
            regularize(self.layer.parameters)
        gradients = {name: parameter.grad.copy() for name, parameter in self.layer.parameters.named.items()}
        return gradients if dx is None else {"x": dx, **gradients}
