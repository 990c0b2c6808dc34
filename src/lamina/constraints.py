"""Constraints: projections of a weight onto what is allowed, after each update."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lamina import config, naming, ops
from lamina.records import serialize_keras_object
from lamina.signatures import Configured

Axis = int | Sequence[int]


class Constraint(Configured):
    """Base of all constraints; a subclass writes ``__call__(w) → w`` with ``lamina.ops``.

    Example:
        >>> class Bounded(Constraint):
        ...     def __call__(self, w):
        ...         return ops.clip(w, -1.0, 1.0)
    """

    def __call__(self, w: Any) -> Any:
        """The allowed weight nearest to w, of the same shape."""
        raise TypeError(f"{type(self).__name__} must define __call__(w)")


def _norms(w: Any, axis: Axis) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


class NonNeg(Constraint):
    """max(w, 0)."""

    def __call__(self, w: Any) -> Any:
        return ops.maximum(w, 0.0)


class UnitNorm(Constraint):
    """Each weight vector divided by its length.

    Args:
        axis: the axes that a vector runs along; 0 is the inputs of one unit of a Dense kernel.
    """

    def __init__(self, axis: Axis = 0):
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return w / (config.epsilon() + _norms(w, self.axis))


class MaxNorm(Constraint):
    """Each weight vector shortened to at most ``max_value``.

    Args:
        max_value: the greatest length.
        axis: see ``UnitNorm``.
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0):
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        return w * (ops.clip(norms, 0.0, self.max_value) / (config.epsilon() + norms))


class MinMaxNorm(Constraint):
    """Each weight vector's length moved towards [min_value, max_value].

    Args:
        min_value, max_value: the allowed lengths.
        rate: 1 moves all the way in each step, less only that share of it.
        axis: see ``UnitNorm``.
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0):
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        desired = self.rate * ops.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (config.epsilon() + norms))


CLASSES = {c.__name__: c for c in (MaxNorm, MinMaxNorm, NonNeg, UnitNorm)}
TABLE = naming.names_of(Constraint, *CLASSES.values())

max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm
serialize = serialize_keras_object
deserialize = naming.reader("constraint", TABLE)


def get(identifier: Any) -> Callable[[Any], Any] | None:
    """A constraint from a name, a config, a class or a function.

    Raises:
        ValueError: there is no such constraint.
    """
    return naming.lookup("constraint", TABLE, identifier)
