"""Functions of ``lamina.ops`` of which networks are made: activations, cross-entropies, normal lengths."""

from __future__ import annotations

from lamina import config
from lamina.errors import ShapeError
from lamina.graph import activations, crossentropies, express, functions, moving, products
from lamina.graph.express import Axes, as_node
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Dual, dual

celu: Dual = dual(activations.celu)
elu: Dual = dual(activations.elu)
gelu: Dual = dual(activations.gelu)
glu: Dual = dual(activations.glu)
hard_shrink: Dual = dual(activations.hard_shrink)
hard_sigmoid: Dual = dual(activations.hard_sigmoid)
hard_silu: Dual = dual(activations.hard_silu)
hard_swish: Dual = hard_silu
hard_tanh: Dual = dual(activations.hard_tanh)
leaky_relu: Dual = dual(activations.leaky_relu)
log_sigmoid: Dual = dual(activations.log_sigmoid)
log_softmax: Dual = dual(functions.log_softmax)
relu6: Dual = dual(activations.relu6)
selu: Dual = dual(activations.selu)
sigmoid: Dual = dual(express.sigmoid)
silu: Dual = dual(activations.silu)
swish: Dual = silu
soft_shrink: Dual = dual(activations.soft_shrink)
softmax: Dual = dual(functions.softmax)
softplus: Dual = dual(express.softplus)
softsign: Dual = dual(activations.softsign)
sparse_plus: Dual = dual(activations.sparse_plus)
sparse_sigmoid: Dual = dual(activations.sparse_sigmoid)
sparsemax: Dual = dual(activations.sparsemax)
squareplus: Dual = dual(activations.squareplus)
tanh_shrink: Dual = dual(activations.tanh_shrink)
threshold: Dual = dual(activations.threshold)


@dual
def binary_crossentropy(target: Operand, output: Operand, from_logits: bool = False) -> Node:
    """−y log a − (1 − y) log(1 − a), element by element; a = σ(output) when ``from_logits``."""
    return crossentropies.binary_crossentropy(target, output, from_logits)


@dual
def categorical_crossentropy(target: Operand, output: Operand, from_logits: bool = False, axis: int = -1) -> Node:
    """−Σ y log a along the class axis; probabilities are first divided by their sum."""
    return crossentropies.categorical_crossentropy(target, output, from_logits, axis)


@dual
def sparse_categorical_crossentropy(
    target: Operand, output: Operand, from_logits: bool = False, axis: int = -1
) -> Node:
    """−log a[y] for class numbers y, which may stand in a column.

    Raises:
        ShapeError: there is not one class number for each row of outputs.
    """
    target, output = as_node(target), as_node(output)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = express.reshape(target, target.shape[:-1])
    if target.ndim != output.ndim - 1:
        raise ShapeError(f"class numbers have one axis less than outputs, got shapes {target.shape}, {output.shape}")
    return crossentropies.sparse_categorical_crossentropy(target, output, from_logits, axis)


@dual
def relu(x: Operand) -> Node:
    """max(x, 0)."""
    return activations.relu(x)


@dual
def batch_normalization(
    x: Operand, mean: Operand, variance: Operand, axis: int, offset: Operand | None = None,
    scale: Operand | None = None, epsilon: float = 0.001,
) -> Node:  # fmt: skip
    """(x − mean) / √(variance + ε), then scaled and moved.

    Args:
        x: any array.
        mean, variance, offset, scale: vectors along the axis.
        axis: which.
        epsilon: keeps the root from 0.
    """
    x = as_node(x)
    factor = functions.rsqrt(as_node(variance) + epsilon)
    factor = factor if scale is None else factor * scale
    moved = -as_node(mean) * factor if offset is None else offset - as_node(mean) * factor
    shape = [1] * x.ndim
    shape[axis] = -1
    return x * express.reshape(factor, shape) + express.reshape(moved, shape)


@dual
def layer_normalization(
    x: Operand, gamma: Operand | None = None, beta: Operand | None = None, axis: Axes = -1,
    epsilon: float | None = None, rms_scaling: bool = False,
) -> Node:  # fmt: skip
    """(x − mean) / √(variance + ε) over some axes, then scaled and moved.

    Args:
        x: any array.
        gamma, beta: factors and summands, like the axes' part of x.
        axis: over which the mean and variance are taken.
        epsilon: keeps the root from 0; the session's by default.
        rms_scaling: of older versions of Keras: x · gamma / √(variance + ε) instead.
    """
    x = as_node(x)
    mean, variance = functions.moments(x, axis, keepdims=True)
    made = (x if rms_scaling else x - mean) * functions.rsqrt(variance + _epsilon(epsilon))
    made = made if gamma is None else made * _along(gamma, x, axis)
    return made if beta is None or rms_scaling else made + _along(beta, x, axis)


@dual
def rms_normalization(
    x: Operand, scale: Operand | None = None, axis: Axes = -1, epsilon: float | None = None
) -> Node:
    """x / √(mean x² + ε) over some axes, then scaled.

    Args:
        x: any array.
        scale: factors, like the axes' part of x.
        axis: over which the mean is taken.
        epsilon: keeps the root from 0; the session's by default.
    """
    x = as_node(x)
    made = x * functions.rsqrt(express.mean(functions.square(x), axis, keepdims=True) + _epsilon(epsilon))
    return made if scale is None else made * _along(scale, x, axis)


def _along(factors: Operand, x: Node, axis: Axes) -> Node:
    """Factors of some axes, with size 1 along all others; a lone number as it is."""
    factors = as_node(factors)
    if not factors.ndim:
        return factors
    axes = moving.listed(axis, x.ndim)
    return express.reshape(factors, tuple(s if at in axes else 1 for at, s in enumerate(x.shape)))


def _epsilon(given: float | None) -> float:
    return config.epsilon() if given is None else given


@dual
def psnr(x1: Operand, x2: Operand, max_val: float) -> Node:
    """10 log₁₀(max² / mean (x1 − x2)²): how far two signals are apart, in decibels."""
    noise = express.mean(functions.square(express.subtract(x1, x2)))
    return 10.0 * functions.log10(max_val * max_val / noise)


@dual
def normalize(x: Operand, axis: Axes = -1, order: float = 2, epsilon: float | None = None) -> Node:
    """x by its length (or norm of another order), but at least ε: vectors of length 1 along an axis.

    Raises:
        ValueError: the order is no whole number from 1.
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"the order of ops.normalize is a whole number from 1, got {order!r}")
    if order == 2:
        return functions.unit(x, axis, _epsilon(epsilon))
    length = products.norm_of_order(x, order, axis, keepdims=True)
    return express.divide(x, express.maximum(length, _epsilon(epsilon)))


__all__ = [
    "batch_normalization", "binary_crossentropy", "categorical_crossentropy", "celu", "elu", "gelu", "glu",
    "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "layer_normalization", "leaky_relu",
    "log_sigmoid", "log_softmax", "normalize", "psnr", "relu", "relu6", "rms_normalization", "selu", "sigmoid",
    "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_categorical_crossentropy", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh_shrink", "threshold",
]  # fmt: skip
