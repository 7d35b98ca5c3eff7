"""Try to lose a run, to pass a damaged file and to train on nonsense, and count: the figures of docs/promises.md.

python -m tests.tools.count_promises                      # a few minutes; writes the figures into docs/promises.md
python -m tests.tools.count_promises --mutations 100 --kills 3 --print
"""

import argparse
import tempfile
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import numpy as np
from hypothesis import HealthCheck, given, settings

from minidl import Optimizer
from tests.tools.fuzzing import FILES, damaged, judge
from tests.tools.hostile import BAD, FINE, FINE_HALF, fit
from tests.tools.killed import counted

PAGE = Path(__file__).parents[2] / "docs" / "promises.md"
HEAD = "## Figures\n"


def main():
    """Count, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=10_000, help="damaged files of each kind")
    parser.add_argument("--kills", type=int, default=50, help="kills, and double interrupts")
    parser.add_argument("--print", action="store_true", help="leave docs/promises.md as it is")
    options = parser.parse_args()
    lines = ["| tried | times | outcome |", "|---|--:|---|", *killed_lines(options.kills)]
    lines += [fuzzed_line(kind, options.mutations) for kind in FILES]
    lines += [*refused_lines()]
    print(*lines, sep="\n")
    if not options.print:
        text, _, _ = PAGE.read_text(encoding="utf-8").partition(HEAD)
        PAGE.write_text(
            f"{text}{HEAD}\n`make promises` prints these and writes them here.\n\n" + "\n".join(lines) + "\n"
        )


def killed_lines(times):
    """Kills and interrupts."""
    found = counted(times, times)
    same = "the same bits" if found["same bits after the kills"] else "OTHER BITS"
    yield (
        f"| SIGKILL at a random moment, then going on | {times} | {same} as never killed; "
        f"{found['kills while a file was written']} came while a file was being written |"
    )
    yield (
        f"| Ctrl-C twice at a random moment | {times} | best weights given back {found['best weights given back']} "
        f"times, a checkpoint left {found['checkpoints left']} times; going on gave the same bits "
        f"{found['same bits after going on']} times |"
    )


def fuzzed_line(kind, mutations):
    """One kind of file, damaged in so many ways."""
    outcomes = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged"

        @settings(
            max_examples=mutations, deadline=None, database=None, derandomize=True, suppress_health_check=HealthCheck
        )
        @given(damaged(FILES[kind][0]))
        def fuzz(content):
            outcomes[judge(kind, content, path)] += 1

        fuzz()
    return (
        f"| damaged files: {kind} | {outcomes.total()} | {outcomes['refused']} refused by name, "
        f"{outcomes['read']} read as what they hold |"
    )


def refused_lines():
    """Unusable and unusual arrays and arguments."""
    refused = sum(is_refused(attempt) for attempt in BAD.values())
    yield f"| unusable arrays and arguments | {len(BAD)} | {refused} refused before the first step |"
    plain = fit()
    right = sum(np.array_equal(attempt(), plain) for attempt in FINE.values())
    right += np.array_equal(fit(FINE_HALF), fit(FINE_HALF.astype(np.float32)))
    yield f"| unusual but usable arrays | {len(FINE) + 1} | {right} trained to the same bits as plain ones |"


def is_refused(attempt):
    """Whether an attempt ends with one of the errors that say what was expected, before anything moved."""
    with patch.object(Optimizer, "apply", side_effect=AssertionError("a step was taken")):
        try:
            attempt()
        except (ValueError, TypeError) as error:
            return "expected" in str(error) or "takes" in str(error)
        return False


if __name__ == "__main__":
    main()
