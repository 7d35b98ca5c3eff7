"""What README and docs say is run: their Python blocks, in order, page by page; and their links lead somewhere."""

import re
from pathlib import Path

import pytest

import minidl
from minidl.testing import check_layer
from minidl.testing.callbacks import CALLBACK
from minidl.testing.handwritten import FUNCTION
from minidl.testing.layers import LAYER
from minidl.testing.losses import LOSS
from minidl.testing.models import MODEL
from minidl.testing.optimizers import OPTIMIZER
from minidl.testing.regularizers import REGULARIZER
from minidl.testing.schedules import SCHEDULE

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs").glob("*/*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]


def test_the_pages_are_found():
    assert len(PAGES) >= 5


NEEDED = {  # other tools are not ours, and some of them warn of themselves
    "company.md": [pytest.mark.needs_tools, pytest.mark.filterwarnings("ignore")],
    "custom_gradients.md": [pytest.mark.needs_torch, pytest.mark.needs_jax],
    "formats.md": [pytest.mark.needs_onnx, pytest.mark.needs_safetensors],
    "tables.md": [pytest.mark.needs_pandas],
    "sklearn.md": [pytest.mark.needs_sklearn, pytest.mark.needs_inputs, pytest.mark.needs_onnx],
}


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def marked(page):
    """The page with what it needs."""
    return pytest.param(page, marks=NEEDED.get(page.name, []), id=name_of(page))


@pytest.mark.parametrize("page", [marked(page) for page in PAGES])
def test_the_code_of_a_page_runs(page, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["page"])
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        exec(compile(block, str(page), "exec"), names)
    mistake = page.name == "layers.md"
    for name, thing in names.items():
        if name.startswith("test_") and not (mistake and name == "test_swish"):
            thing()
    if mistake:
        with pytest.raises(AssertionError, match="Swish: the gradient of x is wrong"):
            names["test_swish"]()


@pytest.mark.real_data
def test_the_code_of_a_page_that_needs_a_download_runs_where_the_data_are(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names, page = {}, ROOT / "docs" / "tutorials" / "real_data.md"
    for block in re.findall(r"```py(?:thon)?\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        exec(compile(block, str(page), "exec"), names)
    assert names["model"].parameters.size > 10_000


def rounded(text):
    """The text with every decimal number in four digits: the last ones depend on the machine."""
    return re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.4g}", text)


def test_the_failure_and_the_table_on_the_page_are_what_one_gets(capsys):
    page, names = (ROOT / "docs" / "layers.md").read_text(encoding="utf-8"), {}
    blocks = re.findall(r"```(?:python)?\n(.*?)```", page, flags=re.DOTALL)
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(compile(block, "layers.md", "exec"), names)
    table = capsys.readouterr().out
    with pytest.raises(AssertionError) as caught:
        check_layer(names["Swish"], shape=("n", "features"))
    failure = str(caught.value)
    assert rounded(failure.strip()) in [rounded(block.strip()) for block in blocks]
    assert rounded(table.strip()) in [rounded(block.strip()) for block in blocks]


def test_the_failure_in_the_readme_is_what_one_gets():
    page, names = (ROOT / "README.md").read_text(encoding="utf-8"), {}
    blocks = re.findall(r"```(?:python)?\n(.*?)```", page, flags=re.DOTALL)
    scale = next(block for block in blocks if "class Scale" in block)
    exec(compile(scale.replace("np.sum", "np.mean"), "README.md", "exec"), names)
    with pytest.raises(AssertionError) as caught:
        check_layer(names["Scale"], shape=("n", "features"))
    assert rounded(str(caught.value).strip()) in [rounded(block.strip()) for block in blocks]


@pytest.mark.needs_torch
def test_the_failure_on_the_page_of_custom_gradients_is_what_one_gets():
    from minidl.testing.torch import check_function

    page, names = (ROOT / "docs" / "custom_gradients.md").read_text(encoding="utf-8"), {}
    first = re.search(r"```python\n(.*?)```", page, flags=re.DOTALL)
    exec(compile(first[1], "custom_gradients.md", "exec"), names)
    with pytest.raises(AssertionError) as caught:
        check_function(names["Cube"])
    blocks = re.findall(r"```(?:python)?\n(.*?)```", page, flags=re.DOTALL)
    assert rounded(str(caught.value).strip()) in [rounded(block.strip()) for block in blocks]


def test_every_property_is_on_the_page():
    page = (ROOT / "docs" / "custom_gradients.md").read_text(encoding="utf-8")
    assert not [asked.name for asked in FUNCTION.properties if f"| {asked.name} |" not in page]
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    for kind in (LAYER, MODEL, LOSS, REGULARIZER, OPTIMIZER, SCHEDULE, CALLBACK):
        missing = [asked.name for asked in kind.properties if f"| {asked.name} |" not in page]
        assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_of_a_page_lead_to_files(page):
    package = Path(minidl.__file__).parents[1]  # not beside the pages where the installed package is tested
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists() or (package / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_files_that_a_page_names_are_there(page):
    named = r"`((?:benchmarks|examples|minidl|tests)/[\w/]*(?:\.py|/))`"
    for name in re.findall(named, page.read_text(encoding="utf-8")):
        root = Path(minidl.__file__).parents[1] if name.startswith("minidl/") else ROOT
        assert (root / name).exists(), name
