"""Lambda: a function of one's own as a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lamina.layers.arguments import map_shapes
from lamina.layers.calling import call_parameters
from lamina.layers.layer import Layer
from lamina.records import config_value, function_record
from lamina.tree import flatten


class Lambda(Layer):
    """A function of ``lamina.ops`` as a layer.

    Args:
        function: takes the inputs, and ``mask`` and ``training`` if it has arguments of these names. A model with it
            can be saved only if the function has a name and is registered; a file never holds its code.
        output_shape: what ``compute_output_shape`` says: sizes without the batch, or a function of the input's shape;
            read from the function by default.
        mask: the mask of the outputs, or a function ``(inputs, mask) → mask``.
        arguments: what else to call the function with, by name.

    Example:
        >>> import numpy as np
        >>> Lambda(lambda x: x * x)(np.array([[3.0]]))
        array([[9.]], dtype=float32)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda {self.name!r} needs a function, got {function!r}")
        self.function = function
        self.mask = mask
        self.arguments = dict(arguments or {})
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        self._extra = {"mask", "training"} & set(_parameters(function))

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """function(inputs)."""
        given = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{k: v for k, v in given.items() if k in self._extra})

    def compute_output_shape(self, input_shape: Any) -> Any:
        """What ``output_shape`` says, or else what the function gives."""
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        return map_shapes(lambda shape: (flatten(input_shape)[0], *shape), self._output_shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """What ``mask`` says."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """See ``Layer.get_config``."""
        config = super().get_config()
        own = {"function": self.function, "output_shape": self._output_shape, "mask": self.mask}
        # A function that no record leads back to stays itself; activations, too, are written as functions.
        given = {k: v if config_value(v) is v else function_record(v) for k, v in own.items() if v is not None}
        return {k: v for k, v in config.items() if k not in own} | given


def _parameters(function: Callable[..., Any]) -> Any:
    try:
        return call_parameters(function)
    except (TypeError, ValueError):  # a function of C's has no signature
        return {}
