"""Layers that are noise while training, and nothing otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina import ops, random
from lamina.errors import ShapeError
from lamina.layers.layer import Layer
from lamina.layers.spec import InputSpec


class RandomMask(Layer):
    """Base of the layers that choose inputs at random: a rate, the shape of the mask, a seed."""

    supports_masking = True
    built_at_once = True

    def __init__(self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = _share("rate", rate)
        self.noise_shape = None if noise_shape is None else _mask_shape(noise_shape)
        self.seed = seed
        self.seed_generator = _generator(seed)

    def _shape(self, inputs: Any) -> tuple[int | None, ...]:
        """The mask's shape, its None the inputs' sizes."""
        given = self.noise_shape or inputs.shape
        if len(given) != len(inputs.shape):
            raise ShapeError(
                f"layer {self.name!r}: noise_shape={given} needs one size for each axis of its inputs {inputs.shape}"
            )
        return tuple(size if n is None else n for n, size in zip(given, inputs.shape, strict=True))


class Dropout(RandomMask):
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

    def call(self, inputs: Any, training: bool = False) -> Any:
        """x · mask / (1 − rate)."""
        if not training or self.rate == 0:
            return inputs
        return random.dropout(inputs, self.rate, self._shape(inputs), self.seed_generator)


class SpatialDropout1D(Dropout):
    """Dropout of whole features: what is dropped is 0 at all places of axis 1.

    Args:
        rate: the share, in [0, 1].
        seed: fixes the masks.

    Shapes: (batch, places, features), unchanged.

    Source: Tompson et al. 2015.
    """

    def __init__(self, rate: float, seed: Any = None, name: str | None = None, dtype: Any = None):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=3)

    def _shape(self, inputs: Any) -> tuple[int | None, ...]:
        rows, _, features = inputs.shape
        return rows, 1, features

    def get_config(self) -> dict[str, Any]:
        """See ``Layer.get_config``; of the arguments of all layers, Keras keeps name and dtype."""
        return {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype}


class AlphaDropout(RandomMask):
    """Dropout for selu: a share of the inputs is the least that selu can be, then all are moved and scaled so that mean
    and variance stay what they were (Klambauer et al. 2017).

    Args:
        rate: the share, in [0, 1].
        noise_shape: shape of the mask, with 1 where it is shared; the inputs' by default.
        seed: fixes the masks.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """a · (x where it is kept, else α′) + b."""
        if not training or self.rate == 0:
            return inputs
        kept = random.uniform(self._shape(inputs), dtype=self.dtype, seed=self.seed_generator) >= self.rate
        least = -1.7580993408473766  # −λα of selu
        factor = ((1.0 - self.rate) * (1.0 + self.rate * least**2)) ** -0.5
        return ops.where(kept, inputs, least) * factor - factor * least * self.rate


class GaussianDropout(Layer):
    """While training, the inputs times normal numbers of mean 1 and variance rate / (1 − rate).

    Args:
        rate: as of Dropout, in [0, 1).
        seed: fixes the numbers.

    Source: Srivastava et al. 2014, section 10.
    """

    supports_masking = True
    built_at_once = True

    def __init__(self, rate: float, seed: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = _share("rate", rate)
        self.seed = seed
        self.seed_generator = _generator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """x · N(1, rate / (1 − rate))."""
        if not training or self.rate == 0:
            return inputs
        spread = (self.rate / (1.0 - self.rate)) ** 0.5
        return inputs * random.normal(inputs.shape, 1.0, spread, self.dtype, self.seed_generator)


class GaussianNoise(Layer):
    """While training, the inputs plus normal numbers of mean 0.

    Args:
        stddev: their standard deviation, in [0, 1].
        seed: fixes the numbers.
    """

    supports_masking = True
    built_at_once = True

    def __init__(self, stddev: float, seed: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.stddev = _share("stddev", stddev)
        self.seed = seed
        self.seed_generator = _generator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """x + N(0, stddev²)."""
        if not training or self.stddev == 0:
            return inputs
        return inputs + random.normal(inputs.shape, 0.0, self.stddev, self.dtype, self.seed_generator)


def _mask_shape(given: Any) -> tuple[int | None, ...]:
    sizes = tuple(given) if isinstance(given, list | tuple) else ()
    if not sizes or not all(size is None or (isinstance(size, int) and size > 0) for size in sizes):
        raise ValueError(
            "Invalid value received for argument `noise_shape`. Expected a tuple or list of positive integers or None. "
            f"Received: noise_shape={given}"
        )
    return sizes


def _share(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a float value between 0 and 1. Received: {name}={value}"
        )
    return value


def _generator(seed: Any) -> random.SeedGenerator:
    return seed if isinstance(seed, random.SeedGenerator) else random.SeedGenerator(seed)
