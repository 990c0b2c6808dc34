"""AUC: the area under a curve of the confusion matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina import config
from lamina.graph import express, functions
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand, constant
from lamina.metrics.confusion import evenly_spaced, exceeded, prepared, threshold_list
from lamina.metrics.histogram import Counts, Histogram
from lamina.metrics.metric import ratio


def _roc(c: Counts) -> tuple[np.ndarray, np.ndarray]:
    return ratio(c["fp"], c["fp"] + c["tn"]), ratio(c["tp"], c["tp"] + c["fn"])


def _pr(c: Counts) -> tuple[np.ndarray, np.ndarray]:
    return ratio(c["tp"], c["tp"] + c["fn"]), ratio(c["tp"], c["tp"] + c["fp"])


def _pr_gain(c: Counts) -> tuple[np.ndarray, np.ndarray]:
    """Flach and Kull 2015; without true positives recall gain is 0 and precision gain 1."""
    scale, none = ratio(c["tp"] + c["fn"], c["tn"] + c["fp"]), c["tp"] == 0
    recall, precision = (1 - scale * ratio(c[wrong], c["tp"]) for wrong in ("fn", "fp"))
    return np.maximum(np.where(none, 0, recall), 0), np.where(none, 1, precision)


# name → the curve's (x, y) at each threshold
CURVES: dict[str, Callable[[Counts], tuple[np.ndarray, np.ndarray]]] = {"ROC": _roc, "PR": _pr, "PRGAIN": _pr_gain}
# name → a rectangle's height between two points of the curve
SUMMATIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "interpolation": lambda a, b: (a + b) / 2,
    "minoring": np.minimum,
    "majoring": np.maximum,
}


class AUC(Histogram):
    """The area under a curve of the confusion matrix, from a histogram of predictions between thresholds.

    Args:
        num_thresholds: how many; between 0 and 1 in equal steps, and one just outside at each end.
        curve: ``"ROC"``, ``"PR"`` or ``"PRGAIN"``.
        summation_method: ``"interpolation"``, ``"minoring"`` or ``"majoring"``.
        name: its name.
        dtype: see ``Metric``.
        thresholds: the ones between 0 and 1, instead of equal steps.
        multi_label: whether each column has an area of its own; their mean is the result.
        num_labels: the number of columns, for ``multi_label``.
        label_weights: how much each column counts.
        from_logits: whether predictions are logits.

    Raises:
        ValueError: a curve, summation or number of thresholds that is not one of these.

    Source: Keras's AUC; Davis and Goadrich 2006 for interpolation between points of a PR curve.
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: str | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ):
        super().__init__(dtype, name)
        self.curve = _one_of(CURVES, "curve", curve.upper())
        self.summation_method = _one_of(SUMMATIONS, "summation_method", summation_method.lower())
        self.init_thresholds = None if thresholds is None else sorted(threshold_list(thresholds))
        if self.init_thresholds is None and num_thresholds <= 1:
            raise ValueError(f"Argument `num_thresholds` must be an integer > 1. Received: {num_thresholds}")
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        inner = np.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        inner = inner if self.init_thresholds is None else np.array(self.init_thresholds)
        self.thresholds = [-config.epsilon(), *inner.tolist(), 1.0 + config.epsilon()]
        self.num_thresholds = len(self.thresholds)
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else [float(w) for w in label_weights]
        self.from_logits = from_logits
        if not multi_label or num_labels:
            self._build(num_labels or 1)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add targets (0 or 1) and predictions of one shape (rows,) or (rows, labels), with weights."""
        if not self._histograms:
            self._build(functions.class_count(as_node(y_pred)))
        super().update_state(y_true, y_pred, sample_weight)

    def _added(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None) -> tuple[Node, Node]:
        positive, y_pred, weight = prepared(y_true, y_pred, sample_weight, self.dtype)
        if self.label_weights is not None and not self.multi_label:
            weight = weight * constant(np.array(self.label_weights), self.dtype)
        bucket = self._bucket(express.sigmoid(y_pred) if self.from_logits else y_pred)
        if self.multi_label:
            labels = functions.class_count(y_pred)
            bucket = bucket * labels + express.iota(labels)
        return self._scattered(bucket, positive, weight)

    def _bucket(self, y_pred: Node) -> Node:
        """How many thresholds a prediction exceeds."""
        if not evenly_spaced(self.thresholds):
            above = express.expand_dims(y_pred, -1) > constant(np.array(self.thresholds), y_pred.dtype)
            return express.sum(express.cast(above, "int32"), -1)
        above = express.maximum(exceeded(y_pred, self.num_thresholds), 1.0)  # the first threshold is below 0
        return express.cast(express.where(express.equal(y_pred, y_pred), above, 0.0), "int32")

    def result(self) -> Any:
        """The area, between 0 and 1."""
        if not self._histograms:
            return np.zeros((), self.dtype)[()]
        counts = self.counts()
        pr_line = (self.curve, self.summation_method) == ("PR", "interpolation")
        areas = _pr_area(counts) if pr_line else self._riemann(*CURVES[self.curve](counts))
        if self.label_weights is None or not self.multi_label:
            return areas.sum() / len(areas)
        weights = np.array(self.label_weights, self.dtype)
        return ratio((areas * weights).sum(), weights.sum())

    def _riemann(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return ((x[:-1] - x[1:]) * SUMMATIONS[self.summation_method](y[:-1], y[1:])).sum(0)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make a metric like this one."""
        config = super().get_config() | {"thresholds": self.init_thresholds}
        return {k: v for k, v in config.items() if (k, v) != ("thresholds", None)}


def _pr_area(c: Counts) -> np.ndarray:
    """Between two thresholds TP and P = TP + FP move on a line, so precision on a hyperbola, which is integrated."""
    tp, p = c["tp"], c["tp"] + c["fp"]
    rise, run = tp[:-1] - tp[1:], p[:-1] - p[1:]
    slope = ratio(rise, np.maximum(run, 0))
    intercept = tp[1:] - slope * p[1:]
    both = (p[:-1] > 0) & (p[1:] > 0)
    growth = np.where(both, ratio(p[:-1], np.maximum(p[1:], 0)), 1)
    return ratio(slope * (rise + intercept * np.log(growth)), np.maximum(tp[1:] + c["fn"][1:], 0)).sum(0)


def _one_of(table: dict[str, Any], name: str, value: str) -> str:
    if value not in table:
        raise ValueError(f"`{name}` must be one of {', '.join(table)}. Received: {value!r}")
    return value
