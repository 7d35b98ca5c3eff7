"""What a person sees of a run."""

import io
import re
from contextlib import nullcontext, redirect_stderr

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
    *lines, last = err.splitlines()
    assert out == ""
    assert last == history.stopped_because
    assert lines[0].startswith("epoch   1.00  step      4  train_loss ")
    assert lines[-1].startswith("epoch   3.00  step     12  train_loss ")
    assert re.findall("[a-z]+_[a-z]+", lines[-1]) == ["train_loss", "validation_loss", "validation_accuracy"]
    assert bars == []


def test_many_evaluations_print_few_lines_the_same_each_time_and_always_the_newest(data, trainer, fit, capsys):
    fit(trainer(), data(), epochs=50, validate_every=1, progress=True)
    *lines, _ = capsys.readouterr().err.splitlines()
    assert [int(line.split()[3]) for line in lines] == [1, *range(10, 201, 10)]


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


def test_a_terminal_gets_one_bar_that_is_closed_and_then_the_reason(data, trainer, fit, bars):
    with redirect_stderr(Terminal()) as screen:
        fit(trainer(), data(), data(seed=1), progress=True)
    (bar,) = bars
    assert (bar.n, bar.total) == (8, 8)
    assert bar.disable
    assert "validation_loss" in bar.postfix
    assert screen.getvalue().endswith("\nlimit: 2 epochs\n")


def test_a_terminal_of_80_columns_shows_the_metrics(data, trainer, fit, bars):
    with redirect_stderr(Terminal()):
        fit(trainer(metrics=[accuracy]), data(), data(seed=1), progress=True)
    (bar,) = bars
    line = bar.format_meter(**bar.format_dict | {"ncols": 80})
    assert len(line) <= 80
    assert re.search(r"validation_accuracy \d\S*  validation_loss \d", line)


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
    assert screen.getvalue().endswith(f"\n{one.history.stopped_because}\n")


def test_a_run_that_is_refused_makes_no_bar(data, trainer, fit, bars):
    with redirect_stderr(Terminal()) as screen, pytest.raises(ValueError, match="monitor"):
        fit(trainer(callbacks=[EarlyStopping("nothing")]), data(), progress=True)
    assert (bars, screen.getvalue()) == ([], "")
