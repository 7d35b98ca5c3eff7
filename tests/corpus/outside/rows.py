"""Functions of rows and of weights with a gradient that is wrong in part."""

import torch
from torch.nn import functional

from tests.corpus.items import Item

SHELF: list[Item] = []
LINEAR = {"x": ("n", "k"), "weight": ("m", "k"), "bias": ("m",)}


def wrong(**options):
    def put(thing):
        SHELF.append(Item(thing.__name__, "function", thing, options))
        return thing

    return put


@wrong()
class SoftmaxDiagonal(torch.autograd.Function):
    """Only the diagonal y (1 - y) of the Jacobian."""

    @staticmethod
    def forward(ctx, x):
        y = torch.softmax(x, dim=1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, dy):
        (y,) = ctx.saved_tensors
        return dy * y * (1 - y)


@wrong()
class SoftmaxSumOverRows(torch.autograd.Function):
    """The inner sum of backward runs over rows."""

    @staticmethod
    def forward(ctx, x):
        y = torch.softmax(x, dim=1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, dy):
        (y,) = ctx.saved_tensors
        return y * (dy - (dy * y).sum(dim=0, keepdim=True))


@wrong()
class LogSoftmaxNoSum(torch.autograd.Function):
    """dx = dy - p dy: the sum of dy over the row is missing."""

    @staticmethod
    def forward(ctx, x):
        y = torch.log_softmax(x, dim=1)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, dy):
        (y,) = ctx.saved_tensors
        return dy - torch.exp(y) * dy


@wrong()
class MaxCreditsEveryTie(torch.autograd.Function):
    """Every tied entry is credited in full."""

    @staticmethod
    def forward(ctx, x):
        y = x.amax(dim=1)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, y = ctx.saved_tensors
        return dy[:, None] * (x == y[:, None])


@wrong(shape={"a": ("n", "k"), "b": ("n", "k")})
class MaximumCreditsBoth(torch.autograd.Function):
    """Where two numbers are equal, both get the whole gradient."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return torch.maximum(a, b)

    @staticmethod
    def backward(ctx, dy):
        a, b = ctx.saved_tensors
        return dy * (a >= b), dy * (b >= a)


@wrong()
class AvgPoolEdge(torch.autograd.Function):
    """The last window may have one column only: forward divides by the true size, backward always by 2."""

    @staticmethod
    def forward(ctx, x):
        ctx.width = x.shape[1]
        return functional.avg_pool1d(x[:, None], 2, ceil_mode=True)[:, 0]

    @staticmethod
    def backward(ctx, dy):
        return (dy / 2).repeat_interleave(2, dim=1)[:, : ctx.width]


@wrong()
class RMSNormSum(torch.autograd.Function):
    """y = x / rms(x): the projection term uses the sum where the mean belongs."""

    @staticmethod
    def forward(ctx, x):
        r = torch.rsqrt((x * x).mean(dim=1, keepdim=True) + 1e-2)
        ctx.save_for_backward(x, r)
        return x * r

    @staticmethod
    def backward(ctx, dy):
        x, r = ctx.saved_tensors
        return r * dy - r**3 * x * (x * dy).sum(dim=1, keepdim=True)


@wrong()
class LayerNormConstantVariance(torch.autograd.Function):
    """backward centres dy, and takes the variance for a constant."""

    @staticmethod
    def forward(ctx, x):
        centred = x - x.mean(dim=1, keepdim=True)
        r = torch.rsqrt((centred * centred).mean(dim=1, keepdim=True) + 1e-2)
        ctx.save_for_backward(r)
        return centred * r

    @staticmethod
    def backward(ctx, dy):
        (r,) = ctx.saved_tensors
        return r * (dy - dy.mean(dim=1, keepdim=True))


@wrong(rows_mix=True)
class BatchNormUnbiasedBackward(torch.autograd.Function):
    """The variance term of backward is divided by n - 1, forward's by n."""

    @staticmethod
    def forward(ctx, x):
        centred = x - x.mean(dim=0)
        r = torch.rsqrt((centred * centred).mean(dim=0) + 1e-2)
        ctx.save_for_backward(centred, r)
        return centred * r

    @staticmethod
    def backward(ctx, dy):
        centred, r = ctx.saved_tensors
        inner = r**3 * centred * (centred * dy).sum(dim=0) / max(1, len(dy) - 1)
        return r * (dy - dy.mean(dim=0)) - inner


@wrong()
class UnitRowsNoGuard(torch.autograd.Function):
    """y = x / |x|, right derivative, but a row of zeros gives NaN forward and backward."""

    @staticmethod
    def forward(ctx, x):
        r = 1 / torch.sqrt((x * x).sum(dim=1, keepdim=True))
        ctx.save_for_backward(x, r)
        return x * r

    @staticmethod
    def backward(ctx, dy):
        x, r = ctx.saved_tensors
        return r * dy - r**3 * x * (x * dy).sum(dim=1, keepdim=True)


class Linear(torch.autograd.Function):
    """Right, for others to make it wrong."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return x @ weight.T + bias

    @staticmethod
    def backward(ctx, dy):
        x, weight = ctx.saved_tensors
        return dy @ weight, dy.T @ x, dy.sum(dim=0)


@wrong(shape=LINEAR)
class LinearBiasMean(Linear):
    """The gradient of the bias is the mean over the rows instead of the sum."""

    @staticmethod
    def backward(ctx, dy):
        dx, dw, _ = Linear.backward(ctx, dy)
        return dx, dw, dy.mean(dim=0)


@wrong(shape=LINEAR)
class LinearSquareTransposed(Linear):
    """dx = dy W^T instead of dy W whenever W is square."""

    @staticmethod
    def backward(ctx, dy):
        _, weight = ctx.saved_tensors
        dx, dw, db = Linear.backward(ctx, dy)
        return (dy @ weight.T if weight.shape[0] == weight.shape[1] else dx), dw, db


@wrong(shape={"x": ("n", "k"), "slope": (1,)})
class PReLUShared(torch.autograd.Function):
    """The gradient of the slope sums over all x, the positive ones too."""

    @staticmethod
    def forward(ctx, x, slope):
        ctx.save_for_backward(x, slope)
        return torch.where(x > 0, x, slope * x)

    @staticmethod
    def backward(ctx, dy):
        x, slope = ctx.saved_tensors
        return dy * torch.where(x > 0, torch.ones_like(x), slope), (dy * x).sum().reshape(1)
