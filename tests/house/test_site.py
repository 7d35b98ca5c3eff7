"""The site: its tree is whole, every public name is in the reference, every formula is derived, and it builds clean."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path, PurePosixPath

import pytest

import minidl
import minidl.layers
import minidl.optim
from docs.site.check import faults
from docs.site.figures import drawn, of_examples
from docs.site.links import NoPlaceError, rewritten
from docs.site.tree import REST, SECTIONS, sections

ROOT = Path(__file__).parents[2]
DERIVED = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "derivations").glob("*.md"))
BASES = {"Layer", "Elementwise", "Loss", "ClassLoss", "Optimizer"}  # what is derived from them is derived on the pages


def test_every_page_stands_in_the_sidebar_once():
    pages = [path.relative_to(ROOT / "docs").with_suffix("").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    listed = [page for section in sections(pages).values() for page in section]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(pages) - {"index"}
    assert set(sections([*pages, "new"])[REST]) >= {"new"}


def test_no_page_is_listed_under_two_sections():
    named = [page for section in SECTIONS.values() for page in section]
    assert len(named) == len(set(named))


def test_every_layer_loss_and_optimizer_is_derived():
    public = [getattr(minidl, name) for name in minidl.__all__]
    kinds = (minidl.Layer, minidl.Loss, minidl.Optimizer)
    named = {thing.__name__ for thing in public if isinstance(thing, type) and issubclass(thing, kinds)} - BASES
    assert len(named) > 50
    missing = sorted(name for name in named | {"L1", "L2", "ElasticNet"} if f"`{name}" not in DERIVED)
    assert missing == []


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[a](../training.md#checkpoints)", "[a](../training.md#checkpoints)"),
        ("[a](../../examples/quickstart.py)", "[a](../examples/quickstart.md)"),
        ("[a](../../examples/reports)", "[a](../examples/reports/index.md)"),
        ("[a](../../README.md)", "[a](../index.md)"),
        ("[a](../../CHANGELOG.md)", "[a](../project/CHANGELOG.md)"),
        ("[a](../../minidl/layers)", "[a](../reference/index.md)"),
        ("[a](../../LICENSE)", "a"),
        ("[a](https://example.org/b.md)", "[a](https://example.org/b.md)"),
        ("[`a`](rows.md), [b](#here)", "[`a`](rows.md), [b](#here)"),
        ("```\n[a](nowhere.md)\n```", "```\n[a](nowhere.md)\n```"),
    ],
)
def test_a_link_leads_to_the_same_in_the_site(link, expected):
    assert rewritten(link, PurePosixPath("docs/derivations/training.md")) == expected


@pytest.mark.parametrize("link", ["[a](nowhere.md)", "[a](../../.ci)"])
def test_a_link_to_nothing_is_an_error(link):
    with pytest.raises(NoPlaceError, match="expected a link to"):
        rewritten(link, PurePosixPath("docs/derivations/training.md"))


def test_what_a_block_draws_stands_behind_it(tmp_path):
    lines = [
        "```python",
        "from pathlib import Path",
        "class Figure:",
        "    savefig = staticmethod(lambda name: Path(name).touch())",
        'Figure.savefig("a_curve.png")',
        'Figure.savefig("b.png")  # It falls.',
        "Figure.savefig(",
        '    "c.png"',
        ")  # As a formatter breaks it.",
        '# Figure.savefig("d.png")',
        "```",
        "after",
    ]
    page = drawn("\n".join(lines), tmp_path / "page", tmp_path)
    assert page.index("```\n\n:::{figure} /page/a_curve.png\n:alt: a curve\n") < page.index(
        "/page/b.png\n:alt: It falls.\n"
    )
    assert page.index("/page/b.png\n") < page.index("/page/c.png\n:alt: As a formatter breaks it.\n")
    assert page.count("{figure}") == 3
    assert page.endswith("\nafter")
    assert drawn("```python\nraise ValueError\n```", tmp_path, tmp_path) == "```python\nraise ValueError\n```"
    lost = "\n".join([*lines[:4], 'Figure.savefig("a.png")', "Figure.savefig(name := 'b.png')", "```"])
    with pytest.raises(ValueError, match=r"expected each figure of .* received \['b.png'\]"):
        drawn(lost, tmp_path / "other", tmp_path)
    assert of_examples("<!-- figure: quickstart/a.png | It falls. -->").count("It falls.") == 2


def test_dead_links_and_reads_from_a_network_are_found(tmp_path):
    page = '<p id="here"><a href="#here"></a><a href="#there"></a><a href="b.html"></a><img src="https://a.org/b.png">'
    (tmp_path / "a.html").write_text(page + '<a href="https://a.org"></a><a href="a.html#here"></a>', encoding="utf-8")
    (tmp_path / "a.css").write_text("a { background: url(//a.org/b.png) }", encoding="utf-8")
    found = faults(tmp_path)
    assert [line.partition(",")[0] for line in found] == [
        "a.html reads https://a.org/b.png from a network",
        "a.html links to #there",
        "a.html links to b.html",
        "a.css reads //a.org/b.png from a network",
    ]


@pytest.mark.needs_docs
def test_every_public_name_is_in_the_reference_once():
    from docs.site.names import public_names, sheets

    wanted = {f"{module}.{name}" for module, things in public_names().items() for name in things}
    listed = [full for sheet in sheets() for _, names in sheet.groups for full in names]
    assert len(listed) == len(set(listed))
    assert set(listed) == wanted
    assert {f"minidl.{name}" for name in minidl.__all__ if not name.startswith("_")} <= wanted


@pytest.mark.needs_docs
def test_every_entry_of_the_reference_says_something():
    from docs.site.names import sheets
    from docs.site.reference import described

    silent = []
    for full in [full for sheet in sheets() for _, names in sheet.groups for full in names]:
        lines = [line for line in described(full).splitlines()[1:] if line and not line.startswith((":", "``````"))]
        if not lines and not full.rpartition(".")[2].isupper() and full not in ALIASES:
            silent.append(full)
    assert silent == []


ALIASES = {"minidl.layers.SampleShape", "minidl.optim.LearningRate"}  # names of types, whose value says what they are


@pytest.mark.needs_docs
def test_a_docstring_means_itself_in_markdown():
    from docs.site.reference import markdown, signature

    doc = """w <- w - lr * g, see `L2` and https://a.org/b_c.

    Args:
        rate: a number_of
            something.
        *layers: in order.

    As a formula:

        a = b * c

    >>> 1 + 1
    2
    """
    assert markdown(doc).split("\n\n") == [
        r"w \<- w - lr \* g, see `L2` and <https://a.org/b_c>.",
        "**Args**",
        "- **rate**: a number\\_of\n  something.\n- **\\*layers**: in order.",
        "As a formula:",
        "```\na = b * c\n```",
        "```pycon\n>>> 1 + 1\n2\n```",
    ]
    assert signature(minidl.Linear.__init__, bound=True).startswith(
        "(in_features: int, out_features: int, *, bias: bool=True"
    )
    assert "glorot_uniform" in signature(minidl.Linear.__init__, bound=True)


@pytest.mark.needs_docs
def test_functions_in_formulas_stand_apart_and_bars_are_equally_high():
    from docutils import nodes

    from docs.site.extension import mathml

    made = mathml(nodes.math("", r"q \log p - \frac{1}{2} \lVert w \rVert^2"), "inline")
    assert '<mi>q</mi><mo form="prefix" lspace="0.167em" rspace="0.167em">log</mo><mi>p</mi>' in made
    assert made.count('<mo stretchy="false" lspace="0" rspace="0">&#x02016;</mo>') == 2
    lines = mathml(nodes.math_block("", r"\begin{aligned} a &= b \\ c &= d \end{aligned}"), "block")
    assert lines.count("<mtr>") == 2
    assert "<mi>&</mi>" not in lines


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site, built once, whichever process of pytest comes first."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "site"
    done = folder.with_suffix(".done")
    try:
        folder.with_suffix(".lock").mkdir()
    except FileExistsError:
        while not done.exists():
            time.sleep(0.5)
    else:
        made = subprocess.run(
            [sys.executable, "-m", "docs.site", str(folder)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        part = done.with_suffix(".part")
        part.write_text("" if made.returncode == 0 else made.stdout[-4000:] or "failed", encoding="utf-8")
        part.rename(done)
    assert done.read_text(encoding="utf-8") == ""
    return folder / "html"


def own_pages(site):
    """The pages that somebody wrote or that were made of docstrings, by name."""
    left_out = ("_modules/", "genindex", "py-modindex", "search")
    names = [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))]
    return [name for name in names if not name.startswith(left_out)]


@pytest.mark.needs_docs
def test_the_site_builds_without_a_warning_and_each_page_leads_on_and_back(site):
    pages = own_pages(site)
    assert len(pages) > 60
    for name in pages:
        text = (site / name).read_text(encoding="utf-8")
        ways = re.findall(r'<a class="(next|prev)-page"', text)
        assert set(ways) == {"next", "prev"} - ({"prev"} if name == "index.html" else set()) or name == LAST, name
        assert 'href="' + "../" * name.count("/") + ("#" if name == "index.html" else "index.html") in text, name
    assert (site / "index.html").read_text(encoding="utf-8").count("<img") >= 1


@pytest.mark.needs_docs
def test_names_of_other_libraries_do_not_lead_to_ours(site):
    text = (site / "conventions.html").read_text(encoding="utf-8")
    linked = [re.sub("<[^>]+>", "", code) for code in re.findall(r'<a class="reference internal"[^>]*>(.*?)</a>', text)]
    assert "L2(d / 2)" in linked
    assert not any(code.startswith(("SGD(weight_decay", "MLPRegressor")) for code in linked)


LAST = "project/SECURITY.html"
QUESTIONS = {  # what is looked for, and where it must be found among the first twelve
    "early stopping": ("training.html", "reference/training.html"),
    "freeze layers": ("recipes.html", "how_to.html"),
    "resume checkpoint": ("training.html",),
    "weigh classes": ("how_to.html", "recipes.html"),
    "class weights": ("recipes.html", "reference/losses.html"),
    "L2": ("derivations/losses.html", "conventions.html", "reference/losses.html"),
    "cifar10": ("reference/data.html", "tutorials/real_data.html"),
    "activations of a layer": ("how_to.html",),
    "export weights": ("how_to.html", "formats.html"),
    "grade": ("course.html", "testing.html"),
    "learning rate range test": ("inside.html",),
    "confusion matrix": ("reference/metrics.html", "gallery.html"),
    "weight decay": ("conventions.html",),
    "attention": ("derivations/sequences.html", "reference/layers.html"),
    "pandas": ("tutorials/tables.html",),
    "several machines": ("distributed.html",),
    "imbalanced classes": ("how_to.html",),
    "loss is nan": ("how_to.html",),
    "time limit": ("how_to.html",),
    "multilabel": ("how_to.html",),
    "disable numba": ("how_to.html",),
    "predict from a saved file": ("how_to.html",),
}


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    from tests.conftest import CHROMIUM

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def reader(browser):
    """A page of a browser as wide as a phone, and what went wrong in it; it reads files and asks no network."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on("requestfailed", lambda request: wrong.append(f"{page.url} asks for {request.url}"))
    page.on("request", lambda request: wrong.append(request.url) if request.url.startswith("http") else None)
    yield page, wrong
    context.close()


@pytest.mark.needs_docs
@pytest.mark.needs_browser
def test_all_pages_load_and_fit_a_phone(site, reader):
    page, wrong = reader
    for name in own_pages(site):
        page.goto((site / name).as_uri())
        page.evaluate("document.querySelectorAll('img').forEach(image => (image.loading = 'eager'))")
        page.wait_for_function("[...document.images].every(image => image.complete)")
        if page.evaluate("document.documentElement.scrollWidth") > 390:
            wrong.append(f"{name} is wider than a phone")
        if not page.evaluate("[...document.images].every(image => image.naturalWidth > 0)"):
            wrong.append(f"{name} lacks a figure")
        formulas = page.evaluate("[...document.querySelectorAll('math')].map(m => m.getBoundingClientRect().height)")
        if not all(height > 4 for height in formulas):
            wrong.append(f"{name} has a formula that is not drawn")
    assert wrong == []


@pytest.mark.needs_docs
@pytest.mark.needs_browser
def test_figures_and_formulas_are_there_at_phone_width(site, reader):
    page, wrong = reader
    page.goto((site / "index.html").as_uri())
    box = page.locator("article img").first.bounding_box()
    assert box["width"] > 250
    assert box["height"] > 100
    page.goto((site / "derivations" / "losses.html").as_uri())
    formulas = page.locator("div.formula math")
    assert formulas.count() >= 5
    assert all(formulas.nth(k).bounding_box()["height"] > 20 for k in range(formulas.count()))
    assert page.evaluate("document.fonts.check('16px \"STIX Two Math\"')")
    assert wrong == []


@pytest.mark.needs_docs
@pytest.mark.needs_browser
@pytest.mark.parametrize("words", QUESTIONS)
def test_the_search_finds_it_without_a_network(site, reader, words):
    page, wrong = reader
    page.goto(f"{(site / 'search.html').as_uri()}?q={words.replace(' ', '+')}")
    page.wait_for_selector("ul.search li a", state="attached")
    page.wait_for_function("!/Searching|Preparing/.test(document.querySelector('#search-results h2').textContent)")
    found = page.evaluate("[...document.querySelectorAll('ul.search li > a')].slice(0, 12).map(a => a.href)")
    ends = [url.partition("?")[0].partition("#")[0] for url in found]
    for wanted in QUESTIONS[words]:
        assert any(end.endswith(f"html/{wanted}") for end in ends), found
    assert wrong == []
