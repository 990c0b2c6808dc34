"""Layers in a pipeline of TensorFlow's: ``dataset.map(layer)`` computes them, on arrays, where the data are made."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.graph.node import TEXT
from lamina.layers.tensor import KerasTensor
from lamina.tree import flatten, map_leaves, pack

if TYPE_CHECKING:
    from lamina.layers.layer import Layer


def is_symbolic(x: Any) -> bool:
    """Whether x stands for numbers in a graph of TensorFlow's."""
    return type(x).__module__.startswith("tensorflow.") and not hasattr(x, "numpy")


def in_dataset(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The layer's outputs as tensors of the graph that its inputs are in."""
    tensors = layer(*map_leaves(_stand_in, args), **map_leaves(_stand_in, kwargs))
    layer._inbound_nodes.pop()
    return mapped(lambda given: layer(*given[0], **given[1]), [args, kwargs], tensors)


def mapped(function: Callable[[Any], Any], inputs: Any, like: Any) -> Any:
    """A step of TensorFlow's graph that calls a function of arrays.

    Args:
        function: takes the inputs with arrays in place of symbolic tensors, and gives arrays.
        inputs: a structure with symbolic tensors in it.
        like: the outputs as KerasTensors, which say the shapes and types of the arrays.
    """
    tensorflow: Any = sys.modules["tensorflow"]  # whose tensors are here
    symbolic, expected = [x for x in flatten(inputs) if is_symbolic(x)], flatten(like)
    dtypes = list(map(_array_dtype, expected))

    def run(*arrays: Any) -> list[np.ndarray]:
        coming = map(np.asarray, arrays)  # a single text comes as bytes
        made = flatten(function(map_leaves(lambda x: next(coming) if is_symbolic(x) else x, inputs)))
        return [x if dtype == TEXT else x.astype(dtype) for x, dtype in zip(made, dtypes, strict=True)]

    outputs = tensorflow.numpy_function(run, symbolic, list(map(tensorflow.as_dtype, dtypes)))
    for output, tensor in zip(outputs, expected, strict=True):
        output.set_shape(tensor.shape)
    return pack(like, list(outputs))


def _stand_in(x: Any) -> Any:
    """A KerasTensor like a symbolic tensor."""
    if not is_symbolic(x):
        return x
    kind = "int32" if x.dtype.is_integer else x.dtype.name
    return KerasTensor(tuple(x.shape), kind)


def _array_dtype(tensor: KerasTensor) -> str:
    """The element type of the arrays that the layer behind a KerasTensor gives."""
    history = tensor._keras_history
    if tensor.dtype == TEXT or history is None or not hasattr(history.operation, "_result"):
        return tensor.dtype
    return str(history.operation._result(np.zeros(0, tensor.dtype)).dtype)
