"""Softmax, more data, and ten binary classifiers instead, on CIFAR-10 (another DD2424 report, KTH, 2025).

A single linear layer, 3072 to 10, W from N(0, 0.01^2), b = 0, and plain SGD for 40 epochs in a new order each; the
cost is the mean cross-entropy + lambda sum W^2; the largest score is the predicted class. Pixels are standardized each
with the mean and deviation of the training set. Table 1: 10 000 training, 10 000 validation and 10 000 test images,
batches of 100 (the protocol of softmax_cifar10.py, whose runs it shares).

Then all the data: 49 000 training and 1 000 validation images, each image of a batch mirrored with probability 1/2, and
a grid over eta, batch size and lambda, 40 epochs each, chosen on validation accuracy. Then K = 10 independent binary
cross-entropies (their mean, so with a factor 1/K) instead of the softmax, on the 10 000 images again, also at ten times
the rate; a section shows what a threshold of one half says. The sizes of the parts, the initial weights and the order
are not in the report: they are those of the assignment.
"""

from argparse import Namespace

from bce_grid import grid_section, improved_section, techniques_section, transformations
from bce_heads import heads_section
from bce_labels import threshold_section
from bce_probabilities import histogram_section
from bce_runs import HEADS, SAME, VIEWS, WINNER, runs, train, train_batches, train_heads, train_transformed
from bce_table_1 import table_1
from report import Page, main
from softmax_runs import by_case
from softmax_runs import train as train_small

from minidl import plots
from minidl.data import cifar10
from minidl.experiments import Results


def write_up(results: Results, page: Page, options: Namespace) -> None:
    """Tables and figures."""
    small, large = results.of(train_small).where(fitted_on="training"), results.of(train)
    images, _ = cifar10()
    page.figure("samples", plots.sample_images(images, per_class=8), "The first eight training images of each class.")
    four = by_case(small.where(head="softmax"))
    table_1(four, page)
    searched = large.where(flips=True, seed=options.seed)
    start = four["eta 0.001, lambda 0"]
    grid_section(searched, page)
    improved_section(searched, large.where(**WINNER, flips=True), start, page)
    techniques_section(
        searched, start, large.where(**SAME, flips=False), transformations(large, results.of(train_transformed)), page
    )
    named = {label: small.where(**head) for label, head in HEADS.items()}
    views = {label: results.of(train_heads).where(**setting) for label, setting in VIEWS.items()}
    heads_section(named, views, four["eta 0.001, lambda 0.1"], results.of(train_batches), page)
    histogram_section(named, views, page)
    threshold_section(views, page)


if __name__ == "__main__":
    main("softmax_vs_bce_cifar10", __doc__, runs, write_up, cifar10)
