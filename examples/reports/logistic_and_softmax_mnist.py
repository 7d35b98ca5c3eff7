"""Logistic and softmax regression on MNIST with early stopping and weight decay (a TDT4265 report, NTNU).

The first 20 000 training images; all 10 000 test images serve as the validation set. Pixels from -1 to 1, weights
from 0, float64, batches of 128 without the last short one; plain SGD, with learning rate 0.05 for 2 against 3 (1 550
steps without early stopping) and 0.01 for ten classes. Validation every 20 % of an epoch, counted in steps over the
whole run from 0; with early stopping, up to 500 epochs and a patience of 10 validations, and the last weights are
reported. The penalty is lambda sum w^2 over all weights, biases too, and no loss that is shown contains it. What the
text of the report does not say (images, pixels, weights, rates, batches) is that of the program behind it.

In file order nothing here is random, so the numbers come out to the last digit. Shuffled runs take their order from
numpy's legacy generator, as the report does: with seed 0 they are its runs too.

Two questions that the report leaves open are answered after it: ten classes for 300 epochs without early stopping, and
L2 on a network with a hidden layer.
"""

from argparse import Namespace

from mnist_decay import hidden_layer, weight_decay
from mnist_logistic import effect_of_shuffling, two_against_three
from mnist_runs import runs, train, train_hidden, train_strengths
from mnist_ten_classes import longer, ten_classes
from report import Page, main

from minidl.data import mnist
from minidl.experiments import Results


def write_up(results: Results, page: Page, options: Namespace) -> None:
    """Tables and figures."""
    single = results.of(train)
    in_file_order, shuffled = single.where(order="file"), single.where(order="shuffled", task="logistic")
    two_against_three(in_file_order.where(patience=0), in_file_order.where(patience=10), page)
    effect_of_shuffling(in_file_order, shuffled, page)
    ten_classes(single.where(task="softmax", patience=10), page)
    longer(single.where(task="softmax", patience=0), page)
    weight_decay(results.of(train_strengths), page)
    hidden_layer(results.of(train_hidden), page)
    page.say(
        "**For readers who compare.** The validation set of the report is the test set. Its early stopping keeps the "
        "last weights, where the text of the assignment asks for the best. Its derivations (equations 11, 35 and 51) "
        "are the gradients that these runs step along. Six intervals had one end or none when this was first run "
        "and got it later: the validation accuracy and the spread of shuffled runs, training minus validation "
        "accuracy at the steps 1000 and 4000 and at the end, and the roughness. All others stood before."
    )


if __name__ == "__main__":
    main("logistic_and_softmax_mnist", __doc__, runs, write_up, mnist)
