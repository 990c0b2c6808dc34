"""Functions of ``lamina.ops`` that make one number of many, along some axes."""

from __future__ import annotations

from collections.abc import Callable

from lamina.graph import express, functions
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Dual, dual

all: Dual = dual(functions.all)
any: Dual = dual(functions.any)
count_nonzero: Dual = dual(functions.count_nonzero)
logsumexp: Dual = dual(functions.logsumexp)
max: Dual = dual(express.max)
mean: Dual = dual(express.mean)
min: Dual = dual(functions.min)
moments: Dual = dual(functions.moments)
norm: Dual = dual(functions.norm)
std: Dual = dual(functions.std)
sum: Dual = dual(express.sum)
var: Dual = dual(functions.var)


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
def cumsum(x: Operand, axis: int | None = None) -> Node:
    """Running sums along an axis of fixed size (of the flattened array by default)."""
    return functions.cumsum(express.reshape(x, (-1,)), 0) if axis is None else functions.cumsum(x, axis)


__all__ = [
    "all", "any", "argmax", "argmin", "count_nonzero", "cumsum", "logsumexp", "max", "mean", "min",
    "moments", "norm", "std", "sum", "var",
]  # fmt: skip
