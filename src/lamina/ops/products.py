"""Functions of ``lamina.ops`` that multiply matrices and tensors."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.graph import express
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Dual, dual

dot: Dual = dual(express.matmul, "dot")
matmul: Dual = dual(express.matmul)


@dual
def tensordot(x1: Operand, x2: Operand, axes: int | Sequence[int] | Sequence[Sequence[int]] = 2) -> Node:
    """The sum of products over paired axes: the last ``axes`` of x1 and the first of x2, or two lists of axes."""
    if isinstance(axes, int):
        axes = (range(-axes, 0), range(axes))
    first, second = ([a] if isinstance(a, int) else a for a in axes)
    return express.tensordot(x1, x2, (first, second))


__all__ = [
    "dot", "matmul", "tensordot",
]  # fmt: skip
