"""Saliency: which numbers of an input a score hangs on, by the gradient that every layer already gives."""

from copy import deepcopy

import numpy as np

from minidl.diagnostics.watching import leaves
from minidl.inputs import as_array
from minidl.layers.base import Layer
from minidl.layers.embedding import Embedding
from minidl.layers.modes import inference
from minidl.layers.shapes import ShapeError
from minidl.parameters import Array
from minidl.quiet import quiet
from minidl.returned import as_finite


@quiet
def saliency(model: Layer, x: Array, labels: Array | None = None) -> Array:
    """ds_c/dx: how each number of a row moves the score of one class of that row, in inference mode.

    A copy of the model is asked, so gradients and what backward keeps stay as they are.

    Args:
        model: built; its output is (n, classes).
        x: (n, ...) rows, cast to the model's dtype.
        labels: (n,) the class c of each row; None takes the one with the largest score.

    Returns:
        (n, ...), an array in the shape of x: positive where a larger number raises the score. Its absolute value is
        what is mostly drawn.

    Raises:
        TypeError: a model that begins with tokens.
        ShapeError: outputs that are no (n, classes), or labels of another shape.
        ValueError: labels that are no classes, or numbers that are not finite.

    Source: Simonyan, Vedaldi and Zisserman, "Deep inside convolutional networks", ICLR workshop 2014.

    >>> from minidl import Linear, Sequential
    >>> model = Sequential(Linear(3, 2)).build(seed=0)
    >>> ds = saliency(model, np.ones((1, 3)), np.array([1]))
    >>> bool(np.array_equal(ds[0], model[0].weight.value[:, 1]))
    True
    """
    if not isinstance(model, Layer):
        raise TypeError(f"expected model to be a built layer, received {type(model).__name__}")
    if isinstance(next(leaves(model))[1], Embedding):
        raise TypeError(
            "expected a model that takes numbers, received one that begins with an Embedding, which has no gradient "
            "for tokens: ask the layers behind it, saliency(model[1:], model[:1].predict(x))"
        )
    copied, given = deepcopy(model), as_array("x", x)
    rows = as_finite("x", given, copied._compute_dtype(given))
    with inference(list(copied.layers_inside())):
        scores = copied.forward(rows)
        if scores.ndim != 2:
            raise ShapeError(f"expected a model with outputs (n, classes), received outputs of shape {scores.shape}")
        chosen = scores.argmax(axis=1) if labels is None else np.asarray(labels)
        if chosen.shape != (len(scores),):
            raise ShapeError(f"expected labels of shape ({len(scores)},), received labels.shape={chosen.shape}")
        if chosen.dtype.kind not in "iu" or (chosen < 0).any() or (chosen >= scores.shape[1]).any():
            raise ValueError(f"expected labels to be whole numbers from 0 to {scores.shape[1] - 1}, received others")
        dy = np.zeros_like(scores)
        dy[np.arange(len(scores)), chosen] = 1
        gradient: Array = copied.backward(dy)
        return gradient.copy()
