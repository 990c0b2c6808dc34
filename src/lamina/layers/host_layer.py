"""HostLayer: base of the layers whose inputs (text, ids) become small whole numbers before the program runs."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from lamina.graph.express import as_node
from lamina.graph.node import TEXT
from lamina.host.recipes import Recipe
from lamina.host.texts import is_text
from lamina.layers.encoding import array_of, encode
from lamina.layers.layer import Layer
from lamina.trace import current


class HostLayer(Layer):
    """A recipe for the host, and an encoding of its result in the graph.

    While a model is traced, a call adds an input to the graph, and the trace notes that ``recipe`` makes it (see
    ``lamina.host.stage``). So the inputs of such a layer must come from the data, perhaps through layers without
    weights; what it puts out is used like any other tensor, by other such layers too.

    A subclass has a ``recipe`` (a ``Table``, ``Hash`` or ``Cross`` of ``lamina.host.recipes``), ``output_mode`` and
    ``_depth()``.
    """

    on_host = True
    input_dtype = "int64"  # of the Input that a Sequential without one makes
    output_mode: str

    def __init__(self, **kwargs: Any):
        super().__init__(**{"autocast": False, **kwargs})  # ids may be wider than the layer's floats

    @property
    @abstractmethod
    def recipe(self) -> Recipe:
        """What the host computes, as it is now."""

    def _depth(self) -> int:
        """The number of columns of an encoding."""
        raise TypeError(f"{type(self).__name__} must define _depth()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """See ``Layer.__call__``; lists of Python values are taken, too."""
        return super().__call__(*map(array_of, args[:1]), *args[1:], **kwargs)

    def call(self, inputs: Any) -> Any:
        """What the host makes of the inputs, encoded."""
        indices = self._hosted(as_node(inputs))
        return indices if self.output_mode == "int" else encode(indices, self.output_mode, self._depth(), self.dtype)

    def _fed_dtype(self) -> str:
        return TEXT if self.input_dtype == TEXT else "int32"

    def _hosted(self, *inputs: Any, dtype: str = "int32") -> Any:
        trace = current()
        assert trace is not None
        return trace.host(self, inputs, dtype)

    def _result(self, array: np.ndarray) -> np.ndarray:
        """An array that was computed at once, in Keras's element type."""
        return array if is_text(array) else array.astype(self._array_dtype())

    def _array_dtype(self) -> str:
        return "int64"


def is_text_node(x: Any) -> bool:
    """Whether a node or KerasTensor stands for text."""
    return bool(x.dtype == TEXT)
