"""What a person sees of a run."""

import io
import re
import sys
from contextlib import nullcontext, redirect_stderr
from types import ModuleType

import pytest
import tqdm.auto

from minidl import EarlyStopping, accuracy


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def bars(monkeypatch):
    """The bars that were made."""
    made = []

    class Bar(tqdm.auto.tqdm):
        def __init__(self, *arguments, **keywords):
            super().__init__(*arguments, **keywords)
            made.append(self)

    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    return made


def test_without_a_terminal_there_are_plain_lines_and_the_reason_last(data, trainer, fit, capsys, bars):
    history = fit(trainer(metrics=[accuracy]), data(), data(seed=1), epochs=3, progress=True)
    out, err = capsys.readouterr()
    above, below, *lines, last = err.splitlines()
    assert out == ""
    assert last == history.stopped_because
    assert above.split() == ["train", "validation", "validation"]
    assert below.split() == ["epoch", "step", "loss", "loss", "accuracy"]
    assert [line.split()[:2] for line in lines] == [["1.00", "4"], ["2.00", "8"], ["3.00", "12"]]
    newest = [history.evaluations[name][-1] for name in ("train_loss", "validation_loss", "validation_accuracy")]
    assert [float(text) for text in lines[-1].split()[2:]] == pytest.approx(newest, abs=1e-4)
    assert bars == []


def test_many_evaluations_print_few_lines_the_same_each_time_and_always_the_newest(data, trainer, fit, capsys):
    fit(trainer(), data(), epochs=50, validate_every=1, progress=True)
    lines = capsys.readouterr().err.splitlines()[2:-1]
    assert [int(line.split()[1]) for line in lines] == [1, *range(10, 201, 10)]


def test_a_kernel_that_was_merely_imported_makes_no_notebook(data, trainer, fit, capsys, monkeypatch, bars):
    for name in ("ipykernel", "IPython"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    fit(trainer(), data(), progress=True)
    assert bars == []
    assert capsys.readouterr().err.splitlines()[-1] == "limit: 2 epochs"


class Broken(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


@pytest.mark.parametrize("stream", [None, Broken()])
def test_a_stream_that_is_closed_ends_no_run(data, trainer, fit, monkeypatch, stream):
    monkeypatch.setattr("sys.stderr", stream)
    assert fit(trainer(), data(), epochs=2, progress=True).stopped_because == "limit: 2 epochs"


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_silence_on_request(data, trainer, fit, capsys, bars, kind):
    with redirect_stderr(kind()) as screen:
        fit(trainer(), data(), data(seed=1), progress=False)
    assert capsys.readouterr() == ("", "")
    assert (bars, screen.getvalue()) == ([], "")


def test_a_run_without_steps_has_its_evaluation_and_no_bar(data, trainer, fit, bars):
    with redirect_stderr(Terminal()) as screen:
        fit(trainer(), data(), data(seed=1), epochs=0, validate_first=True, progress=True)
    assert bars == []
    assert screen.getvalue().endswith("\nlimit: 0 epochs\n")


def test_a_terminal_gets_one_bar_that_is_closed_and_then_the_reason(data, trainer, fit, bars):
    with redirect_stderr(Terminal()) as screen:
        fit(trainer(), data(), data(seed=1), progress=True)
    (bar,) = bars
    assert (bar.n, bar.total) == (8, 8)
    assert bar.disable
    assert re.split("[\r\n]", screen.getvalue())[-2:] == ["limit: 2 epochs", ""]


@pytest.mark.parametrize("hook", ["on_step_end", "on_evaluation_end", "on_fit_end"])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_the_bar_is_closed_also_after_an_exception(data, trainer, fit, hooks, bars, hook, error):
    def fail(*arguments):
        raise error

    one = trainer(callbacks=[hooks(**{hook: fail})])
    raised = error is ZeroDivisionError or hook == "on_fit_end"
    with redirect_stderr(Terminal()) as screen, pytest.raises(error) if raised else nullcontext():
        fit(one, data(), progress=True)
    assert [bar.disable for bar in bars] == [True]
    assert re.split("[\r\n]", screen.getvalue())[-2:] == [one.history.stopped_because, ""]


def test_a_run_that_is_refused_makes_no_bar(data, trainer, fit, bars):
    with redirect_stderr(Terminal()) as screen, pytest.raises(ValueError, match="monitor"):
        fit(trainer(callbacks=[EarlyStopping("nothing")]), data(), progress=True)
    assert (bars, screen.getvalue()) == ([], "")
