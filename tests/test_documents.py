"""What README and docs say is run: their Python blocks, in order, page by page; and their links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_pages_are_found():
    assert len(PAGES) >= 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["page"])
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_of_a_page_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
