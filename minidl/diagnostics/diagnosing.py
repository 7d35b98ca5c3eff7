"""Diagnose: what a record says of a network in words, with the numbers that say so."""

from dataclasses import field

from minidl.diagnostics.evidence import Evidence
from minidl.diagnostics.recorder import Recorder
from minidl.diagnostics.signs import SIGNS, Finding
from minidl.frozen import frozen
from minidl.html import table


@frozen
class Diagnosis:
    """What was found, causes before what follows from them.

    Attributes:
        findings: each with `name`, `where`, `numbers` and `advice`; empty where nothing is wrong.
        healthy: whether there is none.
        names: those of the findings.
    """

    findings: tuple[Finding, ...]
    records: int = field(default=0)

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def names(self) -> list[str]:
        """The name of each finding."""
        return [finding.name for finding in self.findings]

    def __str__(self) -> str:
        """A line for each finding, and what to do about it."""
        if self.healthy:
            return f"nothing found in {self.records} records"
        return "\n".join(f"{f.name} in {f.where}: {f.numbers}\n  {f.advice}" for f in self.findings)

    def _repr_html_(self) -> str:
        """The same for notebooks."""
        rows = [(f.name, f.where, f.numbers, f.advice) for f in self.findings]
        title = f"{self.records} records: " + ("nothing found" if self.healthy else ", ".join(self.names))
        return table(("found", "where", "numbers", "what to do"), rows, title=title)


def diagnose(recorder: Recorder) -> Diagnosis:
    """Where a network is sick, in words, with the numbers: of a run with a `Recorder`, ended or under way.

    The signs, causes first; "late" is the last third of the records, and medians are over records:

    - "unscaled inputs": the first layer with parameters is no normalization, and the root mean square of its input is
      above 10 or below 0.01, or the deviation of one feature is more than 100 times the median one.
    - "symmetry": a layer before the last in which at least 9 of 10 units have the weights of the first one, at
      first and late.
    - "exploding gradients": |dL/dy| of the first layer with parameters is more than 1000 times that of the last one, in
      the first record and in the median.
    - "vanishing gradients": it is less than 1/1000 of it, likewise.
    - "rate too large": the cost rose above twice the first one or did not fall, after an update of more than 0.3 of the
      weights of a layer; or it rose so and diverged. Not named where one of the signs above explains it.
    - "not finite": it diverged without one of these, as by a logarithm of 0.
    - "saturated units": of sigmoid, tanh or hard tanh, more than half of the outputs near a limit, late; not named
      where the cost fell below a tenth of the first, as such a network learns all the same.
    - "dead units": after ReLU or another activation, more than 40 % of the units were 0 on every row of all late
      records, and of 64 rows at least.
    - "rate too small": the cost fell by less than 10 %, the gradient did not shrink to a third, and the largest ratio
      of update to weight is below 0.0003; weights that began at 0 still go straight on instead. Not named where one of
      the signs above explains it.

    They are rules of thumb: the thresholds name the sick networks of our tests, and none of the healthy ones. A run
    that is meant to hardly move, such as fine-tuning with a new optimizer, is named "rate too small" and needs no
    mending.

    Raises:
        ValueError: no step was measured.

    >>> from minidl import SGD, Linear, Sequential, Sigmoid, SoftmaxCrossEntropy, Trainer
    >>> from minidl.data import digits, standardize
    >>> train, rest = standardize(*digits().split(0.7, 0.3, seed=0))
    >>> layers = [layer for _ in range(9) for layer in (Linear(64, 64), Sigmoid())]
    >>> model, recorder = Sequential(*layers, Linear(64, 10)).build(seed=0), Recorder(every=5)
    >>> trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.1), callbacks=[recorder])
    >>> history = trainer.fit(train, steps=30, progress=False)
    >>> diagnose(recorder).names
    ['vanishing gradients']
    """
    if not isinstance(recorder, Recorder):
        raise TypeError(
            f"expected a Recorder, received {type(recorder).__name__}: give one in Trainer(..., callbacks=[recorder])"
        )
    recorder["step"]  # raises where there is none
    evidence = Evidence(recorder)
    findings: list[Finding] = []
    for sign in SIGNS:
        if found := sign(evidence, {finding.name for finding in findings}):
            findings.append(found)
    return Diagnosis(tuple(findings), len(recorder))
