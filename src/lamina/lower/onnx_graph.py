"""An ONNX graph in the making: its operators, its arrays, and the file that they become."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import required
from lamina.graph.node import TEXT, Node
from lamina.graph.shapes import Shape
from lamina.lower.exported import Exported, leaves

TABLES = ("ai.onnx.ml", 3)  # the operators that look up text, and their version
IR_VERSION = 9  # ONNX's file format of the time of ``to_onnx.OPSET``


class Builder:
    """The nodes and arrays of an ONNX graph in the making; values are known by their names.

    Args:
        exported: what becomes the file; its inputs and outputs keep their names.
    """

    def __init__(self, exported: Exported):
        self.onnx = required("onnx", extra="onnx")
        self.nodes: list[Any] = []
        self.arrays: dict[str, np.ndarray] = {}
        self.values: dict[Node, str] = {}
        self._exported = exported
        self._given = {given.name: given for given in leaves(exported.inputs)}
        self.inputs = {name: (name, given.dtype) for name, given in self._given.items()}  # of the graph: value, dtype
        self._known: dict[Any, str] = {}
        self._uses = dict.fromkeys([*self._given, *map(self._apart, exported.graph.outputs)], 0)

    def op(self, kind: str, *inputs: str, label: str = "", **attrs: Any) -> str:
        """One more operator; the name of its value."""
        name = self._unique(f"{label}/{kind}" if label else kind)
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], name=name, **attrs))
        return name

    def array(self, value: Any, dtype: str = "int64", name: str = "constant") -> str:
        """Numbers in the file; equal constants are one."""
        array = np.asarray(value, dtype)
        key = (name, dtype, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = self._unique(name)
            self.arrays[self._known[key]] = array
        return self._known[key]

    def variable(self, node: Node) -> str:
        """A variable, under its path."""
        weight = self._exported.weights[node.attrs["buffer"]]
        return self.array(weight.value, node.dtype, weight.path)

    def input(self, node: Node) -> str:
        """An input, in the type that the graph has for it."""
        name, dtype = self.inputs[node.attrs["name"]]
        return name if dtype == node.dtype else self.cast(name, node.dtype)

    def batch(self) -> str:
        """The number of rows, as an array (1,)."""
        if "batch" not in self._known:
            self._known["batch"] = self.op("Shape", next(iter(self._given)), label="batch", start=0, end=1)
        return self._known["batch"]

    def cast(self, x: str, dtype: str, label: str = "") -> str:
        """A value in another type."""
        return self.op("Cast", x, label=label, to=self.type(dtype))

    def type(self, dtype: str) -> int:
        """ONNX's number of a type."""
        kind = np.dtype(object if dtype == TEXT else dtype)
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(kind))

    def model(self, opset: int) -> Any:
        """The whole file: what the outputs need, under their names, checked."""
        helper = self.onnx.helper
        outputs = {self._apart(name): node for name, node in self._exported.graph.outputs.items()}
        ends = [helper.make_node("Identity", [self.values[node]], [out], name=out) for out, node in outputs.items()]
        nodes, used = _needed([*self.nodes, *ends])
        made = helper.make_graph(
            nodes,
            self._exported.name,
            [self._info(given.name, given.dtype, given.shape) for given in self._given.values()],
            [self._info(out, node.dtype, node.shape) for out, node in outputs.items()],
            [self.onnx.numpy_helper.from_array(array, name) for name, array in self.arrays.items() if name in used],
        )
        extra = [helper.make_opsetid(*TABLES)] if any(node.domain == TABLES[0] for node in nodes) else []
        versions = [helper.make_opsetid("", opset), *extra]
        model = helper.make_model(made, opset_imports=versions, ir_version=IR_VERSION, producer_name="lamina")
        self.onnx.checker.check_model(model, full_check=True)
        return model

    def _apart(self, output: str) -> str:
        """ONNX has one name space for inputs and outputs."""
        return f"{output}_output" if output in self._given else output

    def _info(self, name: str, dtype: str, shape: Shape) -> Any:
        sizes = ["batch" if s is None else s for s in shape]
        return self.onnx.helper.make_tensor_value_info(name, self.type(dtype), sizes)

    def _unique(self, name: str) -> str:
        count = self._uses[name] = self._uses.get(name, -1) + 1
        return f"{name}_{count}" if count else name


def _needed(nodes: list[Any]) -> tuple[list[Any], set[str]]:
    """The operators that the last ones (the outputs) need, in order, and the names that they read."""
    kept: list[Any] = []
    used: set[str] = set()
    for node in reversed(nodes):
        if node.op_type == "Identity" or used.intersection(node.output):
            kept.append(node)
            used.update(node.input)
    return kept[::-1], used
