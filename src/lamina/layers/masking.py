"""Masking: which places along an axis count, told by a value that stands for nothing."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.layers.layer import Layer


class Masking(Layer):
    """The inputs, with a mask: a place whose features all have one value does not count, and is 0.

    Args:
        mask_value: the value that stands for nothing.

    Shapes: (batch, places, features), unchanged; the mask is (batch, places).

    Example:
        >>> import numpy as np
        >>> Masking()(np.array([[[1.0], [0.0]]]))._keras_mask
        array([[ True, False]])
    """

    built_at_once = True

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def call(self, inputs: Any) -> Any:
        """x where it counts, else 0."""
        return ops.where(ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True), inputs, 0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where any feature differs from ``mask_value``."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)
