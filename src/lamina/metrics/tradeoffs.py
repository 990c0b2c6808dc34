"""Metrics of two shares of the confusion matrix: the best of one where the other is good enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.graph import express
from lamina.graph.node import Node, Operand
from lamina.metrics.confusion import exceeded, one_class, prepared
from lamina.metrics.histogram import Counts, Histogram
from lamina.metrics.metric import ratio

# name → the share at each threshold
SHARES: dict[str, Callable[[Counts], np.ndarray]] = {
    "sensitivity": lambda c: ratio(c["tp"], c["tp"] + c["fn"]),
    "specificity": lambda c: ratio(c["tn"], c["tn"] + c["fp"]),
    "precision": lambda c: ratio(c["tp"], c["tp"] + c["fp"]),
    "recall": lambda c: ratio(c["tp"], c["tp"] + c["fn"]),
}


class _BestAt(Histogram):
    """The greatest of one share over the thresholds at which another is at least a given value; 0 if there is none."""

    best: str
    given: str

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: str | None):
        if not 0 <= value <= 1:
            raise ValueError(f"Argument `{self.given}` must be in the range [0, 1]. Received: {self.given}={value}")
        if num_thresholds <= 0:
            raise ValueError(f"Argument `num_thresholds` must be an integer > 0. Received: {num_thresholds}")
        super().__init__(dtype, name)
        self.value = value
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        self.thresholds = [0.5] if num_thresholds == 1 else np.linspace(0.0, 1.0, num_thresholds).tolist()
        self._build()

    def _added(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None) -> tuple[Node, Node]:
        given = prepared(y_true, y_pred, sample_weight, self.dtype)
        positive, y_pred, weight = given if self.class_id is None else (one_class(x, self.class_id) for x in given)
        above = y_pred > 0.5 if self.num_thresholds == 1 else exceeded(y_pred, self.num_thresholds)
        return self._scattered(express.cast(above, "int32"), positive, weight)

    def result(self) -> Any:
        """The greatest share."""
        counts = self.counts()
        allowed = SHARES[self.given](counts) >= self.value
        return np.where(allowed, SHARES[self.best](counts), 0).max(initial=0)


class SensitivityAtSpecificity(_BestAt):
    """The best sensitivity TP / (TP + FN) among thresholds where specificity TN / (TN + FP) is at least a value.

    Args:
        specificity: the value, between 0 and 1.
        num_thresholds: how many thresholds between 0 and 1.
        class_id: only this class's column counts.
        name: its name.
        dtype: see ``Metric``.

    Raises:
        ValueError: a value outside [0, 1] or no thresholds.
    """

    best, given = "sensitivity", "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        self.specificity = specificity
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_BestAt):
    """The best specificity TN / (TN + FP) among thresholds where sensitivity TP / (TP + FN) is at least a value.

    Args:
        sensitivity: the value, between 0 and 1.
        num_thresholds, class_id, name, dtype: see ``SensitivityAtSpecificity``, as for errors.
    """

    best, given = "specificity", "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        self.sensitivity = sensitivity
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_BestAt):
    """The best precision TP / (TP + FP) among thresholds where recall TP / (TP + FN) is at least a value.

    Args:
        recall: the value, between 0 and 1.
        num_thresholds, class_id, name, dtype: see ``SensitivityAtSpecificity``, as for errors.
    """

    best, given = "precision", "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        self.recall = recall
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_BestAt):
    """The best recall TP / (TP + FN) among thresholds where precision TP / (TP + FP) is at least a value.

    Args:
        precision: the value, between 0 and 1.
        num_thresholds, class_id, name, dtype: see ``SensitivityAtSpecificity``, as for errors.
    """

    best, given = "recall", "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        self.precision = precision
        super().__init__(precision, num_thresholds, class_id, name, dtype)
