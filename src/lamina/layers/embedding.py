"""Embedding: a vector for each of a number of categories."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import constraints, initializers, ops, regularizers
from lamina.layers.arguments import old_argument
from lamina.layers.arrays import LARGEST_WHOLE
from lamina.layers.dense import must_be_none, positive
from lamina.layers.layer import Layer


class Embedding(Layer):
    """Row ``i`` of a trained table for each index ``i``.

    Args:
        input_dim: how many categories; indices run from 0 to ``input_dim − 1``.
        output_dim: numbers a category.
        embeddings_initializer: where the table starts: uniform in ±0.05 by default.
        embeddings_regularizer, embeddings_constraint: penalty on the table, projection after each update.
        mask_zero: whether index 0 stands for nothing: the outputs get a mask that says so.
        weights: a first table (input_dim, output_dim), or a list that holds it.
        quantization_config: must be None.

    Shapes: (batch, …) of indices → (batch, …, output_dim).

    Example:
        >>> Embedding(10, 3)(np.array([[1, 2]])).shape
        (1, 2, 3)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        old_argument(kwargs, "input_length", "Just remove it.")
        super().__init__(**kwargs)
        self.input_dim = positive(self, "input_dim", input_dim)
        self.output_dim = positive(self, "output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.quantization_config = quantization_config
        must_be_none(self, "quantization_config")
        self.supports_masking = mask_zero
        if self.input_dim - 1 > LARGEST_WHOLE[self.dtype]:
            raise ValueError(
                f"Embedding {self.name!r}: {self.dtype} is exact only up to {LARGEST_WHOLE[self.dtype]}, "
                f"input_dim={input_dim} needs larger indices"
            )
        if weights is not None:
            self.build((None,))
            self.set_weights([np.asarray(weights)] if not isinstance(weights, list | tuple) else weights)

    def get_config(self) -> dict[str, Any]:
        """See ``Layer.get_config``; the first table is a weight, not a part of the config."""
        config = {"activity_regularizer": None} | super().get_config()
        return {k: v for k, v in config.items() if k != "weights"}

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the table (input_dim, output_dim)."""
        if self.built:
            return
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim), self.embeddings_initializer, name="embeddings",
            regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint,
        )  # fmt: skip
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where the index is not 0, if 0 stands for nothing."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def call(self, inputs: Any) -> Any:
        """table[i]."""
        return ops.take(self.embeddings, ops.cast(inputs, "int32"), axis=0)
