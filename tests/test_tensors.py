"""Weights as safetensors files."""

import copy

import numpy as np
import pytest

from minidl import Conv2D, Linear, Sequential
from minidl.storage import DataError
from minidl.tensors import read_tensors, write_tensors
from tests.every_layer import examples

pytestmark = pytest.mark.needs_safetensors


@pytest.mark.parametrize("example", examples(), ids=lambda example: repr(example.layer))
def test_every_layer_is_saved_and_loaded_to_the_bit(example, tmp_path):
    layer = copy.deepcopy(example.layer).build(seed=0)
    layer.save(tmp_path / "weights.safetensors")
    again = copy.deepcopy(example.layer).build(seed=1).load(tmp_path / "weights.safetensors")
    ours, theirs = layer.parameters.snapshot(), again.parameters.snapshot()
    assert all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)


@pytest.mark.parametrize(
    "view",
    [lambda a: a.T, lambda a: a[::-1], lambda a: a[:, ::2], lambda a: np.asfortranarray(a), lambda a: a.astype(">f4")],
    ids=["transposed", "backwards", "every second", "column by column", "other byte order"],
)
def test_views_come_back_as_they_were(view, tmp_path):
    array = view(np.arange(12.0, dtype=np.float32).reshape(3, 4))
    write_tensors(tmp_path / "a.safetensors", {"a": array})
    assert np.array_equal(read_tensors(tmp_path / "a.safetensors")["a"], array)


def test_the_ending_may_be_in_capitals(tmp_path):
    model = Sequential(Linear(3, 2)).build()
    model.save(tmp_path / "WEIGHTS.SAFETENSORS")
    assert read_tensors(tmp_path / "WEIGHTS.SAFETENSORS").keys() == model.parameters.snapshot().keys()


def test_the_file_is_one_that_the_library_of_the_format_reads(tmp_path):
    from safetensors.numpy import load_file

    model = Sequential(Linear(3, 2)).build()
    model.save(tmp_path / "weights.safetensors")
    found = load_file(tmp_path / "weights.safetensors")
    assert np.array_equal(found["0.weight"], model[0].weight.value)


def test_numbers_of_sixteen_bits(tmp_path):
    import ml_dtypes
    from safetensors.numpy import save_file

    model = Linear(3, 2).build()
    weights = {name: value.astype(ml_dtypes.bfloat16) for name, value in model.parameters.snapshot().items()}
    save_file(weights, tmp_path / "half.safetensors")
    model.load(tmp_path / "half.safetensors")
    assert np.array_equal(model.weight.value, weights["weight"].astype(np.float32))


def test_damaged_other_and_missing_files_are_refused_and_the_model_stays(tmp_path):
    model = Sequential(Linear(3, 2)).build()
    before = model.parameters.snapshot()
    path = tmp_path / "weights.safetensors"
    with pytest.raises(DataError, match="found nothing"):
        model.load(path)
    model.save(path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match="expected a safetensors file"):
        model.load(path)
    path.write_bytes(b"x" * 100)
    with pytest.raises(DataError, match="expected a safetensors file"):
        model.load(path)
    Sequential(Linear(3, 3)).build().save(path)
    with pytest.raises(DataError, match="weight"):
        model.load(path)
    assert all(np.array_equal(before[name], value) for name, value in model.parameters.snapshot().items())


def test_a_name_of_the_format_itself_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected names other than __metadata__"):
        write_tensors(tmp_path / "a.safetensors", {"__metadata__": np.ones(2)})
    assert list(tmp_path.iterdir()) == []


def test_parts_by_a_pattern(tmp_path):
    model, other = (Sequential(Linear(3, 2), Linear(2, 2)).build(seed=seed) for seed in (0, 1))
    model.save(tmp_path / "weights.safetensors")
    other.load(tmp_path / "weights.safetensors", names="0.*")
    assert np.array_equal(other[0].weight.value, model[0].weight.value)
    assert not np.array_equal(other[1].weight.value, model[1].weight.value)


@pytest.mark.parametrize("make", [lambda: Linear(3, 3), lambda: Conv2D(3, 3, 3)], ids=["square", "kernel"])
def test_weights_of_pytorch_that_fit_both_ways_round_are_refused_by_load(tmp_path, make):
    from safetensors.numpy import save_file

    from minidl.interop import load_torch_state_dict, torch_state_dict

    path, one, other = tmp_path / "theirs.safetensors", make().build(), make().build(seed=1)
    save_file(torch_state_dict(one), path)
    before = other.parameters.value.copy()
    with pytest.raises(DataError, match=r"weight \(3, 3.*may stand turned: load_torch_state_dict"):
        other.load(path)
    assert np.array_equal(other.parameters.value, before)
    load_torch_state_dict(other, read_tensors(path))
    assert np.array_equal(other.weight.value, one.weight.value)
    one.save(tmp_path / "ours.safetensors")
    assert np.array_equal(make().build(seed=2).load(tmp_path / "ours.safetensors").weight.value, one.weight.value)
