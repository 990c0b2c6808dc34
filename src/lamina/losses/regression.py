"""Losses of numbers: how far a prediction is from its target."""

from __future__ import annotations

from math import log

from lamina import config
from lamina.graph import express, functions
from lamina.graph.node import Node, Operand
from lamina.losses.loss import FunctionLoss
from lamina.losses.shapes import aligned, as_given
from lamina.ops import dual


@dual
def mean_squared_error(y_true: Operand, y_pred: Operand) -> Node:
    """mean (y − ŷ)² along the last axis."""
    y_true, y_pred = aligned(y_true, y_pred)
    return express.mean(functions.square(y_true - y_pred), -1)


@dual
def mean_absolute_error(y_true: Operand, y_pred: Operand) -> Node:
    """mean |y − ŷ| along the last axis."""
    y_true, y_pred = aligned(y_true, y_pred)
    return express.mean(abs(y_true - y_pred), -1)


@dual
def mean_absolute_percentage_error(y_true: Operand, y_pred: Operand) -> Node:
    """100 · mean |y − ŷ| / max(|y|, ε) along the last axis."""
    y_true, y_pred = aligned(y_true, y_pred)
    return 100.0 * express.mean(abs(y_true - y_pred) / express.maximum(abs(y_true), config.epsilon()), -1)


@dual
def mean_squared_logarithmic_error(y_true: Operand, y_pred: Operand) -> Node:
    """mean (log(1 + y) − log(1 + ŷ))² along the last axis; both are first raised to ε if they are less."""
    y_true, y_pred = aligned(y_true, y_pred)
    of_true, of_pred = (express.log(express.maximum(y, config.epsilon()) + 1.0) for y in (y_true, y_pred))
    return express.mean(functions.square(of_true - of_pred), -1)


@dual
def huber(y_true: Operand, y_pred: Operand, delta: float = 1.0) -> Node:
    """mean of ½e² where |e| ≤ δ, else δ|e| − ½δ², e = ŷ − y (Huber 1964)."""
    y_true, y_pred = aligned(y_true, y_pred)
    error = y_pred - y_true
    size = abs(error)
    parts = express.where(size <= delta, 0.5 * functions.square(error), delta * size - 0.5 * delta**2)
    return express.mean(parts, -1)


@dual
def log_cosh(y_true: Operand, y_pred: Operand) -> Node:
    """mean log cosh(ŷ − y) along the last axis, as e + log(1 + e⁻²ᵉ) − log 2, which does not overflow."""
    y_true, y_pred = aligned(y_true, y_pred)
    error = y_pred - y_true
    return express.mean(error + express.softplus(-2.0 * error) - log(2.0), -1)


@dual
def cosine_similarity(y_true: Operand, y_pred: Operand, axis: int = -1) -> Node:
    """−cos of the angle between target and prediction along an axis: −1 if they point the same way."""
    y_true, y_pred = aligned(y_true, y_pred)
    epsilon = config.epsilon()
    return -express.sum(functions.unit(y_true, axis, epsilon) * functions.unit(y_pred, axis, epsilon), axis)


@dual
def poisson(y_true: Operand, y_pred: Operand) -> Node:
    """mean ŷ − y · log(ŷ + ε) along the last axis: of counts, up to what does not depend on ŷ."""
    y_true, y_pred = as_given(y_true, y_pred)
    return express.mean(y_pred - y_true * express.log(y_pred + config.epsilon()), -1)


class MeanSquaredError(FunctionLoss):
    """mean (y − ŷ)².

    Args:
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(mean_squared_error)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_error",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)


class MeanAbsoluteError(FunctionLoss):
    """mean |y − ŷ|.

    Args:
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(mean_absolute_error)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)


class MeanAbsolutePercentageError(FunctionLoss):
    """100 · mean |y − ŷ| / |y|: relative errors, in percent.

    Args:
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(mean_absolute_percentage_error)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)


class MeanSquaredLogarithmicError(FunctionLoss):
    """mean (log(1 + y) − log(1 + ŷ))², for numbers that are not negative.

    Args:
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(mean_squared_logarithmic_error)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)


class Huber(FunctionLoss):
    """½e² for small errors, δ|e| − ½δ² for those beyond δ.

    Args:
        delta: where the parabola becomes a line.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(huber)

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.delta = delta


class LogCosh(FunctionLoss):
    """mean log cosh(ŷ − y): a parabola for small errors, lines for large ones.

    Args:
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(log_cosh)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "log_cosh",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)


class CosineSimilarity(FunctionLoss):
    """−cos of the angle between target and prediction.

    Args:
        axis: the axis along which they are vectors.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(cosine_similarity)

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.axis = axis


class Poisson(FunctionLoss):
    """mean ŷ − y · log ŷ, for counts.

    Args:
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(poisson)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "poisson",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
