"""Metrics of the confusion matrix at thresholds: precision, recall, and the area under a curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina import config
from lamina.errors import ShapeError
from lamina.graph import express, functions
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand, constant
from lamina.losses.shapes import same_rank
from lamina.metrics.metric import Metric, ratio
from lamina.ops import dual
from lamina.variables import Variable

Counts = dict[str, np.ndarray]


def prepared(y_true: Operand, y_pred: Operand, sample_weight: Operand | None, dtype: str) -> tuple[Node, Node, Node]:
    """Targets as 0 or 1, predictions, and weights of the predictions' shape."""
    positive = express.cast(express.cast(y_true, "bool"), dtype)
    y_pred, positive = same_rank(express.cast(y_pred, dtype), positive)
    if positive.shape[1:] != y_pred.shape[1:]:
        raise ShapeError(f"targets {positive.shape} and predictions {y_pred.shape} must have the same shape")
    if sample_weight is None:
        return positive, y_pred, express.full_like(y_pred, 1.0)
    weight = express.cast(sample_weight, dtype)
    if weight.ndim == y_pred.ndim - 1:
        weight = express.expand_dims(weight, -1)
    elif weight.ndim == y_pred.ndim + 1:
        weight = express.squeeze(weight)
    return positive, y_pred, express.broadcast_to(weight, y_pred.shape)


def one_class(x: Node, number: int) -> Node:
    """The column of one class, (rows, 1)."""
    if x.ndim < 2:
        raise ShapeError(f"class_id needs predictions (rows, classes), got shape {x.shape}")
    return express.slice_axis(x, -1, number, number + 1)


def among_best(x: Node, k: int) -> Node:
    """1 for the k largest of the last axis, the first of equals before the others; 0 elsewhere."""
    size = functions.class_count(x)
    own, other = express.expand_dims(x, -1), express.expand_dims(x, -2)
    earlier = constant(np.tri(size, k=-1, dtype=bool))
    ahead = functions.logical_or(other > own, functions.logical_and(express.equal(other, own), earlier))
    return express.cast(express.less(express.sum(express.cast(ahead, "int32"), -1), k), x.dtype)


class _AtThresholds(Metric):
    """Weighted counts of two of the four kinds of answers at each threshold, and the first's share in both.

    Args:
        thresholds: a number or several in [0, 1]; predictions above it are positive. 0.5 by default.
        top_k: only the k best classes of a row are positive.
        class_id: only this class's column counts.
        name: its name.
        dtype: see ``Metric``.
    """

    _direction = "up"
    other: str

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(dtype, name)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        self.thresholds = _threshold_list(thresholds)
        self.true_positives = self.add_weight((len(self.thresholds),), name="true_positives")
        self.others = self.add_weight((len(self.thresholds),), name=self.other)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add targets (0 or 1) and predictions of one shape (rows,) or (rows, classes), with weights."""
        hits, others = dual(self._added)(y_true, y_pred, sample_weight)
        self.true_positives.assign_add(hits)
        self.others.assign_add(others)

    def _added(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None) -> tuple[Node, Node]:
        positive, y_pred, weight = prepared(y_true, y_pred, sample_weight, self.dtype)
        chosen = None if self.top_k is None else among_best(y_pred, self.top_k)
        picked: list[Node | None] = [positive, y_pred, weight, chosen]
        if self.class_id is not None:
            picked = [None if x is None else one_class(x, self.class_id) for x in picked]
        positive, y_pred, weight, chosen = picked  # type: ignore[assignment]
        answers = self._answers(y_pred, chosen)  # (rows, …, thresholds)
        truth, weight = express.expand_dims(positive, -1), express.expand_dims(weight, -1)
        axes = range(answers.ndim - 1)
        return express.sum(answers * truth * weight, axes), express.sum(self._other(answers, truth) * weight, axes)

    def _answers(self, y_pred: Node, chosen: Node | None) -> Node:
        above = express.expand_dims(y_pred, -1) > constant(np.array(self.thresholds), y_pred.dtype)
        answers = express.cast(above, y_pred.dtype)
        if chosen is None:
            return answers
        chosen = express.expand_dims(chosen, -1)
        return chosen if self.init_thresholds is None else answers * chosen

    def _other(self, answers: Node, truth: Node) -> Node:
        raise TypeError(f"{type(self).__name__} must define _other")

    def result(self) -> Any:
        """The share, one for each threshold if there are several."""
        shares = ratio(self.true_positives.value, self.true_positives.value + self.others.value)
        return shares[0] if len(self.thresholds) == 1 else shares

    def get_config(self) -> dict[str, Any]:
        """The arguments that make a metric like this one."""
        return super().get_config() | {"thresholds": self.init_thresholds}


class Precision(_AtThresholds):
    """TP / (TP + FP): the share of positive answers that are right.

    Args:
        thresholds: a number or several in [0, 1]; predictions above it are positive. 0.5 by default.
        top_k: only the k best classes of a row are positive.
        class_id: only this class's column counts.
        name: its name.
        dtype: see ``Metric``.
    """

    other = "false_positives"

    def _other(self, answers: Node, truth: Node) -> Node:
        return answers * (1.0 - truth)

    @property
    def false_positives(self) -> Variable:
        """FP at each threshold."""
        return self.others


class Recall(_AtThresholds):
    """TP / (TP + FN): the share of positive targets that are found.

    Args:
        thresholds: a number or several in [0, 1]; predictions above it are positive. 0.5 by default.
        top_k: only the k best classes of a row are positive.
        class_id: only this class's column counts.
        name: its name.
        dtype: see ``Metric``.
    """

    other = "false_negatives"

    def _other(self, answers: Node, truth: Node) -> Node:
        return (1.0 - answers) * truth

    @property
    def false_negatives(self) -> Variable:
        """FN at each threshold."""
        return self.others


def _threshold_list(thresholds: float | Sequence[float] | None) -> list[float]:
    listed = [0.5] if thresholds is None else list(np.atleast_1d(thresholds))
    if any(not 0 <= t <= 1 for t in listed):
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {thresholds}")
    return [float(t) for t in listed]


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


class AUC(Metric):
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

    _direction = "up"

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
        self.init_thresholds = None if thresholds is None else sorted(map(float, thresholds))
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
        self._histograms: tuple[Variable, ...] = ()
        if not multi_label or num_labels:
            self._build(num_labels or 1)

    def _build(self, labels: int) -> None:
        """A histogram of the positive and one of the negative rows' predictions: (buckets · labels,)."""
        size = (self.num_thresholds + 1) * labels
        self._histograms = (self.add_weight((size,), name="positives"), self.add_weight((size,), name="negatives"))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add targets (0 or 1) and predictions of one shape (rows,) or (rows, labels), with weights."""
        if not self._histograms:
            self._build(functions.class_count(as_node(y_pred)))
        for variable, added in zip(self._histograms, dual(self._added)(y_true, y_pred, sample_weight), strict=True):
            variable.assign_add(added)

    def _added(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None) -> tuple[Node, Node]:
        positive, y_pred, weight = prepared(y_true, y_pred, sample_weight, self.dtype)
        if self.label_weights is not None and not self.multi_label:
            weight = weight * constant(np.array(self.label_weights), self.dtype)
        bucket = self._bucket(express.sigmoid(y_pred) if self.from_logits else y_pred)
        if self.multi_label:
            labels = functions.class_count(y_pred)
            bucket = bucket * labels + express.iota(labels)
        size = self._histograms[0].shape[0]
        return (
            express.scatter_add(bucket, positive * weight, size),
            express.scatter_add(bucket, (1.0 - positive) * weight, size),
        )

    def _bucket(self, y_pred: Node) -> Node:
        """How many thresholds a prediction exceeds."""
        if self.init_thresholds is not None:
            above = express.expand_dims(y_pred, -1) > constant(np.array(self.thresholds), y_pred.dtype)
            return express.sum(express.cast(above, "int32"), -1)
        steps = float(self.num_thresholds - 1)
        return express.cast(express.maximum(express.ceil(express.clip(y_pred, 0.0, 1.0) * steps), 1.0), "int32")

    def counts(self) -> Counts:
        """TP, FP, TN and FN at each threshold: (thresholds, labels)."""
        positives, negatives = (
            np.add.accumulate(v.value.reshape(self.num_thresholds + 1, -1)[::-1])[::-1] for v in self._histograms
        )
        tp, fp = positives[1:], negatives[1:]
        return {"tp": tp, "fp": fp, "tn": negatives[0] - fp, "fn": positives[0] - tp}

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
