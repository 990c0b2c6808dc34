"""Which graphs are legal; the errors name the node and the user's layer."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.errors import DtypeError, GraphError, ShapeError
from lamina.graph.node import Graph, Node, walk
from lamina.graph.ops import OPS


def check(graph: Graph) -> Graph:
    """The graph itself, or a GraphError that names what is wrong and where.

    Legal: every operation is in the table with the right number of inputs; one float width in the whole graph; one
    shape and dtype for each input name; updates that fit their variables and do not overlap.
    """
    nodes = walk(graph.roots)
    for node in nodes:
        _check_node(node)
    _check_width(nodes)
    _check_inputs(nodes)
    for variable, value in graph.updates:
        _check_update(variable, value)
    _check_overlap([variable for variable, _ in graph.updates])
    return graph


def place(node: Node) -> str:
    """Where a node comes from, for messages."""
    return f"{node.label}: {node.op}" if node.label else node.op


def _check_node(node: Node) -> None:
    row = OPS.get(node.op)
    if row is None:
        raise GraphError(f"{place(node)} is not an operation of the language")
    if row.arity not in (None, len(node.inputs)):
        raise GraphError(f"{place(node)} takes {row.arity} inputs, got {len(node.inputs)}")


def _check_width(nodes: Iterable[Node]) -> None:
    first: dict[str, Node] = {}
    for node in nodes:
        if node.dtype.startswith("float"):
            first.setdefault(node.dtype, node)
    if len(first) > 1:
        listed = " and ".join(f"{place(node)} is {dtype}" for dtype, node in first.items())
        raise DtypeError(f"one graph computes in one float type, but {listed}")


def _check_inputs(nodes: Iterable[Node]) -> None:
    seen: dict[str, Node] = {}
    for node in (n for n in nodes if n.op == "input"):
        other = seen.setdefault(node.attrs["name"], node)
        if (other.shape, other.dtype) != (node.shape, node.dtype):
            raise ShapeError(f"input {node.attrs['name']!r} is used as {other!r} and as {node!r}")


def _check_update(variable: Node, value: Node) -> None:
    if variable.op != "variable":
        raise GraphError(f"{place(variable)} cannot be updated: it is not a variable")
    if (variable.shape, variable.dtype) != (value.shape, value.dtype):
        raise ShapeError(f"{place(value)} gives {value!r} as the new value of {variable!r}")


def _check_overlap(variables: Iterable[Node]) -> None:
    end_of: dict[str, int] = {}
    for v in sorted(variables, key=lambda v: (v.attrs["buffer"], v.attrs["offset"])):
        buffer, begin = v.attrs["buffer"], v.attrs["offset"]
        if begin < end_of.get(buffer, 0):
            raise GraphError(f"two updates write to the same numbers of buffer {buffer!r} at {begin}")
        end_of[buffer] = begin + window_size(v)


def window_size(variable: Node) -> int:
    """Elements of a variable's window in its buffer."""
    size = 1
    for s in variable.shape:
        if s is None:
            raise ShapeError(f"{place(variable)} has the batch size in its shape; a variable's shape is fixed")
        size *= s
    return size
