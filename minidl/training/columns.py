"""The columns of evaluations, and how their rows are read by people: a set and a quantity, a table of text."""

from collections.abc import Collection, Mapping

PARTS = ("loss", "penalty", "cost")  # every set has them
HIDDEN = PARTS[1:]  # from those who watch a run
SMALLEST = {"epoch": 6, "step": 6}  # characters
NUMBER = 9  # characters: 1.234e-05


def parts_of(column: str, columns: Collection[str]) -> tuple[str, str]:
    """The set and the quantity of a column; ("", column) where it belongs to no set.

    >>> columns = ["noisy_loss", "noisy_penalty", "noisy_cost", "noisy_mean_error"]
    >>> parts_of("noisy_mean_error", columns), parts_of("step", columns)
    (('noisy', 'mean_error'), ('', 'step'))
    """
    ends = [name.removesuffix("_cost") for name in columns if name.endswith("_cost")]
    sets = [name for name in ends if all(f"{name}_{part}" in columns for part in PARTS)]
    owner = max((name for name in sets if column.startswith(f"{name}_")), key=len, default="")
    return (owner, column[len(owner) + 1 :]) if owner else ("", column)


def watched(columns: Collection[str]) -> list[str]:
    """Those columns that a run is watched by: losses and metrics, without step, epoch, penalties and costs."""
    return [name for name in columns if name not in SMALLEST and parts_of(name, columns)[1] not in HIDDEN]


def number(value: float) -> str:
    """Four decimals, so that columns line up; four digits and a power of ten where those say too little.

    >>> [number(value) for value in (0.5, 12345.0, 1e-7, float("nan"), 1234.5)]
    ['0.5000', '1.234e+04', '1.000e-07', 'nan', '1234.5000']
    """
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.3e}"


def named(row: Mapping[str, float]) -> str:
    """The losses and metrics of a row, each with its name."""
    return ", ".join(f"{name} {number(row[name])}" for name in watched(row))


class Lines:
    r"""Rows of evaluations as lines of text, under a head of two lines: the set above the quantity.

    Args:
        columns: those of the evaluations.
        last_step: the largest step there will be.
        width: how many characters a line may have; None for any number. Columns that do not fit are left out at the
            end, and the head says which.

    >>> columns = ["step", "epoch", *(f"{name}_{part}" for name in ("train", "validation") for part in PARTS)]
    >>> lines = Lines(columns, last_step=100, width=80)
    >>> row = dict.fromkeys(columns, 0.25) | {"step": 100}
    >>> print(*lines.head, lines.line(row), sep="\n")
                        train  validation
     epoch    step       loss        loss
      0.25     100     0.2500      0.2500
    """

    def __init__(self, columns: Collection[str], *, last_step: int, width: int | None) -> None:
        heads = {"epoch": ("", "epoch"), "step": ("", "step")}
        heads |= {name: parts_of(name, columns) for name in watched(columns)}
        self.widths, left_out, used = {}, [], -2
        for name, words in heads.items():
            least = max(SMALLEST.get(name, NUMBER), len(str(last_step)) if name == "step" else 0)
            needed = max(least, *map(len, words))
            used += needed + 2
            if width is not None and used > width and name not in SMALLEST:
                left_out.append(name)
            else:
                self.widths[name] = needed
        self.head = [self._joined({name: heads[name][row] for name in self.widths}).rstrip() for row in (0, 1)]
        if left_out:
            self.head.insert(0, f"in history.evaluations, too wide for this terminal: {', '.join(left_out)}")

    def line(self, row: Mapping[str, float]) -> str:
        """One evaluation."""
        values = {name: number(row[name]) for name in self.widths if name not in SMALLEST}
        return self._joined({"epoch": f"{row['epoch']:.2f}", "step": f"{row['step']:.0f}"} | values)

    def _joined(self, cells: Mapping[str, str]) -> str:
        return "  ".join(cells[name].rjust(width) for name, width in self.widths.items())
