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


def outer(x1: Operand, x2: Operand) -> Node:
    """All products of an element of x1 (rows) and one of x2 (columns)."""
    a, b = e.reshape(x1, (-1,)), e.reshape(x2, (-1,))
    return e.expand_dims(a, 1) * e.expand_dims(b, 0)


def inner(x1: Operand, x2: Operand) -> Node:
    """The sum of products over the last axes."""
    a, b = as_node(x1), as_node(x2)
    return a * b if not (a.ndim and b.ndim) else e.tensordot(a, b, ((a.ndim - 1,), (b.ndim - 1,)))


def dot(x1: Operand, x2: Operand) -> Node:
    """The sum of products over the last axis of x1 and the last but one of x2; with a number the product."""
    a, b = as_node(x1), as_node(x2)
    return a * b if not (a.ndim and b.ndim) else e.tensordot(a, b, ((a.ndim - 1,), (max(b.ndim - 2, 0),)))


def vdot(x1: Operand, x2: Operand) -> Node:
    """The sum of the products of all elements."""
    return e.tensordot(e.reshape(x1, (-1,)), e.reshape(x2, (-1,)), ((0,), (0,)))


def matmul(x1: Operand, x2: Operand) -> Node:
    """The matrix product over the last two axes; those before them are matched, as in NumPy."""
    a, b = as_node(x1), as_node(x2)
    if b.ndim <= 2 or not a.ndim:
        return e.matmul(a, b)
    flat_a, flat_b = a.ndim == 1, b.ndim == 1
    a, b = e.expand_dims(a, 0) if flat_a else a, e.expand_dims(b, -1) if flat_b else b
    product = e.sum(e.expand_dims(a, -1) * e.expand_dims(b, -3), -2)
    return e.squeeze(product, -2) if flat_a else product


def kron(x1: Operand, x2: Operand) -> Node:
    """Kronecker's product: x2 multiplied by each element of x1, block by block."""
    a, b = as_node(x1), as_node(x2)
    rank = max(a.ndim, b.ndim)
    a, b = (e.reshape(x, (*(1,) * (rank - x.ndim), *x.shape)) for x in (a, b))
    wide = [size for m in a.shape for size in (m, 1)], [size for n in b.shape for size in (1, n)]
    blocks = e.reshape(a, wide[0]) * e.reshape(b, wide[1])
    return e.reshape(blocks, tuple(m * n for m, n in zip(a.shape, b.shape, strict=True)))  # type: ignore[operator]


def cross(x1: Operand, x2: Operand) -> Node:
    """The cross product of vectors of three along the last axis."""
    a, b = ([e.slice_axis(x, -1, i, i + 1) for i in range(3)] for x in (as_node(x1), as_node(x2)))
    turns = ((1, 2), (2, 0), (0, 1))
    return e.concatenate([a[i] * b[j] - a[j] * b[i] for i, j in turns], -1)


def cdist(x: Operand, y: Operand) -> Node:
    """The Euclidean distance of each row of x to each row of y."""
    apart = e.expand_dims(x, -2) - e.expand_dims(y, -3)
    return f.norm(apart, -1)
