"""What a run is known by: one text for what trains the same, in any process."""

import subprocess
import sys
from functools import wraps

import numpy as np
import pytest

from minidl import Checkpoint, Dataset
from minidl.storage import DataError
from minidl.training.identity import described

PROGRAM = """
import numpy as np
from minidl import Linear, Sequential
from minidl.training.identity import described

class Tag:
    def __init__(self, **options):
        self.options = options

print(described([{"gamma", "alpha", "beta"}, Tag(names={"x", "y", "z"}), np.array(["cat", None], object),
                 Sequential(Linear(2, 2)), lambda step: step in {"p", "q", "r"}, len, np.sin, object()]))
"""


def test_a_text_is_the_same_in_every_process():
    said = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


class Slotted:
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a


def recursive(base):
    def count(step):
        return base + step if step < 1 else count(step - 1)

    return count


def early():
    def use():
        return later

    text = described(use)
    later = 1
    return text, later


@pytest.mark.parametrize(
    ("make", "one", "other"),
    [
        (Slotted, 1, 2),
        (recursive, 1, 2),
        (np.random.default_rng, 1, 2),
        (lambda names: np.array(names, object), ["a", None], ["b", None]),
        (np.int64, 1, 2),
    ],
)
def test_things_are_told_apart_by_what_they_hold(make, one, other):
    assert described(make(one)) == described(make(one)) != described(make(other))


def of_module(source):
    """The function of a module of its own."""
    module = {"np": np, "wraps": wraps, "__name__": __name__}
    exec(source, module)
    return module["function"]


@pytest.mark.parametrize(
    "source",
    [
        "LAST = np.zeros(3)\ndef function(step):\n    LAST[:] = step; return LAST",
        "LAST = np.zeros(3)\ndef fill(step):\n    LAST[:] = step\ndef function(step):\n    fill(step); return LAST",
        "LAST = np.zeros(3)\ndef read():\n    return LAST\ndef function(step):\n    LAST[1] += step; return read()",
        "LAST = np.zeros(3)\ndef function(step):\n    return np.add(step, [1, 2, 3], out=LAST)",
        "calls = 0\ndef function(step):\n    global calls\n    calls += 1",
    ],
)
def test_what_a_call_leaves_in_a_module_is_no_part_of_what_a_function_is_known_by(source):
    function = of_module(source)
    before = described(function)
    function(2)
    assert described(function) == before


def test_what_a_decorator_does_is_part_of_what_a_function_is_known_by():
    source = "def by(function):\n    @wraps(function)\n    def inner(step):\n        return {} * function(step)\n"
    source += "    return inner\n@by\ndef function(step):\n    return step"
    one, same, other = (described(of_module(source.replace("{}", factor))) for factor in "223")
    assert one == same != other


def test_a_variable_that_is_not_there_yet_has_a_text_too():
    assert early() == early()


def test_a_mapped_file_is_told_apart_too(data, trainer, fit, tmp_path):
    def train(x, resume=None):
        np.save(tmp_path / "x.npy", x)
        mapped = Dataset(np.load(tmp_path / "x.npy", mmap_mode="r"), data().targets)
        fit(trainer(callbacks=[Checkpoint(tmp_path / "run.npz")]), mapped, data(seed=1), resume=resume)

    train(data().x)
    train(data().x, tmp_path / "run.npz")
    with pytest.raises(DataError, match="data 'train'"):
        train(data().x + 1, tmp_path / "run.npz")
