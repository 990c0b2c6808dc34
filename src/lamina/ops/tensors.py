"""Functions of ``lamina.ops`` about tensors as such: what they are, and their conversion."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import config
from lamina.graph import express
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Array, Dual, dual
from lamina.variables import Variable


def convert_to_tensor(x: Any, dtype: str | None = None) -> Array:
    """A Node while a graph is built, else a NumPy array; Python lists are taken too.

    Args:
        x: a node, variable, array, number or nested list.
        dtype: the element type; its own by default, the session's float type for Python floats.
    """
    if isinstance(x, Variable):
        x = x.__lamina_node__()
    if isinstance(x, Node):
        return x if dtype is None else express.cast(x, dtype)
    array = np.asarray(x)
    if dtype is None and not isinstance(x, np.ndarray | np.generic) and array.dtype == np.float64:
        dtype = config.floatx()
    return array.astype(dtype, copy=False) if dtype else array


def convert_to_numpy(x: Any) -> np.ndarray:
    """The numbers of an array or variable; a Node has none yet."""
    return np.asarray(x)


def is_tensor(x: Any) -> bool:
    """Whether x is an array of Lamina: a node, a variable or a NumPy array."""
    return isinstance(x, Node | Variable | np.ndarray)


def shape(x: Any) -> tuple[int | None, ...]:
    """The shape; None stands for the batch while a graph is built."""
    return tuple(convert_to_tensor(x).shape)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(shape(x))


def dtype(x: Any) -> str:
    """The element type's name."""
    found = convert_to_tensor(x).dtype
    return found if isinstance(found, str) else found.name


cast: Dual = dual(express.cast)


@dual
def stop_gradient(variable: Operand) -> Node:
    """The same numbers, seen as constants by gradients."""
    return express.stop_gradient(variable)


__all__ = [
    "cast", "convert_to_numpy", "convert_to_tensor", "dtype", "is_tensor", "ndim", "shape", "stop_gradient",
]  # fmt: skip
