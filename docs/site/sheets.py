"""The pages of the reference and their groups: names as people look for them."""

from typing import NamedTuple


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
        "See inside: recorders and diagnoses",
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
                "layer_test loss_test model_test regularizer_test optimizer_test schedule_test callback_test "
                "function_test",
            ),
            group(
                "A check that runs at once",
                "check_layer check_loss check_model check_regularizer check_optimizer check_schedule check_callback "
                "check_function",
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
