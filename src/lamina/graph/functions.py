"""Composite functions as equations of the primitives; their gradients and kernels follow from these lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log

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
    return opposite(e.max(opposite(as_node(x)), axis, keepdims))


def opposite(x: Node) -> Node:
    """x in the opposite order, and the other way round: −x for floats; whole numbers do not overflow."""
    if x.dtype == "bool":
        return logical_not(x)
    return -1 - x if x.dtype == "int32" else -x


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


def alike(pair: Callable[[Operand, Operand], Node], x1: Operand, x2: Operand) -> tuple[Node, Node]:
    """Two operands in the element type of what the function makes of them; Python's numbers keep all their digits."""
    dtype = pair(x1, x2).dtype
    first, second = (e.constant(x, dtype) if isinstance(x, int | float) else e.cast(x, dtype) for x in (x1, x2))
    return first, second


def divide_no_nan(x1: Operand, x2: Operand) -> Node:
    """x1 / x2, and 0 where x2 is 0."""
    x1, x2 = alike(e.divide, x1, x2)
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
    return e.argmax(opposite(as_node(x)), axis)


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
