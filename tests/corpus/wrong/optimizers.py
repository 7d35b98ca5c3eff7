"""Optimizers: rates, states, counts, blocks, and formulas they are compared with."""

import numpy as np

from minidl.optim import SGD, ClipNorm, Optimizer, blocks
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Momentum, PlainAdam

SHELF = Shelf()


@SHELF.optimizer(lr=0.1)
class Ascends(Optimizer):
    """Goes up the gradient."""

    def update(self, value, grad, lr):
        value += lr * grad


@SHELF.optimizer(lr=0.1)
class SGDIgnoresScale(Optimizer):
    """Uses self.lr, so that lr_scale does nothing."""

    def update(self, value, grad, lr):
        value -= grad * (self.lr(self.steps) if callable(self.lr) else self.lr)


@SHELF.optimizer(lr=0.1)
class SGDIgnoresClip(SGD):
    """Steps without the clip."""

    def step(self, parameters):
        clip, self.clip = self.clip, None
        super().step(parameters)
        self.clip = clip


@SHELF.optimizer(lr=0.1)
class SGDFirstBlock(Optimizer):
    """Returns after the first block of 65 536 numbers."""

    def update(self, value, grad, lr):
        for w, g, s in blocks(value, grad):
            w -= np.multiply(g, lr, out=s)
            return


@SHELF.optimizer(lr=0.1)
class SGDRebinds(Optimizer):
    """value = value - ... makes a new array: nothing moves."""

    def update(self, value, grad, lr):
        value = value - lr * grad


@SHELF.optimizer(lr=0.1)
class SGDScalesGrad(Optimizer):
    """grad *= lr: the gradient is changed in place."""

    def update(self, value, grad, lr):
        grad *= lr
        value -= grad


@SHELF.optimizer(lr=0.1)
class SGDLrAtConstruction(SGD):
    """A schedule is asked once, at the first step, and that rate is used for ever."""

    @property
    def learning_rate(self):
        if not hasattr(self, "first"):
            self.first = super().learning_rate
        return self.first


@SHELF.optimizer(lr=0.1)
class SGDCountsTwice(Optimizer):
    """update counts a step as well: steps advance by two, and schedules run at double speed."""

    def update(self, value, grad, lr):
        value -= lr * grad
        self.steps += 1


@SHELF.optimizer(lr=0.1)
class DecaysBiases(SGD):
    """Weight decay reaches the parameters with decay=False."""

    def apply(self, parameters, lr):
        parameters.value *= 1 - 0.01 * lr
        super().apply(parameters, lr)


@SHELF.optimizer(lr=0.1)
class DecaysItsRate(SGD):
    """Its lr is multiplied by 0.9 at each step, which no state tells."""

    def step(self, parameters):
        super().step(parameters)
        self.lr = self.lr * 0.9


@SHELF.optimizer(lr=0.1)
class NormalizesOverTheVector(Optimizer):
    """Divides by the largest gradient of all parameters, which is not declared."""

    def update(self, value, grad, lr):
        value -= lr * grad / (np.abs(grad).max() + 1e-8)


@SHELF.optimizer(lr=0.1)
class WarmRestartsOwnClock(Optimizer):
    """Decays its rate by a clock of its own that is in no state: resuming is not exact."""

    def update(self, value, grad, lr):
        self.clock = getattr(self, "clock", 0) + 1
        value -= lr / self.clock * grad


def momentum_reference(start, gradients):
    w, v = np.array(start, float), 0.0
    for g in gradients:
        v = 0.9 * v + g
        w = w - 0.1 * v
    return w


@SHELF.optimizer(lr=0.1)
class MomentumBlockSlot(Momentum):
    """The velocity is read from its start in each block, not from the block's own place."""

    def update(self, value, grad, lr):
        for w, g, s in blocks(value, grad):
            v = self.slots["velocity"][: len(w)]
            v *= 0.9
            v += g
            w -= np.multiply(v, lr, out=s)


@SHELF.optimizer(lr=0.1, reference=momentum_reference)
class MomentumDampened(Momentum):
    """v <- 0.9 v + 0.1 g although the documented rule is v <- 0.9 v + g."""

    def update(self, value, grad, lr):
        super().update(value, 0.1 * grad, lr)


@SHELF.optimizer(lr=0.1)
class MomentumPlainAttribute(Optimizer):
    """The velocity is a plain attribute: state() and load_state() do not know it."""

    velocity = None

    def update(self, value, grad, lr):
        if self.velocity is None:
            self.velocity = np.zeros_like(value)
        self.velocity *= 0.9
        self.velocity += grad
        value -= lr * self.velocity


@SHELF.optimizer(lr=0.1)
class MomentumClassVelocity(Optimizer):
    """The velocities are in a dict of the class, by size: two optimizers share them."""

    velocity = {}  # noqa: RUF012 (the bug)

    def update(self, value, grad, lr):
        v = self.velocity.setdefault((len(value), value.dtype.name), np.zeros_like(value))
        v *= 0.9
        v += grad
        value -= lr * v


@SHELF.optimizer(lr=0.1)
class MomentumAliasesGrad(Momentum):
    """The first velocity is the gradient vector itself: later gradients rewrite it."""

    def update(self, value, grad, lr):
        if self.steps == 0:
            self.slots["velocity"] = grad
        else:
            self.slots["velocity"] = 0.9 * self.slots["velocity"] + grad
        value -= lr * self.slots["velocity"]


@SHELF.optimizer(lr=0.1)
class MomentumLiveState(Momentum):
    """state() hands out the live slots: a kept state changes with the next step."""

    def state(self):
        return {"steps": self.steps, "lr_scale": self.lr_scale, **self.slots}


@SHELF.optimizer(lr=0.1)
class MomentumHalfLoad(Optimizer):
    """load_state restores the slots but not the number of steps, so bias correction starts again."""

    slot_names = ("mean",)

    def load_state(self, state):
        super().load_state(state)
        self.steps = 0

    def update(self, value, grad, lr):
        m = self.slots["mean"]
        m *= 0.9
        m += 0.1 * grad
        value -= lr / (1 - 0.9 ** (self.steps + 1)) * m


def adam_reference(start, gradients):
    w, m, v = np.array(start, float), 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        g = np.asarray(g, float)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


@SHELF.optimizer(lr=0.1, reference=adam_reference)
class AdamCountsFromOneStep(PlainAdam):
    """Bias correction with t = max(1, steps): right at the first step only."""

    def corrections(self):
        t = max(1, self.steps)
        return 1 - 0.9**t, 1 - 0.999**t


@SHELF.optimizer(lr=0.1, reference=adam_reference)
class AdamSecondUncorrected(PlainAdam):
    """The second moment is not corrected for its start at 0."""

    def corrections(self):
        return super().corrections()[0], 1.0


@SHELF.optimizer(lr=0.1, reference=adam_reference)
class AdamWithoutCorrection(PlainAdam):
    """No bias correction at all."""

    def corrections(self):
        return 1.0, 1.0


@SHELF.optimizer(lr=0.1, reference=adam_reference)
class AdamLongRun(PlainAdam):
    """Bias correction is switched off after three steps."""

    def corrections(self):
        return super().corrections() if self.steps < 3 else (1.0, 1.0)


def adagrad_reference(start, gradients):
    w, s = np.array(start, float), 0.0
    for g in gradients:
        g = np.asarray(g, float)
        s = s + g * g
        w = w - 0.1 * g / (np.sqrt(s) + 1e-8)
    return w


@SHELF.optimizer(lr=0.1, reference=adagrad_reference)
class AdagradLate(Optimizer):
    """Divides by the sum before this step's square from step 2 on."""

    slot_names = ("squares",)

    def update(self, value, grad, lr):
        s = self.slots["squares"]
        if self.steps == 0:
            s += grad * grad
        value -= lr * grad / (np.sqrt(s) + 1e-8)
        if self.steps:
            s += grad * grad


SHELF.put("optimizer", SGD(0.1, clip=ClipNorm(1.0)), {}, "clipping by a norm that is not declared")


@SHELF.optimizer(lr=0.1)
class HalvesEachSixthStep(SGD):
    """Every weight is halved at each sixth step."""

    def apply(self, parameters, lr):
        super().apply(parameters, lr)
        if self.steps % 6 == 5:
            parameters.value *= 0.5


@SHELF.optimizer(lr=0.1)
class HalvesEachHundredthStep(SGD):
    """Every weight is halved at each hundredth step."""

    def apply(self, parameters, lr):
        super().apply(parameters, lr)
        if self.steps % 100 == 99:
            parameters.value *= 0.5
