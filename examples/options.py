"""What the examples share: command-line options, and a small table printed at the end."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Mapping
from pathlib import Path


def parse(description: str | None, *, data: bool = False) -> Namespace:
    """Options --seed, --quick and --out, and --data for examples that need a data set."""
    parser = ArgumentParser(description=description, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of splits, initial weights and data order (default 0)")
    parser.add_argument("--quick", action="store_true", help="a few steps only, to see that everything works")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for figures and numbers (default out)")
    if data:
        parser.add_argument(
            "--data", type=Path, help="folder with the data (default: MINIDL_DATA, else the cache, else a download)"
        )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    return options


def table(rows: Mapping[str, object]) -> str:
    """Names left, values right, numbers to four digits.

    >>> print(table({"test accuracy": 0.97401, "stopped": "early"}))
    test accuracy  0.9740
    stopped        early
    """
    width = max(map(len, rows))
    return "\n".join(
        f"{k:<{width}}  {v:.4f}" if isinstance(v, float) else f"{k:<{width}}  {v}" for k, v in rows.items()
    )
