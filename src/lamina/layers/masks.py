"""Masks: which places of an array count. They travel beside arrays, from layer to layer, as in Keras.

A node has its mask in the trace; a KerasTensor and an array that a layer gave have it as ``_keras_mask``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.graph.node import Node
from lamina.layers.tensor import KerasTensor
from lamina.trace import mask_of, set_mask
from lamina.tree import flatten, map_leaves

if TYPE_CHECKING:
    from lamina.layers.layer import Layer


class Masked(np.ndarray):
    """What a layer called on numbers puts out where it has a mask; an array computed from it has none."""

    _keras_mask: Any = None


def with_mask(array: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """The same numbers, with a mask if there is one."""
    if mask is None:
        return array
    masked = array.view(Masked)
    masked._keras_mask = mask
    return masked


def for_call(parameters: Mapping[str, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The masks for a layer whose ``call`` takes them: ``mask`` of its only input, ``x_mask`` of several by name."""
    given = {**dict(zip(parameters, args, strict=False)), **kwargs}
    arrays = {name: x for name, x in given.items() if _is_array(x)}
    wanted = {"mask" if len(arrays) == 1 else f"{name}_mask": x for name, x in arrays.items()}
    free = {name: x for name, x in wanted.items() if name in parameters and given.get(name) is None}
    return {name: map_leaves(mask_of, x) for name, x in free.items()}


def _is_array(x: Any) -> bool:
    leaves = flatten(x)
    return bool(leaves) and all(isinstance(part, Node | KerasTensor) for part in leaves)


def of_inputs(first: Any, kwargs: Mapping[str, Any]) -> Any:
    """The masks of what a layer is called on: the ``mask`` that it is given, else those of its first argument."""
    return map_leaves(mask_of, first) if kwargs.get("mask") is None else kwargs["mask"]


def pass_on(layer: Layer, first: Any, masks: Any, outputs: Any) -> None:
    """Give the outputs the masks that the layer makes of those of its inputs."""
    arrays = [x for x in flatten(outputs) if isinstance(x, Node | KerasTensor)]
    if all(mask_of(x) is not None for x in arrays):
        return  # its `call` has done it, or a layer inside
    for x, mask in zip(arrays, flatten(layer.compute_mask(first, masks)), strict=False):
        if mask is not None and mask_of(x) is None:
            set_mask(x, mask)


def warn_of_loss(layer: Layer, masks: Any) -> None:
    """Say that masks end at a layer, as Keras does."""
    if any(mask is not None for mask in flatten(masks)):
        warnings.warn(
            f"Layer '{layer.name}' (of type {type(layer).__name__}) was passed an input with a mask attached to it. "
            "However, this layer does not support masking and will therefore destroy the mask information. Downstream "
            "layers will not see the mask.",
            stacklevel=2,
        )


def give(arrays: Iterable[Any], masks: Iterable[Any]) -> None:
    """Set masks where there are any."""
    for x, mask in zip(arrays, masks, strict=True):
        if mask is not None:
            set_mask(x, mask)


def carried(old: Any, new: Any) -> Any:
    """``new``, which is ``old`` in another type or shape of the same places, with the mask of ``old``."""
    if new is not old and mask_of(old) is not None:
        set_mask(new, mask_of(old))
    return new


def bare(x: Any) -> Any:
    """The same numbers as an array of their own, without a mask: an operation may have given its input back."""
    return Node(x.op, x.inputs, x.attrs, x.shape, x.dtype, x.label) if mask_of(x) is not None else x
