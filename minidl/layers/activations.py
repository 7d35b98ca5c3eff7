"""Element-wise nonlinearities, and softmax: layers without parameters."""

import numpy as np

from minidl.kernels.activations import logistic, logistic_backward, relu, relu_backward, tanh_backward
from minidl.kernels.softmax import log_softmax_backward, log_softmax_rows, softmax_backward, softmax_rows
from minidl.layers.base import Layer
from minidl.layers.shapes import SampleShape, ShapeError
from minidl.parameters import Array, Floats
from minidl.quiet import quiet
from minidl.returned import as_floats, as_numbers


@quiet
def sigmoid(x: Array) -> Floats:
    """1 / (1 + exp(-x)), element by element, for floats of any size.

    The exponent is capped where its result would overflow, so no input warns: far below zero the value is exact to
    rounding down to the smallest normal number of the dtype and stays there, far above it is 1. Whole numbers give
    float64. What is no number raises TypeError or ValueError.

    >>> sigmoid(np.array([-1e4, 0.0, 1e4])).round(3)
    array([0. , 0.5, 1. ])
    """
    x = as_floats("x", x)
    y: Floats = logistic(x)
    return y if y.ndim else y[()]


@quiet
def softmax(x: Array) -> Floats:
    """exp(x_i) / sum_j exp(x_j) along the last axis, for floats of any size: the row maximum is subtracted first.

    >>> softmax(np.array([[0.0, 0.0], [1e4, -1e4]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    return softmax_rows(_with_scores(x))


@quiet
def log_softmax(x: Array) -> Floats:
    """x_i - log sum_j exp(x_j) along the last axis, for floats of any size: the row maximum is subtracted first.

    >>> log_softmax(np.array([[0.0, 0.0], [1e4, -1e4]])).round(3)
    array([[-6.93e-01, -6.93e-01],
           [ 0.00e+00, -2.00e+04]])
    """
    return log_softmax_rows(_with_scores(x))


def _with_scores(x: object) -> Floats:
    x = as_floats("x", x)
    if x.ndim == 0:
        raise ShapeError(f"expected x with scores along its last axis, received the number x={x}: it has no others")
    if x.shape[-1] == 0:
        raise ShapeError(f"expected x with scores along its last axis, received x.shape={x.shape}: it has none")
    return x


class Elementwise(Layer):
    """A layer that keeps the shape of its input."""

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """The shape of the input."""
        return shape


class ReLU(Elementwise):
    """y = max(0, x), any shape.

    At the kink x = 0 the derivative used is 0. Source: Nair & Hinton, ICML 2010.

    >>> ReLU().forward(np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """

    @quiet
    def forward(self, x: Array) -> Array:
        """Return max(0, x)."""
        self.x = as_numbers("x", x)
        return relu(self.x)

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = dy where x > 0, else 0."""
        self.check_dy(dy, self.x.shape)
        return relu_backward(self.x, dy)


class Sigmoid(Elementwise):
    """y = 1 / (1 + exp(-x)), any shape; never overflows.

    Source: Bishop, Pattern Recognition and Machine Learning, 2006, eq. 4.59.

    >>> Sigmoid().forward(np.array([[0.0, -1e4, 1e4]])).round(3)
    array([[0.5, 0. , 1. ]])
    """

    @quiet
    def forward(self, x: Array) -> Array:
        """Return sigmoid(x)."""
        self.y = sigmoid(x)
        return self.y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = y (1 - y) dy."""
        self.check_dy(dy, self.y.shape)
        return logistic_backward(self.y, dy)


class Tanh(Elementwise):
    """y = tanh(x), any shape.

    >>> Tanh().forward(np.array([[0.0, -1e4, 1e4]]))
    array([[ 0., -1.,  1.]])
    """

    @quiet
    def forward(self, x: Array) -> Array:
        """Return tanh(x)."""
        self.y = np.tanh(as_floats("x", x))
        return self.y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = (1 - y^2) dy."""
        self.check_dy(dy, self.y.shape)
        return tanh_backward(self.y, dy)


class Softmax(Elementwise):
    """y_i = exp(x_i) / sum_j exp(x_j) along the last axis: rows of probabilities.

    To train a classifier, end the network with raw scores and use `SoftmaxCrossEntropy`: it is exact where the
    logarithm of a softmax is not. Source: Bridle, 1990.

    >>> Softmax().forward(np.array([[0.0, 0.0]]))
    array([[0.5, 0.5]])
    """

    @quiet
    def forward(self, x: Array) -> Array:
        """Return softmax(x)."""
        self.y = softmax(x)
        return self.y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx_i = sum_j dy_j y_j (1{i=j} - y_i) = y_i (dy_i - sum_j dy_j y_j)."""
        self.check_dy(dy, self.y.shape)
        return softmax_backward(self.y, dy)


class LogSoftmax(Elementwise):
    """y_i = x_i - log sum_j exp(x_j) along the last axis: rows of logarithms of probabilities.

    Exact where the logarithm of a softmax is minus infinity. To train a classifier, end the network with raw scores and
    use `SoftmaxCrossEntropy`, which has it inside. Source: Bridle, 1990.

    >>> LogSoftmax().forward(np.array([[0.0, 1e4]]))
    array([[-10000.,      0.]])
    """

    @quiet
    def forward(self, x: Array) -> Array:
        """Return log_softmax(x)."""
        self.y = log_softmax(x)
        return self.y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx_i = sum_j dy_j (1{i=j} - exp(y_i)) = dy_i - exp(y_i) sum_j dy_j."""
        self.check_dy(dy, self.y.shape)
        return log_softmax_backward(self.y, dy)
