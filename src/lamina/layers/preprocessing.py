"""Layers that bring features (or a target) to a fitting size, inside the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Self

import numpy as np

from lamina import config, ops
from lamina.errors import DataError, LaminaError, ShapeError
from lamina.layers.adapting import Adaptable
from lamina.layers.dense import known_size
from lamina.layers.encoding import array_of
from lamina.layers.layer import Layer

Moments = tuple[int, np.ndarray, np.ndarray]


class Normalization(Adaptable):
    """(x − mean) / max(√variance, ε), or the inverse.

    Args:
        axis: axes that have their own mean and variance; the last by default, None for one of all.
        mean, variance: given values; without them call ``adapt(data)``.
        invert: undo a normalisation: x · √variance + mean.

    Example:
        >>> layer = Normalization(); layer.adapt(np.array([[1.0], [3.0]]))
        >>> layer(np.array([[3.0]]))
        array([[1.]], dtype=float32)
    """

    lists_are_batches = True
    supports_masking = True

    def __init__(
        self, axis: int | Sequence[int] | None = -1, mean: Any = None, variance: Any = None, invert: bool = False,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        axes = () if axis is None else (axis,) if isinstance(axis, int) else axis
        if any(a == 0 for a in axes):
            raise ValueError("The argument 'axis' may not be 0: the batch axis has no statistics of its own.")
        if (mean is None) != (variance is None):
            raise ValueError(
                "When setting values directly, both `mean` and `variance` must be set. "
                f"Received: mean={mean} and variance={variance}"
            )
        self.axis = tuple(axes)
        self.invert = invert
        self.is_given = mean is not None
        self.input_mean = mean
        self.input_variance = variance
        self.mean: Any = None  # a Variable, or an array where it was given
        self.variance: Any = None
        self.reset_state()

    def get_config(self) -> dict[str, Any]:
        """See ``Layer.get_config``; adapted statistics are weights, not a part of the config."""
        given = {"mean": self.input_mean, "variance": self.input_variance}
        plain = {k: None if v is None else np.asarray(v).tolist() for k, v in given.items()}
        return super().get_config() | {"axis": list(self.axis), "invert": self.invert} | plain

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create mean, variance and count, or place the given values."""
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in self.axis):
            raise ShapeError(
                f"layer {self.name!r}: axis {list(self.axis)} does not exist in an input of shape {input_shape}"
            )
        self._kept = sorted({a % rank for a in self.axis})
        shape = tuple(known_size(self, input_shape, a) for a in self._kept)
        if self.input_mean is not None:
            for what, value in (("mean", self.input_mean), ("variance", self.input_variance)):
                self._given(what, value, shape)
            self.mean = np.broadcast_to(np.asarray(self.input_mean, self.dtype), shape)
            self.variance = np.broadcast_to(np.asarray(self.input_variance, self.dtype), shape)
            return
        self.mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
        self.variance = self.add_weight(shape, "ones", trainable=False, name="variance")
        self.count = self.add_weight((), "zeros", dtype="int64", trainable=False, name="count")

    def _given(self, what: str, value: Any, shape: tuple[int, ...]) -> None:
        try:
            np.broadcast_to(value, shape)
        except ValueError:
            raise ShapeError(
                f"layer {self.name!r}: {what} has shape {np.shape(value)}, the input needs {shape}"
            ) from None

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Take mean and (biased) variance from data, in place of earlier ones; see ``Adaptable.adapt``.

        Args:
            data: an array (rows, …) or a data frame; or batches of them; what has rank 1 is one row.
            steps: at most so many batches.

        Raises:
            DataError: the data are no numbers, or of another shape than the layer was built for.
            LaminaError: mean and variance were given.
        """
        if self.is_given:
            raise LaminaError(f"layer {self.name!r} was given mean and variance: it cannot `adapt`")
        if isinstance(data, list | tuple) and not all(hasattr(batch, "shape") for batch in data):
            raise DataError(f"layer {self.name!r}: adapt() takes a NumPy array or batches of such: give np.array(data)")
        super().adapt([np.asarray(data)] if hasattr(data, "__array__") else data, steps)

    def reset_state(self) -> None:
        """Forget the batches seen so far."""
        self._seen = (0, np.zeros(()), np.zeros(()))  # how many rows, their mean, their variance

    def update_state(self, data: Any) -> None:
        """Take one batch into account."""
        array = np.atleast_2d(np.asarray(data))
        if array.dtype.kind not in "fiub" or not array.size:
            raise DataError(
                f"layer {self.name!r}: Normalization.adapt needs rows of numbers, got dtype {array.dtype}, shape "
                f"{array.shape}"
            )
        if not self.built:
            self.build_from_config({"input_shape": (None, *array.shape[1:])})
        others = tuple(a for a in range(array.ndim) if a not in self._kept)
        sizes = tuple(array.shape[a] for a in self._kept if a < array.ndim)
        if sizes != self.mean.shape:
            raise DataError(
                f"layer {self.name!r} was built for axes of size {self.mean.shape}, but adapt() is being called with "
                f"data with an incompatible shape, data.shape={array.shape}"
            )
        wide = array.astype("float64")  # in float32 a large mean would swallow the variance
        self._seen = _together(self._seen, (array.size // prod(sizes), wide.mean(axis=others), wide.var(axis=others)))

    def finalize_state(self) -> None:
        """From now on mean and variance are those of the batches seen, if there were any."""
        count, mean, variance = self._seen
        if count:
            self.mean.assign(mean.astype(self.dtype))
            self.variance.assign(variance.astype(self.dtype))

    def call(self, inputs: Any) -> Any:
        """(x − mean) / max(√variance, ε), or x · max(√variance, ε) + mean."""
        inputs = ops.cast(inputs, self.dtype)
        shape = tuple(size if a in self._kept else 1 for a, size in enumerate(inputs.shape))
        mean, variance = ops.reshape(self.mean, shape), ops.reshape(self.variance, shape)
        spread = ops.maximum(ops.sqrt(variance), config.epsilon())
        return inputs * spread + mean if self.invert else (inputs - mean) / spread


def _together(a: Moments, b: Moments) -> Moments:
    """Count, mean and variance of two groups of numbers from those of each."""
    count = a[0] + b[0]
    share = b[0] / count
    mean = a[1] + (b[1] - a[1]) * share
    return count, mean, a[2] * (1 - share) + b[2] * share + (b[1] - a[1]) ** 2 * share * (1 - share)


class Rescaling(Layer):
    """x · scale + offset.

    Args:
        scale: a number, or one for each of the last axis.
        offset: the same.
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs: Any) -> Any:
        """x · scale + offset."""
        scale, offset = (np.asarray(number, self.dtype) for number in (self.scale, self.offset))
        return ops.cast(inputs, self.dtype) * scale + offset


class Pipeline(Layer):
    """Layers one after the other, as one layer: preprocessing that is put together once.

    Args:
        layers: the layers.
        name: made from the class's name by default.

    Example:
        >>> Pipeline([Rescaling(0.5), Rescaling(1.0, offset=1.0)])(np.array([[2.0]]))
        array([[2.]], dtype=float32)
    """

    def __init__(self, layers: Sequence[Layer], name: str | None = None):
        super().__init__(name=name)
        self.layers = layers

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """See ``Layer.__call__``; lists of Python values are taken, too."""
        return super().__call__(array_of(inputs), *args, **kwargs)

    def call(self, inputs: Any) -> Any:
        """Each layer on what the one before puts out."""
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """What Keras writes for this class."""
        return {"layers": list(self.layers), "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A pipeline from what ``get_config`` returned."""
        if not isinstance(config.get("layers"), list | tuple):
            raise ValueError(
                "`Pipeline` config must contain a `layers` key mapping to a list of serialized layers. "
                f"Received config with layers={config.get('layers')}."
            )
        return cls(**config)
