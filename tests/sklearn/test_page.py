"""Each line of the table of what scikit-learn's MLP has been asked for does what it says."""

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import minidl

if find_spec("sklearn"):
    import minidl.sklearn

pytestmark = pytest.mark.needs_sklearn
PAGE = Path(__file__).parents[2] / "docs" / "sklearn.md"
LINES = re.findall(r"^\|.*\| `(MLP.*)` \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_there_are_five():
    assert len(LINES) == 5


@pytest.mark.parametrize("line", LINES)
def test_each_line_runs(line):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    names = {
        "X": x,
        "t": x[:, 0],
        "y": (x[:, 0] > 0).astype(int),
        "X_val": x[:20],
        "y_val": (x[:20, 0] > 0).astype(int),
    }
    names |= {name: getattr(minidl, name) for name in minidl.__all__}
    names |= {name: getattr(minidl.sklearn, name) for name in minidl.sklearn.__all__}
    got = eval(line, names)
    if isinstance(got, list):
        assert min(got) < got[0]
    else:
        assert got.score(x, names["t" if "Regressor" in line else "y"]) > 0.9
