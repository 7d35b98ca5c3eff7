"""A layer of your own: the layer, its one-line check, and its use in a model.

Swish with a trainable slope, y = x sigmoid(beta x) (Ramachandran et al., 2017).
"""

import numpy as np
from numpy.typing import NDArray
from options import parse, table

from minidl import Adam, Elementwise, Linear, Parameter, Sequential, SoftmaxCrossEntropy, Trainer, accuracy
from minidl.data import digits, standardize
from minidl.initializers import ones
from minidl.layers.activations import sigmoid
from minidl.testing import LayerCheckError, check_layer, layer_test

Floats = NDArray[np.floating]


class Swish(Elementwise):
    """y = x s with s = sigmoid(beta x), one slope beta per feature: (n, features) -> (n, features)."""

    def __init__(self, features: int) -> None:
        self.beta = Parameter((features,), ones, decay=False)

    def forward(self, x: Floats) -> Floats:
        self.x, self.s = x, sigmoid(self.beta.value * x)
        return x * self.s

    def backward(self, dy: Floats) -> Floats:  # ds/dz = s (1 - s), z = beta x: dbeta = sum_n x^2 s (1 - s) dy
        slope = self.s * (1 - self.s)
        self.beta.grad = np.sum(self.x**2 * slope * dy, axis=0)
        return (self.s + self.beta.value * self.x * slope) * dy


test_swish = layer_test(Swish, shape=("n", "features"))  # in a test file, this line is its whole test


class ForgetfulSwish(Swish):
    """The same with a mistake that training would hardly show: the product rule is cut short."""

    def backward(self, dy: Floats) -> Floats:
        super().backward(dy)
        return self.s * dy


if __name__ == "__main__":
    options = parse(__doc__)

    report = check_layer(Swish, shape=("n", "features"), max_examples=10 if options.quick else 100)
    print(f"Swish: every property held in {report.cases} cases\n")
    try:
        check_layer(ForgetfulSwish, shape=("n", "features"))
    except LayerCheckError as error:
        print(f"{error}\n")

    train, test = standardize(*digits().split(0.8, 0.2, seed=options.seed))
    model = Sequential(Linear(64, 32), Swish(32), Linear(32, 10)).build(seed=options.seed)
    print(model, end="\n\n")
    trainer = Trainer(model, SoftmaxCrossEntropy(), Adam(lr=5e-3), metrics=[accuracy])
    trainer.fit(train, epochs=1 if options.quick else 20, batch_size=32, seed=options.seed)
    beta = model[1].beta.value
    print()
    print(
        table({"test accuracy": trainer.evaluate(test)["accuracy"], "slopes": f"{beta.min():.2f} to {beta.max():.2f}"})
    )
