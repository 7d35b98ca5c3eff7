"""Weights from and for PyTorch."""

import numpy as np
import pytest

from minidl import BatchNorm, Linear, Parameter, ReLU, Residual, Sequential, initializers, layers
from minidl.interop import load_torch_state_dict, torch_state_dict
from minidl.layers import GRU, LSTM, RNN, Conv1D, Conv2D, Embedding, GroupNorm, LayerNorm, SelfAttention
from minidl.storage import DataError


def with_numbers(model, seed):
    """Every parameter and state with numbers of its own."""
    rng = np.random.default_rng(seed)
    for name, owner in {**model.named_parameters(), **model.named_states()}.items():
        owner.value = (rng.random(owner.shape) + (0.5 if "variance" in name else -0.5)).astype(owner.value.dtype)
    return model


def twins():
    from torch import nn

    nested = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 6)))
    return {
        "linear, square": (Linear(4, 4), nn.Linear(4, 4), (4,)),
        "without bias": (Linear(4, 3, bias=False), nn.Linear(4, 3, bias=False), (4,)),
        "images": (Conv2D(3, 3, (3, 3)), nn.Conv2d(3, 3, 3), (3, 8, 8)),
        "images, oblong": (Conv2D(2, 4, (1, 3), padding=1), nn.Conv2d(2, 4, (1, 3), padding=1), (2, 8, 8)),
        "series": (Conv1D(3, 3, 3), nn.Conv1d(3, 3, 3), (7, 3)),
        "batch": (BatchNorm(5), nn.BatchNorm1d(5).eval(), (5,)),
        "rows": (LayerNorm(5), nn.LayerNorm(5), (5,)),
        "groups": (GroupNorm(2, 4), nn.GroupNorm(2, 4), (4, 3, 3)),
        "tokens": (Embedding(9, 4), nn.Embedding(9, 4), None),
        "rnn": (RNN(4, 4), nn.RNN(4, 4, batch_first=True), (6, 4)),
        "lstm": (LSTM(4, 4), nn.LSTM(4, 4, batch_first=True), (6, 4)),
        "gru": (GRU(4, 4), nn.GRU(4, 4, batch_first=True), (6, 4)),
        "attention": (SelfAttention(6, 2), nn.MultiheadAttention(6, 2, batch_first=True), (5, 6)),
        "nested": (Sequential(Linear(6, 6), ReLU(), Sequential(LayerNorm(6), Linear(6, 6))), nested, (6,)),
    }


NAMES = ["linear, square", "without bias", "images", "images, oblong", "series", "batch", "rows", "groups", "tokens"]
NAMES += ["rnn", "lstm", "gru", "attention", "nested"]


def outputs(model, module, shape):
    import torch

    rng = np.random.default_rng(3)
    x = rng.integers(9, size=(5, 6)) if shape is None else rng.normal(size=(5, *shape))
    given = torch.from_numpy(x)
    with torch.no_grad():
        if isinstance(module, torch.nn.MultiheadAttention):
            theirs = module(given, given, given)[0]
        elif isinstance(module, torch.nn.Conv1d):
            theirs = module(given.transpose(1, 2)).transpose(1, 2)
        else:
            theirs = module(given)
    theirs = theirs[0] if isinstance(theirs, tuple) else theirs
    return model.predict(x), theirs.numpy()


@pytest.mark.needs_torch
@pytest.mark.parametrize("name", NAMES)
def test_a_module_and_the_layer_it_was_loaded_into_give_the_same(name):
    model, module, shape = twins()[name]
    module = module.double()
    for parameter in module.parameters():  # biases, too, have numbers then
        parameter.data.uniform_(-1, 1)
    load_torch_state_dict(model.build(dtype=np.float64), module.state_dict())
    ours, theirs = outputs(model, module, shape)
    assert np.abs(ours - theirs).max() < 1e-13


@pytest.mark.needs_torch
@pytest.mark.parametrize("name", NAMES)
def test_a_layer_and_the_module_that_took_its_weights_give_the_same(name):
    import torch

    model, module, shape = twins()[name]
    module = module.double()
    with_numbers(model.build(dtype=np.float64), 1)
    state = torch_state_dict(model)
    module.load_state_dict({key: torch.from_numpy(array) for key, array in state.items()})
    ours, theirs = outputs(model, module, shape)
    assert np.abs(ours - theirs).max() < 1e-13
    again = twins()[name][0].build(seed=5, dtype=np.float64)
    load_torch_state_dict(again, state)
    assert np.array_equal(ours, outputs(again, module, shape)[0])


@pytest.mark.needs_torch
def test_tensors_of_sixteen_bits_on_the_way_to_float32():
    import torch

    module = torch.nn.Linear(3, 2).bfloat16()
    model = Linear(3, 2).build()
    load_torch_state_dict(model, module.state_dict())
    assert np.array_equal(model.weight.value, module.weight.detach().float().numpy().T)


def state():
    return torch_state_dict(with_numbers(Sequential(Linear(3, 3), BatchNorm(3), ReLU(), Linear(3, 2)).build(), 0))


def model():
    return Sequential(Linear(3, 3), BatchNorm(3), ReLU(), Linear(3, 2)).build(seed=1)


def test_modules_of_other_names_and_parts_of_a_module():
    renamed = {name.replace("0.", "encoder.first.").replace("3.", "head."): array for name, array in state().items()}
    one = model()
    load_torch_state_dict(one, renamed, names={"0": "encoder.first", "1": "1", "3": "head"})
    assert all(np.array_equal(a, b) for a, b in zip(torch_state_dict(one).values(), state().values(), strict=True))
    part = model()
    load_torch_state_dict(part, renamed, names={"0": "encoder.first"})
    assert np.array_equal(part[0].weight.value, state()["0.weight"].T)
    assert np.array_equal(part[3].weight.value, model()[3].weight.value)
    assert sorted(torch_state_dict(part, names={"3": "head"})) == ["head.bias", "head.weight"]


def test_a_counter_of_batches_may_be_missing():
    without = {name: array for name, array in state().items() if "num_batches" not in name}
    load_torch_state_dict(model(), without)


def refused(change, match, error=ValueError, **options):
    given, one = state(), model()
    before = one.parameters.snapshot()
    change(given)
    with pytest.raises(error, match=match):
        load_torch_state_dict(one, given, **options)
    assert all(np.array_equal(before[name], value) for name, value in one.parameters.snapshot().items())


def test_what_does_not_fit_is_named_and_the_model_stays_as_it_is():
    refused(lambda given: given.pop("3.weight"), r"3\.weight is missing")
    refused(lambda given: given.update(extra=np.ones(2)), "extra is left over")
    refused(
        lambda given: given.update({"3.weight": given["3.weight"].T}),
        r"3\.weight has shape \(3, 2\) instead of \(2, 3\)",
    )
    refused(lambda given: None, r"received \['7'\]", names={"7": "0"})
    refused(lambda given: None, r"expected names to be \{'path here': 'path there'\}", names=["0"], error=TypeError)
    refused(lambda given: None, r"received names=\{\}", names={}, error=TypeError)
    refused(lambda given: given.update({"0.bias": np.array(["a", "b", "c"])}), "0.bias", error=(TypeError, ValueError))


def test_a_layer_that_pytorch_has_not_is_named():
    own = Sequential(Linear(3, 4), layers.Maxout(4, 2, 2)).build()
    with pytest.raises(TypeError, match=r"received Maxout\(4, 2, 2\) with its \['bias', 'weight'\]"):
        torch_state_dict(own)


def test_a_module_instead_of_its_state_is_refused():
    class Module:
        def state_dict(self):
            return {}

    with pytest.raises(TypeError, match=r"received Module: write module\.state_dict\(\)"):
        load_torch_state_dict(model(), Module())


def test_files_that_are_pickles_are_refused(tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"found a file of PyTorch.*safetensors\.torch\.save_file"):
        model().load(tmp_path / "weights.pt")


def test_weights_are_not_saved_under_a_name_that_load_refuses(tmp_path):
    for name in ("weights.pt", "WEIGHTS.CKPT"):
        with pytest.raises(ValueError, match=r"expected a path such as weights\.npz, received path=.*pickles"):
            model().save(tmp_path / name)
    assert not list(tmp_path.iterdir())
    for path in (None, 5, b"weights.npz"):
        for call in (model().save, model().load):
            with pytest.raises(TypeError, match="expected path to be a text or a Path"):
                call(path)


def test_containers_are_walked():
    assert sorted(torch_state_dict(Sequential(Residual(Linear(2, 2))).build())) == ["0.0.bias", "0.0.weight"]


def test_biases_of_half_precision_are_added_up_in_the_precision_of_the_model():
    lstm = LSTM(2, 3).build()
    state = {name: np.float16(array) for name, array in torch_state_dict(lstm).items()}
    state["bias_ih_l0"][:], state["bias_hh_l0"][:] = 2048, 1
    load_torch_state_dict(lstm, state)
    assert set(lstm.bias.value.tolist()) == {2049.0}
    before = lstm.parameters.snapshot()
    huge = {**state, "bias_ih_l0": np.full(12, 3e38, np.float32), "bias_hh_l0": np.full(12, 3e38, np.float32)}
    with pytest.raises(ValueError, match="expected bias in the range of float32"):
        load_torch_state_dict(lstm, huge)
    assert all(np.array_equal(before[name], value) for name, value in lstm.parameters.snapshot().items())


def test_a_layer_derived_from_ours_with_more_weights_is_named():
    class Scaled(Linear):
        def __init__(self, n_in, n_out):
            super().__init__(n_in, n_out)
            self.gain = Parameter((n_out,), initializers.ones)

    with pytest.raises(TypeError, match=r"received Scaled\(3, 2\) with its \['gain'\]"):
        torch_state_dict(Sequential(Scaled(3, 2)).build())


def test_what_is_no_model_is_refused():
    for call in (lambda: load_torch_state_dict(None, {}), lambda: torch_state_dict({})):
        with pytest.raises(TypeError, match="expected model to be a Layer"):
            call()
