"""Figures of the site: what the examples draw, and what the blocks of a page draw when they are run."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```[ \t]*$", flags=re.DOTALL | re.MULTILINE)
DRAWS = re.compile(r"^[^#\n]*savefig\(\s*\"([\w.-]+\.png)\"[^)]*\)(?:[ \t]*#[ \t]*(.+))?", flags=re.MULTILINE)
FROM_EXAMPLE = re.compile(r"^<!-- figure: (\w+)/([\w.-]+\.png) \| (.+) -->$", flags=re.MULTILINE)
MADE = "made"  # the folder of the site with figures of examples


def image(path: str, words: str) -> str:
    """A figure with its words below it and as its alternative text."""
    return f"\n:::{{figure}} /{path}\n:alt: {words}\n\n{words}\n:::\n"


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """A block that runs in another working directory, with its own `sys.argv`, and prints to nobody."""
    before, arguments = Path.cwd(), sys.argv
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    sys.argv = ["page"]
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        os.chdir(before)
        sys.argv = arguments


def drawn(text: str, folder: Path, site: Path) -> str:
    """The text of a page with each figure that its blocks save behind the block; a page that saves none stays as it is.

    Args:
        text: Markdown; its Python blocks run one after the other in one set of names, as in the tests.
        folder: where they run and save.
        site: the top of the site's sources, which `folder` is in.

    Raises:
        ValueError: a block saves a figure that would not be shown.
    """
    if not DRAWS.search(text):
        return text
    names: dict[str, object] = {"__name__": "page"}

    def run(block: re.Match[str]) -> str:
        exec(compile(block[1], str(folder), "exec"), names)
        figures = []
        for name, words in DRAWS.findall(block[1]):
            path = (folder / name).relative_to(site).as_posix()
            figures.append(image(path, words or Path(name).stem.replace("_", " ")))
        return block[0] + "\n" + "".join(figures)

    with inside(folder):
        page = BLOCK.sub(run, text)
    strays = sorted(path.name for path in folder.glob("*.png") if f"/{path.relative_to(site).as_posix()}\n" not in page)
    if strays:
        raise ValueError(f'expected each figure of {folder.name} to be saved by savefig("name.png"), received {strays}')
    return page


def of_examples(text: str) -> str:
    """The text with each line `<!-- figure: EXAMPLE/FILE.png | words -->` as that figure of that example."""
    return FROM_EXAMPLE.sub(lambda found: image(f"{MADE}/{found[1]}/{found[2]}", found[3]), text)


def wanted(texts: list[str]) -> dict[str, set[str]]:
    """The examples whose figures stand on the pages, and which of their figures."""
    files: dict[str, set[str]] = {}
    for text in texts:
        for example, name, _ in FROM_EXAMPLE.findall(text):
            files.setdefault(example, set()).add(name)
    return files


def run_examples(files: dict[str, set[str]], site: Path) -> None:
    """Run each example once, as a reader would, and see that it made what the pages show."""
    for example, names in sorted(files.items()):
        folder = site / MADE / example
        command = [sys.executable, str(ROOT / "examples" / f"{example}.py"), "--out", str(folder)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "MPLBACKEND": "agg", "OPENBLAS_NUM_THREADS": "1"},
        )
        if done.returncode:
            raise RuntimeError(f"{example} failed:\n{done.stderr}")
        missing = sorted(name for name in names if not (folder / name).is_file())
        if missing:
            raise FileNotFoundError(f"expected {missing} of {example}, which made {sorted(os.listdir(folder))}")
