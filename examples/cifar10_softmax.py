"""Softmax regression on CIFAR-10 as a course sets it: 10 000 standardized training images, plain SGD, 40 epochs.

Batch 100, eta 0.001, no regularization. About 0.45 of the training and 0.39 of the test images come out right.
The data are read from --data, from the folder MINIDL_DATA, or from the cache; if they are nowhere, they are downloaded.
"""

from options import parse, table

from minidl import SGD, Linear, Sequential, SoftmaxCrossEntropy, Trainer, accuracy, plots
from minidl.data import cifar10, standardize
from minidl.initializers import normal

options = parse(__doc__, data=True)

everything, test = cifar10(options.data)
rows = 500 if options.quick else 10_000
images = everything.take(slice(0, rows))
train, validation, test = standardize(images, everything.take(slice(rows, 2 * rows)), test.take(slice(0, rows)))

model = Sequential(Linear(3072, 10, weight_init=normal(0.01))).build(seed=options.seed)
trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.001), metrics=[accuracy])
history = trainer.fit(
    train,
    validation,
    epochs=1 if options.quick else 40,
    batch_size=100,
    seed=options.seed,
    restore_best=False,  # the course reports the weights of the last epoch
)

print()
print(
    table(
        {
            "training accuracy": trainer.evaluate(train)["accuracy"],
            "validation accuracy": trainer.evaluate(validation)["accuracy"],
            "test accuracy": trainer.evaluate(test)["accuracy"],
        }
    )
)

history.to_json(options.out / "cifar10_softmax.json")
plots.learning_curves(history).savefig(options.out / "cifar10_softmax_curves.png", dpi=150)
plots.sample_images(images).savefig(options.out / "cifar10_samples.png", dpi=150)
templates = plots.weight_images(model[0].weight.value, images.image_shape, titles=images.classes)
templates.savefig(options.out / "cifar10_softmax_weights.png", dpi=150)
print(f"\nhistory and figures in {options.out}: cifar10_softmax*, cifar10_samples.png")
