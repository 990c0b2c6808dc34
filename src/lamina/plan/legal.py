"""Graph → a graph of the forms that the machine's loops know; the values stay the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lamina.errors import GraphError
from lamina.graph import express as e
from lamina.graph.check import place
from lamina.graph.node import Graph, Node, label, rebuild, walk
from lamina.graph.ops import ELEMENTWISE, LEAF, OPS
from lamina.plan.domain import all_splits, fitting_splits, loop_of, operand_kind
from lamina.plan.views import View, contiguous, merged, stored, unrepeated


def legalise(graph: Graph) -> Graph:
    """The graph with reductions over leading or trailing axes only, products over adjacent axes, and operands that fit.

    Raises:
        GraphError: a value has its batch axis elsewhere than first.
    """
    new: dict[Node, Node] = {}
    for node in walk(graph.roots):
        if None in node.shape[1:] and node.op != "transpose":
            raise GraphError(f"{place(node)} has shape {node.shape}; the core keeps the batch on the first axis")
        with label(node.label):
            new[node] = _legal(rebuild(node, tuple(new[x] for x in node.inputs)))
    return graph.map(lambda roots: tuple(_computed(new[root]) for root in roots))


def _computed(root: Node) -> Node:
    """A root that is a leaf becomes a copy of it, so that every root is made by an instruction."""
    is_leaf = OPS[stored(root)[0].op].kind == LEAF and stored(root)[0].op != "random"
    return Node("broadcast_to", (root,), {"shape": root.shape}, root.shape, root.dtype) if is_leaf else root


def _legal(node: Node) -> Node:
    if OPS[node.op].kind == ELEMENTWISE:
        return _fitting(node)
    return FORMS[node.op](node) if node.op in FORMS else node


def _fitting(node: Node) -> Node:
    """Operands that fit no common cut of the shape are repeated in memory first."""
    if fitting_splits(node.shape, (unrepeated(x).shape for x in node.inputs)):
        return node
    split = all_splits(loop_of(node.shape))[0]
    fits = [operand_kind(x.shape, node.shape, split) for x in node.inputs]
    inputs = [x if kind else e.broadcast_to(x, node.shape) for x, kind in zip(node.inputs, fits, strict=True)]
    return rebuild(node, tuple(inputs))


def _reduction(node: Node, again: Callable[..., Node]) -> Node:
    """Reduce trailing axes and then the batch, reordering the fixed axes where they lie apart."""
    x, axes = node.inputs[0], node.attrs["axes"]
    inner = [a for a in axes if a != 0 or x.shape[0] is not None]
    big = [a for a in range(x.ndim) if x.shape[a] != 1]
    reduced = [a in axes for a in big]
    n = sum(reduced)
    if all(reduced[:n]) or all(reduced[len(reduced) - n :]):
        return node
    kept = [a for a in range(x.ndim) if a not in inner]
    partial_ = again(e.transpose(x, kept + inner), tuple(range(len(kept), x.ndim)))
    if len(inner) < len(axes):
        partial_ = again(partial_, (0,))
    return e.reshape(partial_, node.shape)


def _argmax(node: Node) -> Node:
    x, axis = node.inputs[0], node.attrs["axis"]
    if axis == x.ndim - 1:
        return node
    last = e.transpose(x, [a for a in range(x.ndim) if a != axis] + [axis])
    return e.argmax(last, -1)


def _tensordot(node: Node) -> Node:
    """Free and summed axes each in one stretch of memory: others are reordered by a copy."""
    a, b = node.inputs
    axes_a, axes_b = node.attrs["axes"]
    free_a = [i for i in range(a.ndim) if i not in axes_a]
    free_b = [j for j in range(b.ndim) if j not in axes_b]
    if not _walks(a, free_a, axes_a):
        a, free_a, axes_a = _regrouped(a, free_a, axes_a)
    if not _walks(b, axes_b, free_b):
        b, axes_b, free_b = _regrouped(b, axes_b, free_b)
    return node if (a, b) == node.inputs else e.tensordot(a, b, (axes_a, axes_b))


def _walks(x: Node, *groups: list[int]) -> bool:
    view = View(x, 0, x.shape, contiguous(x.shape))
    return all(merged(view, group) is not None for group in groups)


def _regrouped(x: Node, first: list[int], second: list[int]) -> tuple[Node, list[int], list[int]]:
    order = [*second, *first] if 0 in second and x.shape[0] is None else [*first, *second]
    position = {axis: i for i, axis in enumerate(order)}
    return e.transpose(x, order), [position[a] for a in first], [position[a] for a in second]


FORMS: dict[str, Callable[[Node], Node]] = {
    "sum": partial(_reduction, again=e.sum),
    "max": partial(_reduction, again=e.max),
    "argmax": _argmax,
    "tensordot": _tensordot,
}
