"""Composite functions as equations of the primitives; their gradients and kernels follow from these lines."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, pi
from math import sqrt as root

from lamina.errors import ShapeError
from lamina.graph import express as e
from lamina.graph.express import Axes, as_node
from lamina.graph.node import Node, Operand, leaf
from lamina.graph.shapes import normal_axis

EPSILON = 1e-7  # Keras's backend epsilon: probabilities are kept in [ε, 1 − ε] before a logarithm


def square(x: Operand) -> Node:
    """x²."""
    x = as_node(x)
    return x * x


def reciprocal(x: Operand) -> Node:
    """1 / x."""
    return 1.0 / as_node(x)


def rsqrt(x: Operand) -> Node:
    """1 / √x."""
    return 1.0 / e.sqrt(x)


def min(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The smallest element over some axes (all by default)."""
    return -e.max(-as_node(x), axis, keepdims)


def logical_not(x: Operand) -> Node:
    """True where x is false or zero."""
    x = as_node(x)
    return e.equal(x, e.constant(0, x.dtype))


def logical_and(x1: Operand, x2: Operand) -> Node:
    """True where both are."""
    return e.minimum(e.cast(x1, "bool"), e.cast(x2, "bool"))


def logical_or(x1: Operand, x2: Operand) -> Node:
    """True where either is."""
    return e.maximum(e.cast(x1, "bool"), e.cast(x2, "bool"))


def logical_xor(x1: Operand, x2: Operand) -> Node:
    """True where exactly one is."""
    return not_equal(e.cast(x1, "bool"), e.cast(x2, "bool"))


def not_equal(x1: Operand, x2: Operand) -> Node:
    """x1 ≠ x2."""
    return logical_not(e.equal(x1, x2))


def greater(x1: Operand, x2: Operand) -> Node:
    """x1 > x2."""
    return e.less(x2, x1)


def greater_equal(x1: Operand, x2: Operand) -> Node:
    """x1 ≥ x2."""
    return e.less_equal(x2, x1)


def isnan(x: Operand) -> Node:
    """True where x is not a number: the only value that differs from itself."""
    return not_equal(x, x)


def isinf(x: Operand) -> Node:
    """True where x is +∞ or −∞."""
    return logical_not(logical_or(e.isfinite(x), isnan(x)))


def all(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """True where every element over some axes is true."""
    return logical_not(any(logical_not(x), axis, keepdims))


def any(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """True where some element over some axes is true."""
    return e.max(e.cast(x, "bool"), axis, keepdims)


def count_nonzero(x: Operand, axis: Axes = None) -> Node:
    """How many elements are not 0, as int32."""
    return e.sum(e.cast(e.cast(x, "bool"), "int32"), axis)


def log2(x: Operand) -> Node:
    """log x / log 2."""
    return e.log(x) * (1.0 / log(2.0))


def log10(x: Operand) -> Node:
    """log x / log 10."""
    return e.log(x) * (1.0 / log(10.0))


def tan(x: Operand) -> Node:
    """sin x / cos x."""
    return e.sin(x) / e.cos(x)


def divide_no_nan(x1: Operand, x2: Operand) -> Node:
    """x1 / x2, and 0 where x2 is 0."""
    x2 = as_node(x2) * 1.0
    zero = e.equal(x2, 0.0)
    return e.where(zero, e.constant(0.0, x2.dtype), x1 / e.where(zero, e.constant(1.0, x2.dtype), x2))


def floor_divide(x1: Operand, x2: Operand) -> Node:
    """⌊x1 / x2⌋, an integer for integers."""
    whole = e.floor(e.divide(x1, x2))
    dtype = e.subtract(x1, x2).dtype
    return e.cast(whole, dtype)


def mod(x1: Operand, x2: Operand) -> Node:
    """x1 − x2 · ⌊x1 / x2⌋: the remainder with x2's sign."""
    return e.subtract(x1, e.multiply(x2, floor_divide(x1, x2)))


def argmin(x: Operand, axis: int = -1) -> Node:
    """Index of the first smallest element along an axis, as int32."""
    return e.argmax(-as_node(x), axis)


def stack(xs: Sequence[Operand], axis: int = 0) -> Node:
    """Arrays of one shape joined along a new axis."""
    return e.concatenate([e.expand_dims(x, axis) for x in xs], axis)


def swapaxes(x: Operand, axis1: int, axis2: int) -> Node:
    """Two axes exchanged."""
    x = as_node(x)
    order = list(range(x.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return e.transpose(x, order)


def moveaxis(x: Operand, source: int, destination: int) -> Node:
    """One axis moved to another place, the others in their order."""
    x = as_node(x)
    order = list(range(x.ndim))
    moved = order.pop(source)
    order.insert(normal_axis(destination, x.ndim), moved)
    return e.transpose(x, order)


def norm(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """√Σx²: the length."""
    return e.sqrt(e.sum(square(x), axis, keepdims))


def unit(x: Operand, axis: Axes = -1, epsilon: float = EPSILON) -> Node:
    """x / max(√Σx², ε): vectors of length 1."""
    x = as_node(x)
    return x * rsqrt(e.maximum(e.sum(square(x), axis, keepdims=True), epsilon**2))


def in_top_k(target: Operand, predictions: Operand, k: int) -> Node:
    """True where fewer than k classes have a higher prediction than the target class.

    Args:
        target: class numbers (…).
        predictions: (…, classes).
    """
    predictions = as_node(predictions)
    hit = one_hot(e.cast(target, "int32"), class_count(predictions), predictions.dtype)
    own = e.sum(hit * predictions, -1, keepdims=True)
    higher = e.sum(e.cast(predictions > own, "int32"), -1)
    known = logical_and(any(hit, -1), e.isfinite(e.squeeze(own)))  # a class outside is in no one's first k
    return logical_and(e.less(higher, k), known)


def class_count(output: Node, axis: int = -1) -> int:
    """The size of the class axis."""
    size = output.shape[axis]
    if size is None:
        raise ShapeError(f"the class axis {axis} of {output.shape} must have a fixed size")
    return size


def one_hot(x: Operand, num_classes: int, dtype: str = "float32") -> Node:
    """A new last axis of ``num_classes``, 1 at the index and 0 elsewhere; an index outside gives all 0."""
    x = as_node(x)
    return e.cast(e.equal(e.expand_dims(x, -1), e.iota(num_classes, x.dtype)), dtype)


def moments(x: Operand, axes: Axes, keepdims: bool = False) -> tuple[Node, Node]:
    """Mean and (biased) variance over some axes: Var x = mean((x − mean x)²), whose gradient in mean x is 0."""
    x = as_node(x)
    center = e.mean(x, axes, keepdims=True)
    mean = center if keepdims else e.reshape(center, e.sum(x, axes).shape)
    return mean, e.mean(square(x - e.stop_gradient(center)), axes, keepdims)


def var(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The biased variance over some axes (all by default)."""
    return moments(x, axis, keepdims)[1]


def std(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """The biased standard deviation over some axes (all by default)."""
    return e.sqrt(var(x, axis, keepdims))


def shifted(x: Operand, axis: int = -1) -> Node:
    """x − max x, which leaves softmax as it is and keeps exp from overflowing."""
    x = as_node(x)
    return x - e.stop_gradient(e.max(x, axis, keepdims=True))


def logsumexp(x: Operand, axis: Axes = None, keepdims: bool = False) -> Node:
    """log Σ eˣ, without overflow."""
    x = as_node(x)
    top = e.stop_gradient(e.max(x, axis, keepdims=True))
    total = e.log(e.sum(e.exp(x - top), axis, keepdims=True)) + top
    return total if keepdims else e.reshape(total, e.sum(x, axis).shape)


def softmax(x: Operand, axis: int = -1) -> Node:
    """eˣ / Σ eˣ along an axis."""
    powers = e.exp(shifted(x, axis))
    return powers / e.sum(powers, axis, keepdims=True)


def log_softmax(x: Operand, axis: int = -1) -> Node:
    """log softmax(x) along an axis, without overflow."""
    centered = shifted(x, axis)
    return centered - e.log(e.sum(e.exp(centered), axis, keepdims=True))


def relu(x: Operand, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Node:
    """max(x, 0), with Keras's slope below, ceiling and threshold."""
    x = as_node(x)
    if (negative_slope, max_value, threshold) == (0.0, None, 0.0):
        return e.maximum(x, 0.0)
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


def random_uniform(shape: tuple[int | None, ...], stream: int, dtype: str = "float32") -> Node:
    """Numbers in [0, 1) that depend on stream, step and element alone (Philox, Salmon et al. 2011)."""
    return leaf("random", e.sizes(shape), dtype, stream=int(stream))


def dropout(x: Operand, rate: float, stream: int, noise_shape: tuple[int | None, ...] | None = None) -> Node:
    """x with a share ``rate`` of its elements 0 and the rest divided by 1 − rate (Srivastava et al. 2014)."""
    x = as_node(x)
    if rate >= 1.0:
        return e.full_like(x, 0.0)
    kept = random_uniform(noise_shape or x.shape, stream, x.dtype) >= rate
    return e.where(kept, x * (1.0 / (1.0 - rate)), e.constant(0.0, x.dtype))
