"""Softmax regression on CIFAR-10: learning rate and weight decay (a DD2424 report, KTH, 2025).

10 000 training, 10 000 validation and 10 000 test images, standardized per pixel with the training set's mean and
deviation; W from N(0, 0.01^2), b = 0; batches of 100 in a new order every epoch, 40 epochs of plain SGD; the cost is
the mean cross-entropy + lambda sum W^2. Four settings of (eta, lambda), and one with a learning rate far too small.
"""

from argparse import Namespace

from report import Page, main
from softmax_accuracies import accuracy_sections, artefact_section, differences_section
from softmax_claims import claims_section
from softmax_figures import curves_caption, curves_figure, weights_figure
from softmax_gradients import gradient_section
from softmax_runs import SLOW, by_case, runs, train

from minidl.data import cifar10
from minidl.experiments import Results


def write_up(results: Results, page: Page, options: Namespace) -> None:
    """Tables and figures."""
    own = results.of(train).where(head="softmax")
    honest, slow = by_case(own.where(fitted_on="training")), own.where(**SLOW)
    accuracy_sections(honest, page)
    differences_section(honest, page)
    artefact_section(honest, by_case(own.where(fitted_on="test")), page)
    claims_section(honest, slow, page)
    page.section("Figures")
    runs_of_each = min(map(len, honest.values()))
    for kind in ("loss", "cost"):
        caption = curves_caption(f"The {kind} after every epoch", runs_of_each)
        page.figure(f"{kind}_curves", curves_figure(honest, kind), caption)
    page.figure(
        "weights",
        weights_figure(honest),
        "The template of each class after the last epoch, first seed, each with its own scale.",
    )
    gradient_section(page)
    page.say(
        "**For readers who compare.** Figure 8 of the report shows lambda 1 (its caption says 0.1); figure 7 shows 40 "
        "epochs (its caption says n_batch); its text calls the rows of its W columns. In the program "
        "behind it the curves called validation are those of classifiers fitted to the validation set."
    )


if __name__ == "__main__":
    main("softmax_cifar10", __doc__, runs, write_up, cifar10)
