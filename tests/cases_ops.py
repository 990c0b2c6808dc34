"""One table of cases for every primitive: they serve values, gradients and all targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lamina.graph import express as e
from lamina.graph.node import Graph, Node, constant, leaf

ROWS = 5  # the batch size of the cases: not a multiple of any vector


class Argument(NamedTuple):
    """An input of a case: its shape (None is the batch) and the range that its numbers are drawn from."""

    shape: tuple[int | None, ...]
    low: float = -2.0
    high: float = 2.0
    integer: bool = False


class Case(NamedTuple):
    """``build`` makes the node from the inputs; ``smooth`` says that central differences apply everywhere."""

    op: str
    arguments: tuple[Argument, ...]
    build: Callable[..., Node]
    smooth: bool = True


def _x(*shape: int | None, **kwargs: Any) -> Argument:
    return Argument(shape or (None, 3), **kwargs)


POSITIVE = {"low": 0.2, "high": 3.0}

CASES = [
    Case("negative", (_x(),), lambda x: -x),
    Case("absolute", (_x(),), abs),
    Case("sign", (_x(),), e.sign),
    Case("exp", (_x(),), e.exp),
    Case("expm1", (_x(),), e.expm1),
    Case("log", (_x(**POSITIVE),), e.log),
    Case("log1p", (_x(**POSITIVE),), e.log1p),
    Case("sqrt", (_x(**POSITIVE),), e.sqrt),
    Case("sin", (_x(),), e.sin),
    Case("cos", (_x(),), e.cos),
    Case("tanh", (_x(),), e.tanh),
    Case("sigmoid", (_x(),), e.sigmoid),
    Case("softplus", (_x(),), e.softplus),
    Case("erf", (_x(),), e.erf),
    Case("floor", (_x(),), e.floor),
    Case("ceil", (_x(),), e.ceil),
    Case("round", (_x(),), e.round),
    Case("isfinite", (_x(),), e.isfinite),
    Case("clip", (_x(),), lambda x: e.clip(x, -0.9, 1.1)),
    Case("stop_gradient", (_x(),), lambda x: x * e.stop_gradient(x), smooth=False),
    Case("cast", (_x(),), lambda x: e.cast(e.cast(x * 3.0, "int32"), x.dtype), smooth=False),
    Case("cast", (_x(),), lambda x: e.cast(e.cast(x, "bool"), x.dtype), smooth=False),
    Case("add", (_x(), _x(3)), lambda a, b: a + b),
    Case("subtract", (_x(), _x(None, 1)), lambda a, b: a - b),
    Case("multiply", (_x(None, 2, 3), _x(2, 1)), lambda a, b: a * b),
    Case("divide", (_x(), _x(**POSITIVE)), lambda a, b: a / b),
    Case("power", (_x(**POSITIVE), _x(3)), lambda a, b: a**b),
    Case("maximum", (_x(), _x()), e.maximum),
    Case("minimum", (_x(), _x(3)), e.minimum),
    Case("maximum", (_x(), _x(3)), lambda a, b: e.maximum(a > 0.1, b > 0.1)),
    Case("minimum", (_x(), _x(3)), lambda a, b: e.minimum(a > 0.1, b > 0.1)),
    Case("equal", (_x(integer=True), _x(integer=True)), e.equal),
    Case("less", (_x(), _x()), e.less),
    Case("less_equal", (_x(integer=True), _x(integer=True)), e.less_equal),
    Case("where", (_x(), _x(), _x(3)), lambda c, a, b: e.where(c > 0.1, a, b)),
    Case("where", (_x(None, 1), _x(), _x()), lambda c, a, b: e.where(c > 0.1, a * b, b)),
    Case("where", (_x(), _x(), _x(3)), lambda c, a, b: e.where(c > 0.1, a > 0.0, b > 0.0)),
    Case("sum", (_x(),), lambda x: e.sum(x * x)),
    Case("sum", (_x(None, 4, 3),), lambda x: e.sum(x, -1)),
    Case("sum", (_x(None, 4, 3),), lambda x: e.sum(x * x, 1, keepdims=True)),
    Case("sum", (_x(None, 4, 3),), lambda x: e.sum(x, 0)),
    Case("sum", (_x(None, 4, 3),), lambda x: e.sum(x, (0, 2))),
    Case("sum", (_x(None, 4, 3),), lambda x: e.sum(x, (0, 1), keepdims=True)),
    Case("sum", (_x(4, 3),), lambda x: e.sum(x * x)),
    Case("max", (_x(None, 4),), lambda x: e.max(x, -1)),
    Case("max", (_x(None, 4, 2),), lambda x: e.max(x, (0, 1))),
    Case("max", (_x(),), lambda x: e.max(x)),
    Case("max", (_x(None, 4),), lambda x: e.max(x > 1.0, -1)),
    Case("argmax", (_x(None, 4),), lambda x: e.argmax(x)),
    Case("argmax", (_x(None, 4, 3),), lambda x: e.argmax(x, 1)),
    Case("tensordot", (_x(None, 4), _x(4, 3)), e.matmul),
    Case("tensordot", (_x(None, 2, 4), _x(4, 3)), e.matmul),
    Case("tensordot", (_x(None, 4), _x(3, 4)), lambda a, b: e.tensordot(a, b, ((1,), (1,)))),
    Case("tensordot", (_x(None, 4), _x(None, 3)), lambda a, b: e.tensordot(a, b, ((0,), (0,)))),
    Case("tensordot", (_x(None, 2, 4), _x(2, 4, 3)), lambda a, b: e.tensordot(a, b, ((1, 2), (0, 1)))),
    Case("tensordot", (_x(None, 4, 2), _x(2, 4, 3)), lambda a, b: e.tensordot(a, b, ((1, 2), (1, 0)))),
    Case("tensordot", (_x(None, 4, 2), _x(4, 3)), lambda a, b: e.tensordot(a, b, ((1,), (0,)))),
    Case("tensordot", (_x(None, 4, 2), _x(None, 3, 2)), lambda a, b: e.tensordot(a, b, ((0, 2), (0, 2)))),
    Case("reshape", (_x(None, 4, 3),), lambda x: e.reshape(x, (None, 12)) * 2.0),
    Case("reshape", (_x(4, 3),), lambda x: e.reshape(x, (2, 6))),
    Case("transpose", (_x(None, 4, 3),), lambda x: e.transpose(x, (0, 2, 1))),
    Case("transpose", (_x(4, 3),), lambda x: e.transpose(x) * 2.0),
    Case("broadcast_to", (_x(3),), lambda x: e.broadcast_to(x, (4, 3))),
    Case("broadcast_to", (_x(None, 1, 3),), lambda x: e.broadcast_to(x, (None, 2, 3))),
    Case("concatenate", (_x(), _x(None, 2)), lambda a, b: e.concatenate([a, b, a])),
    Case("concatenate", (_x(4), _x(2)), lambda a, b: e.concatenate([a * a, b, a], 0)),
    Case("slice", (_x(None, 6),), lambda x: e.slice_axis(x, 1, 2, 5)),
    Case("slice", (_x(6, 3),), lambda x: e.slice_axis(x, 0, 1, 5) * 2.0),
    Case("slice", (_x(None, 4, 3),), lambda x: e.slice(x, (0, 1, 0), (None, 3, 2))),
    Case("pad", (_x(),), lambda x: e.pad(x, (0, 1), (0, 2))),
    Case("take", (_x(5, 3), _x(None, integer=True, low=-5, high=4)), e.take),
    Case("take", (_x(5, 3), _x(None, 2, integer=True, low=0, high=4)), e.take),
    Case("scatter_add", (_x(None, integer=True, low=0, high=4), _x()), lambda i, u: e.scatter_add(i, u, 5)),
]  # fmt: skip

LEAVES = {
    "input",
    "variable",
    "constant",
    "rows",
    "step",
    "random",
}  # they have no inputs: tested on their own


def name_of(case: Case) -> str:
    """An id for pytest."""
    return f"{case.op}-{'x'.join(str(a.shape).replace('None', 'B').replace(' ', '') for a in case.arguments)}"


def numbers(case: Case, dtype: str, rows: int = ROWS, seed: int = 0) -> list[np.ndarray]:
    """Random numbers for a case's inputs, away from each other's ties."""
    rng = np.random.default_rng(seed)
    made = []
    for argument in case.arguments:
        shape = tuple(rows if s is None else s for s in argument.shape)
        if argument.integer:
            made.append(rng.integers(int(argument.low), int(argument.high) + 1, shape).astype("int32"))
        else:
            made.append(rng.uniform(argument.low, argument.high, shape).astype(dtype))
    return made


def inputs(case: Case, dtype: str) -> list[Node]:
    """Batch inputs are inputs of the graph; fixed ones are variables (an input always has the batch axis)."""
    made = []
    for i, argument in enumerate(case.arguments):
        kind = "int32" if argument.integer else dtype
        if None in argument.shape:
            made.append(leaf("input", argument.shape, kind, name=f"x{i}"))
        else:
            made.append(leaf("variable", argument.shape, kind, buffer=f"x{i}", offset=0))
    return made


def bind(case: Case, arrays: list[np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Arrays as (data, state) for an executable."""
    data, state = {}, {}
    for i, (argument, array) in enumerate(zip(case.arguments, arrays, strict=True)):
        if None in argument.shape:
            data[f"x{i}"] = array
        else:
            state[f"x{i}"] = array.reshape(-1).copy()
    return data, state


def weighted_sum(node: Node) -> Node:
    """A scalar that depends on every element in its own way, for gradients."""
    shape = tuple(1 if s is None else s for s in node.shape)
    weights = np.sin(np.arange(1, 1 + int(np.prod(shape)))).reshape(shape)
    return e.sum(
        e.cast(node, node.dtype if node.dtype.startswith("float") else "float64") * constant(weights, "float64")
    )


__all__ = ["CASES", "LEAVES", "ROWS", "Case", "Graph", "bind", "inputs", "name_of", "numbers", "weighted_sum"]
