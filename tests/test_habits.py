"""Names of other libraries, and misspelt ones, in `minidl`."""

import pickle
import subprocess
import sys

import pytest

import minidl
from minidl.habits import NAMES, WORDS, public

COMING = {  # names that other parts of this version bring; each goes from here when it is there
    *("Residual", "Parallel"),
    *("RNN", "SelfAttention", "PositionalEncoding"),
}


def test_every_name_that_is_advised_is_there():
    assert set(NAMES) - COMING <= set(public())


def test_no_name_of_others_is_given_twice_or_is_one_of_ours():
    words = [word for several in [*NAMES.values(), *WORDS] for word in several.split()]
    assert len(words) == len(set(words))
    assert not set(words) & {path for path in public() if "." not in path}


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("Dense", "write Linear"),
        ("CrossEntropyLoss", "write SoftmaxCrossEntropy"),
        ("BCEWithLogitsLoss", "write BinaryCrossEntropy"),
        ("MSELoss", "write MeanSquaredError"),
        ("Module", "write Layer"),
        ("DataLoader", "write data.batches"),
        ("OneCycleLR", "write optim.OneCycle"),
        ("Relu", "did you mean ReLU?"),
        ("Sequental", "did you mean Sequential?"),
        ("rms_prop", "did you mean RMSprop?"),
        ("CosineDecay", "did you mean optim.CosineDecay?"),
        ("he_normal", "did you mean initializers.he_normal?"),
        ("Conv3d", "it is left out on purpose: docs/not.md says why, and what to do"),
        ("Identity", "Sequential() returns what it is given"),
        ("Tensor", "arrays are numpy arrays: np.array(...)"),
        ("MLPClassifier", "from minidl.sklearn import MLPClassifier, MLPRegressor"),
    ],
)
def test_an_attribute_of_others_says_what_it_is_called_here(name, advice):
    with pytest.raises(AttributeError) as caught:
        getattr(minidl, name)
    assert str(caught.value) == f"minidl has no {name!r}: {advice}"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert caught.value.name == name


@pytest.mark.parametrize(("theirs", "ours"), [("Conv2d", "Conv2D"), ("MaxPooling2D", "MaxPool2D")])
def test_a_name_is_advised_once_it_is_there(theirs, ours, monkeypatch):
    monkeypatch.setattr(minidl, "__all__", [*minidl.__all__, ours])
    with pytest.raises(AttributeError, match=f"minidl has no '{theirs}': (write|did you mean) {ours}"):
        getattr(minidl, theirs)


def test_an_import_of_others_says_so_too():
    for line in ("from minidl import Dense", "from minidl import SGD, Dense as Layer"):
        with pytest.raises(ImportError, match=r"^minidl has no 'Dense': write Linear$"):
            exec(line, {})


def test_a_module_that_is_not_loaded_is_named_with_its_import():
    code = "import minidl\ntry:\n    minidl.plots\nexcept AttributeError as error:\n    print(error)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "minidl has no 'plots': write import minidl.plots"


def test_what_nobody_knows_is_said_without_advice():
    with pytest.raises(AttributeError, match=r"^minidl has no 'xyzzy'$"):
        _ = minidl.xyzzy


def test_asking_whether_it_is_there_builds_no_message(monkeypatch):
    monkeypatch.setattr("minidl.habits.advice_on", None)
    assert not hasattr(minidl, "Dense")
    assert not hasattr(minidl, "__wrapped__")
    assert getattr(minidl, "Dense", 3) == 3
