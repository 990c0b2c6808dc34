"""The walk that all lowerings share: each node becomes what its operation's row makes of its inputs' values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lamina.errors import GraphError
from lamina.graph.node import Graph, Node, walk

Value = TypeVar("Value")
Row = Callable[..., Any] | str


def lower(graph: Graph, table: Mapping[str, Callable[..., Value]]) -> dict[Node, Value]:
    """The value of every node that the graph needs: ``table[op](node, *values of its inputs)``.

    Raises:
        GraphError: the table has no row for an operation.
    """
    values: dict[Node, Value] = {}
    for node in walk(graph.roots):
        if node.op not in table:
            raise GraphError(f"this target has no {node.op} (needed by {node.label or 'the graph'})")
        values[node] = table[node.op](node, *(values[x] for x in node.inputs))
    return values
