"""Functions of ``lamina.ops`` about tensors as such: what they are, and their conversion."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from lamina import config
from lamina.errors import ShapeError
from lamina.graph import express
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Array, Dual, at_once, dual
from lamina.variables import Variable


def convert_to_tensor(
    x: Any, dtype: str | None = None, sparse: bool | None = None, ragged: bool | None = None
) -> Array:
    """A Node while a graph is built, else a NumPy array; Python lists are taken too.

    Args:
        x: a node, variable, array, number or nested list.
        dtype: the element type; its own by default, the session's float type for Python floats.
        sparse, ragged: must be false.
    """
    if sparse or ragged:
        raise ValueError("Lamina's tensors are plain arrays: sparse and ragged must be false")
    if isinstance(x, Variable):
        x = x.__lamina_node__()
        x = np.array(x) if isinstance(x, np.ndarray) else x  # what it holds now
    if isinstance(x, Node) or hasattr(type(x), "__lamina_operation__"):
        return x if dtype is None else cast(x, dtype)
    array = np.asarray(x)
    if dtype is None and not isinstance(x, np.ndarray | np.generic) and array.dtype == np.float64:
        dtype = config.floatx()
    return array.astype(dtype, copy=False) if dtype else array


def convert_to_numpy(x: Any) -> np.ndarray:
    """The numbers of an array or variable; a Node has none yet."""
    return np.asarray(x)


def array(x: Any, dtype: str | None = None) -> Array:
    """The same as ``convert_to_tensor``."""
    return convert_to_tensor(x, dtype)


def size(x: Any) -> Any:
    """The number of elements; while a graph is built a node, if the batch is among the axes."""
    sizes = shape(x)
    if None in sizes:
        raise ShapeError(f"the size of an array of shape {sizes} depends on the batch")
    return prod(sizes)


@dual
def copy(x: Operand) -> Node:
    """The same numbers."""
    return as_node(x)


def is_tensor(x: Any) -> bool:
    """Whether x is an array of Lamina: a node, a variable or a NumPy array."""
    return isinstance(x, Node | Variable | np.ndarray)


def shape(x: Any) -> tuple[Any, ...]:
    """The shape; while a graph is built the batch's size is a node, the number of rows that a run will have.

    Example:
        >>> shape([[1.0, 2.0, 3.0]])
        (1, 3)
    """
    sizes = tuple(x.shape) if hasattr(x, "shape") else np.shape(x)
    return tuple(express.size_of(x, [i]) if s is None and isinstance(x, Node) else s for i, s in enumerate(sizes))


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(shape(x))


def dtype(x: Any) -> str:
    """The element type's name."""
    found = convert_to_tensor(x).dtype
    return found if isinstance(found, str) else found.name


def _cast(x: Array, dtype: str) -> Array:
    return np.asarray(x).astype(dtype)


def _cast_in_graph(x: Operand, dtype: str) -> Node:
    """x with another element type; a graph holds all whole numbers as int32, halves of floats as float32."""
    return express.cast(x, config.held_dtype(dtype))


def _saturated(x: Array, dtype: str) -> Array:
    x, kind = np.asarray(x), np.dtype(dtype)
    if kind.kind not in "iu":
        return x.astype(kind)
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    inside = np.where((x > low) & (x < high), x, 0).astype(kind)
    return np.where(x >= high, high, np.where(x <= low, low, inside)).astype(kind)


def _saturated_in_graph(x: Operand, dtype: str) -> Node:
    """x with another element type, after limiting it to what that can hold."""
    x = as_node(x)
    if config.held_dtype(dtype) != "int32":
        return express.cast(x, config.held_dtype(dtype))
    low, high = np.iinfo("int32").min, np.iinfo("int32").max
    inside = express.where(x < float(high), x, express.constant(0.0, x.dtype))
    whole = express.cast(express.maximum(inside, float(low)), "int32")
    return express.where(x >= float(high), express.constant(high, "int32"), whole)


cast: Dual = dual(_cast_in_graph, "cast", _cast)
saturate_cast: Dual = dual(_saturated_in_graph, "saturate_cast", _saturated)


@dual
def stop_gradient(variable: Operand) -> Node:
    """The same numbers, seen as constants by gradients."""
    return express.stop_gradient(variable)


@at_once
def view(x: Array, dtype: str | None = None) -> Array:
    """The same bytes read as another element type."""
    return np.asarray(x) if dtype is None else np.asarray(x).view(dtype)


__all__ = [
    "array", "cast", "convert_to_numpy", "convert_to_tensor", "copy", "dtype", "is_tensor", "ndim", "saturate_cast",
    "shape", "size", "stop_gradient", "view",
]  # fmt: skip
