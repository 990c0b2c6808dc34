"""How much memory the variables of a model may take while it is loaded: no more than its file holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np

from lamina.errors import ModelFileError

# So many numbers are always allowed (4 MiB), so that a small misfit is reported weight by weight.
ALWAYS = 1 << 20


@dataclass
class _Budget:
    numbers: int
    left: int


_budget: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextmanager
def budget(numbers: int) -> Iterator[None]:
    """Inside the block, layers may create variables of this many numbers in all, and they start as zeros.

    Args:
        numbers: what the file holds; whatever a config asks for, little more is ever allocated.
    """
    token = _budget.set(_Budget(numbers, max(numbers, ALWAYS)))
    try:
        yield
    finally:
        _budget.reset(token)


def first_values(make: Callable[..., np.ndarray], shape: tuple[int, ...], dtype: str, owner: str) -> np.ndarray:
    """A new variable's first numbers: ``make(shape, dtype=dtype)``; zeros while a file is loaded over them.

    Args:
        make: the initializer.
        shape: the variable's shape.
        dtype: its element type.
        owner: the layer's name, for the error.

    Raises:
        ModelFileError: the model being loaded needs more numbers than its file holds.
    """
    allowed = _budget.get()
    if allowed is None:
        return make(shape, dtype=dtype)
    allowed.left -= math.prod(shape)
    if allowed.left < 0:
        raise ModelFileError(
            f"layer {owner!r} needs a weight of shape {shape}, and with it the model has more than the "
            f"{allowed.numbers} numbers in the file: the config does not belong to these weights"
        )
    return np.zeros(shape, dtype)
