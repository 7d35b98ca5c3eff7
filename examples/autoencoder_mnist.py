"""An autoencoder on MNIST: digits are squeezed through two numbers, and drawn again from these.

Convolutions and poolings lead down to the code; a transposed convolution would be the mirrored way back, for which a
layer of this script enlarges the images, and plain convolutions draw. Images are the targets, too. 8 epochs take
about three minutes on one core.
The data are read from --data, from the folder MINIDL_DATA, or from the cache; if they are nowhere, they are downloaded.
"""

from collections.abc import Callable
from time import perf_counter, process_time

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from options import parse, table

from minidl import (
    AdamW,
    BatchNorm,
    Conv2D,
    Flatten,
    Layer,
    Linear,
    MaxPool2D,
    MeanSquaredError,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
    Tanh,
    Trainer,
    plots,
)
from minidl.data import Dataset, mnist, steps_per_epoch
from minidl.layers.shapes import SampleShape, fitting
from minidl.optim import OneCycle
from minidl.testing import layer_test

Floats = NDArray[np.floating]
BATCH = 128
GRID = 14  # drawn images in a row
SCATTER, DRAWN = "codes of the test images", "what is drawn from a code"


class Enlarge(Layer):
    """y[n, c, i, j] = x[n, c, i // factor, j // factor]: each pixel becomes a square of factor x factor pixels."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def output_shape(self, shape: SampleShape) -> SampleShape:
        channels, *sizes = fitting(self, shape, (None, None, None))
        return (channels, *[None if size is None else size * self.factor for size in sizes])

    def forward(self, x: Floats) -> Floats:
        n, channels, height, width = x.shape
        self.squares = (n, channels, height, self.factor, width, self.factor)
        return x.repeat(self.factor, axis=2).repeat(self.factor, axis=3)

    def backward(self, dy: Floats) -> Floats:  # dx = sum of dy over the square
        dx: Floats = dy.reshape(self.squares).sum(axis=(3, 5))
        return dx


test_enlarge = layer_test(Enlarge, shape=("n", "c", "h", "w"), factor=2)  # in a test file, this line is its whole test


def images_in_and_out(data: Dataset) -> Dataset:
    """Grey levels from 0 to 1, each image the target of itself."""
    x = data.as_images().x / np.float32(255)
    return Dataset(x, x, image_shape=data.image_shape)


def autoencoder() -> tuple[Sequential, Sequential]:
    """Encoder, images to two numbers, and decoder, two numbers to images."""
    encoder = Sequential(
        Conv2D(1, 16, 3, padding="same"),
        ReLU(),
        MaxPool2D(2),
        Conv2D(16, 32, 3, padding="same"),
        ReLU(),
        MaxPool2D(2),
        Flatten(),
        Linear(32 * 7 * 7, 128),
        ReLU(),
        Linear(128, 2),
        BatchNorm(2),  # without it the Tanh stands still here, and every image is drawn as the mean one
        Tanh(),  # codes fill a square, all of which can be looked at
    )
    decoder = Sequential(
        Linear(2, 128),
        ReLU(),
        Linear(128, 16 * 7 * 7),
        ReLU(),
        Reshape(16, 7, 7),
        Enlarge(2),
        Conv2D(16, 16, 3, padding="same"),
        ReLU(),
        Enlarge(2),
        Conv2D(16, 1, 3, padding="same"),
        Sigmoid(),
    )
    return encoder, decoder


def error_of_two_components(train: Floats, test: Floats) -> float:
    """The mean squared error of the best linear code of two numbers: principal components of the training images."""
    rows, others = train.reshape(len(train), -1), test.reshape(len(test), -1)
    mean = rows.mean(axis=0)
    centered = rows - mean
    _, directions = np.linalg.eigh(centered.T @ centered)  # the last two explain the most
    code = (others - mean) @ directions[:, -2:]
    return float(np.square(others - mean - code @ directions[:, -2:].T).mean())


def pairs(originals: Dataset, drawn: Floats) -> Figure:
    """For each digit two images as they are, above what was made of them."""
    rows = np.concatenate([np.flatnonzero(originals.targets == digit)[:2] for digit in range(10)])
    both = [images[some] for some in (rows[:10], rows[10:]) for images in (originals.x / 255, drawn)]
    columns = np.concatenate([images.reshape(len(images), -1) for images in both]).T
    return plots.weight_images(-columns, originals.image_shape, columns=10, shared_scale=False)


def code_of(digits: Dataset, code: Floats, decode: Callable[[Floats], Floats]) -> Figure:
    """Where the digits lie in the code, and what is drawn from all over it."""

    def draw(what: str, ax: Axes) -> None:
        if what == SCATTER:
            dots = ax.scatter(code[:, 0], code[:, 1], c=digits.targets, cmap="tab10", s=1, vmin=-0.5, vmax=9.5)
            bar = ax.figure.colorbar(dots, cax=ax.inset_axes((1.03, 0, 0.05, 1)), ticks=range(10), label="digit")
            bar.ax.tick_params(labelsize=8)
        else:
            middles = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID * 2 - 1
            points = np.stack(np.meshgrid(middles, middles[::-1]), axis=-1).reshape(-1, 2)
            cells = decode(points).reshape(GRID, GRID, *digits.image_shape)
            tiles = cells.transpose(0, 2, 1, 3).reshape(GRID * digits.image_shape[0], -1)
            ax.imshow(tiles, "gray_r", extent=(-1, 1, -1, 1))
        ax.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xlabel="first number", ylabel="second number")
        ax.set(xticks=(-1, -0.5, 0, 0.5, 1), yticks=(-1, -0.5, 0, 0.5, 1))
        ax.tick_params(labelsize=8)

    return plots.small_multiples({SCATTER: SCATTER, DRAWN: DRAWN}, draw, height=3.0)


if __name__ == "__main__":
    options = parse(__doc__, data=True)
    epochs = 1 if options.quick else 8

    everything, digits = mnist(options.data)
    if options.quick:
        everything, digits = everything[:600], digits[:300]
    train, validation = (images_in_and_out(part) for part in everything.split(0.95, 0.05, seed=options.seed))
    test = images_in_and_out(digits)

    encoder, decoder = autoencoder()
    model = Sequential(encoder, decoder).build(seed=options.seed, input_shape=(1, 28, 28))
    print(encoder, decoder, sep="\n\n", end="\n\n")

    rate = OneCycle(5e-3, epochs * steps_per_epoch(len(train), BATCH))
    trainer = Trainer(model, MeanSquaredError(), AdamW(rate))
    wall, cpu = perf_counter(), process_time()
    history = trainer.fit(train, validation, epochs=epochs, batch_size=BATCH, seed=options.seed)
    wall, cpu = perf_counter() - wall, process_time() - cpu

    code = encoder.predict(test.x)
    drawn = decoder.predict(code)
    print()
    print(
        table(
            {
                "test error": float(np.square(drawn - test.x).mean()),
                "of two principal components": error_of_two_components(train.x, test.x),
                "of the mean image": float(np.square(train.x.mean(axis=0) - test.x).mean()),
                "seconds of training": f"{wall:.0f}, and {cpu:.0f} of the processor",
            }
        )
    )

    figures = {
        "curves": plots.learning_curves(history),
        "pairs": pairs(digits, drawn),
        "code": code_of(digits, code, decoder.predict),
    }
    history.to_json(options.out / "autoencoder_mnist.json")
    for name, figure in figures.items():
        figure.savefig(options.out / f"autoencoder_mnist_{name}.png", dpi=150)
    print(f"\nhistory and figures in {options.out}: autoencoder_mnist*")
