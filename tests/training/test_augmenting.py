"""What `augment` may make of a batch: of its rows alone, or of rows and targets together."""

from functools import partial

import numpy as np
import pytest

from minidl import Dataset, Linear, MeanSquaredError, SoftmaxCrossEntropy
from minidl.data import one_hot
from tests.tools.restless import mixing

LABELS = np.arange(30) % 3


class Recording(SoftmaxCrossEntropy):
    """Keeps the targets of the training batches."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, scores, targets, weights=None):
        self.seen.append((targets, weights))
        return super().forward(scores, targets, weights)


@pytest.fixture
def batches(data, trainer, fit):
    """A function that trains with an augmentation and returns the targets and weights of each batch."""

    def train(augment, *, validation=None, **arguments):
        loss = Recording()
        one = trainer(Linear(3, 3), loss=loss)
        fit(one, data(**{k: arguments.pop(k) for k in ("weighted",) if k in arguments}), augment=augment, **arguments)
        return loss.seen[-8:]

    return train


@pytest.mark.parametrize("shuffle", [True, False])
def test_targets_that_augment_returns_are_those_trained_on_and_the_set_keeps_its_own(
    data, trainer, fit, hooks, shuffle
):
    train, seen, loss = data(weighted=True), [], Recording()
    before = [array.copy() for array in train.arrays]

    def flipped(x, targets, rng):
        x *= -1
        targets += 1
        targets %= 3
        return x, targets

    one = trainer(Linear(3, 3), loss=loss, callbacks=[hooks(on_step_end=lambda one: seen.append(one.model[0].x))])
    fit(one, train, epochs=1, augment=flipped, shuffle=shuffle)
    x, targets = np.concatenate(seen), np.concatenate([targets for targets, _ in loss.seen[-4:]])
    np.testing.assert_array_equal(targets, ((-x).argmax(axis=1) + 1) % 3)
    np.testing.assert_equal([*train.arrays], before)


def test_mixed_labels_are_soft_ones_and_mix_as_the_rows_do(data, trainer, fit, hooks):
    x = one_hot(LABELS, 3)
    seen, loss = [], Recording()
    one = trainer(Linear(3, 3), loss=loss, callbacks=[hooks(on_step_end=lambda one: seen.append(one.model[0].x))])
    history = fit(one, (x, LABELS), (x, LABELS), augment=mixing)
    targets = [targets for targets, _ in loss.seen if targets.ndim == 2]
    assert len(targets) == len(history.steps["step"]) == 8
    np.testing.assert_array_equal(np.concatenate(targets), np.concatenate(seen))  # a row is its own target here
    assert np.concatenate(targets).dtype == np.float32
    assert any(((rows > 0).sum(axis=1) == 2).any() for rows in targets)


def test_noise_on_labels_is_of_training_only_and_a_pure_function_of_the_seed(batches, data):
    def noisy_labels(x, targets, rng):
        return x, np.where(rng.random(len(x)) < 0.5, rng.integers(0, 3, len(x)), targets)

    first, again, other = (batches(noisy_labels, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_equal(first, again)
    assert any((a != b).any() for (a, _), (b, _) in zip(first, other, strict=True) if len(a) == len(b))
    clean = batches(None, seed=0)
    assert 0 < sum((a != b).sum() for (a, _), (b, _) in zip(first, clean, strict=True)) < 40


def test_weights_stay_with_their_rows(batches):
    mixed, plain = batches(lambda x, targets, rng: (x, targets), weighted=True), batches(None, weighted=True)
    np.testing.assert_equal(mixed, plain)


def test_float_targets_are_cast_to_the_dtype_of_the_model(data, trainer, fit):
    train = Dataset(data().x, np.ones((30, 1), np.float64))
    one, two = (trainer(Linear(3, 1), loss=MeanSquaredError()) for _ in range(2))
    history = fit(one, train, augment=lambda x, targets, rng: (x.astype(np.float64), targets.astype(np.float64)))
    assert history == fit(two, train)


def test_a_function_that_works_with_two_arguments_is_of_rows_alone(data, trainer, fit):
    def of_rows(x, rng, strength=0.0):
        assert isinstance(rng, np.random.Generator)
        return x + np.float32(strength)

    assert fit(trainer(), data(), augment=of_rows) == fit(trainer(), data())
    mixed = partial(lambda share, x, targets, rng: (share * x, targets), 1.0)
    assert fit(trainer(), data(), augment=mixed) == fit(trainer(), data())


@pytest.mark.parametrize(
    ("augment", "error", "text"),
    [
        (
            lambda x, rng: (x, x),
            TypeError,
            r"augment\(x, rng\) to return x, received a tuple of 2: a function augment\(",
        ),
        (lambda x, targets, rng: x, TypeError, r"augment\(x, targets, rng\) to return \(x, targets\), received <array"),
        (lambda x, targets, rng: (x, targets, x), TypeError, "received a tuple of 3: return both"),
        (lambda x, targets, rng: None, TypeError, "received None: return both"),
        (lambda x, targets, rng: (x[1:], targets), ValueError, "return 8 rows of x as it was given, received 7"),
        (lambda x, targets, rng: (x, targets[1:]), ValueError, "return 8 rows of targets as it was given, received 7"),
        (lambda x, targets, rng: (x, 0), ValueError, "return 8 rows of targets"),
        (lambda x, targets, rng: (x, None), TypeError, "received None"),
        (lambda x, targets, rng: (x, targets + 5), ValueError, "expected labels from 0 to 2"),
        (
            lambda x: x,
            TypeError,
            r"a function \(x, rng\), received a function \(x\): .* a function \(x, targets, rng\)",
        ),
        (lambda x, y, z, rng: x, TypeError, r"what changes targets too is a function \(x, targets, rng\)"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(data, trainer, fit, augment, error, text):
    with pytest.raises(error, match=text):
        fit(trainer(), data(), augment=augment)
