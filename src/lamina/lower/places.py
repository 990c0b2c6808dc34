"""Which nodes of a network are a layer's Z and A, and which layer a variable belongs to: read from the labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lamina.graph.node import Graph, Node, walk
from lamina.graph.ops import LEAF, OPS


class Places:
    """The numbered places of a graph.

    Attributes:
        a: what each layer puts out → the number of the layer, counted from 1 in the order of computing.
        z: the one affine step (W A + b) inside a layer → the layer's number.
    """

    def __init__(self, graph: Graph):
        nodes = walk(graph.roots)
        users: dict[Node, list[Node]] = defaultdict(list)
        for node in nodes:
            for x in node.inputs:
                users[x].append(node)
        outputs = set(graph.outputs.values())
        found = [n for n in nodes if _is_layer_output(n, users[n], n in outputs)]
        self.a = {node: number for number, node in enumerate(found, 1)}
        self.z: dict[Node, int] = {}
        for node, number in self.a.items():
            affine = [x for x in self._inside(node) if _is_affine(x, users[x])]
            if len(affine) == 1:
                self.z[affine[0]] = number
        self._numbers: dict[str, int] = {}
        for node, number in self.a.items():
            self._numbers.setdefault(node.label, number)
        self._named: dict[tuple[str, str], list[Node]] = defaultdict(list)

    def _inside(self, output: Node) -> Iterator[Node]:
        """The nodes of an output's layer that it is computed from."""
        seen, stack = {output}, [output]
        while stack:
            node = stack.pop()
            yield node
            below = [x for x in node.inputs if x.label == output.label and x not in self.a and x not in seen]
            seen.update(below)
            stack.extend(below)

    def variable(self, leaf: Node) -> tuple[str, str]:
        """A variable's own name and its index, such as ``("kernel", "[2]")``; a second one of a name gets a prime."""
        name = str(leaf.attrs["buffer"]).split(":")[0]
        same = self._named[name, leaf.label]
        if leaf not in same:
            same.append(leaf)
        prime = "′" * same.index(leaf)
        return name, prime + (f"[{self._numbers[leaf.label]}]" if leaf.label in self._numbers else "")


def _is_layer_output(node: Node, users: list[Node], asked: bool) -> bool:
    rows = node.shape[:1] == (None,)
    return bool(node.label) and rows and OPS[node.op].kind != LEAF and (asked or _leaves(node, users))


def _leaves(node: Node, users: list[Node]) -> bool:
    return any(user.label != node.label or _begins_again(user, node) for user in users)


def _begins_again(user: Node, node: Node) -> bool:
    """Whether a layer that is called on its own output multiplies that output with the kernel it was made with."""
    if user.op != "tensordot" or user.inputs[0] is not node:
        return False
    return any(x.op == "tensordot" and x.inputs[1] is user.inputs[1] for x in walk([node]))


def _is_affine(node: Node, users: list[Node]) -> bool:
    """W A + b, or W A to which nothing is added."""
    if node.op == "tensordot":
        return node.inputs[1].op == "variable" and not any(_adds_bias(user) for user in users)
    return _adds_bias(node)


def _adds_bias(node: Node) -> bool:
    if node.op != "add":
        return False
    product, bias = node.inputs
    return product.op == "tensordot" and product.inputs[1].op == "variable" and bias.op == "variable"
