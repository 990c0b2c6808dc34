"""Activation functions as equations of the primitives; softmax, of which losses are made, too, is in ``functions``."""

from __future__ import annotations

from math import pi
from math import sqrt as root

from lamina.errors import ShapeError
from lamina.graph import express as e
from lamina.graph.express import as_node
from lamina.graph.functions import shifted, square
from lamina.graph.node import Node, Operand
from lamina.graph.shapes import normal_axis


def relu(x: Operand, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Node:
    """max(x, 0), with Keras's slope below, ceiling and threshold."""
    x = as_node(x)
    if (negative_slope, max_value, threshold) == (0.0, None, 0.0):
        return e.maximum(x, 0 if x.dtype == "int32" else 0.0)
    above = x if max_value is None else e.minimum(x, max_value)
    return e.where(x > threshold, above, negative_slope * (x - threshold))


def leaky_relu(x: Operand, negative_slope: float = 0.2) -> Node:
    """x above 0, ``negative_slope`` · x below."""
    return relu(x, negative_slope)


def relu6(x: Operand) -> Node:
    """min(max(x, 0), 6)."""
    return e.clip(x, 0.0, 6.0)


def elu(x: Operand, alpha: float = 1.0) -> Node:
    """x above 0, α(eˣ − 1) below (Clevert et al. 2015)."""
    x = as_node(x)
    return e.where(x > 0.0, x, alpha * e.expm1(e.minimum(x, 0.0)))


def celu(x: Operand, alpha: float = 1.0) -> Node:
    """max(x, 0) + α(e^(min(x, 0) / α) − 1): an elu whose slope has no step (Barron 2017)."""
    x = as_node(x)
    return e.maximum(x, 0.0) + alpha * e.expm1(e.minimum(x, 0.0) / alpha)


def selu(x: Operand) -> Node:
    """λ · elu(x, α) with the self-normalising constants (Klambauer et al. 2017)."""
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


def gelu(x: Operand, approximate: bool = True) -> Node:
    """x · Φ(x), Φ the normal distribution function, or its tanh approximation (Hendrycks and Gimpel 2016)."""
    x = as_node(x)
    if approximate:
        return 0.5 * x * (1.0 + e.tanh(root(2.0 / pi) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1.0 + e.erf(x * root(0.5)))


def silu(x: Operand) -> Node:
    """x · σ(x)."""
    x = as_node(x)
    return x * e.sigmoid(x)


def glu(x: Operand, axis: int = -1) -> Node:
    """a · σ(b), where a and b are the halves of x along an axis (Dauphin et al. 2016)."""
    x = as_node(x)
    size = x.shape[axis]
    if size is None or size % 2:
        raise ShapeError(f"axis size must be divisible by 2. Received: x.shape={x.shape} with axis={axis}")
    at = normal_axis(axis, x.ndim)
    return e.slice_axis(x, at, 0, size // 2) * e.sigmoid(e.slice_axis(x, at, size // 2, size))


def hard_sigmoid(x: Operand) -> Node:
    """relu6(x + 3) / 6."""
    return relu6(as_node(x) + 3.0) / 6.0


def hard_silu(x: Operand) -> Node:
    """x · relu6(x + 3) / 6 (Howard et al. 2019)."""
    x = as_node(x)
    return x * hard_sigmoid(x)


def hard_tanh(x: Operand) -> Node:
    """x between −1 and 1."""
    return e.clip(x, -1.0, 1.0)


def hard_shrink(x: Operand, threshold: float = 0.5) -> Node:
    """x where |x| is above the threshold, else 0."""
    x = as_node(x)
    return e.where(abs(x) > threshold, x, e.constant(0.0, x.dtype))


def soft_shrink(x: Operand, threshold: float = 0.5) -> Node:
    """x drawn towards 0 by the threshold, and 0 nearer than that."""
    x = as_node(x)
    return x - e.clip(x, -threshold, threshold)


def tanh_shrink(x: Operand) -> Node:
    """x − tanh x."""
    x = as_node(x)
    return x - e.tanh(x)


def threshold(x: Operand, threshold: float, default_value: float) -> Node:
    """x above a threshold, else a value."""
    x = as_node(x)
    return e.where(x > threshold, x, e.constant(default_value, x.dtype))


def squareplus(x: Operand, b: float = 4.0) -> Node:
    """(x + √(x² + b)) / 2 (Barron 2021)."""
    x = as_node(x)
    return 0.5 * (x + e.sqrt(square(x) + b))


def sparse_plus(x: Operand) -> Node:
    """0 below −1, ¼(x + 1)² up to 1, then x: the integral of ``sparse_sigmoid``."""
    x = as_node(x)
    return e.where(x >= 1.0, x, 0.25 * square(e.maximum(x, -1.0) + 1.0))


def sparse_sigmoid(x: Operand) -> Node:
    """½(x + 1) between 0 and 1."""
    return e.clip(0.5 * (as_node(x) + 1.0), 0.0, 1.0)


def sparsemax(x: Operand, axis: int = -1) -> Node:
    """The point of the simplex {p ≥ 0, Σp = 1} nearest to x along an axis (Martins and Astudillo 2016).

    It is max(x − τ, 0). The elements above τ are those whose own value, times how many are at least as large, plus 1,
    is more than the sum of these; τ makes what is left of them sum to 1.
    """
    x = shifted(x, axis)
    at = normal_axis(axis, x.ndim)
    own, other = e.expand_dims(x, at + 1), e.expand_dims(x, at)
    ahead = e.cast(e.less_equal(own, other), x.dtype)
    kept = e.cast(1.0 + x * e.sum(ahead, at + 1) > e.sum(ahead * other, at + 1), x.dtype)
    tau = (e.sum(kept * x, at, keepdims=True) - 1.0) / e.sum(kept, at, keepdims=True)
    return e.maximum(x - tau, 0.0)


def softsign(x: Operand) -> Node:
    """x / (1 + |x|)."""
    x = as_node(x)
    return x / (1.0 + abs(x))


def log_sigmoid(x: Operand) -> Node:
    """log σ(x) = −softplus(−x)."""
    return -e.softplus(-as_node(x))
