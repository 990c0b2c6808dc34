"""Activations: functions of a layer's Z, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from lamina import naming, ops
from lamina.graph import activations as equations
from lamina.ops import Array, dual
from lamina.records import serialize_keras_object


def celu(x: Any, alpha: float = 1.0) -> Array:
    """max(x, 0) + α(e^(min(x, 0) / α) − 1)."""
    return ops.celu(x, alpha)


def elu(x: Any, alpha: float = 1.0) -> Array:
    """x above 0, α(eˣ − 1) below."""
    return ops.elu(x, alpha)


def exponential(x: Any) -> Array:
    """eˣ."""
    return ops.exp(x)


def gelu(x: Any, approximate: bool = False) -> Array:
    """x · Φ(x), exactly; ``ops.gelu`` approximates by default."""
    return ops.gelu(x, approximate)


def glu(x: Any, axis: int = -1) -> Array:
    """a · σ(b), where a and b are the halves of x along an axis."""
    return ops.glu(x, axis)


def hard_shrink(x: Any, threshold: float = 0.5) -> Array:
    """x where |x| is above the threshold, else 0."""
    return ops.hard_shrink(x, threshold)


def hard_sigmoid(x: Any) -> Array:
    """relu6(x + 3) / 6."""
    return ops.hard_sigmoid(x)


def hard_silu(x: Any) -> Array:
    """x · relu6(x + 3) / 6."""
    return ops.hard_silu(x)


def hard_tanh(x: Any) -> Array:
    """x between −1 and 1."""
    return ops.hard_tanh(x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Array:
    """x above 0, ``negative_slope`` · x below."""
    return ops.leaky_relu(x, negative_slope)


def linear(x: Any) -> Array:
    """x."""
    return x


def log_sigmoid(x: Any) -> Array:
    """log σ(x)."""
    return ops.log_sigmoid(x)


def log_softmax(x: Any, axis: int = -1) -> Array:
    """log softmax(x) along an axis."""
    return ops.log_softmax(x, axis)


@partial(dual, name="activations.mish")
def mish(x: Any) -> Array:
    """x · tanh(log(1 + eˣ))."""
    return ops.multiply(x, ops.tanh(ops.softplus(x)))


@partial(dual, name="activations.relu")
def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Array:
    """max(x, 0), with a slope below, a ceiling and a threshold."""
    return equations.relu(x, negative_slope, max_value, threshold)


def relu6(x: Any) -> Array:
    """min(max(x, 0), 6)."""
    return ops.relu6(x)


def selu(x: Any) -> Array:
    """λ · elu(x, α), self-normalising."""
    return ops.selu(x)


def sigmoid(x: Any) -> Array:
    """1 / (1 + e⁻ˣ)."""
    return ops.sigmoid(x)


def silu(x: Any) -> Array:
    """x · σ(x)."""
    return ops.silu(x)


def soft_shrink(x: Any, threshold: float = 0.5) -> Array:
    """x drawn towards 0 by the threshold."""
    return ops.soft_shrink(x, threshold)


def softmax(x: Any, axis: int = -1) -> Array:
    """eˣ / Σ eˣ along an axis."""
    return ops.softmax(x, axis)


def softplus(x: Any) -> Array:
    """log(1 + eˣ)."""
    return ops.softplus(x)


def softsign(x: Any) -> Array:
    """x / (1 + |x|)."""
    return ops.softsign(x)


def sparse_plus(x: Any) -> Array:
    """0 below −1, ¼(x + 1)² up to 1, then x."""
    return ops.sparse_plus(x)


def sparse_sigmoid(x: Any) -> Array:
    """½(x + 1) between 0 and 1."""
    return ops.sparse_sigmoid(x)


def sparsemax(x: Any, axis: int = -1) -> Array:
    """The point of the simplex nearest to x along an axis: probabilities of which some are exactly 0."""
    return ops.sparsemax(x, axis)


def squareplus(x: Any, b: float = 4) -> Array:
    """(x + √(x² + b)) / 2."""
    return ops.squareplus(x, b)


def tanh(x: Any) -> Array:
    """Hyperbolic tangent."""
    return ops.tanh(x)


def tanh_shrink(x: Any) -> Array:
    """x − tanh x."""
    return ops.tanh_shrink(x)


def threshold(x: Any, threshold: float, default_value: float) -> Array:
    """x above a threshold, else ``default_value``."""
    return ops.threshold(x, threshold, default_value)


swish, hard_swish = silu, hard_silu

FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear,
        log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus,
        softsign, sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink, threshold,
    )
}  # fmt: skip
TABLE = FUNCTIONS | {"swish": swish, "hard_swish": hard_swish}


def get(identifier: Any) -> Callable[..., Any]:
    """An activation from a name, a config or a function; None is ``linear``.

    Raises:
        ValueError: there is no such activation.

    Example:
        >>> get("relu")([-1.0, 2.0])
        array([0., 2.], dtype=float32)
    """
    if identifier is None:
        return linear
    return naming.lookup("activation function", TABLE, identifier)


deserialize = naming.reader("activation function", TABLE)


def serialize(activation: Callable[..., Any]) -> Any:
    """The name of an activation of this table; the record of a function or object of your own.

    Raises:
        RecordError: there is no way to write it, as for a lambda.

    Example:
        >>> serialize(relu)
        'relu'
    """
    return serialize_keras_object(activation)
