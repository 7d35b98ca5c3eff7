"""Where speed is bought: functions that layers and optimizers call by name, each in NumPy and as a compiled loop.

With numba installed (`pip install "minidl[fast]"`) the compiled forms are used, and nothing changes in anybody's code.
Without it everything works as it is written in NumPy. `report()` prints which form is in use and why; the environment
variable MINIDL_KERNELS=numpy, or `use("numpy")`, turns the compiled forms off.
"""

from importlib import import_module

from minidl.kernels.forms import KERNELS, form, reason, use, using

__all__ = ["form", "report", "use", "using"]

HOMES = (
    "activations",
    "gates",
    "normalizing",
    "patches",
    "pooling",
    "products",
    "rows",
    "scores",
    "softmax",
    "updates",
)


def report() -> None:
    """Print which form of each kernel is in use, and why.

    >>> with using("numpy"):
    ...     report()  # doctest: +ELLIPSIS
    kernels in NumPy: chosen
      activations: logistic, logistic_backward, ...
    """
    names = {"numpy": "in NumPy", "compiled": "compiled"}
    print(f"kernels {names[form()]}: {reason()}")
    for home in HOMES:
        module = f"{__name__}.{home}"
        import_module(module)
        print(f"  {home}: {', '.join(name for name, kernel in KERNELS.items() if kernel.__module__ == module)}")
