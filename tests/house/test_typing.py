"""The lines that must pass the type checker also do what they say; `make check` has them checked."""

import runpy
from pathlib import Path

import pytest

CASES = sorted(path.stem for path in Path(__file__).parents[1].joinpath("typing").glob("[!_]*.py"))


@pytest.mark.parametrize("case", CASES)
def test_what_passes_the_type_checker_runs(case, capsys):
    runpy.run_module(f"tests.typing.{case}", run_name="__main__")
    assert capsys.readouterr().out
