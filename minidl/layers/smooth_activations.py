"""Smooth element-wise nonlinearities made of exponentials: layers without parameters."""

from minidl.arguments import check_number
from minidl.kernels.activations import (
    elu,
    elu_backward,
    gelu,
    gelu_backward,
    silu,
    silu_backward,
    softplus,
    softplus_backward,
)
from minidl.layers.activations import Elementwise
from minidl.parameters import Array
from minidl.quiet import quiet
from minidl.returned import as_floats

SELU_ALPHA = 1.6732632423543772848170429916717  # the fixed point of Klambauer et al.: mean 0 and variance 1 stay
SELU_SCALE = 1.0507009873554804934193349852946


class ELU(Elementwise):
    """y = x where x > 0, else alpha (exp(x) - 1), any shape.

    At x = 0 the derivative used is alpha, that from below. Source: Clevert, Unterthiner & Hochreiter, ICLR 2016.

    Args:
        alpha: y far below 0 is -alpha; a number of at least 0.

    >>> import numpy as np
    >>> ELU().forward(np.array([[-1e4, 0.0, 2.0]]))
    array([[-1.,  0.,  2.]])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = check_number("alpha", alpha, minimum=0)

    @quiet
    def forward(self, x: Array) -> Array:
        """Return max(0, x) + alpha (exp(min(0, x)) - 1)."""
        self.x = as_floats("x", x)
        return elu(self.x, self.alpha, 1)

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = dy where x > 0, else alpha exp(x) dy."""
        self.check_dy(dy, self.x.shape)
        return elu_backward(self.x, dy, self.alpha, 1)


class SELU(Elementwise):
    """y = scale x where x > 0, else scale alpha (exp(x) - 1), any shape.

    With scale = 1.0507009873554805 and alpha = 1.6732632423543772, rows of mean 0 and variance 1 keep both from layer
    to layer, if weights start with variance 1 / in_features. At x = 0 the derivative used is scale alpha. Source:
    Klambauer, Unterthiner, Mayr & Hochreiter, "Self-normalizing neural networks", NeurIPS 2017.

    >>> import numpy as np
    >>> SELU().forward(np.array([[-1e4, 0.0, 1.0]])).round(4)
    array([[-1.7581,  0.    ,  1.0507]])
    """

    @quiet
    def forward(self, x: Array) -> Array:
        """Return scale (max(0, x) + alpha (exp(min(0, x)) - 1))."""
        self.x = as_floats("x", x)
        return elu(self.x, SELU_ALPHA, SELU_SCALE)

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = scale dy where x > 0, else scale alpha exp(x) dy."""
        self.check_dy(dy, self.x.shape)
        return elu_backward(self.x, dy, SELU_ALPHA, SELU_SCALE)


class GELU(Elementwise):
    """y = x (1 + tanh(u)) / 2 = x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3), any shape.

    This is the common approximation of x times the normal distribution function; that would need the error function,
    which neither NumPy nor Python has for arrays. The two differ by less than 5e-4 everywhere, so weights that were
    trained with one may be used with the other. Source: Hendrycks & Gimpel, arXiv 1606.08415, 2016.

    >>> import numpy as np
    >>> GELU().forward(np.array([[-1e4, 0.0, 1.0]])).round(4) + 0.0
    array([[0.    , 0.    , 0.8412]])
    """

    @quiet
    def forward(self, x: Array) -> Array:
        """Return x s with s = sigmoid(2 u); below -40, where s is 0, x is taken for -40."""
        self.x = x = as_floats("x", x)
        y, self.s = gelu(x)
        return y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = (s + x s (1 - s) du2) dy with du2 = 2 sqrt(2 / pi) (1 + 3 * 0.044715 x^2)."""
        self.check_dy(dy, self.x.shape)
        return gelu_backward(self.x, self.s, dy)


class SiLU(Elementwise):
    """y = x sigmoid(x), any shape; also called swish.

    Source: Elfwing, Uchibe & Doya, "Sigmoid-weighted linear units", Neural Networks 107, 2018.

    >>> import numpy as np
    >>> SiLU().forward(np.array([[-1e4, 0.0, 1.0]])).round(4) + 0.0
    array([[0.    , 0.    , 0.7311]])
    """

    @quiet
    def forward(self, x: Array) -> Array:
        """Return x s with s = sigmoid(x); below -800, where s is 0, x is taken for -800."""
        self.x = x = as_floats("x", x)
        y, self.s = silu(x)
        return y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = s (1 + x (1 - s)) dy."""
        self.check_dy(dy, self.x.shape)
        return silu_backward(self.x, self.s, dy)


class Softplus(Elementwise):
    """y = log(1 + exp(beta x)) / beta, any shape; never overflows.

    A smooth max(0, x), which it approaches as beta grows. Source: Dugas, Bengio, Bélisle, Nadeau & Garcia, NIPS 2000.

    Args:
        beta: how sharp the bend at 0 is; a number greater than 0.

    >>> import numpy as np
    >>> Softplus().forward(np.array([[-1e4, 0.0, 1e4]])).round(4)
    array([[0.000e+00, 6.931e-01, 1.000e+04]])
    """

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = check_number("beta", beta, minimum=0, exclusive=True)

    @quiet
    def forward(self, x: Array) -> Array:
        """Return max(0, x) + log(1 + exp(-beta |x|)) / beta."""
        self.x = as_floats("x", x)
        return softplus(self.x, self.beta)

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = sigmoid(beta x) dy."""
        self.check_dy(dy, self.x.shape)
        return softplus_backward(self.x, dy, self.beta)
