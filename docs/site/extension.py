"""What the site needs of Sphinx beside its settings: formulas as MathML, and code that leads to the reference."""

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

LOGGER = logging.getLogger(__name__)
NAME = re.compile(r"^(?:minidl\.)?([A-Za-z_][\w.]*?)(\(.*\))?$", flags=re.DOTALL)
FUNCTION = re.compile(r"<mi>(cos|exp|log|sin|tanh)</mi>")
BAR = re.compile(r'<mo(?: fence="false")?(?: stretchy="false")?>(&#x(?:02016|0007C);)</mo>')
OTHERS = re.compile(r"\b(JAX|Keras|PyTorch|scikit-learn|TensorFlow)(?:'s)?:?\s$")
OF_OTHERS = {"elsewhere", "there"}  # heads of columns in which names are those of other libraries
KINDS = {"class", "function", "exception", "method", "property", "data", "module"}


def mathml(node: nodes.math | nodes.math_block, display: str) -> str:
    """The formula of a node; one that cannot be read in full is a warning, which ends the build."""
    text = node.astext()
    try:
        made: str = convert(text.replace("{aligned}", "{align*}"), display=display)  # it knows no aligned
    except Exception as error:
        LOGGER.warning("the formula %s cannot be read: %s", text, error, location=node)
        return ""
    unknown = sorted(set(re.findall(r"\\[A-Za-z]+|<mi>&</mi>", made)))
    if unknown:
        LOGGER.warning("the formula %s has commands that are not known: %s", text, unknown, location=node)
    return drawn_well(made)


def drawn_well(formula: str) -> str:
    """MathML with a space on both sides of log and its like, and with bars of norms that are equally high."""
    spaced = FUNCTION.sub(r'<mo form="prefix" lspace="0.167em" rspace="0.167em">\1</mo>', formula)
    return BAR.sub(r'<mo stretchy="false" lspace="0" rspace="0">\1</mo>', spaced)


def inline(translator: Any, node: nodes.math) -> None:
    """A formula in a line."""
    translator.body.append(mathml(node, "inline"))
    raise nodes.SkipNode


def displayed(translator: Any, node: nodes.math_block) -> None:
    """A formula of its own lines, which a narrow page scrolls."""
    translator.body.append(f'<div class="formula">{mathml(node, "block")}</div>\n')
    raise nodes.SkipNode


def known(app: Sphinx) -> dict[str, tuple[str, str]]:
    """Where each public name, and each method with its class, is described: the page and the place on it."""
    found: dict[str, tuple[str, str]] = {}
    objects = app.env.get_domain("py").get_objects()
    for full, _, kind, page, anchor, _ in sorted(objects, key=lambda row: (row[0].count("."), row[0])):
        if kind in KINDS:
            parts = full.split(".")
            for start in range(1, len(parts)):
                if parts[start - 1 :] and (start == len(parts) - 1 or parts[start][:1].isupper()):
                    found.setdefault(".".join(parts[start:]), (page, anchor))
            found.setdefault(full.removeprefix("minidl."), (page, anchor))
    return found


def target(text: str, places: dict[str, tuple[str, str]]) -> tuple[str, str] | None:
    """Where code of one name leads: a plain word in small letters, such as an argument, leads nowhere."""
    match = NAME.match(text)
    if match is None:
        return None
    name, called = match[1], match[2]
    plain = name.islower() and name.isalpha() and not called and not text.startswith("minidl.")
    return None if plain or (called and "\n" in called) else places.get(name)


def of_others(node: nodes.literal) -> bool:
    """Whether a name is that of another library, by the words before it or by the head of its column."""
    before = node.previous_sibling()
    if isinstance(before, nodes.Text) and OTHERS.search(before.astext()):
        return True
    entry = node
    while entry is not None and not isinstance(entry, nodes.entry):
        entry = entry.parent
    if entry is None:
        return False
    row = entry.parent
    head = next(iter(row.parent.parent.findall(nodes.thead)), None)
    return head is not None and head[0][row.index(entry)].astext() in OF_OTHERS


def lead(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Make every inline code that is a public name a link to its entry."""
    places = known(app)
    for node in list(tree.findall(nodes.literal)):
        if isinstance(node.parent, nodes.reference | nodes.title) or node.parent is None:
            continue
        found = target(node.astext(), places)
        if found is not None and not of_others(node):
            new = make_refnode(app.builder, page, found[0], found[1], nodes.literal(node.rawsource, node.astext()))
            node.replace_self(new)


def lead_back(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    """In the pages of sources, make "[docs]" lead to where a name is described, whichever module it is described in."""
    if not page.startswith("_modules/") or "body" not in context:
        return
    places = known(app)

    def link(found: re.Match[str]) -> str:
        parts = found[1].split(".")
        tails = (".".join(parts[start:]) for start in range(1, len(parts)))
        place = next((places[tail] for tail in tails if tail in places), None)
        if place is None:
            return ""
        return f'<a class="viewcode-back" href="{app.builder.get_relative_uri(page, place[0])}#{place[1]}">'

    context["body"] = re.sub(r'<a class="viewcode-back" href="[^"#]*#([^"]*)">', link, context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(displayed, None))
    app.connect("doctree-resolved", lead)
    app.connect("html-page-context", lead_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
