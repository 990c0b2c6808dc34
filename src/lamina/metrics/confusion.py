"""Metrics of the confusion matrix at a few thresholds: its counts, precision and recall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina import config
from lamina.errors import ShapeError
from lamina.graph import express, functions
from lamina.graph.node import Node, Operand, constant
from lamina.losses.shapes import same_rank
from lamina.metrics.metric import Metric, ratio
from lamina.ops import dual
from lamina.variables import Variable


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


# kind → which pairs of an answer and a truth, both 0 or 1, are counted
KINDS: dict[str, Callable[[Node, Node], Node]] = {
    "true_positives": lambda answer, truth: answer * truth,
    "true_negatives": lambda answer, truth: (1.0 - answer) * (1.0 - truth),
    "false_positives": lambda answer, truth: answer * (1.0 - truth),
    "false_negatives": lambda answer, truth: (1.0 - answer) * truth,
}


class AtThresholds(Metric):
    """Weighted counts of some of the four kinds of answers at each threshold.

    Args:
        thresholds: a number or several in [0, 1]; predictions above it are positive. 0.5 by default.
        top_k: only the k best classes of a row are positive.
        class_id: only this class's column counts.
        name: its name.
        dtype: see ``Metric``.
    """

    kinds: tuple[str, ...]
    _state_name: str | None = None  # of the only count; several have the names of their kinds

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
        self.thresholds = threshold_list(thresholds)
        size = (len(self.thresholds),)
        self._counts = {kind: self.add_weight(size, name=self._state_name or kind) for kind in self.kinds}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add targets (0 or 1) and predictions of one shape (rows,) or (rows, classes), with weights."""
        added = dual(self._added)(y_true, y_pred, sample_weight)
        for count, value in zip(self._counts.values(), added, strict=True):
            count.assign_add(value)

    def _added(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None) -> list[Node]:
        positive, y_pred, weight = prepared(y_true, y_pred, sample_weight, self.dtype)
        chosen = None if self.top_k is None else among_best(y_pred, self.top_k)
        picked: list[Node | None] = [positive, y_pred, weight, chosen]
        if self.class_id is not None:
            picked = [None if x is None else one_class(x, self.class_id) for x in picked]
        positive, y_pred, weight, chosen = picked  # type: ignore[assignment]
        answers = self._answers(y_pred, chosen)  # (rows, …, thresholds)
        truth, weight = express.expand_dims(positive, -1), express.expand_dims(weight, -1)
        axes = range(answers.ndim - 1)
        return [express.sum(KINDS[kind](answers, truth) * weight, axes) for kind in self.kinds]

    def _answers(self, y_pred: Node, chosen: Node | None) -> Node:
        above = express.expand_dims(y_pred, -1) > constant(np.array(self.thresholds), y_pred.dtype)
        if evenly_spaced(self.thresholds):  # Keras then looks for the place between the thresholds, from 0 to 1
            places = express.iota(len(self.thresholds), y_pred.dtype)
            above = express.expand_dims(exceeded(y_pred, len(self.thresholds)), -1) > places
        answers = express.cast(above, y_pred.dtype)
        if chosen is None:
            return answers
        chosen = express.expand_dims(chosen, -1)
        return chosen if self.init_thresholds is None else answers * chosen

    def get_config(self) -> dict[str, Any]:
        """The arguments that make a metric like this one."""
        return super().get_config() | {"thresholds": self.init_thresholds}


def exceeded(y_pred: Node, thresholds: int) -> Node:
    """How many of ``thresholds`` evenly spaced numbers from 0 to 1 a prediction is above; nan is above none."""
    return express.ceil(express.where(y_pred > 0.0, express.minimum(y_pred, 1.0), 0.0) * float(thresholds - 1))


def evenly_spaced(thresholds: Sequence[float]) -> bool:
    """Whether there are three or more, from 0 to 1 in equal steps."""
    even = len(thresholds) > 2
    return even and np.allclose(thresholds, np.linspace(0, 1, len(thresholds)), atol=config.epsilon())


def threshold_list(thresholds: float | Sequence[float] | None) -> list[float]:
    """One or several thresholds, 0.5 by default.

    Raises:
        ValueError: one is outside [0, 1].
    """
    listed = [0.5] if thresholds is None else list(np.atleast_1d(thresholds))
    if any(t is None or not 0 <= t <= 1 for t in listed):
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {thresholds}")
    return [float(t) for t in listed]


class _Count(AtThresholds):
    """One kind of answers.

    Args:
        thresholds: a number or several in [0, 1]; predictions above it are positive. 0.5 by default.
        name: its name.
        dtype: see ``Metric``.
    """

    _state_name = "accumulator"

    def __init__(
        self, thresholds: float | Sequence[float] | None = None, name: str | None = None, dtype: str | None = None
    ):
        super().__init__(thresholds, name=name, dtype=dtype)

    @property
    def accumulator(self) -> Variable:
        """The count at each threshold."""
        return self.variables[0]

    def result(self) -> Any:
        """The count (the sum of weights), one for each threshold if there are several."""
        counts = self.accumulator.numpy()
        return counts[0] if len(counts) == 1 else counts


class TruePositives(_Count):
    """How many positive answers are right.

    Args:
        thresholds: a number or several in [0, 1]; predictions above it are positive. 0.5 by default.
        name: its name.
        dtype: see ``Metric``.
    """

    kinds = ("true_positives",)


class TrueNegatives(_Count):
    """How many negative answers are right.

    Args:
        thresholds, name, dtype: see ``TruePositives``.
    """

    kinds = ("true_negatives",)


class FalsePositives(_Count):
    """How many positive answers are wrong.

    Args:
        thresholds, name, dtype: see ``TruePositives``.
    """

    kinds = ("false_positives",)


class FalseNegatives(_Count):
    """How many negative answers are wrong.

    Args:
        thresholds, name, dtype: see ``TruePositives``.
    """

    kinds = ("false_negatives",)


class _Share(AtThresholds):
    """The true positives' share in them and another kind of answers.

    Args:
        thresholds: a number or several in [0, 1]; predictions above it are positive. 0.5 by default.
        top_k: only the k best classes of a row are positive.
        class_id: only this class's column counts.
        name: its name.
        dtype: see ``Metric``.
    """

    _direction = "up"

    @property
    def true_positives(self) -> Variable:
        """TP at each threshold."""
        return self._counts["true_positives"]

    def result(self) -> Any:
        """The share, one for each threshold if there are several."""
        hits, others = (count.value for count in self._counts.values())
        shares = ratio(hits, hits + others)
        return shares[0] if len(self.thresholds) == 1 else shares


class Precision(_Share):
    """TP / (TP + FP): the share of positive answers that are right.

    Args:
        thresholds: a number or several in [0, 1]; predictions above it are positive. 0.5 by default.
        top_k: only the k best classes of a row are positive.
        class_id: only this class's column counts.
        name: its name.
        dtype: see ``Metric``.
    """

    kinds = ("true_positives", "false_positives")

    @property
    def false_positives(self) -> Variable:
        """FP at each threshold."""
        return self._counts["false_positives"]


class Recall(_Share):
    """TP / (TP + FN): the share of positive targets that are found.

    Args:
        thresholds: a number or several in [0, 1]; predictions above it are positive. 0.5 by default.
        top_k: only the k best classes of a row are positive.
        class_id: only this class's column counts.
        name: its name.
        dtype: see ``Metric``.
    """

    kinds = ("true_positives", "false_negatives")

    @property
    def false_negatives(self) -> Variable:
        """FN at each threshold."""
        return self._counts["false_negatives"]
