"""Whether the rows of a batch meet: in most networks a row's answer needs that row alone."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.graph.node import Graph, Node, walk
from lamina.graph.ops import LEAF, OPS

# The leaves that do not depend on how rows are gathered into batches.
STEADY = ("input", "variable", "constant")


def mixes_rows(graph: Graph) -> bool:
    """Whether it matters which rows share a batch: an output's row needs other rows, or the number of a step.

    A sum over the batch has lost its axis, and only a ``take`` reads rows at places of its choice; the batch anywhere
    but on the first axis counts as mixed, too.
    """
    return bool(graph.updates) or any(map(_is_mixed, walk(graph.roots)))


def _is_mixed(node: Node) -> bool:
    if OPS[node.op].kind == LEAF:
        return node.op not in STEADY
    if node.op == "take" and None in node.inputs[0].shape:
        return True
    by_row = None in node.shape or any(None in x.shape for x in node.inputs)
    return by_row and node.shape[:1] != (None,)


def paired_rows(roots: Iterable[Node]) -> Node | None:
    """The first node that these need with a number for each pair of rows of the batch, or None."""
    return next((node for node in walk(roots) if node.shape.count(None) > 1), None)
