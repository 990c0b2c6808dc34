"""Which nodes are the same memory seen in another way: reshapes, reordered axes, contiguous parts, repeated values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from lamina.graph.node import Node
from lamina.graph.shapes import Shape, count

Strides = tuple[int, ...]


class View(NamedTuple):
    """Where a node's numbers lie: a stored node, the first element, and the step along each axis of ``shape``."""

    stored: Node
    offset: int
    shape: Shape
    strides: Strides


def contiguous(shape: Sequence[int | None]) -> Strides:
    """Steps of a C-ordered array; the batch is only ever the first axis, so its size never matters."""
    steps, step = [], 1
    for size in reversed(shape):
        steps.append(step)
        step *= size or 0
    return tuple(reversed(steps))


def stored(node: Node) -> tuple[Node, int]:
    """The node whose memory holds this one's numbers in the same order, and the first element there."""
    offset = 0
    while (begin := _alias(node)) is not None:
        offset += begin
        node = node.inputs[0]
    return node, offset


def _alias(node: Node) -> int | None:
    if node.op in ("reshape", "stop_gradient") or (node.op == "cast" and is_free_cast(node)):
        return 0
    if node.op == "slice" and _is_leading(node):
        return int(node.attrs["begin"][0]) * contiguous(node.inputs[0].shape)[0]
    return None


def is_free_cast(node: Node) -> bool:
    """All numbers are stored in the program's float type, so only roundings to integers or booleans compute."""
    order = ("bool", "int32", "float32", "float64")
    (x,) = node.inputs
    return order.index(x.dtype) <= order.index(node.dtype) or (node.dtype == "int32" and _is_whole(x))


def _is_whole(x: Node) -> bool:
    """Whether nothing is left to round."""
    if x.op in ("maximum", "minimum"):
        return all(map(_is_whole, x.inputs))
    whole = x.op == "constant" and x.attrs["value"].size == 1 and float(x.attrs["value"].reshape(())).is_integer()
    return whole or x.op in ("floor", "ceil", "round")


def _is_leading(node: Node) -> bool:
    whole = zip(node.attrs["begin"][1:], node.attrs["end"][1:], node.inputs[0].shape[1:], strict=True)
    return None not in node.shape and node.ndim > 0 and all((b, e) == (0, s) for b, e, s in whole)


def strided(node: Node) -> View:
    """Where a node's numbers lie, seeing through reordered axes too."""
    if node.op == "transpose":
        inner = strided(node.inputs[0])
        return inner._replace(shape=node.shape, strides=tuple(inner.strides[a] for a in node.attrs["axes"]))
    begin = _alias(node)
    if begin is None:
        return View(node, 0, node.shape, contiguous(node.shape))
    inner = strided(node.inputs[0])
    if inner.strides != contiguous(inner.shape):  # reordered below: this node must be stored as it is
        base, offset = stored(node)
        return View(base, offset, node.shape, contiguous(node.shape))
    return View(inner.stored, inner.offset + begin, node.shape, contiguous(node.shape))


def merged(view: View, axes: Sequence[int]) -> int | None:
    """The one step that walks several axes in order, or None; 0 for no axes or a single element."""
    axes = [a for a in axes if view.shape[a] != 1]
    for outer, inner in pairwise(axes):
        size = view.shape[inner]
        if size is None or view.strides[outer] != view.strides[inner] * size:
            return None
    return view.strides[axes[-1]] if axes else 0


def unrepeated(node: Node) -> Node:
    """An elementwise operand before it was repeated: the machine repeats by itself."""
    return node.inputs[0] if node.op == "broadcast_to" else node


def elements(shape: Shape, axes: Sequence[int]) -> tuple[int, int]:
    """The number of elements along some axes as (per batch row, fixed)."""
    return count(tuple(shape[a] for a in axes))
