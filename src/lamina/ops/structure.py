"""Functions of ``lamina.ops`` that bring the same numbers to other places."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.errors import ShapeError
from lamina.graph import express, functions
from lamina.graph.express import Axes, as_node
from lamina.graph.node import Node, Operand, constant
from lamina.graph.shapes import normal_axis
from lamina.ops.dispatch import Dual, dual

broadcast_to: Dual = dual(express.broadcast_to)
moveaxis: Dual = dual(functions.moveaxis)
swapaxes: Dual = dual(functions.swapaxes)
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
    """
    x = as_node(x)
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    if mode != "constant":
        return functools.reduce(lambda y, at: _mirrored(y, at, widths[at], mode), range(x.ndim), x)
    before, after = zip(*widths, strict=True) if widths else ((), ())
    if not constant_values:
        return express.pad(x, before, after)
    return express.pad(x - constant_values, before, after) + constant_values


def _mirrored(x: Node, axis: int, width: Sequence[int], mode: str) -> Node:
    if not any(width):
        return x
    places = np.pad(np.arange(_fixed_size(x, axis)), width, mode)  # type: ignore[call-overload]
    return functions.take_along(x, constant(places), axis)


@dual
def slice(inputs: Operand, start_indices: Sequence[int], shape: Sequence[int | None]) -> Node:
    """The block of ``shape`` that begins at ``start_indices``; None takes the whole batch axis."""
    ends = [None if n is None else begin + n for begin, n in zip(start_indices, shape, strict=True)]
    return express.slice(inputs, start_indices, ends)


@dual
def split(x: Operand, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Node]:
    """Parts along an axis: so many equal ones, or cut before these indices."""
    x = as_node(x)
    size = _fixed_size(x, axis)
    if isinstance(indices_or_sections, int):
        if size % indices_or_sections:
            raise ShapeError(f"axis {axis} of {x.shape} cannot be cut into {indices_or_sections} equal parts")
        indices_or_sections = range(0, size, size // indices_or_sections)[1:]
    ends = [0, *indices_or_sections, size]
    return [express.slice_axis(x, axis, a, b) for a, b in itertools.pairwise(ends)]


@dual
def unstack(x: Operand, num: int | None = None, axis: int = 0) -> list[Node]:
    """The slices along an axis, without it."""
    x = as_node(x)
    size = _fixed_size(x, axis)
    return [express.squeeze(express.slice_axis(x, axis, i, i + 1), axis) for i in range(num or size)]


def _fixed_size(x: Node, axis: int) -> int:
    size = x.shape[normal_axis(axis, x.ndim)]
    if size is None:
        raise ShapeError(f"axis {axis} of {x.shape} is the batch, whose size is not fixed")
    return size


__all__ = [
    "broadcast_to", "concatenate", "expand_dims", "moveaxis", "pad", "ravel", "reshape", "slice",
    "split", "squeeze", "stack", "swapaxes", "transpose", "unstack",
]  # fmt: skip
