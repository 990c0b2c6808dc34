"""Layers around another layer: Wrapper, TimeDistributed, SpectralNormalization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina import initializers, ops
from lamina.errors import ShapeError
from lamina.graph.node import label
from lamina.layers.arguments import shape_tuples
from lamina.layers.calling import call_parameters
from lamina.layers.layer import Layer
from lamina.layers.spec import InputSpec

MOST_TIMES = 4096  # each has nodes of its own in the graph


class Wrapper(Layer):
    """Base of the layers that change what another layer does.

    Args:
        layer: the other layer.
    """

    def __init__(self, layer: Layer, **kwargs: Any):
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Layer {layer} supplied to {type(self).__name__} isn't a supported layer type. Please ensure wrapped "
                "layer is a valid layer."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Build the other layer for the same inputs."""
        if not self.layer.built:
            self.layer.build(input_shape)


class TimeDistributed(Wrapper):
    """The same layer on each part along axis 1.

    Args:
        layer: the layer, which takes inputs without that axis.

    Shapes: (batch, times, …) → (batch, times, …).

    Example:
        >>> import numpy as np
        >>> from lamina.layers import Dense
        >>> TimeDistributed(Dense(2))(np.ones((3, 5, 4), "float32")).shape
        (3, 5, 2)
    """

    supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        """Build the layer for one part."""
        shape = shape_tuples(input_shape)
        if len(shape) < 3 or not all(size is None or isinstance(size, int) for size in shape):
            raise ShapeError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, received: "
                f"{input_shape} (layer {self.name!r})"
            )
        if shape[1] > MOST_TIMES:
            raise ShapeError(f"layer {self.name!r} computes at most {MOST_TIMES} times, got the shape {shape}")
        super().build((shape[0], *shape[2:]))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """[layer(x[:, 0]), layer(x[:, 1]), …]."""
        if mask is not None and tuple(mask.shape[:2]) != tuple(inputs.shape[:2]):
            raise ShapeError(
                f"The `mask` passed to the `TimeDistributed` layer has a shape {mask.shape} that is incompatible with "
                f"the input shape {inputs.shape}: the first two sizes must be equal"
            )
        takes = call_parameters(type(self.layer).call)
        with label(self.layer.name):
            parts = [self._part(inputs, training, mask, i, takes) for i in range(inputs.shape[1])]
        return ops.stack(parts, axis=1)

    def _part(self, inputs: Any, training: bool | None, mask: Any, at: int, takes: Mapping[str, Any]) -> Any:
        given = {"training": training, "mask": None if mask is None else mask[:, at]}
        return self.layer.call(inputs[:, at], **{k: v for k, v in given.items() if k in takes})


class SpectralNormalization(Wrapper):
    """A layer whose kernel is divided by its largest singular value in each training step.

    Args:
        layer: a layer with a ``kernel`` or ``embeddings``.
        power_iterations: how often the estimate of the singular vectors is improved in a step.

    Source: Miyato et al. 2018.
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any):
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                "`power_iterations` should be greater than zero. Received: "
                f"`power_iterations={power_iterations}`"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any = None) -> None:
        """Build the layer; create u, the estimate of the kernel's first singular vector on the outputs' side."""
        super().build(input_shape)
        kernel = getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))
        if kernel is None:
            raise ValueError(f"{type(self.layer).__name__} object has no attribute 'kernel' nor 'embeddings'")
        self.kernel = kernel
        self.vector_u = self.add_weight(
            (1, kernel.shape[-1]), initializers.TruncatedNormal(stddev=0.02), trainable=False, name="vector_u"
        )
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The layer; training first divides its kernel W by u Wᵀ v, unless W is 0."""
        if training:
            zero = ops.all(ops.equal(self.kernel, 0.0))
            u, kernel = self._normalized()
            self.vector_u.assign(ops.where(zero, self.vector_u, u))
            self.kernel.assign(ops.where(zero, self.kernel, kernel))
        return self.layer(inputs)

    def _normalized(self) -> tuple[Any, Any]:
        weights = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        u = self.vector_u
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.tensordot(u, weights, ([1], [1])), axis=None)
            u = ops.normalize(ops.matmul(v, weights), axis=None)
        sigma = ops.sum(ops.matmul(v, weights) * u)
        return u, self.kernel / sigma
