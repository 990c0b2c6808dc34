"""Dense: Z = A·W + b, then an activation."""

from __future__ import annotations

from typing import Any

from lamina import activations, constraints, initializers, ops, regularizers
from lamina.layers.layer import Layer
from lamina.layers.spec import InputSpec


class Dense(Layer):
    """σ(A·W + b) over the last axis.

    Args:
        units: how many outputs.
        activation: σ, a name or a function; None leaves the sum as it is.
        use_bias: whether b is there.
        kernel_initializer, bias_initializer: where W and b start.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on W, b and the outputs.
        kernel_constraint, bias_constraint: projections of W and b after each update.
        quantization_config: must be None.

    Shapes: (batch, …, inputs) → (batch, …, units); W is (inputs, units).

    Example:
        >>> import numpy as np
        >>> Dense(2)(np.ones((3, 4), "float32")).shape
        (3, 2)
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.quantization_config = quantization_config
        must_be_none(self, "quantization_config")
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create W (inputs, units) and b (units,)."""
        inputs = known_size(self, input_shape, -1)
        self.kernel = self.add_weight(
            (inputs, self.units), self.kernel_initializer, name="kernel",
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, name="bias",
                regularizer=self.bias_regularizer, constraint=self.bias_constraint,
            )  # fmt: skip
        self.input_spec = InputSpec(min_ndim=2, axes={-1: inputs})

    def call(self, inputs: Any) -> Any:
        """σ(A·W + b)."""
        z = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            z = z + self.bias
        return self.activation(z)


def positive(layer: Layer, name: str, value: Any) -> int:
    """A size that a user gave, or an error that says what it should be."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) <= 0:
        kind = type(layer).__name__
        raise ValueError(
            f"Received an invalid value for `{name}` of {kind}, expected a positive integer. Received: {name}={value}"
        )
    return int(value)


def must_be_none(layer: Layer, name: str) -> None:
    """Refuse an argument of Keras's that is not followed, rather than ignore it."""
    value = getattr(layer, name)
    if value is not None:
        raise ValueError(f"{type(layer).__name__} {layer.name!r}: {name}={value!r} is not supported, it must be None")


def known_size(layer: Layer, shape: tuple[int | None, ...], axis: int) -> int:
    """The size of an axis that a layer must know to make its weights."""
    size = shape[axis]
    if size is None:
        raise ValueError(f"layer {layer.name!r} must know the size of axis {axis} of its input, got shape {shape}")
    return size
