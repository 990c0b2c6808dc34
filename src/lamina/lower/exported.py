"""Exported: a network that leaves Lamina: its graph, its weights, and how callers see its inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lamina.graph.node import Graph, Node, walk
from lamina.graph.ops import OPS, STRUCTURE
from lamina.graph.shapes import Shape

if TYPE_CHECKING:
    from lamina.host.stage import HostCall


class Weight(NamedTuple):
    """A variable: its path, its numbers in their shape, whether it trains."""

    path: str
    value: np.ndarray
    trainable: bool


@dataclass(frozen=True)
class Given:
    """An input as callers give it: its name, shape (None is the batch) and dtype, which may not be the graph's."""

    name: str
    shape: Shape
    dtype: str


@dataclass(frozen=True)
class Exported:
    """What a file needs to know.

    Attributes:
        name: of the model.
        graph: what is computed; its inputs and outputs have the names that the file shows.
        weights: the variable that each buffer is.
        inputs: for each argument a Given, or a list, tuple or dictionary of them.
        outputs: the names of the graph's outputs, in the structure of the answer.
        hosted: inputs of the graph that are no inputs of the file, but made of those by recipes, in this order.
    """

    name: str
    graph: Graph
    weights: Mapping[str, Weight]
    inputs: list[Any]
    outputs: Any
    hosted: Sequence[HostCall] = ()


def is_moved(node: Node) -> bool:
    """Whether a node is an input, or an input in another shape: then it keeps the type in which callers give it."""
    return all(OPS[x.op].kind == STRUCTURE or x.op == "input" for x in walk([node]))


def leaves(structure: Any) -> Iterator[Any]:
    """What a structure of lists, tuples and dictionaries holds, in order."""
    if isinstance(structure, dict):
        structure = [structure[key] for key in sorted(structure)]
    if isinstance(structure, list | tuple):
        for part in structure:
            yield from leaves(part)
    else:
        yield structure
