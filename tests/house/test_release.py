"""What an index and a reader of the repository are told about a release."""

import re
import tomllib
from importlib import import_module
from importlib.metadata import metadata
from pathlib import Path

import minidl

ROOT = Path(__file__).parents[2]


def test_version_changelog_and_citation_are_of_one_release():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    version, date = re.search(r"^## (\d\S*) - (\d{4}-\d{2}-\d{2})$", changelog, flags=re.MULTILINE).groups()
    assert f"\nversion: {version}\ndate-released: {date}\n" in citation
    assert minidl.__version__ == metadata("minidl")["Version"] == version


def test_every_link_of_the_description_on_an_index_leads_somewhere():
    description = metadata("minidl")["Description"]  # its payload goes when importlib_metadata is imported beside it
    assert description.startswith("# minidl")
    assert "`docs/promises.md`" in description
    assert re.findall(r"\]\((?!https://)[^)]*\)", description) == []


def test_the_classifiers_name_every_python_from_the_lowest_on():
    about = metadata("minidl")
    lowest = int(about["Requires-Python"].removeprefix(">=3."))
    named = [int(minor) for minor in re.findall(r"Python :: 3\.(\d+)", "\n".join(about.get_all("Classifier")))]
    assert named == list(range(lowest, lowest + len(named)))


def test_the_page_of_what_is_public_lists_every_package_and_only_what_can_be_imported():
    page = (ROOT / "docs" / "public.md").read_text(encoding="utf-8").partition("Where a package")[0]
    listed = set(re.findall(r"`(minidl[\w.]*)`", page))
    assert {
        "minidl",
        *(f"minidl.{path.parent.name}" for path in Path(minidl.__file__).parent.glob("*/__init__.py")),
    } <= listed
    for name in listed:
        try:
            import_module(name)
        except ImportError as error:
            if not re.search(
                r'pip install "minidl\[\w+\]"', str(error)
            ):  # so speaks a module whose extra is not installed
                raise


def test_the_page_of_dependencies_names_every_package_and_extra_that_is_installed_for_users():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    extras = project["optional-dependencies"]
    ours = {"test", "inputs", "dev", "docs", "bench", "release"}
    needed = [
        *project["dependencies"],
        *(one for name, several in extras.items() if name not in ours for one in several),
    ]
    packages = {re.match(r"[\w-]+", one)[0] for one in needed} - {"minidl"}
    assert [package for package in sorted(packages) if package not in page] == []
    assert [name for name in extras if f"`{name}`" not in page] == []
