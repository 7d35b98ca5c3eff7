"""Every public name of minidl, where it is imported from, and how the reference groups them."""

import importlib
import inspect
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec

from sphinx.ext.autodoc.mock import mock

from docs.site.links import ROOT
from docs.site.sheets import SHEETS, Group, Sheet

OPTIONAL = ("mpi4py", "sklearn", "pandas", "torch", "jax", "onnx", "safetensors", "h5py", "optuna", "distributed")


def absent() -> AbstractContextManager[None]:
    """A block in which optional packages that are not installed can be imported all the same, as empty stand-ins."""
    return mock([package for package in OPTIONAL if not find_spec(package)])


def public_modules() -> list[str]:
    """The modules that docs/public.md lists."""
    page = (ROOT / "docs" / "public.md").read_text(encoding="utf-8").partition("Where a package")[0]
    return list(dict.fromkeys(re.findall(r"`(minidl[\w.]*)`", page)))


def names_of(module: object) -> Iterator[str]:
    """The public names of a module: its `__all__`, or the classes and functions that it defines."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        yield from (name for name in listed if not name.startswith("_"))
        return
    for name, thing in vars(module).items():
        own = getattr(thing, "__module__", None) == getattr(module, "__name__", "")
        if not name.startswith("_") and own and (inspect.isclass(thing) or inspect.isroutine(thing)):
            yield name


def public_names() -> dict[str, dict[str, object]]:
    """What is public, by module and name; a thing with several names stands under the shortest module only."""
    found: dict[str, dict[str, object]] = {}
    seen: set[int] = set()
    with absent():
        for module in sorted(public_modules(), key=lambda name: (name.count("."), name)):
            loaded = importlib.import_module(module)
            things = {name: getattr(loaded, name) for name in names_of(loaded)}
            found[module] = {name: thing for name, thing in things.items() if id(thing) not in seen}
            seen |= {id(thing) for thing in found[module].values()}
    return found


def home_of(thing: object, module: str) -> str:
    """The public module below `minidl` that a thing belongs to by where it is defined; else the one it was found in."""
    defined = getattr(thing, "__module__", module)
    return max((name for name in public_modules() if f"{defined}.".startswith(f"{name}.")), key=len, default=module)


def sheets() -> list[Sheet]:
    """Every page with every public name on exactly one; a public module that no page has gets one of its own."""
    found = public_names()
    belonging: dict[str, list[str]] = {}
    at: dict[str, str] = {}
    for module, things in found.items():
        for name, thing in things.items():
            full = f"{module}.{name}"
            at.setdefault(name if module != "minidl.distributed" else full, full)
            belonging.setdefault(home_of(thing, module) if module == "minidl" else module, []).append(full)
    taken: set[str] = set()
    result = []
    for sheet in SHEETS:
        groups = [Group(title, tuple(at[name] for name in names if name in at)) for title, names in sheet.groups]
        taken |= {full for _, names in groups for full in names}
        result.append(sheet._replace(groups=tuple(groups)))
    known = {module for sheet in SHEETS for module in sheet.modules}
    for module in [module for module in found if module not in known and belonging.get(module)]:
        result.append(Sheet(module.removeprefix("minidl."), module, (module,)))
    for place, sheet in enumerate(result):
        rest = tuple(full for module in sheet.modules for full in belonging.get(module, ()) if full not in taken)
        title = "More" if sheet.groups else "All"
        result[place] = sheet._replace(groups=(*sheet.groups, Group(title, rest))) if rest else sheet
    return [sheet for sheet in result if any(names for _, names in sheet.groups)]
