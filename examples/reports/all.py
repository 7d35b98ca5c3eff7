"""The five reports in one job: every run of them behind one bar, then all pages, and one page with everything.

The job can be stopped at any time and goes on when it is started again. With --docs FOLDER the page and its figures are
written there too, as FOLDER/results.md and FOLDER/results/.
"""

import platform
import shutil
import time
from pathlib import Path

import hinge_linear_cifar10
import logistic_and_softmax_mnist
import numpy as np
import sigmoid_mlp_cifar10
import softmax_cifar10
import softmax_vs_bce_cifar10
from report import Page, options_parser, run_all, use

import minidl
from minidl.data import cifar10, mnist

REPORTS = {
    sigmoid_mlp_cifar10: "A sigmoid MLP on CIFAR-10",
    softmax_vs_bce_cifar10: "Softmax, more data, and binary cross-entropies on CIFAR-10",
    softmax_cifar10: "Softmax regression on CIFAR-10",
    hinge_linear_cifar10: "A linear classifier with hinge loss on CIFAR-10",
    logistic_and_softmax_mnist: "Logistic and softmax regression on MNIST",
}
HEAD = """# Five course reports, reproduced

Every experiment of five published course reports, run again with minidl on MNIST and CIFAR-10: reported numbers
beside measured ones.
`make reports` writes this page (`examples/reports/all.py`); no number in it is typed by hand. Each section comes from
one script in `examples/reports/`, which also runs alone.

Measured is the mean ± the sample standard deviation over as many seeds as stand in brackets: 0, 1, 2, ... The interval
is where a correct implementation lands, as found by an independent one in plain numpy before this one was run; "inside"
says whether the mean does. No number was tuned to match. Where a report is silent, or cannot be right, its section says
so. MNIST is the original. The CIFAR-10 used here had been through JPEG compression, with its images in another order,
which moves accuracies by about half a point.
"""


def main() -> None:
    """Run everything that is not there yet, and write the pages."""
    parser = options_parser(__doc__)
    parser.add_argument("--docs", type=Path, help="also write results.md and results/ into this folder")
    options, began = use(parser.parse_args()), time.monotonic()
    results = run_all([run for module in REPORTS for run in module.runs(options)], options, cifar10, mnist)
    pages = {module: Page(module.__name__, options) for module in REPORTS}
    for module, page in pages.items():
        module.write_up(results, page, options)
        page.write()
    seconds, minutes = time.monotonic() - began, results.seconds / 60
    parts = [
        HEAD,
        f"{len(results)} runs took {minutes:.0f} minutes of one core together, half as long with two worker processes. "
        f"python {platform.python_version()}, numpy {np.__version__}, minidl {minidl.__version__}.",
    ]
    for module in reversed(REPORTS):
        parts += [f"## {REPORTS[module]}", module.__doc__.strip(), pages[module].text.strip()]
    text = "\n\n".join(part.strip() for part in parts) + "\n"
    (options.out / "results.md").write_text(text, encoding="utf-8")
    if options.docs:
        publish(text, pages.values(), options.docs)
    inside = [row.as_dict()["inside"] for page in pages.values() for row in page.rows]
    print(f"{inside.count(True)} of {inside.count(True) + inside.count(False)} means lie in their interval")
    print(f"{len(results)} runs, {minutes:.1f} minutes together; this command took {seconds / 60:.1f} minutes")
    print(f"tables, numbers and figures in {options.out}: results.md")


def publish(text: str, pages: "list[Page]", folder: Path) -> None:
    """The page and its figures in the documentation."""
    shutil.rmtree(folder / "results", ignore_errors=True)
    for page in pages:
        shutil.copytree(page.folder, folder / "results" / page.name)
        text = text.replace(f"]({page.name}/", f"](results/{page.name}/")
    (folder / "results.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
