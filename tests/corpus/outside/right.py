"""PyTorch's own, with kinks, ties and rows that mix."""

from functools import partial

import torch
from hypothesis import strategies as st
from torch.nn import functional

from minidl.testing import at_least
from tests.corpus.items import Item

SHELF: list[Item] = []


def function(name, thing, **options):
    SHELF.append(Item(name, "function", thing, options))


def module(name, thing, **options):
    SHELF.append(Item(name, "module", thing, options))


function("relu", functional.relu)
function("relu6", functional.relu6)
function("leaky_relu", functional.leaky_relu)
function("hardtanh", functional.hardtanh)
function("hardswish", functional.hardswish)
function("hardsigmoid", functional.hardsigmoid)
function("softshrink", functional.softshrink)
function("hardshrink", functional.hardshrink, jumps=(-0.5, 0.5))
function("elu", functional.elu, alpha=st.sampled_from([0.5, 1.0, 2.0]))
function("abs", torch.abs)
function("clamp", torch.clamp, min=-1.0, max=0.5)
module("PReLU", torch.nn.PReLU)
PAIR = {"a": ("n", "k"), "b": ("n", "k")}
function("maximum", torch.maximum, shape=PAIR)
function("minimum", torch.minimum, shape=PAIR)
function("l1_loss of each", partial(functional.l1_loss, reduction="none"), shape=PAIR)
function("vector_norm of rows", partial(torch.linalg.vector_norm, dim=1))
function("amax of rows", partial(torch.amax, dim=1))
function("max of rows", partial(torch.max, dim=1))
function("median of rows", partial(torch.median, dim=1))
function("sort of rows", partial(torch.sort, dim=1))
function("topk of rows", partial(torch.topk, k=2, dim=1), shape=("n", at_least(2)))
function("cummax of rows", partial(torch.cummax, dim=1))
function("max_pool1d", partial(functional.max_pool1d, kernel_size=2), shape=("n", "channels", at_least(2)))
SMALL = st.integers(2, 4)
function(
    "max_pool2d",
    partial(functional.max_pool2d, kernel_size=2),
    shape=("n", "channels", "height", "width"),
    height=SMALL,
    width=SMALL,
)
function(
    "multi_margin_loss of each",
    partial(functional.multi_margin_loss, reduction="none"),
    shape={"scores": ("n", "classes"), "labels": ("n",)},
    integers={"labels": (0, "classes")},
)
function("softmax over rows", partial(torch.softmax, dim=0), rows_mix=True)
function("logsumexp over rows", partial(torch.logsumexp, dim=0), rows_mix=True)
function("amax over rows", partial(torch.amax, dim=0), rows_mix=True)
module("BatchNorm1d", torch.nn.BatchNorm1d, shape=("n", "num_features"), n=st.integers(2, 4), rows_mix="training")
function(
    "cross_entropy",
    functional.cross_entropy,
    shape={"scores": ("n", "classes"), "labels": ("n",)},
    integers={"labels": (0, "classes")},
    rows_mix=True,
)
