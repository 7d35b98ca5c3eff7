"""MLPClassifier: one class a row, or several yes-or-no labels."""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d

from minidl.arguments import short
from minidl.data.dataset import Dataset
from minidl.layers.activations import ReLU
from minidl.layers.losses.base import ClassLoss, Loss
from minidl.layers.losses.cross_entropy import BinaryCrossEntropy, SoftmaxCrossEntropy
from minidl.optim.adam import Adam
from minidl.parameters import Array
from minidl.sklearn.multilayer import Multilayer
from minidl.sklearn.weighing import factors_of_classes, weighted


def _has_probabilities(estimator: Any) -> bool:
    loss = estimator.loss
    if loss is not None and type(loss).probabilities is Loss.probabilities:
        raise AttributeError(f"predict_proba needs a loss whose scores mean that, and {short(loss)} has none")
    return True


class MLPClassifier(ClassifierMixin, Multilayer):
    """Classification: X (n, features) -> one of `classes_` for each row, that of the largest score.

    The scores are those of the layers, the probabilities softmax(scores). y (n,) may hold numbers or texts. With y a
    matrix (n, labels) of 0 and 1 each column is a yes-or-no question of its own, with probability sigmoid(score).

    Args:
        hidden: the widths of the hidden layers; () for none.
        activation: a class or function that makes the layer after each of them: `Tanh`, `lambda: LeakyReLU(0.1)`.
        dropout: the share of numbers that is left out after each of them, in training.
        model: a function (n_in, n_out) -> Layer in the place of these three. To be pickled, it stands in a module.
        loss: None for the cross-entropy, or any `ClassLoss` such as `Focal()` or `Hinge()`.
        optimizer: a function of the rate such as `SGD`, `AdamW` or `functools.partial(SGD, momentum=0.9)`.
        learning_rate: its rate.
        schedule: None, or a function (learning_rate, steps) -> rate of each step, such as `CosineDecay`; steps is the
            length of the run.
        regularizers: such as `[L2(1e-4)]`.
        epochs: passes over the rows.
        batch_size: rows a step; one batch where there are fewer.
        shuffle: whether each pass has an order of its own.
        early_stopping: None, or after how many epochs without a smaller validation loss to stop.
        validation_fraction: None, or the share of rows that is held out, with the same mix of classes. With rows to
            validate on, these or `X_val`, the weights of the smallest validation loss are kept.
        metrics: such as `[accuracy]`, for more columns in `history_`.
        callbacks: those of minidl; each `fit` has copies. Those of scikit-learn go to `set_callbacks`.
        class_weight: None, a weight for each class as {label: weight}, others being 1, or "balanced" for equal shares.
        dtype: np.float64 or np.float32 of all that is computed.
        random_state: of initial weights, the order of rows, dropout and what is held out.
        verbose: whether to show progress.

    Attributes:
        model_: the trained model, a `Layer`.
        history_: the `History` of the run; `history_.evaluations` has "train_loss" and "validation_loss" of each epoch.
        best_epoch_: the epoch whose weights the model has: that of the best evaluation, without validation the last.
        n_iter_: how many epochs were trained.
        callbacks_: the copies of the callbacks, with what they remember.
        classes_: the labels, in the order of the scores.
        n_features_in_, feature_names_in_: the columns.

    >>> import numpy as np
    >>> x, y = np.random.default_rng(0).normal(size=(80, 2)), np.repeat(["in", "out"], 40)
    >>> x[40:] += 4
    >>> estimator = MLPClassifier(hidden=(20,), random_state=0).fit(x, y)
    >>> estimator.predict([[0, 0], [4, 4]]).tolist(), estimator.predict_proba(x).shape
    (['in', 'out'], (80, 2))
    """

    def __init__(
        self,
        hidden: Any = (100,),
        activation: Any = ReLU,
        *,
        dropout: float = 0.0,
        model: Any = None,
        loss: Any = None,
        optimizer: Any = Adam,
        learning_rate: float = 0.003,
        schedule: Any = None,
        regularizers: Any = (),
        epochs: int = 200,
        batch_size: int = 200,
        shuffle: bool = True,
        early_stopping: int | None = None,
        validation_fraction: float | None = None,
        metrics: Any = (),
        callbacks: Any = (),
        class_weight: Any = None,
        dtype: Any = np.float64,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(
            hidden,
            activation,
            dropout=dropout,
            model=model,
            loss=loss,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            regularizers=regularizers,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            metrics=metrics,
            callbacks=callbacks,
            dtype=dtype,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One epoch on these rows, going on with weights, optimizer and streams as they are.

        k calls are `fit` with `epochs=k`, to the bit. A schedule is made for `epochs` of the rows of the first call.

        Args:
            X: (n, features) numbers.
            y: n targets.
            classes: all labels there will ever be; to give in the first call.
            sample_weight: (n,) weights >= 0 of the rows, None for equal ones.
        """
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"expected class_weight to be None or a mapping for partial_fit, received class_weight="
                f"{self.class_weight!r}: the shares of classes in rows to come are not known"
            )
        return self._first_or_next(X, y, sample_weight, classes)

    def predict(self, X: Any) -> Array:
        """(n,) labels, or (n, labels) 0 and 1: those with a score above 0."""
        scores = self._scores(X)
        if self._multilabel:
            return (scores > 0).astype(np.int64)
        labels: Array = self.classes_[scores.argmax(axis=1)]
        return labels

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """(n, classes) the probability of each class, or (n, labels) of each label."""
        scores = self._scores(X)
        return self._loss().probabilities(scores)

    def decision_function(self, X: Any) -> Array:
        """(n, classes) or (n, labels) scores; of two classes (n,), how much that of the second is larger."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if not self._multilabel and scores.shape[1] == 2 else scores

    def __sklearn_tags__(self) -> Any:
        """Several labels a row are taken."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _loss(self) -> Loss:
        if self._multilabel:
            if self.loss is not None and not isinstance(self.loss, BinaryCrossEntropy):
                raise ValueError(
                    f"expected loss=None or BinaryCrossEntropy() for several labels a row, received {short(self.loss)}"
                )
            return BinaryCrossEntropy() if self.loss is None else self.loss
        if self.loss is not None and (not isinstance(self.loss, ClassLoss) or type(self.loss) is BinaryCrossEntropy):
            raise ValueError(
                f"expected a loss of labels such as SoftmaxCrossEntropy(), received loss={short(self.loss)}: two "
                f"classes have two scores"
            )
        return SoftmaxCrossEntropy() if self.loss is None else self.loss

    def _learn(self, y: Array, classes: Any = None, *, whole: bool = True) -> None:
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind == "multiclass-multioutput":
            raise ValueError(
                "expected one class a row, or a matrix of 0 and 1, received several classes a row: train one "
                "estimator for each, as sklearn.multioutput.MultiOutputClassifier does"
            )
        self._multilabel = kind == "multilabel-indicator"
        labels = range(y.shape[1]) if self._multilabel else column_or_1d(y, warn=True)
        if classes is None and not whole and not self._multilabel:
            raise ValueError(
                "expected classes=[...] in the first call of partial_fit, received none: give all labels that there "
                "will ever be, such as np.unique(y)"
            )
        self.classes_ = unique_labels(list(labels) if self._multilabel else labels if classes is None else classes)
        self._n_out = len(self.classes_)

    def _check_known(self, classes: Any) -> None:
        if classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
            raise ValueError(
                f"expected the classes of the first call, {self.classes_.tolist()}, received {list(classes)}"
            )

    def _encoded(self, y: Array) -> Array:
        if self._multilabel:
            if y.ndim != 2 or y.shape[1] != self._n_out or not np.isin(y, (0, 1)).all():
                raise ValueError(f"expected rows of {self._n_out} numbers 0 or 1, received y of shape {y.shape}")
            return y.astype(np.dtype(self.dtype))
        encoder = LabelEncoder()
        encoder.classes_ = self.classes_
        labels: Array = encoder.transform(column_or_1d(y)).astype(np.int64)
        return labels

    def _weighted(self, data: Dataset) -> Dataset:
        if self.class_weight is None:
            return data
        if self._multilabel:
            raise ValueError("expected class_weight=None for several labels a row: use sample_weight")
        if "_factors" not in vars(self):
            self._factors = factors_of_classes(self.class_weight, self.classes_, data)
        return weighted(data, self._factors)

    def _check_train(self, train: Dataset, *, whole: bool) -> None:
        seen = train.targets if train.weights is None else train.targets[train.weights > 0]
        if not self._multilabel and len(np.unique(seen) if whole else self.classes_) < 2:
            only = self.classes_.tolist()[int(seen[0])]
            raise ValueError(
                f"expected at least two classes, received one class, {only!r}: there is nothing to tell apart"
            )
