"""A small transformer learns to sort ten digits: at each place of the output stands what belongs there.

Every place looks at all others in two layers of attention. "Whole sequences right" counts those in which all ten digits
stand where they belong. Nothing is downloaded. Takes about ten seconds.
"""

import numpy as np
from matplotlib.axes import Axes
from options import parse, table

from minidl import (
    Adam,
    ClipNorm,
    Embedding,
    Layer,
    LayerNorm,
    Linear,
    PositionalEncoding,
    ReLU,
    Residual,
    SelfAttention,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
    accuracy,
    plots,
)
from minidl.data import Dataset
from minidl.optim import CosineDecay, Joined, LinearWarmup
from minidl.parameters import Array

LENGTH, WIDTH, HEADS = 10, 32, 4


def digits_to_sort(n: int, rng: np.random.Generator) -> Dataset:
    """n sequences of digits, and the same sorted."""
    x = rng.integers(0, 10, (n, LENGTH))
    return Dataset(x, np.sort(x, axis=1))


def block() -> tuple[Layer, Layer]:
    """What a transformer repeats: attention, then a network that sees each place by itself; x goes around both."""
    return (
        Residual(LayerNorm(WIDTH), SelfAttention(WIDTH, HEADS)),
        Residual(LayerNorm(WIDTH), Linear(WIDTH, 2 * WIDTH), ReLU(), Linear(2 * WIDTH, WIDTH)),
    )


def whole_sequences(scores: Array, targets: Array) -> float:
    """The share of sequences in which every digit is right."""
    return float((scores.argmax(axis=2) == targets).all(axis=1).mean())


options = parse(__doc__)

n, epochs, batch_size = (640, 1, 64) if options.quick else (20_000, 5, 64)
rng = np.random.default_rng(options.seed)
train, validation, test = (digits_to_sort(size, rng) for size in (n, 1_000, 5_000))

model = Sequential(
    Embedding(10, WIDTH), PositionalEncoding(WIDTH), *block(), *block(), LayerNorm(WIDTH), Linear(WIDTH, 10)
)
model.build(seed=options.seed, input_shape=(LENGTH,))
print(model, end="\n\n")

steps, warmup = epochs * (n // batch_size), 100
rate = Joined([LinearWarmup(3e-3, warmup), CosineDecay(3e-3, max(1, steps - warmup))], boundaries=[warmup])
trainer = Trainer(model, SoftmaxCrossEntropy(), Adam(rate, clip=ClipNorm(1.0)), metrics=[accuracy, whole_sequences])
history = trainer.fit(train, validation, epochs=epochs, batch_size=batch_size, seed=options.seed)
measured = trainer.evaluate(test)

one = test.x[:1]
answer = model.forward(one)[0].argmax(axis=1)  # forward keeps what attention looked at, predict does not
print(f"\n{' '.join(map(str, one[0]))}  is sorted as  {' '.join(map(str, answer))}\n")
print(table({"test accuracy": measured["accuracy"], "whole sequences right": measured["whole_sequences"]}))

attention = model[4][1]  # of the second block, as it looked at that sequence
heads = {f"head {head + 1}": head for head in range(HEADS)}


def draw_head(head: int, ax: Axes) -> None:
    """What one head looked at, with a colour bar at the end of each row of panels."""
    plots.grid_heatmap(
        attention.weights[0, head],
        answer,
        one[0],
        xlabel="digit looked at",
        ylabel="digit of the output",
        label="attention weight" if head % 2 else "",
        between=(0, 1),
        ax=ax,
    )


figures = {
    "attention_sort_curves.png": plots.learning_curves(history, log=True),
    "attention_sort_heads.png": plots.small_multiples(heads, draw_head, height=2.6, share=True),
}
for name, figure in figures.items():
    figure.savefig(options.out / name, dpi=150)
print(f"\nfigures in {options.out}: {', '.join(figures)}")
