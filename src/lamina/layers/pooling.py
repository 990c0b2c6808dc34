"""Layers that make one row of numbers of several places: their mean or maximum."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.layers.arguments import data_format_of
from lamina.layers.layer import Layer
from lamina.layers.spec import InputSpec


class GlobalPooling(Layer):
    """Base of the poolings over all places."""

    built_at_once = True

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = data_format_of(self, data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=3)

    @property
    def _places(self) -> int:
        return 1 if self.data_format == "channels_last" else 2


class GlobalAveragePooling1D(GlobalPooling):
    """The mean over all places that count.

    Args:
        data_format: ``"channels_last"`` for (batch, places, features), ``"channels_first"`` for the other order.
        keepdims: whether the axis of the places stays, with size 1.

    Shapes: (batch, places, features) → (batch, features).

    Example:
        >>> import numpy as np
        >>> GlobalAveragePooling1D()(np.array([[[1.0], [3.0]]]))
        array([[2.]], dtype=float32)
    """

    supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Σ x / n."""
        if mask is None:
            return ops.mean(inputs, self._places, keepdims=self.keepdims)
        kept = ops.expand_dims(mask, 3 - self._places)
        total = ops.sum(ops.where(kept, inputs, 0), self._places, keepdims=self.keepdims)
        return total / ops.sum(ops.cast(kept, inputs.dtype), self._places, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: every row counts."""
        return None


class GlobalMaxPooling1D(GlobalPooling):
    """The maximum over all places.

    Args:
        data_format: ``"channels_last"`` for (batch, places, features), ``"channels_first"`` for the other order.
        keepdims: whether the axis of the places stays, with size 1.

    Shapes: (batch, places, features) → (batch, features).
    """

    def call(self, inputs: Any) -> Any:
        """max x."""
        return ops.max(inputs, self._places, keepdims=self.keepdims)
