"""Functions of ``lamina.ops`` that take numbers from places, or put them there."""

from __future__ import annotations

from typing import Any

from lamina import config
from lamina.errors import ShapeError
from lamina.graph import express, functions
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Dual, dual

in_top_k: Dual = dual(functions.in_top_k)


@dual
def take(x: Operand, indices: Operand, axis: int | None = None) -> Node:
    """Slices at ``indices`` along an axis, elements of the flattened array by default."""
    if axis is None:
        return express.take(express.reshape(x, (-1,)), indices)
    return functions.take_along(x, indices, axis)


@dual
def get_item(x: Operand, key: Any) -> Node:
    """``x[key]`` for integers, slices, ``...`` and None."""
    return as_node(x)[tuple(key) if isinstance(key, list) else key]


@dual
def one_hot(x: Operand, num_classes: int, axis: int = -1, dtype: str | None = None) -> Node:
    """A new axis of ``num_classes``, 1 at the index and 0 elsewhere."""
    return functions.moveaxis(functions.one_hot(x, num_classes, dtype or config.floatx()), -1, axis)


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


def _segments(ids: Operand, given: int | None) -> int:
    ids = as_node(ids)
    if given is None and ids.op != "constant":
        raise ShapeError("num_segments must be given: the shape of a graph's result cannot depend on its numbers")
    return int(ids.attrs["value"].max()) + 1 if given is None else given


__all__ = [
    "get_item", "in_top_k", "one_hot", "segment_sum", "take",
]  # fmt: skip
