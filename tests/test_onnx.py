"""Models as ONNX files: the same numbers in another runtime."""

import copy

import numpy as np
import pytest

from minidl import SGD, BatchNorm, Linear, MeanSquaredError, ReLU, Residual, Sequential, Trainer, layers
from minidl.layers import LSTM, Conv2D, Embedding, Layer, MaxPool2D, PositionalEncoding, SelfAttention, ShapeError
from tests.every_layer import examples

pytestmark = pytest.mark.needs_onnx
DTYPES = [np.float32, np.float64]
TOLERANCE = {np.float32: 2e-6, np.float64: 1e-12}


def run(path, x):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def check(model, x, path, dtype, **options):
    from minidl.onnx import export

    export(model, path, **options)
    for rows in (len(x), 1):
        y, expected = run(path, x[:rows]), model.predict(x[:rows])
        assert y.dtype == dtype
        assert y.shape == expected.shape
        assert np.abs(y - expected).max() <= TOLERANCE[dtype] * max(1, np.abs(expected).max())


def moved(model, x):
    """The model after states and parameters have left where they start."""
    rng = np.random.default_rng(1)
    with model.train_mode():
        model.forward(x)
    for owner in [*model.named_parameters().values(), *model.named_states().values()]:
        owner.value = owner.value + (0.3 * rng.random(owner.shape)).astype(owner.value.dtype)
    return model


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("example", examples(), ids=lambda example: repr(example.layer))
def test_every_layer_is_the_same_in_the_runtime(example, dtype, tmp_path):
    x = example.x(5, dtype=dtype)
    model = moved(copy.deepcopy(example.layer).build(dtype=dtype), x)
    check(model, x, tmp_path / "model.onnx", dtype, input_shape=example.shape)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nested_models_of_images(dtype, tmp_path):
    model = Sequential(
        Conv2D(3, 8, 3, padding="same"),
        BatchNorm(8),
        ReLU(),
        Residual(Conv2D(8, 8, 3, padding=1), layers.GroupNorm(2, 8), ReLU()),
        MaxPool2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        Linear(8 * 36, 10),
    ).build(seed=0, dtype=dtype, input_shape=(3, 12, 12))
    x = np.random.default_rng(0).normal(size=(4, 3, 12, 12)).astype(dtype)
    check(moved(model, x), x, tmp_path / "model.onnx", dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sequences_of_any_length(dtype, tmp_path):
    from minidl.onnx import export

    model = Sequential(
        Embedding(20, 8),
        PositionalEncoding(8),
        Residual(SelfAttention(8, 2, causal=True), layers.LayerNorm(8)),
        LSTM(8, 6, last=True),
        Linear(6, 2),
    ).build(seed=0, dtype=dtype)
    export(model, tmp_path / "model.onnx", input_shape=(None,))
    for length in (1, 9, 40):
        x = np.random.default_rng(length).integers(20, size=(3, length))
        assert np.abs(run(tmp_path / "model.onnx", x) - model.predict(x)).max() <= TOLERANCE[dtype]


def test_an_unknown_layer_is_named_and_nothing_is_written(tmp_path):
    from minidl.onnx import export

    class Cube(Layer):
        def forward(self, x):
            return x**3

        def output_shape(self, shape):
            return shape

    model = Sequential(Linear(3, 2), Residual(Cube())).build(seed=0)
    with pytest.raises(TypeError, match=r"received Cube\(\): give Cube a method to_onnx"):
        export(model, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


class Shifted(ReLU):
    """max(0, x) + 1, whose forward ONNX's Relu is not."""

    def forward(self, x):
        return super().forward(x) + 1


def test_a_layer_derived_from_ours_is_not_taken_for_it(tmp_path):
    from minidl.onnx import export

    with pytest.raises(TypeError, match=r"received Shifted\(\)"):
        export(Sequential(Linear(3, 2), Shifted()).build(seed=0), tmp_path / "model.onnx")


class Renamed(ReLU):
    """The same forward."""


class Square(Layer):
    """x * x, which says itself what it is."""

    def forward(self, x):
        return x * x

    def output_shape(self, shape):
        return shape

    def to_onnx(self, graph, x, shape):
        return graph("Mul", x, x)


def test_own_layers_write_themselves(tmp_path):
    model = Sequential(Linear(3, 4), Renamed(), Square(), Linear(4, 2)).build(seed=0)
    check(model, np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32), tmp_path / "a.onnx", np.float32)


class Nameless(Square):
    """A layer that forgot to say what its output is called."""

    def to_onnx(self, graph, x, shape):
        graph("Mul", x, x)


def test_own_layers_that_name_no_output_are_refused(tmp_path):
    from minidl.onnx import export

    with pytest.raises(TypeError, match=r"expected to_onnx of Nameless\(\) to return the name .*, received None"):
        export(Sequential(Linear(3, 4), Nameless()).build(), tmp_path / "model.onnx")


def test_sizes_of_numpy_are_sizes(tmp_path):
    x = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    check(Sequential(ReLU()).build(), x, tmp_path / "a.onnx", np.float32, input_shape=(np.int64(3),))


def test_tokens_beside_numbers_are_given_as_numbers(tmp_path):
    tokens = Sequential(Embedding(9, 2), layers.Flatten())
    model = Sequential(layers.Parallel(tokens, Linear(4, 3), join="features")).build()
    x = np.random.default_rng(0).integers(9, size=(3, 4)).astype(np.float32)
    check(model, x, tmp_path / "a.onnx", np.float32, input_shape=(4,))


def test_a_shape_that_nobody_knows_or_that_does_not_fit_is_refused(tmp_path):
    from minidl.onnx import export

    with pytest.raises(ValueError, match=r"begins with ReLU\(\), received input_shape=None"):
        export(Sequential(ReLU()).build(), tmp_path / "model.onnx")
    with pytest.raises(ShapeError, match="Linear"):
        export(Sequential(Linear(3, 2)).build(), tmp_path / "model.onnx", input_shape=(4,))
    with pytest.raises(ValueError, match="give input_shape whole"):
        export(Conv2D(3, 2, 3, padding="same").build(), tmp_path / "model.onnx", input_shape=(3, None, None))
    with pytest.raises(TypeError, match="expected model to be a Layer"):
        export("model", tmp_path / "model.onnx")
    trainer = Trainer(Linear(3, 2).build(), MeanSquaredError(), SGD(0.1))
    with pytest.raises(TypeError, match=r"expected model to be a Layer, received Trainer.*: give its \.model"):
        export(trainer, tmp_path / "model.onnx")
    for shape, error in ((3, TypeError), ((), TypeError), ((-3,), ValueError), (("n", 3), ValueError)):
        with pytest.raises(error, match="input_shape"):
            export(Sequential(ReLU()).build(), tmp_path / "model.onnx", input_shape=shape)
    with pytest.raises(AttributeError, match=r"call build\(seed=...\)"):
        export(Linear(3, 2), tmp_path / "model.onnx")


def test_images_of_any_size(tmp_path):
    from minidl.onnx import export

    model = Sequential(Conv2D(3, 4, 3, padding=1), MaxPool2D(2), layers.GlobalAveragePool2D(), Linear(4, 2)).build()
    export(model, tmp_path / "model.onnx", input_shape=(3, None, None))
    for size in (8, 11):
        x = np.random.default_rng(0).normal(size=(2, 3, size, size)).astype(np.float32)
        assert np.abs(run(tmp_path / "model.onnx", x) - model.predict(x)).max() < 2e-6


def test_names_of_the_file(tmp_path):
    import onnx

    from minidl.onnx import export

    export(Sequential(Linear(3, 2)).build(), tmp_path / "model.onnx")
    file = onnx.load(tmp_path / "model.onnx")
    assert (file.producer_name, file.graph.input[0].name, file.graph.output[0].name) == ("minidl", "x", "y")
    assert [d.dim_param or d.dim_value for d in file.graph.input[0].type.tensor_type.shape.dim] == ["n", 3]


@pytest.mark.needs_onnx
def test_layers_of_a_built_model_can_be_exported_with_a_softmax_more(tmp_path):
    import onnxruntime

    from minidl import Linear, Sequential, Softmax, onnx

    model = Sequential(Linear(3, 4)).build(seed=0)
    onnx.export(Sequential(*model, Softmax()), tmp_path / "model.onnx")
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    (y,) = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(None, {"x": x})
    np.testing.assert_allclose(y, Softmax().forward(model.predict(x)), rtol=2e-6)


@pytest.mark.needs_sklearn
def test_a_model_of_an_estimator_says_the_shape_of_its_rows(tmp_path):
    from minidl.sklearn import MLPClassifier

    x = np.random.default_rng(0).normal(size=(20, 3))
    fitted = MLPClassifier(model=lambda n_in, n_out: Sequential(BatchNorm(n_in), Linear(n_in, n_out)), epochs=1)
    check(fitted.fit(x, x[:, 0] > 0).model_, x, tmp_path / "model.onnx", np.float64)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (Sequential(Embedding(9, 4), LSTM(4, 3, last=True)), (7,)),
        (layers.GRU(4, 3), (7, 4)),
        (Sequential(Conv2D(2, 3, 3), layers.GlobalAveragePool2D()), (2, 7, 7)),
        (layers.Conv1D(4, 3, 3), (7, 4)),
        (Sequential(PositionalEncoding(4), SelfAttention(4)), (7, 4)),
        (layers.Maxout(4, 3, 2), (4,)),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_the_first_layer_says_the_shape_of_a_row_as_far_as_it_knows(model, shape, tmp_path):
    model = copy.deepcopy(model).build()
    tokens = isinstance(model, Sequential) and isinstance(model[0], Embedding)
    rng = np.random.default_rng(0)
    x = rng.integers(9, size=(3, *shape)) if tokens else rng.normal(size=(3, *shape)).astype(np.float32)
    check(model, x, tmp_path / "model.onnx", np.float32)


@pytest.mark.parametrize("kind", [layers.ELU, layers.SELU])
def test_small_numbers_keep_their_digits(kind, tmp_path):
    from minidl.onnx import export

    model = kind().build()
    export(model, tmp_path / "model.onnx", input_shape=(4,))
    x = np.float32([[-1e-7, -1e-4, -3e-3, 1e-6]])
    assert np.allclose(run(tmp_path / "model.onnx", x), model.predict(x), rtol=2e-6, atol=0)
