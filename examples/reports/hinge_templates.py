"""Figure 4 of the hinge report: its templates, why those of the maximum are noise, and what the report sees in them."""

import numpy as np
from hinge_curves import both, share
from hinge_runs import BEST, LOSSES, SMALL, USUAL
from report import Page, Row

from minidl import plots
from minidl.data import roughness
from minidl.data.cifar import CLASSES
from minidl.experiments import Results

IMAGE = (3, 32, 32)


def templates(variants: dict[str, Results], last: dict[str, Results], page: Page) -> None:
    """The templates, how large and how rough they are, and what is left of the initial weights in them."""
    page.section(
        "The templates of the best setting",
        "Roughness is the sum of squared Laplacians over the sum of squared deviations from the mean, of each channel "
        "of each template (noise has about 18), the mean of all. Sizes are standard deviations of weights, in 1e-6.",
    )
    small = {
        f"{loss}, small initial weights": group.where(**BEST, **USUAL | {"scale": SMALL})
        for loss, group in last.items()
    }
    groups = {label: group.where(**BEST) for label, group in variants.items()} | small
    left = USUAL["scale"] * (1 - 2 * BEST["lr"] * BEST["strength"]) ** groups["max, last weights"].mean("steps")
    size = {label: 1e6 * np.array([r.values["weight"].std() for r in group]) for label, group in groups.items()}
    rough = {
        label: np.array([roughness(r.values["weight"].T, IMAGE).mean() for r in group])
        for label, group in groups.items()
    }
    page.compare(
        [
            Row("what is left of the initial weights: size", "", 1e6 * left),
            *(Row(f"{label}: size", "", size[label]) for label in groups),
            *(Row(f"{label}: roughness", "", rough[label], form=".2f") for label in groups),
        ]
    )
    if not page.quick:
        what_is_left(1e6 * left, {loss: float(size[f"{loss}, small initial weights"].mean()) for loss in LOSSES}, page)
    for label, group in groups.items():
        if "averaged" in label:
            continue
        figure = plots.weight_images(group[0].values["weight"], IMAGE, titles=CLASSES, shared_scale=True)
        name = f"weights_{label.replace(',', '').replace(' ', '_')}"
        page.figure(name, figure, f"Templates of the best setting ({label}), first seed, one scale for all.")
    page.conclude(
        "The mean of the weights over the last third reaches further back, to iterations with more of the initial "
        "weights in them: its templates are not shown, for they are noise too, with the best accuracies of the three."
    )
    described(groups["sum, small initial weights"], page)


def what_is_left(initial: float, learned: dict[str, float], page: Page) -> None:
    """Whether templates are what is left of the initial weights or what is learned, in words."""
    page.say(
        f"The penalty shrinks the initial weights to {initial:.1f} in these iterations; what is learned has the "
        f"size {both(learned, '{:.1f}'.format)}. So the templates of the maximum "
        + ("are mostly what is left of the initial weights" if initial > learned["max"] else "are mostly learned")
        + ", those of the sum "
        + ("too" if (initial > learned["max"]) == (initial > learned["sum"]) else "mostly learned")
        + ". From small initial weights nothing is left of them."
    )


def described(group: Results, page: Page) -> None:
    """What the report sees in its templates, as shares of pixels; what is a hint and what dominates is fixed here."""
    mean = np.mean([r.values["weight"] for r in group], axis=0).T.reshape(-1, *IMAGE)
    of = {name: mean[place] for place, name in enumerate(CLASSES)}
    middle = np.zeros((32, 32), bool)
    middle[8:24, 8:24] = True
    page.section(
        "What the report sees in its templates",
        "Its own are in its figure only. These are numbers of the mean template over seeds, of the sum from small "
        "initial weights: for how many of the pixels the largest of the three weights is that of red, green or blue. "
        "A tone is more than a third of the pixels, which is what equal chances would give; what is strong or "
        "dominates is more than half, a hint, or a part of a mix, more than a tenth; colours are various where none "
        "has more than half. Brown is red before green before blue. The middle is 16 x 16 pixels.",
    )
    colours(of, middle, page)
    places(of, middle, page)
    shapes(of, page)


def tones(template: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, str]:
    """The shares of red, green and blue pixels, and the same in words."""
    shares = np.bincount(template.argmax(axis=0)[where], minlength=3) / where.sum()
    red, green, blue = map(share, shares)
    return shares, f"red {red}, green {green}, blue {blue}"


def colours(of: dict[str, np.ndarray], middle: np.ndarray, page: Page) -> None:
    """The sentences about colours."""
    everywhere, top = np.ones((32, 32), bool), np.zeros((32, 32), bool)
    top[:11] = True
    seen = (
        ("airplane", "Plane: bluish tones.", everywhere, "", 2, 1 / 3),
        ("automobile", "Car: a red tone.", everywhere, "", 0, 1 / 3),
        ("bird", "Bird: hints of sky.", everywhere, "", 2, 1 / 10),
        ("frog", "Frog: a strong green centre.", middle, "in the middle ", 1, 1 / 2),
        ("ship", "Ship: dominated by blues.", everywhere, "", 2, 1 / 2),
        ("truck", "Truck: some blue tones of the sky.", top, "in the upper third ", 2, 1 / 3),
    )
    for name, text, where, words, tone, least in seen:
        shares, told = tones(of[name], where)
        page.claim(text, bool(shares[tone] > least), f"{words}{told}")
    shares, told = tones(of["cat"], everywhere)
    page.claim("Cat: a mix of various colours.", bool(shares.max() < 1 / 2), told)
    shares, told = tones(of["deer"], everywhere)
    red, green, blue = of["deer"]
    brown = float(((red > green) & (green > blue)).mean())
    page.claim(
        "Deer: a mix of greens and browns.",
        bool(shares[1] > 1 / 10 and brown > 1 / 10),
        f"{told}; brown {share(brown)}",
    )


def places(of: dict[str, np.ndarray], middle: np.ndarray, page: Page) -> None:
    """The sentences about where the weights are large."""
    inner = {name: float(np.sqrt((w[:, middle] ** 2).mean() / (w[:, ~middle] ** 2).mean())) for name, w in of.items()}
    outer = [f"{name} ({ratio:.2f})" for name, ratio in inner.items() if ratio < 1]
    for name, text in (
        ("automobile", "Car: the weights highlight areas in the centre."),
        ("truck", "Truck: a focus possibly on the body of the truck."),
    ):
        words = f"in the middle the weights are {inner[name]:.2f} times as large as at the edge (root mean squares)"
        page.claim(text, inner[name] > 1, words)
    page.claim(
        "The weights show on which regions the classifier focuses, and where that is the background.",
        bool(outer),
        f"larger at the edge than in the middle: {', '.join(outer) or 'none'}",
    )
    energy = {name: (w**2).sum(axis=0) for name, w in of.items()}
    spread = {name: float(e.sum() ** 2 / (e.size * (e**2).sum())) for name, e in energy.items()}
    bird, others = spread.pop("bird"), list(spread.values())
    usual = sum(others) / len(others)
    page.claim(
        "Bird: more diffused.",
        bird > usual,
        f"its squares spread like equal ones over {share(bird)} of the pixels, those of the others over "
        f"{share(min(others))} to {share(max(others))}, {share(usual)} in the mean",
    )


def shapes(of: dict[str, np.ndarray], page: Page) -> None:
    """The sentences about shapes; most of them are out of reach of a number."""
    mirrored = {name: float(np.corrcoef(w.ravel(), w[:, :, ::-1].ravel())[0, 1]) for name, w in of.items()}
    horse, others = mirrored.pop("horse"), mirrored.values()
    page.claim(
        "Horse: a horse with two heads, from different angles.",
        horse > 0.5,
        f"the template correlates with its mirror image by {horse:.2f}; the others by {min(others):.2f} to "
        f"{max(others):.2f}{', so this is not special to horses' if max(others) > horse else ''}",
    )
    size = {name: 1e6 * float(w.std()) for name, w in of.items()}
    weakest, usual = min(size, key=lambda name: size[name]), float(np.mean(list(size.values())))
    page.claim(
        "Dog: a less clear pattern.",
        size["dog"] < usual,
        f"its weights have a deviation of {size['dog']:.1f} in 1e-6, all templates {usual:.1f} in the mean, "
        f"the weakest ({weakest}) {size[weakest]:.1f}",
    )
    beyond = "no number says what shape is seen"
    page.claim("Plane: a vague shape that could resemble an airplane from above. Cat: no clear shape.", None, beyond)
    page.claim(
        "The templates are abstract, not as clear as those of a better model such as a CNN, since the model is linear.",
        None,
        "the report has no other model to compare with",
    )
