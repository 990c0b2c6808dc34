"""Graph → plain NumPy source: the readable reference, and the oracle that every other target is tested against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import erf as _erf
from typing import Any

import numpy as np

from lamina.executable import Arrays, Executable, Stretch, zeros
from lamina.graph.check import check, window_size
from lamina.graph.node import Graph, Node
from lamina.lower.philox import uniform
from lamina.lower.walk import lower

# One line an operation: {0}, {1} … are the inputs, names are attributes.
TEMPLATES: dict[str, str] = {
    "rows": "np.{dtype}(B)",
    "step": "np.{dtype}(step)",
    "random": "uniform(np, {shape}, {stream}, step, '{dtype}')",
    "negative": "-{0}",
    "absolute": "np.abs({0})",
    "sign": "np.sign({0})",
    "exp": "np.exp({0})",
    "expm1": "np.expm1({0})",
    "log": "np.log({0})",
    "log1p": "np.log1p({0})",
    "sqrt": "np.sqrt({0})",
    "sin": "np.sin({0})",
    "cos": "np.cos({0})",
    "tanh": "np.tanh({0})",
    "sigmoid": "sigmoid({0})",
    "softplus": "softplus({0})",
    "erf": "erf({0})",
    "floor": "np.floor({0})",
    "ceil": "np.ceil({0})",
    "round": "np.round({0})",
    "isfinite": "np.isfinite({0})",
    "clip": "np.asarray(np.clip({0}, {low}, {high}), '{dtype}')",
    "stop_gradient": "{0}",
    "cast": "np.asarray({0}, '{dtype}')",
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "power": "{0} ** {1}",
    "maximum": "np.maximum({0}, {1})",
    "minimum": "np.minimum({0}, {1})",
    "equal": "{0} == {1}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "where": "np.where({0}, {1}, {2})",
    "sum": "np.sum({0}, axis={axes}, keepdims={keepdims}, dtype='{dtype}')",
    "max": "np.max({0}, axis={axes}, keepdims={keepdims})",
    "argmax": "np.asarray(np.argmax({0}, axis={axis}), 'int32')",
    "tensordot": "np.tensordot({0}, {1}, axes={axes})",
    "reshape": "np.reshape({0}, {shape})",
    "transpose": "np.transpose({0}, {axes})",
    "broadcast_to": "np.broadcast_to({0}, {shape})",
    "slice": "{0}[{begin_end}]",
    "pad": "np.pad({0}, {before_after})",
    "take": "take({0}, {1})",
    "scatter_add": "scatter_add({0}, {1}, {size})",
}


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e⁻ˣ) without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + eˣ) without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def erf(x: np.ndarray) -> np.ndarray:
    """The error function, from the C library."""
    return np.vectorize(_erf, otypes=[np.asarray(x).dtype])(x) if np.size(x) else x


def take(table: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Rows of a table, with an error that says which index is outside."""
    bad = np.argwhere((indices < -len(table)) | (indices >= len(table)))
    if len(bad):
        at = tuple(map(int, bad[0]))
        row, last = (at[0] if at else 0), len(table) - 1
        raise IndexError(f"row {row}: index is {indices[at]}, expected {-last - 1}..{last}")
    return table[indices]


def scatter_add(indices: np.ndarray, updates: np.ndarray, size: int) -> np.ndarray:
    """A table of ``size`` rows to which each update is added at its index."""
    table = np.zeros((size, *updates.shape[np.ndim(indices) :]), updates.dtype)
    np.add.at(table, indices, updates)
    return table


NAMES: dict[str, Any] = {
    "np": np, "uniform": uniform, "sigmoid": sigmoid, "softplus": softplus, "erf": erf, "take": take,
    "scatter_add": scatter_add,
}  # fmt: skip


def _text(value: object) -> str:
    return str(value).replace("None", "B")


def _bounds(node: Node) -> str:
    pairs = zip(node.attrs["begin"], node.attrs["end"], strict=True)
    return ", ".join(":" if e is None else f"{b}:{e}" for b, e in pairs)


def fields(node: Node) -> dict[str, str]:
    """What a template may name: the node's shape, dtype and attributes as Python source."""
    given = {"shape": _text(node.shape), "dtype": node.dtype}
    given |= {name: _text(value) for name, value in node.attrs.items() if name != "value"}
    if node.op == "slice":
        given["begin_end"] = _bounds(node)
    if node.op == "pad":
        given["before_after"] = str(tuple(zip(node.attrs["before"], node.attrs["after"], strict=True)))
    return given


class _Source:
    """The lines of one function, built by the walk."""

    def __init__(self, graph: Graph, templates: Mapping[str, str]):
        self.lines: list[str] = []
        self.constants: dict[str, np.ndarray] = {}
        rows: dict[str, Callable[..., str]] = {op: self._row(text) for op, text in templates.items()}
        rows |= {"input": self._input, "variable": self._variable, "constant": self._constant}
        rows |= {"concatenate": self._concatenate}
        self.names = lower(graph, rows)

    def _let(self, node: Node, text: str) -> str:
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {text}" + (f"  # {node.label}" if node.label else ""))
        return name

    def _row(self, template: str) -> Callable[..., str]:
        return lambda node, *inputs: self._let(node, template.format(*inputs, **fields(node)))

    def _input(self, node: Node) -> str:
        return f"data[{node.attrs['name']!r}]"

    def _variable(self, node: Node) -> str:
        begin = node.attrs["offset"]
        window = f"state[{node.attrs['buffer']!r}][{begin}:{begin + window_size(node)}]"
        return self._let(node, f"np.reshape({window}, {node.shape})")

    def _constant(self, node: Node) -> str:
        value = node.attrs["value"]
        if value.ndim == 0 and node.dtype == "bool":
            return str(bool(value))
        if value.ndim == 0 and np.isfinite(value):
            return f"np.{node.dtype}({value.item()!r})"
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def _concatenate(self, node: Node, *inputs: str) -> str:
        return self._let(node, f"np.concatenate([{', '.join(inputs)}], axis={node.attrs['axis']})")


def source(graph: Graph) -> tuple[str, dict[str, np.ndarray]]:
    """The graph as a Python function ``run(data, state, B, step) → (outputs, new values)``, and its named constants."""
    built = _Source(check(graph), TEMPLATES)
    outputs = ", ".join(f"{name!r}: {built.names[node]}" for name, node in graph.outputs.items())
    updates = ", ".join(built.names[value] for _, value in graph.updates)
    body = [*built.lines, f"return {{{outputs}}}, [{updates}]"]
    return "def run(data, state, B, step):\n" + "\n".join("    " + line for line in body), built.constants


def compile_source(graph: Graph, names: Mapping[str, Any] = NAMES) -> Callable[..., tuple[dict[str, Any], list[Any]]]:
    """The function that ``source`` prints.

    Args:
        graph: what to compute.
        names: what the names in the source mean: NumPy and the functions above, or another library's.
    """
    text, constants = source(graph)
    known = {**names, **constants}
    exec(compile(text, "<lamina>", "exec"), known)
    return known["run"]


class NumpyExecutable(Executable):
    """The numpy target of ``engine.compile``: batch by batch, every line plain NumPy."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self._function = compile_source(graph)
        self._dtypes = {name: node.dtype for name, node in graph.inputs.items()}

    def _run(self, data: Arrays, state: Arrays, stretch: Stretch, step: int) -> dict[str, np.ndarray]:
        results: dict[str, list[np.ndarray]] = {name: [] for name in self.graph.outputs}
        for begin in range(stretch.start, stretch.stop, stretch.batch_size):
            end = min(begin + stretch.batch_size, stretch.stop)
            where = slice(begin, end) if stretch.order is None else stretch.order[begin:end]
            batch = {name: data[name][where].astype(dtype, copy=False) for name, dtype in self._dtypes.items()}
            outputs = self.step(batch, state, end - begin, step)
            for name, value in outputs.items():
                results[name].append(np.asarray(value))
            step += 1
        return {name: self._joined(name, parts) for name, parts in results.items()}

    def step(self, batch: Arrays, state: Arrays, rows: int, step: int) -> dict[str, np.ndarray]:
        """One batch: the outputs; the state is updated in place."""
        with np.errstate(all="ignore"):
            outputs, values = self._function(batch, state, rows, step)
        copies = [np.array(value) for value in values]
        for (variable, _), value in zip(self.graph.updates, copies, strict=True):
            begin = variable.attrs["offset"]
            state[variable.attrs["buffer"]][begin : begin + value.size] = value.reshape(-1)
        return outputs

    def _joined(self, name: str, parts: list[np.ndarray]) -> np.ndarray:
        node = self.graph.outputs[name]
        if not parts:
            return zeros(node, 0)
        whole = np.concatenate(parts) if None in node.shape else parts[-1]
        return np.asarray(whole, node.dtype)
