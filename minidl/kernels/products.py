"""Products of a batch with a matrix and a bias: y = x W + b and its gradients.

The compiled forms are for few outputs, as a linear classifier has: matrix libraries are made for many. Each sum has as
many terms as there are features, or rows, and the forms add them in another order: they differ by less than
4 sqrt(terms) units in the last place of the sum of their sizes.
"""

import numpy as np

from minidl.kernels.forms import Kernel
from minidl.parameters import Array


@Kernel
def affine(x: Array, W: Array, bias: Array | None) -> Array:
    """y = x W + b: (n, in), (in, out), (out,) or None -> (n, out). A row of y depends on its row of x only."""
    y: Array = x @ W
    if bias is not None:
        y += bias
    return y


@Kernel
def affine_gradients(x: Array, dy: Array, dW: Array, db: Array | None) -> None:
    """dW <- x^T dy,  db <- sum over rows of dy, where there is a bias."""
    np.matmul(x.T, dy, out=dW)
    if db is not None:
        np.add.reduce(dy, axis=0, out=db)


@Kernel
def affine_input_gradient(dy: Array, W: Array) -> Array:
    """dx = dy W^T."""
    dx: Array = dy @ W.T
    return dx
