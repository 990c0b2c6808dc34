"""Functions of ``lamina.ops`` about order: arrays are sorted by NumPy, a graph compares all pairs along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.graph import order
from lamina.graph.express import Axes, as_node
from lamina.ops.dispatch import Array, Dual, at_once, dual, evaluate, indices


def _argsort(x: Array, axis: int | None = -1) -> Array:
    return indices(np.argsort(np.asarray(x), axis, kind="stable"))


def _top_k(x: Array, k: int, sorted: bool = True) -> tuple[Array, Array]:
    x = np.asarray(x)
    places = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, places, -1), indices(places)


def _sort(x: Array, axis: int | None = -1) -> Array:
    return np.sort(x if isinstance(x, np.ndarray) else evaluate(as_node(x)), axis)


def share(x: Array) -> Array:
    """Floats as they are, whole numbers as float32."""
    array = np.asarray(x)
    return array if array.dtype.kind == "f" else array.astype("float32")


def _quantile(x: Array, q: Any, axis: Any = None, method: Any = "linear", keepdims: bool = False) -> Array:
    x = share(x)
    return np.asarray(np.quantile(x, np.asarray(q, x.dtype), _axes(axis), method=method, keepdims=keepdims))


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _percentile(x: Array, q: Any, axis: Any = None, method: Any = "linear", keepdims: bool = False) -> Array:
    return _quantile(x, np.asarray(q) / 100.0, axis, method, keepdims)


def _median(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    return np.asarray(np.median(share(x), _axes(axis), keepdims=keepdims))


def _searchsorted(sorted_sequence: Array, values: Array, side: Any = "left") -> Array:
    return indices(np.searchsorted(sorted_sequence, values, side))


def _digitize(x: Array, bins: Array) -> Array:
    return indices(np.digitize(x, bins))


argsort: Dual = dual(order.argsort, arrays=_argsort)
digitize: Dual = dual(order.digitize, arrays=_digitize)
median: Dual = dual(order.median, arrays=_median)
percentile: Dual = dual(order.percentile, arrays=_percentile)
quantile: Dual = dual(order.quantile, arrays=_quantile)
searchsorted: Dual = dual(order.searchsorted, arrays=_searchsorted)
sort: Dual = dual(order.sort, arrays=_sort)
top_k: Dual = dual(order.top_k, arrays=_top_k)


@at_once
def argpartition(x: Array, kth: int, axis: int = -1) -> Array:
    """Where the elements come from in an order where the k-th stands in its place."""
    return indices(np.argpartition(x, kth, axis))


@at_once
def nanmedian(x: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    """The median of what is not NaN."""
    return np.nanmedian(share(x), _axes(axis), keepdims=keepdims)


@at_once
def nanquantile(x: Array, q: Any, axis: Axes = None, method: Any = "linear", keepdims: bool = False) -> Array:
    """The quantile of what is not NaN."""
    x = share(x)
    return np.nanquantile(x, np.asarray(q, x.dtype), _axes(axis), method=method, keepdims=keepdims)


@at_once
def nanpercentile(x: Array, q: Any, axis: Axes = None, method: Any = "linear", keepdims: bool = False) -> Array:
    """The percentile of what is not NaN."""
    x = share(x)
    return np.nanpercentile(x, np.asarray(q, x.dtype), _axes(axis), method=method, keepdims=keepdims)


@at_once
def unique(
    x: Array, sorted: bool = True, return_index: Any = False, return_inverse: Any = False, return_counts: Any = False,
    axis: int | None = None, size: int | None = None, fill_value: Any = None,
) -> Any:  # fmt: skip
    """The different elements in their order, with their first places, the place of each element, and how often.

    Args:
        x: any array.
        sorted: taken for Keras's sake; they always are.
        return_index, return_inverse, return_counts: what else is returned.
        axis: slices along it are compared, all elements by default.
        size, fill_value: must be None.
    """
    if size is not None or fill_value is not None:
        raise ValueError("ops.unique returns as many elements as there are: size and fill_value must be None")
    found = np.unique(x, return_index, return_inverse, return_counts, axis)
    return (found[0], *indices(found[1:])) if isinstance(found, tuple) else found


@at_once
def nonzero(x: Array) -> Any:
    """The indices of the elements that are not 0, one array for each axis."""
    return indices(np.nonzero(x))


def _counted(x: Array, weights: Array, minlength: int) -> Array:
    if x.ndim < 2:
        return np.bincount(x, weights, minlength)
    length = max(minlength, int(x.max(initial=-1)) + 1)
    weights = [None] * len(x) if weights is None else weights
    return np.stack([np.bincount(row, w, length) for row, w in zip(x, weights, strict=True)])


@at_once
def bincount(x: Array, weights: Array = None, minlength: int = 0, sparse: bool = False) -> Array:
    """How often (or with which weight) each whole number from 0 occurs.

    Args:
        x: whole numbers (n,), or (rows, n) to count in each row.
        weights: a weight for each.
        minlength: least number of counts.
        sparse: must be false.
    """
    if sparse:
        raise ValueError("ops.bincount returns plain arrays: sparse must be false")
    counted = _counted(np.asarray(x), weights, minlength)
    return indices(counted) if weights is None else counted.astype(np.result_type(np.asarray(weights).dtype, "float32"))


@at_once
def histogram(x: Array, bins: Any = 10, range: Any = None) -> Any:
    """How many elements lie in each of some bins, and the bins' bounds."""
    counts, bounds = np.histogram(x, bins, range)
    return counts.astype(share(x).dtype), bounds.astype(share(x).dtype)


__all__ = [
    "argpartition", "argsort", "bincount", "digitize", "histogram", "median", "nanmedian", "nanpercentile",
    "nanquantile", "nonzero", "percentile", "quantile", "searchsorted", "sort", "top_k", "unique",
]  # fmt: skip
