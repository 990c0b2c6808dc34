"""Functions of ``lamina.ops`` that make one number of many, or running ones, along some axes."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import numpy as np

from lamina.graph import express, functions, order
from lamina.graph.express import Axes, as_node
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Array, Dual, at_once, dual, indices

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
def amax(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The largest element over some axes (all by default)."""
    return express.max(x, axis, keepdims)


@dual
def amin(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The smallest element over some axes (all by default)."""
    return functions.min(x, axis, keepdims)


@dual
def ptp(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The largest element less the smallest, over some axes (all by default)."""
    return express.max(x, axis, keepdims) - functions.min(x, axis, keepdims)


@dual
def prod(x: Operand, axis: Axes = None, keepdims: bool = False, dtype: str | None = None) -> Node:
    """The product over axes of fixed size (all by default)."""
    return order.prod(_typed(x, dtype), axis, keepdims)


@dual
def average(x: Operand, axis: Axes = None, weights: Operand | None = None) -> Node:
    """The mean over some axes (all by default), each element with its weight.

    Args:
        x: any array.
        axis: which axes.
        weights: like x, or one for each place along the axis; all equal by default.
    """
    x = as_node(x)
    if weights is None:
        return express.mean(x, axis)
    w = as_node(weights)
    if w.ndim == 1 and x.ndim > 1 and isinstance(axis, int):
        w = functions.moveaxis(express.reshape(w, (*(1,) * (x.ndim - 1), -1)), -1, axis)
    w = express.cast(w, x.dtype)
    return express.sum(x * w, axis) / express.sum(express.broadcast_to(w, x.shape), axis)


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


# -- running


def _typed(x: Operand, dtype: str | None) -> Node:
    return as_node(x) if dtype is None else express.cast(x, dtype)


def _running(x: Node, axis: int | None, pair: Callable[[Node, Node], Node], neutral: float) -> Node:
    x = express.cast(x, "int32") if x.dtype == "bool" else x
    return order.running(express.reshape(x, (-1,)) if axis is None else x, axis or 0, pair, neutral)


@dual
def cumsum(x: Operand, axis: int | None = None, dtype: str | None = None) -> Node:
    """Running sums along an axis of fixed size (of the flattened array by default)."""
    return _running(_typed(x, dtype), axis, express.add, 0)


@dual
def cumprod(x: Operand, axis: int | None = None, dtype: str | None = None) -> Node:
    """Running products along an axis of fixed size (of the flattened array by default)."""
    return _running(_typed(x, dtype), axis, express.multiply, 1)


# -- without NaN


def _without_nan(x: Operand, instead: float) -> Node:
    x = as_node(x)
    return express.where(functions.isnan(x), express.constant(instead, x.dtype), x)


def _count(x: Operand, axis: Axes, keepdims: bool) -> Node:
    x = as_node(x)
    return express.sum(express.cast(functions.logical_not(functions.isnan(x)), x.dtype), axis, keepdims)


@dual
def nansum(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The sum of what is not NaN."""
    return express.sum(_without_nan(x, 0.0), axis, keepdims)


@dual
def nanprod(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The product of what is not NaN."""
    return order.prod(_without_nan(x, 1.0), axis, keepdims)


@dual
def nanmean(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The mean of what is not NaN."""
    return express.sum(_without_nan(x, 0.0), axis, keepdims) / _count(x, axis, keepdims)


@dual
def nanvar(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The biased variance of what is not NaN."""
    return _nanvar(x, axis, keepdims)


def _nanvar(x: Operand, axis: Axes, keepdims: bool) -> Node:
    center = express.sum(_without_nan(x, 0.0), axis, keepdims=True) / _count(x, axis, True)
    apart = _without_nan(functions.square(as_node(x) - center), 0.0)
    return express.sum(apart, axis, keepdims) / _count(x, axis, keepdims)


@dual
def nanstd(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The biased standard deviation of what is not NaN."""
    return express.sqrt(_nanvar(x, axis, keepdims))


@dual
def nanmax(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The largest of what is not NaN."""
    return express.max(_without_nan(x, -inf), axis, keepdims)


@dual
def nanmin(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The smallest of what is not NaN."""
    return functions.min(_without_nan(x, inf), axis, keepdims)


@dual
def nancumsum(x: Operand, axis: int | None = None, dtype: str | None = None) -> Node:
    """Running sums of what is not NaN."""
    return _running(_without_nan(_typed(x, dtype), 0), axis, express.add, 0)


@dual
def nancumprod(x: Operand, axis: int | None = None, dtype: str | None = None) -> Node:
    """Running products of what is not NaN."""
    return _running(_without_nan(_typed(x, dtype), 1), axis, express.multiply, 1)


@at_once
def nanargmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Index of the largest of what is not NaN."""
    return indices(np.nanargmax(x, axis, keepdims=keepdims))


@at_once
def nanargmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Index of the smallest of what is not NaN."""
    return indices(np.nanargmin(x, axis, keepdims=keepdims))


__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "average", "count_nonzero", "cumprod", "cumsum", "logsumexp",
    "max", "mean", "min", "moments", "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmin",
    "nanprod", "nanstd", "nansum", "nanvar", "prod", "ptp", "std", "sum", "var",
]  # fmt: skip
