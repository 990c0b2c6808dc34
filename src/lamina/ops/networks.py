"""Functions of ``lamina.ops`` of which networks are made: activations, cross-entropies, normal lengths."""

from __future__ import annotations

from lamina import config
from lamina.graph import express, functions
from lamina.graph.express import Axes
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Dual, dual

celu: Dual = dual(functions.celu)
elu: Dual = dual(functions.elu)
gelu: Dual = dual(functions.gelu)
glu: Dual = dual(functions.glu)
hard_shrink: Dual = dual(functions.hard_shrink)
hard_sigmoid: Dual = dual(functions.hard_sigmoid)
hard_silu: Dual = dual(functions.hard_silu)
hard_swish: Dual = hard_silu
hard_tanh: Dual = dual(functions.hard_tanh)
leaky_relu: Dual = dual(functions.leaky_relu)
log_sigmoid: Dual = dual(functions.log_sigmoid)
log_softmax: Dual = dual(functions.log_softmax)
relu6: Dual = dual(functions.relu6)
selu: Dual = dual(functions.selu)
sigmoid: Dual = dual(express.sigmoid)
silu: Dual = dual(functions.silu)
swish: Dual = silu
soft_shrink: Dual = dual(functions.soft_shrink)
softmax: Dual = dual(functions.softmax)
softplus: Dual = dual(express.softplus)
softsign: Dual = dual(functions.softsign)
sparse_plus: Dual = dual(functions.sparse_plus)
sparse_sigmoid: Dual = dual(functions.sparse_sigmoid)
sparsemax: Dual = dual(functions.sparsemax)
squareplus: Dual = dual(functions.squareplus)
tanh_shrink: Dual = dual(functions.tanh_shrink)
threshold: Dual = dual(functions.threshold)


@dual
def binary_crossentropy(target: Operand, output: Operand, from_logits: bool = False) -> Node:
    """−y log a − (1 − y) log(1 − a), element by element; a = σ(output) when ``from_logits``."""
    return functions.binary_crossentropy(target, output, from_logits)


@dual
def categorical_crossentropy(target: Operand, output: Operand, from_logits: bool = False, axis: int = -1) -> Node:
    """−Σ y log a along the class axis; probabilities are first divided by their sum."""
    return functions.categorical_crossentropy(target, output, from_logits, axis)


@dual
def sparse_categorical_crossentropy(
    target: Operand, output: Operand, from_logits: bool = False, axis: int = -1
) -> Node:
    """−log a[y] for class numbers y."""
    return functions.sparse_categorical_crossentropy(target, output, from_logits, axis)


@dual
def relu(x: Operand) -> Node:
    """max(x, 0)."""
    return functions.relu(x)


@dual
def normalize(x: Operand, axis: Axes = -1, order: int = 2, epsilon: float | None = None) -> Node:
    """x / max(√Σx², ε): vectors of length 1 along an axis.

    Raises:
        ValueError: an order other than 2.
    """
    if order != 2:
        raise ValueError(f"ops.normalize knows the Euclidean length (order=2), got order={order}")
    return functions.unit(x, axis, config.epsilon() if epsilon is None else epsilon)


__all__ = [
    "binary_crossentropy", "categorical_crossentropy", "celu", "elu", "gelu", "glu", "hard_shrink",
    "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "log_sigmoid",
    "log_softmax", "normalize", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink",
    "softmax", "softplus", "softsign", "sparse_categorical_crossentropy", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh_shrink", "threshold",
]  # fmt: skip
