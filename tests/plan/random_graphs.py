"""Random legal graphs, wide and deep, with reductions, products, broadcasts, views and updates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from lamina.graph import activations
from lamina.graph import express as e
from lamina.graph import functions as f
from lamina.graph.node import Graph, Node, leaf
from lamina.graph.shapes import broadcast
from lamina.rewrite.gradients import gradients

WIDTHS = (1, 2, 3, 7, 16)
UNARY: tuple[Callable[[Node], Node], ...] = (
    e.tanh, e.sigmoid, e.softplus, activations.relu, f.square, abs, lambda x: -x, lambda x: x * 0.5 + 0.1, e.sin,
    lambda x: e.sqrt(abs(x) + 0.1), lambda x: e.clip(x, -1.0, 1.0), e.stop_gradient,
)  # fmt: skip
BINARY: tuple[Callable[[Node, Node], Node], ...] = (
    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b * 0.5, e.maximum, e.minimum,
    lambda a, b: e.where(a < b, a, b * 0.3), lambda a, b: a / (abs(b) + 1.0),
)  # fmt: skip


class Builder:
    """Grows a graph by random choices; keeps every value made so far to choose from."""

    def __init__(self, draw: Callable, dtype: str):
        self.draw = draw
        self.dtype = dtype
        self.size = 0
        self.values = [leaf("input", (None, self.pick(WIDTHS)), dtype, name=f"x{i}") for i in range(2)]

    def pick(self, choices):
        return self.draw(st.sampled_from(list(choices)))

    def parameter(self, *shape: int) -> Node:
        node = leaf("variable", shape, self.dtype, buffer="parameters", offset=self.size)
        self.size += int(np.prod(shape))
        return node

    def grow(self) -> None:
        x = self.pick(self.values)
        self.values.append(self.pick(STEPS)(self, x))

    def unary(self, x: Node) -> Node:
        return self.pick(UNARY)(x)

    def binary(self, x: Node) -> Node:
        others = [v for v in self.values if _combine(x, v)]
        return self.pick(BINARY)(x, self.pick(others))

    def scaled(self, x: Node) -> Node:
        return self.pick(BINARY)(x, self.parameter(*x.shape[1:]) if x.ndim > 1 else self.parameter())

    def dense(self, x: Node) -> Node:
        if x.ndim < 2:
            return e.tanh(x)
        units = self.pick(WIDTHS)
        return e.matmul(x, self.parameter(x.shape[-1], units)) * 0.3 + self.parameter(units)

    def reduced(self, x: Node) -> Node:
        axis = self.draw(st.integers(0, x.ndim - 1)) if x.ndim else None
        reduce = self.pick((e.mean, e.max, e.sum))
        return x * 2.0 if axis is None else e.tanh(reduce(x, axis, keepdims=True))

    def squeezed(self, x: Node) -> Node:
        return e.mean(x, -1) if x.ndim > 1 else e.tanh(x)

    def joined(self, x: Node) -> Node:
        alike = [v for v in self.values if v.ndim == x.ndim and v.shape[:-1] == x.shape[:-1]]
        if x.ndim < 2 or (x.shape[-1] or 0) > 40:
            return x + 1.0
        return e.concatenate([x, self.pick(alike)], -1)

    def cut(self, x: Node) -> Node:
        if x.ndim < 2 or (x.shape[-1] or 1) < 2:
            return x - 1.0
        begin = self.draw(st.integers(0, x.shape[-1] - 1))
        return e.slice_axis(x, -1, begin, self.draw(st.integers(begin + 1, x.shape[-1])))

    def folded(self, x: Node) -> Node:
        if x.ndim != 2:
            return e.reshape(x, (None, -1)) if x.shape[:1] == (None,) else x
        halves = 2 if x.shape[1] % 2 == 0 else 1
        return e.reshape(x, (None, halves, x.shape[1] // halves)) if x.shape[0] is None else x

    def turned(self, x: Node) -> Node:
        return e.transpose(x, (0, 2, 1)) if x.ndim == 3 else x * x * 0.1

    def softmax(self, x: Node) -> Node:
        return f.softmax(x) if x.ndim > 1 else e.sigmoid(x)


STEPS = (
    Builder.unary, Builder.unary, Builder.binary, Builder.binary, Builder.scaled, Builder.dense, Builder.dense,
    Builder.reduced, Builder.squeezed, Builder.joined, Builder.cut, Builder.folded, Builder.turned, Builder.softmax,
)  # fmt: skip


def _combine(a: Node, b: Node) -> bool:
    try:
        return broadcast(a.shape, b.shape).count(None) <= 1 and None not in broadcast(a.shape, b.shape)[1:]
    except ValueError:
        return False


@st.composite
def graphs(draw: Callable, dtype: str) -> tuple[Graph, int]:
    """A graph whose outputs are some of its values, and whose updates are a gradient step and a running sum."""
    b = Builder(draw, dtype)
    for _ in range(draw(st.integers(2, 14))):
        b.grow()
    loss = e.mean(e.tanh(b.values[-1])) + e.mean(e.tanh(b.pick(b.values)))
    outputs = {"last": b.values[-1], "some": b.pick(b.values), "loss": loss}
    if not b.size:
        return Graph(outputs), 0
    windows = _windows(loss)
    step = [(w, w - 0.1 * g) for w, g in zip(windows, gradients(loss, windows), strict=True)]
    return Graph(outputs, tuple(step)), b.size


def _windows(loss: Node) -> list[Node]:
    from lamina.graph.node import walk

    return [n for n in walk([loss]) if n.op == "variable"]


def numbers(graph: Graph, size: int, rows: int, dtype: str, seed: int) -> tuple[dict, dict]:
    """Random data and parameters for a graph."""
    from lamina.graph.node import walk

    rng = np.random.default_rng(seed)
    shapes = {n.attrs["name"]: n.shape for n in walk(graph.roots) if n.op == "input"}
    data = {k: rng.normal(size=(rows, *s[1:])).astype(dtype) for k, s in shapes.items()}
    return data, {"parameters": rng.normal(0, 0.5, size).astype(dtype)}
