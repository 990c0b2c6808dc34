"""Regularizers: penalties on weights (or a layer's outputs) that are added to the loss."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from lamina import naming, ops
from lamina.errors import ShapeError
from lamina.records import serialize_keras_object
from lamina.signatures import Configured


class Regularizer(Configured):
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


class OrthogonalRegularizer(Regularizer):
    """factor · mean |cos| of the angles between the rows (or columns) of a matrix, which are drawn to right angles.

    Args:
        factor: the factor.
        mode: ``"rows"`` or ``"columns"``.

    Raises:
        ValueError: another mode.
        ShapeError: what it is called on is not a matrix.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        if mode not in MODES:
            raise ValueError(f"`mode` must be one of {', '.join(MODES)}. Received: {mode!r}")
        self.factor = _factor("factor", factor, 0.01)
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        shape = tuple(x.shape)
        if len(shape) != 2 or None in shape:
            raise ShapeError(f"OrthogonalRegularizer needs a matrix of fixed size, got shape {shape}")
        vectors = ops.normalize(x if self.mode == "rows" else ops.transpose(x), axis=1)  # (count, …)
        count = int(shape[MODES.index(self.mode)] or 0)
        cosines = ops.matmul(vectors, ops.transpose(vectors)) * (1.0 - ops.eye(count, dtype=ops.dtype(x)))
        return self.factor * ops.sum(ops.abs(cosines)) / (max(count * (count - 1), 1))


MODES = ("rows", "columns")


def _factor(name: str, value: float | None, default: float) -> float:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < inf:
        raise ValueError(f"Argument {name} must be a finite number, at least 0. Received: {name}={value!r}")
    return float(value)


CLASSES = {c.__name__: c for c in (L1, L2, L1L2, OrthogonalRegularizer)}
TABLE = naming.names_of(Regularizer, *CLASSES.values())

l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
serialize = serialize_keras_object
deserialize = naming.reader("regularizer", TABLE)


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """A regularizer from a name, a config, a class or a function.

    Raises:
        ValueError: there is no such regularizer.
    """
    return naming.lookup("regularizer", TABLE, identifier)
