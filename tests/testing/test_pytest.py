"""What pytest prints of a check that fails: the line of the author, then the report, and nothing of ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import minidl

FILE = """
import unittest

from minidl import Layer
from minidl.testing import check_layer, layer_test


class Half(Layer):
    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dy):
        return self.x * dy


class Raises(Half):
    def forward(self, x):
        return self.helper(x)

    def helper(self, x):
        return x + self.missing


test_half = layer_test(Half)
test_raises = layer_test(Raises)


class TestHalf(unittest.TestCase):
    test_half = layer_test(Half)


def test_half_at_once():
    check_layer(Half)


def test_raises_at_once():
    check_layer(Raises)
"""
SHOWN = {
    "test_half": ("test_half = layer_test(Half)", "LayerCheckError: Half: the gradient of x is wrong"),
    "test_raises": ("test_raises = layer_test(Raises)", "LayerCheckError: Raises: forward must not raise"),
    "TestHalf::test_half": ("    test_half = layer_test(Half)", "LayerCheckError: Half: the gradient of x is wrong"),
    "test_half_at_once": ("    check_layer(Half)", "LayerCheckError: Half: the gradient of x is wrong"),
    "test_raises_at_once": ("    check_layer(Raises)", "LayerCheckError: Raises: forward must not raise"),
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """The output of pytest, test by test."""
    folder = tmp_path_factory.mktemp("handed")
    (folder / "test_handed.py").write_text(FILE, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "--color=no", "-q"]
    here = {**os.environ, "PYTHONPATH": str(Path(minidl.__file__).parents[1])}
    done = subprocess.run(command, cwd=folder, env=here, capture_output=True, text=True, check=False)
    parts = done.stdout.partition("= FAILURES =")[2].partition("= short test summary info =")[0].split("\n___")
    return {part.split("\n")[0].strip(" _").replace(".", "::"): part for part in parts[1:]}


@pytest.mark.parametrize("name", SHOWN)
def test_the_line_of_the_author_comes_first_and_then_the_report(printed, name):
    line, report = SHOWN[name]
    lines = [each for each in printed[name].split("\n")[1:] if each.strip()]
    marked = [each for each in lines if each.startswith((">", "E"))]
    assert marked[0][1:].strip() == line.strip()
    after = next(each for each in marked if each.startswith("E"))
    assert after.endswith(report)
    assert not any("The above exception" in each for each in lines)


@pytest.mark.parametrize("name", SHOWN)
def test_no_code_of_ours_is_shown(printed, name):
    places = [each for each in printed[name].split("\n") if each.endswith("LayerCheckError") and ".py:" in each]
    assert len(places) == 1
    assert places[0].startswith("test_handed.py:")
    assert "hypothesis/" not in printed[name]
    assert "@given" not in printed[name]


def test_what_was_raised_is_said_with_its_line(printed):
    assert "of test_handed.py: return x + self.missing" in printed["test_raises"]
