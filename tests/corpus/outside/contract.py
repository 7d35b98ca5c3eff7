"""Functions whose numbers may be right in one call, and which go wrong beyond it."""

import torch

from tests.corpus.items import Item
from tests.corpus.outside import rows

SHELF: list[Item] = []


def wrong(**options):
    def put(thing):
        SHELF.append(Item(thing.__name__, "function", thing, options))
        return thing

    return put


class Square(torch.autograd.Function):
    """Right, for others to make it wrong."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return 2 * x * dy


@wrong()
class OverwritesUpstream(Square):
    """Multiplies dy in place."""

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy.mul_(2 * x)


@wrong()
class OverwritesInput(Square):
    """Squares x in place, after it has been kept."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x.clone())
        return x.mul_(x).clone()


@wrong()
class KeptOnTheClass(Square):
    """x is kept on the class: two calls of one network overwrite each other's."""

    @staticmethod
    def forward(ctx, x):
        KeptOnTheClass.x = x
        return x * x

    @staticmethod
    def backward(ctx, dy):
        return 2 * KeptOnTheClass.x * dy


@wrong(shape=rows.LINEAR)
class BiasOnlyBesideX(rows.Linear):
    """Returns before the gradient of the bias is computed where that of x is not wanted."""

    @staticmethod
    def backward(ctx, dy):
        dx, dw, db = rows.Linear.backward(ctx, dy)
        return (dx, dw, db) if ctx.needs_input_grad[0] else (None, dw, None)


@wrong()
class TrustsContiguous(Square):
    """Views dy as one row of numbers, which memory in another order does not allow."""

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return (2 * x.reshape(-1) * dy.view(-1)).view(x.shape)


@wrong()
class ThroughHalf(Square):
    """Goes through float16 on the way."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x.half() * x.half()).to(x.dtype)


@wrong()
class MixesRows(Square):
    """Subtracts the mean over the rows, which is not declared."""

    @staticmethod
    def forward(ctx, x):
        return x - x.mean(dim=0)

    @staticmethod
    def backward(ctx, dy):
        return dy - dy.mean(dim=0)


@wrong()
class ClipsUpstream(Square):
    """Clips dy to keep gradients small."""

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return 2 * x * dy.clamp(-1, 1)
