"""Layers that make one array of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from string import ascii_uppercase
from typing import Any

from lamina import ops
from lamina.errors import ShapeError
from lamina.graph.shapes import normal_axis
from lamina.layers.layer import Layer
from lamina.trace import mask_of


class Merge(Layer):
    """Base of the layers that take a list of arrays; a subclass writes ``_pair(a, b)``."""

    def build(self, input_shape: Any) -> None:
        """Check that there is a list of inputs, of the same rows."""
        _check_list(self, input_shape)
        rows = {shape[0] for shape in input_shape if shape and shape[0] is not None}
        if len(rows) > 1:
            raise ShapeError(
                f"Cannot merge tensors with different batch sizes. Layer {self.name!r} received: "
                f"input_shape={list(input_shape)}"
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where any input counts, if all of them have a mask."""
        return None if any(m is None for m in mask or [None]) else reduce(ops.logical_or, mask)

    def call(self, inputs: Any) -> Any:
        """The inputs combined, one after the other, element by element; missing axes (of size 1) follow the batch."""
        rank = max(len(x.shape) for x in inputs)
        wide = [ops.reshape(x, (x.shape[0], *(1,) * (rank - len(x.shape)), *x.shape[1:])) for x in inputs]
        return reduce(self._pair, wide)

    def _pair(self, a: Any, b: Any) -> Any:
        raise TypeError(f"{type(self).__name__} must define _pair(a, b)")


class Add(Merge):
    """The sum of the inputs.

    Example:
        >>> import numpy as np
        >>> Add()([np.ones((1, 2)), np.ones((1, 2))])
        array([[2., 2.]], dtype=float32)
    """

    def _pair(self, a: Any, b: Any) -> Any:
        return a + b


class Subtract(Merge):
    """The first input minus the second."""

    def build(self, input_shape: Any) -> None:
        """Check that there are two inputs."""
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ShapeError(
                f"A `Subtract` layer should be called on exactly 2 inputs. Layer {self.name!r} received: "
                f"input_shape={list(input_shape)}"
            )

    def _pair(self, a: Any, b: Any) -> Any:
        return a - b


class Multiply(Merge):
    """The product of the inputs, element by element."""

    def _pair(self, a: Any, b: Any) -> Any:
        return a * b


class Average(Merge):
    """The mean of the inputs, element by element."""

    def call(self, inputs: Any) -> Any:
        """The sum of the inputs by their number."""
        return super().call(inputs) / len(inputs)

    def _pair(self, a: Any, b: Any) -> Any:
        return a + b


class Extreme(Merge):
    """Base of maximum and minimum, in which places that do not count have no say."""

    def call(self, inputs: Any) -> Any:
        """The inputs combined; where one does not count, the others alone."""
        found = [mask_of(x) for x in inputs]
        if all(mask is None for mask in found) or len({len(x.shape) for x in inputs}) > 1:
            return super().call(inputs)
        (output, known), *rest = zip(inputs, map(_wide, inputs, found), strict=True)
        for x, mask in rest:
            x = ops.where(mask, x, output)
            output = self._pair(ops.where(known, output, x), x)
            known = ops.logical_or(known, mask)
        return output


class Maximum(Extreme):
    """The largest of the inputs, element by element."""

    def _pair(self, a: Any, b: Any) -> Any:
        return ops.maximum(a, b)


class Minimum(Extreme):
    """The smallest of the inputs, element by element."""

    def _pair(self, a: Any, b: Any) -> Any:
        return ops.minimum(a, b)


class Concatenate(Layer):
    """The inputs joined along an axis.

    Args:
        axis: which; the batch axis is 0 and cannot be it.
    """

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        """Check that all axes but one agree."""
        _check_list(self, input_shape)
        rest = {tuple(s for i, s in enumerate(shape) if i != self.axis % len(shape)) for shape in input_shape}
        if len(rest) > 1:
            raise ShapeError(
                "A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. "
                f"Layer {self.name!r} (axis={self.axis}) received: input_shape={list(input_shape)}"
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where any feature of the joined arrays counts; an input without a mask counts everywhere."""
        if all(m is None for m in mask or [None]):
            return None
        return ops.any(ops.concatenate([_wide(x, m) for x, m in zip(inputs, mask, strict=True)], self.axis), axis=-1)

    def call(self, inputs: Any) -> Any:
        """[a, b, …]."""
        return ops.concatenate(list(inputs), self.axis)


class Dot(Merge):
    """The sum of products of two inputs along an axis of each, row by row of the batch.

    Args:
        axes: the axis of both inputs, or one for each; the batch axis is 0 and cannot be it.
        normalize: whether both are first brought to length 1 along their axis, so that the products are cosines.

    Shapes: the first input's without its axis, then the second's without its axis and the batch; at least (batch, 1).

    Example:
        >>> import numpy as np
        >>> Dot(axes=1)([np.ones((2, 3), "float32"), np.ones((2, 3), "float32")])
        array([[3.],
               [3.]], dtype=float32)
    """

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(axes, int | list | tuple):
            raise TypeError(
                f"Invalid type for argument `axes`: it should be a list or an int. Received: axes={axes}"
            )
        if not isinstance(axes, int) and (len(axes) != 2 or not all(isinstance(a, int) for a in axes)):
            raise ValueError(
                f"Invalid format for argument `axes`: it should contain two integers. Received: axes={axes}"
            )
        self.axes = axes
        self.normalize = normalize

    def build(self, input_shape: Any) -> None:
        """Check that there are two inputs, whose axes have the same size."""
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ShapeError(
                f"A `Dot` layer should be called on a list of 2 inputs. Layer {self.name!r} received: "
                f"input_shape={list(input_shape)}"
            )
        a, b = input_shape
        i, j = self._places(len(a), len(b))
        if a[i] != b[j]:
            raise ShapeError(
                f"Incompatible input shapes: axis values {a[i]} (at axis {i}) != {b[j]} (at axis {j}). Layer "
                f"{self.name!r} received: {a}, {b}"
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: every row counts."""
        return None

    def _places(self, *ranks: int) -> list[int]:
        """The axis of each input, from the front."""
        given = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        places = [normal_axis(axis, rank) for axis, rank in zip(given, ranks, strict=True)]
        if 0 in places:
            raise ShapeError(f"layer {self.name!r}: axes={self.axes} names the batch axis, which has no product")
        return places

    def call(self, inputs: Any) -> Any:
        """Σ aᵢ bᵢ."""
        a, b = inputs
        i, j = self._places(len(a.shape), len(b.shape))
        if self.normalize:
            a, b = ops.normalize(a, i), ops.normalize(b, j)
        of_a = list("b" + ascii_uppercase[: len(a.shape) - 1])
        of_b = list("b" + ascii_uppercase[::-1][: len(b.shape) - 1])
        of_a[i] = of_b[j] = "k"
        result = "".join(x for x in of_a + of_b[1:] if x != "k")
        z = ops.einsum(f"{''.join(of_a)},{''.join(of_b)}->{result}", a, b)
        return z if len(result) > 1 else ops.expand_dims(z, -1)


def _wide(x: Any, mask: Any) -> Any:
    """A mask of the shape of x."""
    if mask is None:
        return ops.ones_like(x, dtype="bool")
    if len(mask.shape) == len(x.shape):
        return mask
    return ops.logical_or(ops.expand_dims(mask, -1), ops.zeros_like(x, dtype="bool"))


def _function_of(layer: type[Layer]) -> Callable[..., Any]:
    """The function of a layer's name: of the inputs, and of the layer's arguments by name."""

    def merged(inputs: Any, **kwargs: Any) -> Any:
        return layer(**kwargs)(inputs)

    merged.__name__ = merged.__qualname__ = layer.__name__.lower()
    merged.__doc__ = f"``{layer.__name__}(**kwargs)(inputs)``."
    return merged


add, subtract, multiply, average, maximum, minimum = map(
    _function_of, (Add, Subtract, Multiply, Average, Maximum, Minimum)
)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """``Concatenate(axis, **kwargs)(inputs)``."""
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs: Any, axes: int | Sequence[int] = -1, **kwargs: Any) -> Any:
    """``Dot(axes, **kwargs)(inputs)``."""
    return Dot(axes, **kwargs)(inputs)


def _check_list(layer: Layer, shapes: Any) -> None:
    if not isinstance(shapes, list | tuple) or (shapes and not isinstance(shapes[0], list | tuple)):
        raise ShapeError(f"layer {layer.name!r} must be called on a list of inputs, got one of shape {shapes}")
    if not shapes:
        raise ShapeError(f"layer {layer.name!r} must be called on a list of at least 1 input, got none")
