"""Arrays as data for models: classes as columns, vectors of length 1, sequences of one length, triples for fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.graph.node import Node
from lamina.layers.holding import unique
from lamina.layers.tensor import KerasTensor
from lamina.models.calls import call_of


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Class numbers as rows that are 1 in the class's column and 0 elsewhere.

    Args:
        x: class numbers (n,), (n, 1) or of any shape.
        num_classes: the number of columns; the greatest number and one by default.

    Returns:
        An array (n, num_classes).

    Raises:
        ValueError: a number that is no class.

    Example:
        >>> to_categorical([0, 2]).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if isinstance(x, Node | KerasTensor):
        return ops.one_hot(x, num_classes)
    classes = np.asarray(x).astype("int64")
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    count = num_classes or int(classes.max()) + 1
    if classes.size and not -count <= classes.min() <= classes.max() < count:
        at = np.argwhere((classes < -count) | (classes >= count))[0]
        raise ValueError(f"to_categorical: class {classes[tuple(at)]} at {at.tolist()} is not one of 0..{count - 1}")
    return np.eye(count)[classes]


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """x by its length along an axis; a vector of zeros stays one.

    Args:
        x: an array or a tensor.
        axis: along which.
        order: which norm.
    """
    if isinstance(x, Node | KerasTensor):
        return ops.normalize(x, axis, order)
    x = np.asarray(x)
    length = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(length == 0, 1, length)


def pad_sequences(
    sequences: Sequence[Any], maxlen: int | None = None, dtype: Any = "int32", padding: str = "pre",
    truncating: str = "pre", value: Any = 0.0,
) -> np.ndarray:  # fmt: skip
    """Sequences of several lengths in one array.

    Args:
        sequences: lists or arrays.
        maxlen: the length of all; the longest's by default.
        dtype: the result's element type.
        padding, truncating: whether short ones are filled, and long ones cut, at their begin (``"pre"``) or end
            (``"post"``).
        value: what they are filled with.

    Returns:
        An array (number of sequences, maxlen, …).

    Raises:
        ValueError: something is no sequence, or its elements have another shape.

    Example:
        >>> pad_sequences([[1], [2, 3]]).tolist()
        [[0, 1], [2, 3]]
    """
    for name, given in (("padding", padding), ("truncating", truncating)):
        if given not in ("pre", "post"):
            raise ValueError(f"{name.capitalize()} type {given!r} not understood: it is 'pre' or 'post'")
    arrays = [_row(i, s, dtype) for i, s in enumerate(sequences)]
    length = max(map(len, arrays), default=0) if maxlen is None else maxlen
    rest = next((a.shape[1:] for a in arrays if len(a)), ())
    made = np.full((len(arrays), length, *rest), value, dtype)
    for i, row in enumerate(arrays):
        kept = row[len(row) - length :] if truncating == "pre" and len(row) > length else row[:length]
        if len(kept) and kept.shape[1:] != rest:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence at position {i} is different from expected shape {rest}"
            )
        if len(kept):
            made[i, slice(-len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    return made


def _row(index: int, sequence: Any, dtype: Any) -> np.ndarray:
    if not hasattr(sequence, "__len__"):
        raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {sequence} at {index}")
    return np.asarray(sequence, dtype)


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """What ``fit`` takes as one batch: x, (x, y) or (x, y, sample_weight)."""
    if y is None:
        return (x,) if isinstance(x, list | tuple) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def get_source_inputs(tensor: Any) -> Any:
    """The Inputs that a KerasTensor is computed from."""
    if not isinstance(tensor, KerasTensor) or tensor._keras_history is None:
        return tensor
    above = call_of(tensor).inputs
    return unique(x for part in above for x in get_source_inputs(part)) if above else [tensor]
