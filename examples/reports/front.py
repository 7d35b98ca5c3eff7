"""What stands before the numbers of a page: which report it is, what its columns mean, and which data was used."""

from images import files_of

from minidl.data import cifar10

SOLUTIONS = "Student reports on this assignment can be found in public repositories of solutions of the course"
REPORTS = {
    "logistic_and_softmax_mnist": (
        "Logistic and softmax regression on MNIST",
        f'TDT4265 Computer Vision and Deep Learning, NTNU (no year given), "Assignment 1". {SOLUTIONS}.',
    ),
    "hinge_linear_cifar10": (
        "A linear classifier with hinge loss on CIFAR-10",
        "CS587 Neural Networks and Learning of Hierarchical Representations, University of Crete, spring semester "
        f'2024, "Assignment 1", 19 March 2024. {SOLUTIONS}.',
    ),
    "softmax_cifar10": (
        "Softmax regression on CIFAR-10",
        f'DD2424 Deep Learning in Data Science, KTH, "DD2424 - Assignment 1", 4 April 2025. {SOLUTIONS}, this one also '
        "in a later version of 22 April 2025.",
    ),
    "softmax_vs_bce_cifar10": (
        "Softmax, more data, and binary cross-entropies on CIFAR-10",
        'DD2424 Deep Learning, KTH Royal Institute of Technology, "Assignment 1 - CIFAR-10 Classification", 4 April '
        f"2025. {SOLUTIONS}.",
    ),
    "sigmoid_mlp_cifar10": (
        "A sigmoid MLP on CIFAR-10",
        f'Deep learning course, FRI, University of Ljubljana (no year given), "Deep learning homework 1". {SOLUTIONS}.',
    ),
}
COLUMNS = """Measured is the mean ± the sample standard deviation over as many seeds as stand in brackets; without
brackets it is one run, or one number made of several. Deviations counts the standard deviations that the measured mean
lies above the reported number (below with a minus), "-" where it is one run or no number was reported. A reported
number with brackets does not stand in the text of the report: the brackets say where it does. The interval is where the
means of a correct implementation should lie, from an independent program in plain NumPy and a margin for other seeds
and files; a single seed scatters more. It was fixed before this implementation was first run, but for those of which a
section says that they were set or narrowed later, since a wider one would have caught no mistake: these hold later
versions against the first.
`tests/reference/independent.py` is such a program, in one short file: a test holds this library against it, to the last
printed digit on MNIST and to rounding on CIFAR-10. "Inside" holds the measured mean against the interval; it says
nothing about the reported number. "Because" names what explains a distance. No number was tuned to match. Where a
report is silent, or its numbers were not reproduced, its section says so."""
NOTES = {
    "published": "",
    "recompressed": (
        "This CIFAR-10 is not that of the published files: its images are in another order, so each cut takes others, "
        "and they were recompressed as JPEG. With these files, ten seeds of a linear softmax classifier on 10 000 "
        "images lie about .7 points below the reported training accuracies and about .4 above the reported validation "
        "accuracies."
    ),
    "unknown": (
        "This CIFAR-10 is neither that of the published files nor that of the published page: its images are others or "
        "in another order, so each cut takes others."
    ),
}


def files(name: str) -> str:
    """Which CIFAR-10 a report is run with; "" for one that is not about it."""
    return files_of(cifar10()[0]) if name.endswith("cifar10") else ""


def has_other_files(name: str) -> bool:
    """Whether a report is about CIFAR-10 and the files here are not the published ones."""
    return files(name) not in ("", "published")


def note_on_data(name: str) -> str:
    """What is to be said of the files; "" where there is nothing."""
    return NOTES.get(files(name), "")


def front(name: str, description: str) -> str:
    """Title, report, protocol, meaning of the columns, and a note on the data where there is something to say."""
    title, report = REPORTS[name]
    note = note_on_data(name)
    return "\n\n".join([f"# {title}", f"The report: {report}", description.strip(), COLUMNS, *([note] if note else [])])


def is_usual_data(name: str) -> bool:
    """Whether the data is that of the published page: MNIST, and CIFAR-10 in the other order."""
    return files(name) in ("", "recompressed")
