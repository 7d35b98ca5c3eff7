"""Softmax regression on MNIST: one linear layer, SGD, early stopping on a part of the training set.

The data are read from --data, from the folder MINIDL_DATA, or from the cache; if they are nowhere, they are downloaded.
"""

import numpy as np
from options import parse, table

from minidl import SGD, EarlyStopping, Linear, Sequential, SoftmaxCrossEntropy, Trainer, accuracy, plots
from minidl.data import mnist

options = parse(__doc__, data=True)

everything, test = mnist(options.data)
if options.quick:
    everything, test = everything.take(slice(0, 1_000)), test.take(slice(0, 500))
train, validation = everything.split(0.9, 0.1, seed=options.seed)
train, validation, test = (part.map(lambda x: x / np.float32(255)) for part in (train, validation, test))

model = Sequential(Linear(784, 10)).build(seed=options.seed)
trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.2), metrics=[accuracy], callbacks=[EarlyStopping(patience=5)])
history = trainer.fit(train, validation, epochs=1 if options.quick else 40, batch_size=128, seed=options.seed)
measured = trainer.evaluate(test)

print()
print(
    table(
        {
            "validation accuracy": trainer.evaluate(validation)["accuracy"],
            "test loss": measured["loss"],
            "test accuracy": measured["accuracy"],
        }
    )
)

history.to_json(options.out / "mnist_softmax.json")
plots.learning_curves(history).savefig(options.out / "mnist_softmax_curves.png", dpi=150)
templates = plots.weight_images(model[0].weight.value, test.image_shape, titles=[str(digit) for digit in range(10)])
templates.savefig(options.out / "mnist_softmax_weights.png", dpi=150)
print(f"\nhistory and figures in {options.out}: mnist_softmax*")
