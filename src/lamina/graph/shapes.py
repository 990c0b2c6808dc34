"""The shape rules: one function for each operation that is not elementwise.

A shape is a tuple of integers; ``None`` is the batch size, a symbol that is bound when a program runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import prod
from typing import Any

from lamina.errors import ShapeError

Shape = tuple[int | None, ...]


@lru_cache(maxsize=4096)
def broadcast(*shapes: Shape) -> Shape:
    """The common shape of arrays combined element by element (NumPy's rule, with the batch as a symbol)."""
    rank = max(map(len, shapes), default=0)
    padded = [(1,) * (rank - len(s)) + tuple(s) for s in shapes]
    distinct = [{size for size in sizes if size != 1} for sizes in zip(*padded, strict=True)]
    if any(len(sizes) > 1 for sizes in distinct):
        listed = " and ".join(map(format_shape, dict.fromkeys(shapes)))
        raise ShapeError(f"shapes {listed} cannot be combined element by element")
    return tuple(sizes.pop() if sizes else 1 for sizes in distinct)


def format_shape(shape: Shape) -> str:
    """A shape as Keras prints it: ``(None, 3)``."""
    return str(tuple(shape))


def normal_axis(axis: int, rank: int) -> int:
    """The axis counted from the front."""
    if not -rank <= axis < rank:
        raise ShapeError(f"axis {axis} is out of range for an array of rank {rank}")
    return axis % rank


@lru_cache(maxsize=4096)
def count(shape: Shape) -> tuple[int, int]:
    """Elements of a shape as (per batch row, fixed): exactly one of the two is not zero."""
    size = prod(s for s in shape if s is not None)
    return (size, 0) if None in shape else (0, size)


def _reduced(attrs: Mapping[str, Any], x: Shape) -> Shape:
    axes = attrs["axes"]
    if attrs["keepdims"]:
        return tuple(1 if i in axes else s for i, s in enumerate(x))
    return tuple(s for i, s in enumerate(x) if i not in axes)


def _argmax(attrs: Mapping[str, Any], x: Shape) -> Shape:
    return tuple(s for i, s in enumerate(x) if i != attrs["axis"])


def _tensordot(attrs: Mapping[str, Any], a: Shape, b: Shape) -> Shape:
    axes_a, axes_b = attrs["axes"]
    if len(axes_a) != len(axes_b) or any(a[i] != b[j] for i, j in zip(axes_a, axes_b, strict=True)):
        raise ShapeError(
            f"a product sums over axes {axes_a} of {format_shape(a)} and {axes_b} of {format_shape(b)}, "
            "which must have equal sizes"
        )
    return tuple(s for i, s in enumerate(a) if i not in axes_a) + tuple(s for j, s in enumerate(b) if j not in axes_b)


def _reshape(attrs: Mapping[str, Any], x: Shape) -> Shape:
    shape: Shape = attrs["shape"]
    if count(shape) != count(x) or shape.count(None) != x.count(None):
        raise ShapeError(f"cannot reshape {format_shape(x)} to {format_shape(shape)}: the sizes differ")
    return shape


def _transpose(attrs: Mapping[str, Any], x: Shape) -> Shape:
    if sorted(attrs["axes"]) != list(range(len(x))):
        raise ShapeError(f"axes {attrs['axes']} are not an order of the axes of {format_shape(x)}")
    return tuple(x[i] for i in attrs["axes"])


def _broadcast_to(attrs: Mapping[str, Any], x: Shape) -> Shape:
    shape: Shape = attrs["shape"]
    if broadcast(x, shape) != shape:
        raise ShapeError(f"{format_shape(x)} cannot be broadcast to {format_shape(shape)}")
    return shape


def _concatenate(attrs: Mapping[str, Any], *xs: Shape) -> Shape:
    axis, first = attrs["axis"], xs[0]
    rest = {x[:axis] + x[axis + 1 :] for x in xs}
    if len(rest) != 1 or (None in [x[axis] for x in xs] and len(xs) > 1):
        listed = ", ".join(map(format_shape, xs))
        raise ShapeError(f"cannot concatenate {listed} along axis {axis}: all other axes must agree")
    return (*first[:axis], None if first[axis] is None else sum(x[axis] or 0 for x in xs), *first[axis + 1 :])


def _slice(attrs: Mapping[str, Any], x: Shape) -> Shape:
    begin, end = attrs["begin"], attrs["end"]
    bounds = list(zip(begin, end, x, strict=True))
    if any((b, e) != (0, None) if s is None else not 0 <= b <= e <= s for b, e, s in bounds):
        raise ShapeError(f"slice from {begin} to {end} does not fit {format_shape(x)}")
    return tuple(None if s is None else e - b for b, e, s in bounds)


def _pad(attrs: Mapping[str, Any], x: Shape) -> Shape:
    widths = list(zip(attrs["before"], attrs["after"], x, strict=True))
    if any(s is None and (b or a) for b, a, s in widths):
        raise ShapeError(f"cannot pad the batch axis of {format_shape(x)}")
    return tuple(None if s is None else s + b + a for b, a, s in widths)


def _take(attrs: Mapping[str, Any], table: Shape, indices: Shape) -> Shape:
    return indices + table[1:]


def _scatter_add(attrs: Mapping[str, Any], indices: Shape, updates: Shape) -> Shape:
    if updates[: len(indices)] != indices:
        raise ShapeError(
            f"updates {format_shape(updates)} must begin with the shape of the indices {format_shape(indices)}"
        )
    return (attrs["size"], *updates[len(indices) :])


RULES: dict[str, Callable[..., Shape]] = {
    "sum": _reduced,
    "max": _reduced,
    "argmax": _argmax,
    "tensordot": _tensordot,
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "concatenate": _concatenate,
    "slice": _slice,
    "pad": _pad,
    "take": _take,
    "scatter_add": _scatter_add,
}
