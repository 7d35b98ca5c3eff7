"""The packages of the library: who may import whom, what each file may load, and that nothing goes in circles."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import minidl

ROOT = Path(minidl.__file__).parent
BELOW = {
    "bytecode": set(),
    "advice": {"bytecode"},
    "flow": {"bytecode"},
    "passing": {"bytecode", "flow"},
    "argument_words": set(),
    "arguments": {"advice", "argument_words", "bytecode", "passing"},
    "quiet": set(),
    "returned": {"arguments"},
    "remembered": {"arguments"},
    "version": set(),
    "frozen": set(),
    "seeding": {"arguments"},
    "parameters": {"arguments", "returned"},
    "inputs": {"arguments", "parameters", "returned"},
    "store": {"arguments", "parameters", "returned"},
    "initializers": {"arguments", "frozen", "parameters"},
    "regularizers": {"advice", "arguments", "frozen", "parameters", "quiet", "returned", "store"},
    "canonical": set(),
    "habits": set(),
    "html": set(),
    "storage": {"parameters"},
    "tensors": {"parameters", "storage"},
    "weights": {"parameters", "returned", "storage", "tensors"},
    "kernels": {"frozen", "parameters", "quiet"},
    "layers": {
        "arguments",
        "bytecode",
        "frozen",
        "html",
        "initializers",
        "inputs",
        "kernels",
        "parameters",
        "quiet",
        "returned",
    }
    | {"seeding", "storage", "store", "weights"},
    "interop": {"arguments", "layers", "parameters", "tensors"},
    "onnx": {"arguments", "layers", "parameters", "storage", "version"},
    "optim": {"advice", "arguments", "frozen", "kernels", "parameters", "quiet", "remembered", "returned", "store"},
    "data": {"arguments", "frozen", "inputs", "kernels", "parameters", "quiet", "seeding", "storage"},
    "metrics": {"arguments", "frozen", "layers", "parameters", "quiet"},
    "training": {
        "arguments",
        "bytecode",
        "canonical",
        "html",
        "inputs",
        "kernels",
        "parameters",
        "passing",
        "quiet",
        "remembered",
        "returned",
        "seeding",
        "storage",
    }
    | {"store", "version"}
    | {"layers", "optim", "data", "metrics", "regularizers"},
    "distributed": {"parameters", "training"},
    "sklearn": {"arguments", "data", "layers", "optim", "parameters", "training"},
    "class_report": {"html", "metrics", "parameters"},
    "diagnostics": {
        "arguments",
        "data",
        "frozen",
        "html",
        "inputs",
        "layers",
        "parameters",
        "quiet",
        "remembered",
        "returned",
    }
    | {"storage", "training"},
    "profiles": set(),
    "testing": {
        "arguments",
        "frozen",
        "kernels",
        "parameters",
        "initializers",
        "layers",
        "metrics",
        "optim",
        "profiles",
        "regularizers",
    }
    | {"store", "training"},
    "experiments": {
        "arguments",
        "bytecode",
        "canonical",
        "data",
        "frozen",
        "html",
        "parameters",
        "storage",
        "training",
    },
    "plots": {
        "arguments",
        "data",
        "diagnostics",
        "frozen",
        "inputs",
        "layers",
        "parameters",
        "quiet",
        "returned",
        "training",
    }
    | {"metrics", "optim"},
}
ONLY_IN = {
    "tqdm": "training/progress.py",
    "matplotlib": "plots",
    "hypothesis": ("testing", "profiles.py"),
    "pooch": "data",
    "loky": "experiments",
    "cloudpickle": "experiments",
    "numba": "kernels/compiled",
    "threadpoolctl": "experiments",
    "mpi4py": "distributed.py",
    "sklearn": "sklearn",
    "torch": "testing/torch",
    "jax": "testing/jax.py",
    "onnx": "onnx",
    "safetensors": "tensors.py",
}


def modules():
    return [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


def imported(path):
    """The full names of all modules a file imports, wherever in it; minidl itself where it asks that for a name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            within = {f"{node.module}.{alias.name}" for alias in node.names} & NAMES
            yield from within or {"." * node.level + (node.module or "")}


def name_of(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in modules()}


def test_the_hole_that_imports_went_through_is_closed(tmp_path):
    source = "import minidl\nfrom minidl import Trainer\nfrom minidl import plots\nfrom . import base\n"
    (tmp_path / "file.py").write_text(source, encoding="utf-8")
    assert list(imported(tmp_path / "file.py")) == ["minidl", "minidl", "minidl.plots", "."]


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_file_imports_from_the_file_that_defines_what_it_needs(path):
    names = set(imported(path))
    assert "minidl" not in names  # the way up
    assert not any(name.startswith(".") for name in names)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_file_can_be_held_in_the_head(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 260


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_file_imports_only_from_its_own_package_and_those_below(path):
    own = name_of(path).split(".")[1]
    used = {name.split(".")[1] for name in imported(path) if name.startswith("minidl.")}
    assert used <= BELOW[own] | {own}


def test_layers_know_no_losses():
    layers = [path for path in (ROOT / "layers").glob("*.py") if path.name != "__init__.py"]
    known = {path.name for path in layers if any(name.startswith("minidl.layers.losses") for name in imported(path))}
    assert layers
    assert not known


@pytest.mark.parametrize("package", ONLY_IN)
def test_a_heavy_package_is_imported_in_one_place_only(package):
    users = {path for path in modules() if any(name.split(".")[0] == package for name in imported(path))}
    named = ONLY_IN[package]
    homes = {ROOT / home for home in ([named] if isinstance(named, str) else named)}
    assert users
    assert all({path, path.with_suffix(""), *path.parents} & homes for path in users)


def folders():
    return [ROOT, *sorted(path.parent for path in ROOT.rglob("__init__.py") if path.parent != ROOT)]


@pytest.mark.parametrize("folder", folders(), ids=name_of)
def test_no_imports_go_in_circles_among_the_files_and_folders_of_a_folder(folder):
    level, graph = len(folder.relative_to(ROOT.parent).parts), {}

    def place(name):
        """The file or folder in this folder that a module belongs to; its __init__ for the folder itself."""
        parts = name.split(".")
        return parts[level] if len(parts) > level else "__init__"

    inside = [path for path in modules() if folder in path.parents]
    for path in inside:
        within = {name for name in imported(path) if f"{name}.".startswith(f"{name_of(folder)}.") and name in NAMES}
        graph.setdefault(place(name_of(path)), set()).update(map(place, within))
    for name, below in graph.items():
        below.discard(name)
    assert list(TopologicalSorter(graph).static_order())


def test_the_checks_stand_in_few_places_and_those_on_the_ground_know_no_hypothesis():
    places = {path.name.removesuffix(".py") for path in (ROOT / "testing").iterdir() if path.name != "__pycache__"}
    assert len(places) <= 18
    for path in [*(ROOT / "testing" / "functions").iterdir(), ROOT / "testing" / "report.py"]:
        if path.suffix == ".py":
            names = set(imported(path))
            assert "hypothesis" not in {name.split(".")[0] for name in names}
            of_testing = {".".join(name.split(".")[:3]) for name in names if name.startswith("minidl.testing.")}
            assert of_testing <= {"minidl.testing.functions"}
