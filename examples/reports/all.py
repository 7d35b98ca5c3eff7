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
from images import is_in_published_order
from report import QUICK, Page, fill, finish, options_parser, read_options, run_all

import minidl
from minidl.data import cifar10, mnist
from minidl.experiments import Results

REPORTS = {
    sigmoid_mlp_cifar10: "A sigmoid MLP on CIFAR-10",
    softmax_vs_bce_cifar10: "Softmax, more data, and binary cross-entropies on CIFAR-10",
    softmax_cifar10: "Softmax regression on CIFAR-10",
    hinge_linear_cifar10: "A linear classifier with hinge loss on CIFAR-10",
    logistic_and_softmax_mnist: "Logistic and softmax regression on MNIST",
}
HEAD = """# Five course reports, reproduced

Every experiment of five published course reports, run again with minidl on MNIST and CIFAR-10: reported numbers beside
measured ones. `make reports` writes this page (`examples/reports/all.py`). Each section comes from one script in
`examples/reports/`, which also runs alone; the reports are named by their course, and by their year where they give it.

Measured is the mean ± the sample standard deviation over as many seeds as stand in brackets; without brackets it is
one run, or one number made of several. The interval is where the means of a correct implementation should lie: it was
fixed before this one was run, from an independent program in plain numpy (not part of this repository) and a margin
for other seeds and files. "Inside" holds the measured mean against it; it says nothing about the reported number. No
number was tuned to match. Where a report is silent, or its numbers were not reproduced, its section says so.
"""
OTHER_FILES = (
    "MNIST is the original. This CIFAR-10 is not in the order of the published files: its first images are others. It "
    "has been stored as JPEG too."
)


def main() -> None:
    """Run everything that is not there yet, and write the pages."""
    parser = options_parser(__doc__)
    parser.add_argument("--docs", type=Path, help="also write results.md and results/ into this folder")
    options, began = read_options(parser), time.monotonic()
    if options.docs and options.quick:
        parser.error("--docs is for whole runs: leave out --quick")
    results = run_all([run for module in REPORTS for run in module.runs(options)], options, cifar10, mnist)
    pages = {module: Page(module.__name__, options) for module in REPORTS}
    for module, page in pages.items():
        fill(page, module.write_up, results, options)
    parts = [HEAD, QUICK if options.quick else timing(results)]
    if not is_in_published_order(cifar10()[0]):
        parts.append(OTHER_FILES)
    for module in reversed(REPORTS):
        name = module.__name__
        source = f"`python examples/reports/{name}.py`; [these numbers as JSON]({name}/results.json)"
        parts += [f"## {REPORTS[module]}", (module.__doc__ or "").strip(), source, pages[module].text.strip()]
    text = "\n\n".join(part.strip() for part in parts) + "\n"
    (options.out / "results.md").write_text(text, encoding="utf-8")
    if options.docs:
        publish(text, pages.values(), options.docs)
    inside = [row["inside"] for page in pages.values() for row in page.rows]
    if not options.quick:
        print(f"{inside.count(True)} of {inside.count(True) + inside.count(False)} means lie in their interval")
    finish(results, began, options, "results.md")


def timing(results: Results) -> str:
    """How long the runs took, and would take on a machine with nothing else to do."""
    minutes = results.seconds / 60
    undisturbed = sum(len(group) * min(result.seconds for result in group) for group in results.groups()) / 60
    versions = f"python {platform.python_version()}, numpy {np.__version__}, minidl {minidl.__version__}"
    return (
        f"{len(results)} runs took {minutes:.0f} minutes of one core together. At the speed of the fastest run of each "
        f"setting, which other work on the machine disturbed least, that is {undisturbed:.0f} minutes, so about "
        f"{undisturbed / 2:.0f} minutes with two worker processes on two cores. ({versions})"
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
