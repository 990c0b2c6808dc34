"""Losses of scores: hinges, which ask for a margin between right and wrong."""

from __future__ import annotations

from lamina.graph import express, functions
from lamina.graph.node import Node, Operand
from lamina.losses.loss import FunctionLoss
from lamina.losses.shapes import aligned, as_given
from lamina.ops import dual


def signs(labels: Node) -> Node:
    """Labels 0 and 1 as −1 and 1, if all of the batch are 0 or 1; others stay."""
    binary = functions.all(functions.logical_or(express.equal(labels, 0.0), express.equal(labels, 1.0)))
    return express.where(binary, 2.0 * labels - 1.0, labels)


@dual
def hinge(y_true: Operand, y_pred: Operand) -> Node:
    """mean max(1 − y·ŷ, 0) along the last axis, for labels −1 and 1 (or 0 and 1)."""
    y_true, y_pred = as_given(y_true, y_pred)
    return express.mean(express.maximum(1.0 - signs(y_true) * y_pred, 0.0), -1)


@dual
def squared_hinge(y_true: Operand, y_pred: Operand) -> Node:
    """mean max(1 − y·ŷ, 0)² along the last axis, for labels −1 and 1 (or 0 and 1)."""
    y_true, y_pred = aligned(y_true, y_pred)
    return express.mean(functions.square(express.maximum(1.0 - signs(y_true) * y_pred, 0.0)), -1)


@dual
def categorical_hinge(y_true: Operand, y_pred: Operand) -> Node:
    """max(1 + the best score of a wrong class − the right one's, 0), for one-hot targets."""
    y_true, y_pred = as_given(y_true, y_pred)
    right, wrong = express.sum(y_true * y_pred, -1), express.max((1.0 - y_true) * y_pred, -1)
    return express.maximum(wrong - right + 1.0, 0.0)


class Hinge(FunctionLoss):
    """mean max(1 − y·ŷ, 0), for labels −1 and 1, or 0 and 1.

    Args:
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(hinge)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "hinge",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)


class SquaredHinge(FunctionLoss):
    """mean max(1 − y·ŷ, 0)², for labels −1 and 1, or 0 and 1.

    Args:
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(squared_hinge)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "squared_hinge",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)


class CategoricalHinge(FunctionLoss):
    """max(1 + the best score of a wrong class − the right one's, 0), for one-hot targets.

    Args:
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(categorical_hinge)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_hinge",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
