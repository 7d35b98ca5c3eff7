import numpy as np
import pytest

from minidl import SGD, Callback, Checkpoint, Linear, Sequential, SoftmaxCrossEntropy, Trainer
from minidl.data import Dataset, batches
from minidl.training.history import History

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)
DATA = Dataset(X, Y)


def stream(epoch):
    return batches(DATA, 4, seed=0, epoch=epoch)


def make(*callbacks):
    return Trainer(Sequential(Linear(3, 2)).build(seed=0), SoftmaxCrossEntropy(), SGD(0.1), callbacks=callbacks)


def run(trainer, given=stream, **how):
    return trainer.fit(given, DATA, **({"epochs": 3, "steps_per_epoch": 5, "progress": False} | how))


def weights(trainer):
    return trainer.model.parameters.value.tolist()


def test_a_stream_trains_to_the_bits_of_the_data_set_with_its_history():
    alone, streamed = make(), make()
    history = alone.fit(DATA, DATA, epochs=3, batch_size=4, progress=False)
    assert isinstance(history, History)
    assert run(streamed).steps == history.steps
    assert weights(streamed) == weights(alone)
    run(streamed, epochs=1.4)
    alone.fit(DATA, DATA, epochs=1.4, batch_size=4, progress=False)
    assert weights(streamed) == weights(alone)


@pytest.mark.parametrize("first", [0, 3, 5, 8, 10])
def test_a_run_on_a_function_of_the_epoch_resumes_to_the_same_bits(tmp_path, first):
    path = tmp_path / "run.npz"
    whole = make(Checkpoint(tmp_path / "whole.npz"))
    history = run(whole, augment=lambda x, rng: x + rng.normal(size=x.shape))
    part = make(Checkpoint(path, every_steps=1))
    run(part, epochs=None, steps=max(first, 1), augment=lambda x, rng: x + rng.normal(size=x.shape))
    again = make(Checkpoint(path))
    resumed = run(again, resume=path, augment=lambda x, rng: x + rng.normal(size=x.shape))
    assert weights(again) == weights(whole)
    assert resumed.steps == history.steps


def test_a_stream_of_other_numbers_is_not_gone_on_with(tmp_path):
    path = tmp_path / "run.npz"
    run(make(Checkpoint(path)), epochs=1)
    with pytest.raises(ValueError, match="data 'train'"):
        run(make(), lambda epoch: batches(DATA, 4, seed=1, epoch=epoch), resume=path)


def test_a_generator_trains_on_and_cannot_have_a_checkpoint(tmp_path):
    def endless():
        epoch = 0
        while True:
            yield from stream(epoch)
            epoch += 1

    made, trainer, wanted = endless(), make(), make()
    run(trainer, made, epochs=1.4)
    run(trainer, made, epochs=1.6)
    run(wanted, epochs=1.4)
    run(wanted, epochs=1.6)
    assert weights(trainer) == weights(wanted)
    with pytest.raises(ValueError, match="function epoch -> batches for a Checkpoint"):
        run(make(Checkpoint(tmp_path / "run.npz")), endless())
    with pytest.raises(ValueError, match="function epoch -> batches for resume"):
        run(make(), endless(), resume=tmp_path / "run.npz")


def test_a_stream_that_ends_early_says_so_and_keeps_its_weights():
    trainer = make()
    with pytest.raises(ValueError, match="steps_per_epoch=9 batches in each pass, received 5 in pass 0"):
        run(trainer, steps_per_epoch=9)
    assert trainer.optimizer.steps == 5
    with pytest.raises(ValueError, match="received no more in pass 1"):
        run(make(), stream(0))
    with pytest.raises(ValueError, match="at least one batch"):
        run(make(), lambda epoch: [])


def test_callbacks_are_told():
    class Count(Callback):
        steps = epochs = 0

        def on_step_end(self, trainer):
            self.steps += 1

        def on_epoch_end(self, trainer):
            self.epochs += 1

    count = Count()
    run(make(count), list(stream(0)))
    assert (count.steps, count.epochs) == (15, 3)


@pytest.mark.parametrize(
    ("given", "how", "message"),
    [
        (stream, {"steps_per_epoch": None}, r"steps_per_epoch=\.\.\."),
        (DATA, {}, "leave it out"),
        (stream, {"batch_size": 4}, "leave batch_size out"),
        (stream, {"shuffle": False}, "leave shuffle out"),
        (stream, {"steps_per_epoch": 0}, "integer >= 1"),
        (5, {}, "a stream of batches"),
        (lambda epoch: 5, {}, "to return batches"),
        (lambda epoch: [X], {}, r"expected batches \(x, targets\)"),
        (lambda epoch: [{"x": X, "y": Y}], {}, "received dict: yield x, targets"),
        (lambda epoch: [(X, Y), None], {}, "of the stream, received NoneType"),
        (lambda: stream(0), {}, r"expected a stream to be called as stream\(epoch\), received .* takes"),
        (type("Loader", (), {"__iter__": lambda self: stream(0)}), {}, "received Loader: "),
        ([(X, Y)], {"steps_per_epoch": None}, r"fit\(stream, steps_per_epoch=\.\.\.\)"),
        (lambda epoch: [(np.full((4, 3), "a"), Y[:4])] * 5, {}, "to hold numbers"),
        (lambda epoch: [(X, Y), (X * np.nan, Y)] * 5, {}, r"received x\[0, 0\]=nan"),
    ],
)
def test_what_is_no_stream_is_refused(given, how, message):
    with pytest.raises((TypeError, ValueError), match=message):
        run(make(), given, **how)


def test_a_batch_that_is_refused_is_told_by_its_place():
    with pytest.raises(ValueError, match="nan") as caught:
        run(make(), lambda epoch: [(X, Y), (X, Y), (X * np.nan, Y)] * 2)
    assert caught.value.__notes__[-1] == "in batch 2 of pass 0 of the stream"


@pytest.mark.needs_pandas
def test_frames_of_a_stream_keep_the_order_of_their_columns():
    import pandas as pd

    frame = pd.DataFrame(X, columns=list("abc"))
    trainer = make()
    with pytest.raises(ValueError, match=r"with the columns it was fitted on, in their order, \['a', 'b', 'c'\]"):
        run(trainer, lambda epoch: [(frame, Y), (frame[["b", "a", "c"]], Y)] * 3)
    assert trainer.optimizer.steps == 1
