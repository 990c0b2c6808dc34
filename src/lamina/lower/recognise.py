"""Which composite function a node is: the one whose own equation, written on a node below it, is the same graph.

Nothing about the composites is repeated here: a pattern is what a function of ``graph`` returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import isnan, nan
from typing import Any

import numpy as np

from lamina.graph import activations, crossentropies
from lamina.graph import express as e
from lamina.graph import functions as f
from lamina.graph.node import Node, leaf

_DEPTH = 9  # how far below a node its composite's input may stand


@dataclass(frozen=True)
class Composite:
    """A composite function, recognised in a graph.

    Attributes:
        name: how it is written.
        function: makes its nodes from its inputs; a parameter that may have any value is NaN in it.
        inputs: how many it has.
        parameters: how many of its parameters it is written with.
        same_shape: whether the result has the input's shape.
    """

    name: str
    function: Callable[..., Node]
    inputs: int = 1
    parameters: int = 0
    same_shape: bool = True


@dataclass(frozen=True)
class Found:
    """A recognised composite with its inputs and the values of its parameters."""

    composite: Composite
    inputs: tuple[Node, ...]
    parameters: tuple[float, ...]


COMPOSITES: tuple[Composite, ...] = (
    Composite("log_softmax", f.log_softmax),
    Composite("softmax", f.softmax),
    Composite("selu", activations.selu),
    Composite("elu", lambda x: activations.elu(x, nan), parameters=1),
    Composite("leaky_relu", lambda x: activations.relu(x, nan), parameters=1),
    Composite("relu", activations.relu),
    Composite("gelu", lambda x: activations.gelu(x, approximate=False)),
    Composite("gelu_tanh", lambda x: activations.gelu(x, approximate=True)),
    Composite("silu", activations.silu),
    Composite("hard_sigmoid", activations.hard_sigmoid),
    Composite("softsign", activations.softsign),
    Composite("log_sigmoid", activations.log_sigmoid),
    Composite("dropout", lambda x: f.dropout(x, nan, stream=0), parameters=1),
    Composite("square", f.square),
    Composite("var", lambda x: f.var(x, -1, keepdims=True), same_shape=False),
    Composite("mean", lambda x: e.mean(x, -1, keepdims=True), same_shape=False),
    Composite("loss", crossentropies.binary_crossentropy, inputs=2),
    Composite("loss", crossentropies.categorical_crossentropy, inputs=2, same_shape=False),
    Composite("loss", crossentropies.sparse_categorical_crossentropy, inputs=2, same_shape=False),
)


def recognise(node: Node, arguments: Callable[[Node], bool], besides: Composite | None = None) -> Found | None:
    """The composite that a node is, or None.

    Args:
        node: the root of the composite's equation, if it is one.
        arguments: whether a node may be one of two inputs (a function of one takes any node below).
        besides: a composite not to look for.
    """
    below = list(_below(node))
    for composite in COMPOSITES:
        if node.op == _root(composite) and composite is not besides:
            for inputs in _choices(composite, node, below, arguments):
                parameters: list[float] = []
                if _same(_written(composite, inputs), node, parameters):
                    return Found(composite, inputs, tuple(parameters[: composite.parameters]))
    return None


def example(composite: Composite) -> tuple[tuple[Node, ...], Node]:
    """Inputs of a usual shape, and the composite's nodes on them."""
    names = ("z",) if composite.inputs == 1 else ("y", "a")
    inputs = tuple(leaf("input", (None, 3), "float32", name=name) for name in names)
    if composite.function is crossentropies.sparse_categorical_crossentropy:
        inputs = (leaf("input", (None,), "float32", name="y"), inputs[1])
    return inputs, composite.function(*inputs)


@cache
def _root(composite: Composite) -> str:
    return example(composite)[1].op


def _choices(
    composite: Composite, node: Node, below: Sequence[Node], arguments: Callable[[Node], bool]
) -> Iterator[tuple[Node, ...]]:
    if composite.inputs == 2:
        named = [x for x in below if arguments(x)]
        yield from ((a, b) for a in named for b in named if a is not b)
    else:
        yield from ((x,) for x in below if x.ndim and (not composite.same_shape or x.shape == node.shape))


def _written(composite: Composite, inputs: tuple[Node, ...]) -> Node | None:
    try:
        return composite.function(*inputs)
    except (ValueError, AssertionError):  # not defined for these shapes, hence not what the node is
        return None


def _below(node: Node) -> Iterator[Node]:
    """The nodes that a node is made of, nearest first."""
    seen: set[Node] = set()
    level = list(node.inputs)
    for _ in range(_DEPTH):
        level = [x for x in dict.fromkeys(level) if x not in seen]
        seen.update(level)
        yield from level
        level = [y for x in level for y in x.inputs]


def _same(pattern: Node | None, node: Node, parameters: list[float]) -> bool:
    """Whether two graphs are the same; a NaN of the pattern takes the constant in its place as a parameter."""
    if pattern is node:
        return True
    if pattern is None or (pattern.op, pattern.shape, pattern.dtype) != (node.op, node.shape, node.dtype):
        return False
    if pattern.op == "constant":
        return _same_constant(pattern.attrs["value"], node.attrs["value"], parameters)
    if pattern.op != "random" and dict(pattern.attrs) != dict(node.attrs):
        return False
    pairs = zip(pattern.inputs, node.inputs, strict=True)
    return len(pattern.inputs) == len(node.inputs) and all(_same(p, x, parameters) for p, x in pairs)


def _same_constant(pattern: Any, value: Any, parameters: list[float]) -> bool:
    if pattern.ndim == 0 and isnan(pattern):
        parameters.append(float(str(value)))
        return True
    return bool(np.array_equal(pattern, value))
