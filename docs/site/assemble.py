"""The sources of the site in one folder: the pages of docs/, those of the top folder, the examples, the reference."""

import json
import re
import shutil
from pathlib import Path, PurePosixPath

from docs.site import reference
from docs.site.figures import BLOCK, drawn, of_examples, run_examples, wanted
from docs.site.links import ROOT, place, rewritten
from docs.site.tree import toctrees

NOT_PAGES = ("site",)  # folders of docs/ without pages
QUICK_START = "<!-- the first block of README.md -->"
TREE = "<!-- the sections of the site -->"


def sources() -> dict[PurePosixPath, str]:
    """The text of every page that is written by hand, by its path in the repository."""
    inside = [
        path for path in sorted((ROOT / "docs").rglob("*.md")) if path.parts[len(ROOT.parts) + 1] not in NOT_PAGES
    ]
    top = [path for path in sorted(ROOT.glob("*.md")) if path.name != "README.md"]
    return {PurePosixPath(path.relative_to(ROOT).as_posix()): path.read_text(encoding="utf-8") for path in inside + top}


def quick_start() -> str:
    """The first Python block of the README, fenced."""
    found = BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    if found is None:
        raise ValueError("expected a Python block in README.md, found none")
    return found[0]


def fence(text: str, language: str) -> str:
    """The text as a block of code whose fence is longer than any inside."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    marks = "`" * (longest + 1)
    return f"{marks}{language}\n{text.rstrip()}\n{marks}\n"


def script(path: Path) -> str:
    """The page of an example: what its docstring says, how to run it, and its text."""
    name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    said = re.match(r'"""(.*?)"""', text, flags=re.DOTALL)
    words = reference.markdown(said[1]) if said else ""
    return f"# {path.name}\n\n{words}\n\n```\npython {name}\n```\n\n{fence(text, 'python')}"


def notebook(path: Path) -> str:
    """The page of a notebook: its text and its code, cell by cell."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    blocks = [
        "".join(cell["source"]) if cell["cell_type"] == "markdown" else fence("".join(cell["source"]), "python")
        for cell in cells
    ]
    return f"{rewritten(chr(10).join(f'{block}{chr(10)}' for block in blocks), PurePosixPath('examples', path.name))}"


def examples() -> dict[str, str]:
    """A page for each example and each text among them, by its place in the site, and one for each folder."""
    pages: dict[str, str] = {}
    for path in sorted((ROOT / "examples").rglob("*")):
        home = PurePosixPath(path.relative_to(ROOT).as_posix())
        name = place(home) if path.suffix in PAGE_OF or path.suffix == ".md" else None
        if name is not None:
            text = path.read_text(encoding="utf-8") if path.suffix == ".md" else ""
            pages[name] = PAGE_OF[path.suffix](path) if path.suffix in PAGE_OF else rewritten(text, home)
    folders = {str(above) for name in pages for above in PurePosixPath(name).parents if str(above) != "."}
    for folder in sorted(folders):
        first = pages.pop(f"{folder}/index.md", f"# {TITLES.get(folder, folder)}\n")
        own = sorted(page[len(folder) + 1 : -3] for page in pages if str(PurePosixPath(page).parent) == folder)
        below = sorted(f"{PurePosixPath(other).name}/index" for other in folders if _above(other) == folder)
        listed = "\n".join(
            ["```{toctree}", ":maxdepth: 1", "", *[page for page in own if page != "index"], *below, "```"]
        )
        pages[f"{folder}/index.md"] = f"{first}\n{listed}\n"
    return pages


def _above(folder: str) -> str:
    """The folder that a folder is in."""
    return str(PurePosixPath(folder).parent)


PAGE_OF = {".py": script, ".ipynb": notebook}
TITLES = {"examples": "Examples", "examples/reports": "The scripts of the five reports"}


def assemble(site: Path) -> None:
    """Write all of it to a folder, which is emptied first; examples run, and blocks that draw."""
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(ROOT / "docs", site, ignore=shutil.ignore_patterns("*.md", "site", "__pycache__"))
    pages = sources()
    run_examples(wanted(list(pages.values())), site)
    placed = {**examples(), **reference.pages()}
    for home, text in pages.items():
        name = place(home)
        if name is None:
            raise ValueError(f"expected a place for {home}, found none")
        shown = drawn(rewritten(of_examples(text), home), site / "made" / name.removesuffix(".md"), site)
        placed[name] = shown
    placed["performance.md"] += below("performance", placed)
    first = [page.removesuffix(".md") for page in placed if is_first(page)]
    home = placed["index.md"].replace(QUICK_START, quick_start())
    placed["index.md"] = home.replace(TREE, toctrees(first))
    for name, text in placed.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")


def below(folder: str, placed: dict[str, str]) -> str:
    """A hidden toctree of the pages in the folder of a page."""
    inside = sorted(name.removesuffix(".md") for name in placed if str(PurePosixPath(name).parent) == folder)
    return "\n".join(["", "```{toctree}", ":hidden:", "", *inside, "```", ""]) if inside else ""


def is_first(page: str) -> bool:
    """Whether a page stands in the sidebar by itself, and not below one of its folder."""
    folder, _, name = page.rpartition("/")
    if f"{folder}/".startswith(("reference/", "examples/", "performance/")):
        return name == "index.md" and folder in ("reference", "examples")
    return True
