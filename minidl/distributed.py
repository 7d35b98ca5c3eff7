"""One run on several processes or machines, by MPI: `from minidl.distributed import Trainer` is the line that changes.

Every rank runs the same script. Each takes its share of every batch, computes loss and gradient of it, and one
all-reduce of the flat gradient, weighted by the rows, gives all of them the gradient of the whole batch. So all weights
stay the same, to the bit, and decisions that follow from weights and losses (early stopping, a divergence) need no
message.

    mpiexec -n 4 python train.py
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minidl.arguments import short
from minidl.parameters import Array
from minidl.training import trainer as alone
from minidl.training.checkpoint import Checkpoint
from minidl.training.divergence import DivergenceError
from minidl.training.history import History

try:
    from mpi4py import MPI
except ImportError as error:  # pragma: no cover
    raise ImportError('minidl.distributed needs mpi4py and an MPI: pip install "minidl[mpi]"') from error


class RankError(RuntimeError):
    """Another rank has failed, and the run has ended everywhere."""


class Trainer(alone.Trainer):
    """A `minidl.Trainer` whose `fit` is one run of all ranks.

    The result is that of one process, up to the order in which numbers are added: the order of the rows is a pure
    function of seed and epoch, and each rank takes an equal part of each batch, in a last short batch perhaps none.
    Rank 0 shows progress and writes checkpoints; all ranks read them to go on, with as many as before. Every rank
    evaluates the whole validation set.

    A rank that raises, or is interrupted, tells the others: all end after the same step, with the best weights, and
    raise `RankError`, or return as after Ctrl-C. Where a rank is killed, mpiexec ends the others, and a run from the
    newest checkpoint goes on to the same bits.

    A layer that draws (Dropout) draws other numbers on each rank, as a pure function of step and rank. A model with
    states, such as the running statistics of BatchNorm, is refused: each rank would have statistics of its own rows.

    Args:
        comm: the ranks that train together; None is all of them. All others are those of `minidl.Trainer`.

    Attributes:
        rank, size: the number of this process, and how many there are.

    Raises:
        ValueError: at `fit`, a model with states.
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
        """See `minidl.Trainer.fit`; with the same arguments on every rank."""
        try:
            if self.model.parameters.states:
                raise ValueError(
                    f"expected a model without states, received {', '.join(self.model.parameters.states)}: statistics "
                    f"of each rank would be those of its own rows; use LayerNorm or GroupNorm"
                )
            with self._only_rank_0_writes():
                history = super().fit(*args, progress=progress and self.rank == 0, **kwargs)
            self._meet(ended=True)
        except (RankError, DivergenceError):  # a divergence is one on all ranks
            raise
        except BaseException as error:
            self._meet(failure=f"{type(error).__name__}: {short(error)}")
            raise
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
        self._meet()
        message = np.empty(gradient.size + 2, gradient.dtype)
        message[:2] = loss * weight if weight else 0, weight
        np.multiply(gradient, weight, out=message[2:])
        self._comm.Allreduce(MPI.IN_PLACE, message)
        total = float(message[1]) or 1.0
        np.divide(message[2:], total, out=gradient)
        self.loss.total_weight = float(message[1])
        return float(message[0]) / total

    def agreed(self, interrupted: bool) -> tuple[bool, str]:
        """Whether any rank was interrupted, and the reason to stop of the first that has one."""
        asked, stopped = self._meet(asked=interrupted, stopped=bool(self.stop_reason))
        if not stopped:
            return asked, ""
        reasons = self._comm.allgather(self.stop_reason)
        return asked, next(reason for reason in reasons if reason)

    def _meet(
        self, *, asked: bool = False, stopped: bool = False, ended: bool = False, failure: str = ""
    ) -> tuple[bool, bool]:
        """Wait for all ranks, and return whether any was asked to end, or has a reason to stop.

        A rank that has failed comes here once more, wherever the others come next, and so they hear of it.
        """
        counts = np.array([bool(failure), ended, asked, stopped], np.int64)
        self._comm.Allreduce(MPI.IN_PLACE, counts)
        if counts[0]:
            texts = self._comm.allgather(failure)
            if not failure:
                rank, text = next((rank, text) for rank, text in enumerate(texts) if text)
                raise RankError(f"rank {rank} has failed, and the run has ended on all ranks: {text}")
        elif 0 < counts[1] < self.size and not ended:
            raise RankError(
                "another rank has ended the run, as after a second Ctrl-C, and so it has ended on all ranks"
            )
        return bool(counts[2]), bool(counts[3])

    def _put_streams(self) -> None:
        """The streams of layers as a function of step and rank, so that a checkpoint of rank 0 holds those of all."""
        for place, layer in enumerate(self.model.layers_inside()):
            seeds = np.random.SeedSequence((place, self.optimizer.steps, self.rank))
            layer.rng = np.random.default_rng(seeds)

    @contextmanager
    def _only_rank_0_writes(self) -> Iterator[None]:
        """A block in which the checkpoints of other ranks are left out."""
        callbacks = self.callbacks
        if self.rank:
            self.callbacks = [callback for callback in callbacks if not isinstance(callback, Checkpoint)]
        try:
            yield
        finally:
            self.callbacks = callbacks
