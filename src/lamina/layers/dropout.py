"""Dropout: noise while training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina import random
from lamina.layers.layer import Layer


class Dropout(Layer):
    """While training, a share of the inputs is 0 and the rest divided by 1 − rate (Srivastava et al. 2014).

    Args:
        rate: the share, in [0, 1].
        noise_shape: shape of the mask, with 1 where it is shared; the inputs' by default.
        seed: fixes the masks.

    Example:
        >>> import numpy as np
        >>> Dropout(0.5)(np.ones((1, 3), "float32"))
        array([[1., 1., 1.]], dtype=float32)
    """

    def __init__(self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise ValueError(
                f"Invalid value for argument `rate`. Expected a float value between 0 and 1. Received: rate={rate}"
            )
        self.rate = rate
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self.seed_generator = seed if isinstance(seed, random.SeedGenerator) else random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """x · mask / (1 − rate)."""
        if not training or self.rate == 0:
            return inputs
        shape = self.noise_shape
        if shape is not None:
            shape = tuple(size if n is None else n for n, size in zip(shape, inputs.shape, strict=True))
        return random.dropout(inputs, self.rate, shape, self.seed_generator)
