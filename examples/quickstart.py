"""A sigmoid network learns to read handwritten digits, stops early, and draws what it learned.

The data (1 797 images of 8 x 8 pixels) come with minidl; nothing is downloaded. Takes a few seconds.
"""

from options import parse, table

from minidl import (
    L2,
    Adam,
    EarlyStopping,
    Linear,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    Trainer,
    accuracy,
    confusion_matrix,
    plots,
)
from minidl.data import digits, standardize

options = parse(__doc__)

images = digits()
raw_parts = images.split(0.7, 0.15, 0.15, seed=options.seed)
train, validation, test = standardize(*raw_parts)

model = Sequential(Linear(64, 100), Sigmoid(), Linear(100, 10)).build(seed=options.seed)
print(model, end="\n\n")

trainer = Trainer(
    model,
    SoftmaxCrossEntropy(),
    Adam(lr=5e-3),
    regularizers=[L2(1e-4)],
    metrics=[accuracy],
    callbacks=[EarlyStopping(patience=10)],
)
sets = {"validation": validation, "training": train}  # the second for a curve of the training accuracy
history = trainer.fit(train, sets, epochs=2 if options.quick else 200, batch_size=32, seed=options.seed)
measured = trainer.evaluate(test)
scores = model.predict(test.x)

print()
print(
    table(
        {
            "best weights of step": history.best_step,
            "test loss": measured["loss"],
            "test accuracy": measured["accuracy"],
        }
    )
)

figures = {
    "digits_samples.png": plots.sample_images(images),
    "digits_curves.png": plots.learning_curves(history),
    "digits_accuracy.png": plots.learning_curves(history, ["training_accuracy", "validation_accuracy"]),
    "digits_weights.png": plots.weight_images(model[0].weight.value[:, :20], images.image_shape),
    "digits_confusion.png": plots.confusion_heatmap(confusion_matrix(scores, test.targets)),
    "digits_worst.png": plots.worst_images(raw_parts[2], trainer.loss.probabilities(scores)),
}
for name, figure in figures.items():
    figure.savefig(options.out / name, dpi=150)
print(f"\nfigures in {options.out}: digits_*.png")
