"""InputSpec: which shapes a layer takes, and the error when it gets another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamina.errors import ShapeError
from lamina.graph.shapes import Shape


class InputSpec:
    """Conditions on the shape of one input of a layer.

    Args:
        dtype: element type that the layer expects; not checked, kept for Keras's signature.
        shape: the whole shape, None where any size will do.
        ndim, min_ndim, max_ndim: number of axes, exactly or within bounds.
        axes: size of single axes, ``{-1: 3}``.
        name: what the input is called in messages.

    Source: Keras's class of the same name.
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: Shape | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        name: str | None = None,
    ):
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if shape is None else len(shape)
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = dict(axes or {})
        self.name = name

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in vars(self).items() if value)
        return f"InputSpec({given})"


def check_inputs(specs: InputSpec | Sequence[InputSpec] | None, inputs: Sequence[Any], layer: str) -> None:
    """Raise a ShapeError that names the layer, what it got and what it expects, if an input does not fit its spec."""
    listed = [] if specs is None else [specs] if isinstance(specs, InputSpec) else list(specs)
    if listed and len(listed) != len(inputs):
        raise ShapeError(f"Layer {layer!r} expects {len(listed)} input(s), got {len(inputs)}")
    for index, (spec, x) in enumerate(zip(listed, inputs, strict=False)):
        problem = _problem(spec, tuple(x.shape))
        if problem:
            name = f" with name {spec.name!r}" if spec.name else ""
            error = ShapeError(f"Input {index}{name} of layer {layer!r} is incompatible with the layer: {problem}")
            error.placed = True  # it names the layer already
            raise error


def _problem(spec: InputSpec, shape: Shape) -> str | None:
    rank = len(shape)
    if spec.ndim is not None and rank != spec.ndim:
        return f"expected ndim={spec.ndim}, found ndim={rank}. Full shape received: {shape}"
    if spec.min_ndim is not None and rank < spec.min_ndim:
        return f"expected min_ndim={spec.min_ndim}, found ndim={rank}. Full shape received: {shape}"
    if spec.max_ndim is not None and rank > spec.max_ndim:
        return f"expected max_ndim={spec.max_ndim}, found ndim={rank}. Full shape received: {shape}"
    for axis, size in spec.axes.items():
        if size is not None and shape[axis] not in (size, None):
            return f"expected axis {axis} of input shape to have value {size}, but received input with shape {shape}"
    if spec.shape is not None and any(a != b for a, b in zip(spec.shape, shape, strict=True) if None not in (a, b)):
        return f"expected shape={spec.shape}, found shape={shape}"
    return None
