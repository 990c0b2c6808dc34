"""What a FeatureSpace is made of: features, crosses, and what is known of their preprocessors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.layers.discretization import Discretization
from lamina.layers.encoding import checked_mode
from lamina.layers.index_lookup import IndexLookup
from lamina.layers.layer import Layer
from lamina.signatures import Configured


class Cross(Configured):
    """Features that count together.

    Args:
        feature_names: which.
        crossing_dim: in how many bins.
        output_mode: ``"one_hot"`` or ``"int"``.
    """

    def __init__(self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"):
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = checked_mode("a cross", output_mode, ("int", "one_hot"))

    @property
    def name(self) -> str:
        """What it is called among the features."""
        return "_X_".join(self.feature_names)


class Feature(Configured):
    """How one column becomes a feature.

    Args:
        dtype: element type of the column: ``"float32"``, ``"int32"`` or ``"string"``.
        preprocessor: the layer that it goes through.
        output_mode: ``"float"``, ``"int"``, or ``"one_hot"`` for whole numbers of a known range.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str):
        self.dtype = dtype
        self.preprocessor = preprocessor
        self.output_mode = checked_mode("a feature", output_mode, ("int", "one_hot", "float"))


class TFDIdentity(Layer):
    """A feature that stays as it is; its name is the one in Keras's files."""

    def call(self, x: Any) -> Any:
        """x."""
        return x


class TFDConcat(Layer):
    """The features side by side; its name is the one in Keras's files.

    Args:
        axis: along which axis.
    """

    def __init__(self, axis: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, xs: Any) -> Any:
        """[a, b, …]."""
        return ops.concatenate(list(xs), self.axis)


def learns(layer: Any) -> bool:
    """Whether a preprocessor learns from data, and was not given what it would learn."""
    return hasattr(layer, "adapt") and not getattr(layer, "is_given", False)


def cardinality(layer: Any) -> int | None:
    """How many different numbers a preprocessor puts out."""
    if isinstance(layer, IndexLookup):
        return layer.vocabulary_size()
    if isinstance(layer, Discretization) and layer.num_bins is None:
        return len(layer.bin_boundaries or ()) + 1
    return getattr(layer, "num_tokens", None) or getattr(layer, "num_bins", None)
