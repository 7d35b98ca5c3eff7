"""A linear classifier with hinge loss on CIFAR-10 (a CS587 report, University of Crete, spring 2024).

49 000 training images, the last 1 000 for validation, the first 1 000 test images; pixels from 0 to 255 minus the
mean image; W from N(0, 0.001^2). Batches are drawn with replacement, as many as go into six epochs; plain SGD. The
cost of training batches (the loss with the penalty) and the validation loss, without it, every 100 iterations. A
single run, then a search over eight settings. What the report leaves to be filled in (images, initial weights,
replacement) is that of the assignment.

The formula of the report is the hinge of Crammer and Singer (the largest violation of the margin). Two things are set
beside it: its weights averaged over the last third of the run, and the sum of all violations (Weston and Watkins).
Then the best setting with other batches, and single run and best setting from small initial weights.
"""

from argparse import Namespace

from hinge_batches import batch_sizes
from hinge_curves import best_curves, single_run
from hinge_gradient import gradient_section
from hinge_runs import LOSSES, USUAL, VARIANTS, runs, train
from hinge_search import best_setting, search
from hinge_templates import templates
from report import Page, main

from minidl import plots
from minidl.data import cifar10
from minidl.experiments import Results


def write_up(results: Results, page: Page, options: Namespace) -> None:
    """Tables and figures."""
    own = results.of(train)
    images, _ = cifar10()
    caption = "The first eight training images of each class, as in figure 1 of the report."
    page.figure("samples", plots.sample_images(images, per_class=8), caption)
    variants = {label: own.where(**variant, **USUAL) for label, variant in VARIANTS.items()}
    last = {loss: own.where(loss=loss, averaged=False) for loss in LOSSES}
    gradient_section(last, page)
    single_run(variants, last, page)
    best_setting(variants, page)
    search(variants, page)
    batch_sizes(last, page)
    best_curves(variants, last, page)
    templates(variants, last, page)


if __name__ == "__main__":
    main("hinge_linear_cifar10", __doc__, runs, write_up, cifar10)
