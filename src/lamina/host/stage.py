"""The host stage of a graph: which of its inputs are made of the user's arrays first, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lamina.errors import DataError, GraphError
from lamina.graph.node import Graph, Node, walk
from lamina.graph.ops import LEAF, OPS
from lamina.host.recipes import Recipe
from lamina.lower.to_numpy import NumpyExecutable


class Host(Protocol):
    """A layer that has a recipe; it may change from one run to the next, as ``adapt`` does."""

    name: str

    @property
    def recipe(self) -> Recipe: ...


@dataclass(frozen=True, eq=False)
class HostCall:
    """One input of a graph that the host makes.

    Attributes:
        name: the input's name in the graph.
        layer: whose ``recipe`` makes it.
        reads: what the recipe is called with: inputs of the user's, or what follows from them alone.
    """

    name: str
    layer: Host
    reads: tuple[Node, ...]

    def __post_init__(self) -> None:
        for node in walk(self.reads):
            if OPS[node.op].kind == LEAF and node.op not in ("input", "constant"):
                raise GraphError(
                    "text and ids are looked up, hashed or crossed before the network runs, so they must come from the "
                    f"data; these are computed from a {node.op} ({node.label or 'of the model'})"
                )


def fill(calls: Sequence[HostCall], arrays: dict[str, np.ndarray]) -> None:
    """Add what the host makes to the arrays (rows, …) of a graph's inputs.

    Raises:
        DataError: a value that a layer cannot take; the message names the layer.
    """
    for call in calls:
        try:
            arrays[call.name] = call.layer.recipe(*(_value(node, arrays) for node in call.reads))
        except DataError as error:
            raise DataError(f"layer {call.layer.name!r}: {error}") from error


def _value(node: Node, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    if node.op == "input":
        return _given(node, arrays)
    graph = Graph({"value": node})
    given = {name: _given(leaf, arrays) for name, leaf in graph.inputs.items()}
    rows = next(map(len, given.values()), 0)
    return np.asarray(NumpyExecutable(graph).step(given, {}, rows, 0)["value"])


def _given(node: Node, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """An array of the graph's inputs; the engine keeps whole numbers as floats."""
    array = arrays[node.attrs["name"]]
    return array.astype(np.int64) if node.dtype == "int32" and array.dtype.kind == "f" else array
