"""The description of the package on an index: the README, with a path where a link would lead nowhere there."""

import re
from pathlib import Path

from setuptools import setup

NOTE = "Files that are named here, such as `docs/training.md`, are in the source distribution of this release.\n"


def plain(link: re.Match[str]) -> str:
    """A link to a file of the repository as its path, after its text where that says something else; so is a figure."""
    text, path = link["text"].strip("`"), link["path"]
    same = text in (path, path.removesuffix(".py").replace("/", "."))
    if link["image"]:
        return f"*{text}: `{path}`*"
    return f"`{text}`" if same else f"{link['text']} (`{path}`)"


README = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
LINK = r"(?P<image>!?)\[(?P<text>[^]]+)\]\((?P<path>[^)#:]+)\)"
setup(
    long_description=f"{re.sub(LINK, plain, README)}\n{NOTE}",
    long_description_content_type="text/markdown",
)
