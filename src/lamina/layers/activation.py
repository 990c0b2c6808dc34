"""Layers that apply one function to each number (or, for Softmax, along an axis), or only a penalty on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina import activations, constraints, initializers, ops, regularizers
from lamina.errors import ShapeError
from lamina.layers.arguments import old_argument
from lamina.layers.dense import known_size
from lamina.layers.layer import Layer


class Activation(Layer):
    """Any activation by name, or a function of your own.

    Args:
        activation: a name or a function.
    """

    supports_masking = True
    built_at_once = True

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

    supports_masking = True
    built_at_once = True

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

    supports_masking = True
    built_at_once = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any):
        alpha = old_argument(kwargs, "alpha", "Use `negative_slope` instead.")
        super().__init__(**kwargs)
        self.negative_slope = _not_negative(self, "negative_slope", negative_slope if alpha is None else alpha)

    def call(self, inputs: Any) -> Any:
        """leaky_relu(z)."""
        return activations.leaky_relu(inputs, self.negative_slope)


class ELU(Layer):
    """z above 0, α(eᶻ − 1) below (Clevert et al. 2015).

    Args:
        alpha: α.
    """

    supports_masking = True
    built_at_once = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        """elu(z)."""
        return activations.elu(inputs, self.alpha)


class PReLU(Layer):
    """z above 0, α · z below, with an α for each number that is learnt (He et al. 2015).

    Args:
        alpha_initializer: first values of α.
        alpha_regularizer: a penalty.
        alpha_constraint: a projection after each update.
        shared_axes: axes (the batch is 0) along which there is one α.
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.shared_axes = None if axes is None else list(axes)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create α."""
        shared = self.shared_axes or []
        if not all(0 < a < len(input_shape) for a in shared):
            raise ShapeError(
                f"layer {self.name!r}: shared_axes={shared} are not axes from 1 of an input of shape {input_shape}"
            )
        shape = tuple(1 if a in shared else known_size(self, input_shape, a) for a in range(1, len(input_shape)))
        self.alpha = self.add_weight(
            shape, self.alpha_initializer, name="alpha",
            regularizer=self.alpha_regularizer, constraint=self.alpha_constraint,
        )  # fmt: skip

    def call(self, inputs: Any) -> Any:
        """max(z, 0) − α · max(−z, 0)."""
        return activations.relu(inputs) - self.alpha * activations.relu(-inputs)


class ActivityRegularization(Layer):
    """The inputs themselves, with a penalty on them.

    Args:
        l1, l2: factors of Σ|z| and Σz², by the batch size.
    """

    supports_masking = True
    built_at_once = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any):
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    def call(self, inputs: Any) -> Any:
        """z."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """See ``Layer.get_config``; the penalty is in l1 and l2."""
        return {name: value for name, value in super().get_config().items() if name != "activity_regularizer"}


class Softmax(Layer):
    """eᶻ / Σ eᶻ along an axis.

    Args:
        axis: the axis of the classes.
    """

    supports_masking = True
    built_at_once = True

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """softmax(z); where ``mask`` is false the result is 0."""
        if mask is None:
            return activations.softmax(inputs, self.axis)
        sizes = zip(mask.shape[::-1], inputs.shape[::-1], strict=False)
        if len(mask.shape) > len(inputs.shape) or any(a not in (1, b) for a, b in sizes):
            raise ShapeError(
                "The `mask` must be broadcastable to `inputs`. Each mask dimension must be 1 or match the "
                f"corresponding input dimension. Received: inputs.shape={inputs.shape}, mask.shape={mask.shape}"
            )
        kept = ops.cast(mask, self.dtype) > 0.5
        return ops.where(kept, activations.softmax(ops.where(kept, inputs, -3e38), self.axis), 0.0)


class Identity(Layer):
    """The inputs themselves."""

    supports_masking = True
    built_at_once = True

    def call(self, inputs: Any) -> Any:
        """z."""
        return inputs


def _not_negative(layer: Layer, name: str, value: Any) -> float:
    if value is None or value < 0:
        raise ValueError(f"{name} of {type(layer).__name__} cannot be negative or None. Received: {name}={value}")
    return float(value)
