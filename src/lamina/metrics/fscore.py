"""F-scores: precision and recall in one number for each class, and their averages."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import config
from lamina.errors import ShapeError
from lamina.graph import express, functions
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand
from lamina.metrics.metric import Metric
from lamina.ops import dual
from lamina.variables import Variable

AVERAGES = (None, "micro", "macro", "weighted")
STATES = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


class FBetaScore(Metric):
    """(1 + β²) P·R / (β²P + R) of precision P and recall R of each class.

    Args:
        average: None for one score a class, ``"micro"`` (all classes counted together), ``"macro"`` (their mean) or
            ``"weighted"`` (their mean by the number of targets).
        beta: β: how many times as important recall is.
        threshold: predictions above it are positive; None takes the best class of a row.
        name: its name.
        dtype: see ``Metric``.

    Raises:
        ValueError: an average, β or threshold that is not one of these.
        ShapeError: targets or predictions are not (rows, classes).
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: str | None = None,
    ):
        if average not in AVERAGES:
            raise ValueError(f"`average` must be one of {AVERAGES}. Received: average={average!r}")
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"`beta` must be a float > 0. Received: beta={beta!r}")
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ValueError(f"`threshold` must be a float with 0 < threshold <= 1. Received: threshold={threshold!r}")
        super().__init__(dtype, name)
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._states: dict[str, Variable] = {}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add targets (0 or 1) and predictions (rows, classes) with weights (rows,)."""
        added = dual(self._added)(y_true, y_pred, sample_weight)
        if not self._states:
            self._states = {name: self.add_weight(x.shape, name=name) for name, x in zip(STATES, added, strict=True)}
        for variable, value in zip(self._states.values(), added, strict=True):
            variable.assign_add(value)

    def _added(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None) -> list[Node]:
        truth, y_pred = express.cast(y_true, self.dtype), express.cast(y_pred, self.dtype)
        if truth.ndim != 2 or y_pred.ndim != 2 or truth.shape[1:] != y_pred.shape[1:] or None in y_pred.shape[1:]:
            raise ShapeError(
                f"{type(self).__name__} expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                f"y_pred.shape={y_pred.shape} and y_true.shape={truth.shape}"
            )
        answer = express.cast(self._positive(y_pred), self.dtype)
        parts = [answer * truth, answer * (1.0 - truth), (1.0 - answer) * truth, truth]
        if sample_weight is not None:
            weight = as_node(express.cast(sample_weight, self.dtype))
            parts = [part * (express.expand_dims(weight, 1) if weight.ndim == 1 else weight) for part in parts]
        return [express.sum(part, None if self.average == "micro" else 0) for part in parts]

    def _positive(self, y_pred: Node) -> Node:
        if self.threshold is not None:
            return y_pred > self.threshold
        best = y_pred >= express.max(y_pred, -1, keepdims=True)
        return functions.logical_and(best, abs(y_pred) > 1e-9)  # a row of zeros has no best class

    def result(self) -> Any:
        """The score, or one for each class."""
        if not self._states:
            return np.zeros((), self.dtype)[()]
        tp, fp, fn, targets = (variable.value for variable in self._states.values())
        epsilon, squared = config.epsilon(), self.beta**2
        precision, recall = tp / (tp + fp + epsilon), tp / (tp + fn + epsilon)
        scores = (1 + squared) * (precision * recall / (squared * precision + recall + epsilon))
        if self.average == "weighted":
            return (scores * (targets / (targets.sum() + epsilon))).sum()
        return scores if self.average is None else scores.mean()


class F1Score(FBetaScore):
    """2 P·R / (P + R) of precision P and recall R of each class.

    Args:
        average: see ``FBetaScore``.
        threshold: predictions above it are positive; None takes the best class of a row.
        name: its name.
        dtype: see ``Metric``.

    Raises:
        ValueError: an average or threshold that is not one of these.
        ShapeError: targets or predictions are not (rows, classes).
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: str | None = None,
    ):
        super().__init__(average, 1.0, threshold, name, dtype)
