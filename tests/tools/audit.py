"""Check every line of the table and write what was seen to docs/audit.md: `make audit`."""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import hypothesis
import numpy as np

import minidl.testing
from minidl import kernels
from minidl.layers import Linear, SoftmaxCrossEntropy
from minidl.testing import Report, complex_step, relative_error
from tests.tools.checklist import TABLE

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"
HEAD = """# Audit

Every public layer, model, loss, regularizer, optimizer, schedule and callback, checked by `minidl.testing`. This page
is written by `make audit`; nothing in it is typed by hand. Cases are drawn by hypothesis {hypothesis}, the same ones
every time (derandomized, which is its seed), with numpy {numpy}. Errors are relative, the worst of all cases. float64:
backward against differences of the forward pass, whose own error is about 1e-10 for values near 1, and grows with the
inputs, which reach 120, and where gradients vanish; for an optimizer or schedule, against its reference. float32: all
results against those of float64. A dash: nothing to compare. Every line is checked in both forms of the kernels, in
NumPy and compiled ({compiler}).

| checked | kind | cases | properties | float64 | float32 | compiled, float64 | compiled, float32 |
|---|---|--:|--:|--:|--:|--:|--:|
"""
FORMS = ("numpy", "compiled")


def softmax_regression(d: int = 10, n: int = 3, classes: int = 10, seed: int = 0) -> tuple[float, float]:
    """The relative errors of dW and db of softmax regression against complex-step derivatives."""
    rng = np.random.default_rng(seed)
    x, labels = rng.standard_normal((n, d)), rng.integers(0, classes, n)
    layer, loss = Linear(d, classes).build(seed=seed, dtype=np.float64), SoftmaxCrossEntropy()
    loss.forward(layer.forward(x), labels)
    layer.backward(loss.backward())
    W, b = layer.weight, layer.bias

    def cost(weight: np.ndarray, bias: np.ndarray) -> complex:
        scores = x @ weight + bias
        scores = scores - scores.real.max(axis=1, keepdims=True)
        return complex((np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(n), labels]).mean())

    errors = (
        relative_error(W.grad, complex_step(lambda weight: cost(weight, b.value), W.value)),
        relative_error(b.grad, complex_step(lambda bias: cost(W.value, bias), b.value)),
    )
    return errors


def in_digits(report: Report, dtype: str) -> str:
    """The worst error among numbers of a dtype as a table shows it."""
    errors = [r.worst_error for r in report if r.worst_error is not None and r.dtype == dtype]
    return f"{max(errors):.1e}" if errors else "-"


def checked(place: int, form: str, examples: int) -> list[str]:
    """Check a line of the table in one form: cases, properties, and the worst errors."""
    line = TABLE[place]
    with kernels.using(form):
        check = getattr(minidl.testing, f"check_{line.kind}")
        report: Report = check(line.thing, max_examples=examples, **line.options)
        if kernels.form() != form:
            raise RuntimeError(f"expected {line.name} to be checked with form={form!r}, received {kernels.reason()}")
    return [str(report.cases), str(len(report)), in_digits(report, "float64"), in_digits(report, "float32")]


def rows(examples: int) -> Iterator[str]:
    """The lines of the table, in two processes."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        each = [[pool.submit(checked, place, form, examples) for form in FORMS] for place in range(len(TABLE))]
        for line, (plain, compiled) in zip(TABLE, each, strict=True):
            yield f"| {' | '.join([line.name, line.kind, *plain.result(), *compiled.result()[2:]])} |"


def main() -> None:
    """Write the page, or print it with `--out -`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=300, help="cases for each line (default: %(default)s)")
    parser.add_argument("--out", default=str(PAGE), help="the file to write, or - to print (default: docs/audit.md)")
    options = parser.parse_args()
    began = time.perf_counter()
    with kernels.using("compiled"):
        compiler = kernels.reason()
    page = HEAD.format(hypothesis=hypothesis.__version__, numpy=np.__version__, compiler=compiler)
    for row in rows(options.examples):
        print(row, file=sys.stderr)
        page += row + "\n"
    weight, bias = softmax_regression()
    page += (
        "\nSoftmax regression (10 inputs, 10 classes, 3 rows, seed 0) against complex-step derivatives: relative error "
        f"max |a - n| / (|a| + |n|) of the weights {weight:.1e}, of the bias {bias:.1e}.\n"
    )
    if options.out == "-":
        print(page)
    else:
        Path(options.out).write_text(page, encoding="utf-8")
        print(f"wrote {options.out} in {time.perf_counter() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
