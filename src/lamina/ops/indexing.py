"""Functions of ``lamina.ops`` that take numbers from places, or put them there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina import config
from lamina.errors import ShapeError
from lamina.graph import express, functions, moving, order
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Array, Dual, at_once, dual
from lamina.ops.dispatch import indices as as_indices


def _scatter_update(inputs: Array, indices: Array, updates: Array, reduction: str | None = None) -> Array:
    made = np.array(inputs)
    at = tuple(np.moveaxis(np.asarray(indices), -1, 0))
    if reduction is None:
        made[at] = updates
    else:
        _UFUNCS[reduction].at(made, at, updates)
    return made


_UFUNCS: dict[str, Any] = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}


def _take_along_axis(x: Array, indices: Array, axis: int | None = None) -> Array:
    return np.take_along_axis(np.asarray(x), np.asarray(indices), axis)


scatter: Dual = dual(moving.scatter)
scatter_update: Dual = dual(moving.scatter_update, arrays=_scatter_update)
slice_update: Dual = dual(moving.slice_update)
take_along_axis: Dual = dual(moving.take_along_axis, arrays=_take_along_axis)


@dual
def in_top_k(targets: Operand, predictions: Operand, k: int) -> Node:
    """True where fewer than k classes have a higher prediction than the target class."""
    return functions.in_top_k(targets, predictions, k)


@dual
def take(x: Operand, indices: Operand, axis: int | None = None) -> Node:
    """Slices at ``indices`` along an axis, elements of the flattened array by default."""
    if axis is None:
        return express.take(express.reshape(x, (-1,)), indices)
    return moving.take_along(x, indices, axis)


@dual
def get_item(x: Operand, key: Any) -> Node:
    """``x[key]`` for integers, slices, ``...`` and None."""
    return as_node(x)[tuple(key) if isinstance(key, list) else key]


@dual
def one_hot(
    x: Operand, num_classes: int, axis: int = -1, dtype: str | None = None, sparse: bool = False
) -> Node:
    """A new axis of ``num_classes``, 1 at the index and 0 elsewhere."""
    _dense("one_hot", sparse)
    return functions.moveaxis(functions.one_hot(x, num_classes, dtype or config.floatx()), -1, axis)


@dual
def multi_hot(
    inputs: Operand, num_classes: int, axis: int = -1, dtype: str | None = None, sparse: bool = False
) -> Node:
    """1 at each index that occurs along the last axis, 0 elsewhere: (…, num_classes)."""
    _dense("multi_hot", sparse)
    hit = functions.one_hot(inputs, num_classes, dtype or config.floatx())
    return functions.moveaxis(express.max(hit, -2), -1, axis) if hit.ndim > 2 else express.max(hit, 0)


def _dense(name: str, sparse: bool) -> None:
    if sparse:
        raise ValueError(f"ops.{name} returns plain arrays: sparse must be false")


# -- segments


def _segments(ids: Operand, given: int | None) -> int:
    ids = as_node(ids)
    if given is None and ids.op != "constant":
        raise ShapeError("num_segments must be given: the shape of a graph's result cannot depend on its numbers")
    return int(ids.attrs["value"].max()) + 1 if given is None else given


@dual
def segment_sum(
    data: Operand, segment_ids: Operand, num_segments: int | None = None, sorted: bool = False
) -> Node:
    """The sums of the rows that share a segment number: (num_segments, …).

    Args:
        data: (rows, …).
        segment_ids: (rows,), whole numbers.
        num_segments: how many there are; for arrays the greatest number and one by default.
        sorted: taken for Keras's sake.
    """
    return express.scatter_add(segment_ids, data, _segments(segment_ids, num_segments))


@dual
def segment_max(
    data: Operand, segment_ids: Operand, num_segments: int | None = None, sorted: bool = False
) -> Node:
    """The largest of the rows that share a segment number; −∞ where there is none. See ``segment_sum``."""
    return order.segment_extreme(data, segment_ids, _segments(segment_ids, num_segments))


@dual
def segment_min(
    data: Operand, segment_ids: Operand, num_segments: int | None = None, sorted: bool = False
) -> Node:
    """The smallest of the rows that share a segment number; ∞ where there is none. See ``segment_sum``."""
    return -order.segment_extreme(-as_node(data), segment_ids, _segments(segment_ids, num_segments))


@at_once
def segment_prod(
    data: Array, segment_ids: Array, num_segments: int | None = None, sorted: bool = False
) -> Array:
    """The products of the rows that share a segment number; 1 where there is none. See ``segment_sum``."""
    ids = np.asarray(segment_ids)
    made = np.ones((_segments(ids, num_segments), *np.shape(data)[1:]), np.asarray(data).dtype)
    np.multiply.at(made, ids, data)
    return made


@at_once
def unravel_index(indices: Array, shape: Sequence[int]) -> Any:
    """Places in the flattened array as indices along each axis."""
    return as_indices(np.unravel_index(indices, tuple(shape)))



__all__ = [
    "get_item", "in_top_k", "multi_hot", "one_hot", "scatter", "scatter_update", "segment_max", "segment_min",
    "segment_prod", "segment_sum", "slice_update", "take", "take_along_axis", "unravel_index",
]  # fmt: skip
