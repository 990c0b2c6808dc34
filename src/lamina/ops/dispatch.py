"""How one function serves arrays (at once), nodes (while a graph is built) and KerasTensors (in functional models)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina import config
from lamina.errors import GraphError
from lamina.graph.express import as_node
from lamina.graph.node import Graph, Node, constant
from lamina.lower.to_numpy import NumpyExecutable
from lamina.trace import current
from lamina.tree import map_leaves
from lamina.variables import Variable

Array = Any  # a Node while a graph is built, a KerasTensor in a functional model, else a NumPy array
Dual = Callable[..., Array]


def evaluate(node: Node) -> np.ndarray:
    """The numbers of a node that needs no inputs."""
    return np.array(NumpyExecutable(Graph({"value": node})).step({}, {}, 0, 0)["value"], node.dtype)


def dual(function: Callable[..., Any], name: str = "", arrays: Callable[..., Any] | None = None) -> Dual:
    """A function of nodes that also computes at once when it is given numbers alone.

    Args:
        function: takes and returns nodes (or a list or tuple of them); anything else is passed on as it is.
        name: what it is called in ``lamina.ops``, and so in functional models; its own name by default.
        arrays: the same function of NumPy arrays, where the graph's takes much longer on long ones.

    Returns:
        The same function; without a trace and without nodes among the arguments it returns NumPy arrays.

    Example:
        >>> double = dual(lambda x: 2.0 * as_node(x))
        >>> double([1.0, 2.0])
        array([2., 4.], dtype=float32)
    """
    called = name or function.__name__

    @functools.wraps(function)
    def on_either(*args: Any, **kwargs: Any) -> Any:
        leaves = list(_leaves((args, tuple(kwargs.values()))))
        symbol = _symbol(leaves)
        if symbol is not None:
            return symbol.__lamina_operation__(called, args, kwargs)
        in_graph = current() is not None or any(isinstance(x, Node) for x in leaves)
        if arrays is not None and not in_graph:
            return arrays(*map(_array, args), **{k: _array(v) for k, v in kwargs.items()})
        made = _called(function, functools.partial(_operand, floats=_float_type(leaves)), args, kwargs)
        if in_graph:
            return made
        exact = _exact(_called(function, _as_doubles, args, kwargs)) if is_wide(leaves) and _is_whole(made) else None
        return _evaluated(made) if exact is None else exact

    return on_either


def _called(function: Callable[..., Any], operand: Callable[[Any], Any], args: Any, kwargs: Any) -> Any:
    return function(*map(operand, args), **{k: operand(v) for k, v in kwargs.items()})


def is_wide(leaves: list[Any]) -> bool:
    """Whether all arrays are of whole numbers, some of 64 bits, whose results Keras keeps in 64."""
    kinds = {np.dtype(x.dtype).str[1:] for x in leaves if isinstance(x, Variable | np.ndarray)}
    return "i8" in kinds and all(kind[0] in "iub" for kind in kinds)


def _is_whole(made: Any) -> bool:
    return isinstance(made, Node) and made.dtype == "int32"


def _as_doubles(x: Any) -> Any:
    x = x.value if isinstance(x, Variable) else x
    if isinstance(x, list | tuple) and any(isinstance(part, Variable | np.ndarray) for part in _leaves(x)):
        return type(x)(map(_as_doubles, x))
    return constant(x, "float64") if isinstance(x, np.ndarray) and x.dtype.kind in "iu" else _operand(x, None)


def _exact(made: Node) -> np.ndarray | None:
    """Whole numbers that were computed as doubles, without overflow; None for indices, which are int32 in any case."""
    return evaluate(made).astype("int64") if made.dtype == "float64" else None


def _evaluated(made: Any) -> Any:
    return type(made)(map(evaluate, made)) if isinstance(made, list | tuple) else evaluate(as_node(made))


def at_once(function: Callable[..., Any]) -> Dual:
    """A function of NumPy arrays that no graph holds: on nodes and KerasTensors it says so.

    Args:
        function: takes and returns NumPy arrays; variables are read, Python's floats become the session's float type.

    Raises:
        GraphError: when the result is called with a node or a KerasTensor.
    """

    @functools.wraps(function)
    def on_arrays(*args: Any, **kwargs: Any) -> Any:
        leaves = list(_leaves((args, tuple(kwargs.values()))))
        traced = Node if current() is None else Node | Variable
        if _symbol(leaves) is not None or any(isinstance(x, traced) for x in leaves):
            raise GraphError(
                f"ops.{function.__name__} works on arrays alone: a model's graph has no such operation. Compute it "
                "before training, or write it with products, sums and elementwise functions"
            )
        return map_leaves(np.asarray, function(*map(_array, args), **{k: _array(v) for k, v in kwargs.items()}))

    return on_arrays


def _array(x: Any) -> Any:
    if isinstance(x, Variable):
        return np.array(x.value)  # a view of it would change later
    return np.asarray(x, config.floatx()) if isinstance(x, list | tuple) and _is_float(x) else x


def indices(x: Any) -> Any:
    """Places and counts that NumPy returned, alone or in a tuple, as int32, which they are in Keras."""
    return map_leaves(lambda part: np.asarray(part, "int32"), x)


def _leaves(x: Any) -> Iterator[Any]:
    if isinstance(x, list | tuple):
        for part in x:
            yield from _leaves(part)
    else:
        yield x


def _symbol(leaves: list[Any]) -> Any:
    """The first KerasTensor, or None; it knows how a call is recorded."""
    return next((x for x in leaves if hasattr(type(x), "__lamina_operation__")), None)


def _float_type(leaves: list[Any]) -> str | None:
    """The float type that arrays take: a node's, else the widest among the arrays; lone NumPy scalars have no say."""
    held = [x for x in leaves if isinstance(x, Node | Variable | np.ndarray)]
    nodes = [x for x in held if isinstance(x, Node)]
    return max((n for x in nodes or held if (n := str(x.dtype)) in config.FLOATS), default=None)


def _operand(x: Any, floats: str | None) -> Any:
    """Arrays as constants, variables as what they hold now, in the float type of what they meet."""
    if isinstance(x, Variable):
        x = x.__lamina_node__()
    if isinstance(x, np.ndarray) or (isinstance(x, np.floating) and floats is None):
        name = x.dtype.name
        return constant(x, (floats or name) if name in config.FLOATS else "bool" if name == "bool" else None)
    if isinstance(x, list | tuple):
        if any(isinstance(part, Node | Variable | np.ndarray) for part in _leaves(x)):
            return type(x)(_operand(part, floats) for part in x)
        return constant(np.asarray(x, floats or config.floatx())) if _is_float(x) else x
    return x


def _is_float(x: Any) -> bool:
    """Whether a nested list is made of Python numbers with a float among them."""
    leaves = list(_leaves(x))
    return all(isinstance(x, float | int) for x in leaves) and any(isinstance(x, float) for x in leaves)
