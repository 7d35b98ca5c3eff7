"""What a student sees of a run in a real terminal, while it lasts and afterwards."""

import re
import subprocess
import sys
import textwrap

import pytest

from tests.tools.terminal import last_screen, screens, typed

RUN = """
    import numpy as np
    from minidl import SGD, Dataset, EarlyStopping, Linear, Sequential, SoftmaxCrossEntropy, Trainer, accuracy

    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    data = Dataset(x, x.argmax(axis=1))
    stopping = EarlyStopping(patience=4, min_delta=10.0)
    model = Sequential(Linear(3, 3)).build(seed=0)
    trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.5), metrics=[accuracy], callbacks=[stopping])
"""
FIT = """
    trainer.fit(data, data, epochs=40, batch_size=10)
"""
HEAD = ["train  validation  validation", "epoch    step       loss        loss    accuracy"]
STOPPED = "early stopping: validation_loss did not improve by more than 10 in 4 evaluations"


def code(*parts):
    return "".join(textwrap.dedent(part) for part in parts)


@pytest.fixture(scope="module")
def in_a_file():
    """The lines of that run where standard error is no terminal."""
    command = [sys.executable, "-W", "error", "-c", code(RUN, FIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


@pytest.fixture(scope="module")
def in_80_columns():
    return typed(code(RUN, FIT), columns=80)


def bars_of(written, columns=80):
    """The lines in which a bar stood."""
    return {line for screen in screens(written, columns) for line in screen if "%|" in line}


def test_a_file_has_a_head_some_evaluations_the_last_one_and_the_reason(in_a_file):
    assert [line.strip() for line in in_a_file[:2]] == HEAD
    assert [line.split()[:2] for line in in_a_file[2:-1]] == [
        ["1.00", "4"],
        ["2.00", "8"],
        ["4.00", "16"],
        ["5.00", "20"],
    ]
    assert in_a_file[-1] == STOPPED


def test_after_the_run_the_terminal_shows_the_lines_of_a_file_and_no_bar(in_80_columns, in_a_file):
    assert bars_of(in_80_columns)
    assert last_screen(in_80_columns, 80) == in_a_file


def test_during_the_run_80_columns_show_epoch_both_losses_the_metric_and_how_far_it_is(in_80_columns):
    seen = [screen for screen in screens(in_80_columns, 80) if any("%|" in line for line in screen) and len(screen) > 2]
    assert seen
    for *lines, bar in seen:
        assert [line.strip() for line in lines[:2]] == HEAD
        assert all(len(line.split()) == 5 for line in lines[2:])
        assert "% |" not in bar
        assert bar.endswith("left")
        assert len(bar) < 80


def test_what_is_newer_than_the_last_line_stands_beside_the_bar(in_80_columns):
    bars = bars_of(in_80_columns)
    assert any(line.split()[:2] == ["3.00", "12"] for line in bars)  # the evaluation that became no line
    assert any(line.startswith("epoch 1.00  step 4  loss ") for line in bars)
    assert len({line.index("%|") for line in bars if len(line.split("%|")[0].split()) > 1}) == 1  # it does not jump


@pytest.mark.parametrize("columns", [40, 60, 200])
def test_a_line_never_breaks_whatever_the_width(columns, in_a_file):
    written = typed(code(RUN, FIT), columns=columns)
    lines = last_screen(written, columns)
    width = max(len(line) for line in in_a_file[:-1])
    whole = columns > width
    assert (lines[: len(in_a_file) - 1] == in_a_file[:-1]) is whole
    epochs = [line.split()[0] for line in lines if re.match(r" +\d+\.\d\d ", line)]
    assert epochs == ["1.00", "2.00", "4.00", "5.00"]
    said = "".join(lines).replace(" ", "")
    assert ("validation_accuracy" in said) is not whole  # which columns are left out is said once
    assert STOPPED.replace(" ", "") in said


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (0, 80), (24, 0)])
def test_a_terminal_of_unknown_size_is_one_of_80_columns(rows, columns, in_a_file):
    written = typed(code(RUN, FIT), columns=columns, rows=rows)
    assert any(len(line) < 80 and line.endswith("left") for line in bars_of(written))
    assert last_screen(written, 80) == in_a_file


def test_the_environment_may_say_the_size_that_the_terminal_does_not(in_a_file):
    written = typed(code(RUN, FIT), columns=0, rows=0, COLUMNS="60")
    assert all(len(line) < 60 for line in bars_of(written, 60))
    assert bars_of(written, 60)


@pytest.mark.parametrize("term", [None, "", "vt100"])
def test_a_terminal_of_unknown_kind_gets_the_same(term, in_a_file):
    written = typed(code(RUN, FIT), columns=80, TERM=term)
    assert bars_of(written)
    assert last_screen(written, 80) == in_a_file


def test_a_dumb_terminal_gets_no_bar(in_a_file):
    written = typed(code(RUN, FIT), columns=80, TERM="dumb")
    assert written.splitlines() == in_a_file


def test_a_bar_around_runs_stays_below_their_lines(in_a_file):
    around = """
    from tqdm import tqdm
    for epochs in tqdm([40, 40], ncols=60, desc="two runs"):
        model.parameters.value[...] = 0
        trainer.fit(data, data, epochs=40, batch_size=10)
    """
    lines = last_screen(typed(code(RUN, around), columns=80), 80)
    assert [line for line in lines if "early stopping" in line] == [STOPPED, STOPPED]
    (bar,) = [line for line in lines if "%|" in line]
    assert bar.startswith("two runs: 100%")
    assert lines[-1] == bar


def test_what_is_said_meanwhile_has_a_line_of_its_own():
    talking = """
    from minidl import Callback
    from minidl.training.progress import say

    class Talking(Callback):
        def on_step_end(self, trainer):
            if trainer.optimizer.steps == 6:
                say("something happened")

    trainer.callbacks.append(Talking())
    """
    lines = last_screen(typed(code(RUN, talking, FIT), columns=80), 80)
    assert "something happened" in lines
    assert lines[-1] == STOPPED


def test_ctrl_c_whose_echo_stands_beside_the_bar_leaves_no_bar_either():
    slow = """
    import fcntl, signal, termios, time
    from minidl import Callback

    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background hands down as ignored
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that the terminal interrupts this program

    class Slow(Callback):
        def on_step_end(self, trainer):
            time.sleep(0.05)

    trainer.callbacks[:] = [Slow()]
    """
    written = typed(code(RUN, slow, FIT), columns=80, keys=("epoch 1.", b"\x03"))
    assert "^C" in written
    lines = last_screen(written, 80)
    assert not any("%|" in line for line in lines)
    assert lines[-1].startswith("interrupted: Ctrl-C after step ")


def test_a_bar_follows_where_the_terminal_is_made_narrower():
    narrower = """
    import fcntl, struct, termios, time
    from minidl import Callback

    class Narrower(Callback):
        def on_step_end(self, trainer):
            if trainer.optimizer.steps == 6:
                fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 70, 0, 0))
            if trainer.optimizer.steps > 6:
                time.sleep(0.06)

    trainer.callbacks.append(Narrower())
    """
    seen = screens(typed(code(RUN, narrower, FIT), columns=80), 80)
    bars = [screen[-1] for screen in seen if screen and "%|" in screen[-1]]
    assert 70 < len(bars[0]) < 80
    assert 60 < len(bars[-1]) < 70


def test_an_error_leaves_no_bar_either():
    failing = """
    from minidl import Callback

    class Failing(Callback):
        def on_step_end(self, trainer):
            if trainer.optimizer.steps == 6:
                raise ZeroDivisionError("mine")

    trainer.callbacks.append(Failing())
    try:
        trainer.fit(data, data, epochs=40, batch_size=10)
    except ZeroDivisionError:
        pass
    """
    lines = last_screen(typed(code(RUN, failing), columns=80), 80)
    assert lines[-1] == "error: ZeroDivisionError: mine"
    assert not any("%|" in line for line in lines)


def test_the_bar_of_many_runs_is_seen_where_the_size_is_unknown():
    many = """
    from minidl.experiments import execute, grid, plan

    def one(a, *, seed):
        return {"a": a}

    if __name__ == "__main__":
        execute(plan(one, grid(a=[1, 2, 3]), [0]), jobs=1)
    """
    written = typed(code(many), columns=0, rows=0)
    (line,) = last_screen(written, 80)
    assert line.startswith("100%|")
    assert "3/3 runs" in line
