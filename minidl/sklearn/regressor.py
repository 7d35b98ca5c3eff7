"""MLPRegressor: numbers, one or several a row."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin

from minidl.arguments import short
from minidl.layers.losses.base import ClassLoss, Loss
from minidl.layers.losses.squared_error import MeanSquaredError
from minidl.parameters import Array
from minidl.sklearn.multilayer import Multilayer


class MLPRegressor(RegressorMixin, Multilayer):
    """Regression: X (n, features) -> y (n,) or (n, outputs), by y = the scores of the layers.

    Args:
        loss: None for the mean squared error, or any `Loss` of real targets, such as `Huber()` or your own.

    All others are those of `MLPClassifier`, which has `class_weight` besides. Targets are taken as they are: where they
    are far from 0 or large, scale them, as `sklearn.compose.TransformedTargetRegressor` does.

    Attributes:
        model_, history_, best_epoch_, n_iter_, callbacks_, n_features_in_, feature_names_in_: see `MLPClassifier`.

    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 60)[:, None]
    >>> estimator = MLPRegressor(hidden=(30,), random_state=0).fit(x, x[:, 0] ** 2)
    >>> estimator.predict(x[:3]).shape, estimator.score(x, x[:, 0] ** 2) > 0.98
    ((3,), True)
    """

    _of_y: ClassVar[Mapping[str, Any]] = {"y_numeric": True}

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One epoch on these rows, going on with weights, optimizer and streams as they are.

        k calls are `fit` with `epochs=k`, to the bit. A schedule is made for `epochs` of the rows of the first call.
        """
        return self._first_or_next(X, y, sample_weight)

    def predict(self, X: Any) -> Array:
        """(n,) or (n, outputs), as y was; in float64 where y was, else in the dtype of the model."""
        scores = self._scores(X)
        return (scores[:, 0] if self._flat else scores).astype(self._returned, copy=False)

    def __sklearn_tags__(self) -> Any:
        """Several outputs are taken."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _loss(self) -> Loss:
        if isinstance(self.loss, ClassLoss):
            raise ValueError(
                f"expected a loss of numbers such as Huber(), received loss={short(self.loss)}, which is one of "
                f"classes: use MLPClassifier for them"
            )
        return MeanSquaredError() if self.loss is None else self.loss

    def _learn(self, y: Array, classes: Any = None, *, whole: bool = True) -> None:
        self._flat, self._n_out = y.ndim == 1, 1 if y.ndim == 1 else y.shape[1]
        self._returned = np.result_type(self.dtype, y.dtype) if y.dtype.kind == "f" else np.dtype(self.dtype)

    def _encoded(self, y: Array) -> Array:
        targets = y.reshape(len(y), -1)
        if targets.shape[1] != self._n_out or (y.ndim == 1) != self._flat:
            shape = "(n,)" if self._flat else f"(n, {self._n_out})"
            raise ValueError(f"expected targets of shape {shape}, as before, received shape {y.shape}")
        return targets
