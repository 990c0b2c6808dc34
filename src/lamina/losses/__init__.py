"""Losses: how far predictions are from targets. One function for each equation, one class for its options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina import naming
from lamina.errors import refusal
from lamina.losses.crossentropy import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    kl_divergence,
    sparse_categorical_crossentropy,
)  # fmt: skip
from lamina.losses.loss import Loss, LossFunctionWrapper
from lamina.losses.margin import CategoricalHinge, Hinge, SquaredHinge, categorical_hinge, hinge, squared_hinge
from lamina.losses.overlap import Dice, Tversky, dice, tversky
from lamina.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)  # fmt: skip
from lamina.losses.similarity import Circle, circle
from lamina.records import serialize_keras_object

FUNCTIONS = {
    f.__name__: f
    for f in (
        mean_squared_error, mean_absolute_error, mean_absolute_percentage_error, mean_squared_logarithmic_error,
        huber, log_cosh, cosine_similarity, poisson, binary_crossentropy, categorical_crossentropy,
        sparse_categorical_crossentropy, binary_focal_crossentropy, categorical_focal_crossentropy,
        categorical_generalized_cross_entropy, kl_divergence, hinge, squared_hinge, categorical_hinge, dice, tversky,
        circle,
    )
}  # fmt: skip
CLASSES = {
    c.__name__: c
    for c in (
        MeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredLogarithmicError, Huber, LogCosh,
        CosineSimilarity, Poisson, BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy,
        BinaryFocalCrossentropy, CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy, KLDivergence,
        Hinge, SquaredHinge, CategoricalHinge, Dice, Tversky, Circle,
    )
}  # fmt: skip
ALIASES = {
    short: function
    for name, function in {
        "mse": mean_squared_error, "mae": mean_absolute_error, "mape": mean_absolute_percentage_error,
        "msle": mean_squared_logarithmic_error, "bce": binary_crossentropy, "kld": kl_divergence,
    }.items()
    for short in (name, name.upper())
}  # fmt: skip
BASES = {"Loss": Loss, "LossFunctionWrapper": LossFunctionWrapper}
TABLE: dict[str, Callable[..., Any]] = {**FUNCTIONS, **CLASSES, **BASES, **ALIASES}
ABSENT = dict.fromkeys(("CTC", "ctc"), "it aligns sequences of labels, as in speech, not rows of a table")

serialize = serialize_keras_object
deserialize = naming.reader("loss", TABLE)
__getattr__ = refusal(__name__, ABSENT)


def get(identifier: Any) -> Callable[..., Any] | None:
    """A loss from a name, a config, a class or a function: snake-case names are functions, class names instances.

    Raises:
        ValueError: there is no such loss.

    Example:
        >>> get("mse") is mean_squared_error
        True
    """
    return naming.lookup("loss", TABLE, identifier, ABSENT)


__all__ = [
    "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy", "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy", "CategoricalHinge", "Circle", "CosineSimilarity", "Dice", "Hinge",
    "Huber", "KLDivergence", "LogCosh", "Loss", "LossFunctionWrapper", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
    "SparseCategoricalCrossentropy", "SquaredHinge", "Tversky", "binary_crossentropy", "binary_focal_crossentropy",
    "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_generalized_cross_entropy",
    "categorical_hinge", "circle", "cosine_similarity", "deserialize", "dice", "get", "hinge", "huber",
    "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "serialize", "sparse_categorical_crossentropy", "squared_hinge",
    "tversky",
]  # fmt: skip
