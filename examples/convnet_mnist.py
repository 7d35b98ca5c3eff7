"""A convolutional network on MNIST: 99 of 100 handwritten digits come out right, after about a minute.

Two blocks of convolution, pooling, normalization and ReLU, as in the larger `convnet_cifar10.py`.
The data are read from --data, from the folder MINIDL_DATA, or from the cache; if they are nowhere, they are downloaded.
"""

from time import perf_counter, process_time

import numpy as np
from options import parse, table

from minidl import (
    AdamW,
    BatchNorm,
    Conv2D,
    Flatten,
    Linear,
    MaxPool2D,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
    accuracy,
    plots,
)
from minidl.data import mnist, steps_per_epoch
from minidl.optim import OneCycle

BATCH = 128

options = parse(__doc__, data=True)
epochs = 1 if options.quick else 5

everything, raw_test = (part.as_images() for part in mnist(options.data))
if options.quick:
    everything, raw_test = everything[:600], raw_test[:300]
train, validation = everything.split(0.95, 0.05, seed=options.seed)
train, validation, test = (part.map(lambda x: x / np.float32(255)) for part in (train, validation, raw_test))

model = Sequential(
    Conv2D(1, 16, 5, padding="same", bias=False),
    MaxPool2D(2),
    BatchNorm(16),
    ReLU(),
    Conv2D(16, 32, 3, padding="same", bias=False),
    MaxPool2D(2),
    BatchNorm(32),
    ReLU(),
    Flatten(),
    Linear(32 * 7 * 7, 10),
).build(seed=options.seed, input_shape=(1, 28, 28))
print(model, end="\n\n")

rate = OneCycle(1e-2, epochs * steps_per_epoch(len(train), BATCH))
trainer = Trainer(model, SoftmaxCrossEntropy(), AdamW(rate), metrics=[accuracy])
wall, cpu = perf_counter(), process_time()
history = trainer.fit(train, validation, epochs=epochs, batch_size=BATCH, seed=options.seed)
wall, cpu = perf_counter() - wall, process_time() - cpu

scores = model.predict(test.x)
print()
print(
    table(
        {
            "validation accuracy": trainer.evaluate(validation)["accuracy"],
            "test loss": trainer.loss.forward(scores, test.targets),
            "test accuracy": accuracy(scores, test.targets),
            "seconds of training": f"{wall:.0f}, and {cpu:.0f} of the processor",
        }
    )
)

filters = model[0].weight.value  # (height, width, 1, filters)
height, width, _, count = filters.shape
figures = {
    "curves": plots.learning_curves(history),
    "filters": plots.weight_images(filters.reshape(-1, count), (height, width), columns=8),
    "worst": plots.worst_images(raw_test, trainer.loss.probabilities(scores)),
}
history.to_json(options.out / "convnet_mnist.json")
for name, figure in figures.items():
    figure.savefig(options.out / f"convnet_mnist_{name}.png", dpi=150)
print(f"\nhistory and figures in {options.out}: convnet_mnist*")
