"""Algebraic rules, indexed by operation, each with its reason; equal nodes become one.

A rule looks at one node and returns another of the same shape and value, or None. All hold exactly in the real
numbers; those that move a rounding (the logarithms) do so towards the exact value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from lamina.graph import express as e
from lamina.graph.crossentropies import is_softmax
from lamina.graph.node import Graph, Node, label, rebuild, walk
from lamina.graph.ops import ELEMENTWISE, OPS
from lamina.graph.shapes import Shape, broadcast

Rule = Callable[..., Node | None]


def _is(x: Node, value: float) -> bool:
    return x.op == "constant" and x.shape == () and x.attrs["value"] == value


def _same(x: Node, out: Node) -> Node | None:
    """x, where nothing but its value matters: it must have the shape and dtype of what it replaces."""
    return x if (x.shape, x.dtype) == (out.shape, out.dtype) else None


# -- probabilities and their logarithms ------------------------------------------------------------------------


def _log_of_guarded(out: Node, x: Node) -> Node | None:
    """log σ(z) = −softplus(−z); log(eᵘ / Σeᵘ) = u − log Σeᵘ. The guard is there for what is computed here exactly."""
    p = _guarded(x)
    if p is not None and p.op == "sigmoid":
        return -e.softplus(-p.inputs[0])
    if p is not None and is_softmax(p):
        return p.inputs[0].inputs[0] - e.log(p.inputs[1])
    return None


def _log_of_complement(out: Node, x: Node) -> Node | None:
    """log(1 − σ(z)) = −softplus(z)."""
    if x.op != "subtract" or not _is(x.inputs[0], 1.0):
        return None
    p = _guarded(x.inputs[1])
    return -e.softplus(p.inputs[0]) if p is not None and p.op == "sigmoid" else None


def _guarded(x: Node) -> Node | None:
    return x.inputs[0] if x.op == "clip" and x.attrs["guard"] else None


def _normalised_twice(out: Node, a: Node, b: Node) -> Node | None:
    """p / Σp = p when p is already x / Σx over the same axes."""
    if b.op == "sum" and b.inputs[0] is a and a.op == "divide":
        inner = a.inputs[1]
        if inner.op == "sum" and inner.inputs[0] is a.inputs[0] and inner.attrs == b.attrs:
            return a
    return None


def _log_softmax_twice(out: Node, a: Node, b: Node) -> Node | None:
    """log softmax(l) = l when l is already a log softmax: Σeˡ = 1."""
    if not _is_log_sum_exp(b, a) or a.op != "subtract":
        return None
    inner, top = a.inputs
    top = top.inputs[0] if top.op == "stop_gradient" else top
    shifted = top.op == "max" and top.inputs[0] is inner
    if shifted and inner.op == "subtract" and _is_log_sum_exp(inner.inputs[1], inner.inputs[0]):
        return inner
    return None


def _is_log_sum_exp(x: Node, of: Node) -> bool:
    return (
        x.op == "log"
        and x.inputs[0].op == "sum"
        and x.inputs[0].inputs[0].op == "exp"
        and (x.inputs[0].inputs[0].inputs[0] is of)
    )


# -- neutral elements and signs, exact in floating point -------------------------------------------------------


def _plus_zero(out: Node, a: Node, b: Node) -> Node | None:
    """x + 0 = x."""
    return _same(a, out) if _is(b, 0.0) else _same(b, out) if _is(a, 0.0) else None


def _minus_zero(out: Node, a: Node, b: Node) -> Node | None:
    """x − 0 = x, 0 − x = −x."""
    if _is(b, 0.0):
        return _same(a, out)
    return -b if _is(a, 0.0) and b.shape == out.shape else None


def _times_one(out: Node, a: Node, b: Node) -> Node | None:
    """x · 1 = x."""
    return _same(a, out) if _is(b, 1.0) else _same(b, out) if _is(a, 1.0) else None


def _over_one(out: Node, a: Node, b: Node) -> Node | None:
    """x / 1 = x."""
    return _same(a, out) if _is(b, 1.0) else None


def _double_negative(out: Node, x: Node) -> Node | None:
    """−(−x) = x, −(a − b) = b − a."""
    if x.op == "negative":
        return x.inputs[0]
    return x.inputs[1] - x.inputs[0] if x.op == "subtract" else None


def _add_negative(out: Node, a: Node, b: Node) -> Node | None:
    """a + (−b) = a − b."""
    if b.op == "negative":
        return a - b.inputs[0]
    return b - a.inputs[0] if a.op == "negative" else None


def _subtract_negative(out: Node, a: Node, b: Node) -> Node | None:
    """a − (−b) = a + b."""
    return a + b.inputs[0] if b.op == "negative" else None


def _signs_outward(out: Node, a: Node, b: Node) -> Node | None:
    """(−a) · b = −(a · b), so that signs meet and cancel."""
    make = e.multiply if out.op == "multiply" else e.divide
    if a.op == "negative":
        return -make(a.inputs[0], b)
    return -make(a, b.inputs[0]) if b.op == "negative" else None


# -- shapes ----------------------------------------------------------------------------------------------------


def _sum_of_one(out: Node, x: Node) -> Node | None:
    """A sum or maximum over axes of size 1 only changes the shape."""
    return e.reshape(x, out.shape) if all(x.shape[a] == 1 for a in out.attrs["axes"]) else None


def _factor_of_sum(out: Node, x: Node) -> Node | None:
    """Σ a·b = b · Σ a for numbers b that are the same for all that is added up into each."""
    if x.op != "multiply":
        return None
    for a, b in (x.inputs, x.inputs[::-1]):
        kept = (1,) * (x.ndim - b.ndim) + b.shape
        if a.shape == x.shape and b.shape and all(kept[axis] == 1 for axis in out.attrs["axes"]):
            shape = kept if out.attrs["keepdims"] else _without(kept, out.attrs["axes"])
            return e.sum(a, **_along(out)) * e.reshape(b, shape)
    return None


def _sign_of_sum(out: Node, x: Node) -> Node | None:
    """Σ −x = −Σ x."""
    return -e.sum(x.inputs[0], **_along(out)) if x.op == "negative" else None


def _along(reduction: Node) -> dict[str, Any]:
    return {"axis": reduction.attrs["axes"], "keepdims": reduction.attrs["keepdims"]}


def _without(shape: Shape, axes: tuple[int, ...]) -> Shape:
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def _reshape_twice(out: Node, x: Node) -> Node | None:
    """Only the last shape counts."""
    if x.op == "constant":
        return e.constant(x.attrs["value"].reshape(out.shape), x.dtype) if None not in out.shape else None
    if x.op == "broadcast_to" and x.inputs[0].shape == ():
        return e.broadcast_to(x.inputs[0], out.shape)
    return e.reshape(x.inputs[0], out.shape) if x.op == "reshape" else None


def _broadcast_reshaped(out: Node, x: Node) -> Node | None:
    """A single number is repeated the same way whatever its rank."""
    one = x.inputs[0] if x.op in ("reshape", "broadcast_to") else x
    return e.broadcast_to(one, out.shape) if one is not x and one.shape == () else None


def _unary_of_broadcast(out: Node, x: Node) -> Node | None:
    """f(repeat x) = repeat f(x): compute once, then repeat."""
    if x.op != "broadcast_to":
        return None
    small = x.inputs[0]
    return e.broadcast_to(Node(out.op, (small,), out.attrs, small.shape, out.dtype), out.shape)


def _drop_broadcast(out: Node, *inputs: Node) -> Node | None:
    """Elementwise operations repeat their inputs by themselves."""
    slim = tuple(x.inputs[0] if x.op == "broadcast_to" else x for x in inputs)
    if slim == inputs or broadcast(*(x.shape for x in slim)) != out.shape:
        return _broadcast_result(out, slim) if slim != inputs else None
    return rebuild(out, slim)


def _broadcast_result(out: Node, slim: tuple[Node, ...]) -> Node:
    small = Node(out.op, slim, out.attrs, broadcast(*(x.shape for x in slim)), out.dtype)
    return e.broadcast_to(small, out.shape)


def _transposed_twice(out: Node, x: Node) -> Node | None:
    """Two reorderings of axes are one."""
    if x.op != "transpose":
        return None
    return e.transpose(x.inputs[0], tuple(x.attrs["axes"][a] for a in out.attrs["axes"]))


def _part_of_joined(out: Node, x: Node) -> Node | None:
    """What was joined, taken out again."""
    if x.op != "concatenate" or x.shape[x.attrs["axis"]] is None:
        return None
    axis, at = x.attrs["axis"], 0
    for part in x.inputs:
        if out.shape == part.shape and out.attrs["begin"][axis] == at:
            return part
        at += part.shape[axis] or 0
    return None


def _cast_constant(out: Node, x: Node) -> Node | None:
    """A constant is stored in the type it is used in."""
    return e.constant(x.attrs["value"], out.dtype) if x.op == "constant" else None


def _cast_back(out: Node, x: Node) -> Node | None:
    """A whole number, or a truth, that became a float for a while is still what it was."""
    return _same(x.inputs[0], out) if x.op == "cast" and out.dtype in ("int32", "bool") else None


RULES: dict[str, tuple[Rule, ...]] = {
    "log": (_log_of_guarded, _log_of_complement),
    "divide": (_normalised_twice, _over_one, _signs_outward),
    "subtract": (_log_softmax_twice, _minus_zero, _subtract_negative),
    "add": (_plus_zero, _add_negative),
    "multiply": (_times_one, _signs_outward),
    "negative": (_double_negative,),
    "sum": (_sum_of_one, _factor_of_sum, _sign_of_sum),
    "max": (_sum_of_one,),
    "reshape": (_reshape_twice,),
    "transpose": (_transposed_twice,),
    "slice": (_part_of_joined,),
    "broadcast_to": (_broadcast_reshaped,),
    "cast": (_cast_constant, _cast_back),
}
UNARY = (_unary_of_broadcast,)
NARY = (_drop_broadcast,)


class _Pool:
    """Nodes by what they are: equal operation, inputs and attributes give one node.

    Args:
        final: whether no gradients will be taken any more.
    """

    def __init__(self, final: bool = False) -> None:
        self._final = final
        self._known: dict[Any, Node] = {}
        self._done: dict[Node, Node] = {}

    def simplest(self, node: Node) -> Node:
        """The node with rules applied until none applies, and its inputs likewise."""
        for x in walk([node], known=self._done):
            if x not in self._done:  # it may have become so since
                self._done[x] = self._reduced(rebuild(x, tuple(self._done[i] for i in x.inputs)))
        return self._done[node]

    def _reduced(self, node: Node) -> Node:
        node = self._known.setdefault(_key(node), node)
        if node in self._done:
            return self._done[node]
        if self._final and node.op == "stop_gradient":
            self._done[node] = node.inputs[0]
            return node.inputs[0]
        with label(node.label):
            other = next((new for rule in _rules(node) if (new := rule(node, *node.inputs)) is not None), None)
        if other is None:
            self._done[node] = node
            return node
        assert (other.shape, other.dtype) == (node.shape, node.dtype), f"a rule made {other} of {node}"
        return self.simplest(other)


def _rules(node: Node) -> tuple[Rule, ...]:
    if OPS[node.op].kind != ELEMENTWISE:
        return RULES.get(node.op, ())
    return RULES.get(node.op, ()) + (UNARY if len(node.inputs) == 1 else NARY)


def _key(node: Node) -> tuple[Any, ...]:
    attrs = tuple((name, _hashable(value)) for name, value in node.attrs.items())
    inputs = node.inputs
    if OPS[node.op].commutative:
        inputs = tuple(sorted(inputs, key=id))
    return node.op, inputs, attrs, node.shape, node.dtype


def _hashable(value: Any) -> Any:
    return (value.tobytes(), value.shape) if isinstance(value, np.ndarray) else value


def simplify_nodes(roots: Iterable[Node], final: bool = False) -> tuple[Node, ...]:
    """Nodes of the same values, with fewer and better-conditioned operations below them; see ``_Pool``."""
    pool = _Pool(final)
    return tuple(pool.simplest(root) for root in roots)


def simplify(graph: Graph) -> Graph:
    """A graph of the same outputs and updates, with fewer and better-conditioned operations, and no more to derive."""
    return graph.map(partial(simplify_nodes, final=True))
