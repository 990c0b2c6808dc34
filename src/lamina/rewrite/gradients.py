"""Reverse-mode differentiation: one line for each operation, in the graph's own language, and one walk.

A rule is ``(g, out, *inputs) → gradients``: ``g`` is ∂J/∂out, and it returns ∂J/∂input for each input, None where
there is none. Elementwise rules may ignore broadcasting: the walk sums each gradient back to its input's shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import pi, sqrt

from lamina.errors import GraphError
from lamina.graph import express as e
from lamina.graph.functions import square
from lamina.graph.node import Graph, Node, label, walk
from lamina.graph.show import show_stage
from lamina.rewrite.simplify import simplify_nodes

Gradients = tuple[Node | None, ...]
Rule = Callable[..., Gradients]


def _zero(g: Node) -> Node:
    return e.constant(0.0, g.dtype)


def _restored(g: Node, out: Node, x: Node) -> Node:
    """A reduced array with its reduced axes back as size 1, broadcast to x's shape."""
    kept = tuple(1 if i in out.attrs["axes"] else s for i, s in enumerate(x.shape))
    return e.broadcast_to(e.reshape(g, kept), x.shape)


def _max(g: Node, out: Node, x: Node) -> Gradients:
    """The gradient goes to the elements that are the maximum, shared equally among ties."""
    hit = e.cast(e.equal(x, _restored(out, out, x)), g.dtype)
    return (_restored(g, out, x) * hit / _restored(e.sum(hit, out.attrs["axes"]), out, x),)


def _tensordot(g: Node, out: Node, a: Node, b: Node) -> Gradients:
    axes_a, axes_b = out.attrs["axes"]
    free_a = [i for i in range(a.ndim) if i not in axes_a]
    free_b = [j for j in range(b.ndim) if j not in axes_b]
    from_g = range(g.ndim)
    da = e.tensordot(g, b, (from_g[len(free_a) :], free_b))  # axes: a's free ones, then b's summed ones in b's order
    db = e.tensordot(a, g, (free_a, from_g[: len(free_a)]))  # axes: a's summed ones in a's order, then b's free ones
    in_a = free_a + [i for _, i in sorted(zip(axes_b, axes_a, strict=True))]
    in_b = [j for _, j in sorted(zip(axes_a, axes_b, strict=True))] + free_b
    return e.transpose(da, _inverse(in_a)), e.transpose(db, _inverse(in_b))


def _inverse(order: Sequence[int]) -> list[int]:
    return sorted(range(len(order)), key=order.__getitem__)


def _concatenate(g: Node, out: Node, *xs: Node) -> Gradients:
    axis, ends = out.attrs["axis"], [0]
    if out.shape[axis] is None:
        raise GraphError("arrays joined along the batch axis have no gradient")
    for x in xs:
        ends.append(ends[-1] + (x.shape[axis] or 0))
    return tuple(e.slice_axis(g, axis, a, b) for a, b in pairwise(ends))


def _slice(g: Node, out: Node, x: Node) -> Gradients:
    after = tuple(0 if s is None else s - stop for s, stop in zip(x.shape, out.attrs["end"], strict=True))
    return (e.pad(g, out.attrs["begin"], after),)


def _pad(g: Node, out: Node, x: Node) -> Gradients:
    begin = out.attrs["before"]
    return (e.slice(g, begin, tuple(None if s is None else b + s for b, s in zip(begin, x.shape, strict=True))),)


def _cast(g: Node, out: Node, x: Node) -> Gradients:
    both_float = x.dtype.startswith("float") and out.dtype.startswith("float")
    return (e.cast(g, x.dtype) if both_float else None,)


def _none(g: Node, out: Node, *inputs: Node) -> Gradients:
    """No gradient reaches the inputs."""
    return (None,) * len(inputs)


RULES: dict[str, Rule] = {
    "input": _none,
    "variable": _none,
    "constant": _none,
    "rows": _none,
    "step": _none,
    "random": _none,
    "negative": lambda g, out, x: (-g,),
    "absolute": lambda g, out, x: (g * e.sign(x),),
    "sign": _none,
    "exp": lambda g, out, x: (g * out,),
    "expm1": lambda g, out, x: (g * (out + 1.0),),
    "log": lambda g, out, x: (g / x,),
    "log1p": lambda g, out, x: (g / (1.0 + x),),
    "sqrt": lambda g, out, x: (g * 0.5 / out,),
    "sin": lambda g, out, x: (g * e.cos(x),),
    "cos": lambda g, out, x: (-g * e.sin(x),),
    "tanh": lambda g, out, x: (g * (1.0 - square(out)),),
    "sigmoid": lambda g, out, x: (g * (out * (1.0 - out)),),
    "softplus": lambda g, out, x: (g * e.sigmoid(x),),
    "erf": lambda g, out, x: (g * (2.0 / sqrt(pi) * e.exp(-square(x))),),
    "floor": _none,
    "ceil": _none,
    "round": _none,
    "isfinite": _none,
    "clip": lambda g, out, x: (e.where(e.equal(out, x), g, _zero(g)),),
    "stop_gradient": _none,
    "cast": _cast,
    "add": lambda g, out, a, b: (g, g),
    "subtract": lambda g, out, a, b: (g, -g),
    "multiply": lambda g, out, a, b: (g * b, g * a) if a is not b else ((g + g) * a, None),
    "divide": lambda g, out, a, b: (g / b, -g * out / b),
    "power": lambda g, out, a, b: (
        g * b * e.power(a, b - 1.0),
        g * out * e.log(e.where(a > 0.0, a, e.constant(1.0, a.dtype))),
    ),
    # At a tie the gradient goes to the second input, so that relu′(0) = 0 as in Keras. Asking the result, not a
    # (max(a, b) > b just when a > b), spares keeping Z beside A.
    "maximum": lambda g, out, a, b: (e.where(out > b, g, _zero(g)), e.where(out > b, _zero(g), g)),
    "minimum": lambda g, out, a, b: (e.where(out < b, g, _zero(g)), e.where(out < b, _zero(g), g)),
    "equal": _none,
    "less": _none,
    "less_equal": _none,
    "where": lambda g, out, c, a, b: (None, e.where(c, g, _zero(g)), e.where(c, _zero(g), g)),
    "sum": lambda g, out, x: (_restored(g, out, x),),
    "max": _max,
    "argmax": _none,
    "tensordot": _tensordot,
    "reshape": lambda g, out, x: (e.reshape(g, x.shape),),
    "transpose": lambda g, out, x: (e.transpose(g, _inverse(out.attrs["axes"])),),
    "broadcast_to": lambda g, out, x: (g,),
    "concatenate": _concatenate,
    "slice": _slice,
    "pad": _pad,
    "take": lambda g, out, table, indices: (e.scatter_add(indices, g, table.shape[0]), None),
    "scatter_add": lambda g, out, indices, updates: (None, e.take(g, indices)),
}


def unbroadcast(g: Node, x: Node) -> Node:
    """A gradient summed over the axes along which x was repeated."""
    extra = g.ndim - x.ndim
    stretched = tuple(i for i in range(g.ndim) if i < extra or (x.shape[i - extra] == 1 and g.shape[i] != 1))
    return e.reshape(e.sum(g, stretched), x.shape) if stretched else g


def gradients(loss: Node, wrt: Sequence[Node]) -> tuple[Node, ...]:
    """∂loss/∂x for each x in ``wrt``, zeros where the loss does not depend on x; see ``known_gradients``."""
    return tuple(e.full_like(x, 0.0) if g is None else g for g, x in zip(known_gradients(loss, wrt), wrt, strict=True))


def known_gradients(loss: Node, wrt: Sequence[Node]) -> Gradients:
    """∂loss/∂x for each x in ``wrt``, None where the loss does not depend on x.

    Args:
        loss: a float node of shape ``()``.
        wrt: float nodes.

    Raises:
        GraphError: the loss is not a single float.

    Source: reverse accumulation (Linnainmaa 1970); the textbook's backward propagation is this walk.
    """
    if loss.shape != () or not loss.dtype.startswith("float"):
        raise GraphError(f"a gradient needs one float as the loss, got shape {loss.shape} of {loss.dtype}")
    # Simplified first: a cross-entropy of probabilities is differentiated in its logits, not through its guard.
    loss, *wrt = simplify_nodes((loss, *wrt))
    order = walk([loss])
    needed = _depending(order, set(wrt))
    total: dict[Node, Node] = {loss: e.constant(1.0, loss.dtype)}
    for node in reversed(order):
        if node in total and node in needed and node.inputs:
            _spread(node, total, needed)
    found = tuple(total.get(x) for x in wrt)
    show_stage("gradients", Graph({f"d{i}": node for i, node in enumerate(found) if node is not None}))
    return found


def _depending(order: Sequence[Node], wrt: set[Node]) -> set[Node]:
    found = set(wrt)
    for node in order:
        if any(x in found for x in node.inputs):
            found.add(node)
    return found


def _spread(node: Node, total: dict[Node, Node], needed: set[Node]) -> None:
    with label(node.label):
        parts = RULES[node.op](total[node], node, *node.inputs)
        for x, part in zip(node.inputs, parts, strict=True):
            if part is not None and x in needed:
                part = unbroadcast(part, x)
                part = e.broadcast_to(part, x.shape)
                total[x] = total[x] + part if x in total else part
