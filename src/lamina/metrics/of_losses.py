"""Metrics that are a loss, averaged over everything seen."""

from __future__ import annotations

from lamina import losses
from lamina.graph.node import Node, Operand
from lamina.metrics.means import MeanMetricWrapper


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """100 · mean |y − ŷ| / |y|, in percent.

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: str | None = None):
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """mean (log(1 + y) − log(1 + ŷ))².

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: str | None = None):
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """mean log cosh(ŷ − y).

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    def __init__(self, name: str = "logcosh", dtype: str | None = None):
        super().__init__(losses.log_cosh, name, dtype)


class Poisson(MeanMetricWrapper):
    """mean ŷ − y · log ŷ.

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    def __init__(self, name: str = "poisson", dtype: str | None = None):
        super().__init__(losses.poisson, name, dtype)


class KLDivergence(MeanMetricWrapper):
    """Σ y log(y / ŷ).

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    def __init__(self, name: str = "kl_divergence", dtype: str | None = None):
        super().__init__(losses.kl_divergence, name, dtype)


class Hinge(MeanMetricWrapper):
    """mean max(1 − y·ŷ, 0).

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    def __init__(self, name: str = "hinge", dtype: str | None = None):
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """mean max(1 − y·ŷ, 0)².

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    def __init__(self, name: str = "squared_hinge", dtype: str | None = None):
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """max(1 + the best score of a wrong class − the right one's, 0).

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    def __init__(self, name: str = "categorical_hinge", dtype: str | None = None):
        super().__init__(losses.categorical_hinge, name, dtype)


def cosine_similarity(y_true: Operand, y_pred: Operand, axis: int = -1) -> Node:
    """cos of the angle between target and prediction: the loss of that name with the other sign."""
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(MeanMetricWrapper):
    """mean cos of the angle between target and prediction.

    Args:
        name: its name.
        dtype: see ``Metric``.
        axis: the axis along which they are vectors.
    """

    _direction = "up"

    def __init__(self, name: str = "cosine_similarity", dtype: str | None = None, axis: int = -1):
        self.axis = axis
        super().__init__(cosine_similarity, name, dtype, axis=axis)
