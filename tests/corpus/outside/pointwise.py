"""Functions of one number with derivatives that are nearly theirs."""

import math

import torch

from tests.corpus.items import Item

SHELF: list[Item] = []


def wrong(**options):
    """Make a `torch.autograd.Function` of a class with f and its wrong derivative df, and put it on the shelf."""

    def make(written):
        class Pointwise(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return written.f(x)

            @staticmethod
            def backward(ctx, dy):
                (x,) = ctx.saved_tensors
                return dy * written.df(x)

        Pointwise.__name__, Pointwise.__doc__ = written.__name__, written.__doc__
        SHELF.append(Item(written.__name__, "function", Pointwise, options))
        return Pointwise

    return make


@wrong()
class ReLUWithTwoAtZero:
    """The derivative at 0 is 2, which is no subgradient."""

    f = staticmethod(torch.relu)

    @staticmethod
    def df(x):
        return (x > 0) + 2.0 * (x == 0)


@wrong()
class ReLUOfInputSign:
    """The derivative is sign(x), so it is -1 where it should be 0."""

    f = staticmethod(torch.relu)
    df = staticmethod(torch.sign)


@wrong()
class ReLU6WithoutItsUpperEnd:
    """The derivative is 1 beyond 6, where the output is constant."""

    f = staticmethod(torch.nn.functional.relu6)

    @staticmethod
    def df(x):
        return (x > 0).to(x.dtype)


@wrong()
class LeakyBothMasks:
    """The slope is 1.1 exactly at 0, which is no subgradient."""

    @staticmethod
    def f(x):
        return torch.where(x > 0, x, 0.1 * x)

    @staticmethod
    def df(x):
        return (x >= 0) + 0.1 * (x <= 0)


@wrong()
class AbsQuotient:
    """Derivative x / |x|: NaN exactly at 0."""

    f = staticmethod(torch.abs)

    @staticmethod
    def df(x):
        return x / torch.abs(x)


@wrong()
class ELUPlusOne:
    """For x < 0 the derivative is y + alpha, here y + 1."""

    @staticmethod
    def f(x):
        return torch.where(x > 0, x, 0.5 * torch.expm1(torch.minimum(x, torch.zeros_like(x))))

    @staticmethod
    def df(x):
        y = 0.5 * torch.expm1(torch.minimum(x, torch.zeros_like(x)))
        return torch.where(x > 0, torch.ones_like(x), y + 1)


@wrong()
class SELUNegative:
    """The negative branch of the derivative lacks the scale."""

    f = staticmethod(torch.selu)

    @staticmethod
    def df(x):
        y = torch.exp(torch.minimum(x, torch.zeros_like(x)))
        return torch.where(x > 0, 1.0507009873554805, 1.6732632423543772 * y)


@wrong()
class SoftplusThreshold:
    """Linear beyond 4 in forward, but the derivative stays a sigmoid: 1.8% off at most, and there only."""

    @staticmethod
    def f(x):
        return torch.where(x > 4, x, torch.nn.functional.softplus(x))

    df = staticmethod(torch.sigmoid)


@wrong()
class HardSigmoidSlopes:
    """Forward x/6 + 1/2 (PyTorch), backward slope 0.2 (Keras)."""

    @staticmethod
    def f(x):
        return torch.clamp(x / 6 + 0.5, 0, 1)

    @staticmethod
    def df(x):
        return 0.2 * (x.abs() < 3)


@wrong()
class SiLUMissingSigmoid:
    """Derivative s + x (1 - s) lacks a factor s in its second term."""

    @staticmethod
    def f(x):
        return x * torch.sigmoid(x)

    @staticmethod
    def df(x):
        s = torch.sigmoid(x)
        return s + x * (1 - s)


@wrong()
class GELUCubicCoefficient:
    """The inner derivative is 1 + 0.044715 x^2: a 3 is missing."""

    @staticmethod
    def f(x):
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    @staticmethod
    def df(x):
        t, c = torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)), math.sqrt(2 / math.pi)
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 0.044715 * x**2)


@wrong(domain=(0.001, 4.0))
class LogEps:
    """y = log(x + 0.01), derivative 1/x: right for x >> 0.01 only."""

    @staticmethod
    def f(x):
        return torch.log(x + 0.01)

    @staticmethod
    def df(x):
        return 1 / x


@wrong()
class OffsetTanh:
    """y = 1000 + tanh(x) with a derivative 0.5% too large."""

    @staticmethod
    def f(x):
        return 1000 + torch.tanh(x)

    @staticmethod
    def df(x):
        return 1.005 * (1 - torch.tanh(x) ** 2)


@wrong(jumps=tuple(k + 0.5 for k in range(-4, 4)))
class RoundsStraightThrough:
    """Rounds going forward and passes straight through going back."""

    f = staticmethod(torch.round)
    df = staticmethod(torch.ones_like)
