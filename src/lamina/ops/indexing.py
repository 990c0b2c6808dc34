"""Functions of ``lamina.ops`` that take numbers from places, or put them there."""

from __future__ import annotations

from lamina import config
from lamina.graph import express, functions
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
def one_hot(x: Operand, num_classes: int, axis: int = -1, dtype: str | None = None) -> Node:
    """A new axis of ``num_classes``, 1 at the index and 0 elsewhere."""
    return functions.moveaxis(functions.one_hot(x, num_classes, dtype or config.floatx()), -1, axis)


@dual
def segment_sum(data: Operand, segment_ids: Operand, num_segments: int) -> Node:
    """The sums of the rows that share a segment number: (num_segments, …)."""
    return express.scatter_add(segment_ids, data, num_segments)


__all__ = [
    "in_top_k", "one_hot", "segment_sum", "take",
]  # fmt: skip
