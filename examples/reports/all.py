"""The five reports in one job: every run of them behind one bar, then all pages, and one page with everything.

The job can be stopped at any time and goes on when it is started again. With --docs FOLDER the page and its figures are
written there too, as FOLDER/results.md and FOLDER/results/.
"""

import platform
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

import hinge_linear_cifar10
import logistic_and_softmax_mnist
import numpy as np
import sigmoid_mlp_cifar10
import softmax_cifar10
import softmax_vs_bce_cifar10
from front import COLUMNS, REPORTS, note_on_data
from report import QUICK, Page, begin_page, fill, finish, options_parser, read_options, run_all

import minidl
from minidl.data import cifar10, mnist
from minidl.experiments import Results

MODULES = (
    sigmoid_mlp_cifar10,
    softmax_vs_bce_cifar10,
    softmax_cifar10,
    hinge_linear_cifar10,
    logistic_and_softmax_mnist,
)
HEAD = f"""# Five course reports, reproduced

Every experiment of five published course reports, run again with minidl on MNIST and CIFAR-10: reported numbers beside
measured ones. `make reports` writes this page (`examples/reports/all.py`). Each section comes from one script in
`examples/reports/`, which also runs alone; the reports are named by their course, and by their year where they give it.

{COLUMNS}
"""


def main() -> None:
    """Run everything that is not there yet, and write the pages."""
    parser = options_parser(__doc__)
    parser.add_argument("--docs", type=Path, help="also write results.md and results/ into this folder")
    options, began = read_options(parser), time.monotonic()
    if options.docs and options.quick:
        parser.error("--docs is for whole runs: leave out --quick")
    results = run_all([run for module in MODULES for run in module.runs(options)], options, cifar10, mnist)
    pages = {module: begin_page(module.__name__, module.__doc__ or "", options) for module in MODULES}
    for module, page in pages.items():
        fill(page, module.write_up, results, options)
    parts = [HEAD, QUICK if options.quick else timing(results)]
    if note := "".join({note_on_data(name) for name in REPORTS}):
        parts.append(f"MNIST is the original. {note}")
    for module in reversed(MODULES):
        name = module.__name__
        title, report = REPORTS[name]
        source = f"`python examples/reports/{name}.py`; [these numbers as JSON]({name}/results.json)"
        body = [f"The report: {report}", (module.__doc__ or "").strip(), source, pages[module].text.strip()]
        parts += [f"## {title}", *body]
    text = "\n\n".join(part.strip() for part in parts) + "\n"
    (options.out / "results.md").write_text(text, encoding="utf-8")
    if options.docs:
        publish(text, pages.values(), options.docs)
    inside = [row["inside"] for page in pages.values() for row in page.rows]
    if not options.quick:
        print(f"{inside.count(True)} of {inside.count(True) + inside.count(False)} means lie in their interval")
    finish(results, began, options, "results.md")


def timing(results: Results) -> str:
    """How long the runs took, on the clock and of the processor, which does not count what else it did."""
    minutes, busy = results.seconds / 60, results.processor_seconds / 60
    versions = f"python {platform.python_version()}, numpy {np.__version__}, minidl {minidl.__version__}"
    return (
        f"{len(results)} runs took {busy:.0f} minutes of one processor, so about {busy / 2:.0f} with two worker "
        f"processes on two idle cores; on the clock, beside other work, they took {minutes:.0f}. ({versions})"
    )


def publish(text: str, pages: Iterable[Page], folder: Path) -> None:
    """The page and its figures in the documentation; other files there are left alone."""
    for page in pages:
        place = folder / "results" / page.name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(page.folder, place)
        text = text.replace(f"]({page.name}/", f"](results/{page.name}/")
    (folder / "results.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
