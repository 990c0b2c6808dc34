"""Composite functions as equations of the primitives; their gradients and kernels follow from these lines."""

from __future__ import annotations

from math import pi, sqrt as root

from lamina.graph import express as e
from lamina.graph.express import Axes, as_node
from lamina.graph.node import Node, Operand, leaf

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


def not_equal(x1: Operand, x2: Operand) -> Node:
    """x1 ≠ x2."""
    return logical_not(e.equal(x1, x2))


def greater(x1: Operand, x2: Operand) -> Node:
    """x1 > x2."""
    return e.less(x2, x1)


def greater_equal(x1: Operand, x2: Operand) -> Node:
    """x1 ≥ x2."""
    return e.less_equal(x2, x1)


def one_hot(x: Operand, num_classes: int, dtype: str = "float32") -> Node:
    """A new last axis of ``num_classes``, 1 at the index and 0 elsewhere; an index outside gives all 0."""
    x = as_node(x)
    return e.cast(e.equal(e.expand_dims(x, -1), e.iota(num_classes, x.dtype)), dtype)


def moments(x: Operand, axes: Axes, keepdims: bool = False) -> tuple[Node, Node]:
    """Mean and (biased) variance over some axes: Var x = mean((x − mean x)²)."""
    x = as_node(x)
    center = e.mean(x, axes, keepdims=True)
    mean = center if keepdims else e.mean(x, axes)
    return mean, e.mean(square(x - center), axes, keepdims)


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


def hard_sigmoid(x: Operand) -> Node:
    """relu6(x + 3) / 6."""
    return relu6(as_node(x) + 3.0) / 6.0


def softsign(x: Operand) -> Node:
    """x / (1 + |x|)."""
    x = as_node(x)
    return x / (1.0 + abs(x))


def log_sigmoid(x: Operand) -> Node:
    """log σ(x) = −softplus(−x)."""
    return -e.softplus(-as_node(x))


def binary_crossentropy(target: Operand, output: Operand, from_logits: bool = False, epsilon: float = EPSILON) -> Node:
    """−y log a − (1 − y) log(1 − a), element by element; a = σ(output) when ``from_logits``."""
    target = as_node(target)
    a = e.guard(e.sigmoid(output) if from_logits else output, epsilon)
    return -(target * e.log(a)) - (1.0 - target) * e.log(1.0 - a)


def categorical_crossentropy(
    target: Operand, output: Operand, from_logits: bool = False, axis: int = -1, epsilon: float = EPSILON
) -> Node:
    """−Σ y log a along the class axis; probabilities are first divided by their sum, as Keras does."""
    target, output = as_node(target), as_node(output)
    if from_logits:
        return -e.sum(target * log_softmax(output, axis), axis)
    a = output / e.sum(output, axis, keepdims=True)
    return -e.sum(target * e.log(e.guard(a, epsilon)), axis)


def sparse_categorical_crossentropy(
    target: Operand, output: Operand, from_logits: bool = False, axis: int = -1, epsilon: float = EPSILON
) -> Node:
    """−log a[y] for class numbers y; probabilities are clipped and then renormalised, as Keras does."""
    output = as_node(output)
    logits = output if from_logits else e.log(e.guard(output, epsilon))
    classes = output.shape[axis]
    assert classes is not None, "the class axis has a fixed size"
    hit = one_hot(e.cast(target, "int32"), classes, "bool")
    return -e.sum(e.where(hit, log_softmax(logits, axis), e.constant(0.0, output.dtype)), axis)


def random_uniform(shape: tuple[int | None, ...], stream: int, dtype: str = "float32") -> Node:
    """Numbers in [0, 1) that depend on the stream, the step and the element alone (Salmon et al. 2011, Philox)."""
    return leaf("random", shape, dtype, stream=int(stream))


def dropout(x: Operand, rate: float, stream: int, noise_shape: tuple[int | None, ...] | None = None) -> Node:
    """x with a share ``rate`` of its elements zero and the rest divided by 1 − rate (Srivastava et al. 2014)."""
    x = as_node(x)
    if rate >= 1.0:
        return e.full_like(x, 0.0)
    kept = random_uniform(noise_shape or x.shape, stream, x.dtype) >= rate
    return e.where(kept, x * (1.0 / (1.0 - rate)), e.constant(0.0, x.dtype))
