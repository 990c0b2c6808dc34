"""Functions of ``lamina.ops`` that multiply matrices and tensors."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.graph import express, products
from lamina.graph.einsum import einsum as einsum_of_nodes
from lamina.graph.express import Axes
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Dual, dual

dot: Dual = dual(express.matmul, "dot")
einsum: Dual = dual(einsum_of_nodes)
matmul: Dual = dual(express.matmul)


@dual
def tensordot(x1: Operand, x2: Operand, axes: int | Sequence[int] | Sequence[Sequence[int]] = 2) -> Node:
    """The sum of products over paired axes: the last ``axes`` of x1 and the first of x2, or two lists of axes."""
    if isinstance(axes, int):
        axes = (range(-axes, 0), range(axes))
    first, second = ([a] if isinstance(a, int) else a for a in axes)
    return express.tensordot(x1, x2, (first, second))


@dual
def norm(x: Operand, ord: float | str | None = None, axis: Axes = None, keepdims: bool = False) -> Node:
    """The length of vectors, or a norm of matrices, over some axes (all by default).

    Args:
        x: any array.
        ord: None or ``"fro"`` for √Σx²; for vectors also 0, 1, 2, ±∞ or a number p; for matrices ±1 and ±∞.
        axis: one axis for vectors, two for matrices.
        keepdims: whether the axes stay, with size 1.

    Raises:
        ValueError: the order is none of these.
    """
    return products.norm_of_order(x, ord, axis, keepdims)


__all__ = [
    "dot", "einsum", "matmul", "norm", "tensordot",
]  # fmt: skip
