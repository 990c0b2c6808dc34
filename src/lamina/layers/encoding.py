"""Indices as rows of zeros and ones: one hot, several hot, or counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import ops
from lamina.layers.arguments import dtype_record
from lamina.layers.arrays import LARGEST_WHOLE
from lamina.layers.layer import Layer
from lamina.tree import flatten

MODES = ("int", "one_hot", "multi_hot", "count")
MOST = LARGEST_WHOLE["float32"]  # columns


def encode(indices: Any, mode: str, depth: int, dtype: str, count_weights: Any = None) -> Any:
    """Indices (rows, …) → an encoding of ``depth`` columns; an index outside it leaves no mark, as in Keras.

    Args:
        indices: whole numbers; floats lose what stands after the point.
        mode: ``"int"`` gives them back; ``"one_hot"`` a row for each index, where a last axis of size 1 goes;
            ``"multi_hot"`` and ``"count"`` a row for all indices along axis 1 (of a vector: all of it).
        depth: the number of columns.
        dtype: the float type of the encoding.
        count_weights: what each index counts, 1 by default.
    """
    indices = ops.cast(indices, "int32")
    if mode == "int":
        return indices
    if depth > MOST:
        raise ValueError(f"an encoding of {depth} columns is too wide: at most {MOST}; use output_mode='int'")
    rank = len(indices.shape)
    if rank == 0:
        indices, rank = ops.reshape(indices, (1,)), 1
    alone = rank > 1 and indices.shape[-1] == 1
    if alone and count_weights is None and (mode == "one_hot" or rank == 2):
        return ops.one_hot(ops.squeeze(indices, -1), depth, dtype=dtype)
    hot = ops.one_hot(indices, depth, dtype=dtype)
    if mode == "one_hot":
        return hot
    if count_weights is not None:
        hot = hot * ops.expand_dims(ops.cast(count_weights, dtype), -1)
    return (ops.max if mode == "multi_hot" else ops.sum)(hot, axis=min(rank - 1, 1))


def checked_mode(layer: str, mode: str, allowed: tuple[str, ...]) -> str:
    """The output mode, if the class has it; Keras's old names are taken.

    Raises:
        ValueError: another one.
    """
    mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(mode, mode)
    if mode not in allowed:
        listed = ", ".join(map(repr, allowed))
        raise ValueError(
            f"Unknown arg for output_mode: {mode!r}. {layer} takes one of {listed}. Received: output_mode={mode!r}"
        )
    return mode


def refuse_sparse(layer: str, sparse: bool, mode: str) -> None:
    """Lamina computes with dense arrays alone."""
    if sparse and mode == "int":
        raise ValueError(
            f"`sparse=True` may only be used if `output_mode` is not 'int'. Received: sparse={sparse} and "
            f"output_mode={mode!r}"
        )
    if sparse:
        raise ValueError(f"{layer}: sparse=True is not supported: Lamina's arrays are dense; leave it out")


def array_of(x: Any) -> Any:
    """A Python value, or lists of them, as an array, as preprocessing layers take them; anything else as it is."""
    arrays = any(hasattr(part, "shape") and not isinstance(part, np.generic) for part in flatten(x))
    return np.asarray(x) if isinstance(x, list | tuple | str | int | float) and not arrays else x


class CategoryEncoding(Layer):
    """Class numbers as rows of zeros and ones.

    Args:
        num_tokens: how many classes; a number outside 0 … ``num_tokens − 1`` leaves a row of zeros.
        output_mode: ``"multi_hot"`` (a row for all numbers of an example), ``"one_hot"`` (a row for each number) or
            ``"count"`` (how often each occurs).
        sparse: must be False.

    Shapes: (batch, k) → (batch, num_tokens); of ``"one_hot"`` (batch, k, num_tokens), without the k where it is 1.

    Example:
        >>> CategoryEncoding(4, "count")(np.array([[0, 2, 2]]))
        array([[1., 0., 2., 0.]], dtype=float32)
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.output_mode = checked_mode(f"CategoryEncoding {self.name!r}", output_mode, MODES[1:])
        if num_tokens is None:
            raise ValueError(
                "num_tokens must be set to use this layer. If the number of tokens is not known beforehand, use the "
                "IntegerLookup layer instead."
            )
        if num_tokens < 1:
            raise ValueError(f"`num_tokens` must be >= 1. Received: num_tokens={num_tokens}.")
        refuse_sparse(f"CategoryEncoding {self.name!r}", sparse, self.output_mode)
        self.num_tokens = num_tokens
        self.sparse = sparse

    def __call__(self, inputs: Any, count_weights: Any = None, **kwargs: Any) -> Any:
        """See ``Layer.__call__``; lists of Python numbers are taken, too."""
        given = {} if count_weights is None else {"count_weights": array_of(count_weights)}
        return super().__call__(array_of(inputs), **given, **kwargs)

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """Ones where the numbers are; ``count_weights``, of the inputs' shape, says what each counts."""
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                "`count_weights` is not used when `output_mode` is not `'count'`. "
                f"Received `count_weights={count_weights}`."
            )
        return encode(inputs, self.output_mode, self.num_tokens, self.dtype, count_weights)

    def get_config(self) -> dict[str, Any]:
        """See ``Layer.get_config``; like Keras's it does not name ``sparse``."""
        return {
            "name": self.name, "trainable": self.trainable, "dtype": dtype_record(self.dtype),
            "num_tokens": self.num_tokens, "output_mode": self.output_mode,
        }  # fmt: skip
