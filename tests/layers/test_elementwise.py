"""What every activation keeps of its input: its shape, its dtype, and the order of its memory."""

import math

import numpy as np
import pytest

from minidl import ELU, GELU, SELU, HardTanh, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh

POINTWISE = [LeakyReLU(), LeakyReLU(2.0), HardTanh(), HardTanh(0, 6)]
SMOOTH = [ELU(), ELU(0.5), SELU(), GELU(), SiLU(), Softplus(), Softplus(3.0)]
OTHERS = [LogSoftmax(), ReLU(), Sigmoid(), Softmax(), Tanh()]


@pytest.mark.parametrize("layer", [*OTHERS, *POINTWISE, *SMOOTH], ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_and_dtype_stay_for_any_axes_and_for_no_rows(layer, dtype):
    for shape in ((3,), (3, 2), (2, 3, 4, 5), (0, 4)):
        x = np.linspace(-1, 1, math.prod(shape), dtype=dtype).reshape(shape)
        for array in (layer.forward(x), layer.backward(np.ones_like(x))):
            assert (array.shape, array.dtype) == (shape, dtype)


@pytest.mark.parametrize("layer", [*POINTWISE, *SMOOTH], ids=repr)
def test_images_with_channels_last_in_memory_stay_so(layer):
    x = np.ones((2, 4, 5, 3), np.float32).transpose(0, 3, 1, 2)
    assert layer.forward(x).strides == x.strides
    assert layer.backward(x).strides == x.strides
