"""Every public name of minidl, where it is imported from, and how the reference groups them."""

import importlib
import inspect
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from typing import NamedTuple

from sphinx.ext.autodoc.mock import mock

from docs.site.links import ROOT

OPTIONAL = ("mpi4py", "sklearn", "pandas", "torch", "jax", "onnx", "safetensors", "h5py", "optuna", "distributed")


class Group(NamedTuple):
    """Some names under one heading."""

    title: str
    names: tuple[str, ...]


class Sheet(NamedTuple):
    """A page of the reference; names of `modules` that no group has come last on it."""

    name: str
    title: str
    modules: tuple[str, ...]
    groups: tuple[Group, ...] = ()


def group(title: str, names: str) -> Group:
    """A group from its names in one text."""
    return Group(title, tuple(names.split()))


SHEETS = (
    Sheet(
        "layers",
        "Layers",
        ("minidl.layers",),
        (
            group("Rows", "Linear Maxout"),
            group("Images", "Conv2D MaxPool2D AveragePool2D GlobalAveragePool2D Flatten Reshape"),
            group("Sequences", "Conv1D Embedding PositionalEncoding RNN LSTM GRU SelfAttention"),
            group("Activations", "ReLU LeakyReLU ELU SELU GELU SiLU Softplus Sigmoid Tanh HardTanh Softmax LogSoftmax"),
            group("Normalization and dropout", "BatchNorm LayerNorm GroupNorm Dropout"),
            group("Containers", "Sequential Residual Parallel"),
            group("To write a layer", "Layer Elementwise ShapeError SampleShape"),
        ),
    ),
    Sheet(
        "losses",
        "Losses and penalties",
        ("minidl.regularizers",),
        (
            group(
                "Losses of classes",
                "SoftmaxCrossEntropy BinaryCrossEntropy Focal Hinge WestonWatkinsHinge SquaredHinge",
            ),
            group("Losses of numbers", "MeanSquaredError MeanAbsoluteError Huber"),
            group("Penalties (regularizers)", "L2 L1 ElasticNet"),
            group("To write a loss", "Loss ClassLoss"),
        ),
    ),
    Sheet(
        "optimizers",
        "Optimizers, clipping and learning rates",
        ("minidl.optim",),
        (
            group("Optimizers", "SGD Adam AdamW Nadam RMSprop Adagrad Adadelta Lion LBFGS"),
            group("Clipping", "ClipNorm ClipValue global_norm"),
            group(
                "Learning rates that change (schedules)",
                "Constant ExponentialDecay StepDecay MultiStepDecay PolynomialDecay CosineDecay CosineRestarts "
                "OneCycle TriangularCycle LinearWarmup InverseSquareRoot Joined",
            ),
            group("To write an optimizer or a schedule", "Optimizer Schedule LearningRate"),
        ),
    ),
    Sheet(
        "training",
        "Training",
        ("minidl.training",),
        (
            group("The trainer and what it records", "Trainer History DivergenceError"),
            group("Stop early, keep, go on", "EarlyStopping Checkpoint ReduceOnPlateau"),
            group("What happens to the weights", "AverageWeights ExponentialAverage MaxNorm"),
            group("To write a callback", "Callback Monitor"),
        ),
    ),
    Sheet(
        "diagnostics",
        "See inside",
        ("minidl.diagnostics",),
        (
            group("While it trains", "Recorder diagnose Diagnosis Finding"),
            group("Before a long run", "preflight Preflight range_test RangeTest overfit_one_batch expected_loss"),
            group("One step, one input", "explain_step StepExplanation saliency"),
        ),
    ),
    Sheet(
        "metrics",
        "Metrics",
        ("minidl.metrics",),
        (
            group(
                "Of classes",
                "accuracy top_k_accuracy confusion_matrix classification_report ClassificationReport ignoring",
            ),
            group("Of yes and no, and of several labels", "binary_accuracy f1_score subset_accuracy label_counts"),
        ),
    ),
    Sheet(
        "data",
        "Data",
        ("minidl.data",),
        (
            group("Data sets", "digits mnist cifar10 DataError"),
            group("Rows and targets", "Dataset join one_hot batches steps_per_epoch order"),
            group("Scaling", "standardize standardize_scalar Standardizer subtract_mean_image"),
            group("Images that change (augmentation)", "RandomFlip RandomCrop RandomErasing flip_horizontal"),
        ),
    ),
    Sheet(
        "plots",
        "Figures",
        ("minidl.plots",),
        (
            group("Of one run, or of several by label", "learning_curves step_curve schedule_curve range_curve"),
            group("Of the layers while they train", "health layer_spreads"),
            group("Of repeated runs", "mean_curves error_bars grid_heatmap histograms small_multiples"),
            group(
                "Of what a model learned",
                "weight_images filters embedding decision_regions confusion_heatmap true_class_histogram worst_images "
                "sample_images",
            ),
        ),
    ),
    Sheet(
        "testing",
        "Checks",
        ("minidl.testing",),
        (
            group(
                "A whole test in a line",
                "layer_test loss_test model_test regularizer_test optimizer_test schedule_test callback_test function_test",
            ),
            group(
                "A check that runs at once",
                "check_layer check_loss check_model check_regularizer check_optimizer check_schedule check_callback check_function",
            ),
            group(
                "To look at a derivative",
                "explain Explanation NumericBackward central_difference complex_step relative_error",
            ),
            group(
                "What is drawn",
                "class_labels binary_labels real_targets probability_rows fractions grid_arrays at_least",
            ),
            group(
                "What a check returns or raises",
                "Report PropertyResult CheckError LayerCheckError LossCheckError ModelCheckError RegularizerCheckError "
                "OptimizerCheckError ScheduleCheckError CallbackCheckError FunctionCheckError",
            ),
        ),
    ),
    Sheet("grading", "Grading", ("minidl.testing.grading",)),
    Sheet("frameworks", "Checks of PyTorch and JAX", ("minidl.testing.torch", "minidl.testing.jax")),
    Sheet("formats", "Other formats: PyTorch, ONNX", ("minidl.interop", "minidl.onnx")),
    Sheet("sklearn", "Estimators of scikit-learn", ("minidl.sklearn",)),
    Sheet("experiments", "Many runs", ("minidl.experiments",), (group("Plan and run", "plan grid execute"),)),
    Sheet("distributed", "Several processes", ("minidl.distributed",)),
    Sheet(
        "parameters",
        "Parameters and initial values",
        ("minidl.parameters", "minidl.initializers"),
        (group("Parameters", "Parameter State Parameters copy_into"),),
    ),
    Sheet("below", "Files, seeds, kernels", ("minidl.storage", "minidl.seeding", "minidl.kernels", "minidl")),
)


def absent() -> AbstractContextManager[None]:
    """A block in which optional packages that are not installed can be imported all the same, as empty stand-ins."""
    return mock([package for package in OPTIONAL if not find_spec(package)])


def public_modules() -> list[str]:
    """The modules that docs/public.md lists."""
    page = (ROOT / "docs" / "public.md").read_text(encoding="utf-8").partition("Where a package")[0]
    return list(dict.fromkeys(re.findall(r"`(minidl[\w.]*)`", page)))


def names_of(module: object) -> Iterator[str]:
    """The public names of a module: its `__all__`, or the classes and functions that it defines."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        yield from (name for name in listed if not name.startswith("_"))
        return
    for name, thing in vars(module).items():
        own = getattr(thing, "__module__", None) == getattr(module, "__name__", "")
        if not name.startswith("_") and own and (inspect.isclass(thing) or inspect.isroutine(thing)):
            yield name


def public_names() -> dict[str, dict[str, object]]:
    """What is public, by module and name; a thing with several names stands under the shortest module only."""
    found: dict[str, dict[str, object]] = {}
    seen: set[int] = set()
    with absent():
        for module in sorted(public_modules(), key=lambda name: (name.count("."), name)):
            loaded = importlib.import_module(module)
            things = {name: getattr(loaded, name) for name in names_of(loaded)}
            found[module] = {name: thing for name, thing in things.items() if id(thing) not in seen}
            seen |= {id(thing) for thing in found[module].values()}
    return found


def home_of(thing: object, module: str) -> str:
    """The public module below `minidl` that a thing belongs to by where it is defined; else the one it was found in."""
    defined = getattr(thing, "__module__", module)
    return max((name for name in public_modules() if f"{defined}.".startswith(f"{name}.")), key=len, default=module)


def sheets() -> list[Sheet]:
    """Every page with every public name on exactly one; a public module that no page has gets one of its own."""
    found = public_names()
    belonging: dict[str, list[str]] = {}
    at: dict[str, str] = {}
    for module, things in found.items():
        for name, thing in things.items():
            full = f"{module}.{name}"
            at.setdefault(name if module != "minidl.distributed" else full, full)
            belonging.setdefault(home_of(thing, module) if module == "minidl" else module, []).append(full)
    taken: set[str] = set()
    result = []
    for sheet in SHEETS:
        groups = [Group(title, tuple(at[name] for name in names if name in at)) for title, names in sheet.groups]
        taken |= {full for _, names in groups for full in names}
        result.append(sheet._replace(groups=tuple(groups)))
    known = {module for sheet in SHEETS for module in sheet.modules}
    for module in [module for module in found if module not in known and belonging.get(module)]:
        result.append(Sheet(module.removeprefix("minidl."), module, (module,)))
    for place, sheet in enumerate(result):
        rest = tuple(full for module in sheet.modules for full in belonging.get(module, ()) if full not in taken)
        title = "More" if sheet.groups else "All"
        result[place] = sheet._replace(groups=(*sheet.groups, Group(title, rest))) if rest else sheet
    return [sheet for sheet in result if any(names for _, names in sheet.groups)]
