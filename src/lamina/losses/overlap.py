"""Losses of sets: how little prediction and target overlap."""

from __future__ import annotations

from collections.abc import Sequence

from lamina import config
from lamina.graph import express
from lamina.graph.express import Axes
from lamina.graph.node import Node, Operand
from lamina.losses.loss import FunctionLoss
from lamina.losses.shapes import as_given
from lamina.ops import dual


@dual
def dice(y_true: Operand, y_pred: Operand, axis: Axes = None) -> Node:
    """1 − 2 Σ y·ŷ / (Σ y + Σ ŷ + ε), over some axes, by default all, the batch among them (Dice 1945)."""
    y_true, y_pred = as_given(y_true, y_pred)
    both, all_ = express.sum(y_true * y_pred, axis), express.sum(y_true, axis) + express.sum(y_pred, axis)
    return 1.0 - 2.0 * both / (all_ + config.epsilon())


@dual
def tversky(y_true: Operand, y_pred: Operand, alpha: float = 0.5, beta: float = 0.5, axis: Axes = None) -> Node:
    """1 − I / (I + α Σ y(1 − ŷ) + β Σ (1 − y)ŷ + ε), I = Σ y·ŷ, over some axes, by default all (Tversky 1977)."""
    y_true, y_pred = as_given(y_true, y_pred)
    both = express.sum(y_true * y_pred, axis)
    missed, wrong = express.sum(y_true * (1.0 - y_pred), axis), express.sum((1.0 - y_true) * y_pred, axis)
    return 1.0 - both / (both + alpha * missed + beta * wrong + config.epsilon())


class Dice(FunctionLoss):
    """1 − 2 Σ y·ŷ / (Σ y + Σ ŷ): one number for a batch unless axes are named.

    Args:
        axis: the axes of one set; all by default.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(dice)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "dice",
        axis: int | Sequence[int] | None = None,
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.axis = axis


class Tversky(FunctionLoss):
    """1 − I / (I + α · missed + β · wrong), I = Σ y·ŷ; with α = β = ½ it is Dice's.

    Args:
        alpha: α, of what the prediction misses.
        beta: β, of what it has too much.
        axis: the axes of one set; all by default.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(tversky)

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "tversky",
        axis: int | Sequence[int] | None = None,
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis
