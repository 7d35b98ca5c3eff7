"""What docs/promises.md says: nothing of a run is lost, no file is trusted, no nonsense is trained on."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import Optimizer
from tests.tools import killed
from tests.tools.fuzzing import FILES, damaged, judge
from tests.tools.hostile import BAD, FINE, FINE_HALF, ONE_BATCH, Y, fit

ROOT = Path(__file__).parents[2]


@given(st.data())
@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_file_gives_the_right_data_or_an_error_that_names_it(kind, tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged"
    assert judge(kind, data.draw(damaged(FILES[kind][0])), path) in ("read", "refused")


@pytest.mark.parametrize("kind", FILES)
def test_a_whole_file_is_read(kind, tmp_path):
    assert judge(kind, FILES[kind][0], tmp_path / "whole") == "read"


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_trained_on_is_refused_with_what_was_expected(what, monkeypatch):
    taken = []
    monkeypatch.setattr(Optimizer, "apply", lambda *arguments: taken.append(arguments))
    with pytest.raises((ValueError, TypeError), match=r"expected|takes|unknown"):
        BAD[what]()
    assert not taken


@pytest.mark.parametrize("what", FINE)
def test_strange_but_usable_arrays_train_to_the_same_bits(what):
    np.testing.assert_array_equal(FINE[what](), fit())


def test_a_batch_larger_than_the_set_is_the_whole_set():
    larger, whole = (attempt() for attempt in ONE_BATCH)
    np.testing.assert_array_equal(larger, whole)


def test_a_set_of_one_class_is_learned():
    weights = fit(y=np.zeros_like(Y), epochs=50)
    assert np.isfinite(weights).all()
    assert (weights[-3:].argmax(), weights[-3:].sum().round(5)) == (0, 0)


def test_half_precision_data_are_the_same_numbers_in_float32():
    np.testing.assert_array_equal(fit(FINE_HALF), fit(FINE_HALF.astype(np.float32)))


def test_a_run_that_is_killed_again_and_again_ends_in_the_same_bits(tmp_path):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = killed.finish(killed.start(tmp_path / "whole", 20))
    after = killed.killed(tmp_path / "killed", 5, epochs=20)
    assert after["digest"] == whole["digest"]
    assert after["steps"] == sorted(after["steps"])


@pytest.mark.parametrize("seed", range(3))
def test_ctrl_c_twice_gives_back_the_best_weights_and_leaves_a_checkpoint_that_goes_on(tmp_path, seed):
    (tmp_path / "whole").mkdir()
    (tmp_path / "interrupted").mkdir()
    whole = killed.finish(killed.start(tmp_path / "whole", 20))
    found, later = killed.interrupted(tmp_path / "interrupted", epochs=20, seed=seed)
    assert found["ended"].startswith("interrupted")
    assert found["best"]
    assert found["rest"]
    assert later["digest"] == whole["digest"]


def test_every_promise_names_a_test_that_is_there():
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) > 20
    assert "| SIGKILL at a random moment, then going on | 50 | the same bits" in page
    for path, test in named:
        assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), (path, test)
