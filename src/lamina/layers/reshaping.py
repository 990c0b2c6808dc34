"""Layers that give the same numbers another shape; the batch axis stays."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from lamina import ops
from lamina.errors import ShapeError
from lamina.layers.arguments import data_format_of
from lamina.layers.layer import Layer
from lamina.layers.masks import bare
from lamina.layers.spec import InputSpec


class Flatten(Layer):
    """(batch, a, b, …) → (batch, a·b·…); (batch,) → (batch, 1).

    Args:
        data_format: ``"channels_first"`` where axis 1 holds the features, which then come last in each row.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = data_format_of(self, data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that all sizes but the batch's are known."""
        if None in input_shape[1:]:
            raise ShapeError(f"layer {self.name!r} cannot flatten the shape {input_shape}: its sizes must be known")

    def call(self, inputs: Any) -> Any:
        """One row of numbers for each example."""
        if self.data_format == "channels_first" and len(inputs.shape) > 1:
            inputs = ops.moveaxis(inputs, 1, -1)
        return bare(ops.reshape(inputs, (inputs.shape[0], prod(inputs.shape[1:]))))


class Reshape(Layer):
    """(batch, …) → (batch, *target_shape).

    Args:
        target_shape: sizes without the batch axis; one may be −1.
    """

    built_at_once = True

    def __init__(self, target_shape: Sequence[int], **kwargs: Any):
        super().__init__(**kwargs)
        self.target_shape = tuple(int(size) for size in target_shape)
        if self.target_shape.count(-1) > 1:
            raise ValueError(
                "There must be at most one unknown dimension (-1) in target_shape. "
                f"Received: target_shape={self.target_shape}."
            )

    def call(self, inputs: Any) -> Any:
        """The same numbers in rows of ``target_shape``."""
        return bare(ops.reshape(inputs, (inputs.shape[0], *self._resolved(inputs.shape))))

    def _resolved(self, shape: tuple[int | None, ...]) -> tuple[int, ...]:
        size = prod(s for s in shape[1:] if s is not None)
        known = prod(s for s in self.target_shape if s != -1)
        if size % known if -1 in self.target_shape and known else size != known:
            raise ShapeError(
                f"The total size of the tensor must be unchanged. Layer {self.name!r} received: "
                f"input_shape={tuple(shape)}, target_shape={self.target_shape}"
            )
        return tuple(size // known if s == -1 else s for s in self.target_shape)


class Permute(Layer):
    """The axes in another order; the batch axis stays.

    Args:
        dims: the numbers of the axes, from 1, in their new order.

    Raises:
        ValueError: they are not 1, 2, … in some order.
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be "
                f"consecutive and start from 1. Received dims={dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """The same numbers, axis ``dims[i]`` in place i + 1."""
        return bare(ops.transpose(inputs, (0, *self.dims)))


class RepeatVector(Layer):
    """(batch, a) → (batch, n, a): each row n times.

    Args:
        n: how often.
    """

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"Expected an integer value for `n`, got {type(n)}.")
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """n equal rows for each."""
        rows, size = inputs.shape
        return ops.broadcast_to(ops.expand_dims(inputs, 1), (rows, self.n, size))
