"""The same numbers in other places, as equations of the primitives."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from lamina.errors import ShapeError
from lamina.graph import express as e
from lamina.graph import functions as f
from lamina.graph.express import Axes, as_node
from lamina.graph.node import Node, Operand
from lamina.graph.order import fixed_size
from lamina.graph.shapes import normal_axis


def listed(axis: Axes, rank: int) -> list[int]:
    """Axes counted from the front; all of them for None."""
    given = range(rank) if axis is None else np.atleast_1d(axis).tolist()
    return [normal_axis(a, rank) for a in given]


def take_along(x: Operand, indices: Operand, axis: int) -> Node:
    """Slices of x at ``indices`` along any axis, which the indices' axes replace."""
    x, indices = as_node(x), as_node(indices)
    at = normal_axis(axis, x.ndim)
    if at and None in x.shape:
        return _take_beside_the_batch(x, indices, at)
    found = e.take(f.moveaxis(x, at, 0), indices)
    order = list(range(indices.ndim, found.ndim))
    return e.transpose(found, order[:at] + list(range(indices.ndim)) + order[at:])


def _take_beside_the_batch(x: Node, indices: Node, at: int) -> Node:
    """The same where the batch stays on its axis: parts side by side, or for computed places one of all chosen."""
    size = x.shape[at]
    if size is None:
        raise ShapeError(f"axis {at} of {x.shape} is the batch: its rows are taken along axis 0")
    shape = (*x.shape[:at], *indices.shape, *x.shape[at + 1 :])
    if indices.op == "constant":
        given = [int(i) for i in indices.attrs["value"].reshape(-1)]
        if beyond := [i for i in given if not -size <= i < size]:
            raise ShapeError(f"index {beyond[0]} reaches beyond axis {at} of {x.shape}")
        places = [i % size for i in given]
        return e.reshape(e.concatenate([e.slice_axis(x, at, a, b) for a, b in _runs(places)], at), shape)
    if None in indices.shape:
        raise ShapeError("places that differ from row to row are taken by ops.take_along_axis")
    hit = f.one_hot(e.reshape(indices, (-1,)), size, x.dtype)
    return e.reshape(f.moveaxis(e.tensordot(x, hit, ((at,), (1,))), -1, at), shape)


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """(begin, end) of the stretches of neighbours in a row of places."""
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and runs[-1][1] == place:
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return runs


def reordered(x: Operand, axis: int, places: Any) -> Node:
    """The slices along an axis of fixed size at these places, known beforehand."""
    return take_along(x, e.constant(np.asarray(places), "int32"), axis)


def flip(x: Operand, axis: Axes = None) -> Node:
    """The elements along some axes (all by default) from the last to the first."""
    x = as_node(x)
    for at in listed(axis, x.ndim):
        x = reordered(x, at, np.arange(fixed_size(x, at))[::-1])
    return x


def roll(x: Operand, shift: int | Sequence[int], axis: Axes = None) -> Node:
    """The elements along some axes moved on by ``shift``, those beyond the end to the begin."""
    x = as_node(x)
    if axis is None:
        return e.reshape(roll(e.reshape(x, (-1,)), shift, 0), x.shape)
    axes = listed(axis, x.ndim)
    for at, by in zip(axes, np.broadcast_to(shift, len(axes)).tolist(), strict=True):
        x = reordered(x, at, np.roll(np.arange(fixed_size(x, at)), by))
    return x


def repeat(x: Operand, repeats: int | Sequence[int], axis: int | None = None) -> Node:
    """Each element along an axis (of the flattened array by default) so many times."""
    x = as_node(x)
    if axis is None:
        x, axis = e.reshape(x, (-1,)), 0
    return reordered(x, axis, np.repeat(np.arange(fixed_size(x, axis)), repeats))


def tile(x: Operand, repeats: int | Sequence[int]) -> Node:
    """The whole array so many times along each axis."""
    x = as_node(x)
    times = np.atleast_1d(repeats).tolist()
    x = e.reshape(x, (*(1,) * (len(times) - x.ndim), *x.shape))
    for at, n in enumerate([1] * (x.ndim - len(times)) + times):
        x = x if n == 1 else e.concatenate([x] * n, at) if n else e.slice_axis(x, at, 0, 0)
    return x


def diagonal(x: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """A diagonal of matrices of fixed size, as the last axis."""
    x = as_node(x)
    at1, at2 = normal_axis(axis1, x.ndim), normal_axis(axis2, x.ndim)
    rows, columns = fixed_size(x, at1), fixed_size(x, at2)
    rest = [a for a in range(x.ndim) if a not in (at1, at2)]
    flat = e.reshape(e.transpose(x, (*rest, at1, at2)), (*(x.shape[a] for a in rest), rows * columns))
    return reordered(flat, -1, np.diagonal(np.arange(rows * columns).reshape(rows, columns), offset))


def diagonal_matrix(x: Operand, k: int = 0) -> Node:
    """A matrix with the vector x on its k-th diagonal and 0 elsewhere."""
    x = as_node(x)
    size = fixed_size(x, 0) + abs(k)
    places = np.diagonal(np.arange(size * size).reshape(size, size), k)
    return e.reshape(e.scatter_add(e.constant(places, "int32"), x, size * size), (size, size))


def triangle(x: Operand, k: int, lower: bool) -> Node:
    """x with 0 above (or below) the k-th diagonal of its last two axes."""
    x = as_node(x)
    mask = np.tri(fixed_size(x, -2), fixed_size(x, -1), k if lower else k - 1, bool)
    return e.where(e.constant(mask if lower else ~mask, "bool"), x, e.constant(0, x.dtype))


def diff(a: Operand, n: int = 1, axis: int = -1) -> Node:
    """The n-th differences of neighbours along an axis of fixed size."""
    a = as_node(a)
    for _ in range(n):
        size = fixed_size(a, axis)
        a = e.slice_axis(a, axis, 1, size) - e.slice_axis(a, axis, 0, size - 1)
    return a


def rot90(array: Operand, k: int = 1, axes: Sequence[int] = (0, 1)) -> Node:
    """Turned k times by a quarter in the plane of two axes, from the first towards the second."""
    array = as_node(array)
    first, second = axes
    turned = {
        0: lambda: array,
        1: lambda: f.swapaxes(flip(array, second), first, second),
        2: lambda: flip(array, (first, second)),
        3: lambda: flip(f.swapaxes(array, first, second), second),
    }
    return turned[k % 4]()


def take_along_axis(x: Operand, indices: Operand, axis: int | None = None) -> Node:
    """For each index the element of x there, along an axis of fixed size; all other axes go together."""
    x, indices = as_node(x), as_node(indices)
    if axis is None:
        x, indices, axis = e.reshape(x, (-1,)), e.reshape(indices, (-1,)), 0
    at = normal_axis(axis, x.ndim)
    size = fixed_size(x, at)
    rows, places = f.moveaxis(x, at, -1), f.moveaxis(e.cast(indices, "int32"), at, -1)
    places = e.where(places < 0, places + size, places)
    hit = e.equal(e.expand_dims(places, -1), e.iota(size))
    return f.moveaxis(e.sum(e.where(hit, e.expand_dims(rows, -2), e.constant(0, x.dtype)), -1), -1, at)


def _flat_places(indices: Operand, shape: Sequence[int]) -> tuple[Node, int]:
    """Indices (…, depth) into the first axes of a shape as numbers (n,), and how many places there are."""
    indices = e.cast(indices, "int32")
    depth = fixed_size(indices, -1)
    strides = [prod(shape[i + 1 : depth]) for i in range(depth)]
    return e.reshape(e.sum(indices * e.constant(np.array(strides), "int32"), -1), (-1,)), prod(shape[:depth])


def scatter(indices: Operand, values: Operand, shape: Sequence[int]) -> Node:
    """An array of zeros to which each value is added at its index.

    Args:
        indices: (…, depth), places along the first ``depth`` axes.
        values: (…, *shape[depth:]).
        shape: the result's.
    """
    values = as_node(values)
    places, size = _flat_places(indices, shape)
    depth = fixed_size(as_node(indices), -1)
    rows = e.reshape(values, (-1, *shape[depth:]))
    return e.reshape(e.scatter_add(places, rows, size), tuple(shape))


def scatter_update(inputs: Operand, indices: Operand, updates: Operand, reduction: str | None = None) -> Node:
    """The inputs with updates at some (different) indices, put there or added.

    Raises:
        ValueError: another reduction than None and ``"add"``, which alone a graph has.
    """
    inputs, updates = as_node(inputs), as_node(updates)
    shape = tuple(s for s in inputs.shape if s is not None)
    if len(shape) < inputs.ndim:
        raise ShapeError(f"scatter_update needs inputs of fixed shape, got {inputs.shape}")
    if reduction not in (None, "add"):
        raise ValueError(f"in a graph scatter_update puts or adds, got reduction={reduction!r}")
    moved = scatter(indices, e.cast(updates, inputs.dtype), shape)
    if reduction == "add":
        return inputs + moved
    hit = scatter(indices, e.full_like(e.cast(updates, inputs.dtype), 1.0), shape)
    return e.where(hit > 0, moved, inputs)


def slice_update(inputs: Operand, start_indices: Sequence[int], updates: Operand) -> Node:
    """The inputs with a block of updates that begins at ``start_indices``."""
    inputs, updates = as_node(inputs), as_node(updates)
    begin = list(start_indices)
    sizes = list(zip(begin, updates.shape, inputs.shape, strict=True))
    after = [0 if size is None or n is None else size - n - at for at, n, size in sizes]
    block = e.pad(e.cast(updates, inputs.dtype), begin, after)
    block_of_ones = np.ones([1 if size is None else n or 0 for _, n, size in sizes], bool)
    inside = np.pad(block_of_ones, list(zip(begin, after, strict=True)))
    return e.where(e.constant(inside, "bool"), block, inputs)
