"""How people write graphs: one function for each primitive, with the defaults and axis rules of NumPy and Keras."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod

import numpy as np

from lamina.errors import ShapeError
from lamina.graph.node import Node, Operand, leaf, make, product, read
from lamina.graph.node import constant as constant
from lamina.graph.shapes import Shape, normal_axis

Axes = int | Sequence[int] | None


def as_node(x: Operand) -> Node:
    """A Node for any number, array or node."""
    x = read(x)
    return x if isinstance(x, Node) else constant(x)


def negative(x: Operand) -> Node:
    """−x."""
    return make("negative", x)


def absolute(x: Operand) -> Node:
    """|x|."""
    return make("absolute", x)


def sign(x: Operand) -> Node:
    """−1, 0 or 1."""
    return make("sign", x)


def exp(x: Operand) -> Node:
    """eˣ."""
    return make("exp", x)


def expm1(x: Operand) -> Node:
    """eˣ − 1, exact near 0."""
    return make("expm1", x)


def log(x: Operand) -> Node:
    """Natural logarithm."""
    return make("log", x)


def log1p(x: Operand) -> Node:
    """log(1 + x), exact near 0."""
    return make("log1p", x)


def sqrt(x: Operand) -> Node:
    """Square root."""
    return make("sqrt", x)


def sin(x: Operand) -> Node:
    """Sine of x in radians."""
    return make("sin", x)


def cos(x: Operand) -> Node:
    """Cosine of x in radians."""
    return make("cos", x)


def tanh(x: Operand) -> Node:
    """Hyperbolic tangent."""
    return make("tanh", x)


def sigmoid(x: Operand) -> Node:
    """σ(x) = 1 / (1 + e⁻ˣ)."""
    return make("sigmoid", x)


def softplus(x: Operand) -> Node:
    """log(1 + eˣ)."""
    return make("softplus", x)


def erf(x: Operand) -> Node:
    """The error function."""
    return make("erf", x)


def floor(x: Operand) -> Node:
    """Largest integer not above x."""
    return make("floor", x)


def ceil(x: Operand) -> Node:
    """Smallest integer not below x."""
    return make("ceil", x)


def round(x: Operand) -> Node:
    """Nearest integer, halves to even."""
    return make("round", x)


def isfinite(x: Operand) -> Node:
    """True where x is neither infinite nor NaN."""
    return make("isfinite", x)


def clip(x: Operand, x_min: float, x_max: float) -> Node:
    """x limited to [x_min, x_max]."""
    return make("clip", x, low=float(x_min), high=float(x_max), guard=False)


def guard(x: Operand, epsilon: float) -> Node:
    """A probability kept in [ε, 1 − ε] so that its logarithm is finite; dropped where the logits are at hand."""
    return make("clip", x, low=float(epsilon), high=1.0 - float(epsilon), guard=True)


def stop_gradient(x: Operand) -> Node:
    """x, seen as a constant by gradients."""
    return make("stop_gradient", x)


def cast(x: Operand, dtype: str) -> Node:
    """x with another element type."""
    x = as_node(x)
    if x.op == "constant":
        return constant(x.attrs["value"], dtype)
    return x if x.dtype == dtype else make("cast", x, dtype=dtype)


def add(x1: Operand, x2: Operand) -> Node:
    """x1 + x2."""
    return make("add", x1, x2)


def subtract(x1: Operand, x2: Operand) -> Node:
    """x1 − x2."""
    return make("subtract", x1, x2)


def multiply(x1: Operand, x2: Operand) -> Node:
    """x1 · x2, element by element."""
    return make("multiply", x1, x2)


def divide(x1: Operand, x2: Operand) -> Node:
    """x1 / x2."""
    return make("divide", x1, x2)


def power(x1: Operand, x2: Operand) -> Node:
    """x1 to the power x2."""
    return make("power", x1, x2)


def maximum(x1: Operand, x2: Operand) -> Node:
    """The larger of the two; NaN where either is NaN."""
    return make("maximum", x1, x2)


def minimum(x1: Operand, x2: Operand) -> Node:
    """The smaller of the two; NaN where either is NaN."""
    return make("minimum", x1, x2)


def equal(x1: Operand, x2: Operand) -> Node:
    """x1 = x2."""
    return make("equal", x1, x2)


def less(x1: Operand, x2: Operand) -> Node:
    """x1 < x2."""
    return make("less", x1, x2)


def less_equal(x1: Operand, x2: Operand) -> Node:
    """x1 ≤ x2."""
    return make("less_equal", x1, x2)


def where(condition: Operand, x1: Operand, x2: Operand) -> Node:
    """x1 where the condition holds, else x2."""
    return make("where", condition, x1, x2)


def _axes(axis: Axes, rank: int) -> tuple[int, ...]:
    listed = range(rank) if axis is None else [axis] if isinstance(axis, int) else axis
    return tuple(sorted(normal_axis(a, rank) for a in listed))


def sum(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The sum over some axes (all by default); booleans are counted."""
    x = as_node(x)
    if x.dtype == "bool":
        x = cast(x, "int32")
    axes = _axes(axis, x.ndim)
    return make("sum", x, axes=axes, keepdims=keepdims) if axes else x


def max(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The largest element over some axes (all by default)."""
    x = as_node(x)
    axes = _axes(axis, x.ndim)
    return make("max", x, axes=axes, keepdims=keepdims) if axes else x


def argmax(x: Operand, axis: int = -1) -> Node:
    """Index of the first largest element along an axis, as int32."""
    x = as_node(x)
    return make("argmax", x, axis=normal_axis(axis, x.ndim))


def tensordot(x1: Operand, x2: Operand, axes: tuple[Sequence[int], Sequence[int]]) -> Node:
    """The sum of products over paired axes: NumPy's tensordot."""
    x1, x2 = as_node(x1), as_node(x2)
    axes_1 = tuple(normal_axis(a, x1.ndim) for a in axes[0])
    axes_2 = tuple(normal_axis(a, x2.ndim) for a in axes[1])
    return make("tensordot", x1, x2, axes=(axes_1, axes_2))


def matmul(x1: Operand, x2: Operand) -> Node:
    """The matrix product: rows of x1, any rank, times the columns of a matrix (or with a vector) x2."""
    return product(x1, x2)


def reshape(x: Operand, shape: Sequence[int | None]) -> Node:
    """The same numbers in another shape; one −1 is worked out, None keeps the batch axis."""
    x = as_node(x)
    target = _resolved(sizes(shape), x.shape)
    return x if target == x.shape else make("reshape", x, shape=target)


def sizes(shape: Sequence[int | Node | None]) -> Shape:
    """A shape whose batch axis may be given as the number of rows that ``ops.shape`` says."""
    return tuple(None if isinstance(s, Node) and s.op == "rows" else s for s in shape)  # type: ignore[misc]


def _resolved(shape: Shape, old: Shape) -> Shape:
    if None in old and None not in shape and shape.count(-1) == 1:
        known = prod(s for s in shape if s not in (None, -1))
        if known == prod(s for s in old if s is not None):
            return tuple(None if s == -1 else s for s in shape)
    if -1 not in shape:
        return shape
    known = prod(s for s in shape if s is not None and s != -1)
    size = prod(s for s in old if s is not None)
    if shape.count(-1) > 1 or known == 0 or size % known:
        raise ShapeError(f"cannot reshape {old} to {shape}: the sizes do not divide")
    return tuple(size // known if s == -1 else s for s in shape)


def transpose(x: Operand, axes: Sequence[int] | None = None) -> Node:
    """The axes in another order, reversed by default."""
    x = as_node(x)
    order = tuple(reversed(range(x.ndim))) if axes is None else tuple(normal_axis(a, x.ndim) for a in axes)
    return x if order == tuple(range(x.ndim)) else make("transpose", x, axes=order)


def broadcast_to(x: Operand, shape: Shape) -> Node:
    """x repeated along new or size-1 axes."""
    x, shape = as_node(x), sizes(shape)
    return x if x.shape == shape else make("broadcast_to", x, shape=shape)


def expand_dims(x: Operand, axis: int) -> Node:
    """A new axis of size 1."""
    x = as_node(x)
    at = normal_axis(axis, x.ndim + 1)
    return reshape(x, (*x.shape[:at], 1, *x.shape[at:]))


def squeeze(x: Operand, axis: int = -1) -> Node:
    """Without an axis of size 1."""
    x = as_node(x)
    at = normal_axis(axis, x.ndim)
    if x.shape[at] != 1:
        raise ShapeError(f"cannot squeeze axis {axis} of {x.shape}: its size is not 1")
    return reshape(x, x.shape[:at] + x.shape[at + 1 :])


def concatenate(xs: Sequence[Operand], axis: int = -1) -> Node:
    """Arrays joined along an axis."""
    nodes = [as_node(x) for x in xs]
    if len(nodes) == 1:
        return nodes[0]
    if len({x.ndim for x in nodes}) != 1:
        raise ShapeError(f"cannot concatenate arrays of different ranks: {', '.join(str(x.shape) for x in nodes)}")
    return make("concatenate", *nodes, axis=normal_axis(axis, nodes[0].ndim))


def slice(x: Operand, begin: Sequence[int], end: Sequence[int | None]) -> Node:
    """The part from ``begin`` to ``end`` along each axis; None takes the whole (batch) axis."""
    x = as_node(x)
    stops = tuple(s if e is None else e for e, s in zip(end, x.shape, strict=True))
    return make("slice", x, begin=tuple(begin), end=stops)


def slice_axis(x: Operand, axis: int, begin: int, end: int) -> Node:
    """The part from ``begin`` to ``end`` along one axis, all of the others."""
    x = as_node(x)
    at = normal_axis(axis, x.ndim)
    starts = [begin if i == at else 0 for i in range(x.ndim)]
    stops = [end if i == at else s for i, s in enumerate(x.shape)]
    return slice(x, starts, stops)


def pad(x: Operand, before: Sequence[int], after: Sequence[int]) -> Node:
    """x with zeros around it."""
    return make("pad", x, before=tuple(before), after=tuple(after))


def take(table: Operand, indices: Operand) -> Node:
    """Rows of a table: ``table[indices]``; indices outside it are an error when the graph runs."""
    return make("take", table, cast(indices, "int32"))


def scatter_add(indices: Operand, updates: Operand, size: int) -> Node:
    """A table of ``size`` rows, zero, to whose row ``indices[i]`` ``updates[i]`` is added."""
    return make("scatter_add", cast(indices, "int32"), updates, size=int(size))


def full_like(x: Operand, value: float) -> Node:
    """An array like x, filled with one value."""
    x = as_node(x)
    return broadcast_to(constant(value, x.dtype), x.shape)


def size_of(x: Node, axes: Sequence[int]) -> Node:
    """The number of elements along some axes, as a number of x's (float) type; the batch counts its rows."""
    dtype = x.dtype if x.dtype.startswith("float") else "float32"
    fixed = constant(prod(x.shape[a] or 1 for a in axes), dtype)
    batches = [leaf("rows", (), dtype) for a in axes if x.shape[a] is None]
    return reduce(multiply, batches if batches and fixed.attrs["value"] == 1 else [*batches, fixed])


def mean(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The mean over some axes (all by default)."""
    x = as_node(x)
    x = x if x.dtype.startswith("float") else cast(x, "float32")
    axes = _axes(axis, x.ndim)
    return sum(x, axes, keepdims) / size_of(x, axes) if axes else x


def iota(size: int, dtype: str = "int32") -> Node:
    """0, 1, … size − 1."""
    return constant(np.arange(size), dtype)
