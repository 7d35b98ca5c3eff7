"""Tables as notebooks draw them."""

from collections.abc import Sequence

SHOWN = 20  # rows of a long table: the first and the last half of these


def table(head: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> str:
    """An HTML table of texts and numbers, with a line above it; of a long one the rows in the middle are left out.

    >>> print(table(["step", "loss"], [[1, 0.25]], title="History"))
    <p>History</p>
    <table>
    <tr><th>step</th><th>loss</th></tr>
    <tr><td>1</td><td>0.25</td></tr>
    </table>
    """
    from html import escape  # slow to load, and for notebooks only

    half = SHOWN // 2
    chosen = [*rows[:half], ["…"] * len(head), *rows[-half:]] if len(rows) > SHOWN else rows
    lines = [_line("th", map(escape, head)), *(_line("td", map(_cell, row)) for row in chosen)]
    above = [f"<p>{escape(title)}</p>"] if title else []
    return "\n".join([*above, "<table>", *lines, "</table>"])


def _line(kind: str, cells: "map[str]") -> str:
    return f"<tr>{''.join(f'<{kind}>{cell}</{kind}>' for cell in cells)}</tr>"


def _cell(value: object) -> str:
    from html import escape

    return f"{value:.6g}" if isinstance(value, float) else escape(str(value))
