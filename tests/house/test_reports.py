"""The five course reports: quick mode, exact numbers where nothing is random, and the published page."""

import argparse
import gzip
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "examples" / "reports"
SCRIPTS = [
    "hinge_linear_cifar10",
    "logistic_and_softmax_mnist",
    "sigmoid_mlp_cifar10",
    "softmax_cifar10",
    "softmax_vs_bce_cifar10",
]


def run(name, *options, cwd, **environment):
    command = [sys.executable, "-W", "error", str(REPORTS / f"{name}.py"), *options]
    settings = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=settings, check=False)


def test_every_report_is_run_by_these_tests():
    commands = {path.stem for path in REPORTS.glob("*.py") if "__main__" in path.read_text(encoding="utf-8")}
    assert commands == {*SCRIPTS, "all"}


@pytest.mark.parametrize("name", [*SCRIPTS, "all"])
def test_a_report_explains_itself(name, tmp_path):
    done = run(name, "--help", cwd=tmp_path)
    assert done.returncode == 0
    for option in ("--data", "--seed", "--repeats", "--jobs", "--quick", "--out"):
        assert option in done.stdout


@pytest.mark.parametrize("name", ["softmax_cifar10", "logistic_and_softmax_mnist"])
def test_a_report_without_data_or_network_says_which_files_to_put_where(name, tmp_path):
    proxies = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = run(name, "--quick", "--data", str(tmp_path / "empty"), cwd=tmp_path, **proxies)
    assert done.returncode != 0
    assert str(tmp_path / "empty") in done.stderr
    assert "MINIDL_DATA" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="session")
def small_data(tmp_path_factory):
    """Random images in the published formats: enough for quick mode, also where there is no real data."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    (folder / "mnist").mkdir()
    (folder / "cifar-10-batches-bin").mkdir()
    for name, count in (("train", 8_000), ("t10k", 600)):
        images = rng.integers(0, 256, (count, 28, 28), np.uint8)
        header = struct.pack(">4B3I", 0, 0, 8, 3, *images.shape)
        with gzip.open(folder / "mnist" / f"{name}-images-idx3-ubyte.gz", "wb", 1) as file:
            file.write(header + images.tobytes())
        with gzip.open(folder / "mnist" / f"{name}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(struct.pack(">4BI", 0, 0, 8, 1, count) + (np.arange(count) % 10).astype(np.uint8).tobytes())
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        records = rng.integers(0, 256, (300, 3073), np.uint8)
        records[:, 0] = np.arange(300) % 10
        records.tofile(folder / "cifar-10-batches-bin" / f"{name}.bin")
    return folder


def test_all_reports_run_in_quick_mode_and_write_their_pages(tmp_path, small_data):
    options = ("--quick", "--data", str(small_data), "--jobs", "2")
    done = run("all", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = tmp_path / "out" / "reports" / "quick"
    page = (made / "results.md").read_text(encoding="utf-8")
    assert "*Quick mode" in page[:3000]
    for name in SCRIPTS:
        content = json.loads((made / name / "results.json").read_text(encoding="utf-8"))
        names = {
            "section",
            "quantity",
            "reported",
            "mean",
            "std",
            "runs",
            "interval",
            "inside",
            "distance",
            "because",
            "source",
        }
        assert content["rows"]
        assert all(names == row.keys() for row in content["rows"])
        figures = sorted(path.name for path in (made / name).glob("*.png"))
        assert len(figures) >= 3
        assert all(f"({name}/{figure})" in page for figure in figures)
        alone = (made / f"{name}.md").read_text(encoding="utf-8")
        assert alone.startswith("# ")
        assert "The report: " in alone
        assert "sample standard deviation" in alone
        assert "*Quick mode" in alone
    again = run("softmax_cifar10", *options, cwd=tmp_path)
    assert "18 of 18 runs are there already" in again.stderr
    page = (made / "softmax_cifar10.md").read_text(encoding="utf-8")
    assert len(again.stdout.splitlines()) < len(page.splitlines()) / 2
    assert max(map(len, again.stdout.splitlines())) <= 80
    assert "eta 0.1, lambda 0: training" in again.stdout
    assert str(Path("out/reports/quick/softmax_cifar10.md")) in again.stdout
    assert "--docs is for whole runs" in run("all", *options, "--docs", "docs", cwd=tmp_path).stderr


def test_a_cropped_image_is_a_stretched_square_of_it(monkeypatch):
    monkeypatch.syspath_prepend(str(REPORTS))
    from images import cropped

    x = np.arange(20 * 3072, dtype=np.float32).reshape(20, 3072)
    before = x.copy()
    y = cropped(x, np.random.default_rng(0))
    assert (x == before).all()
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    for image, crop in zip(x.reshape(20, 3, 32, 32), y.reshape(20, 3, 32, 32), strict=True):
        down, right = np.divmod(crop[0] - image[0, 0, 0], 32)
        assert (down == down[:, :1]).all()
        assert (right == right[:1]).all()
        side = down[-1, 0] - down[0, 0] + 1
        assert 23 <= side <= 32
        assert (np.diff(down[:, 0]) <= 1).all()
        assert (np.diff(down[:, 0]) >= 0).all()
        assert abs(right[0, -1] - right[0, 0] + 1 - side) == 0
        np.testing.assert_array_equal(crop[1:] - crop[:1], image[1:, :1, :1] - image[:1, :1, :1] + 0 * crop[1:])


def test_a_long_quantity_goes_on_in_the_next_line_of_80_columns(monkeypatch):
    monkeypatch.syspath_prepend(str(REPORTS))
    from terminal import counts, text_table

    long = "the accuracy of a network with so many properties that nobody reads all of their names at once"
    lines = text_table([("One", long, "39.5", "41.1 ± 0.7"), ("Two", "short", "1", "2")]).splitlines()
    assert max(map(len, lines)) == 80
    assert [line for line in lines if line.endswith("41.1 ± 0.7")] == [lines[3]]
    assert " ".join(" ".join(lines[2:4]).split()) == f"{long} 39.5 41.1 ± 0.7"
    assert lines[4] == "Two"
    assert counts([None], [None]) == ""


def test_limits_of_a_report_are_left_where_a_curve_ends_outside_of_them(monkeypatch):
    monkeypatch.syspath_prepend(str(REPORTS))
    from mnist_curves import within

    from minidl.plots import mean_curves

    kept = within(mean_curves({"a": [9.0, 0.1], "b": [0.2]}), (0.0, 0.4))
    assert kept.axes[0].get_ylim() == (0.0, 0.4)
    free = within(mean_curves({"a": [9.0, 0.1], "b": [2.3]}), (0.0, 0.4))
    low, high = free.axes[0].get_ylim()
    assert low < 0.1
    assert high > 9.0


def test_publishing_replaces_the_pages_and_leaves_other_files_alone(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(REPORTS))
    from all import publish
    from report import Page

    page = Page("page", argparse.Namespace(out=tmp_path / "out", quick=False, repeats=None, seed=0))
    page.write()
    (tmp_path / "docs" / "results").mkdir(parents=True)
    (tmp_path / "docs" / "results" / "notes.txt").write_text("mine")
    publish("[these](page/results.json)", [page], tmp_path / "docs")
    assert (tmp_path / "docs" / "results.md").read_text() == "[these](results/page/results.json)"
    assert (tmp_path / "docs" / "results" / "page" / "results.json").exists()
    assert (tmp_path / "docs" / "results" / "notes.txt").read_text() == "mine"


@pytest.mark.real_data
def test_a_folder_of_runs_belongs_to_one_set_of_data(tmp_path, small_data, real_data):
    assert run("softmax_cifar10", "--quick", "--data", str(small_data), "--out", "made", cwd=tmp_path).returncode == 0
    other = run("softmax_cifar10", "--quick", "--data", str(real_data), "--out", "made", cwd=tmp_path)
    assert other.returncode != 0
    assert "received another cifar10" in other.stderr


@pytest.mark.parametrize("option", [("--seed", "-1"), ("--repeats", "0"), ("--jobs", "0"), ("--jobs", "two")])
def test_impossible_options_are_refused(option, tmp_path):
    done = run("softmax_cifar10", *option, cwd=tmp_path)
    assert done.returncode == 2
    assert f"argument {option[0]}: invalid" in done.stderr


def test_a_page_says_what_failed_and_keeps_the_rest(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(REPORTS))
    from report import Page, Row, fill

    from minidl.experiments import PlannedRun, Result, Results

    def train(lr, *, seed):
        return {}

    def write_up(results, page, options):
        page.compare([Row("first", "", results.where(lr=1).mean("x"))])
        page.compare([Row("second", "", results.where(lr=2).mean("x"))])

    results = [
        Result(PlannedRun(train, {"lr": 1}, 0), {"x": 5.0}, 1.0),
        Result(PlannedRun(train, {"lr": 2}, 0), {}, 1.0, "no"),
    ]
    options = argparse.Namespace(out=tmp_path, quick=False, repeats=None, seed=0)
    fill(Page("page", options), write_up, Results(results), options)
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| first | - | 5.0 | - |" in text
    assert "needs runs that failed" in text


def test_a_claim_is_held_against_the_results_and_a_conclusion_is_of_the_published_run_only(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(REPORTS))
    from report import Page

    def text(usual_data=True, **asked):
        options = argparse.Namespace(out=tmp_path, **{"quick": False, "repeats": None, "seed": 0, **asked})
        page = Page("page", options, usual_data=usual_data)
        page.claim("More is better.", False, "38.7 beside 39.1")
        page.claim("It is faster.", None)
        page.conclude("This setting wins.")
        return page.text

    assert 'The report: "More is better." **Contradicted**: 38.7 beside 39.1.' in text()
    assert '"It is faster." **Out of reach**.' in text()
    assert "This setting wins" in text()
    for page in (text(repeats=1), text(seed=5), text(usual_data=False)):
        assert "Contradicted" in page
        assert "This setting wins" not in page
    assert "Contradicted" not in text(quick=True)
    assert "This setting wins" not in text(quick=True)


def test_a_page_knows_the_published_files_and_its_own_from_all_others(monkeypatch):
    monkeypatch.syspath_prepend(str(REPORTS))
    from front import NOTES
    from images import FIRST, files_of

    from minidl import Dataset

    first = {name: np.array([*labels, 0, 0]) for name, labels in FIRST.items()} | {"unknown": np.arange(12)}
    assert {name: files_of(Dataset(np.zeros((12, 1)), labels)) for name, labels in first.items()} == {
        n: n for n in first
    }
    assert first.keys() == NOTES.keys()
    assert not NOTES["published"]


def test_a_spike_stands_out_of_the_curve_around_it_also_where_the_whole_curve_was_higher_before(monkeypatch):
    monkeypatch.syspath_prepend(str(REPORTS))
    from mnist_curves import spikes

    falling = 1 / (1 + np.arange(600) / 50)
    with_spikes = falling.copy()
    with_spikes[30::31] *= 1.6
    assert spikes(falling, 62) == 0
    assert spikes(with_spikes, 62) == len(falling[30::31])


def test_captions_speak_of_one_seed_or_of_several(monkeypatch):
    monkeypatch.syspath_prepend(str(REPORTS))
    from report import averaged

    assert averaged(1) == "one seed"
    assert averaged(10) == "mean and deviation of 10 seeds"


def test_a_difference_decides_from_two_standard_errors_on_and_single_runs_decide_nothing(monkeypatch):
    monkeypatch.syspath_prepend(str(REPORTS))
    from verdicts import above, difference, signed

    more, less = np.array([3.0, 5.0]), np.array([1.0, 1.0])
    gain, error = difference(more, less)
    assert (gain, error) == (3.0, pytest.approx(1.0))
    assert above(gain, error) is True
    assert above(-gain, error) is False
    assert above(1.9, error) is None
    assert above(*difference(more[:1], less[:1])) is None
    assert (signed(gain, error), signed(-3.0, 0.0)) == ("+3.0 ± 1.0", "-3.0")


@pytest.fixture
def mnist_report(monkeypatch, real_data):
    """The runs of the MNIST report."""
    monkeypatch.syspath_prepend(str(REPORTS))
    monkeypatch.setenv("MINIDL_DATA", str(real_data))
    import mnist_runs

    return mnist_runs


FULL = {"epochs": 500, "rows": 20_000, "held_out": 10_000}
LAST = ("training_loss", "validation_loss", "training_accuracy", "validation_accuracy")


def ends(found, digits):
    return [round(float(found[name][-1]), digits) for name in LAST]


@pytest.mark.real_data
def test_two_against_three_in_file_order_stops_at_step_1038_with_the_known_digits(mnist_report):
    found = mnist_report.train("logistic", "file", 10, seed=0, **FULL)
    assert (found["stop_step"], found["stop_epoch"]) == (1038, 33)
    assert ends(found, 6) == [0.070887, 0.065772, 0.975780, 0.979432]
    assert round(min(found["validation_loss"]), 6) == 0.065690


@pytest.mark.real_data
def test_two_against_three_without_early_stopping_ends_with_the_known_digits(mnist_report):
    found = mnist_report.train("logistic", "file", 0, seed=0, **FULL | {"epochs": 50})
    assert found["stop_step"] == 1549
    assert ends(found, 5) == [0.06509, 0.06523, 0.97928, 0.97894]
    accuracy = dict(zip(found["step"].tolist(), found["validation_accuracy"], strict=True))
    dips = [accuracy[step] for step in (204, 390, 576, 762, 948, 1134, 1320, 1506)]
    assert dips == pytest.approx([0.923, 0.947, 0.955, 0.958, 0.960, 0.962, 0.963, 0.963], abs=6e-4)


@pytest.mark.real_data
def test_two_against_three_in_the_legacy_order_stops_at_step_522(mnist_report):
    found = mnist_report.train("logistic", "shuffled", 10, seed=0, **FULL)
    assert (found["stop_step"], found["stop_epoch"]) == (522, 16)
    assert ends(found, 5) == [0.07925, 0.07166, 0.97353, 0.97649]


@pytest.mark.real_data
def test_ten_classes_in_the_legacy_order_stop_at_step_8184(mnist_report):
    found = mnist_report.train("softmax", "shuffled", 10, seed=0, **FULL)
    assert found["stop_step"] == 8184
    assert ends(found, 5) == [0.27919, 0.29802, 0.92245, 0.9151]


@pytest.mark.real_data
def test_weight_decay_in_the_legacy_order_stops_at_the_known_steps_with_the_known_norms(mnist_report):
    found = mnist_report.train_strengths(seed=0, **FULL)
    strengths = [f"{strength:g}" for strength in mnist_report.STRENGTHS]
    assert [found[f"stop_step {s}"] for s in strengths] == [620, 2325, 5084, 8959, 8618]
    assert [round(found[f"norm {s}"], 4) for s in strengths] == [0.6042, 1.6555, 3.2331, 4.7634, 5.0306]
    assert [round(found[f"validation_accuracy {s}"][-1], 4) for s in strengths] == [
        0.7422,
        0.8789,
        0.9080,
        0.9151,
        0.9156,
    ]


def test_every_published_mean_lies_in_its_interval():
    for name in SCRIPTS:
        content = json.loads((ROOT / "docs" / "results" / name / "results.json").read_text(encoding="utf-8"))
        assert content["rows"]
        assert [row["quantity"] for row in content["rows"] if row["inside"] is False] == []
