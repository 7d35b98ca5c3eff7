"""minidl.testing.torch: silent on PyTorch's own functions, and every custom one that is wrong is caught."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.corpus.outside import RIGHT, WRONG

pytestmark = pytest.mark.needs_torch
if find_spec("torch"):
    import torch

    from minidl.testing import FunctionCheckError
    from minidl.testing.torch import check_function, check_module, function_test, module_test
    from tests.corpus.outside.contract import Square
    from tests.corpus.outside.rows import LINEAR, Linear
    from tests.tools import outside_checks


@pytest.mark.parametrize("item", RIGHT, ids=lambda item: item.name)
def test_a_function_of_pytorch_raises_no_alarm(item):
    error = outside_checks.found(item, 15)
    assert error is None, error


@pytest.mark.parametrize("item", WRONG, ids=lambda item: item.name)
def test_a_wrong_function_is_caught_on_a_small_case_that_its_line_repeats(item):
    error = outside_checks.found(item, 100)
    assert error is not None
    large = ("LinearSquareTransposed", "BiasOnlyBesideX")
    assert outside_checks.numbers_in(error) <= (12 if item.name in large else 4), error
    line = re.search(r"repeat with\s+(.*)", str(error))[1]
    with pytest.raises(FunctionCheckError) as again:
        eval(line, {"check_function": check_function, item.name: item.thing})
    assert again.value.property == error.property


def test_the_corpora_are_as_large_as_promised_and_the_page_has_their_tables():
    assert len(RIGHT) >= 30
    assert len(WRONG) >= 30
    page = (Path(__file__).parents[2] / "docs" / "custom_gradients.md").read_text(encoding="utf-8")
    assert all(f"| {item.name} | none |" in page for item in RIGHT)
    assert all(f"| {item.name} | {item.thing.__doc__} |".replace("|x|", "\\|x\\|") in page for item in WRONG)


def test_right_functions_of_one_input_and_of_several_pass():
    assert check_function(Square).passed
    report = check_function(Linear, shape=LINEAR)
    assert report.passed
    tried = {result.name for result in report if result.verdict == "passed"}
    assert {"any memory layout", "needs_input_grad is only a hint", "float32"} <= tried
    assert report.parameters is None


def test_further_arguments_go_where_forward_has_them():
    class Scaled(torch.autograd.Function):
        @staticmethod
        def forward(x, factor, power=1, *more):
            return factor * x**power

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0])
            ctx.factor, ctx.power = inputs[1:3]

        @staticmethod
        def backward(ctx, dy):
            (x,) = ctx.saved_tensors
            return dy * ctx.factor * ctx.power * x ** (ctx.power - 1), None, None

    assert check_function(Scaled, factor=2.0, power=st.sampled_from([1, 2, 3])).passed
    with pytest.raises(FunctionCheckError, match=r"factor=3\.0, power=2\)"):
        check_function(
            type("Wrong", (Scaled,), {"backward": staticmethod(lambda ctx, dy: (dy, None, None))}), factor=3.0, power=2
        )
    with pytest.raises(TypeError, match="expected factor of Scaled"):
        check_function(Scaled, power=2)
    with pytest.raises(TypeError, match="expected arguments of Square"):
        check_function(Square, factor=2.0)


def test_a_size_has_a_strategy_and_a_number_needs_no_axes():
    class Halves(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, gain):
            ctx.save_for_backward(x, gain)
            a, b = x.chunk(2, dim=1)
            return gain * a * b

        @staticmethod
        def backward(ctx, dy):
            x, gain = ctx.saved_tensors
            a, b = x.chunk(2, dim=1)
            return gain * torch.cat([dy * b, dy * a], dim=1), (dy * a * b).sum()

    assert check_function(Halves, shape={"x": ("n", "k"), "gain": ()}, k=st.sampled_from([2, 4])).passed


def test_what_no_author_wrote_is_no_line_of_the_author():
    with pytest.raises(FunctionCheckError, match="it raised TypeError") as caught:
        check_function(lambda x, y: x)
    assert ".py: " not in str(caught.value)


def test_inputs_stand_in_the_order_of_forward():
    with pytest.raises(TypeError, match=r"in the order of Linear.forward, \['x', 'weight', 'bias'\], received \['w"):
        check_function(Linear, shape={name: LINEAR[name] for name in ("weight", "x", "bias")})


def test_several_outputs_some_of_them_not_differentiable():
    class MaxAndPlace(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y, place = x.max(dim=1)
            ctx.save_for_backward(place)
            ctx.shape = x.shape
            ctx.mark_non_differentiable(place)
            return y, place, x * 2

        @staticmethod
        def backward(ctx, dy, _, dz):
            (place,) = ctx.saved_tensors
            return torch.zeros(ctx.shape, dtype=dy.dtype).scatter(1, place[:, None], dy[:, None]) + 2 * dz

    assert check_function(MaxAndPlace).passed


def test_a_module_is_checked_in_both_modes_with_its_parameters():
    class Scale(torch.nn.Module):
        def __init__(self, features, wrong=False):
            super().__init__()
            self.gain = torch.nn.Parameter(torch.ones(features))
            self.wrong = wrong

        def forward(self, x):
            return x * (self.gain.detach() if self.wrong and self.training else self.gain)

    report = check_module(Scale)
    assert report.passed
    assert report.parameters == ("gain",)
    with pytest.raises(FunctionCheckError) as caught:
        check_module(Scale, wrong=True)
    text = str(caught.value)
    assert "the gradient of gain is wrong" in text
    assert "dgain is 0 everywhere" in text
    assert "mode           training" in text
    line = re.search(r"repeat with\s+(.*)", text)[1]
    with pytest.raises(FunctionCheckError):
        eval(line, {"check_module": check_module, "Scale": Scale})
    made = Scale(3)
    assert check_module(made, shape=("n", 3), max_examples=20).passed
    assert made.gain.grad is None
    assert made.training


def test_a_module_of_several_is_left_alone_where_kinks_meet():
    def network(features):
        return torch.nn.Sequential(torch.nn.Linear(features, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))

    report = check_module(network, max_examples=20)
    assert report.passed
    assert report["derivatives on the grid"].verdict == "not tried"


def test_a_module_of_whole_numbers_has_its_parameters_checked():
    options = {"num_embeddings": st.integers(1, 4), "embedding_dim": 2, "max_examples": 20}
    report = check_module(torch.nn.Embedding, shape=("n", "length"), integers=(0, "num_embeddings"), **options)
    assert report.passed
    assert report.parameters == ("weight",)


def test_what_draws_declares_it():
    def dropped(x):
        return torch.nn.functional.dropout(x, 0.5)

    state = torch.get_rng_state()
    assert check_function(dropped, stochastic=True, max_examples=30).passed
    assert torch.equal(state, torch.get_rng_state())
    with pytest.raises(FunctionCheckError, match="what is random must be declared"):
        check_function(dropped)


def test_a_graph_that_is_cut_and_outputs_that_are_none_are_said():
    with pytest.raises(FunctionCheckError, match="is the graph cut"):
        check_function(lambda x: x.detach())
    with pytest.raises(FunctionCheckError, match="expected a tensor or a tuple of tensors as output"):
        check_function(lambda x: {"y": x})
    with pytest.raises(FunctionCheckError, match=r"received torch\.bfloat16"):
        check_function(lambda x: x.bfloat16())


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(TypeError, match="use check_module"):
        check_function(torch.nn.ReLU())
    with pytest.raises(TypeError, match=r"expected a torch\.nn\.Module, its class or a factory"):
        check_module(3)
    with pytest.raises(TypeError, match=r"expected a torch\.nn\.Module, its class or a factory"):
        check_module(lambda features: torch.relu)
    with pytest.raises(TypeError, match=r"expected a torch.autograd.Function or a function"):
        check_function(torch.Tensor)
    with pytest.raises(ValueError, match="of other names than the parameters"):
        check_module(torch.nn.PReLU(), shape={"weight": ("n", "k")})


def test_a_test_of_it_is_one_line():
    function_test(Square)()
    module_test(torch.nn.LayerNorm, shape=("n", "normalized_shape"))()


def test_the_table_is_written_into_its_place(monkeypatch, capsys, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- right -->\nold\n<!-- end -->\nb\n<!-- wrong -->\nold\n<!-- end -->\n", encoding="utf-8")
    monkeypatch.setattr(outside_checks, "PAGE", page)
    monkeypatch.setattr(outside_checks, "RIGHT", RIGHT[:1])
    monkeypatch.setattr(outside_checks, "WRONG", WRONG[:1])
    monkeypatch.setattr(outside_checks, "ON_GRID", 2)
    monkeypatch.setattr("sys.argv", ["outside_checks", "--cases", "5", "--jobs", "1", "--write"])
    with pytest.raises(SystemExit) as stopped:
        outside_checks.main()
    assert stopped.value.code == 0
    assert "right: 1 of 1 left alone; wrong: 1 of 1 caught" in capsys.readouterr().out
    assert "| relu | none |" in page.read_text(encoding="utf-8")
    assert "old" not in page.read_text(encoding="utf-8")
