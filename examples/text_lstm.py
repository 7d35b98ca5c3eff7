"""An LSTM reads the licence of Python, character by character, and then writes on in its manner.

The text is the one that lies beside the standard library of the Python that runs this; nothing is downloaded. It
differs a little from version to version, and so do the results. Takes about half a minute.
"""

import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from options import parse, table

from minidl import (
    LSTM,
    Adam,
    ClipNorm,
    EarlyStopping,
    Embedding,
    Linear,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
    accuracy,
    plots,
)
from minidl.data import Dataset

TIME = 64  # characters that are read in one piece
WIDTH = 128


def licence() -> str:
    """The licence as it is installed; where a distribution left it out, help texts of the standard library."""
    library = Path(os.__file__).parent
    for folder in (library, library.parent, Path(sys.base_prefix)):
        for name in ("LICENSE.txt", "LICENSE"):
            if (folder / name).is_file():
                text = (folder / name).read_text(encoding="utf-8", errors="replace")
                if len(text) > 5_000:  # the licence, not a line that says where it is
                    return text
    from pydoc_data.topics import topics

    return "\n\n".join(topics.values())[:14_000]


def pieces(codes: NDArray[np.int64], stride: int) -> Dataset:
    """The pieces of TIME characters that begin at multiples of `stride`; targets are the characters one place on."""
    starts = range(0, len(codes) - TIME, stride)
    return Dataset(
        np.stack([codes[start : start + TIME] for start in starts]),
        np.stack([codes[start + 1 : start + 1 + TIME] for start in starts]),
    )


def written(start: str, length: int, temperature: float, rng: np.random.Generator) -> str:
    """`start` and what the model makes of it; below a temperature of 1 it prefers what is likely."""
    codes = [code_of[character] for character in start]
    for _ in range(length):
        scores = model.predict(np.array([codes[-TIME:]]))[:, -1]  # those of what comes after the last character
        probabilities = loss.probabilities(scores / np.float32(temperature))[0].astype(np.float64)
        codes.append(int(rng.choice(len(characters), p=probabilities / probabilities.sum())))
    return "".join(characters[code] for code in codes)


options = parse(__doc__)

text = licence()
characters = sorted(set(text))
code_of = {character: code for code, character in enumerate(characters)}
codes = np.array([code_of[character] for character in text])
first, second = int(0.8 * len(codes)), int(0.9 * len(codes))  # the model is judged on text it has not seen
train, validation, test = (pieces(part, 8) for part in (codes[:first], codes[first:second], codes[second:]))
if options.quick:
    train, validation, test = train.take(slice(0, 64)), validation.take(slice(0, 16)), test.take(slice(0, 16))
print(f"{len(text)} characters, {len(characters)} different ones, in {len(train)} pieces to learn from\n")

model = Sequential(Embedding(len(characters), 32), LSTM(32, WIDTH), Linear(WIDTH, len(characters)))
model.build(seed=options.seed, input_shape=(TIME,))
print(model, end="\n\n")
loss = SoftmaxCrossEntropy()
trainer = Trainer(
    model, loss, Adam(5e-3, clip=ClipNorm(1.0)), metrics=[accuracy], callbacks=[EarlyStopping(patience=4)]
)
history = trainer.fit(train, validation, epochs=1 if options.quick else 40, batch_size=32, seed=options.seed)
measured = trainer.evaluate(test)

rng = np.random.default_rng(options.seed)
samples = {
    temperature: written(text.strip()[:20], 30 if options.quick else 300, temperature, rng)
    for temperature in (0.3, 0.7, 1.0)
}
for temperature, sample in samples.items():
    print(f"\nwritten at temperature {temperature}:\n\n{sample}")

print()
print(
    table(
        {
            "test loss": measured["loss"],
            "bits per character": measured["loss"] / float(np.log(2)),
            "test accuracy": measured["accuracy"],
        }
    )
)
plots.learning_curves(history).savefig(options.out / "text_lstm_curves.png", dpi=150)
print(f"\nfigure in {options.out}: text_lstm_curves.png")
