"""Time steps of LSTM and GRU."""

import numpy as np

from tests.kernels.cases.case import Case

N = 5  # samples
SIZES = (0, 1, 7, 64)  # features


def drawn(*rows):
    """Arrays of numbers, of so many rows a feature each."""

    def make(rng, dtype, size):
        return tuple((2 * rng.standard_normal((count * size, N))).astype(dtype) for count in rows)

    return make


def after_steps(*rows):
    """The same where the first array holds gates, which are between 0 and 1."""

    def make(rng, dtype, size):
        gates, *others = drawn(*rows)(rng, dtype, size)
        return rng.random(gates.shape).astype(dtype), *others

    return make


def of_numbers(scale):
    """A scale of the arguments, of which NaN counts as 1."""

    def scaled(*arguments):
        with np.errstate(all="ignore"):
            return scale(*(np.nan_to_num(a, nan=1.0) for a in arguments))

    return scaled


@of_numbers
def lstm_scale(a, c, *others):
    return [1, c, 1 + np.abs(c), 1, 1]


@of_numbers
def lstm_backward_scale(gates, c, squashed, dh, dc, da):
    one = 1 + np.abs(gates.reshape(4, -1, N)).max(axis=0)
    change = np.abs(dc) + np.abs(dh) * one * (1 + squashed**2)
    d = np.concatenate([np.fmax(change * one, change * np.abs(c)), change * np.abs(c), np.abs(dh * squashed), change])
    return [gates, c, squashed, dh, change * one, d * (1 + gates**2) * np.tile(one, (4, 1))]


@of_numbers
def gru_scale(a, h, h_next):
    m = len(h)
    return [np.tile(1 + np.abs(a[3 * m :]), (4, 1)), h, (1 + np.abs(h)) * (1 + np.abs(a[3 * m :]))]


@of_numbers
def gru_backward_scale(gates, h, dh, da):
    one = 1 + np.abs(gates.reshape(4, -1, N)).max(axis=0) + np.abs(h)
    return [dh * one, gates, h, dh, np.tile(np.abs(dh) * one**6, (4, 1))]


CASES = [
    Case("lstm_step", drawn(4, 1, 1, 1, 1), 8, lstm_scale, hostile=(0, 1), sizes=SIZES, extremes=False),
    Case("lstm_step_backward", after_steps(4, 1, 1, 1, 1, 4), 8, lstm_backward_scale, sizes=SIZES, extremes=False),
    Case("gru_step", drawn(4, 1, 1), 8, gru_scale, hostile=(0, 1), sizes=SIZES, extremes=False),
    Case("gru_step_backward", after_steps(4, 1, 1, 4), 8, gru_backward_scale, sizes=SIZES, extremes=False),
]
