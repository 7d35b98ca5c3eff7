"""What a report shows in a terminal: reported beside measured numbers, in 80 columns."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap

WIDTH = 80
Cells = tuple[str, str, str, str]  # section, quantity, reported, measured


def text_table(cells: Sequence[Cells]) -> str:
    """A line for each quantity below the name of its section; what is too long goes on in the next line.

    >>> print(text_table([("Accuracy in %", "training", "39.48", "41.1 ± 0.7"), ("Accuracy in %", "test", "4", "5")]))
                                                               reported    measured
    Accuracy in %
      training                                                    39.48  41.1 ± 0.7
      test                                                            4           5
    """
    shown = [("", "", "reported", "measured"), *cells]
    second, third = (max(len(row[place]) for row in shown) for place in (2, 3))
    first = WIDTH - second - third - 4
    lines = []
    for section, rows in groupby(shown, key=lambda row: row[0]):
        lines += wrap(section, WIDTH)
        for _, quantity, reported, measured in rows:
            *begun, last = wrap(quantity, first, initial_indent="  ", subsequent_indent="    ") or [""]
            lines += [*begun, f"{last:<{first}}  {reported:>{second}}  {measured:>{third}}"]
    return "\n".join(lines)


def counts(inside: Sequence[object], verdicts: Sequence[object]) -> str:
    """How many means lie in their interval, and what became of the claims; "" where nothing was decided.

    >>> counts([True, False, None], ["confirmed", "confirmed", "out of reach"])
    '1 of 2 means lie in their interval; claims: 2 confirmed, 1 out of reach'
    """
    judged = [value for value in inside if value is not None]
    parts = [f"{sum(map(bool, judged))} of {len(judged)} means lie in their interval"] if judged else []
    found = Counter(str(verdict) for verdict in verdicts if verdict)
    if found:
        parts.append("claims: " + ", ".join(f"{count} {verdict}" for verdict, count in found.most_common()))
    return "; ".join(parts)
