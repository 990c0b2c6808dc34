"""Order along an axis, by comparing all pairs: O(n²), meant for axes of tens of columns, not for batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, inf
from typing import Any

import numpy as np

from lamina.errors import ShapeError
from lamina.graph import express as e
from lamina.graph import functions as f
from lamina.graph.express import Axes, as_node
from lamina.graph.node import Node, Operand
from lamina.graph.shapes import normal_axis


def fixed_size(x: Node, axis: int) -> int:
    """The size of an axis that is not the batch.

    Raises:
        ShapeError: it is.
    """
    size = x.shape[normal_axis(axis, x.ndim)]
    if size is None:
        raise ShapeError(f"axis {axis} of {x.shape} is the batch, whose size is not fixed")
    return size


def _last(x: Operand, axis: int | None) -> tuple[Node, int]:
    """x with an axis moved to the end (all in one row if None), and where it was."""
    x = as_node(x)
    if axis is None:
        return e.reshape(x, (-1,)), -1
    fixed_size(x, axis)
    return f.moveaxis(x, axis, -1), normal_axis(axis, x.ndim)


def _ranks(x: Node) -> Node:
    """The place of each element in the order along the last axis; equal ones keep their order."""
    size = fixed_size(x, -1)
    mine, other = e.expand_dims(x, -1), e.expand_dims(x, -2)
    before = e.constant(np.tri(size, k=-1), "bool")
    return e.sum(f.logical_or(other < mine, f.logical_and(e.equal(other, mine), before)), -1)


def _placed(x: Node, values: Node) -> Node:
    """``values`` in the order of x along the last axis."""
    size = fixed_size(x, -1)
    hit = e.equal(e.expand_dims(_ranks(x), -2), e.expand_dims(e.iota(size), -1))
    return e.sum(e.where(hit, e.expand_dims(values, -2), e.constant(0, values.dtype)), -1)


def sort(x: Operand, axis: int | None = -1) -> Node:
    """The elements along an axis from the smallest to the largest."""
    rows, at = _last(x, axis)
    return f.moveaxis(_placed(rows, rows), -1, at)


def argsort(x: Operand, axis: int | None = -1) -> Node:
    """Where the elements of the sorted array come from, as int32."""
    rows, at = _last(x, axis)
    places = e.broadcast_to(e.iota(fixed_size(rows, -1)), rows.shape)
    return f.moveaxis(_placed(rows, places), -1, at)


def top_k(x: Operand, k: int, sorted: bool = True) -> tuple[Node, Node]:
    """The k largest numbers along the last axis, from the largest down, and where they are."""
    x = as_node(x)
    places = e.broadcast_to(e.iota(fixed_size(x, -1)), x.shape)
    return (e.slice_axis(-_placed(-x, -x), -1, 0, k), e.slice_axis(_placed(-x, places), -1, 0, k))


METHODS: dict[str, Callable[[float], float]] = {"lower": floor, "higher": ceil, "nearest": round}


def quantile(
    x: Operand, q: float | Sequence[float], axis: Axes = None, method: str = "linear", keepdims: bool = False
) -> Node:
    """The number below which a share q of the elements lies.

    Args:
        x: any array.
        q: one share in [0, 1], or several, which become the first axis.
        axis: one axis of fixed size, several, or all.
        method: between two elements: ``"linear"``, ``"midpoint"``, ``"lower"``, ``"higher"`` or ``"nearest"``.
        keepdims: whether the axes stay, with size 1.
    """
    x, q = as_node(x), _known(q)
    x = x if x.dtype.startswith("float") else e.cast(x, "float32")
    axes = tuple(normal_axis(a, x.ndim) for a in (range(x.ndim) if axis is None else np.atleast_1d(axis).tolist()))
    kept = [a for a in range(x.ndim) if a not in axes]
    rows = e.reshape(e.transpose(x, (*kept, *axes)), (*(x.shape[a] for a in kept), -1))
    ordered = sort(rows)
    shape = tuple(1 if a in axes else s for a, s in enumerate(x.shape)) if keepdims else rows.shape[:-1]
    found = [e.reshape(_at(ordered, share, method), shape) for share in np.atleast_1d(q).tolist()]
    return found[0] if np.ndim(q) == 0 else f.stack(found, 0)


def _known(q: Any) -> Any:
    """Shares, which are known while the graph is built."""
    return q.attrs["value"].tolist() if isinstance(q, Node) and q.op == "constant" else q


def _at(ordered: Node, share: float, method: str) -> Node:
    place = share * (fixed_size(ordered, -1) - 1)
    if method in METHODS:
        return e.slice_axis(ordered, -1, at := int(METHODS[method](place)), at + 1)
    low, high = floor(place), ceil(place)
    weight = 0.5 * (high > low) if method == "midpoint" else place - low
    below, above = (e.slice_axis(ordered, -1, at, at + 1) for at in (low, high))
    return below + (above - below) * weight


def percentile(
    x: Operand, q: float | Sequence[float], axis: Axes = None, method: str = "linear", keepdims: bool = False
) -> Node:
    """The number below which q per cent of the elements lie; see ``quantile``."""
    return quantile(x, (np.asarray(_known(q)) / 100.0).tolist(), axis, method, keepdims)


def median(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The number in the middle, or the mean of the two there, over some axes (all by default)."""
    return quantile(x, 0.5, axis, "midpoint", keepdims)


def digitize(x: Operand, bins: Operand) -> Node:
    """The number of bins (rising bounds) at or below each element, as int32."""
    return searchsorted(bins, x, "right")


def searchsorted(sorted_sequence: Operand, values: Operand, side: str = "left") -> Node:
    """Where each value would have to be put in a sorted row, as int32."""
    values = e.expand_dims(values, -1)
    held = e.less(sorted_sequence, values) if side == "left" else e.less_equal(sorted_sequence, values)
    return e.sum(held, -1)


def running(x: Operand, axis: int, pair: Callable[[Node, Node], Node], neutral: float) -> Node:
    """Running sums (products, …) along an axis of fixed size, in as many steps as its size has binary digits."""
    x = as_node(x)
    at, size, reach = normal_axis(axis, x.ndim), fixed_size(x, axis), 1
    while reach < size:
        filler = e.broadcast_to(e.constant(neutral, x.dtype), (*x.shape[:at], reach, *x.shape[at + 1 :]))
        x = pair(x, e.concatenate([filler, e.slice_axis(x, at, 0, size - reach)], at))
        reach *= 2
    return x


def prod(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The product of the elements over axes of fixed size (all by default), halving them again and again."""
    x = as_node(x)
    x = e.cast(x, "int32") if x.dtype == "bool" else x
    axes = range(x.ndim) if axis is None else np.atleast_1d(axis).tolist()
    shape = e.sum(x, axis, keepdims).shape
    for at in (normal_axis(a, x.ndim) for a in axes):
        while (size := fixed_size(x, at)) > 1:
            half = size // 2
            pairs = e.slice_axis(x, at, 0, half) * e.slice_axis(x, at, half, 2 * half)
            x = e.concatenate([pairs, e.slice_axis(x, at, 2 * half, size)], at) if size % 2 else pairs
    return e.reshape(x, shape)


def segment_extreme(data: Operand, segment_ids: Operand, num_segments: int) -> Node:
    """The largest row of each segment, −∞ for a segment without rows: (num_segments, …)."""
    data = as_node(data)
    hit = e.equal(e.expand_dims(e.iota(num_segments), -1), segment_ids)
    hit = e.reshape(hit, (*hit.shape, *(1,) * (data.ndim - 1)))
    lowest = -inf if data.dtype.startswith("float") else np.iinfo("int32").min
    return e.max(e.where(hit, e.expand_dims(data, 0), e.constant(lowest, data.dtype)), 1)
