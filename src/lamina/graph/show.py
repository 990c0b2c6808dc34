"""A graph as numbered lines, for people and golden files."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from lamina.graph.node import Graph, Node, walk
from lamina.graph.shapes import Shape


def show(graph: Graph) -> str:
    """One line a node: ``%3 = add(%1, %2)  float32[B, 4]  # layer``; then what is returned and updated."""
    nodes = walk(graph.roots + tuple(v for v, _ in graph.updates))
    number = {node: f"%{i}" for i, node in enumerate(nodes)}
    lines = [_line(node, number) for node in nodes]
    lines += [f"return {name} = {number[node]}" for name, node in graph.outputs.items()]
    lines += [f"update {number[variable]} := {number[value]}" for variable, value in graph.updates]
    return "\n".join(lines)


def show_stage(stage: str, what: object) -> None:
    """Print a stage to standard error if LAMINA_SHOW names it: any of graph, gradients, plan, separated by commas."""
    if stage in os.environ.get("LAMINA_SHOW", "").split(","):
        text = show(what) if isinstance(what, Graph) else str(what)
        sys.stderr.write(f"--- {stage} ---\n{text}\n")


def _line(node: Node, number: dict[Node, str]) -> str:
    given = [number[x] for x in node.inputs] + [f"{k}={_value(v)}" for k, v in node.attrs.items()]
    text = f"{number[node]} = {node.op}({', '.join(given)})  {node.dtype}{format_dims(node.shape)}"
    return text + (f"  # {node.label}" if node.label else "")


def _value(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return str(value.item()) if value.size == 1 else f"<{value.size} numbers>"
    return str(value).replace("None", "B")


def format_dims(shape: Shape) -> str:
    """``[B, 4]``."""
    return "[" + ", ".join("B" if s is None else str(s) for s in shape) + "]"
