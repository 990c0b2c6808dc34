"""Layers that apply one function to each number (or, for Softmax, along an axis)."""

from __future__ import annotations

from typing import Any

from lamina import activations, ops
from lamina.layers.layer import Layer


class Activation(Layer):
    """Any activation by name, or a function of your own.

    Args:
        activation: a name or a function.
    """

    def __init__(self, activation: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        """σ(z)."""
        return self.activation(inputs)


class ReLU(Layer):
    """max(z, 0), with a slope below, a ceiling and a threshold.

    Args:
        max_value: the ceiling, None for none.
        negative_slope: factor below the threshold.
        threshold: where the line begins.
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _not_negative(self, "max_value", max_value)
        self.negative_slope = _not_negative(self, "negative_slope", negative_slope)
        self.threshold = _not_negative(self, "threshold", threshold)

    def call(self, inputs: Any) -> Any:
        """relu(z)."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """z above 0, ``negative_slope`` · z below.

    Args:
        negative_slope: 0.3 by default (the function ``leaky_relu`` has 0.2, as in Keras).
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any):
        super().__init__(**kwargs)
        self.negative_slope = _not_negative(self, "negative_slope", negative_slope)

    def call(self, inputs: Any) -> Any:
        """leaky_relu(z)."""
        return activations.leaky_relu(inputs, self.negative_slope)


class ELU(Layer):
    """z above 0, α(eᶻ − 1) below (Clevert et al. 2015).

    Args:
        alpha: α.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        """elu(z)."""
        return activations.elu(inputs, self.alpha)


class Softmax(Layer):
    """eᶻ / Σ eᶻ along an axis.

    Args:
        axis: the axis of the classes.
    """

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """softmax(z); where ``mask`` is false the result is 0."""
        if mask is None:
            return activations.softmax(inputs, self.axis)
        kept = ops.cast(mask, self.dtype) > 0.5
        return ops.where(kept, activations.softmax(ops.where(kept, inputs, -3e38), self.axis), 0.0)


class Identity(Layer):
    """The inputs themselves."""

    def call(self, inputs: Any) -> Any:
        """z."""
        return inputs


def _not_negative(layer: Layer, name: str, value: Any) -> float:
    if value is None or value < 0:
        raise ValueError(f"{name} of {type(layer).__name__} cannot be negative or None. Received: {name}={value}")
    return float(value)
