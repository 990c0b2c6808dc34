"""Regularizers: penalties on weights (or a layer's outputs) that are added to the loss."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from lamina import config, ops


class Regularizer(config.Configured):
    """Base of all regularizers; a subclass writes ``__call__(x) → penalty`` with ``lamina.ops``.

    Example:
        >>> class Cubic(Regularizer):
        ...     def __call__(self, x):
        ...         return 0.1 * ops.sum(ops.abs(x) ** 3)
    """

    def __call__(self, x: Any) -> Any:
        """The penalty for an array, one number."""
        raise TypeError(f"{type(self).__name__} must define __call__(x)")


class L1L2(Regularizer):
    """l1 · Σ|x| + l2 · Σx².

    Args:
        l1, l2: the factors.
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0):
        self.l1 = _factor("l1", l1, 0.0)
        self.l2 = _factor("l2", l2, 0.0)

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.abs(x)) + self.l2 * ops.sum(ops.square(x))


class L1(Regularizer):
    """l1 · Σ|x|.

    Args:
        l1: the factor.
    """

    def __init__(self, l1: float | None = 0.01):
        self.l1 = _factor("l1", l1, 0.01)

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.abs(x))


class L2(Regularizer):
    """l2 · Σx² (without ½).

    Args:
        l2: the factor.
    """

    def __init__(self, l2: float | None = 0.01):
        self.l2 = _factor("l2", l2, 0.01)

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.sum(ops.square(x))


def _factor(name: str, value: float | None, default: float) -> float:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"Argument {name} must be a finite number. Received: {name}={value!r}")
    return float(value)


CLASSES = {c.__name__: c for c in (L1, L2, L1L2)}
TABLE = config.names_of(*CLASSES.values())


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """A regularizer from a name, a config, a class or a function.

    Raises:
        ValueError: there is no such regularizer.
    """
    return config.lookup("regularizer", TABLE, identifier)
