"""check_function and check_module: derivatives that somebody wrote by hand in PyTorch, as `minidl.testing` checks ours.

    from minidl.testing.torch import check_function, check_module, function_test, module_test

`docs/custom_gradients.md` is the page on it.
"""

import inspect
from collections.abc import Mapping
from functools import update_wrapper
from typing import Any

from minidl.arguments import short
from minidl.testing.functions import call_of, name_of
from minidl.testing.handwritten import FUNCTION, arguments_of, written
from minidl.testing.handwritten.called import Called, How
from minidl.testing.handwritten.case import FunctionCheckError
from minidl.testing.handwritten.drawing import Asked, Domains, Integers, Shapes, function_cases_of
from minidl.testing.running import Cases, as_test, at_once
from minidl.testing.strategies import is_factory
from minidl.testing.torch.tensors import Function, Module, Moduled, Tensors, positional, seeded

__all__ = ["FunctionCheckError", "check_function", "check_module", "function_test", "module_test"]


def _function_cases(
    function: Any,
    shape: Shapes = ("n", "features"),
    *,
    rows_mix: bool = False,
    stochastic: bool = False,
    domain: Domains = None,
    integers: Integers = None,
    constants: tuple[str, ...] = (),
    jumps: tuple[float, ...] = (),
    **arguments: Any,
) -> Cases:
    """The cases of an autograd.Function, or of another function of tensors."""
    is_class = isinstance(function, type)
    if isinstance(function, Module) or (is_class and issubclass(function, Module)):
        raise TypeError(f"expected a function of tensors, received the module {short(function)}: use check_module")
    if not callable(function) or (is_class and not issubclass(function, Function)):
        raise TypeError(f"expected a torch.autograd.Function or a function of tensors, received {short(function)}")
    asked = Asked(shape, rows_mix, stochastic, domain, integers, constants, jumps).of_function()
    names, further = list(asked.shapes), [name for name in arguments if name not in asked.sizes]
    apply = positional(function, names, further) if is_class else None

    def called(made: Mapping[str, Any], used: Mapping[str, Any]) -> tuple[Called, str, str]:
        def call(tensors: Mapping[str, Any], how: How) -> Any:
            if apply is not None:
                return apply({**tensors, **made})
            return function(*(tensors[name] for name in names), **made)

        return Tensors(call), f"check_function({name_of(function)}", written(made)

    return function_cases_of(asked, arguments_of, arguments, called, name_of(function))


def _module_cases(
    module: Any,
    shape: Shapes = ("n", "features"),
    *,
    rows_mix: bool | str = False,
    stochastic: bool = False,
    domain: Domains = None,
    integers: Integers = None,
    constants: tuple[str, ...] = (),
    jumps: tuple[float, ...] = (),
    **arguments: Any,
) -> Cases:
    """The cases of a module: made, or copied, for every case."""
    asked = Asked(shape, rows_mix, stochastic, domain, integers, constants, jumps)
    names, factory = list(asked.shapes), is_factory(module)
    if not factory and not isinstance(module, Module):
        raise TypeError(f"expected a torch.nn.Module, its class or a factory, received {short(module)}")

    def made_from_a_seed(**chosen: Any) -> Any:
        with seeded(0):
            return module(**chosen)

    def called(made: Any, used: Mapping[str, Any]) -> tuple[Called, str, str]:
        if not isinstance(made, Module):
            raise TypeError(f"expected a torch.nn.Module, its class or a factory, received {short(made)}")
        taken = {name: value for name, value in used.items() if factory and (name in known or name in arguments)}
        begins = name_of(module) if factory else call_of(made, {})
        return Moduled(made, names), f"check_module({begins}", written(taken)

    if factory:
        update_wrapper(made_from_a_seed, module, updated=())
        vars(made_from_a_seed)["__signature__"] = inspect.signature(module)
    known = inspect.signature(module).parameters if factory else {}
    thing = made_from_a_seed if factory else module
    return function_cases_of(asked, thing, arguments, called, name_of(module))


@as_test(FUNCTION, _function_cases)
def function_test() -> None:
    """A ready hypothesis test of a `torch.autograd.Function`, or of any function of tensors.

    It is called with a float64 tensor for each input, and again in float32.

    Args:
        function: the class, whose `apply` is called, or a function.
        shape, rows_mix, domain, integers, constants, jumps, settings: as in `minidl.testing.function_test`; the inputs
            stand in the order in which they are handed over.
        stochastic: declare that random numbers are drawn, from the generator of PyTorch.
        arguments: further arguments, each a value or a strategy; those of a `torch.autograd.Function` by the names in
            its `forward`.

    >>> import torch
    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 2
    ...     @staticmethod
    ...     def backward(ctx, dy):
    ...         x, = ctx.saved_tensors
    ...         return 2 * x * dy
    >>> test_square = function_test(Square)
    >>> test_square()
    """


@at_once(FUNCTION, _function_cases)
def check_function() -> None:
    """Run `function_test` at once, on the same `max_examples` cases every time, and return the report.

    `at={"x": ..., "seed": ...}`, as a failure prints it, is one case instead of drawn ones. With `raises=False` every
    property is judged by itself, whatever else fails.

    Raises:
        FunctionCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the
            report.

    >>> import torch
    >>> check_function(torch.special.expit).passed
    True
    """


@as_test(FUNCTION, _module_cases)
def module_test() -> None:
    """A ready hypothesis test of a `torch.nn.Module`, in both modes, of its inputs and of its parameters.

    Args:
        module: a class or factory, called anew for every case with the arguments and with those sizes in `shape` that
            it takes by name, or one module, which is copied.
        rows_mix: as in `function_test`, or "training", as for batch normalization.
        arguments: further arguments of the class or factory, each a value or a strategy.

    All other arguments are those of `function_test`. Buffers, such as running statistics, are in each call what they
    were at first.

    >>> import torch
    >>> test_linear = module_test(torch.nn.Linear, shape=("n", "in_features"), out_features=2)
    >>> test_linear()
    """


@at_once(FUNCTION, _module_cases)
def check_module() -> None:
    """Run `module_test` at once, as `check_function` does `function_test`.

    Raises:
        FunctionCheckError: a property does not hold.

    >>> import torch
    >>> check_module(torch.nn.Softplus()).passed
    True
    """
