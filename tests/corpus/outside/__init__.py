"""Functions on which the checks of PyTorch's are checked: its own to leave alone, wrong ones to catch."""

from importlib.util import find_spec

from tests.corpus.items import Item

RIGHT: list[Item] = []
WRONG: list[Item] = []

if find_spec("torch"):
    from tests.corpus.outside import contract, pointwise, right, rows

    RIGHT += right.SHELF
    WRONG += [*pointwise.SHELF, *rows.SHELF, *contract.SHELF]
