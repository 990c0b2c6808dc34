"""``lamina.ops``: the language for layers, losses and metrics of your own; nodes give nodes, arrays give arrays at once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.graph import express, functions
from lamina.graph.node import Graph, Node
from lamina.lower.to_numpy import NumpyExecutable
from lamina.trace import current
from lamina.variables import Variable


def evaluate(node: Node) -> np.ndarray:
    """The numbers of a node that needs no inputs."""
    return NumpyExecutable(Graph({"value": node})).step({}, {}, 0, 0)["value"]


def convert_to_tensor(x: Any, dtype: str | None = None) -> Any:
    """A Node while a graph is built, else a NumPy array; Python lists are taken too."""
    if isinstance(x, Node):
        return x if dtype is None else express.cast(x, dtype)
    if isinstance(x, Variable):
        x = x.__lamina_node__()
    return x if isinstance(x, Node) else _array(x, dtype)


def _array(x: Any, dtype: str | None = None) -> np.ndarray:
    array = np.asarray(x)
    if dtype is None and not isinstance(x, np.ndarray | np.generic) and array.dtype == np.float64:
        dtype = "float32"
    return array.astype(dtype, copy=False) if dtype else array


def dual(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of nodes that also computes at once when it is given numbers alone."""

    @functools.wraps(function)
    def on_either(*args: Any, **kwargs: Any) -> Any:
        made = function(*map(_operand, args), **{k: _operand(v) for k, v in kwargs.items()})
        if current() is not None or _has_node((args, tuple(kwargs.values()))):
            return made
        return tuple(map(evaluate, made)) if isinstance(made, tuple) else evaluate(made)

    return on_either


def _operand(x: Any) -> Any:
    if isinstance(x, Variable):
        x = x.__lamina_node__()
    if isinstance(x, np.ndarray):
        return express.constant(x, x.dtype.name if x.dtype.name in ("float32", "float64", "bool") else None)
    return x


def _has_node(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return any(map(_has_node, x))
    return isinstance(x, Node)
