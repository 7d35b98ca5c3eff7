"""One run on several processes or machines, by MPI: `from minidl.distributed import Trainer` is the line that changes.

Every rank runs the same script. Each takes its share of every batch, computes loss and gradient of it, and one
all-reduce of the flat gradient, weighted by the rows, gives all of them the gradient of the whole batch. So all weights
stay the same, to the bit, and decisions that follow from weights and losses (early stopping, a divergence) need no
message.

    mpiexec -n 4 python train.py
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from minidl.parameters import Array
from minidl.training import trainer as alone
from minidl.training.callbacks import Callback
from minidl.training.checkpoint import Checkpoint
from minidl.training.history import History
from minidl.training.identity import described, differences
from minidl.training.interrupts import interrupts

try:
    from mpi4py import MPI
except ImportError as error:  # pragma: no cover
    raise ImportError('minidl.distributed needs mpi4py and an MPI: pip install "minidl[mpi]"') from error


class RankError(RuntimeError):
    """Another rank has failed, and the run has ended everywhere."""


class _Agreement(Callback):
    """Before anything begins, the ranks find out whether they were given the same."""

    def on_fit_begin(self, trainer: Any) -> None:
        """See `Trainer.agree`."""
        trainer.agree()


class Trainer(alone.Trainer):
    """A `minidl.Trainer` whose `fit` is one run of all ranks.

    The result is that of one process, up to the order in which numbers are added: the order of the rows is a pure
    function of seed and epoch, and each rank takes an equal part of each batch, in a last short batch perhaps none.
    Rank 0 shows progress and writes checkpoints; all ranks read them to go on, with as many as before. Every rank
    evaluates the whole validation set.

    A rank that raises, or is interrupted, tells the others: all end after the same step, with the best weights, and
    raise `RankError`, or return as after Ctrl-C. Where a rank is killed, mpiexec ends the others, and a run from the
    newest checkpoint goes on to the same bits. Ranks that are given other data, settings or weights than rank 0 are
    refused before the first step.

    A layer that draws (Dropout) draws other numbers on each rank, as a pure function of step and rank. A model with
    states, such as the running statistics of BatchNorm, is refused: each rank would have statistics of its own rows.

    Args:
        comm: the ranks that train together; None is all of them. All others are those of `minidl.Trainer`.

    Attributes:
        rank, size: the number of this process, and how many there are.

    Raises:
        ValueError: at `fit`, a model with states, or a rank with other data, settings or weights.
        RankError: from `fit`, another rank has failed.

    Source: Chen, Pan, Monga, Bengio and Jozefowicz, "Revisiting distributed synchronous SGD", ICLR workshop 2016.

    >>> from minidl import SGD, Linear, MeanSquaredError
    >>> trainer = Trainer(Linear(2, 1).build(), MeanSquaredError(), SGD(0.1))  # under mpiexec -n 1, or without it
    >>> trainer.rank, trainer.size
    (0, 1)
    """

    def __init__(self, *args: Any, comm: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._comm = MPI.COMM_WORLD if comm is None else comm
        self.rank, self.size = self._comm.Get_rank(), self._comm.Get_size()
        self.share = (self.rank, self.size)

    def fit(self, *args: Any, progress: bool = True, **kwargs: Any) -> History:
        """See `minidl.Trainer.fit`; with the same arguments on every rank. All leave it together."""
        self._met_last = False
        try:
            if self.model.parameters.states:
                raise ValueError(
                    f"expected a model without states, received {', '.join(self.model.parameters.states)}: statistics "
                    f"of each rank would be those of its own rows; use LayerNorm or GroupNorm"
                )
            with self._callbacks_of_ranks():
                history = super().fit(*args, progress=progress and self.rank == 0, **kwargs)
            self._meet(ended=True)
        except BaseException as error:
            if not self._met_last:
                self._meet(failure=f"{type(error).__name__}: {error}".removesuffix(": "))
            raise
        finally:  # hooks of the others may still write something
            with self._uncut():
                self._comm.Barrier()
        return history

    def loss_and_gradient(self, x: Array, targets: Array, weights: Array | None) -> float:
        """Those of the whole batch: sum_r w_r L_r / sum_r w_r, with the weights w_r of the rows of each rank r."""
        gradient, loss, weight = self.model.parameters.grad, 0.0, 0.0
        self._put_streams()
        if len(x):
            loss = super().loss_and_gradient(x, targets, weights)
            weight = self.loss.total_weight
        else:
            gradient[...] = 0
        message = np.empty(gradient.size + 2, gradient.dtype)
        message[:2] = loss * weight if weight else 0, weight
        np.multiply(gradient, weight, out=message[2:])
        with self._uncut():
            self._meet()
            self._comm.Allreduce(MPI.IN_PLACE, message)
        total = float(message[1]) or 1.0
        np.divide(message[2:], total, out=gradient)
        self.loss.total_weight = float(message[1])
        return float(message[0]) / total

    def agreed(self, interrupted: bool) -> tuple[bool, str]:
        """Whether any rank was interrupted, and the reason to stop of the first that has one."""
        with self._uncut():
            asked, stopped = self._meet(asked=interrupted, stopped=bool(self.stop_reason))
            reasons = self._comm.allgather(self.stop_reason) if stopped else [""]
        return asked, next((reason for reason in reasons if reason), "")

    def agree(self) -> None:
        """Refuse ranks with other data, settings or weights than rank 0, on all ranks alike."""
        run = self.run
        now = {**run.identity, "steps": described(run.planned_steps)}
        if run.plan.resume is None:
            now["weights at the start"] = described(self.model.parameters.value)
        with self._uncut():
            self._meet()
            of_ranks = self._comm.allgather(now)
        for rank, theirs in enumerate(of_ranks):
            if differ := differences(of_ranks[0], theirs):
                raise ValueError(
                    f"expected the same on every rank, received on rank {rank} (here) other than on rank 0 (there): "
                    f"{'; '.join(differ)}. Read the same data, and build the model with the same seed"
                )

    def _meet(
        self, *, asked: bool = False, stopped: bool = False, ended: bool = False, failure: str = ""
    ) -> tuple[bool, bool]:
        """Wait for all ranks, and return whether any was asked to end, or has a reason to stop.

        A rank that has failed comes here once more, wherever the others come next, and so they hear of it.
        """
        counts = np.array([bool(failure), ended, asked, stopped], np.int64)
        with self._uncut():
            self._comm.Allreduce(MPI.IN_PLACE, counts)
            self._met_last = bool(counts[:2].any())
            texts = self._comm.allgather(failure) if counts[0] else []
        if counts[0] and not failure:
            rank, text = next((rank, text) for rank, text in enumerate(texts) if text)
            raise RankError(f"rank {rank} has failed, and the run has ended on all ranks: {text}")
        if not counts[0] and 0 < counts[1] < self.size and not ended:
            raise RankError(
                "another rank has ended the run, as after a second Ctrl-C, and so it has ended on all ranks"
            )
        return bool(counts[2]), bool(counts[3])

    def _uncut(self) -> AbstractContextManager[Any]:
        """A block that a second Ctrl-C does not cut in two: the others would wait for a message that never comes."""
        return self.run.ctrl_c.held() if self.run else interrupts()

    def _put_streams(self) -> None:
        """The streams of layers as a function of step and rank, so that a checkpoint of rank 0 holds those of all."""
        for place, layer in enumerate(self.model.layers_inside()):
            seeds = np.random.SeedSequence((place, self.optimizer.steps, self.rank))
            layer.rng = np.random.default_rng(seeds)

    @contextmanager
    def _callbacks_of_ranks(self) -> Iterator[None]:
        """A block in which the ranks agree first, and the checkpoints of ranks beside the first are left out."""
        callbacks = self.callbacks
        kept = [callback for callback in callbacks if self.rank == 0 or not isinstance(callback, Checkpoint)]
        self.callbacks = [_Agreement(), *kept]
        try:
            yield
        finally:
            self.callbacks = callbacks
