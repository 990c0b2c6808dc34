"""Functions of ``lamina.ops`` that bring the same numbers to other places."""

from __future__ import annotations

import builtins
import functools
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.errors import ShapeError
from lamina.graph import express, functions, moving
from lamina.graph.express import Axes, as_node
from lamina.graph.node import Node, Operand
from lamina.graph.order import fixed_size
from lamina.graph.shapes import normal_axis
from lamina.ops.dispatch import Dual, dual

broadcast_to: Dual = dual(express.broadcast_to)
diagonal: Dual = dual(moving.diagonal)
diff: Dual = dual(moving.diff)
flip: Dual = dual(moving.flip)
repeat: Dual = dual(moving.repeat)
roll: Dual = dual(moving.roll)
rot90: Dual = dual(moving.rot90)
swapaxes: Dual = dual(functions.swapaxes)
tile: Dual = dual(moving.tile)
transpose: Dual = dual(express.transpose)


@dual
def reshape(x: Operand, newshape: int | Sequence[int | None]) -> Node:
    """The same numbers in another shape; one −1 is worked out, None keeps the batch axis."""
    return express.reshape(x, (newshape,) if isinstance(newshape, int) else newshape)


@dual
def stack(x: Sequence[Operand], axis: int = 0) -> Node:
    """Arrays of one shape joined along a new axis."""
    return functions.stack(x, axis)


@dual
def ravel(x: Operand) -> Node:
    """All elements in one row."""
    return express.reshape(x, (-1,))


@dual
def moveaxis(x: Operand, source: int | Sequence[int], destination: int | Sequence[int]) -> Node:
    """Axes moved to other places, the rest in their order."""
    x = as_node(x)
    moved = dict(zip(moving.listed(destination, x.ndim), moving.listed(source, x.ndim), strict=True))
    rest = iter(a for a in range(x.ndim) if a not in moved.values())
    return express.transpose(x, [moved[at] if at in moved else next(rest) for at in range(x.ndim)])


@dual
def append(x1: Operand, x2: Operand, axis: int | None = None) -> Node:
    """x2 after x1 along an axis; both flattened by default."""
    pair = [express.reshape(x, (-1,)) for x in (x1, x2)] if axis is None else [as_node(x1), as_node(x2)]
    return express.concatenate(pair, axis or 0)


def _at_least(x: Operand, rank: int) -> Node:
    """x with axes of size 1 as NumPy adds them: before a vector's, after a matrix's."""
    x = as_node(x)
    if x.ndim == 0:
        return express.reshape(x, (1,) * rank)
    x = express.expand_dims(x, 0) if rank > 1 and x.ndim == 1 else x
    return express.expand_dims(x, -1) if rank > 2 and x.ndim == 2 else x


@dual
def hstack(xs: Sequence[Operand]) -> Node:
    """Arrays side by side: joined along the second axis, vectors along their only one."""
    nodes = [_at_least(x, 1) for x in xs]
    return express.concatenate(nodes, min(1, nodes[0].ndim - 1))


@dual
def vstack(xs: Sequence[Operand]) -> Node:
    """Arrays one below the other: joined along the first axis, a vector being a row."""
    return express.concatenate([_at_least(x, 2) for x in xs], 0)


@dual
def dstack(xs: Sequence[Operand]) -> Node:
    """Arrays one behind the other: joined along the third axis."""
    return express.concatenate([_at_least(x, 3) for x in xs], 2)


@dual
def fliplr(x: Operand) -> Node:
    """The second axis from the last to the first."""
    return moving.flip(x, 1)


@dual
def flipud(x: Operand) -> Node:
    """The first axis from the last to the first."""
    return moving.flip(x, 0)


@dual
def diag(x: Operand, k: int = 0) -> Node:
    """A vector on the k-th diagonal of a matrix of zeros, or the k-th diagonal of a matrix."""
    x = as_node(x)
    return moving.diagonal_matrix(x, k) if x.ndim == 1 else moving.diagonal(x, k)


@dual
def diagflat(x: Operand, k: int = 0) -> Node:
    """All elements on the k-th diagonal of a matrix of zeros."""
    return moving.diagonal_matrix(express.reshape(x, (-1,)), k)


@dual
def tril(x: Operand, k: int = 0) -> Node:
    """x with 0 above the k-th diagonal of its last two axes."""
    return moving.triangle(x, k, lower=True)


@dual
def triu(x: Operand, k: int = 0) -> Node:
    """x with 0 below the k-th diagonal of its last two axes."""
    return moving.triangle(x, k, lower=False)


@dual
def meshgrid(*x: Operand, indexing: str = "xy") -> list[Node]:
    """Each vector along an axis of its own, repeated along the others; the first two change places for ``"xy"``."""
    axes = list(range(len(x)))
    if indexing == "xy" and len(x) > 1:
        axes[:2] = 1, 0
    vectors = [express.reshape(v, (-1,)) for v in x]
    shape = tuple(vectors[axes.index(at)].shape[0] for at in range(len(x)))
    columns = [
        express.reshape(v, tuple(-1 if i == at else 1 for i in range(len(x))))
        for v, at in zip(vectors, axes, strict=True)
    ]
    return [express.broadcast_to(column, shape) for column in columns]


@dual
def concatenate(xs: Sequence[Operand], axis: int = 0) -> Node:
    """Arrays joined along an axis."""
    return express.concatenate(xs, axis)


@dual
def expand_dims(x: Operand, axis: int | Sequence[int]) -> Node:
    """New axes of size 1, at these places of the result."""
    axes = [axis] if isinstance(axis, int) else axis
    rank = as_node(x).ndim + len(axes)
    return functools.reduce(express.expand_dims, sorted(normal_axis(a, rank) for a in axes), as_node(x))


@dual
def squeeze(x: Operand, axis: Axes = None) -> Node:
    """Without axes of size 1: these, or all of them by default."""
    x = as_node(x)
    if axis is None:
        axis = [i for i, s in enumerate(x.shape) if s == 1]
    ones = [axis] if isinstance(axis, int) else axis
    return functools.reduce(express.squeeze, sorted((normal_axis(a, x.ndim) for a in ones), reverse=True), x)


@dual
def pad(x: Operand, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Node:
    """x with zeros around it: ``((before, after), …)`` for each axis, one such pair, or one number.

    Args:
        x: any array.
        pad_width: how much.
        mode: ``"constant"``, ``"edge"``, ``"reflect"`` or ``"symmetric"``: what the new places hold.
        constant_values: instead of zero.

    Raises:
        ValueError: ``constant_values`` in another mode than ``"constant"``.
    """
    x = as_node(x)
    if mode != "constant" and constant_values is not None:
        raise ValueError(f"constant_values belong to mode='constant', got mode={mode!r}")
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    if mode != "constant":
        return functools.reduce(lambda y, at: _mirrored(y, at, widths[at], mode), range(x.ndim), x)
    before, after = zip(*widths, strict=True) if widths else ((), ())
    if not constant_values:
        return express.pad(x, before, after)
    inside = express.pad(express.full_like(x, 1.0), before, after)
    return express.where(inside > 0, express.pad(x, before, after), express.constant(constant_values, x.dtype))


def _mirrored(x: Node, axis: int, width: Sequence[int], mode: str) -> Node:
    if not any(width):
        return x
    return moving.reordered(x, axis, np.pad(np.arange(fixed_size(x, axis)), width, mode))  # type: ignore[call-overload]


@dual
def slice(inputs: Operand, start_indices: Sequence[int], shape: Sequence[int | None]) -> Node:
    """The block of ``shape`` that begins at ``start_indices``; None takes the whole batch axis."""
    ends = [None if n is None else begin + n for begin, n in zip(start_indices, shape, strict=True)]
    return express.slice(inputs, start_indices, ends)


@dual
def split(x: Operand, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Node]:
    """Parts along an axis: so many equal ones, or cut before these indices."""
    return _parts(as_node(x), indices_or_sections, axis)


def _parts(x: Node, cuts: int | Sequence[int], axis: int, equal: bool = True) -> list[Node]:
    size = fixed_size(x, axis)
    if isinstance(cuts, int):
        if equal and size % cuts:
            raise ShapeError(f"axis {axis} of {x.shape} cannot be cut into {cuts} equal parts")
        cuts = [i * (size // cuts) + builtins.min(i, size % cuts) for i in range(1, cuts)]
    ends = [0, *cuts, size]
    return [express.slice_axis(x, axis, a, b) for a, b in itertools.pairwise(ends)]


@dual
def array_split(x: Operand, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Node]:
    """Parts along an axis: so many, the first ones longer if need be, or cut before these indices."""
    return _parts(as_node(x), indices_or_sections, axis, equal=False)


@dual
def hsplit(x: Operand, indices_or_sections: int | Sequence[int]) -> list[Node]:
    """Parts along the second axis (the only one of a vector)."""
    x = as_node(x)
    return _parts(x, indices_or_sections, min(1, x.ndim - 1))


@dual
def vsplit(x: Operand, indices_or_sections: int | Sequence[int]) -> list[Node]:
    """Parts along the first axis."""
    return _parts(as_node(x), indices_or_sections, 0)


@dual
def dsplit(x: Operand, indices_or_sections: int | Sequence[int]) -> list[Node]:
    """Parts along the third axis."""
    return _parts(as_node(x), indices_or_sections, 2)


@dual
def unstack(x: Operand, num: int | None = None, axis: int = 0) -> list[Node]:
    """The slices along an axis, without it."""
    x = as_node(x)
    size = fixed_size(x, axis)
    return [express.squeeze(express.slice_axis(x, axis, i, i + 1), axis) for i in range(num or size)]


__all__ = [
    "append", "array_split", "broadcast_to", "concatenate", "diag", "diagflat", "diagonal", "diff", "dsplit",
    "dstack", "expand_dims", "flip", "fliplr", "flipud", "hsplit", "hstack", "meshgrid", "moveaxis", "pad",
    "ravel", "repeat", "reshape", "roll", "rot90", "slice", "split", "squeeze", "stack", "swapaxes", "tile",
    "transpose", "tril", "triu", "unstack", "vsplit", "vstack",
]  # fmt: skip
