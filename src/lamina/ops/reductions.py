"""Functions of ``lamina.ops`` that make one number of many, along some axes."""

from __future__ import annotations

from collections.abc import Callable

from lamina.graph import express, functions
from lamina.graph.express import Axes, as_node
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Dual, dual

all: Dual = dual(functions.all)
any: Dual = dual(functions.any)
count_nonzero: Dual = dual(functions.count_nonzero)
logsumexp: Dual = dual(functions.logsumexp)
mean: Dual = dual(express.mean)
std: Dual = dual(functions.std)
sum: Dual = dual(express.sum)
var: Dual = dual(functions.var)


def _with_initial(pair: Callable[..., Node], found: Node, initial: float | None) -> Node:
    return found if initial is None else pair(found, initial)


@dual
def max(x: Operand, axis: Axes = None, keepdims: bool = False, initial: float | None = None) -> Node:
    """The largest element over some axes (all by default), at least ``initial``."""
    return _with_initial(express.maximum, express.max(x, axis, keepdims), initial)


@dual
def min(x: Operand, axis: Axes = None, keepdims: bool = False, initial: float | None = None) -> Node:
    """The smallest element over some axes (all by default), at most ``initial``."""
    return _with_initial(express.minimum, functions.min(x, axis, keepdims), initial)


@dual
def moments(x: Operand, axes: Axes, keepdims: bool = False, synchronized: bool = False) -> tuple[Node, Node]:
    """Mean and biased variance over some axes.

    Raises:
        ValueError: ``synchronized``, which asks for several machines.
    """
    if synchronized:
        raise ValueError("ops.moments works on one machine: synchronized must be false")
    return functions.moments(x, axes, keepdims)


def _place(find: Callable[..., Node], x: Operand, axis: int | None, keepdims: bool) -> Node:
    x = as_node(x)
    if axis is None:
        found = find(express.reshape(x, (-1,)), 0)
        return express.reshape(found, (1,) * x.ndim) if keepdims else found
    return express.expand_dims(find(x, axis), axis) if keepdims else find(x, axis)


@dual
def argmax(x: Operand, axis: int | None = None, keepdims: bool = False) -> Node:
    """Index of the first largest element along an axis (in the flattened array by default), as int32."""
    return _place(express.argmax, x, axis, keepdims)


@dual
def argmin(x: Operand, axis: int | None = None, keepdims: bool = False) -> Node:
    """Index of the first smallest element along an axis (in the flattened array by default), as int32."""
    return _place(functions.argmin, x, axis, keepdims)


@dual
def cumsum(x: Operand, axis: int | None = None, dtype: str | None = None) -> Node:
    """Running sums along an axis of fixed size (of the flattened array by default)."""
    x = as_node(x) if dtype is None else express.cast(x, dtype)
    return functions.cumsum(express.reshape(x, (-1,)), 0) if axis is None else functions.cumsum(x, axis)


__all__ = [
    "all", "any", "argmax", "argmin", "count_nonzero", "cumsum", "logsumexp", "max", "mean", "min",
    "moments", "std", "sum", "var",
]  # fmt: skip
