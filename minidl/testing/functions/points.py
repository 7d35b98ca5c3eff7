"""Where functions are looked at: on a grid that meets kinks and ties, off it, far out."""

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import TypeAlias

import numpy as np

from minidl.parameters import Array
from minidl.testing.functions.subject import Subject

Domain: TypeAlias = tuple[float, float]
GRID = (-3.0, 3.0)
WAYS = ("near", "near", "far", "not")  # how parameters are moved, by the last digits of the seed


def steps_in(domain: Domain) -> int:
    """How many values of the grid a unit holds: 8, and more where the domain is narrower than 1."""
    width = domain[1] - domain[0]
    return 8 if width >= 1 else 64 * 2 ** math.ceil(math.log2(1 / width))


def interior(x: Array, domain: Domain | None) -> Array:
    """A copy of `x` pulled a 64th of the domain inside its ends, so that differences stay in it."""
    if domain is None:
        return x.copy()
    margin = (domain[1] - domain[0]) / 64
    return np.asarray(np.clip(x, domain[0] + margin, domain[1] - margin))


def off_grid(x: Array, rng: np.random.Generator, domain: Domain | None = None, *, near: bool = False) -> Array:
    """`x` moved by 1/64 to 3/64 (of a narrower domain's width), which leaves the grid, its kinks and its ties.

    `near` moves it by less than 1/1024, to either side.
    """
    width = 1.0 if domain is None else min(1.0, domain[1] - domain[0])
    move = rng.uniform(1 / 64, 3 / 64, x.shape) * width
    if near:
        move *= rng.choice([-1, 1], x.shape) / 48
    if domain is None:
        return x + move
    return interior(np.where(x + move <= domain[1] - width / 64, x + move, x - move), domain)


def leave_grid(
    subject: Subject, rng: np.random.Generator, inputs: Mapping[str, Domain | None], *, near: bool = False
) -> bool:
    """Move every array off the grid to a finite output; False, with all arrays as before, if none is found.

    Inputs are moved within their domains; what is no input is tried upwards, downwards, and gently scaled.
    """
    before = {name: array.copy() for name, array in subject.arrays.items()}
    for way in (1.0, -1.0, 0.0):
        for name, array in subject.arrays.items():
            start = before[name]
            moved = off_grid(start, rng, inputs.get(name), near=near)
            if name in inputs:
                array[...] = moved
            else:
                array[...] = start + way * (moved - start) if way else start * (1 + (moved - start) / 4)
        with suppress(AssertionError):  # what fails here may do so at no point that was drawn
            if np.isfinite(subject.forward()).all():
                return True
    for name, array in subject.arrays.items():
        array[...] = before[name]
    return False


def upstream_gradient(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """dL/dy of random signs with sizes from 1/2 to 3/2 in steps of 1/16: never zero, so nothing hides behind it."""
    upstream: Array = rng.choice([-1.0, 1.0], shape)
    upstream *= rng.integers(8, 25, shape) / 16
    return upstream


def moved(start: Array, way: str, rng: np.random.Generator) -> Array:
    """A parameter's value in a case: an eighth or so from its initial value, anywhere, gently scaled, or unmoved."""
    eighths = rng.integers(1, 5, start.shape) * rng.choice([-1, 1], start.shape)
    if way == "near":
        return np.asarray(np.round(start * 8) / 8 + eighths / 8)
    if way == "far":
        return np.asarray(rng.integers(-24, 25, start.shape) / 8)
    return np.asarray(start * (1 + eighths / 64)) if way == "gently" else start


def some_input(shape: tuple[int, ...], domain: Domain | None, rng: np.random.Generator) -> Array:
    """Some input on the grid: multiples of 1/8, of 1/64 or less in a domain narrower than 1."""
    low, high = domain or GRID
    steps = steps_in((low, high))
    drawn = rng.integers(int(low * steps), int(high * steps) + 1, shape) / steps
    return np.asarray(np.clip(drawn, low, high))
