"""The rooms of the house: who may import whom, what each file may load, and that nothing goes in circles."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import minidl

ROOT = Path(minidl.__file__).parent
ROOMS_BELOW = {
    "arguments": set(),
    "seeding": {"arguments"},
    "parameters": {"arguments"},
    "initializers": {"arguments", "parameters"},
    "regularizers": {"arguments", "parameters"},
    "canonical": set(),
    "storage": {"parameters"},
    "layers": {"arguments", "parameters", "initializers", "seeding", "storage"},
    "optim": {"arguments", "parameters"},
    "data": {"arguments", "parameters", "seeding", "storage"},
    "metrics": {"arguments", "parameters", "layers"},
    "training": {"arguments", "canonical", "parameters", "seeding", "storage"}
    | {"layers", "optim", "data", "metrics", "regularizers"},
    "testing": {"arguments", "parameters", "initializers", "layers", "metrics", "optim", "regularizers", "training"},
    "experiments": {"arguments", "canonical", "parameters", "storage", "training"},
    "plots": {"arguments", "parameters", "data", "training", "metrics", "optim"},
}
ONLY_IN = {
    "tqdm": "training/progress.py",
    "matplotlib": "plots",
    "hypothesis": "testing",
    "pooch": "data",
    "loky": "experiments",
    "cloudpickle": "experiments",
}


def modules():
    return [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


def imported(path):
    """The full names of all modules a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def name_of(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_file_imports_only_from_its_own_room_and_those_below(path):
    room = name_of(path).split(".")[1]
    rooms = {name.split(".")[1] for name in imported(path) if name.startswith("minidl.")}
    assert rooms <= ROOMS_BELOW[room] | {room}


@pytest.mark.parametrize("package", ONLY_IN)
def test_a_heavy_package_is_imported_in_one_room_only(package):
    users = {path for path in modules() if any(name.split(".")[0] == package for name in imported(path))}
    home = ROOT / ONLY_IN[package]
    assert users
    assert all(path == home or home in path.parents or path == home.with_suffix(".py") for path in users)


def test_no_imports_go_in_circles():
    names = {name_of(path) for path in modules()}
    graph = {name_of(path): names & set(imported(path)) for path in modules()}
    assert list(TopologicalSorter(graph).static_order())


def test_the_checks_stand_in_few_places_each_above_what_it_knows():
    places = {path.name.removesuffix(".py") for path in (ROOT / "testing").iterdir() if path.name != "__pycache__"}
    known = {place: set() for place in places}
    for path in (ROOT / "testing").rglob("*.py"):
        place = path.relative_to(ROOT / "testing").parts[0].removesuffix(".py")
        inside = [name.split(".")[2] for name in imported(path) if name.startswith("minidl.testing.")]
        known[place] |= set(inside) - {place}
        hypothesis = {name.split(".")[0] for name in imported(path)} & {"hypothesis"}
        assert not hypothesis or place not in ("functions", "report")
    assert len(places) <= 13
    assert list(TopologicalSorter(known).static_order())
    assert not known["functions"]
