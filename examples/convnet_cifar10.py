"""A convolutional network on CIFAR-10: about 0.8 of the photographs come out right, after some minutes on a CPU.

Three blocks of convolution, pooling, normalization and ReLU; images are mirrored and shifted at random while it trains,
and the rate rises and falls once. 10 epochs take about 8 minutes on one core.
The data are read from --data, from the folder MINIDL_DATA, or from the cache; if they are nowhere, they are downloaded.
"""

from time import perf_counter, process_time

from options import parse, table

from minidl import (
    AdamW,
    BatchNorm,
    Conv2D,
    Flatten,
    Layer,
    Linear,
    MaxPool2D,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
    accuracy,
    confusion_matrix,
    plots,
)
from minidl.data import RandomCrop, RandomFlip, cifar10, steps_per_epoch
from minidl.optim import OneCycle

BATCH = 128


def block(channels: int, filters: int, size: int) -> list[Layer]:
    """Images of half the height and width; pooling comes first, so that all behind it has a quarter of the work.

    The normalization has a bias, so that the convolution needs none.
    """
    return [
        Conv2D(channels, filters, size, padding="same", bias=False),
        MaxPool2D(2),
        BatchNorm(filters),
        ReLU(),
    ]


options = parse(__doc__, data=True)
epochs = 1 if options.quick else 10

everything, test = (part.as_images() for part in cifar10(options.data))
if options.quick:
    everything, test = everything[:600], test[:300]
train, validation = everything.split(0.95, 0.05, seed=options.seed)

model = Sequential(
    BatchNorm(3),  # bytes come in, and leave it with mean 0 and deviation 1
    *block(3, 32, 5),
    *block(32, 64, 3),
    *block(64, 128, 3),
    Flatten(),
    Linear(128 * 4 * 4, 10),
).build(seed=options.seed, input_shape=test.image_shape)
model.parameters.freeze("0.*")  # the first layer trains nothing, so that no gradient goes down to the images
print(model, end="\n\n")

flip, crop = RandomFlip(test.image_shape), RandomCrop(test.image_shape, padding=3)
rate = OneCycle(5e-3, epochs * steps_per_epoch(len(train), BATCH))
trainer = Trainer(model, SoftmaxCrossEntropy(), AdamW(rate), metrics=[accuracy])
wall, cpu = perf_counter(), process_time()
history = trainer.fit(
    train,
    validation,
    epochs=epochs,
    batch_size=BATCH,
    seed=options.seed,
    augment=lambda x, rng: crop(flip(x, rng), rng),
)
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

filters = model[1].weight.value  # (height, width, channels, filters)
height, width, channels, count = filters.shape
columns = filters.transpose(2, 0, 1, 3).reshape(-1, count)
figures = {
    "curves": plots.learning_curves(history),
    "accuracy": plots.learning_curves(history, ["validation_accuracy"]),
    "rate": plots.schedule_curve(rate, rate.steps),
    "filters": plots.weight_images(columns, (channels, height, width), columns=8),
    "worst": plots.worst_images(test, trainer.loss.probabilities(scores)),
    "confusion": plots.confusion_heatmap(confusion_matrix(scores, test.targets), classes=test.classes),
}
history.to_json(options.out / "convnet_cifar10.json")
for name, figure in figures.items():
    figure.savefig(options.out / f"convnet_cifar10_{name}.png", dpi=150)
print(f"\nhistory and figures in {options.out}: convnet_cifar10*")
