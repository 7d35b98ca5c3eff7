"""What the two estimators share: parameters, data at the door, and runs of a Trainer."""

import math
from abc import ABCMeta, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from minidl.data.dataset import Dataset
from minidl.layers.activations import ReLU
from minidl.layers.losses.base import Loss
from minidl.optim.adam import Adam
from minidl.parameters import Array
from minidl.sklearn.bridging import CallbackSupport, Told, with_callbacks
from minidl.sklearn.building import trainer_of
from minidl.sklearn.checking import changed, check_parameters, check_read, kept
from minidl.sklearn.recording import best_epoch, joined
from minidl.training.callbacks import Callback
from minidl.training.history import History
from minidl.training.patience import EarlyStopping
from minidl.training.trainer import Trainer

OF_A_RUN = (
    "model_",
    "history_",
    "best_epoch_",
    "n_iter_",
    "callbacks_",
    "_trainer",
    "_seed",
    "_parameters",
    "_factors",
)


class Multilayer(CallbackSupport, BaseEstimator, metaclass=ABCMeta):
    """An estimator that trains a model of minidl; its kind says what targets and losses it takes."""

    _of_y: ClassVar[Mapping[str, Any]] = {}  # how targets are read
    _n_out: int
    _trainer: Trainer
    _seed: int
    _parameters: dict[str, Any]
    history_: History

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
        dtype: Any = np.float64,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.hidden, self.activation, self.dropout, self.model = hidden, activation, dropout, model
        self.loss, self.optimizer, self.learning_rate, self.schedule = loss, optimizer, learning_rate, schedule
        self.regularizers, self.metrics, self.callbacks = regularizers, metrics, callbacks
        self.epochs, self.batch_size, self.shuffle = epochs, batch_size, shuffle
        self.early_stopping, self.validation_fraction = early_stopping, validation_fraction
        self.dtype, self.random_state, self.verbose = dtype, random_state, verbose

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Self:
        """Train a new model.

        Args:
            X: (n, features) numbers, an array or a frame of pandas or polars.
            y: n targets; see the class.
            sample_weight: (n,) weights >= 0 of the rows, None for equal ones.
            X_val: rows to validate on instead of a `validation_fraction`. In a pipeline they are routed, and
                transformed by `Pipeline(..., transform_input=["X_val"])`.
            y_val: their targets.

        Raises:
            ValueError, TypeError: parameters or data that cannot be trained with.
            DivergenceError: the loss left all bounds, which a smaller `learning_rate` or scaled data mend.
            KeyboardInterrupt: Ctrl-C has ended the run; the estimator is fitted with its best weights.
        """
        check_parameters(self)
        self._forget()
        X_own, targets = self._rows(X, y, reset=True)
        self._learn(targets)
        train = self._dataset(X_own, self._encoded(targets), sample_weight)
        self._begin(train)
        train, validation = self._validated(train, X_val, y_val)
        told = Told(self, X, y, {"sample_weight": sample_weight, "X_val": X_val, "y_val": y_val})
        trainer = trainer_of(self, train, self._n_out, self._loss(), self._seed)
        patience = self.early_stopping
        stopping = [] if patience is None else [EarlyStopping(patience=patience)]
        self._run(trainer, train, validation, epochs=int(self.epochs), callbacks=[*stopping, *told.bridge()])
        told.end()
        return self

    def _first_or_next(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Self:
        """One epoch more on these rows: what `partial_fit` is in both."""
        check_parameters(self)
        first = not hasattr(self, "model_")
        if self.early_stopping is not None or self.validation_fraction is not None:
            raise ValueError(
                f"expected partial_fit without validation, received early_stopping={self.early_stopping}, "
                f"validation_fraction={self.validation_fraction}: one epoch cannot stop early, so set both to None"
            )
        X_own, targets = self._rows(X, y, reset=first)
        if first:
            self._forget()
            self._learn(targets, classes, whole=False)
        else:
            self._check_known(classes)
            if other := changed(self._parameters, self.get_params(deep=False)):
                raise ValueError(
                    f"expected the parameters of the calls before, received {', '.join(other)} that is not as it was: "
                    f"fit begins anew, and so does partial_fit of a clone"
                )
        train = self._dataset(X_own, self._encoded(targets), sample_weight)
        if first:
            self._begin(train, whole=False)
            trainer = trainer_of(self, train, self._n_out, self._loss(), self._seed)
        else:
            trainer = self._trainer
        self._run(trainer, train, None, epochs=1)
        return self

    def _forget(self) -> None:
        for name in OF_A_RUN:
            self.__dict__.pop(name, None)

    def _begin(self, train: Dataset, *, whole: bool = True) -> None:
        """Draw the seed, and remember what the model is trained with."""
        self._check_train(train, whole=whole)
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._parameters = kept(self.get_params(deep=False))

    def _run(
        self,
        trainer: Trainer,
        train: Dataset,
        validation: Dataset | None,
        *,
        epochs: int,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        """Train on, also with callbacks that are of this run only, and take over what is told of it."""
        own = list(trainer.callbacks)
        trainer.callbacks = [*own, *callbacks]
        try:
            history = trainer.fit(
                train,
                validation,
                epochs=epochs,
                batch_size=int(self.batch_size),
                shuffle=bool(self.shuffle),
                seed=self._seed,
                progress=bool(self.verbose),
            )
        finally:
            trainer.callbacks = own
        self._trainer, self.model_, self.callbacks_ = trainer, trainer.model, own
        self.n_iter_ = math.ceil(trainer.epoch)  # a pass that was begun counts
        self.history_ = joined(vars(self).get("history_"), history)
        self.best_epoch_ = best_epoch(history, self.n_iter_)
        if history.stopped_because.startswith("interrupted"):
            raise KeyboardInterrupt(f"{history.stopped_because}; the estimator is fitted")

    def _rows(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        """Rows and targets as arrays; columns are remembered, or compared with those that are."""
        check_read(X=X, y=y)
        X, y = validate_data(self, X, y, reset=reset, dtype=np.dtype(self.dtype), multi_output=True, **self._of_y)
        return X, y.toarray() if hasattr(y, "toarray") else y

    def _dataset(self, X: Array, targets: Array, sample_weight: Any) -> Dataset:
        weights = sample_weight
        if sample_weight is not None:
            weights = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
            if weights.ndim != 1:
                raise ValueError(f"expected sample_weight of shape ({len(X)},), received shape {weights.shape}")
            check_consistent_length(X, weights)
        data = Dataset(X, targets, weights=weights)  # refuses weights that are negative, or all zero
        return self._weighted(data)

    def _validated(self, train: Dataset, X_val: Any, y_val: Any) -> tuple[Dataset, Dataset | None]:
        """What is trained on, and what is held out."""
        fraction = self.validation_fraction
        if (X_val is None) != (y_val is None):
            raise ValueError("expected X_val and y_val together, received one of them: give both, or neither")
        if X_val is not None and fraction is not None:
            raise ValueError(
                f"expected one way to validate, received X_val and validation_fraction={fraction}: leave one out"
            )
        if X_val is not None:
            rows, targets = self._rows(X_val, y_val, reset=False)
            return train, self._dataset(rows, self._encoded(targets), None)
        if fraction is not None:
            try:
                train, held_out = train.split(1 - fraction, float(fraction), seed=self._seed)
            except ValueError as error:  # as of a part whose rows weigh nothing
                error.add_note(
                    f"as validation_fraction={fraction} parts the rows: give X_val and y_val, or a larger share"
                )
                raise
            return train, held_out
        if self.early_stopping is not None:
            raise ValueError(
                f"expected rows to validate on, received early_stopping={self.early_stopping} without any: give fit "
                f"X_val and y_val, or set validation_fraction=0.1"
            )
        return train, None

    def _scores(self, X: Any) -> Array:
        """(n, outputs) what the model says of rows."""
        check_is_fitted(self)
        check_read(X=X)
        dtype = self.model_.parameters.dtype
        X = validate_data(self, X, reset=False, dtype=dtype)
        scores: Array = self.model_.predict(X)
        return scores

    def __sklearn_is_fitted__(self) -> bool:
        """Whether there is a model."""
        return "model_" in vars(self)

    @abstractmethod
    def _loss(self) -> Loss:
        """The loss that was given, or that of the kind."""

    @abstractmethod
    def _learn(self, y: Array, classes: Any = None, *, whole: bool = True) -> None:
        """Find out what there is to predict; `whole`: these are all targets that there will be."""

    @abstractmethod
    def _encoded(self, y: Array) -> Array:
        """Targets as the loss takes them."""

    def _check_known(self, classes: Any) -> None:
        """Refuse other classes than those of the calls before."""

    def _check_train(self, train: Dataset, *, whole: bool) -> None:
        """Refuse rows from which nothing can be learned."""

    def _weighted(self, data: Dataset) -> Dataset:
        """The rows with the weights of their classes."""
        return data
