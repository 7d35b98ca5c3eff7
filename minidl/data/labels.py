"""Labels with names: texts or whole numbers as the places of their names, and back."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from minidl.arguments import short, suggest
from minidl.parameters import Array


class Labelled:
    """What a Dataset does with names of classes."""

    classes: tuple[str, ...]

    @classmethod
    def from_labels(
        cls,
        x: Any,
        labels: Any,
        *,
        classes: Sequence[str] | None = None,
        weights: Any = None,
        image_shape: tuple[int, ...] = (),
    ) -> Self:
        """Rows whose targets are names: they become the places of the names in `classes`, sorted unless given.

        Give the classes of the training set to other sets, so that labels mean the same: `classes=train.classes`.

        Raises:
            TypeError: labels that are no texts, whole numbers or booleans.
            ValueError: a label that is missing, or is not in `classes`; a class named twice.

        >>> from minidl import Dataset
        >>> data = Dataset.from_labels(np.eye(3), ["dog", "cat", "dog"])
        >>> data.targets.tolist(), data.classes
        ([1, 0, 1], ('cat', 'dog'))
        """
        targets, names = encoded(labels, classes)
        made: Any = cls  # a Dataset
        return made(x, targets, weights=weights, classes=names, image_shape=image_shape)  # type: ignore[no-any-return]

    def decode(self, predictions: Any) -> Array:
        """The names of classes that labels (n,) stand for, or of the largest score of each row of (n, classes).

        >>> from minidl import Dataset
        >>> data = Dataset.from_labels(np.eye(3), ["dog", "cat", "dog"])
        >>> data.decode([[0.2, 0.8], [3.0, -1.0]]).tolist(), data.decode(data.targets).tolist()
        (['dog', 'cat'], ['dog', 'cat', 'dog'])
        """
        return decoded(predictions, self.classes)


def encoded(labels: Any, classes: Sequence[str] | None) -> tuple[Array, tuple[str, ...]]:
    """(n,) places in the classes, and the classes: sorted unless given.

    >>> encoded(["b", "a"], None)
    (array([1, 0]), ('a', 'b'))
    """
    given = _listed(labels)
    if classes is None:
        found = sorted(set(given))
        names = tuple(map(str, found))
    else:
        names = tuple(map(str, classes))
    if len(set(names)) < len(names):
        raise ValueError(f"expected each class once, received classes={names}")
    places = {name: place for place, name in enumerate(names)}
    for row, label in enumerate(given):
        if str(label) not in places:
            raise ValueError(
                f"expected labels among the classes, received labels[{row}]={label!r}: {suggest(str(label), names)}"
            )
    return np.array([places[str(label)] for label in given], np.int64), names


def _listed(labels: Any) -> list[Any]:
    """The labels as a list of texts, whole numbers or booleans, all of one kind."""
    convert = getattr(labels, "to_numpy", None)
    array = convert() if convert is not None else labels
    array = np.array(array, object) if isinstance(array, list | tuple) else np.asarray(array)  # which makes 1 a "1"
    if array.ndim != 1 or not len(array):
        raise ValueError(f"expected labels of shape (n,), one per row, received shape={array.shape}: take one column")
    given: list[Any] = [label.item() if isinstance(label, np.generic) else label for label in array.tolist()]
    for row, label in enumerate(given):
        if label is None or type(label).__name__ in ("NAType", "NaTType") or label != label:
            raise ValueError(f"expected a label for every row, received labels[{row}]={label!r}: drop such rows")
        if not isinstance(label, str | int):
            advice = "numbers to predict go to Dataset(x, targets)"
            advice = "decode bytes, as in label.decode()" if isinstance(label, bytes) else advice
            raise TypeError(
                f"expected labels that are texts or whole numbers, received labels[{row}]={short(label)}: {advice}"
            )
    if len(kinds := {type(label) for label in given}) > 1:
        raise TypeError(
            f"expected labels of one type, received {sorted(k.__name__ for k in kinds)}: convert them first"
        )
    return given


def decoded(predictions: Any, classes: tuple[str, ...]) -> Array:
    """(n,) names, of labels (n,) or of the largest score in each row of (n, classes)."""
    if not classes:
        raise ValueError(
            "expected a set with names of classes, received classes=(): use Dataset.from_labels(x, labels)"
        )
    array = np.asarray(predictions)
    if array.ndim == 2 and array.shape[1] == len(classes) and array.dtype.kind in "biuf":
        if np.isnan(array).any():
            raise ValueError("expected scores that are numbers, received NaN: no class is the largest")
        array = array.argmax(axis=1)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(
            f"expected labels (n,) or scores (n, {len(classes)}), received shape={array.shape}, dtype={array.dtype}"
        )
    if len(array) and (array.min() < 0 or array.max() >= len(classes)):
        raise ValueError(f"expected labels in 0..{len(classes) - 1}, received {array.min()} to {array.max()}")
    names: Array = np.array(classes)[array]
    return names
