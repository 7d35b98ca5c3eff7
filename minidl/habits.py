"""What people of PyTorch, Keras and scikit-learn look for in `minidl`, and what it is called here."""

import sys
from collections.abc import Iterator
from typing import Any

NAMES = {  # ours, as it stands below `minidl`: those of others, where they differ by more than capitals and underscores
    "Linear": "Dense FullyConnected Affine InnerProduct LazyLinear",
    "Conv1D": "Convolution1D LazyConv1d",
    "Conv2D": "Convolution2D Convolution Conv LazyConv2d",
    "MaxPool2D": "MaxPooling2D MaxPooling MaxPool",
    "AveragePool2D": "AveragePooling2D AveragePooling AvgPool AvgPool2D",
    "GlobalAveragePool2D": "GlobalAveragePooling2D GlobalAvgPool2D AdaptiveAvgPool2d",
    "BatchNorm": "BatchNormalization BatchNorm1D BatchNorm2D",
    "LayerNorm": "LayerNormalization",
    "GroupNorm": "GroupNormalization",
    "Dropout": "Dropout1d Dropout2d SpatialDropout2D",
    "Flatten": "Ravel",
    "Reshape": "View Unflatten",
    "Residual": "ResidualBlock ResBlock SkipConnection Skip",
    "Parallel": "Concatenate Concat Branches Split",
    "Sequential": "Compose Chain Pipeline MLP",
    "ReLU": "Rectifier Rectify",
    "Sigmoid": "Logistic",
    "SiLU": "Swish",
    "SelfAttention": "MultiheadAttention MultiHeadAttention Attention ScaledDotProductAttention",
    "PositionalEncoding": "PositionEmbedding PositionalEmbedding",
    "RNN": "SimpleRNN Elman",
    "Layer": "Module Model Block",
    "State": "Buffer",
    "Parameter": "Variable Weight",
    "SoftmaxCrossEntropy": "CrossEntropyLoss CrossEntropy CategoricalCrossentropy SparseCategoricalCrossentropy",
    "BinaryCrossEntropy": "BCELoss BCEWithLogitsLoss BCE SigmoidCrossEntropy BinaryCrossEntropyLoss",
    "MeanSquaredError": "MSELoss MSE L2Loss SquaredError",
    "MeanAbsoluteError": "L1Loss MAE AbsoluteError",
    "Huber": "HuberLoss SmoothL1Loss",
    "Hinge": "CategoricalHinge HingeLoss SVMLoss",
    "WestonWatkinsHinge": "MultiMarginLoss",
    "Focal": "FocalLoss CategoricalFocalCrossentropy",
    "SGD": "Momentum Nesterov GradientDescent StochasticGradientDescent",
    "AdamW": "AdamWeightDecay",
    "ExponentialAverage": "EMA ExponentialMovingAverage",
    "AverageWeights": "AveragedModel SWA StochasticWeightAveraging",
    "Checkpoint": "ModelCheckpoint BackupAndRestore",
    "ReduceOnPlateau": "ReduceLROnPlateau",
    "Trainer": "Learner Estimator Solver NeuralNetClassifier",
    "ClipNorm": "clip_grad_norm_ GlobalClipNorm",
    "ClipValue": "clip_grad_value_",
    "L1": "L1Regularizer",
    "L2": "L2Regularizer WeightDecay",
    "ElasticNet": "L1L2",
    "Dataset": "TensorDataset ArrayDataset",
    "data.batches": "DataLoader",
    "data.standardize": "StandardScaler Normalization Normalize",
    "data.one_hot": "OneHotEncoder to_categorical",
    "data.RandomFlip": "RandomHorizontalFlip",
    "optim.StepDecay": "StepLR ExponentialLR",
    "optim.MultiStepDecay": "MultiStepLR PiecewiseConstantDecay",
    "optim.CosineDecay": "CosineAnnealingLR CosineLR",
    "optim.CosineRestarts": "CosineAnnealingWarmRestarts CosineDecayRestarts",
    "optim.OneCycle": "OneCycleLR",
    "optim.PolynomialDecay": "PolynomialLR",
    "optim.InverseSquareRoot": "NoamLR",
    "optim.TriangularCycle": "CyclicLR",
    "optim.Joined": "SequentialLR",
    "initializers.glorot_uniform": "xavier_uniform_ XavierUniform",
    "initializers.he_normal": "kaiming_normal_ KaimingNormal",
}
ABSENT = "it is left out on purpose: docs/not.md says why, and what to do"
WORDS = {
    "Tensor tensor array from_numpy": "arrays are numpy arrays: np.array(...)",
    "no_grad inference_mode grad backward GradientTape": "every layer has its own backward, and nothing is recorded",
    "Input InputLayer": "the first layer knows what it takes: leave it out",
    "nn functional": "layers and losses are in minidl itself: from minidl import Linear, ReLU",
    "manual_seed set_seed seed": "build(seed=...) and fit(seed=...) take a seed, there is no global one",
    "device cuda cpu": "numbers are in main memory, there is no GPU: leave it out",
    "save load": "model.save(path) and model.load(path)",
    "fit": "Trainer(model, loss, optimizer).fit(train, validation, epochs=...)",
    "MLPClassifier MLPRegressor": "from minidl.sklearn import MLPClassifier, MLPRegressor",
    "train_test_split KFold": "Dataset.split(0.8, 0.2) and Dataset.folds(k)",
    "ConvTranspose1d ConvTranspose2d Conv1DTranspose Conv2DTranspose Conv3d Conv3D Bidirectional": ABSENT,
    "NLLLoss": "SoftmaxCrossEntropy takes raw scores: leave LogSoftmax out",
    "InstanceNorm1d InstanceNorm2d InstanceNormalization": "GroupNorm(channels, channels)",
    "GlobalMaxPooling2D GlobalMaxPool2D AdaptiveMaxPool2d": "MaxPool2D(size) with the size of the image, and Flatten()",
    "MaxPool1d MaxPool1D MaxPooling1D AvgPool1d AveragePool1D": "Reshape(1, time, channels) and MaxPool2D((2, 1))",
    "Identity": "Sequential() returns what it is given",
    "Add": "Residual(*layers) is x + f(x), Parallel(*branches) a sum",
    "ModuleList ModuleDict": "layers in a list or a dict of a layer belong to it",
    "TimeDistributed": "Linear, BatchNorm and activations take (n, time, features)",
    "ZeroPadding2D ZeroPad2d": "padding=... of Conv2D and the poolings",
    "LSTMCell GRUCell RNNCell": "LSTM, GRU and RNN take all steps at once",
}


class Unknown:
    """What an error says about a name that is not in `minidl`, found out when it is read.

    >>> from minidl import optim
    >>> print(Unknown("Dense"))
    minidl has no 'Dense': write Linear
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        advice = advice_on(self.name)
        return f"minidl has no {self.name!r}" + (f": {advice}" if advice else "")

    def __repr__(self) -> str:
        return repr(str(self))

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """A copy or pickle of the error takes the text along."""
        return str, (str(self),)


def unknown(name: str) -> Exception:
    """The error for a name that `minidl` does not have, for its `__getattr__` to raise.

    Of `from minidl import name`, Python turns an AttributeError into a text of its own; so there it is an ImportError.
    """
    from dis import opmap

    frame = sys._getframe(2)
    importing = frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]
    if importing and not name.startswith("_") and f"minidl.{name}" not in sys.modules:  # where Python looks next
        return ImportError(Unknown(name), name="minidl")
    return AttributeError(Unknown(name), name=name)


def advice_on(name: str) -> str:
    """What to write instead of a name of another library, or a misspelt one; "" where nothing is known."""
    from difflib import get_close_matches  # slow to load, and for errors only
    from importlib.util import find_spec

    if not name.startswith("_") and find_spec(f"minidl.{name}"):
        return f"write import minidl.{name}"
    here = {_folded(path): path for path in public()}
    for path, words in NAMES.items():
        if _folded(name) in map(_folded, words.split()) and _folded(path) in here:
            return f"write {here[_folded(path)]}"
    for words, advice in WORDS.items():
        if name in words.split():
            return advice
    by_name = {_folded(path.rpartition(".")[2]): path for path in here.values()}
    close = get_close_matches(_folded(name), by_name, n=1, cutoff=0.75)
    return f"did you mean {by_name[close[0]]}?" if close else ""


def public() -> Iterator[str]:
    """Every public name, as it stands below `minidl`, of the package and of what it loads."""
    package: Any = sys.modules["minidl"]
    for within in ("initializers", "data", "optim"):  # what is in both is named without its package
        yield from (f"{within}.{name}" for name in _listed(sys.modules.get(f"minidl.{within}")))
    yield from package.__all__


def _listed(module: Any) -> list[str]:
    own = [name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__]
    names: list[str] = getattr(module, "__all__", own) if module is not None else []
    return [name for name in names if not name.startswith("_")]


def _folded(name: str) -> str:
    return name.replace("_", "").lower()
