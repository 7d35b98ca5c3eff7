"""Where a file of the repository stands in the site, and links rewritten so that they lead there."""

import os
import re
from pathlib import Path, PurePosixPath

import minidl

ROOT = Path(__file__).parents[2]
PACKAGE = Path(minidl.__file__).parents[1]  # not beside the pages where the installed package is tested
FENCE = re.compile(r"^(```+|~~~+).*?^\1[ \t]*$", flags=re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s:]+)(#[^)\s]*)?\)")


class NoPlaceError(ValueError):
    """A link to a file that has no place in the site."""


def place(path: PurePosixPath) -> str | None:
    """Where a file or folder of the repository stands in the site; None: nowhere, on purpose."""
    name, parts = path.as_posix(), path.parts
    if parts[0] == "docs":
        return PurePosixPath(*parts[1:]).as_posix()
    if name == "README.md":
        return "index.md"
    if len(parts) == 1 and path.suffix == ".md":
        return f"project/{name}"
    if parts[0] == "examples":
        if path.name == "README.md":
            return f"{path.parent}/index.md"
        inside = PurePosixPath(*parts[1:]).with_suffix("") if parts[1:] else PurePosixPath("index")
        return f"examples/{inside}.md" if path.suffix or not parts[1:] else f"examples/{inside}/index.md"
    if parts[0] == "minidl":
        return "reference/index.md"
    if parts[0] in ("LICENSE", "CITATION.cff", "benchmarks", "tests", "pyproject.toml", "Makefile"):
        return None
    raise NoPlaceError(f"expected a link to a page, an example or the package, received {name}")


def rewritten(text: str, home: PurePosixPath) -> str:
    """The text of a page with every link to a file as it must be in the site; code is left alone.

    Args:
        text: Markdown.
        home: the path of the page in the repository.
    """
    at = place(home) or home.as_posix()

    def link(found: re.Match[str]) -> str:
        bang, words, target, anchor = found[1], found[2], found[3], found[4] or ""
        path = PurePosixPath(os.path.normpath(home.parent / target))
        if not any((top / path).exists() for top in (ROOT, PACKAGE)):
            raise NoPlaceError(f"expected a link to a file that is there, received ({target}) on {home}")
        there = place(path)
        if there is None:
            return words
        relative = os.path.relpath(there, PurePosixPath(at).parent).replace(os.sep, "/")
        return f"{bang}[{words}]({relative}{anchor})"

    pieces, end = [], 0
    for fence in FENCE.finditer(text):
        pieces += [LINK.sub(link, text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*pieces, LINK.sub(link, text[end:])])
