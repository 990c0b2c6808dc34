"""Products and lengths as equations of the primitives."""

from __future__ import annotations

from math import inf

from lamina.graph import express as e
from lamina.graph import functions as f
from lamina.graph.express import Axes, as_node
from lamina.graph.node import Node, Operand
from lamina.graph.shapes import normal_axis


def norm_of_order(x: Operand, ord: float | str | None = None, axis: Axes = None, keepdims: bool = False) -> Node:
    """The length of vectors (one axis) or a norm of matrices (two axes); all numbers' length by default."""
    x = as_node(x)
    axes = _axes(axis, x.ndim)
    if ord is None or (ord, len(axes)) in ((2, 1), ("fro", 2)):
        return f.norm(x, axes, keepdims)
    if len(axes) == 1 and not isinstance(ord, str):
        return _vector_norm(abs(x), ord, axes, keepdims)
    if len(axes) == 2 and ord in (1, -1, inf, -inf):
        return _matrix_norm(abs(x), float(ord), axes, keepdims)
    raise ValueError(f"a norm over {len(axes)} axes of order {ord!r} is not one that a graph has")


def _axes(axis: Axes, rank: int) -> tuple[int, ...]:
    listed = range(rank) if axis is None else [axis] if isinstance(axis, int) else axis
    return tuple(normal_axis(a, rank) for a in listed)


def _vector_norm(size: Node, ord: float, axes: tuple[int, ...], keepdims: bool) -> Node:
    if ord == inf:
        return e.max(size, axes, keepdims)
    if ord == -inf:
        return f.min(size, axes, keepdims)
    if ord == 0:
        return e.sum(e.cast(e.cast(size, "bool"), size.dtype), axes, keepdims)
    return e.sum(size, axes, keepdims) if ord == 1 else e.sum(size**ord, axes, keepdims) ** (1.0 / ord)


def _matrix_norm(size: Node, ord: float, axes: tuple[int, ...], keepdims: bool) -> Node:
    """The greatest (or smallest) sum of a column (order 1) or of a row (infinite order)."""
    rows, columns = axes if abs(ord) == 1 else axes[::-1]
    sums = e.sum(size, rows, keepdims=True)
    found = (e.max if ord > 0 else f.min)(sums, columns, keepdims=True)
    return found if keepdims else e.reshape(found, e.sum(size, axes).shape)
