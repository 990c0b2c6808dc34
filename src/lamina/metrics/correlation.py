"""Correlations of targets and predictions along an axis, averaged over all others."""

from __future__ import annotations

from lamina import config
from lamina.graph import express, functions
from lamina.graph.express import Axes
from lamina.graph.node import Node, Operand
from lamina.losses.shapes import aligned
from lamina.metrics.means import MeanMetricWrapper
from lamina.ops import dual


def _centered(x: Node, axis: Axes) -> Node:
    return x - express.mean(x, axis, keepdims=True)


@dual
def pearson_correlation(y_true: Operand, y_pred: Operand, axis: Axes = -1) -> Node:
    """Cov(y, ŷ) / √(Var y · Var ŷ) along an axis, nan where one of them does not vary (Pearson 1895)."""
    y, p = (_centered(x, axis) for x in aligned(y_true, y_pred))
    scaled = [x / functions.std(x, axis, keepdims=True) for x in (y, p)]
    return express.mean(scaled[0] * scaled[1], axis)


@dual
def concordance_correlation(y_true: Operand, y_pred: Operand, axis: Axes = -1) -> Node:
    """2 Cov(y, ŷ) / (Var y + Var ŷ + (mean y − mean ŷ)² + ε) along an axis: 1 on the line ŷ = y alone (Lin 1989)."""
    y, p = aligned(y_true, y_pred)
    gap = express.mean(y, axis, keepdims=True) - express.mean(p, axis, keepdims=True)
    spread = functions.var(y, axis, keepdims=True) + functions.var(p, axis, keepdims=True) + functions.square(gap)
    return express.mean(2.0 * _centered(y, axis) * _centered(p, axis) / (spread + config.epsilon()), axis)


class PearsonCorrelation(MeanMetricWrapper):
    """The mean correlation of targets and predictions along an axis.

    With the default axis each row is correlated for itself, and one column has no correlation (nan). ``axis=0``
    correlates the rows of a batch; the result is then the mean over batches, not the correlation of all rows.

    Args:
        name: its name.
        dtype: see ``Metric``.
        axis: the axis or axes to correlate along.
    """

    _direction = "up"

    def __init__(self, name: str = "pearson_correlation", dtype: str | None = None, axis: Axes = -1):
        self.axis = axis
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean concordance of targets and predictions along an axis: correlation less what scale and place differ.

    Args:
        name: its name.
        dtype: see ``Metric``.
        axis: see ``PearsonCorrelation``.
    """

    _direction = "up"

    def __init__(self, name: str = "concordance_correlation", dtype: str | None = None, axis: Axes = -1):
        self.axis = axis
        super().__init__(concordance_correlation, name, dtype, axis=axis)
