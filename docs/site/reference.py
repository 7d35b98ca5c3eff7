"""The reference: a page for each group of public names, written from their signatures and docstrings."""

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any

from docs.site.names import absent, sheets
from docs.site.sheets import Sheet

HEADS = re.compile(r"^(Args|Attributes|Raises|Returns|Yields|Type parameters):$")
ENTRY = re.compile(r"^ {4}(\S[^:]*?): (.*)$")
LITERAL = re.compile(r"(``.+?``|`[^`]+`)")
ADDRESS = re.compile(r"https?://[^\s)>,]+[^\s)>,.]")


def escaped(text: str) -> str:
    """Words of a docstring as Markdown: what stands in backticks is code, all else means itself."""
    pieces = []
    for place, piece in enumerate(LITERAL.split(text)):
        if place % 2:
            pieces.append(piece)
            continue
        plain, end = [], 0
        for address in ADDRESS.finditer(piece):
            plain += [re.sub(r"([\\*_\[\]<>#$~|{}])", r"\\\1", piece[end : address.start()]), f"<{address[0]}>"]
            end = address.end()
        pieces += [*plain, re.sub(r"([\\*_\[\]<>#$~|{}])", r"\\\1", piece[end:])]
    return "".join(pieces)


def markdown(doc: str) -> str:
    """A docstring as Markdown: doctests and indented formulas as blocks, arguments as a list."""
    lines, out, place = inspect.cleandoc(doc).splitlines(), [], 0
    while place < len(lines):
        line = lines[place]
        if line.startswith(">>>"):
            end = next((k for k in range(place, len(lines)) if not lines[k].strip()), len(lines))
            out += ["", "```pycon", *lines[place:end], "```", ""]
        elif line.startswith("    "):
            end = next(
                (k for k in range(place, len(lines)) if lines[k] and not lines[k].startswith("    ")), len(lines)
            )
            out += ["", "```", *textwrap.dedent("\n".join(lines[place:end])).rstrip().splitlines(), "```", ""]
        elif HEADS.match(line):
            end = next((k for k in range(place + 1, len(lines)) if lines[k] and lines[k][0] != " "), len(lines))
            out += ["", f"**{line[:-1]}**", "", *entries(lines[place + 1 : end]), ""]
        else:
            mark = re.match(r"(- )?", line)[0]  # type: ignore[index] # it matches nothing at least
            out.append(mark + escaped(line[len(mark) :]))
            end = place + 1
        place = end
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip()


def entries(lines: list[str]) -> list[str]:
    """The entries of a section such as "Args:", as a list; a line that begins none goes on with the one before."""
    items: list[str] = []
    for line in lines:
        entry = ENTRY.match(line)
        if entry:
            items.append(f"- **{escaped(entry[1])}**: {escaped(entry[2])}")
        elif line.strip() and items:
            items.append(f"  {escaped(line.strip())}")
        elif line.strip():
            items.append(f"- {escaped(line.strip())}")
    return items


def signature(thing: Callable[..., Any], *, bound: bool = False) -> str:
    """The arguments as the source writes them: with the names of defaults, and without the first one where `bound`."""
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(thing)))).body
        if not isinstance(node, ast.FunctionDef):
            raise TypeError
    except (OSError, TypeError, ValueError, SyntaxError):
        return from_object(thing)
    arguments = node.args
    if bound:
        (arguments.posonlyargs or arguments.args).pop(0)
    returned = "" if node.returns is None or node.name == "__init__" else f" -> {ast.unparse(node.returns)}"
    return f"({ast.unparse(arguments)}){returned}"


def from_object(thing: Callable[..., Any]) -> str:
    """The arguments as Python knows them, where there is no source: names and those defaults that can be written."""
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return "()"
    written = [
        p.replace(annotation=p.empty, default=p.empty if "<" in repr(p.default) else p.default) for p in parameters
    ]
    return str(inspect.Signature(written, __validate_parameters__=False)) if written else "()"


def block(directive: str, head: str, options: dict[str, str], body: str, marks: int) -> str:
    """A directive with a fence of so many backticks."""
    given = "".join(f":{name}: {value}\n" for name, value in options.items())
    return f"{'`' * marks}{{{directive}}} {head}\n{given}\n{body}\n{'`' * marks}\n"


def described(full: str) -> str:
    """The entry of one public name."""
    module, _, name = full.rpartition(".")
    with absent():
        thing = getattr(importlib.import_module(module), name)
    options = {"module": module}
    if inspect.isclass(thing):
        kind = "exception" if issubclass(thing, BaseException) else "class"
        return block(f"py:{kind}", name + of_class(thing), options, f"{docstring(thing)}\n\n{members(thing)}", 6)
    if inspect.isroutine(thing):
        return block("py:function", name + signature(thing), options, docstring(thing), 6)
    shown = " ".join(repr(thing).split())
    value = {"value": shown} if len(shown) < 80 else {}
    return block("py:data", name, {**options, **value}, docstring(thing) if callable(thing) else "", 6)


def of_class(thing: type) -> str:
    """The arguments of the constructor; none where a class or its errors take whatever their base takes."""
    if issubclass(thing, BaseException) or "__init__" not in dir(thing) or thing.__init__ is object.__init__:
        return ""
    if "__dataclass_fields__" in vars(thing):
        return re.sub(r" -> .*", "", from_object(thing))
    return signature(thing.__init__, bound=True)


def docstring(thing: object) -> str:
    """What is said about it, as Markdown."""
    return markdown(inspect.getdoc(thing) or "")


def members(thing: type) -> str:
    """The public methods and properties that a class defines itself, each with its docstring."""
    parts = []
    for name, member in vars(thing).items():
        inner = getattr(member, "__func__", member)
        if name.startswith("_") or not (inspect.isfunction(inner) or isinstance(member, property)):
            continue
        said = docstring(inner)
        if isinstance(member, property):
            parts.append(block("py:property", name, {}, said, 5))
            continue
        kind = {classmethod: {"classmethod": ""}, staticmethod: {"staticmethod": ""}}.get(type(member), {})
        bound = not isinstance(member, staticmethod)
        parts.append(block("py:method", name + signature(inner, bound=bound), kind, said, 5))
    return "\n".join(parts)


def page(sheet: Sheet) -> str:
    """A page: its groups, each name of each."""
    parts = [f"# {sheet.title}", ""]
    parts += [f"```{{py:module}} {module}\n```\n" for module in sheet.modules]
    for title, names in sheet.groups:
        if names:
            parts += [f"## {title}", "", *(described(full) for full in names)]
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """All pages by their place in the site, with one that lists every name."""
    found = sheets()
    lines = ["# Reference", "", "Every public name. Words in `code` on the other pages lead here.", ""]
    for sheet in found:
        lines += [f"## [{sheet.title}]({sheet.name}.md)", ""]
        for title, names in sheet.groups:
            if names:
                lines.append(
                    f"- {title}: " + ", ".join(f"{{py:obj}}`{full.rpartition('.')[2]} <{full}>`" for full in names)
                )
        lines.append("")
    listed = "\n".join(["```{toctree}", ":hidden:", "", *(sheet.name for sheet in found), "```", ""])
    index = "\n".join([*lines, listed])
    return {"reference/index.md": index, **{f"reference/{sheet.name}.md": page(sheet) for sheet in found}}
