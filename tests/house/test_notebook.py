"""The notebook among the examples runs in a real kernel, and shows what it should."""

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "first_steps.ipynb"
pytestmark = [pytest.mark.needs_notebook, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def kinds_of(notebook, text):
    """The kinds of output of the cell that holds a text."""
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code" and text in cell.source]
    return {kind for output in cell.outputs for kind in output.get("data", {})}


@pytest.mark.parametrize("text", ["sample_images", "learning_curves(", "confusion_heatmap("])
def test_a_figure_is_drawn(executed, text):
    assert "image/png" in kinds_of(executed, text)


@pytest.mark.parametrize("text", ["ReLU(), Linear(64, 10)).build(seed=0, input", "execute(plan("])
def test_a_table_is_drawn(executed, text):
    assert "text/html" in kinds_of(executed, text)


def test_the_bar_moves_and_ends_where_the_run_does(executed):
    state = executed.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    bars = [w["state"] for w in state.values() if w["model_name"] == "FloatProgressModel"]
    assert len(bars) == 1
    assert 0 < bars[0]["value"] < bars[0]["max"]  # it stopped early
    assert bars[0]["bar_style"] == "success"
    texts = " ".join(w["state"]["value"] for w in state.values() if w["model_name"] == "HTMLModel")
    assert "validation_accuracy" in texts
    assert f"{bars[0]['value']:.0f} of {bars[0]['max']:.0f} steps" in texts.replace("\u2007", " ")


def test_nothing_is_said_on_standard_error_but_why_the_run_ended(executed):
    said = [o.text for cell in executed.cells for o in cell.get("outputs", ()) if o.get("name") == "stderr"]
    assert len(said) == 1
    assert said[0].startswith("early stopping: ")
    assert said[0].count("\n") == 1


def test_it_is_stored_without_outputs():
    import nbformat

    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
