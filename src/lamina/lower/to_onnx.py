"""Graph → an ONNX model: one row an operation, on the shared walk; known composites become one standard operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.errors import GraphError
from lamina.graph.check import check
from lamina.graph.node import Graph, Node
from lamina.lower.exported import Exported, is_moved
from lamina.lower.onnx_graph import Builder
from lamina.lower.onnx_host import written
from lamina.lower.recognise import recognise
from lamina.lower.walk import lower

if TYPE_CHECKING:
    from lamina.host.stage import HostCall

OPSET = 20  # the first with Gelu

# Operations that ONNX has: the name of its operator.
SAME: dict[str, str] = {
    "negative": "Neg", "absolute": "Abs", "sign": "Sign", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "sin": "Sin",
    "cos": "Cos", "tanh": "Tanh", "sigmoid": "Sigmoid", "softplus": "Softplus", "erf": "Erf", "add": "Add",
    "subtract": "Sub", "multiply": "Mul", "divide": "Div", "power": "Pow", "equal": "Equal", "less": "Less",
    "less_equal": "LessOrEqual",
}  # fmt: skip

# Composites of ``recognise`` that ONNX has: operator, its fixed attributes, the attribute that takes the parameter.
COMPOSITES: dict[str, tuple[str, dict[str, Any], str]] = {
    "softmax": ("Softmax", {"axis": -1}, ""),
    "log_softmax": ("LogSoftmax", {"axis": -1}, ""),
    "relu": ("Relu", {}, ""),
    "leaky_relu": ("LeakyRelu", {}, "alpha"),
    "elu": ("Elu", {}, "alpha"),
    "selu": ("Selu", {}, ""),
    "gelu": ("Gelu", {}, ""),
    "gelu_tanh": ("Gelu", {"approximate": "tanh"}, ""),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}, ""),
    "softsign": ("Softsign", {}, ""),
}


Write = Callable[..., str]  # (builder, node, *names of its inputs) → the name of its value


def _same(kind: str) -> Write:
    return lambda b, node, *xs: b.op(kind, *xs, label=node.label)


def _of_floats(kind: str) -> Write:
    return lambda b, node, x: b.op(kind, x, label=node.label) if node.dtype.startswith("float") else x


def _or_of_bools(kind: str, of_bools: str) -> Write:
    return lambda b, node, *xs: b.op(of_bools if node.dtype == "bool" else kind, *xs, label=node.label)


def _as_integers(write: Write) -> Write:
    """An operator that does not take booleans gets them as integers."""

    def written(b: Builder, node: Node, *xs: str) -> str:
        if node.dtype != "bool":
            return write(b, node, *xs)
        condition = xs[: len(xs) - 2]  # that of a where stays
        return b.cast(write(b, node, *condition, *(b.cast(x, "int32") for x in xs[len(condition) :])), "bool")

    return written


def _near_zero(b: Builder, node: Node, x: str, near: str, far: str) -> str:
    """``near`` where |x| < 1/2: there ``far`` would lose digits."""
    return b.op("Where", b.op("Less", b.op("Abs", x), b.array(0.5, node.dtype)), near, far, label=node.label)


def _expm1(b: Builder, node: Node, x: str) -> str:
    """2t / (1 − t) with t = tanh(x/2), near 0."""
    one = b.array(1, node.dtype)
    t = b.op("Tanh", b.op("Mul", x, b.array(0.5, node.dtype)))
    return _near_zero(b, node, x, b.op("Div", b.op("Add", t, t), b.op("Sub", one, t)), b.op("Sub", b.op("Exp", x), one))


def _log1p(b: Builder, node: Node, x: str) -> str:
    """2 artanh(x / (x + 2)), near 0."""
    a = b.op("Atanh", b.op("Div", x, b.op("Add", x, b.array(2, node.dtype))))
    return _near_zero(b, node, x, b.op("Add", a, a), b.op("Log", b.op("Add", x, b.array(1, node.dtype))))


def _isfinite(b: Builder, node: Node, x: str) -> str:
    if not node.inputs[0].dtype.startswith("float"):
        return b.op("Equal", x, x, label=node.label)
    return b.op("Not", b.op("Or", b.op("IsNaN", x), b.op("IsInf", x)), label=node.label)


def _clip(b: Builder, node: Node, x: str) -> str:
    return b.op("Clip", x, *(b.array(node.attrs[name], node.dtype) for name in ("low", "high")), label=node.label)


def _add(b: Builder, node: Node, *xs: str) -> str:
    """A·W + b with a matrix A is one operator."""
    for product, bias, name in zip(node.inputs, node.inputs[::-1], xs[::-1], strict=True):
        plain = product.op == "tensordot" and _is_matmul(product) and product.inputs[0].ndim == 2 == product.ndim
        if plain and bias.shape == product.shape[1:]:
            return b.op("Gemm", *(b.values[x] for x in product.inputs), name, label=node.label)
    return b.op("Add", *xs, label=node.label)


def _is_matmul(node: Node) -> bool:
    a, w = node.inputs
    return w.ndim in (1, 2) and node.attrs["axes"] == ((a.ndim - 1,), (0,))


def _tensordot(b: Builder, node: Node, *xs: str) -> str:
    if _is_matmul(node):
        return b.op("MatMul", *xs, label=node.label)
    free = iter(ascii_lowercase)
    first, second = ([next(free) for _ in x.shape] for x in node.inputs)
    for i, j in zip(*node.attrs["axes"], strict=True):
        second[j] = first[i]
    result = [s for s in first + second if (s in first) != (s in second)]
    return b.op("Einsum", *xs, label=node.label, equation=f"{''.join(first)},{''.join(second)}->{''.join(result)}")


def _reduce(kind: str) -> Write:
    return lambda b, node, x: b.op(
        kind, x, b.array(node.attrs["axes"]), label=node.label, keepdims=int(node.attrs["keepdims"])
    )


def _argmax(b: Builder, node: Node, x: str) -> str:
    return b.cast(b.op("ArgMax", x, axis=node.attrs["axis"], keepdims=0), "int32", node.label)


def _reshape(b: Builder, node: Node, x: str) -> str:
    return b.op("Reshape", x, b.array([-1 if s is None else s for s in node.shape]), label=node.label)


def _broadcast_to(b: Builder, node: Node, x: str) -> str:
    """ONNX's Expand keeps an axis where 1 is asked for, so that a batch of x's own need not be known."""
    own = (None,) * (node.ndim - node.inputs[0].ndim) + node.inputs[0].shape
    if None not in node.shape or None in node.inputs[0].shape:
        return b.op("Expand", x, b.array([1 if s is None else s for s in node.shape]), label=node.label)
    at = node.shape.index(None)
    assert own[at] in (None, 1)
    pieces = [b.array(node.shape[:at]), b.batch(), b.array(node.shape[at + 1 :])]
    return b.op("Expand", x, b.op("Concat", *pieces, axis=0), label=node.label)


def _slice(b: Builder, node: Node, x: str) -> str:
    cut = [i for i, s in enumerate(node.shape) if s != node.inputs[0].shape[i]]
    bounds = ([node.attrs[name][i] for i in cut] for name in ("begin", "end"))
    return b.op("Slice", x, *(b.array(places) for places in (*bounds, cut)), label=node.label)


def _scatter_add(b: Builder, node: Node, indices: str, updates: str) -> str:
    places = b.op("Unsqueeze", b.cast(indices, "int64"), b.array([-1]))
    return b.op(
        "ScatterND", b.array(np.zeros(node.shape), node.dtype), places, updates, label=node.label, reduction="add"
    )


TABLE: dict[str, Write] = {
    **{op: _same(kind) for op, kind in SAME.items()},
    "input": lambda b, node: b.input(node),
    "variable": lambda b, node: b.variable(node),
    "constant": lambda b, node: b.array(node.attrs["value"], node.dtype),
    "rows": lambda b, node: b.cast(b.op("Squeeze", b.batch()), node.dtype),
    "floor": _of_floats("Floor"),
    "ceil": _of_floats("Ceil"),
    "round": _of_floats("Round"),
    "expm1": _expm1,
    "log1p": _log1p,
    "isfinite": _isfinite,
    "clip": _clip,
    "stop_gradient": lambda b, node, x: x,
    "cast": lambda b, node, x: b.cast(x, node.dtype, node.label),
    "add": _add,
    "maximum": _or_of_bools("Max", "Or"),
    "minimum": _or_of_bools("Min", "And"),
    "where": _as_integers(_same("Where")),
    "sum": _reduce("ReduceSum"),
    "max": _as_integers(_reduce("ReduceMax")),
    "argmax": _argmax,
    "tensordot": _tensordot,
    "reshape": _reshape,
    "transpose": lambda b, node, x: b.op("Transpose", x, label=node.label, perm=node.attrs["axes"]),
    "broadcast_to": _broadcast_to,
    "concatenate": lambda b, node, *xs: b.op("Concat", *xs, label=node.label, axis=node.attrs["axis"]),
    "slice": _slice,
    "pad": lambda b, node, x: b.op("Pad", x, b.array([*node.attrs["before"], *node.attrs["after"]]), label=node.label),
    "take": lambda b, node, *xs: b.op("Gather", *xs, label=node.label, axis=0),
    "scatter_add": _scatter_add,
}


def _written(b: Builder, node: Node, *inputs: str) -> str:
    """A node of the graph as an operator; a known composite as one, whose parts then go unused."""
    found = recognise(node, lambda _: False)
    if found is None or found.composite.name not in COMPOSITES:
        return TABLE[node.op](b, node, *inputs)
    kind, fixed, parameter = COMPOSITES[found.composite.name]
    given = {parameter: found.parameters[0]} if parameter else {}
    return b.op(kind, b.values[found.inputs[0]], label=node.label, **fixed, **given)


def to_onnx(exported: Exported, opset: int = OPSET) -> Any:
    """An ONNX ``ModelProto`` that ONNX's checker passes; the batch size stays free.

    Args:
        exported: the network.
        opset: version of ONNX's operators, ``OPSET`` or later.

    Raises:
        GraphError: an operation that ONNX does not have, or an older opset.
        MissingLibraryError: onnx is not installed.
    """
    if opset < OPSET:
        raise GraphError(f"the ONNX operators used here need opset_version {OPSET} or later, got {opset}")
    builder = Builder(exported)

    def write(node: Node, *inputs: str) -> str:
        if node not in builder.values:
            builder.values[node] = _written(builder, node, *inputs)
        return builder.values[node]

    rows = dict.fromkeys(TABLE, write)
    for call in exported.hosted:
        _host(builder, call, rows)
    lower(check(exported.graph), rows)
    return builder.model(opset)


def _host(b: Builder, call: HostCall, rows: Mapping[str, Callable[..., str]]) -> None:
    """An input of the graph that a recipe makes; what it reads keeps the width in which callers give it."""
    if all(map(is_moved, call.reads)):
        rows = {op: partial(row, b) for op, row in TABLE.items()} | {"input": lambda x: b.inputs[x.attrs["name"]][0]}
    values = lower(Graph({str(i): node for i, node in enumerate(call.reads)}), rows)
    b.inputs[call.name] = written(b, call.layer.recipe, call.layer.name, *(values[x] for x in call.reads))
